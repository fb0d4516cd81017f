/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A cache with a compiler that is not Wasmtime: the artefact of "x" is "code of x"; what starts
 * with "bad" does not compile. Its code over bytes is no cryptography, but it sees every changed
 * bit. On threads RUSM_ASSERT takes the place of cmocka's assertions.
 */
#ifndef WASM_TEST_CACHE_INTERNAL_H
#define WASM_TEST_CACHE_INTERNAL_H

#include "wasm/cache_internal.h"
#include <stdatomic.h>

struct fixture {
    char root[64]; /* a folder of its own */
    char dir[96];  /* root/cache, which is not there yet */
    struct cache_config config;
    _Atomic uint32_t warnings;
    char warning[RUSM_ERRINFO_BYTES]; /* the last one */
    /* Called in the compiler, NULL = nothing. */
    void (*while_compiling)(struct fixture *fixture);
    void *arg;
    _Atomic uint32_t compiled; /* failures too */
};

void fixture_init(struct fixture *fixture);
void fixture_deinit(struct fixture *fixture);

/* cache_create, which must succeed. */
struct cache *must_create(const struct fixture *fixture);
/* cache_get of a text, which must give the right artefact. */
struct cache_artefact *must_get(struct cache *cache, const char *source);
/* The same, released. */
void use(struct cache *cache, const char *source);
struct cache_info info_of(struct cache *cache);

/* The path of the file of `source`, and how many files of that suffix there are. */
void file_of(const struct fixture *fixture, const char *source, const char *suffix, char path[256]);
uint32_t files_with(const struct fixture *fixture, const char *suffix);
bool file_exists(const char *path);
void remove_tree(const char *path);

#endif
