/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The component of examples/stream.c: its first message is a pid (8 bytes, little-endian). It
 * accepts one stream, counts its bytes, and sends the total (8 bytes, little-endian) to that pid.
 */
#include <string.h>

#include "process.h"

void exports_process_run(void) {
    process_list_u8_t first;
    rusm_runtime_actor_receive(&first);
    rusm_runtime_actor_pid_t to;
    if (first.len != sizeof to) {
        __builtin_trap();
    }
    memcpy(&to, first.ptr, sizeof to);
    process_list_u8_free(&first);

    rusm_runtime_streams_stream_id_t stream = rusm_runtime_streams_stream_accept();
    uint64_t total = 0;
    process_list_u8_t chunk;
    while (rusm_runtime_streams_stream_read(stream, &chunk)) {
        total += chunk.len;
        process_list_u8_free(&chunk);
    }
    process_list_u8_t answer = {(uint8_t *)&total, sizeof total};
    rusm_runtime_actor_send(to, &answer);
}
