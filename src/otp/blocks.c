/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/blocks_internal.h"

#include "base/alloc.h"
#include "otp/sched_internal.h"

#ifdef __SANITIZE_ADDRESS__
#define BLOCKS_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_OFF 1
#endif
#endif
#ifndef BLOCKS_OFF
#define BLOCKS_OFF 0
#endif

static size_t class_bytes(uint32_t class) {
    return ((size_t)BLOCK_BYTES_MIN << class) + BLOCK_HEADER_BYTES;
}

/* The class for a block of `bytes`; 0 if it is too small or too large to be kept. */
static inline uint32_t class_of(size_t bytes) {
    if (BLOCKS_OFF || bytes <= class_bytes(0) || bytes > class_bytes(BLOCK_CLASSES)) {
        return 0;
    }
    uint32_t class = 1;
    while (bytes > class_bytes(class)) {
        class ++;
    }
    return class;
}

void *block_take(struct sched *s, size_t bytes, uint32_t *class) {
    uint32_t wanted = class_of(bytes);
    *class = wanted;
    if (wanted == 0) {
        return rusm_alloc(bytes);
    }
    if (s && s->blocks.free[wanted - 1]) {
        void *block = s->blocks.free[wanted - 1];
        s->blocks.free[wanted - 1] = *(void **)block;
        s->blocks.count[wanted - 1]--;
        return block;
    }
    return rusm_alloc(class_bytes(wanted));
}

void block_give(struct sched *s, void *block, uint32_t class) {
    if (class == 0 || !s ||
        s->blocks.count[class - 1] >= BLOCK_KEEP_BYTES / (BLOCK_BYTES_MIN << class)) {
        rusm_free(block);
        return;
    }
    *(void **)block = s->blocks.free[class - 1];
    s->blocks.free[class - 1] = block;
    s->blocks.count[class - 1]++;
}

void block_cache_deinit(struct block_cache *cache) {
    for (uint32_t i = 0; i < BLOCK_CLASSES; i++) {
        while (cache->free[i]) {
            void *block = cache->free[i];
            cache->free[i] = *(void **)block;
            rusm_free(block);
        }
    }
}
