/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Looking at a running node. All calls here work from any thread while everything runs, read
 * counters that each scheduler keeps for itself, and stop nobody; figures that belong together may
 * therefore be some microseconds apart.
 */
#ifndef RUSM_INTROSPECT_H
#define RUSM_INTROSPECT_H

#include <rusm/process.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum rusm_process_status {
    RUSM_PROCESS_RUNNING,
    RUSM_PROCESS_RUNNABLE, /* in a run queue */
    RUSM_PROCESS_WAITING,
};

enum rusm_process_kind { RUSM_KIND_FIBER, RUSM_KIND_SERVER, RUSM_KIND_STEP };

/* What a process waits for, or is doing. */
enum rusm_process_wait {
    RUSM_WAIT_NONE,
    RUSM_WAIT_RECEIVE,
    RUSM_WAIT_SLEEP,
    RUSM_WAIT_FD,
    RUSM_WAIT_BLOCKING,
    RUSM_WAIT_HELD,    /* by the full mailbox of a process it sent to */
    RUSM_WAIT_OUTSIDE, /* for something else: a guest for WASI, or for a slot to run in */
};

struct rusm_process_info {
    rusm_pid pid;
    rusm_pid parent; /* the process that spawned it; {0} if none did */
    enum rusm_process_kind kind;
    enum rusm_process_status status;
    enum rusm_process_wait wait;
    bool is_supervisor;
    bool trap_exit;
    uint32_t scheduler; /* where it ran last */
    uint32_t links;
    uint32_t monitors;      /* it watches others */
    uint32_t monitored_by;  /* others watch it */
    uint64_t mailbox_depth; /* messages that wait, those put aside included */
    uint64_t memory_bytes;  /* descriptor, state, and the stack in use, by whole pages */
    uint64_t cpu_ns;        /* see docs/design/scheduler.md for its exactness */
    uint64_t reductions;
    const void *entry; /* the fiber's function or the server's callbacks: a symbol to print */
    char name[RUSM_NAME_BYTES_MAX + 1];   /* the name it registered for itself last, or "" */
    char label[RUSM_LABEL_BYTES_MAX + 1]; /* or "" */
};

/* What one scheduler did since the start; all but the last three only grow. */
struct rusm_scheduler_info {
    uint64_t spawned;
    uint64_t finished;
    uint64_t crashed; /* of those finished: with reason ERROR or LIMIT */
    uint64_t messages;
    uint64_t shed; /* messages refused at a mailbox's bound */
    uint64_t reductions;
    uint64_t switches;
    uint64_t steals; /* processes taken over from other schedulers */
    uint64_t parks;
    uint64_t idle_ns;       /* time parked, up to now if it is parked now */
    uint32_t run_queue_len; /* runnable processes */
    uint32_t timers;        /* armed */
    bool parked;
};

struct rusm_runtime_info {
    uint32_t schedulers;
    uint32_t processes_max;
    uint64_t process_count;
    uint64_t uptime_ns;
    uint64_t memory_bytes; /* of the runtime: slots, message cells, stacks in use */
    uint64_t names;
    uint64_t groups;
    uint64_t spawned_outside;  /* by threads that are no scheduler; not in any scheduler's count */
    uint64_t messages_outside; /* likewise */
    uint32_t blocking_threads;
    uint32_t blocking_jobs; /* queued */
};

/* Errors: none for the first; INVALID if there is no such scheduler. */
void rusm_runtime_info(rusm_runtime *runtime, struct rusm_runtime_info *out);
enum rusm_err rusm_scheduler_info(rusm_runtime *runtime, uint32_t scheduler,
                                  struct rusm_scheduler_info *out);

/* Error: NOPROC. */
enum rusm_err rusm_process_info(rusm_runtime *runtime, rusm_pid pid, struct rusm_process_info *out);

/*
 * Visit processes alive at some moment during the call, in the order of their slots, until `visit`
 * returns false. `visit` may call anything in this header. Cost: one cache line a slot ever used.
 */
typedef bool (*rusm_visit_fn)(void *arg, rusm_pid pid);
void rusm_process_each(rusm_runtime *runtime, rusm_visit_fn visit, void *arg);

/* How many values the enumerations above have. */
#define RUSM_PROCESS_STATUSES 3u
#define RUSM_KINDS            3u
#define RUSM_WAITS            7u

/* What a census groups by: the code that runs, or the label. */
enum rusm_census_by { RUSM_CENSUS_BY_ENTRY, RUSM_CENSUS_BY_LABEL };

/* More distinct entries or labels than this are not told apart. */
#define RUSM_CENSUS_GROUPS_MAX 4096u

struct rusm_census_group {
    uint64_t processes;
    uint64_t mailbox_depth;               /* of all of them together */
    const void *entry;                    /* BY_ENTRY, as in struct rusm_process_info */
    char label[RUSM_LABEL_BYTES_MAX + 1]; /* BY_LABEL; "" = those without one */
};

struct rusm_census {
    uint64_t processes; /* the sum of every array below */
    uint64_t by_kind[RUSM_KINDS];
    uint64_t by_status[RUSM_PROCESS_STATUSES];
    uint64_t by_wait[RUSM_WAITS]; /* NONE: those that do not wait */
    uint64_t supervisors;
    uint64_t mailbox_depth;
    uint64_t in_others;   /* processes of groups that were not written */
    uint32_t group_count; /* written */
};

/*
 * Count all processes, in one pass; each at a moment of its own, those that are born or end
 * meanwhile perhaps not. Groups are written largest first.
 *
 * groups  `capacity` of them; NULL if that is 0
 * Errors: INVALID (`by`), NOMEM (up to 400 KiB for the groups). Any thread. Cost: a cache line or
 * two a slot ever used, some 10 ms a million.
 */
enum rusm_err rusm_census(rusm_runtime *runtime, enum rusm_census_by by, struct rusm_census *out,
                          struct rusm_census_group *groups, uint32_t capacity);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
