/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Has the node supervise the component "worker": one for one, 3 restarts within 5 seconds. Needs
 * the capability spawn. A message is somebody's pid (8 bytes, little-endian): it is sent the pid of
 * the supervisor, which ends together with this process. If the supervisor gives up, this process
 * ends too: they are linked.
 */
#include <string.h>

#include "process.h"

void exports_process_run(void) {
    process_string_t worker;
    process_string_set(&worker, "worker");
    process_list_string_t children = {&worker, 1};
    rusm_runtime_actor_pid_t supervisor;
    process_string_t error;
    if (!rusm_runtime_actor_supervise(RUSM_RUNTIME_ACTOR_SUPERVISE_STRATEGY_ONE_FOR_ONE, &children,
                                      3, 5000, &supervisor, &error)) {
        rusm_runtime_log_log(RUSM_RUNTIME_LOG_LOG_LEVEL_ERROR, &error);
        __builtin_trap();
    }
    for (;;) {
        process_list_u8_t message;
        rusm_runtime_actor_receive(&message);
        rusm_runtime_actor_pid_t from;
        if (message.len == sizeof from) {
            memcpy(&from, message.ptr, sizeof from);
            process_list_u8_t answer = {(uint8_t *)&supervisor, sizeof supervisor};
            rusm_runtime_actor_send(from, &answer);
        }
        process_list_u8_free(&message);
    }
}
