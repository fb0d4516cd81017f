/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Request and reply. A call is a message of kind RUSM_MSG_CALL that names who asks; the receiver
 * answers, at once or later and from wherever it likes, with rusm_reply. The caller watches the
 * receiver meanwhile, so that a call to a process that dies fails at once. A reply that comes after
 * the caller has given up is dropped. A cast is rusm_send. Source: OTP, gen_server.
 */
#ifndef RUSM_CALL_H
#define RUSM_CALL_H

#include <rusm/link.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Whom to answer; copy it to answer later. */
struct rusm_from {
    rusm_pid pid;
    rusm_ref ref;
};

/* Who sent a message of kind CALL or REPLY (asserted). */
struct rusm_from rusm_msg_from(const struct rusm_msg *msg);

/*
 * Ask `to` and wait for its answer. `*reply` (NULL: not wanted) is borrowed until the next receive.
 * Errors: NOPROC (it does not exist, or ended before it answered), TIMEOUT, MAILBOX_FULL,
 * MESSAGE_TOO_LARGE, NOMEM. From a process. Suspends.
 */
enum rusm_err rusm_call(rusm_pid to, const void *data, size_t len, uint64_t timeout_ms,
                        struct rusm_msg **reply);

/* Answer. Errors: NOPROC, MESSAGE_TOO_LARGE, NOMEM. From a process. */
enum rusm_err rusm_reply(struct rusm_from from, const void *data, size_t len);

/*
 * Start a server linked to the caller and wait until its init has returned. Errors as
 * rusm_spawn_server, and START_FAILED: init refused or the process ended in it; it is then no
 * longer linked, and the caller lives on. From a process. Suspends. Source: OTP,
 * gen_server:start_link.
 */
enum rusm_err rusm_start_link(const struct rusm_server *server, void *arg,
                              const struct rusm_spawn_opts *opts, rusm_pid *out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
