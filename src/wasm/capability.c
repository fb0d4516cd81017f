/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A capability, specified or resolved, is one block of memory: the struct and all it points to.
 * Resolving merges specifications along the line of inheritance on the stack, and copies the result
 * by the same function that copied the specifications.
 */
#include "wasm/capability_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/errinfo.h"
#include "wasm/capability_check_internal.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PROFILES 3u
#define ALL_MAX  (PROFILES + RUSM_CAPABILITIES_MAX)

struct capabilities {
    pthread_mutex_t lock;                 /* guards all below */
    struct capability *specs[ALL_MAX];    /* as defined, profiles first; held */
    struct capability *resolved[ALL_MAX]; /* in the same order; held; NULL until asked for */
    uint32_t count;
};

/* ---- one block ---- */

/* Memory to fill from its start; `memory` NULL: only measure. */
struct block {
    char *memory;
    size_t used;
};

static void *reserve(struct block *block, size_t bytes) {
    void *at = block->memory ? block->memory + block->used : NULL;
    block->used += (bytes + 15) & ~(size_t)15;
    return at;
}

static const char *copy_text(struct block *block, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = reserve(block, bytes);
    if (copy) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

static void copy_list(struct block *block, struct rusm_list *list) {
    if (!list->items) {
        return;
    }
    /* An empty list needs an address too, which tells it from one that is not set. */
    const char **items = reserve(block, (list->count + 1) * sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        const char *text = copy_text(block, list->items[i]);
        if (items) {
            items[i] = text;
        }
    }
    list->items = items;
}

static void copy_env(struct block *block, struct capability *to) {
    struct rusm_capability *grant = &to->grant;
    if (!grant->env) {
        return;
    }
    struct rusm_env *env = reserve(block, (grant->env_count + 1) * sizeof *env);
    const char **pairs = reserve(block, 2 * grant->env_count * sizeof *pairs);
    for (size_t i = 0; i < grant->env_count; i++) {
        const char *name = copy_text(block, grant->env[i].name);
        const char *value = copy_text(block, grant->env[i].value);
        if (env) {
            env[i] = (struct rusm_env){name, value};
            pairs[2 * i] = name;
            pairs[2 * i + 1] = value;
        }
    }
    grant->env = env;
    to->env_pairs = pairs;
}

static void copy_preopens(struct block *block, struct capability *to) {
    struct rusm_capability *grant = &to->grant;
    if (!grant->preopens) {
        return;
    }
    struct rusm_preopen *preopens = reserve(block, (grant->preopen_count + 1) * sizeof *preopens);
    struct rwt_preopen *same = reserve(block, grant->preopen_count * sizeof *same);
    for (size_t i = 0; i < grant->preopen_count; i++) {
        const char *host = copy_text(block, grant->preopens[i].host);
        const char *guest = copy_text(block, grant->preopens[i].guest);
        bool read_only = grant->preopens[i].read_only;
        if (preopens) {
            preopens[i] = (struct rusm_preopen){host, guest, read_only};
            same[i] = (struct rwt_preopen){host, guest, read_only};
        }
    }
    grant->preopens = preopens;
    to->rwt_preopens = same;
}

/* What `from` points to into the block, and a struct that points there. */
static struct capability lay_out(struct block *block, const char *name,
                                 const struct rusm_capability *from) {
    struct capability to = {.refs = 1, .grant = *from};
    to.name = copy_text(block, name);
    if (from->inherits) {
        to.grant.inherits = copy_text(block, from->inherits);
    }
    copy_env(block, &to);
    copy_preopens(block, &to);
    copy_list(block, &to.grant.bridges);
    copy_list(block, &to.grant.allow_names);
    copy_list(block, &to.grant.network_hosts);
    copy_list(block, &to.grant.storage_buckets);
    return to;
}

/* NULL: out of memory. */
static struct capability *capability_create(const char *name, const struct rusm_capability *from) {
    struct block block = {0};
    reserve(&block, sizeof(struct capability));
    (void)lay_out(&block, name, from);
    struct capability *capability = rusm_zalloc(block.used);
    if (capability) {
        block = (struct block){.memory = (char *)capability};
        reserve(&block, sizeof *capability);
        *capability = lay_out(&block, name, from);
    }
    return capability;
}

void capability_hold(struct capability *capability) {
    uint32_t before = atomic_fetch_add_explicit(&capability->refs, 1, memory_order_relaxed);
    RUSM_ASSERT(before > 0);
}

void capability_release(struct capability *capability) {
    if (!capability) {
        return;
    }
    /* Release: our reads come before the free. Acquire: the free comes after those of others. */
    uint32_t before = atomic_fetch_sub_explicit(&capability->refs, 1, memory_order_acq_rel);
    RUSM_ASSERT(before > 0);
    if (before == 1) {
        rusm_free(capability);
    }
}

/* ---- the registry ---- */

/* Where `name` is, or `count`. */
static uint32_t find(const struct capabilities *registry, const char *name) {
    uint32_t i = 0;
    while (i < registry->count && strcmp(registry->specs[i]->name, name) != 0) {
        i++;
    }
    return i;
}

static enum rusm_err no_memory(struct rusm_errinfo *info, const char *name) {
    return errinfo_set(info, RUSM_ERR_NOMEM, "capability \"%s\": out of memory", name);
}

static bool add(struct capabilities *registry, const char *name,
                const struct rusm_capability *spec) {
    RUSM_ASSERT(registry->count < ALL_MAX);
    struct capability *copy = capability_create(name, spec);
    if (copy) {
        registry->specs[registry->count++] = copy;
    }
    return copy != NULL;
}

static bool add_profiles(struct capabilities *registry) {
    static const struct rusm_env no_env;
    static const struct rusm_preopen no_preopen;
    static const char *const none;
    const struct rusm_capability sandboxed = {
        .network = RUSM_DENY,
        .spawn = RUSM_DENY,
        .process_control = RUSM_DENY,
        .stdio = RUSM_DENY,
        .storage = RUSM_DENY,
        .memory_bytes_max = (uint64_t)64 << 20,
        .cpu_ms_max = RUSM_UNLIMITED,
        .mailbox_len_max = RUSM_UNLIMITED,
        .streams_max = RUSM_UNLIMITED,
        .processes_max = RUSM_UNLIMITED,
        .env = &no_env,
        .preopens = &no_preopen,
        .bridges = {&none, 0},
    };
    const struct rusm_capability network_client = {
        .inherits = "sandboxed",
        .network = RUSM_ALLOW,
    };
    const struct rusm_capability trusted = {
        .inherits = "network-client",
        .spawn = RUSM_ALLOW,
        .process_control = RUSM_ALLOW,
        .stdio = RUSM_ALLOW,
        .storage = RUSM_ALLOW,
        .memory_bytes_max = (uint64_t)1 << 30,
    };
    return add(registry, "sandboxed", &sandboxed) &&
           add(registry, "network-client", &network_client) && add(registry, "trusted", &trusted);
}

struct capabilities *capabilities_create(void) {
    struct capabilities *registry = rusm_zalloc(sizeof *registry);
    if (!registry) {
        return NULL;
    }
    pthread_mutex_init(&registry->lock, NULL);
    if (!add_profiles(registry)) {
        capabilities_destroy(registry);
        return NULL;
    }
    return registry;
}

void capabilities_destroy(struct capabilities *registry) {
    if (!registry) {
        return;
    }
    for (uint32_t i = 0; i < registry->count; i++) {
        capability_release(registry->specs[i]);
        capability_release(registry->resolved[i]);
    }
    pthread_mutex_destroy(&registry->lock);
    rusm_free(registry);
}

/* Under the lock. */
static enum rusm_err define(struct capabilities *registry, const char *name,
                            const struct rusm_capability *spec, struct rusm_errinfo *info) {
    uint32_t at = find(registry, name);
    if (at < registry->count) {
        return errinfo_set(info, RUSM_ERR_NAME_TAKEN, "capability \"%s\" is %s", name,
                           at < PROFILES ? "a profile that is built in" : "defined twice");
    }
    if (registry->count == ALL_MAX) {
        return errinfo_set(info, RUSM_ERR_INVALID,
                           "capability \"%s\" is one more than the %u there may be", name,
                           RUSM_CAPABILITIES_MAX);
    }
    return add(registry, name, spec) ? RUSM_OK : no_memory(info, name);
}

enum rusm_err capabilities_define(struct capabilities *registry, const char *name,
                                  const struct rusm_capability *spec, struct rusm_errinfo *info) {
    enum rusm_err err = capability_check(name, spec, info);
    if (err == RUSM_OK) {
        pthread_mutex_lock(&registry->lock);
        err = define(registry, name, spec, info);
        pthread_mutex_unlock(&registry->lock);
    }
    return err;
}

/* ---- inheritance ---- */

static enum rusm_permission permission(enum rusm_permission heir, enum rusm_permission parent) {
    return heir != RUSM_INHERIT ? heir : parent;
}

static uint64_t number(uint64_t heir, uint64_t parent) {
    return heir != 0 ? heir : parent;
}

static struct rusm_list list_of(struct rusm_list heir, struct rusm_list parent) {
    return heir.items ? heir : parent;
}

/* Put over `grant` what `heir` sets. */
static void override(struct rusm_capability *grant, const struct rusm_capability *heir) {
    grant->network = permission(heir->network, grant->network);
    grant->spawn = permission(heir->spawn, grant->spawn);
    grant->process_control = permission(heir->process_control, grant->process_control);
    grant->stdio = permission(heir->stdio, grant->stdio);
    grant->storage = permission(heir->storage, grant->storage);
    grant->memory_bytes_max = number(heir->memory_bytes_max, grant->memory_bytes_max);
    grant->cpu_ms_max = number(heir->cpu_ms_max, grant->cpu_ms_max);
    grant->mailbox_len_max = number(heir->mailbox_len_max, grant->mailbox_len_max);
    grant->streams_max = number(heir->streams_max, grant->streams_max);
    grant->processes_max = number(heir->processes_max, grant->processes_max);
    if (heir->env) {
        grant->env = heir->env;
        grant->env_count = heir->env_count;
    }
    if (heir->preopens) {
        grant->preopens = heir->preopens;
        grant->preopen_count = heir->preopen_count;
    }
    grant->bridges = list_of(heir->bridges, grant->bridges);
    grant->allow_names = list_of(heir->allow_names, grant->allow_names);
    grant->network_hosts = list_of(heir->network_hosts, grant->network_hosts);
    grant->storage_buckets = list_of(heir->storage_buckets, grant->storage_buckets);
}

/* NULL: it is the root. */
static const char *parent_name(const struct capabilities *registry, const struct capability *spec) {
    if (spec == registry->specs[0]) {
        return NULL;
    }
    return spec->grant.inherits ? spec->grant.inherits : registry->specs[0]->name;
}

/* "a" inherits "b" inherits "a" */
static enum rusm_err circle(const struct capability *const *line, uint32_t from, uint32_t count,
                            struct rusm_errinfo *info) {
    char text[RUSM_ERRINFO_BYTES];
    int len = 0;
    for (uint32_t i = from; i < count && len < (int)sizeof text; i++) {
        len += snprintf(text + len, sizeof text - (size_t)len, "\"%s\" inherits ", line[i]->name);
    }
    return errinfo_set(info, RUSM_ERR_INVALID, "capability %s\"%s\": a circle", text,
                       line[from]->name);
}

/* The specifications from `spec` up to the root into `line`. */
static enum rusm_err trace(const struct capabilities *registry, const struct capability *spec,
                           const struct capability **line, uint32_t *count,
                           struct rusm_errinfo *info) {
    *count = 0;
    line[(*count)++] = spec;
    for (;;) {
        const struct capability *heir = line[*count - 1];
        const char *name = parent_name(registry, heir);
        if (!name) {
            return RUSM_OK;
        }
        uint32_t at = find(registry, name);
        if (at == registry->count) {
            return errinfo_set(info, RUSM_ERR_INVALID,
                               "capability \"%s\" inherits \"%s\", which is not defined",
                               heir->name, name);
        }
        const struct capability *parent = registry->specs[at];
        for (uint32_t i = 0; i < *count; i++) {
            if (line[i] == parent) {
                return circle(line, i, *count, info);
            }
        }
        line[(*count)++] = parent;
    }
}

/* Fill in resolved[at]. Under the lock. */
static enum rusm_err resolve(struct capabilities *registry, uint32_t at,
                             struct rusm_errinfo *info) {
    if (registry->resolved[at]) {
        return RUSM_OK;
    }
    const struct capability *spec = registry->specs[at];
    const struct capability *line[ALL_MAX];
    uint32_t count;
    enum rusm_err err = trace(registry, spec, line, &count, info);
    if (err != RUSM_OK) {
        return err;
    }
    struct rusm_capability grant = line[count - 1]->grant;
    for (uint32_t i = count - 1; i-- > 0;) {
        override(&grant, &line[i]->grant);
    }
    RUSM_ASSERT(!grant.inherits && grant.network != RUSM_INHERIT && grant.memory_bytes_max > 0);
    registry->resolved[at] = capability_create(spec->name, &grant);
    return registry->resolved[at] ? RUSM_OK : no_memory(info, spec->name);
}

/* Under the lock. */
static enum rusm_err unknown(const struct capabilities *registry, const char *name,
                             struct rusm_errinfo *info) {
    char known[RUSM_ERRINFO_BYTES] = "";
    int len = 0;
    for (uint32_t i = 0; i < registry->count && len < (int)sizeof known; i++) {
        len += snprintf(known + len, sizeof known - (size_t)len, "%s%s", i ? ", " : "",
                        registry->specs[i]->name);
    }
    return errinfo_set(info, RUSM_ERR_NAME_UNKNOWN, "no capability is called \"%s\"; there are %s",
                       name, known);
}

enum rusm_err capabilities_get(struct capabilities *registry, const char *name,
                               struct capability **out, struct rusm_errinfo *info) {
    pthread_mutex_lock(&registry->lock);
    uint32_t at = find(registry, name);
    enum rusm_err err =
        at == registry->count ? unknown(registry, name, info) : resolve(registry, at, info);
    if (err == RUSM_OK) {
        *out = registry->resolved[at];
        capability_hold(*out);
    }
    pthread_mutex_unlock(&registry->lock);
    return err;
}

enum rusm_err capabilities_check(struct capabilities *registry, struct rusm_errinfo *info) {
    pthread_mutex_lock(&registry->lock);
    enum rusm_err err = RUSM_OK;
    for (uint32_t i = 0; err == RUSM_OK && i < registry->count; i++) {
        err = resolve(registry, i, info);
    }
    pthread_mutex_unlock(&registry->lock);
    return err;
}

/* ---- questions ---- */

static bool matches(const char *pattern, const char *name) {
    size_t len = strlen(pattern);
    if (len > 0 && pattern[len - 1] == '*') {
        return strncmp(pattern, name, len - 1) == 0;
    }
    return strcmp(pattern, name) == 0;
}

/* A list that is set nowhere restricts nothing. */
static bool list_allows(const struct rusm_list *patterns, const char *name) {
    for (size_t i = 0; i < patterns->count; i++) {
        if (matches(patterns->items[i], name)) {
            return true;
        }
    }
    return !patterns->items;
}

bool capability_allows_name(const struct capability *capability, const char *name) {
    return list_allows(&capability->grant.allow_names, name);
}

static bool list_has(const struct rusm_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool capability_allows_bridge(const struct capability *capability, const char *name) {
    return list_has(&capability->grant.bridges, name);
}

bool capability_allows_bucket(const struct capability *capability, const char *name) {
    return capability->grant.storage == RUSM_ALLOW &&
           list_allows(&capability->grant.storage_buckets, name);
}

void capability_grant_config(const struct capability *capability, struct rwt_grant_config *config) {
    const struct rusm_capability *grant = &capability->grant;
    const struct rusm_list *hosts = &grant->network_hosts;
    bool all = list_has(hosts, "*");
    bool none = hosts->items && hosts->count == 0;
    config->stdio = grant->stdio == RUSM_ALLOW;
    config->network = grant->network == RUSM_ALLOW && !none;
    config->network_hosts = all ? NULL : hosts->items;
    config->network_host_count = all ? 0 : hosts->count;
    config->env = capability->env_pairs;
    config->env_count = grant->env_count;
    config->preopens = capability->rwt_preopens;
    config->preopen_count = grant->preopen_count;
}
