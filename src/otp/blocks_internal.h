/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Blocks of 1 to 16 KiB, as chunks of streams and large messages take: each scheduler keeps some of
 * each size that were freed on it. The C library's allocator serves such sizes from one shared
 * list, and gives memory back to the kernel and fetches it anew when a whole ring comes and goes.
 * Under AddressSanitizer nothing is kept, so that it sees every use after free.
 */
#ifndef OTP_BLOCKS_INTERNAL_H
#define OTP_BLOCKS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

struct sched;

/* Sizes of 2, 4, 8 and 16 KiB, each with room for a small header; class 0 is none of them. */
#define BLOCK_CLASSES      4u
#define BLOCK_BYTES_MIN    1024u
#define BLOCK_HEADER_BYTES 64u
/* What a scheduler keeps of one size at most. */
#define BLOCK_KEEP_BYTES (512u * 1024)

/* Free blocks of one scheduler; owner thread only. */
struct block_cache {
    void *free[BLOCK_CLASSES];
    uint32_t count[BLOCK_CLASSES];
};

/* At least `bytes`, undefined, or NULL. `class` is what block_give wants back. `s` may be NULL. */
void *block_take(struct sched *s, size_t bytes, uint32_t *class);
void block_give(struct sched *s, void *block, uint32_t class);
/* Free all that is kept. */
void block_cache_deinit(struct block_cache *cache);

#endif
