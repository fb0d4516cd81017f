/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A group as groups.c keeps it and publish.c reads it. Publishers take no lock: they read an array
 * of pids that others append to and make holes in. An array that is full, or mostly holes, is
 * replaced by a new one, and freed when no reader is inside. A pid is a value: one that is stale is
 * refused by the mailbox.
 */
#ifndef OTP_GROUPS_INTERNAL_H
#define OTP_GROUPS_INTERNAL_H

#include "base/map64.h"
#include "otp/runtime_internal.h"
#include <rusm/group.h>

/* Append-only but for holes (0). Freed by reclaim. */
struct members {
    struct members *next_retired; /* under the lock */
    uint32_t capacity;
    _Atomic uint32_t used;
    _Atomic uint64_t pids[];
};

struct watcher {
    rusm_pid pid;
    rusm_ref ref;
};

struct rusm_group {
    /* immutable */
    struct rusm_runtime *rt;
    struct groups *groups;
    struct shard *shard;
    uint64_t hash;
    char name[RUSM_NAME_BYTES_MAX + 1];

    /* under the shard's lock */
    struct rusm_group *next;
    struct map64 places; /* pid -> index in `members` */
    struct watcher *watchers;
    uint32_t watcher_count;
    uint32_t watcher_capacity;
    bool populated; /* has members or watchers, and a reference for that */

    /* any thread; `refs` becomes 0, and `members` and `retired` change, under the lock only */
    alignas(64) _Atomic uint32_t refs;
    _Atomic uint32_t readers;
    _Atomic(struct members *) members;
    _Atomic(struct members *) retired; /* replaced while somebody read */
};

/* The scheduler of the calling thread if it is one of `rt`. */
static inline struct sched *own_sched(const struct rusm_runtime *rt) {
    struct sched *s = sched_tls;
    return s && s->rt == rt ? s : NULL;
}

/* The group of that name with one more reference, made if need be with `create`, else NULL if there
 * is none. Errors: INVALID; with `create` GROUP_LIMIT, NOMEM. */
enum rusm_err group_open(struct groups *groups, const char *name, bool create,
                         struct rusm_group **out);
/* One reference less. The last one takes the group off the table and frees it. */
void group_release(struct rusm_group *group);

/* The array to read, NULL if there never was a member; it stays until group_reader_leave. The
 * caller has a reference of the group. */
struct members *group_reader_enter(struct rusm_group *group);
void group_reader_leave(struct rusm_group *group);

/* Take out members that a reader has found dead. */
void group_remove_dead(struct rusm_group *group, const rusm_pid *dead, uint32_t count);

#endif
