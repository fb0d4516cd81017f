/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The actor core, for the components above it. Programs that embed the runtime use <rusm/rusm.h>;
 * this header adds what only other components of the runtime may do: processes with a step body.
 *
 * A step body is a process without a stack: the scheduler calls `step` when the process has
 * something to do, and `step` returns what it wants next. Servers are built the same way; a step
 * sees everything that wakes it, not only messages. Like a server's callback it may suspend, and
 * then holds a stack until it returns.
 *
 * Foreign code. A step may run code on a stack of that code's own (a WebAssembly guest), and that
 * code may call back into the runtime. Between otp_foreign_enter and otp_foreign_leave nothing
 * suspends and nothing ends the process, whatever signals come: both wait for the leave.
 *
 * Threads: a step runs on a scheduler thread, one call at a time, perhaps each on another thread.
 * Ownership: `state` belongs to the process and is freed after `terminate`.
 * It does not know wasm, files or protocols.
 */
#ifndef OTP_OTP_H
#define OTP_OTP_H

#include <rusm/link.h>
#include <rusm/message.h>
#include <rusm/process.h>
#include <rusm/timer.h>

enum step_result {
    STEP_WAIT,         /* call again when a signal has arrived */
    STEP_WAIT_OUTSIDE, /* the same; it is no message that is waited for */
    STEP_YIELD,        /* call again when others had their turn */
    STEP_EXIT,         /* end with reason NORMAL */
};

struct step_body {
    size_t state_bytes;
    /* `arg` as given to spawn; borrowed. Anything but RUSM_OK ends the process with ERROR. */
    enum rusm_err (*init)(void *state, void *arg);
    enum step_result (*step)(void *state);
    /* NULL is allowed. Must not suspend. */
    void (*terminate)(void *state, const struct rusm_exit_reason *reason);
};

/* How a new process is tied to the calling one, before it can run. */
struct otp_tie {
    bool link;
    rusm_ref *ref; /* monitor it: gets the reference; NULL = do not */
};

/* As rusm_spawn_server. `body` must outlive the process. `with` NULL = no tie; else the caller is a
 * process. */
enum rusm_err otp_spawn_step(rusm_runtime *runtime, const struct step_body *body, void *arg,
                             const struct rusm_spawn_opts *opts, const struct otp_tie *with,
                             rusm_pid *out);

/* ---- foreign code: for the calling process, which has a step body ---- */

/* From here on no call suspends the process or ends it. A send to a mailbox that holds its senders
 * is delivered; the wait for room is made up for by otp_foreign_leave. */
void otp_foreign_enter(void);
/* Ends the process if a signal has ended it meanwhile; then does not return. May suspend: true if
 * it did, and signals may have been taken in that the foreign code has not seen. */
bool otp_foreign_leave(void);
/* Whether the foreign code should come back soon: the slice is spent, or a leave will wait. */
bool otp_foreign_is_spent(void);

/* ---- the mailbox of the calling process ---- */

/* As rusm_receive_match, but the message stays in its place. Borrowed until the next receive. What
 * was received last is still that. */
struct rusm_msg *otp_await_match(rusm_match_fn match, void *arg, uint64_t timeout_ms);
/* The message received last, while it is borrowed; NULL = none. */
struct rusm_msg *otp_last_message(void);
/* As rusm_stash of the message received last; does not end the process. Error: NOMEM, INVALID
 * (none is borrowed). */
enum rusm_err otp_stash_last(void);
/* Put bytes aside as if they had been received. Errors: NOMEM, MAILBOX_FULL. */
enum rusm_err otp_stash_copy(const void *data, uint32_t len);

/* ---- what the public headers do not tell ---- */

/* The names that the calling process registered for itself: how many, of which up to `capacity` are
 * written. Takes a lock for each. */
uint32_t otp_own_names(char (*out)[RUSM_NAME_BYTES_MAX + 1], uint32_t capacity);
/* Whether the timer has not fired, nor was cancelled. From a process. */
bool otp_timer_is_armed(rusm_timer timer);

/* ---- waiting for something that is no message ---- */

/* Wake `pid` from otp_wait, or, a step that waits, make it be called. Any thread. Never lost: a
 * wake before the wait makes it return at once. False if it has ended, or there is no memory. */
bool otp_wake(rusm_runtime *runtime, rusm_pid pid);
/* Suspend the calling process until it is woken, or the time has passed: false then. */
bool otp_wait(uint64_t timeout_ms);

/*
 * For components with threads that may be inside otp_wake: `fn(arg)` is called once, by
 * rusm_runtime_destroy, when all processes have ended and before anything is freed. When it has
 * returned no such thread may use the runtime any more. The entry is the caller's, until then or
 * until it is taken back.
 */
struct otp_at_end {
    void (*fn)(void *arg);
    void *arg;
    struct otp_at_end *next;
};
void otp_at_end(rusm_runtime *runtime, struct otp_at_end *entry);
void otp_at_end_cancel(rusm_runtime *runtime, struct otp_at_end *entry);

/* Index of the scheduler that runs the caller; asserted to be a scheduler's thread. */
uint32_t otp_scheduler_index(void);
/* Memory that the calling process holds besides what the runtime knows of, for the observer. */
void otp_set_memory_bytes(uint64_t bytes);

#endif
