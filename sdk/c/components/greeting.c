/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Uses a custom bridge. A message is the sender's pid (8 bytes, little-endian) and a name; the
 * answer is what example:greeter/greeter says to it. */
#include <string.h>

#include "greeting.h"

void exports_greeting_run(void) {
    for (;;) {
        greeting_list_u8_t message;
        rusm_runtime_actor_receive(&message);
        rusm_runtime_actor_pid_t from;
        if (message.len >= sizeof from) {
            memcpy(&from, message.ptr, sizeof from);
            greeting_string_t name = {message.ptr + sizeof from, message.len - sizeof from};
            greeting_string_t answer;
            example_greeter_greeter_greet(&name, &answer);
            greeting_list_u8_t bytes = {answer.ptr, answer.len};
            rusm_runtime_actor_send(from, &bytes);
            greeting_string_free(&answer);
        }
        greeting_list_u8_free(&message);
    }
}
