/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/alloc.h"

#include "base/assert.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *rusm_alloc(size_t bytes) {
    return malloc(bytes);
}

void *rusm_zalloc(size_t bytes) {
    return calloc(1, bytes);
}

void *rusm_zalloc_aligned(size_t alignment, size_t bytes) {
    size_t rounded = (bytes + alignment - 1) & ~(alignment - 1);
    void *block = aligned_alloc(alignment, rounded);
    if (block) {
        memset(block, 0, rounded);
    }
    return block;
}

void *rusm_realloc(void *block, size_t bytes) {
    return realloc(block, bytes);
}

char *rusm_strdup(const char *text) {
    return strdup(text);
}

void rusm_free(void *block) {
    free(block);
}

void *rusm_map_pages(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void rusm_unmap_pages(void *pages, size_t bytes) {
    if (pages) {
        int rc = munmap(pages, bytes);
        RUSM_ASSERT(rc == 0);
    }
}
