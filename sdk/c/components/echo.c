/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The component of examples/echo.c: sends back what it gets. A message is the sender's pid (8
 * bytes, little-endian) and the payload. */
#include <string.h>

#include "process.h"

void exports_process_run(void) {
    for (;;) {
        process_list_u8_t message;
        rusm_runtime_actor_receive(&message);
        rusm_runtime_actor_pid_t from;
        if (message.len >= sizeof from) {
            memcpy(&from, message.ptr, sizeof from);
            process_list_u8_t payload = {message.ptr + sizeof from, message.len - sizeof from};
            rusm_runtime_actor_send(from, &payload);
        }
        process_list_u8_free(&message);
    }
}
