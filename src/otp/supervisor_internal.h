/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Inside supervisors: the copied specification, which supervisors share by reference count since a
 * nested one may outlive its parent for a moment, and the requests that the public calls send.
 */
#ifndef OTP_SUPERVISOR_INTERNAL_H
#define OTP_SUPERVISOR_INTERNAL_H

#include "base/list.h"
#include "base/map64.h"
#include <pthread.h>
#include <rusm/supervisor.h>
#include <stdatomic.h>

struct supervisor_spec;

/* One child as copied; strings are in place, "" = none. */
struct child_spec {
    char id[RUSM_NAME_BYTES_MAX + 1];
    char name[RUSM_NAME_BYTES_MAX + 1];
    char label[RUSM_LABEL_BYTES_MAX + 1];
    rusm_fiber_fn fiber;
    const struct rusm_server *server;
    struct supervisor_spec *supervisor; /* one reference */
    rusm_start_fn start;
    void *arg; /* held by this copy, if there is a `release` */
    void (*hold)(void *arg);
    void (*release)(void *arg);
    enum rusm_restart restart;
    uint64_t shutdown_ms;
};

struct supervisor_spec {
    _Atomic uint32_t refs;
    enum rusm_strategy strategy;
    uint32_t max_restarts;
    uint64_t within_ms;
    uint64_t backoff_ms;
    uint64_t backoff_max_ms;
    char name[RUSM_NAME_BYTES_MAX + 1];
    char label[RUSM_LABEL_BYTES_MAX + 1];
    uint32_t child_count;
    struct child_spec children[];
};

/* A copy with one reference. Errors: INVALID, NOMEM. */
enum rusm_err supervisor_spec_copy(const struct rusm_supervisor *from,
                                   struct supervisor_spec **out);
enum rusm_err child_spec_copy(const struct rusm_child *from, bool is_template,
                              struct child_spec *out);
/* What a copy of bytes needs, to hold all that the original does. */
void child_spec_hold(struct child_spec *spec);
/* Give up what the copy holds besides its own memory. */
void child_spec_deinit(struct child_spec *spec);
struct supervisor_spec *supervisor_spec_hold(struct supervisor_spec *spec);
void supervisor_spec_release(struct supervisor_spec *spec);

/* A thread outside that waits for the start; on its stack. */
struct start_waiter {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
    enum rusm_err err;
};

/* The argument of a supervisor's init, which frees it. */
struct supervisor_start {
    struct supervisor_spec *spec; /* one reference, moved */
    struct start_waiter *waiter;  /* NULL: nobody outside waits */
};

extern const struct rusm_server supervisor_server;

enum supervisor_op {
    SUPERVISOR_START,      /* a dynamic child with `arg` */
    SUPERVISOR_START_SPEC, /* a struct supervisor_start_request */
    SUPERVISOR_END,        /* the child that has `pid` */
    SUPERVISOR_END_ID,     /* a struct supervisor_end_request */
    SUPERVISOR_CHILDREN,   /* `capacity` of them */
    SUPERVISOR_STOP,
    SUPERVISOR_RETRY, /* the child with `serial` */
};

/* STOP and RETRY come as plain messages, which others could send too: a mark tells them apart. */
#define SUPERVISOR_MARK 0x65767573u

struct supervisor_request {
    uint32_t mark;
    uint32_t op; /* enum supervisor_op */
    union {
        void *arg;
        rusm_pid pid;
        uint64_t capacity;
        uint64_t serial;
    };
};
_Static_assert(sizeof(struct supervisor_request) == 16, "as a call it fits a cell");

struct supervisor_start_request {
    struct supervisor_request head;
    struct child_spec spec; /* what it holds is the message's */
};

struct supervisor_end_request {
    struct supervisor_request head;
    char id[RUSM_NAME_BYTES_MAX + 1];
};

/* The answer of START and END; CHILDREN is answered by an array of struct rusm_child_info. */
struct supervisor_answer {
    enum rusm_err err;
    rusm_pid pid;
};

#endif
