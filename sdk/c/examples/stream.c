/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Its first message is a pid (8 bytes, little-endian). It accepts one stream, counts its bytes, and
 * sends the total (8 bytes, little-endian) to that pid. */
#include "rusm.h"

RUSM_EXPORT(run) void run(void) {
    static char chunk[64 * 1024];
    rusm_pid to = 0;
    if (rusm_receive(&to, sizeof to) != sizeof to) {
        static const char text[] = "the first message is not a pid";
        rusm_exit(RUSM_EXIT_CRASHED, text, sizeof text - 1);
    }
    int64_t stream = rusm_stream_accept();
    uint64_t total = 0;
    for (;;) {
        int32_t len = rusm_stream_read(stream, chunk, sizeof chunk);
        if (len < 0) {
            break;
        }
        if ((size_t)len > sizeof chunk) {
            static const char text[] = "a chunk is too long";
            rusm_exit(RUSM_EXIT_CRASHED, text, sizeof text - 1);
        }
        total += (uint64_t)len;
    }
    rusm_send(to, &total, sizeof total);
}
