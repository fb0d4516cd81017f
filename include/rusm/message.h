/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Messages. A message is a string of bytes; what they mean is between sender and receiver.
 * Messages from one process to another arrive in the order sent.
 *
 * Ownership: a received message is borrowed until the receiving process's next receive (a server:
 * until the callback returns). rusm_stash gives it back to the mailbox for later; rusm_msg_take
 * makes it the caller's, to be freed with rusm_msg_free.
 */
#ifndef RUSM_MESSAGE_H
#define RUSM_MESSAGE_H

#include <rusm/process.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Bytes that were sent; a request or its answer, see <rusm/call.h>; news of a process's end, see
 * <rusm/link.h>. */
enum rusm_msg_kind {
    RUSM_MSG_BYTES,
    RUSM_MSG_CALL,
    RUSM_MSG_EXIT,
    RUSM_MSG_DOWN,
    RUSM_MSG_REPLY,
};

struct rusm_msg {
    const void *data; /* `len` bytes, aligned to 8; must not be written */
    uint32_t len;
    uint8_t kind; /* enum rusm_msg_kind */
    uint8_t reserved[3];
};

#define RUSM_FOREVER UINT64_MAX

/* A reference-counted block of bytes that many messages can share: a send of it copies nothing. */
typedef struct rusm_buf rusm_buf;

/* A buffer with one reference, contents undefined. Errors: NOMEM, MESSAGE_TOO_LARGE (over 4 GiB).
 */
enum rusm_err rusm_buf_create(size_t len, rusm_buf **out);
/* Its bytes; write them before the first send only. */
void *rusm_buf_data(rusm_buf *buf);
size_t rusm_buf_len(const rusm_buf *buf);
/* One more reference. Any thread. Returns `buf`. */
rusm_buf *rusm_buf_hold(rusm_buf *buf);
/* One reference less; the last frees. Any thread. */
void rusm_buf_release(rusm_buf *buf);

/*
 * Send a copy of `len` bytes at `data` from the calling process. Never waits for the receiver to
 * read; suspends when reductions are spent (fibers) or when the receiver's mailbox holds senders.
 * Errors: NOPROC, MAILBOX_FULL, MESSAGE_TOO_LARGE, NOMEM; the message is then gone. Asserted to be
 * called from a process.
 */
enum rusm_err rusm_send(rusm_pid to, const void *data, size_t len);

/* The same without a copy; one reference of `buf` is moved, also on failure. */
enum rusm_err rusm_send_buf(rusm_pid to, rusm_buf *buf);

/* Send from any thread. It never suspends; a mailbox that holds senders refuses at its bound. */
enum rusm_err rusm_post(rusm_runtime *runtime, rusm_pid to, const void *data, size_t len);

/* The next message; suspends until there is one. */
struct rusm_msg *rusm_receive(void);

/* The next message, or NULL once `timeout_ms` have passed. 0 = only what is there already. */
struct rusm_msg *rusm_receive_timeout(uint64_t timeout_ms);

/* True if `msg` is the one wanted. Must not call the runtime. */
typedef bool (*rusm_match_fn)(void *arg, const struct rusm_msg *msg);

/*
 * Selective receive: the oldest message that `match` accepts; others stay in order. A message that
 * this call has refused is not looked at again during it. NULL when the time has passed. Cost: one
 * call of `match` for each waiting message. Source: Erlang reference manual, "Receive".
 */
struct rusm_msg *rusm_receive_match(rusm_match_fn match, void *arg, uint64_t timeout_ms);

/* Put the message received last aside. rusm_unstash puts all that are aside back at the front of
 * the mailbox, in the order they were put aside. Owner process only. */
void rusm_stash(struct rusm_msg *msg);
void rusm_unstash(void);

/* Make the message received last the caller's own. The result replaces `msg`. */
struct rusm_msg *rusm_msg_take(struct rusm_msg *msg);
/* Free a message that was taken. From a process. */
void rusm_msg_free(struct rusm_msg *msg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
