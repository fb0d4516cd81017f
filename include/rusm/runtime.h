/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A runtime: scheduler threads, the process table and everything that belongs to them. Nothing is
 * global, so one program can host several runtimes side by side.
 */
#ifndef RUSM_RUNTIME_H
#define RUSM_RUNTIME_H

#include <rusm/err.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct rusm_runtime rusm_runtime;

/* What a send does when the receiver's mailbox holds its bound of messages. */
enum rusm_mailbox_policy {
    RUSM_MAILBOX_SHED, /* refuse the new message: rusm_send returns RUSM_ERR_MAILBOX_FULL */
    RUSM_MAILBOX_HOLD, /* deliver, then suspend the sending process until there is room again; a
                          sender that is not a process cannot wait and is refused as by SHED */
};

/* No mailbox may hold more than this many messages, whatever its bound says. */
#define RUSM_MAILBOX_LEN_LIMIT (8u * 1024 * 1024)

/* How much is logged: events of this level and those before it. <rusm/log.h> lists the events. */
enum rusm_log_level {
    RUSM_LOG_OFF,
    RUSM_LOG_ERROR,
    RUSM_LOG_WARN,
    RUSM_LOG_INFO,
    RUSM_LOG_DEBUG,
};

enum rusm_log_format {
    RUSM_LOG_TEXT, /* one line for people; the time is whoever collects it to add */
    RUSM_LOG_JSON, /* one object a line */
};

/*
 * Called with a finished line (no newline), or with the event itself; both borrowed for the call.
 * Any scheduler thread, or another one; at the same time on several. Mostly on the stack of the
 * process concerned, so it uses little of it; must not block for long nor call into the runtime.
 */
typedef void (*rusm_log_fn)(void *arg, enum rusm_log_level level, const char *text);
struct rusm_event;
typedef void (*rusm_event_fn)(void *arg, const struct rusm_event *event);

/* Limits and sizes. rusm_config_init fills in the defaults given in brackets. */
struct rusm_config {
    uint32_t schedulers; /* scheduler threads; 0 = one per usable core, at most 64 */
    /* Live processes at once [4 Mi], at most 16 Mi - 1. Each scheduler keeps up to 256 free slots
     * to itself, so a spawn elsewhere may be refused that many early. */
    uint32_t processes_max;
    uint32_t stack_bytes;     /* a fiber's stack, a multiple of 4 KiB [64 KiB], 16 KiB..16 MiB */
    uint32_t reductions;      /* what a process may spend in one turn [2000], 64..1000000 */
    uint32_t mailbox_len_max; /* default bound of a mailbox [RUSM_MAILBOX_LEN_LIMIT] */
    enum rusm_mailbox_policy mailbox_policy; /* default policy at the bound [SHED] */
    enum rusm_log_level log_level;           /* [WARN] */
    enum rusm_log_format log_format;         /* of lines [TEXT] */
    uint32_t log_events_max;                 /* a second [500], 1..1000000 */
    uint32_t message_bytes_max;              /* longest payload of one message [64 MiB] */
    /* Registered names at once [1 Mi]. From 4096 on the last thirty-second of them may be refused:
     * parts of the registry keep some room to themselves. */
    uint32_t names_max;
    uint32_t groups_max;           /* groups at once, those only opened or watched too [1 Mi] */
    uint32_t group_members_max;    /* members of a group [16 Mi - 1], at most that */
    uint32_t timers_max;           /* armed timers a scheduler [4 Mi], at most 16 Mi - 1 */
    uint32_t blocking_threads_max; /* threads for rusm_blocking, started on demand [4], 1..1024 */
    uint32_t blocking_jobs_max;    /* jobs waiting for such a thread [1024] */
    rusm_log_fn log;               /* gets the lines; NULL = standard error */
    rusm_event_fn log_event;       /* gets the events instead, and no lines are made; NULL = none */
    void *log_arg;                 /* of either; borrowed until the runtime is destroyed */
};

/* Fill `config` with the defaults. Any thread. */
void rusm_config_init(struct rusm_config *config);

/*
 * Make a runtime and start its schedulers. `config` is borrowed for the call; NULL = the defaults.
 * Errors: INVALID (a field is out of its range), NOMEM, SYSTEM (no thread, no epoll set; errno).
 * Any thread that is not a scheduler's. Costs some 2 ms the first time in a program (the clock is
 * calibrated), then less than one.
 */
enum rusm_err rusm_runtime_create(const struct rusm_config *config, rusm_runtime **out);

/*
 * Kill every process, wait until all have ended (jobs of rusm_blocking that are under way are
 * finished first), stop the threads and free everything. Spawns and sends fail with STOPPING or
 * NOPROC from the moment this starts; the caller makes sure that no other thread outside the
 * runtime still uses `runtime` once it returns. Not from a process: asserted.
 */
void rusm_runtime_destroy(rusm_runtime *runtime);

/* Block the calling thread until no process is alive. Not from a process: asserted. */
void rusm_runtime_wait_idle(rusm_runtime *runtime);

/* "major.minor.patch" of the library. Static, any thread. */
const char *rusm_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
