/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A limit on how many there are of something that is kept in shards. A shard takes room in pieces,
 * so that those who add to different shards do not meet at one counter. While pieces are larger
 * than 1 a shard holds up to two of them unused, and the limit may be met that much early; limits
 * below SHARDS * 64 are exact.
 *
 * A share is changed under its shard's lock, and may be read without.
 */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quota {
    uint32_t piece;                    /* the room that a shard takes and gives back at once */
    alignas(64) _Atomic uint32_t left; /* room that no shard has taken */
};

struct quota_share {
    _Atomic uint32_t count;
    uint32_t room;
};

static inline void quota_init(struct quota *quota, uint32_t limit, uint32_t shards) {
    quota->piece = limit / (shards * 64) + 1;
    atomic_init(&quota->left, limit);
}

static inline uint32_t quota_count(const struct quota_share *share) {
    return atomic_load_explicit(&share->count, memory_order_relaxed);
}

/* Count one more; false if the limit leaves no room. */
static inline bool quota_count_up(struct quota *quota, struct quota_share *share) {
    uint32_t count = quota_count(share);
    if (count == share->room) {
        uint32_t left = atomic_load_explicit(&quota->left, memory_order_relaxed);
        uint32_t taken;
        do {
            taken = left < quota->piece ? left : quota->piece;
        } while (!atomic_compare_exchange_weak_explicit(
            &quota->left, &left, left - taken, memory_order_relaxed, memory_order_relaxed));
        if (taken == 0) {
            return false;
        }
        share->room += taken;
    }
    atomic_store_explicit(&share->count, count + 1, memory_order_relaxed);
    return true;
}

/* Count one less. With pieces of one nothing is kept. */
static inline void quota_count_down(struct quota *quota, struct quota_share *share) {
    uint32_t count = quota_count(share) - 1;
    uint32_t keep = quota->piece > 1 ? quota->piece : 0;
    atomic_store_explicit(&share->count, count, memory_order_relaxed);
    if (share->room - count >= keep + quota->piece) {
        share->room -= quota->piece;
        atomic_fetch_add_explicit(&quota->left, quota->piece, memory_order_relaxed);
    }
}

#endif
