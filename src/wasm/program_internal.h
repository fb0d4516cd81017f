/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Programs: what guests are made of, resolved once for each engine; and their names. */
#ifndef WASM_PROGRAM_INTERNAL_H
#define WASM_PROGRAM_INTERNAL_H

#include "wasm/cache_internal.h"
#include "wasm/capability_internal.h"
#include "wasm/pool_internal.h"
#include "wasm/ttl_map_internal.h"
#include <stdalign.h>

#define PROGRAM_NAMES_MAX 65536u

/*
 * A program on one engine, and the guests spawned there. All of a lane's guests together are one
 * hold of the program: spawners on different schedulers write to different lines.
 */
struct program_lane {
    alignas(64) struct rusm_program *program; /* immutable */
    rwt_prepared *prepared;                   /* immutable */
    _Atomic uint32_t guests;                  /* any thread */
};

struct rusm_program {
    /* immutable */
    struct rusm_wasm *wasm;
    enum rwt_kind kind;
    struct capability *capability; /* held */
    rwt_grant *grant;              /* owned */
    uint64_t memory_bytes_max;
    uint64_t cpu_ms_max;                /* a second; RUSM_UNLIMITED = no budget */
    uint32_t mailbox_len_max;           /* of its guests; 0 = the runtime's default */
    char name[RUSM_NAME_BYTES_MAX + 1]; /* "" = none */
    char entry[RUSM_NAME_BYTES_MAX + 1];
    bool is_template; /* it has no code */
    /* any thread */
    _Atomic uint64_t holds;
    /* guarded by the lock of the names */
    struct rusm_program *next;
    struct program_lane lanes[]; /* one for each of the pool */
};

/* For the life of a guest that the caller, who holds the program, spawns. */
struct program_lane *program_hold_for_guest(struct rusm_program *program);
void program_release_of_guest(struct program_lane *lane);

struct program_names {
    pthread_mutex_t lock; /* guards the list */
    struct rusm_program *first;
    uint32_t count;
};

struct rusm_wasm {
    struct wasm_pool pool;
    struct program_names names;
    struct capabilities *capabilities; /* owned */
    struct cache *cache;               /* owned */
    struct ttl_map *dynamic;           /* owned; programs of code given at run time */
    const struct wasm_bridge *bridges[WASM_BRIDGES_MAX];
    size_t bridge_count;
    pthread_rwlock_t customs_lock; /* guards the list, and the linkers' part of it */
    struct custom *customs;        /* owned */
};

/* ---- custom.c ---- */
/* Whether its capability grants all the embedder's interfaces that it imports; else INVALID. Under
 * the lock. */
enum rusm_err customs_check(const struct rusm_program *program, const rwt_program *loaded,
                            struct rusm_errinfo *error);
void customs_free(struct rusm_wasm *wasm);

#endif
