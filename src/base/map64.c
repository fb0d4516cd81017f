/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/map64.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <stdbool.h>
#include <string.h>

void map64_init(struct map64 *map) {
    memset(map, 0, sizeof *map);
    map->entries = map->inline_entries;
    map->capacity = MAP64_INLINE;
}

void map64_deinit(struct map64 *map) {
    if (map->entries != map->inline_entries) {
        rusm_free(map->entries);
    }
}

static bool is_hashed(const struct map64 *map) {
    return map->capacity > MAP64_LINEAR;
}

/*
 * Where a key is looked for first: the product's top bits (Knuth, TAOCP 6.4, Fibonacci hashing),
 * which spread keys that count up, as references and slots do, evenly; its middle bits do not.
 */
static uint32_t home_of(const struct map64 *map, uint64_t key) {
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> (__builtin_clz(map->capacity - 1) + 32));
}

struct map64_entry *map64_find(struct map64 *map, uint64_t key) {
    if (!is_hashed(map)) {
        for (uint32_t i = 0; i < map->count; i++) {
            if (map->entries[i].key == key) {
                return &map->entries[i];
            }
        }
        return NULL;
    }
    uint32_t at = home_of(map, key);
    while (map->entries[at].key != 0 && map->entries[at].key != key) {
        at = (at + 1) & (map->capacity - 1);
    }
    return map->entries[at].key ? &map->entries[at] : NULL;
}

static void insert(struct map64 *map, uint64_t key, uint64_t value) {
    uint32_t at = map->count;
    if (is_hashed(map)) {
        at = home_of(map, key);
        while (map->entries[at].key != 0) {
            at = (at + 1) & (map->capacity - 1);
        }
    }
    map->entries[at] = (struct map64_entry){key, value};
    map->count++;
}

static bool is_full(const struct map64 *map) {
    return is_hashed(map) ? map->count >= map->capacity / 2 : map->count == map->capacity;
}

/* 3 and 12 are searched in order; from 32 on capacities are powers of two. */
static uint32_t larger(uint32_t capacity) {
    return capacity == MAP64_INLINE ? MAP64_LINEAR : capacity == MAP64_LINEAR ? 32 : 2 * capacity;
}

static bool grow(struct map64 *map) {
    struct map64_entry *old = map->entries;
    uint32_t old_capacity = map->capacity;
    uint32_t capacity = larger(old_capacity);
    struct map64_entry *entries = rusm_zalloc((size_t)capacity * sizeof *entries);
    if (!entries) {
        return false;
    }
    map->entries = entries;
    map->capacity = capacity;
    map->count = 0;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].key) {
            insert(map, old[i].key, old[i].value);
        }
    }
    if (old != map->inline_entries) {
        rusm_free(old);
    }
    return true;
}

enum rusm_err map64_add(struct map64 *map, uint64_t key, uint64_t value) {
    RUSM_ASSERT(key != 0);
    RUSM_DASSERT(!map64_find(map, key));
    if (is_full(map) && !grow(map)) {
        return RUSM_ERR_NOMEM;
    }
    insert(map, key, value);
    return RUSM_OK;
}

/* Close the gap, so that every entry stays reachable from its home (Knuth, TAOCP 6.4, algorithm R).
 */
static void close_gap(struct map64 *map, uint32_t gap) {
    uint32_t mask = map->capacity - 1;
    for (uint32_t at = (gap + 1) & mask; map->entries[at].key != 0; at = (at + 1) & mask) {
        uint32_t home = home_of(map, map->entries[at].key);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->entries[gap] = map->entries[at];
            gap = at;
        }
    }
    map->entries[gap].key = 0;
}

void map64_remove(struct map64 *map, struct map64_entry *entry) {
    RUSM_DASSERT(entry->key != 0 && map->count > 0);
    map->count--;
    if (is_hashed(map)) {
        close_gap(map, (uint32_t)(entry - map->entries));
    } else {
        *entry = map->entries[map->count];
        map->entries[map->count].key = 0;
    }
}
