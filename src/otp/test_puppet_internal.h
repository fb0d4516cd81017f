/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Puppets: processes that do what a test tells them, one order at a time, and say what they have
 * heard of others' ends. All calls but `puppet` are made from another process.
 */
#ifndef OTP_TEST_PUPPET_INTERNAL_H
#define OTP_TEST_PUPPET_INTERNAL_H

#include "otp/test_runtime_internal.h"

enum puppet_op {
    PUPPET_HEARD, /* answers with struct puppet_heard */
    PUPPET_LINK,
    PUPPET_UNLINK,
    PUPPET_TRAP,
    PUPPET_MONITOR,
    PUPPET_EXIT,
};

/* Messages of links and monitors that a puppet has received; the last one in detail. */
struct puppet_heard {
    uint32_t exits;
    uint32_t downs;
    rusm_pid pid;
    enum rusm_exit_kind kind;
    uint32_t payload_bytes;
};

/* The body; the argument is not used. */
void puppet(void *arg);

/* A new puppet. `record` may be NULL. */
rusm_pid puppet_spawn(struct exit_record *record);

/* Give an order and wait until it is done. Any error of the call itself: NOPROC if it died. */
enum rusm_err puppet_order(rusm_pid pid, enum puppet_op op, rusm_pid about);

/* The puppet ends with this reason; returns when it has ended. */
void puppet_exit(rusm_pid pid, enum rusm_exit_kind kind, const void *payload, uint32_t bytes);

struct puppet_heard puppet_heard(rusm_pid pid);

/* The puppet is alive and has handled all that was sent to it before. */
bool puppet_lives(rusm_pid pid);

/* From a process: wait until `pid` has ended. All the news of that is then on its way no more: it
 * is in the mailboxes. */
void await_end(rusm_pid pid);

/* From a process: wait until the end of a process was recorded. */
void await_record(const struct exit_record *record);

/* The next message is of `kind` and about `pid` with that reason. Returns it. */
const struct rusm_down *expect_news(enum rusm_msg_kind kind, rusm_pid pid, enum rusm_exit_kind why);

/* No message waits. */
void expect_silence(void);

#endif
