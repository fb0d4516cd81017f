/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Values by the digest they were made from, for as long as they are used now and then: what guests
 * spawn from a source's text, found again by the text's SHA-256.
 *
 * A value stays while it is held, and for the map's time after its last holder let go. At the bound
 * the value unused longest goes; if all are held, a new one is not kept beyond its holders. Any
 * thread; a lock that is held for a few instructions. `destroy` is called outside of it.
 */
#ifndef WASM_TTL_MAP_INTERNAL_H
#define WASM_TTL_MAP_INTERNAL_H

#include <rusm/err.h>
#include <stdint.h>

#define TTL_MAP_KEY_BYTES 32u

struct ttl_map;
struct ttl_value; /* a value that is held */

/* Borrowed for the call. */
struct ttl_map_config {
    uint64_t ttl_ns;                         /* 0 = 300 s */
    uint32_t entries_max;                    /* 0 = 1024 */
    void (*destroy)(void *arg, void *value); /* any thread; must not call the map */
    uint64_t (*now_ns)(void *arg);           /* NULL = clock_mono_ns */
    void *arg;
};

/* Owned; NULL: out of memory. */
struct ttl_map *ttl_map_create(const struct ttl_map_config *config);
/* Destroys all values. Asserted: none is held. NULL is allowed. */
void ttl_map_destroy(struct ttl_map *map);

/* The value of `key`, held; NULL if there is none. */
struct ttl_value *ttl_map_get(struct ttl_map *map, const uint8_t key[TTL_MAP_KEY_BYTES]);

/*
 * Add a value and hold it; `value` is moved, also on failure. If another thread was first, its
 * value is held instead and `value` destroyed. Error: NOMEM.
 */
enum rusm_err ttl_map_put(struct ttl_map *map, const uint8_t key[TTL_MAP_KEY_BYTES], void *value,
                          struct ttl_value **out);

/* The value, as long as it is held. */
void *ttl_value_get(const struct ttl_value *held);
void ttl_map_release(struct ttl_map *map, struct ttl_value *held);

/* Destroy what nobody has used for the map's time. All other calls do this too; it is for a timer,
 * when there are none. */
void ttl_map_sweep(struct ttl_map *map);

#endif
