/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What the tests of processes share. cmocka's assertions jump out of the test's function and must
 * not be used inside a process, on another thread and stack: there the tests use RUSM_ASSERT, which
 * ends the program and names the place. Results are looked at after finish_runtime.
 */
#ifndef OTP_TEST_RUNTIME_INTERNAL_H
#define OTP_TEST_RUNTIME_INTERNAL_H

#include <rusm/rusm.h>
#include <sched.h>
#include <stdatomic.h>

/* How a process ended; fill in by .on_exit = record_exit, .on_exit_arg = the record. */
struct exit_record {
    _Atomic uint32_t count;
    rusm_pid pid;
    enum rusm_exit_kind kind;
    uint32_t payload_bytes;
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
};

void record_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason);

/* A runtime with the default limits. */
rusm_runtime *start_runtime(uint32_t schedulers);
rusm_runtime *start_configured(const struct rusm_config *config);

/* Wait until all processes have ended, then destroy. */
void finish_runtime(rusm_runtime *rt);

/* Run fn(arg) and what it spawns on two schedulers until all have ended. */
void run_fiber(rusm_fiber_fn fn, void *arg);

/* Spawn, asserting success. `opts` may be NULL. */
rusm_pid spawn_fiber(rusm_runtime *rt, rusm_fiber_fn fn, void *arg,
                     const struct rusm_spawn_opts *opts);

/* Wait until `pid` waits for `wait`. From any thread that is not a scheduler's. */
void await_wait(rusm_runtime *rt, rusm_pid pid, enum rusm_process_wait wait);

/* Receives for ever. */
void wait_for_ever(void *arg);

/* Ends at once. */
void end_at_once(void *arg);

/* Wait for a condition that another thread makes true. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        while (!(condition)) {                                                                     \
            sched_yield();                                                                         \
        }                                                                                          \
    } while (0)

#endif
