/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Found by the first 8 bytes of the key; the whole is compared. Two keys alike in these do not fit
 * in together: the second is not kept, so that who makes digests collide gains nothing but misses.
 */
#include "wasm/ttl_map_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/map64.h"
#include <pthread.h>
#include <string.h>

struct ttl_value {
    struct list node; /* in `idle` while nobody holds it, or in a list of those to be destroyed */
    uint8_t key[TTL_MAP_KEY_BYTES];
    void *value; /* owned */
    uint32_t refs;
    bool in_map;
    uint64_t idle_ns; /* since when nobody holds it */
};

struct ttl_map {
    struct ttl_map_config config; /* immutable */
    pthread_mutex_t lock;         /* guards all below */
    struct map64 values;          /* head of the key -> struct ttl_value */
    struct list idle;             /* longest first */
};

static uint64_t head_of(const uint8_t key[TTL_MAP_KEY_BYTES]) {
    uint64_t head;
    memcpy(&head, key, sizeof head);
    return head ? head : 1;
}

static uint64_t mono(void *arg) {
    (void)arg;
    return clock_mono_ns();
}

struct ttl_map *ttl_map_create(const struct ttl_map_config *config) {
    RUSM_ASSERT(config->destroy);
    struct ttl_map *map = rusm_zalloc(sizeof *map);
    if (!map) {
        return NULL;
    }
    map->config = *config;
    map->config.ttl_ns = config->ttl_ns ? config->ttl_ns : 300 * (uint64_t)1000000000;
    map->config.entries_max = config->entries_max ? config->entries_max : 1024;
    map->config.now_ns = config->now_ns ? config->now_ns : mono;
    pthread_mutex_init(&map->lock, NULL);
    map64_init(&map->values);
    list_init(&map->idle);
    return map;
}

/* Under the lock, as those below unless they say otherwise. */
static void take_out(struct ttl_map *map, struct ttl_value *held, struct list *gone) {
    RUSM_ASSERT(held->in_map && held->refs == 0);
    struct map64_entry *entry = map64_find(&map->values, head_of(held->key));
    RUSM_ASSERT(entry);
    map64_remove(&map->values, entry);
    held->in_map = false;
    list_remove(&held->node);
    list_push_back(gone, &held->node);
}

static struct ttl_value *longest_idle(struct ttl_map *map) {
    return list_is_empty(&map->idle) ? NULL : LIST_ENTRY(map->idle.next, struct ttl_value, node);
}

/* The clock is read under the lock, so that no time in the list is ahead of it. */
static void expire(struct ttl_map *map, struct list *gone) {
    uint64_t now_ns = map->config.now_ns(map->config.arg);
    struct ttl_value *held;
    while ((held = longest_idle(map)) && now_ns - held->idle_ns >= map->config.ttl_ns) {
        take_out(map, held, gone);
    }
}

static struct ttl_value *hold(struct ttl_map *map, const uint8_t key[TTL_MAP_KEY_BYTES]) {
    struct map64_entry *entry = map64_find(&map->values, head_of(key));
    struct ttl_value *held = entry ? (struct ttl_value *)(uintptr_t)entry->value : NULL;
    if (!held || memcmp(held->key, key, sizeof held->key) != 0) {
        return NULL;
    }
    if (held->refs++ == 0) {
        list_remove(&held->node);
    }
    return held;
}

/* Keep it in the map, if there is a place. */
static void keep(struct ttl_map *map, struct ttl_value *held, struct list *gone) {
    if (map64_find(&map->values, head_of(held->key))) {
        return;
    }
    if (map->values.count >= map->config.entries_max) {
        struct ttl_value *idle = longest_idle(map);
        if (!idle) {
            return;
        }
        take_out(map, idle, gone);
    }
    held->in_map = map64_add(&map->values, head_of(held->key), (uintptr_t)held) == RUSM_OK;
}

/* Outside of the lock. */
static void destroy_all(const struct ttl_map *map, struct list *gone) {
    while (!list_is_empty(gone)) {
        struct ttl_value *held = LIST_ENTRY(gone->next, struct ttl_value, node);
        list_remove(&held->node);
        map->config.destroy(map->config.arg, held->value);
        rusm_free(held);
    }
}

struct ttl_value *ttl_map_get(struct ttl_map *map, const uint8_t key[TTL_MAP_KEY_BYTES]) {
    struct list gone;
    list_init(&gone);
    pthread_mutex_lock(&map->lock);
    expire(map, &gone);
    struct ttl_value *held = hold(map, key);
    pthread_mutex_unlock(&map->lock);
    destroy_all(map, &gone);
    return held;
}

enum rusm_err ttl_map_put(struct ttl_map *map, const uint8_t key[TTL_MAP_KEY_BYTES], void *value,
                          struct ttl_value **out) {
    struct ttl_value *fresh = rusm_zalloc(sizeof *fresh);
    if (!fresh) {
        map->config.destroy(map->config.arg, value);
        return RUSM_ERR_NOMEM;
    }
    memcpy(fresh->key, key, sizeof fresh->key);
    fresh->value = value;
    list_init(&fresh->node);
    struct list gone;
    list_init(&gone);
    pthread_mutex_lock(&map->lock);
    expire(map, &gone);
    struct ttl_value *held = hold(map, key);
    if (held) {
        list_push_back(&gone, &fresh->node);
    } else {
        fresh->refs = 1;
        keep(map, fresh, &gone);
        held = fresh;
    }
    pthread_mutex_unlock(&map->lock);
    destroy_all(map, &gone);
    *out = held;
    return RUSM_OK;
}

void *ttl_value_get(const struct ttl_value *held) {
    return held->value;
}

void ttl_map_release(struct ttl_map *map, struct ttl_value *held) {
    struct list gone;
    list_init(&gone);
    pthread_mutex_lock(&map->lock);
    RUSM_ASSERT(held->refs > 0);
    if (--held->refs == 0) {
        held->idle_ns = map->config.now_ns(map->config.arg);
        list_push_back(held->in_map ? &map->idle : &gone, &held->node);
    }
    expire(map, &gone);
    pthread_mutex_unlock(&map->lock);
    destroy_all(map, &gone);
}

void ttl_map_sweep(struct ttl_map *map) {
    struct list gone;
    list_init(&gone);
    pthread_mutex_lock(&map->lock);
    expire(map, &gone);
    pthread_mutex_unlock(&map->lock);
    destroy_all(map, &gone);
}

void ttl_map_destroy(struct ttl_map *map) {
    if (!map) {
        return;
    }
    struct list gone;
    list_init(&gone);
    struct ttl_value *held;
    while ((held = longest_idle(map))) {
        take_out(map, held, &gone);
    }
    RUSM_ASSERT(map->values.count == 0);
    destroy_all(map, &gone);
    map64_deinit(&map->values);
    pthread_mutex_destroy(&map->lock);
    rusm_free(map);
}
