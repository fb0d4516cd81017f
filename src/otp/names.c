/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The registry: name -> pid, a hash table with chaining in shards, each under its own lock, so that
 * schedulers registering different names seldom meet.
 *
 * An entry counts only while its process lives: its pid says so, whatever races with its death.
 * What a process registered for itself is also removed when it ends; an entry made by another
 * process is removed when somebody claims the name or the shard grows.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/quota.h"
#include "otp/log_internal.h"
#include "otp/mailbox_internal.h"
#include "otp/otp.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include <string.h>

#define SHARDS        64u
#define FIRST_BUCKETS 16u

struct name {
    struct name *next;
    rusm_pid pid;
    uint64_t hash;
    char text[RUSM_NAME_BYTES_MAX + 1];
};

struct shard {
    alignas(64) pthread_mutex_t lock; /* guards all below */
    struct name **buckets;
    uint32_t bucket_count; /* a power of two */
    struct quota_share share;
};

struct names {
    struct shard shards[SHARDS];
    struct rusm_runtime *rt;
    struct quota quota;
};

enum rusm_err names_create(struct rusm_runtime *rt, struct names **out) {
    struct names *names = rusm_zalloc_aligned(64, sizeof *names);
    if (!names) {
        return RUSM_ERR_NOMEM;
    }
    names->rt = rt;
    quota_init(&names->quota, rt->config.names_max, SHARDS);
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&names->shards[i].lock, NULL);
    }
    *out = names;
    return RUSM_OK;
}

void names_destroy(struct names *names) {
    if (!names) {
        return;
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &names->shards[i];
        for (uint32_t b = 0; b < shard->bucket_count; b++) {
            while (shard->buckets[b]) {
                struct name *next = shard->buckets[b]->next;
                rusm_free(shard->buckets[b]);
                shard->buckets[b] = next;
            }
        }
        rusm_free((void *)shard->buckets);
        pthread_mutex_destroy(&shard->lock);
    }
    rusm_free(names);
}

uint64_t names_count(struct names *names) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < SHARDS; i++) {
        count += quota_count(&names->shards[i].share);
    }
    return count;
}

/* FNV-1a; the names are the application's own, chosen by nobody hostile to it. */
static uint64_t hash_of(const char *name, size_t len) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 29;
}

static struct shard *shard_of(struct names *names, uint64_t hash) {
    return &names->shards[hash % SHARDS];
}

/* The link that points to the entry of `name`, or to NULL where it would be added. */
static struct name **find(struct shard *shard, uint64_t hash, const char *name) {
    struct name **at = &shard->buckets[hash / SHARDS & (shard->bucket_count - 1)];
    while (*at && ((*at)->hash != hash || strcmp((*at)->text, name) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

static void remove_entry(struct names *names, struct shard *shard, struct name **at) {
    struct name *entry = *at;
    *at = entry->next;
    quota_count_down(&names->quota, &shard->share);
    rusm_free(entry);
}

/* Remove the entries of processes that have ended. */
static void sweep(struct names *names, struct shard *shard) {
    RUSM_ASSERT(shard->buckets || shard->bucket_count == 0);
    for (uint32_t b = 0; b < shard->bucket_count; b++) {
        struct name **at = &shard->buckets[b];
        while (*at) {
            if (process_is_alive(names->rt, (*at)->pid)) {
                at = &(*at)->next;
            } else {
                remove_entry(names, shard, at);
            }
        }
    }
}

/* Room for one more entry; false when out of memory. */
static bool grow(struct names *names, struct shard *shard) {
    if (quota_count(&shard->share) < shard->bucket_count) {
        return true;
    }
    sweep(names, shard);
    if (quota_count(&shard->share) < shard->bucket_count / 2) {
        return true;
    }
    uint32_t count = shard->bucket_count ? 2 * shard->bucket_count : FIRST_BUCKETS;
    struct name **buckets = rusm_zalloc(count * sizeof(struct name *));
    if (!buckets) {
        return shard->bucket_count > 0;
    }
    for (uint32_t b = 0; b < shard->bucket_count; b++) {
        struct name *entry = shard->buckets[b];
        while (entry) {
            struct name *next = entry->next;
            struct name **to = &buckets[entry->hash / SHARDS & (count - 1)];
            entry->next = *to;
            *to = entry;
            entry = next;
        }
    }
    rusm_free((void *)shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
    return true;
}

static bool length_valid(const char *name, size_t *len) {
    *len = strnlen(name, RUSM_NAME_BYTES_MAX + 1);
    return *len > 0 && *len <= RUSM_NAME_BYTES_MAX;
}

/* Under the shard's lock; the name is not there. */
static enum rusm_err add(struct names *names, struct shard *shard, uint64_t hash, const char *name,
                         rusm_pid pid) {
    struct name *entry = rusm_zalloc(sizeof *entry);
    if (!entry || !grow(names, shard)) {
        rusm_free(entry);
        return RUSM_ERR_NOMEM;
    }
    if (!quota_count_up(&names->quota, &shard->share)) {
        rusm_free(entry);
        return RUSM_ERR_NAME_LIMIT;
    }
    entry->hash = hash;
    entry->pid = pid;
    memcpy(entry->text, name, strlen(name));
    struct name **at = find(shard, hash, name);
    entry->next = *at;
    *at = entry;
    return RUSM_OK;
}

static enum rusm_err claim(struct names *names, const char *name, rusm_pid pid, uint64_t *out) {
    size_t len;
    if (!length_valid(name, &len)) {
        return RUSM_ERR_INVALID;
    }
    uint64_t hash = hash_of(name, len);
    struct shard *shard = shard_of(names, hash);
    enum rusm_err err;
    SIM_POINT();
    pthread_mutex_lock(&shard->lock);
    struct name *entry = shard->buckets ? *find(shard, hash, name) : NULL;
    if (!entry) {
        err = add(names, shard, hash, name, pid);
    } else if (!process_is_alive(names->rt, entry->pid)) {
        entry->pid = pid;
        err = RUSM_OK;
    } else {
        err = RUSM_ERR_NAME_TAKEN;
    }
    pthread_mutex_unlock(&shard->lock);
    if (err == RUSM_OK) {
        *out = hash;
    }
    return err;
}

static bool remember(struct process_ext *ext, uint64_t hash) {
    if (ext->name_count == ext->name_capacity) {
        uint32_t capacity = ext->name_capacity ? 2 * ext->name_capacity : 2;
        uint64_t *hashes = rusm_realloc(ext->name_hashes, capacity * sizeof *hashes);
        if (!hashes) {
            return false;
        }
        ext->name_hashes = hashes;
        ext->name_capacity = capacity;
    }
    ext->name_hashes[ext->name_count++] = hash;
    return true;
}

/* Remove the entries of `pid` among those with this hash. */
static void release(struct names *names, rusm_pid pid, uint64_t hash) {
    struct shard *shard = shard_of(names, hash);
    SIM_POINT();
    pthread_mutex_lock(&shard->lock);
    struct name **at = &shard->buckets[hash / SHARDS & (shard->bucket_count - 1)];
    while (*at) {
        if ((*at)->hash == hash && (*at)->pid.v == pid.v) {
            remove_entry(names, shard, at);
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&shard->lock);
}

enum rusm_err names_claim_own(struct names *names, const char *name, rusm_pid pid,
                              struct process_ext *ext) {
    uint64_t hash;
    enum rusm_err err = claim(names, name, pid, &hash);
    if (err != RUSM_OK) {
        return err;
    }
    if (!remember(ext, hash)) {
        release(names, pid, hash);
        return RUSM_ERR_NOMEM;
    }
    text_set(&ext->name, name);
    return RUSM_OK;
}

void names_release_own(struct names *names, rusm_pid pid, struct process_ext *ext) {
    for (uint32_t i = 0; i < ext->name_count; i++) {
        release(names, pid, ext->name_hashes[i]);
    }
    ext->name_count = 0;
}

/* The name with this hash that `pid` has; false if it is another one's by now. */
static bool name_of(struct names *names, rusm_pid pid, uint64_t hash, char *out) {
    struct shard *shard = shard_of(names, hash);
    bool found = false;
    pthread_mutex_lock(&shard->lock);
    const struct name *entry = shard->buckets[hash / SHARDS & (shard->bucket_count - 1)];
    for (; entry && !found; entry = entry->next) {
        found = entry->hash == hash && entry->pid.v == pid.v;
        if (found) {
            memcpy(out, entry->text, sizeof entry->text);
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

uint32_t otp_own_names(char (*out)[RUSM_NAME_BYTES_MAX + 1], uint32_t capacity) {
    const struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    const struct process_ext *ext = atomic_load_explicit(&s->current->ext, memory_order_relaxed);
    uint32_t count = 0;
    for (uint32_t i = 0; ext && i < ext->name_count; i++) {
        char name[RUSM_NAME_BYTES_MAX + 1];
        if (name_of(s->rt->names, process_pid(s->current), ext->name_hashes[i], name)) {
            if (count < capacity) {
                memcpy(out[count], name, sizeof name);
            }
            count++;
        }
    }
    return count;
}

static enum rusm_err register_name(struct rusm_runtime *rt, const char *name, rusm_pid pid) {
    struct sched *s = sched_tls;
    if (s && s->rt == rt && s->current && process_pid(s->current).v == pid.v) {
        struct process_ext *ext = process_ext_ensure(s, s->current);
        return ext ? names_claim_own(rt->names, name, pid, ext) : RUSM_ERR_NOMEM;
    }
    if (!process_is_alive(rt, pid)) {
        return RUSM_ERR_NOPROC;
    }
    uint64_t hash;
    return claim(rt->names, name, pid, &hash);
}

enum rusm_err rusm_register(rusm_runtime *runtime, const char *name, rusm_pid pid) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && name);
    enum rusm_err err = register_name(rt, name, pid);
    if (err == RUSM_OK && log_wants(rt, RUSM_LOG_INFO)) {
        log_register(rt, pid, name);
    }
    return err;
}

/* The caller gave up a name of its own. */
static void forget_own(struct process_ext *ext, uint64_t hash, const char *name) {
    for (uint32_t i = 0; i < ext->name_count; i++) {
        if (ext->name_hashes[i] == hash) {
            ext->name_hashes[i] = ext->name_hashes[--ext->name_count];
            break;
        }
    }
    char shown[RUSM_NAME_BYTES_MAX + 1];
    text_get(&ext->name, shown);
    if (strcmp(shown, name) == 0) {
        text_set(&ext->name, "");
    }
}

enum rusm_err rusm_unregister(rusm_runtime *runtime, const char *name) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && name);
    size_t len;
    if (!length_valid(name, &len)) {
        return RUSM_ERR_INVALID;
    }
    uint64_t hash = hash_of(name, len);
    struct shard *shard = shard_of(rt->names, hash);
    enum rusm_err err = RUSM_ERR_NAME_UNKNOWN;
    rusm_pid holder = {0};
    SIM_POINT();
    pthread_mutex_lock(&shard->lock);
    struct name **at = shard->buckets ? find(shard, hash, name) : NULL;
    if (at && *at) {
        RUSM_DASSERT(shard->buckets);
        holder = (*at)->pid;
        err = process_is_alive(rt, holder) ? RUSM_OK : RUSM_ERR_NAME_UNKNOWN;
        remove_entry(rt->names, shard, at);
    }
    pthread_mutex_unlock(&shard->lock);
    struct sched *s = sched_tls;
    if (holder.v != 0 && s && s->rt == rt && holder.v == rusm_self().v) {
        struct process_ext *ext = atomic_load_explicit(&s->current->ext, memory_order_relaxed);
        if (ext) {
            forget_own(ext, hash, name);
        }
    }
    return err;
}

rusm_pid rusm_whereis(rusm_runtime *runtime, const char *name) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && name);
    size_t len;
    rusm_pid pid = {0};
    if (!length_valid(name, &len)) {
        return pid;
    }
    uint64_t hash = hash_of(name, len);
    struct shard *shard = shard_of(rt->names, hash);
    SIM_POINT();
    pthread_mutex_lock(&shard->lock);
    struct name *entry = shard->buckets ? *find(shard, hash, name) : NULL;
    if (entry && process_is_alive(rt, entry->pid)) {
        pid = entry->pid;
    }
    pthread_mutex_unlock(&shard->lock);
    return pid;
}

/* `fn` or `server` is what to spawn; the other one is NULL. */
static enum rusm_err whereis_or_spawn(rusm_runtime *runtime, const char *name, rusm_fiber_fn fn,
                                      const struct rusm_server *server, void *arg,
                                      const struct rusm_spawn_opts *opts, rusm_pid *out,
                                      bool *spawned) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && name);
    if (opts && opts->name) {
        return RUSM_ERR_INVALID;
    }
    struct rusm_spawn_opts named = opts ? *opts : (struct rusm_spawn_opts){.name = NULL};
    named.name = name;
    rusm_pid pid;
    bool found;
    enum rusm_err err;
    do {
        pid = rusm_whereis(rt, name);
        found = pid.v != 0;
        err = found ? RUSM_OK
              : fn  ? rusm_spawn(rt, fn, arg, &named, &pid)
                    : rusm_spawn_server(rt, server, arg, &named, &pid);
    } while (err == RUSM_ERR_NAME_TAKEN); /* by another caller meanwhile */
    if (err == RUSM_OK && spawned) {
        *spawned = !found;
    }
    if (err == RUSM_OK && out) {
        *out = pid;
    }
    return err;
}

enum rusm_err rusm_whereis_or_spawn(rusm_runtime *runtime, const char *name, rusm_fiber_fn fn,
                                    void *arg, const struct rusm_spawn_opts *opts, rusm_pid *out,
                                    bool *spawned) {
    RUSM_ASSERT(fn);
    return whereis_or_spawn(runtime, name, fn, NULL, arg, opts, out, spawned);
}

enum rusm_err rusm_whereis_or_spawn_server(rusm_runtime *runtime, const char *name,
                                           const struct rusm_server *server, void *arg,
                                           const struct rusm_spawn_opts *opts, rusm_pid *out,
                                           bool *spawned) {
    RUSM_ASSERT(server);
    return whereis_or_spawn(runtime, name, NULL, server, arg, opts, out, spawned);
}
