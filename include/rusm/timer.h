/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Timers, waiting on descriptors, and work that blocks. Times are in milliseconds on the monotonic
 * clock; a timer never fires early, and late by up to a millisecond plus the wait for a scheduler.
 */
#ifndef RUSM_TIMER_H
#define RUSM_TIMER_H

#include <rusm/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct rusm_timer {
    uint64_t v;
} rusm_timer;

/* Longest time a timer can be set for: about 139 years. Longer delays are cut to it; longer waits
 * have no end. */
#define RUSM_TIMER_MS_MAX ((uint64_t)1 << 42)

/* Suspend the calling process for that long. */
void rusm_sleep(uint64_t duration_ms);

/*
 * Send a copy of `data` to `to` after `delay_ms`. `out` may be NULL. A timer outlives the process
 * that set it; firing at a dead process does nothing. Errors: TIMER_LIMIT, MESSAGE_TOO_LARGE,
 * NOMEM. From a process. Source: OTP erlang:send_after/3.
 */
enum rusm_err rusm_send_after(rusm_pid to, uint64_t delay_ms, const void *data, size_t len,
                              rusm_timer *out);

/* The same again every `interval_ms` (at least 1) until cancelled or the receiver has ended.
 * Intervals count from the time set, so that lateness does not add up; ticks that a stall made
 * obsolete are skipped. */
enum rusm_err rusm_send_interval(rusm_pid to, uint64_t interval_ms, const void *data, size_t len,
                                 rusm_timer *out);

/*
 * Cancel a timer; after RUSM_OK its message will not be sent any more. `left_ms` (may be NULL) gets
 * the time that was left. Error: NO_TIMER (it has fired, was cancelled, or never was). From any
 * process, whichever scheduler the timer is on.
 */
enum rusm_err rusm_cancel_timer(rusm_timer timer, uint64_t *left_ms);

/* Events of rusm_wait_fd: what poll(2) calls POLLIN, POLLOUT; errors and hang-ups end every wait.
 */
#define RUSM_FD_READABLE 1u
#define RUSM_FD_WRITABLE 2u

/*
 * Suspend the calling process until descriptor `fd` is ready for one of `events`. `ready` gets what
 * it is ready for (an error or hang-up counts as both). One process a descriptor. Errors: TIMEOUT,
 * INVALID (no event asked for), SYSTEM (errno: EPERM for a regular file, EBADF, EEXIST if another
 * process waits for it on this scheduler).
 */
enum rusm_err rusm_wait_fd(int fd, unsigned events, uint64_t timeout_ms, unsigned *ready);

/*
 * Run fn(arg) on a thread of the bounded pool and suspend the calling process until it has
 * returned. fn must not call the runtime. While it runs the process cannot be killed; it ends right
 * after. Error: QUEUE_FULL; fn is then not called.
 */
enum rusm_err rusm_blocking(void (*fn)(void *arg), void *arg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
