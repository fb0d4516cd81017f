/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What @0.2.0 adds. It traps exits, spawns the component "worker" with a link, joins the group
 * "watchers", and publishes to it what it hears of the worker's end. Needs the capability spawn.
 */
#include <string.h>

#include "process.h"

void exports_process_run(void) {
    process_string_t tag;
    process_string_set(&tag, "watchers");
    rusm_runtime_0_1_0_pg_register_tag(&tag);

    rusm_runtime_0_2_0_links_trap_exit(true);
    process_string_t worker;
    process_string_set(&worker, "worker");
    rusm_runtime_0_2_0_links_pid_t child;
    process_string_t error;
    if (!rusm_runtime_0_2_0_links_spawn_link(&worker, &child, &error)) {
        rusm_runtime_0_2_0_links_exit(RUSM_RUNTIME_0_2_0_LINKS_EXIT_REASON_CRASHED, &error);
    }

    process_string_t prefix;
    process_string_set(&prefix, "{\"__exit\":");
    process_list_u8_t wanted = {prefix.ptr, prefix.len};
    process_list_u8_t exit;
    if (rusm_runtime_0_2_0_mailbox_receive_match(&wanted, UINT64_MAX, &exit)) {
        rusm_runtime_0_2_0_groups_publish(&tag, &exit);
        process_list_u8_free(&exit);
    }
}
