/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Links and monitors: how processes hear of each other's end.
 *
 * A link is mutual: when one end dies, the other gets an exit signal. A process that does not trap
 * exits dies of it, with the same reason, unless the reason is NORMAL; one that traps receives a
 * message of kind RUSM_MSG_EXIT. A monitor is one-way: the watcher receives a message of kind
 * RUSM_MSG_DOWN. All of it travels as signals, in order with the messages between the two.
 *
 * Sources: Erlang/OTP reference manual, "Processes" and "Errors"; OTP's "Communication in Erlang".
 * All calls are the calling process's, for itself: asserted.
 */
#ifndef RUSM_LINK_H
#define RUSM_LINK_H

#include <rusm/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* One monitor; never 0, never the same twice. */
typedef struct rusm_ref {
    uint64_t v;
} rusm_ref;

/*
 * What a message of kind RUSM_MSG_EXIT or RUSM_MSG_DOWN carries; rusm_msg.data points to it.
 * `reason.payload` lives as long as the message.
 */
struct rusm_down {
    rusm_pid pid; /* the process that ended, or that sent the exit signal */
    rusm_ref ref; /* DOWN: the monitor's; EXIT: {0} */
    struct rusm_exit_reason reason;
};

/* The `struct rusm_down` of a message of kind EXIT or DOWN (asserted). */
const struct rusm_down *rusm_msg_down(const struct rusm_msg *msg);

/* Link with `pid`; nothing happens if they are linked, or if it is the caller. A process that does
 * not exist sends an exit signal with reason NOPROC. Error: NOMEM. */
enum rusm_err rusm_link(rusm_pid pid);

/* End the link. When this returns, no exit signal of that link will come. False if there is none.
 */
bool rusm_unlink(rusm_pid pid);

/* Watch `pid`. A process that does not exist is DOWN at once with reason NOPROC. Several monitors
 * of one process are independent. Error: NOMEM. */
enum rusm_err rusm_monitor(rusm_pid pid, rusm_ref *out);

/*
 * End a monitor. No DOWN of it is delivered after; with `flush`, one that waits in the mailbox is
 * removed. True if the monitor was still there, or flushed.
 */
bool rusm_demonitor(rusm_ref ref, bool flush);

/* Whether exit signals become messages for the calling process. Returns the setting before. */
bool rusm_trap_exit(bool trap);

/*
 * Send an exit signal. As from a link, but the receiver needs none; NORMAL to another process does
 * nothing; KILLED cannot be trapped, and those linked to the victim see KILLED. `reason` is copied.
 * NULL = NORMAL. False if the process does not exist.
 */
bool rusm_send_exit(rusm_pid pid, const struct rusm_exit_reason *reason);

/*
 * Spawn and link, or monitor, in one step: there is no moment at which the child's end could be
 * missed. Errors as rusm_spawn. `server` forms as rusm_spawn_server.
 */
enum rusm_err rusm_spawn_link(rusm_fiber_fn fn, void *arg, const struct rusm_spawn_opts *opts,
                              rusm_pid *out);
enum rusm_err rusm_spawn_monitor(rusm_fiber_fn fn, void *arg, const struct rusm_spawn_opts *opts,
                                 rusm_pid *out, rusm_ref *ref);
enum rusm_err rusm_spawn_server_link(const struct rusm_server *server, void *arg,
                                     const struct rusm_spawn_opts *opts, rusm_pid *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
