/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Errors of the embedding API. One table makes the enum, the names and the texts, so they cannot
 * drift apart. RUSM_OK is 0. An out-parameter is written only when RUSM_OK is returned.
 */
#ifndef RUSM_ERR_H
#define RUSM_ERR_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define RUSM_ERR_MAP(X)                                                                            \
    X(OK, "no error")                                                                              \
    X(ERR_INVALID, "an argument is out of its range")                                              \
    X(ERR_NOMEM, "out of memory")                                                                  \
    X(ERR_NOPROC, "no such process")                                                               \
    X(ERR_PROCESS_LIMIT, "the process table is full (processes_max)")                              \
    X(ERR_MAILBOX_FULL, "the receiver's mailbox is at its bound")                                  \
    X(ERR_MESSAGE_TOO_LARGE, "the message is longer than message_bytes_max")                       \
    X(ERR_NAME_TAKEN, "the name is registered by another process")                                 \
    X(ERR_NAME_UNKNOWN, "the name is not registered")                                              \
    X(ERR_NAME_LIMIT, "the registry is full (names_max)")                                          \
    X(ERR_GROUP_LIMIT, "no room for a group, member or watcher (groups_max, group_members_max)")   \
    X(ERR_NOT_MEMBER, "the process is not in the group")                                           \
    X(ERR_TIMER_LIMIT, "the scheduler's timer table is full (timers_max)")                         \
    X(ERR_NO_TIMER, "the timer has fired or was cancelled")                                        \
    X(ERR_STREAM_END, "the stream has ended: no writer is left")                                   \
    X(ERR_STREAM_CLOSED, "the stream's reader is closed")                                          \
    X(ERR_TIMEOUT, "the time allowed has passed")                                                  \
    X(ERR_QUEUE_FULL, "the queue of blocking jobs is full (blocking_jobs_max)")                    \
    X(ERR_STOPPING, "the runtime is stopping")                                                     \
    X(ERR_START_FAILED, "the process ended, or refused, while it was starting")                    \
    X(ERR_RESTARTS, "more restarts than the supervisor allows")                                    \
    X(ERR_SYSTEM, "the operating system refused; errno says why")                                  \
    X(ERR_UNSUPPORTED, "not available in this build or on this platform")

enum rusm_err {
#define RUSM_ERR_ENUM(name, text) RUSM_##name,
    RUSM_ERR_MAP(RUSM_ERR_ENUM)
#undef RUSM_ERR_ENUM
        RUSM_ERR_COUNT
};

/* The symbol of `err`, for example "ERR_NOPROC"; "ERR_?" if it is none. Static, any thread. */
const char *rusm_err_name(enum rusm_err err);

/* One sentence without a full stop saying what `err` means. Static, any thread. */
const char *rusm_err_text(enum rusm_err err);

#define RUSM_ERRINFO_BYTES 512u

/* What an error code alone does not say: what, where and what to do, in one line, cut at the end.
 * The caller's memory; written only with an error. */
struct rusm_errinfo {
    char text[RUSM_ERRINFO_BYTES];
};

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
