/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A map from non-zero 64-bit keys to 64-bit values, 64 bytes large while it holds no more than
 * MAP64_INLINE entries. Up to MAP64_LINEAR entries are searched in order, more by hashing (open
 * addressing, linear probing, at most half full). It grows as needed and does not shrink.
 *
 * Not thread-safe. Pointers to entries are valid until the next add or remove.
 */
#ifndef BASE_MAP64_H
#define BASE_MAP64_H

#include <rusm/err.h>
#include <stdint.h>

#define MAP64_INLINE 3u
#define MAP64_LINEAR 12u

struct map64_entry {
    uint64_t key; /* 0: empty */
    uint64_t value;
};

struct map64 {
    struct map64_entry *entries; /* `inline_entries` or owned */
    uint32_t count;
    uint32_t capacity;
    struct map64_entry inline_entries[MAP64_INLINE];
};

/* Make an empty map in the caller's memory, which must not move. */
void map64_init(struct map64 *map);
/* Free what the map owns. */
void map64_deinit(struct map64 *map);

/* The entry of `key`, whose value may be changed in place; NULL if there is none. */
struct map64_entry *map64_find(struct map64 *map, uint64_t key);

/* Add a key that is not there. Error: NOMEM. */
enum rusm_err map64_add(struct map64 *map, uint64_t key, uint64_t value);

/* Remove an entry that map64_find gave. */
void map64_remove(struct map64 *map, struct map64_entry *entry);

/* Every entry: for (i = 0; i < map->capacity; i++) if (map->entries[i].key) … */

#endif
