/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The lifecycle log: one record an event, for a callback (rusm_config.log_event), or as a line of
 * text or JSON for another one (rusm_config.log) or standard error.
 *
 * A crash is an end with reason ERROR or LIMIT that the process brought about itself; one that ends
 * of another's exit signal has not crashed, as in OTP. Its report is made before the process
 * releases anything. Source: Erlang/OTP, proc_lib and SASL error logging.
 *
 * Bound: rusm_config.log_events_max events a second; the rest are counted, and the count is an
 * event of its own. An event for which there is no memory (14 KiB) counts among them.
 */
#ifndef RUSM_LOG_H
#define RUSM_LOG_H

#include <rusm/introspect.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum rusm_event_kind {
    RUSM_EVENT_SPAWN,    /* debug: spawned, without a name */
    RUSM_EVENT_EXIT,     /* debug: the end of such a process */
    RUSM_EVENT_START,    /* info: spawned, as a supervisor or with a name */
    RUSM_EVENT_STOP,     /* info: the end of a supervisor or of a process with a name of its own */
    RUSM_EVENT_REGISTER, /* info: has got a name after the spawn */
    RUSM_EVENT_CRASH,    /* error: by ERROR; warn: by LIMIT. Instead of EXIT or STOP */
    RUSM_EVENT_RESTART,  /* warn: a supervisor restarts a child */
    RUSM_EVENT_GIVE_UP,  /* error: a supervisor ends, too many restarts */
    RUSM_EVENT_LONG_RUN, /* warn: has held its scheduler for long */
    RUSM_EVENT_DROPPED,  /* warn: events that were not reported */
};

#define RUSM_EVENT_MESSAGES_MAX  8u
#define RUSM_EVENT_ANCESTORS_MAX 8u
#define RUSM_EVENT_PAYLOAD_MAX   256u /* bytes of a reason's payload that a line shows */

struct rusm_event_process {
    rusm_pid pid;                         /* {0}: none */
    char name[RUSM_NAME_BYTES_MAX + 1];   /* registered last, or "" */
    char label[RUSM_LABEL_BYTES_MAX + 1]; /* or "" */
};

/* What is not of an event's kind is zero. */
struct rusm_event {
    enum rusm_event_kind kind;
    enum rusm_log_level level;
    uint64_t unix_ms;
    struct rusm_event_process process; /* whom it is about; RESTART and GIVE_UP: the supervisor */

    /* SPAWN to CRASH */
    enum rusm_process_kind process_kind;
    bool is_supervisor;
    const void *entry; /* as in struct rusm_process_info */
    /* The parent, its parent and so on, as far as they live: the last one may have ended (then
     * without its name), and who was above it is not known. SPAWN, START: the parent alone. */
    uint32_t ancestor_count;
    struct rusm_event_process ancestors[RUSM_EVENT_ANCESTORS_MAX];

    /* EXIT, STOP, CRASH: its own; RESTART, GIVE_UP: the child's, without payload. Else NULL. */
    const struct rusm_exit_reason *reason; /* borrowed for the call */

    /* CRASH */
    bool has_received; /* the message received last had `received_bytes` and was not given back */
    uint32_t received_bytes;
    uint64_t mailbox_depth; /* messages and signals that wait, those put aside included */
    uint32_t message_count; /* of the oldest messages that wait and are not put aside: */
    uint32_t message_bytes[RUSM_EVENT_MESSAGES_MAX];

    /* RESTART, GIVE_UP */
    char child_id[RUSM_NAME_BYTES_MAX + 1]; /* "" for a dynamic one */
    rusm_pid child;                         /* that has ended; {0}: it did not come up */
    uint32_t restarts;                      /* of this child, this one included */

    /* LONG_RUN */
    uint32_t scheduler;
    uint32_t over_ms;

    /* DROPPED */
    uint64_t dropped;
};

/* Whatever an event holds, its line fits into this, with a NUL. */
#define RUSM_EVENT_LINE_MAX 12288u

/*
 * The event as one line without a newline: printable ASCII and UTF-8, whatever bytes it holds.
 * TEXT escapes others as \xNN; JSON is one object, with U+FFFD for what is not UTF-8, pids as
 * strings of decimal digits, and without the members that do not apply. `entry` is a symbol where
 * the program exports it (-rdynamic), else file+offset for addr2line.
 *
 * out  RUSM_EVENT_LINE_MAX bytes, written with a NUL
 * Returns the length. Any thread.
 */
size_t rusm_event_format(const struct rusm_event *event, enum rusm_log_format format, char *out);

/* "off", "error", "warn", "info", "debug". Static, any thread. */
const char *rusm_log_level_name(enum rusm_log_level level);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
