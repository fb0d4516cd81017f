/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Files in memory that nobody can change once they are sealed. Linux: memfd_create(2), fcntl(2). */
#ifndef WASM_CACHE_SEALED_INTERNAL_H
#define WASM_CACHE_SEALED_INTERNAL_H

#include <rusm/err.h>
#include <stddef.h>
#include <stdint.h>

struct sealed {
    int fd; /* owned; -1 = none */
    size_t bytes;
    uint8_t *memory; /* to be filled in; NULL once sealed */
};

/* A file of `bytes` > 0 zeros, mapped at `memory`. Error: SYSTEM, `info` says why. */
enum rusm_err sealed_begin(struct sealed *sealed, size_t bytes, struct rusm_errinfo *info);
/* Make it final. Error as above; it is then discarded. */
enum rusm_err sealed_end(struct sealed *sealed, struct rusm_errinfo *info);
void sealed_discard(struct sealed *sealed);

#endif
