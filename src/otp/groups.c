/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Groups: name -> members, a hash table with chaining in shards, each under its own lock, which
 * also guards the membership of its groups. docs/design/groups.md.
 */
#include "otp/groups_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/quota.h"
#include "otp/mailbox_internal.h"
#include "otp/relations_internal.h"
#include "otp/sim_internal.h"
#include <string.h>

#define SHARDS        64u
#define FIRST_BUCKETS 16u
#define FIRST_MEMBERS 16u

struct shard {
    alignas(64) pthread_mutex_t lock; /* guards all below */
    struct rusm_group **buckets;
    uint32_t bucket_count; /* a power of two */
    struct quota_share share;
};

struct groups {
    struct shard shards[SHARDS];
    struct rusm_runtime *rt;
    struct quota quota;
};

/* What a process is in a group by its own doing: the value in process_ext.groups. */
enum own_role { OWN_MEMBER = 1, OWN_WATCHER = 2 };

/* ---- life ---- */

enum rusm_err groups_create(struct rusm_runtime *rt, struct groups **out) {
    struct groups *groups = rusm_zalloc_aligned(64, sizeof *groups);
    if (!groups) {
        return RUSM_ERR_NOMEM;
    }
    groups->rt = rt;
    quota_init(&groups->quota, rt->config.groups_max, SHARDS);
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&groups->shards[i].lock, NULL);
    }
    *out = groups;
    return RUSM_OK;
}

static void free_retired(struct rusm_group *group) {
    struct members *members = atomic_exchange_explicit(&group->retired, NULL, memory_order_relaxed);
    while (members) {
        struct members *next = members->next_retired;
        rusm_free(members);
        members = next;
    }
}

static void free_group(struct rusm_group *group) {
    free_retired(group);
    rusm_free(atomic_load_explicit(&group->members, memory_order_relaxed));
    map64_deinit(&group->places);
    rusm_free(group->watchers);
    rusm_free(group);
}

void groups_destroy(struct groups *groups) {
    if (!groups) {
        return;
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &groups->shards[i];
        for (uint32_t b = 0; b < shard->bucket_count; b++) {
            while (shard->buckets[b]) {
                struct rusm_group *next = shard->buckets[b]->next;
                free_group(shard->buckets[b]);
                shard->buckets[b] = next;
            }
        }
        rusm_free((void *)shard->buckets);
        pthread_mutex_destroy(&shard->lock);
    }
    rusm_free(groups);
}

uint64_t groups_count(struct groups *groups) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < SHARDS; i++) {
        count += quota_count(&groups->shards[i].share);
    }
    return count;
}

/* Events are sent under the lock, so in a simulation another scheduler may meet it held. */
static void lock_shard(struct shard *shard) {
    SIM_POINT();
#ifdef RUSM_SIM
    while (pthread_mutex_trylock(&shard->lock) != 0) {
        SIM_SPIN();
    }
#else
    pthread_mutex_lock(&shard->lock);
#endif
}

static void unlock_shard(struct shard *shard) {
    pthread_mutex_unlock(&shard->lock);
}

/* ---- the table; all under the shard's lock ---- */

/* FNV-1a, as names.c. */
static uint64_t hash_of(const char *name, size_t len) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 29;
}

static bool length_valid(const char *name, size_t *len) {
    *len = strnlen(name, RUSM_NAME_BYTES_MAX + 1);
    return *len > 0 && *len <= RUSM_NAME_BYTES_MAX;
}

static struct rusm_group **find(struct shard *shard, uint64_t hash, const char *name) {
    struct rusm_group **at = &shard->buckets[hash / SHARDS & (shard->bucket_count - 1)];
    while (*at && ((*at)->hash != hash || strcmp((*at)->name, name) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

/* Room for one more group; false when out of memory. */
static bool grow(struct shard *shard) {
    if (quota_count(&shard->share) < shard->bucket_count) {
        return true;
    }
    uint32_t count = shard->bucket_count ? 2 * shard->bucket_count : FIRST_BUCKETS;
    struct rusm_group **buckets = rusm_zalloc(count * sizeof(struct rusm_group *));
    if (!buckets) {
        return shard->bucket_count > 0;
    }
    RUSM_ASSERT(shard->buckets || shard->bucket_count == 0);
    for (uint32_t b = 0; b < shard->bucket_count; b++) {
        struct rusm_group *group = shard->buckets[b];
        while (group) {
            struct rusm_group *next = group->next;
            struct rusm_group **to = &buckets[group->hash / SHARDS & (count - 1)];
            group->next = *to;
            *to = group;
            group = next;
        }
    }
    rusm_free((void *)shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
    return true;
}

/* A new group in the table, without a reference. */
static enum rusm_err add(struct groups *groups, struct shard *shard, uint64_t hash,
                         const char *name, struct rusm_group **out) {
    struct rusm_group *group = rusm_zalloc_aligned(64, sizeof *group);
    if (!group || !grow(shard)) {
        rusm_free(group);
        return RUSM_ERR_NOMEM;
    }
    if (!quota_count_up(&groups->quota, &shard->share)) {
        rusm_free(group);
        return RUSM_ERR_GROUP_LIMIT;
    }
    group->rt = groups->rt;
    group->groups = groups;
    group->shard = shard;
    group->hash = hash;
    memcpy(group->name, name, strlen(name));
    map64_init(&group->places);
    struct rusm_group **at = find(shard, hash, name);
    group->next = *at;
    *at = group;
    *out = group;
    return RUSM_OK;
}

static void hold(struct rusm_group *group) {
    atomic_fetch_add_explicit(&group->refs, 1, memory_order_relaxed);
}

/* Under the lock. The last reference takes the group off the table. */
static void release_locked(struct rusm_group *group) {
    uint32_t before = atomic_fetch_sub_explicit(&group->refs, 1, memory_order_acq_rel);
    RUSM_ASSERT(before > 0);
    if (before > 1) {
        return;
    }
    RUSM_DASSERT(group->places.count == 0 && group->watcher_count == 0);
    struct rusm_group **at = find(group->shard, group->hash, group->name);
    RUSM_ASSERT(*at == group);
    *at = group->next;
    quota_count_down(&group->groups->quota, &group->shard->share);
    free_group(group);
}

/* The lock is needed for the last reference only: nobody can find the group while that is given up.
 */
void group_release(struct rusm_group *group) {
    uint32_t refs = atomic_load_explicit(&group->refs, memory_order_relaxed);
    while (refs > 1) {
        /* Release: what was done with the group comes before its end (release_locked). */
        if (atomic_compare_exchange_weak_explicit(&group->refs, &refs, refs - 1,
                                                  memory_order_release, memory_order_relaxed)) {
            return;
        }
    }
    struct shard *shard = group->shard;
    lock_shard(shard);
    release_locked(group);
    unlock_shard(shard);
}

/* Under the lock: there is a reference for having members or watchers. */
static void settle(struct rusm_group *group) {
    bool populated = group->places.count > 0 || group->watcher_count > 0;
    if (populated == group->populated) {
        return;
    }
    group->populated = populated;
    if (populated) {
        hold(group);
    } else {
        release_locked(group);
    }
}

/*
 * Lock the shard of `name` and find its group, or with `create` make it. On RUSM_OK the lock is
 * held and `*out` has one reference more, for the caller; it is NULL if there is no such group.
 */
static enum rusm_err enter(struct groups *groups, const char *name, bool create,
                           struct shard **locked, struct rusm_group **out) {
    size_t len;
    if (!length_valid(name, &len)) {
        return RUSM_ERR_INVALID;
    }
    uint64_t hash = hash_of(name, len);
    struct shard *shard = &groups->shards[hash % SHARDS];
    lock_shard(shard);
    struct rusm_group *group = shard->buckets ? *find(shard, hash, name) : NULL;
    if (!group && create) {
        enum rusm_err err = add(groups, shard, hash, name, &group);
        if (err != RUSM_OK) {
            unlock_shard(shard);
            return err;
        }
    }
    if (group) {
        hold(group);
    }
    *locked = shard;
    *out = group;
    return RUSM_OK;
}

/* Give back what enter gave. */
static void leave(struct shard *shard, struct rusm_group *group) {
    if (group) {
        settle(group);
        release_locked(group);
    }
    unlock_shard(shard);
}

enum rusm_err group_open(struct groups *groups, const char *name, bool create,
                         struct rusm_group **out) {
    struct shard *shard;
    enum rusm_err err = enter(groups, name, create, &shard, out);
    if (err == RUSM_OK) {
        unlock_shard(shard);
    }
    return err;
}

/* ---- news; under the lock ---- */

static void remove_watcher(struct rusm_group *group, uint32_t at) {
    group->watcher_count--;
    memmove(&group->watchers[at], &group->watchers[at + 1],
            (group->watcher_count - at) * sizeof(struct watcher));
}

static __attribute__((noinline, cold)) void tell_watchers(struct rusm_group *group, rusm_pid pid,
                                                          enum rusm_group_change change) {
    struct rusm_runtime *rt = group->rt;
    struct sched *s = own_sched(rt);
    struct rusm_group_event event;
    memset(&event, 0, sizeof event);
    event.pid = pid;
    event.change = change;
    memcpy(event.group, group->name, sizeof event.group);
    for (uint32_t i = 0; i < group->watcher_count;) {
        const struct watcher *watcher = &group->watchers[i];
        event.ref = watcher->ref;
        struct signal *sig = signal_create_message(s, &event, sizeof event);
        enum rusm_err err = sig ? signal_deliver(rt, s, watcher->pid, sig) : RUSM_ERR_NOMEM;
        if (err == RUSM_ERR_NOPROC) {
            remove_watcher(group, i);
            continue;
        }
        if (err == RUSM_ERR_NOMEM && s) {
            counter_add(&s->counters.shed, 1);
        }
        i++;
    }
}

static inline void tell(struct rusm_group *group, rusm_pid pid, enum rusm_group_change change) {
    if (__builtin_expect(group->watcher_count > 0, 0)) {
        tell_watchers(group, pid, change);
    }
}

/* ---- members; under the lock but for group_reader_enter and group_reader_leave ---- */

/* The array to read; it stays until group_reader_leave. */
struct members *group_reader_enter(struct rusm_group *group) {
    SIM_POINT();
    /* seq_cst, both: either reclaim sees this reader, or it reads the new array. */
    atomic_fetch_add_explicit(&group->readers, 1, memory_order_seq_cst);
    SIM_POINT();
    return atomic_load_explicit(&group->members, memory_order_seq_cst);
}

/* Free the arrays that were replaced, unless somebody may be reading one. */
static void reclaim(struct rusm_group *group) {
    SIM_POINT();
    if (atomic_load_explicit(&group->readers, memory_order_seq_cst) == 0) {
        free_retired(group);
    }
}

void group_reader_leave(struct rusm_group *group) {
    SIM_POINT();
    /* seq_cst, both: either this sees what replace has put there, or replace sees no reader. */
    uint32_t before = atomic_fetch_sub_explicit(&group->readers, 1, memory_order_seq_cst);
    if (__builtin_expect(before == 1 && atomic_load_explicit(&group->retired, memory_order_seq_cst),
                         0)) {
        lock_shard(group->shard);
        reclaim(group);
        unlock_shard(group->shard);
    }
}

static void replace(struct rusm_group *group, struct members *old, struct members *new) {
    atomic_store_explicit(&group->members, new, memory_order_seq_cst);
    if (old) {
        old->next_retired = atomic_load_explicit(&group->retired, memory_order_relaxed);
        atomic_store_explicit(&group->retired, old, memory_order_seq_cst);
        reclaim(group);
    }
}

/* A new array without holes and without those that have ended, twice as long as needed. */
static enum rusm_err rebuild(struct rusm_group *group) {
    struct rusm_runtime *rt = group->rt;
    struct members *old = atomic_load_explicit(&group->members, memory_order_relaxed);
    uint32_t capacity =
        group->places.count < FIRST_MEMBERS / 2 ? FIRST_MEMBERS : 2 * group->places.count;
    struct members *new = rusm_alloc(sizeof *new + (size_t)capacity * sizeof new->pids[0]);
    if (!new) {
        return RUSM_ERR_NOMEM;
    }
    new->next_retired = NULL;
    new->capacity = capacity;
    uint32_t used = old ? atomic_load_explicit(&old->used, memory_order_relaxed) : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < used; i++) {
        rusm_pid pid = {atomic_load_explicit(&old->pids[i], memory_order_relaxed)};
        if (pid.v == 0) {
            continue;
        }
        struct map64_entry *place = map64_find(&group->places, pid.v);
        RUSM_ASSERT(place && place->value == i);
        if (process_is_alive(rt, pid)) {
            place->value = count;
            atomic_init(&new->pids[count++], pid.v);
        } else {
            map64_remove(&group->places, place);
            tell(group, pid, RUSM_GROUP_LEAVE);
        }
    }
    atomic_init(&new->used, count);
    RUSM_ASSERT(count == group->places.count);
    replace(group, old, new);
    return RUSM_OK;
}

static bool is_full(const struct members *members) {
    return !members ||
           atomic_load_explicit(&members->used, memory_order_relaxed) == members->capacity;
}

static enum rusm_err add_member(struct rusm_group *group, rusm_pid pid) {
    struct rusm_runtime *rt = group->rt;
    uint32_t limit = rt->config.group_members_max;
    if (!process_is_alive(rt, pid)) {
        return RUSM_ERR_NOPROC;
    }
    if (map64_find(&group->places, pid.v)) {
        return RUSM_OK;
    }
    struct members *members = atomic_load_explicit(&group->members, memory_order_relaxed);
    if (is_full(members) || group->places.count >= limit) {
        enum rusm_err err = rebuild(group);
        if (err != RUSM_OK) {
            return err;
        }
        members = atomic_load_explicit(&group->members, memory_order_relaxed);
    }
    if (group->places.count >= limit) {
        return RUSM_ERR_GROUP_LIMIT;
    }
    uint32_t at = atomic_load_explicit(&members->used, memory_order_relaxed);
    enum rusm_err err = map64_add(&group->places, pid.v, at);
    if (err != RUSM_OK) {
        return err;
    }
    atomic_store_explicit(&members->pids[at], pid.v, memory_order_relaxed);
    /* Release: who sees the length sees the pid (fan_out). */
    atomic_store_explicit(&members->used, at + 1, memory_order_release);
    tell(group, pid, RUSM_GROUP_JOIN);
    return RUSM_OK;
}

/* False if it is no member. */
static bool remove_member(struct rusm_group *group, rusm_pid pid) {
    struct map64_entry *place = map64_find(&group->places, pid.v);
    if (!place) {
        return false;
    }
    struct members *members = atomic_load_explicit(&group->members, memory_order_relaxed);
    RUSM_ASSERT(atomic_load_explicit(&members->pids[place->value], memory_order_relaxed) == pid.v);
    atomic_store_explicit(&members->pids[place->value], 0, memory_order_relaxed);
    map64_remove(&group->places, place);
    tell(group, pid, RUSM_GROUP_LEAVE);
    uint32_t used = atomic_load_explicit(&members->used, memory_order_relaxed);
    if (used > 4 * FIRST_MEMBERS && group->places.count < used / 4) {
        (void)rebuild(group); /* without memory the holes stay */
    }
    return true;
}

void group_remove_dead(struct rusm_group *group, const rusm_pid *dead, uint32_t count) {
    lock_shard(group->shard);
    for (uint32_t i = 0; i < count; i++) {
        (void)remove_member(group, dead[i]);
    }
    settle(group); /* the caller has a reference */
    unlock_shard(group->shard);
}

/* ---- what a process remembers of itself ---- */

/* Note that the process has a part in the group; under the lock. */
static enum rusm_err remember(struct process_ext *ext, struct rusm_group *group,
                              enum own_role role) {
    if (!ext->groups) {
        ext->groups = rusm_alloc(sizeof *ext->groups);
        if (!ext->groups) {
            return RUSM_ERR_NOMEM;
        }
        map64_init(ext->groups);
    }
    struct map64_entry *own = map64_find(ext->groups, (uintptr_t)group);
    if (own) {
        own->value |= role;
        return RUSM_OK;
    }
    enum rusm_err err = map64_add(ext->groups, (uintptr_t)group, role);
    if (err == RUSM_OK) {
        hold(group);
    }
    return err;
}

/* Under the lock. */
static void forget(struct process_ext *ext, struct rusm_group *group, enum own_role role) {
    struct map64_entry *own = ext && ext->groups ? map64_find(ext->groups, (uintptr_t)group) : NULL;
    if (!own) {
        return;
    }
    own->value &= ~(uint64_t)role;
    if (own->value == 0) {
        map64_remove(ext->groups, own);
        release_locked(group);
    }
}

/* Under the lock. */
static void forget_watches(struct rusm_group *group, rusm_pid pid) {
    for (uint32_t i = 0; i < group->watcher_count;) {
        if (group->watchers[i].pid.v == pid.v) {
            remove_watcher(group, i);
        } else {
            i++;
        }
    }
}

void groups_release_own(rusm_pid pid, struct process_ext *ext) {
    struct map64 *own = ext->groups;
    for (uint32_t i = 0; i < own->capacity; i++) {
        if (own->entries[i].key == 0) {
            continue;
        }
        struct rusm_group *group = (struct rusm_group *)(uintptr_t)own->entries[i].key;
        struct shard *shard = group->shard;
        lock_shard(shard);
        forget_watches(group, pid);
        (void)remove_member(group, pid);
        settle(group);
        release_locked(group);
        unlock_shard(shard);
    }
    map64_deinit(own);
    rusm_free(own);
    ext->groups = NULL;
}

/* ---- join and leave ---- */

/* The extension of the calling process if `pid` is it, else NULL; false when out of memory. */
static bool own_ext(struct sched *s, rusm_pid pid, struct process_ext **out) {
    *out = NULL;
    if (process_pid(s->current).v == pid.v) {
        *out = process_ext_ensure(s, s->current);
        return *out != NULL;
    }
    return true;
}

enum rusm_err rusm_group_join(const char *group, rusm_pid pid) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group);
    struct process_ext *ext;
    if (!own_ext(s, pid, &ext)) {
        return RUSM_ERR_NOMEM;
    }
    struct shard *shard;
    struct rusm_group *g;
    enum rusm_err err = enter(s->rt->groups, group, true, &shard, &g);
    if (err != RUSM_OK) {
        return err;
    }
    /* Remembered first: what has been joined can then be left. */
    err = ext ? remember(ext, g, OWN_MEMBER) : RUSM_OK;
    if (err == RUSM_OK) {
        err = add_member(g, pid);
        if (err != RUSM_OK) {
            forget(ext, g, OWN_MEMBER);
        }
    }
    leave(shard, g);
    return err;
}

enum rusm_err rusm_group_leave(const char *group, rusm_pid pid) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group);
    struct process_ext *ext;
    if (!own_ext(s, pid, &ext)) {
        return RUSM_ERR_NOMEM;
    }
    struct shard *shard;
    struct rusm_group *g;
    enum rusm_err err = enter(s->rt->groups, group, false, &shard, &g);
    if (err != RUSM_OK) {
        return err;
    }
    bool was_member = g && remove_member(g, pid);
    if (g) {
        forget(ext, g, OWN_MEMBER);
    }
    leave(shard, g);
    return was_member ? RUSM_OK : RUSM_ERR_NOT_MEMBER;
}

enum rusm_err rusm_group_members(rusm_runtime *runtime, const char *group, rusm_pid *out,
                                 size_t capacity, size_t *count) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && group && count && (out || capacity == 0));
    struct rusm_group *g;
    enum rusm_err err = group_open(rt->groups, group, false, &g);
    if (err != RUSM_OK) {
        return err;
    }
    size_t found = 0;
    if (g) {
        const struct members *members = group_reader_enter(g);
        uint32_t used = members ? atomic_load_explicit(&members->used, memory_order_acquire) : 0;
        for (uint32_t i = 0; i < used; i++) {
            rusm_pid pid = {atomic_load_explicit(&members->pids[i], memory_order_relaxed)};
            if (pid.v != 0 && process_is_alive(rt, pid)) {
                if (found < capacity) {
                    out[found] = pid;
                }
                found++;
            }
        }
        group_reader_leave(g);
        group_release(g);
    }
    *count = found;
    return RUSM_OK;
}

/* ---- watching ---- */

static enum rusm_err add_watcher(struct rusm_group *group, rusm_pid pid, rusm_ref ref) {
    if (group->watcher_count == RUSM_GROUP_WATCHERS_MAX) {
        return RUSM_ERR_GROUP_LIMIT;
    }
    if (group->watcher_count == group->watcher_capacity) {
        uint32_t capacity = group->watcher_capacity ? 2 * group->watcher_capacity : 4;
        struct watcher *watchers = rusm_realloc(group->watchers, capacity * sizeof(struct watcher));
        if (!watchers) {
            return RUSM_ERR_NOMEM;
        }
        group->watchers = watchers;
        group->watcher_capacity = capacity;
    }
    group->watchers[group->watcher_count++] = (struct watcher){pid, ref};
    return RUSM_OK;
}

enum rusm_err rusm_group_watch(const char *group, rusm_ref *out) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group && out);
    struct process_ext *ext = process_ext_ensure(s, s->current);
    if (!ext) {
        return RUSM_ERR_NOMEM;
    }
    struct shard *shard;
    struct rusm_group *g;
    enum rusm_err err = enter(s->rt->groups, group, true, &shard, &g);
    if (err != RUSM_OK) {
        return err;
    }
    rusm_ref ref = {links_new_ref(s)};
    err = remember(ext, g, OWN_WATCHER);
    if (err == RUSM_OK) {
        err = add_watcher(g, process_pid(s->current), ref);
        /* On failure it stays remembered, which costs a look at the group when the process ends. */
    }
    leave(shard, g);
    if (err == RUSM_OK) {
        *out = ref;
    }
    return err;
}

bool rusm_group_unwatch(const char *group, rusm_ref ref) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group);
    rusm_pid self = process_pid(s->current);
    struct shard *shard;
    struct rusm_group *g;
    if (enter(s->rt->groups, group, false, &shard, &g) != RUSM_OK) {
        return false;
    }
    bool found = false;
    bool another = false;
    for (uint32_t i = 0; g && i < g->watcher_count;) {
        const struct watcher *watcher = &g->watchers[i];
        if (watcher->pid.v == self.v && watcher->ref.v == ref.v) {
            remove_watcher(g, i);
            found = true;
            continue;
        }
        another |= watcher->pid.v == self.v;
        i++;
    }
    if (found && !another) {
        forget(atomic_load_explicit(&s->current->ext, memory_order_relaxed), g, OWN_WATCHER);
    }
    leave(shard, g);
    return found;
}

const struct rusm_group_event *rusm_msg_group_event(const struct rusm_msg *msg, rusm_ref ref) {
    if (msg->kind != RUSM_MSG_BYTES || msg->len != sizeof(struct rusm_group_event)) {
        return NULL;
    }
    const struct rusm_group_event *event = msg->data;
    return event->ref.v == ref.v ? event : NULL;
}
