/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The actor core, for the components above it. Programs that embed the runtime use <rusm/rusm.h>;
 * this header adds what only other components of the runtime may do: processes with a step body.
 *
 * A step body is a process without a stack: the scheduler calls `step` when the process has
 * something to do, and `step` returns what it wants next. Servers are built the same way; a step
 * sees everything that wakes it, not only messages.
 *
 * Threads: a step runs on a scheduler thread, one call at a time, perhaps each on another thread.
 * Ownership: `state` belongs to the process and is freed after `terminate`.
 * It does not know wasm, files or protocols.
 */
#ifndef OTP_OTP_H
#define OTP_OTP_H

#include <rusm/message.h>
#include <rusm/process.h>

enum step_result {
    STEP_WAIT,  /* call again when a signal has arrived */
    STEP_YIELD, /* call again when others had their turn */
    STEP_EXIT,  /* end with reason NORMAL */
};

struct step_body {
    size_t state_bytes;
    /* `arg` as given to spawn; borrowed. Anything but RUSM_OK ends the process with ERROR. */
    enum rusm_err (*init)(void *state, void *arg);
    /* Take messages with rusm_receive_timeout(0). Must not suspend. */
    enum step_result (*step)(void *state);
    /* NULL is allowed. Must not suspend. */
    void (*terminate)(void *state, const struct rusm_exit_reason *reason);
};

/* As rusm_spawn_server. `body` must outlive the process. */
enum rusm_err otp_spawn_step(rusm_runtime *runtime, const struct step_body *body, void *arg,
                             const struct rusm_spawn_opts *opts, rusm_pid *out);

#endif
