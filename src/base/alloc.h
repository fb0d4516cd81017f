/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * General-purpose memory for what is not hot; hot objects have pools of their own. One place, so
 * that a test can make allocation fail by wrapping these functions at link time. Any thread.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* `bytes` of undefined memory aligned to 16, or NULL. Owned by the caller. */
void *rusm_alloc(size_t bytes) __attribute__((malloc, warn_unused_result));

/* The same, zeroed. */
void *rusm_zalloc(size_t bytes) __attribute__((malloc, warn_unused_result));

/* `bytes` rounded up to, and aligned to, `alignment` (a power of two), zeroed; or NULL. */
void *rusm_zalloc_aligned(size_t alignment, size_t bytes)
    __attribute__((malloc, warn_unused_result));

/* Grow or shrink as realloc(3); on NULL the old block is still the caller's. */
void *rusm_realloc(void *block, size_t bytes) __attribute__((warn_unused_result));

/* A copy of the string, or NULL. Owned by the caller. */
char *rusm_strdup(const char *text) __attribute__((malloc, warn_unused_result));

/* Free what one of the above returned; NULL is allowed. */
void rusm_free(void *block);

/*
 * Zeroed pages straight from the kernel, touched lazily, not counted against the commit limit;
 * NULL when refused. For tables that grow, and whose memory must keep its type.
 */
void *rusm_map_pages(size_t bytes) __attribute__((warn_unused_result));
void rusm_unmap_pages(void *pages, size_t bytes);

#endif
