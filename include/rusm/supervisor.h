/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Supervisors: processes that start others, and start them again when they end.
 *
 * A supervisor is linked to its children and traps exits. It starts children in order, ends them in
 * reverse order, and gives up when restarts come too fast: it then ends its children and itself
 * with reason SHUTDOWN, for its own supervisor to deal with. Source: OTP, supervisor.
 */
#ifndef RUSM_SUPERVISOR_H
#define RUSM_SUPERVISOR_H

#include <rusm/call.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum rusm_strategy {
    RUSM_ONE_FOR_ONE,  /* restart the child that ended */
    RUSM_ONE_FOR_ALL,  /* end all others and start all again */
    RUSM_REST_FOR_ONE, /* the same for those started after it */
    RUSM_DYNAMIC,      /* children alike, made by rusm_supervisor_start_child from the one template
                          in `children`; OTP's simple_one_for_one */
};

enum rusm_restart {
    RUSM_PERMANENT, /* always started again */
    RUSM_TRANSIENT, /* unless it ended with NORMAL or SHUTDOWN */
    RUSM_TEMPORARY, /* never; forgotten when it ends */
};

#define RUSM_RESTARTS_UNLIMITED UINT32_MAX
#define RUSM_SHUTDOWN_KILL      (UINT64_MAX - 1) /* shutdown_ms: kill at once */

struct rusm_supervisor;

/*
 * Starts a process linked to the calling one, the supervisor, and returns without waiting for it.
 * `opts` has the child's name and label. Any error counts as a start that failed. Source: OTP, the
 * start function of a child specification.
 */
typedef enum rusm_err (*rusm_start_fn)(void *arg, const struct rusm_spawn_opts *opts,
                                       rusm_pid *out);

/* What to start: exactly one of `fiber`, `server`, `supervisor`, `start`. Zero-initialise. */
struct rusm_child {
    const char *id; /* 1 to RUSM_NAME_BYTES_MAX bytes, unique; NULL only in a dynamic template */
    rusm_fiber_fn fiber;
    const struct rusm_server *server; /* waited for until its init has returned */
    const struct rusm_supervisor *supervisor;
    rusm_start_fn start;
    void *arg; /* for all but `supervisor`; a dynamic child gets its own instead */
    /* Both or none: called with `arg` for each copy of this that is made, and once that is given
     * up; on any thread. */
    void (*hold)(void *arg);
    void (*release)(void *arg);
    const char *name;  /* registered; NULL = none */
    const char *label; /* NULL = the id */
    enum rusm_restart restart;
    uint64_t shutdown_ms; /* to end after exit signal SHUTDOWN, before it is killed; 0 = 5000;
                             RUSM_FOREVER; RUSM_SHUTDOWN_KILL */
};

/* Copied when the supervisor starts, strings and nested supervisors too; `server` tables are not.
 */
struct rusm_supervisor {
    enum rusm_strategy strategy;
    uint32_t max_restarts;   /* within within_ms; one more and it gives up; 0 = 3 */
    uint64_t within_ms;      /* 0 = 5000 */
    uint64_t backoff_ms;     /* wait before a child's first restart, doubled with each; 0 = none */
    uint64_t backoff_max_ms; /* 0 = 30000 */
    const struct rusm_child *children;
    uint32_t child_count;
    const char *name;
    const char *label;
};

/*
 * Start a supervisor and wait until its children are started. From a process it is linked to the
 * caller; from another thread it is nobody's child, and the thread is blocked meanwhile (in
 * simulation it is not). Errors as rusm_spawn, INVALID (a child without id or body, ids not unique,
 * dynamic without exactly one template), START_FAILED (a child did not start; those before it have
 * been ended again).
 */
enum rusm_err rusm_supervisor_start(rusm_runtime *runtime, const struct rusm_supervisor *spec,
                                    rusm_pid *out);

/* End a supervisor and, in reverse order, its children. Any thread; does not wait. */
void rusm_supervisor_stop(rusm_runtime *runtime, rusm_pid supervisor);

/*
 * Start one more child: of a dynamic supervisor with `arg` for the template (`child` NULL), else as
 * `child` says, at the end of the order. Waits. Errors: INVALID (also: the id is there), NOPROC (no
 * such supervisor), START_FAILED, PROCESS_LIMIT, NOMEM. From a process.
 */
enum rusm_err rusm_supervisor_start_child(rusm_pid supervisor, const struct rusm_child *child,
                                          void *arg, rusm_pid *out);

/* End a child as its shutdown_ms says, and do not start it again. By id, or for dynamic ones by pid
 * (`id` NULL). Waits. Errors: NOPROC (no such supervisor or child). From a process. */
enum rusm_err rusm_supervisor_end_child(rusm_pid supervisor, const char *id, rusm_pid pid);

struct rusm_child_info {
    char id[RUSM_NAME_BYTES_MAX + 1]; /* "" for dynamic children */
    rusm_pid pid;                     /* {0}: not running, or waiting to be started again */
    uint32_t restarts;
    bool is_supervisor;
};

/*
 * The children, in order; `*count` of them, of which up to `capacity`, and no more than one message
 * of message_bytes_max holds, are written to `out`.
 * Errors: NOPROC. From a process.
 */
enum rusm_err rusm_supervisor_children(rusm_pid supervisor, struct rusm_child_info *out,
                                       size_t capacity, size_t *count);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
