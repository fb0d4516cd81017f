/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/test_runtime_internal.h"

#include "base/assert.h"
#include <string.h>

void record_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct exit_record *record = arg;
    record->pid = pid;
    record->kind = reason->kind;
    record->payload_bytes = reason->payload_bytes;
    if (reason->payload_bytes > 0) {
        memcpy(record->payload, reason->payload, reason->payload_bytes);
    }
    /* Release: who reads the count sees the rest. */
    atomic_fetch_add_explicit(&record->count, 1, memory_order_release);
}

rusm_runtime *start_configured(const struct rusm_config *config) {
    rusm_runtime *rt = NULL;
    enum rusm_err err = rusm_runtime_create(config, &rt);
    RUSM_ASSERT(err == RUSM_OK);
    return rt;
}

rusm_runtime *start_runtime(uint32_t schedulers) {
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = schedulers;
    config.log_level = RUSM_LOG_OFF; /* what ends here does so on purpose */
    return start_configured(&config);
}

void finish_runtime(rusm_runtime *rt) {
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
}

rusm_pid spawn_fiber(rusm_runtime *rt, rusm_fiber_fn fn, void *arg,
                     const struct rusm_spawn_opts *opts) {
    rusm_pid pid = {0};
    enum rusm_err err = rusm_spawn(rt, fn, arg, opts, &pid);
    RUSM_ASSERT(err == RUSM_OK);
    return pid;
}

void run_fiber(rusm_fiber_fn fn, void *arg) {
    rusm_runtime *rt = start_runtime(2);
    (void)spawn_fiber(rt, fn, arg, NULL);
    finish_runtime(rt);
}

void await_wait(rusm_runtime *rt, rusm_pid pid, enum rusm_process_wait wait) {
    struct rusm_process_info info = {.wait = RUSM_WAIT_NONE};
    AWAIT(rusm_process_info(rt, pid, &info) == RUSM_OK && info.wait == wait);
}

void wait_for_ever(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_receive();
    }
}

void end_at_once(void *arg) {
    (void)arg;
}
