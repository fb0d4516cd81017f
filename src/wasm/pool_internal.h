/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The pool of instances: an engine a scheduler, each with its share of the slots; the clock that
 * interrupts long runs; the queue of guests that wait for a slot.
 *
 * Why an engine each: slots are reset by madvise and page faults, which lock what belongs to an
 * engine; two schedulers on one engine run slower than one alone. docs/design/wasm.md.
 */
#ifndef WASM_POOL_INTERNAL_H
#define WASM_POOL_INTERNAL_H

#include "base/counter.h"
#include "wasm/wasm.h"
#include <pthread.h>
#include <rusm/introspect.h>
#include <stdalign.h>

/* What one scheduler does with guests; its own cache lines. */
struct wasm_lane {
    alignas(64) rwt_engine *engine; /* immutable */
    rwt_linker *linker;             /* immutable once the bridges are in */
    /* scheduler thread; read by the clock and observers */
    alignas(64) _Atomic(const rwt_engine *) running; /* the engine of the guest that runs here */
    counter started;
    counter ended;
    counter yields;
    counter notifies;
    counter memory_bytes; /* of guests that started here, modulo 2^64: summed over the lanes */
};

struct wasm_pool {
    struct rusm_wasm_config config;  /* immutable */
    _Atomic(rusm_runtime *) runtime; /* immutable; release and acquire for the threads of WASI */
    uint32_t lane_count;             /* immutable */
    uint32_t slots_per_lane;         /* immutable */
    struct wasm_lane *lanes;         /* owned */
    rwt_waking *waking;              /* owned; NULL once the runtime has ended */
    struct otp_at_end at_end;        /* closes it */
    /* Release: after each wake; acquire: when it is closed. It is closed by a lock that waits for
     * wakes, but one of Rust's, which ThreadSanitizer does not see. */
    _Atomic uint64_t wakes;

    pthread_t clock_thread;
    bool clock_started;
    pthread_mutex_t clock_lock; /* guards clock_stop */
    pthread_cond_t clock_wake;
    bool clock_stop;
    _Atomic bool clock_asleep;

    pthread_mutex_t wait_lock; /* guards the ring of waiters */
    rusm_pid *waiters;         /* ring of config.spawn_queue_max; owned, made when first needed */
    uint32_t waiter_head;
    _Atomic uint32_t waiter_count; /* written under the lock */
};

/* Make engines and clock. Errors as rusm_wasm_create. */
enum rusm_err pool_init(struct wasm_pool *pool, rusm_runtime *runtime,
                        const struct rusm_wasm_config *config, struct rusm_errinfo *error);
/* Asserted: no guest is left. */
void pool_deinit(struct wasm_pool *pool);

/* Around every poll of a guest of `engine` on scheduler `lane`: the clock interrupts it. */
void pool_run_begin(struct wasm_pool *pool, struct wasm_lane *lane, const rwt_engine *engine);
static inline void pool_run_end(struct wasm_lane *lane) {
    atomic_store_explicit(&lane->running, NULL, memory_order_release);
}

/* Queue the calling process for a slot. Errors: QUEUE_FULL, NOMEM. */
enum rusm_err pool_wait_enter(struct wasm_pool *pool, rusm_pid pid);
/* It waits no longer. False if a slot was left to it already, which it must take or leave to the
 * next one. */
bool pool_wait_leave(struct wasm_pool *pool, rusm_pid pid);
/* A slot is free: wake who waits first. */
void pool_slot_freed(struct wasm_pool *pool);

/* Sum over the lanes. */
void pool_info(const struct wasm_pool *pool, struct rusm_wasm_info *out);

/* ---- pool_limits.c: what the machine can hold ---- */

/* Whether `slots` slots of `reservation` bytes each fit this machine; else SYSTEM with a text that
 * says which setting to change. */
enum rusm_err pool_check_room(const struct rusm_wasm_config *config, struct rusm_errinfo *error);
/* Whether PAGEMAP_SCAN works here (Linux 6.7). */
bool pool_has_pagemap_scan(void);

#endif
