/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "wasm/pool_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Ticks without any guest running before the clock sleeps. */
#define IDLE_TICKS_MAX 16u
/* Room for host functions on a guest's stack, above the guest's own. */
#define HOST_STACK_BYTES (256u * 1024)
/* A core module may have as many; on average a component, too. */
#define TABLES_PER_GUEST 4u
/* Reset in place: with PAGEMAP_SCAN only what was touched is; without it all of it is, always. */
#define KEEP_RESIDENT_SCAN  (128u * 1024)
#define KEEP_RESIDENT_PLAIN (8u * 1024)

/* ---- the clock ---- */

/* Every thread of this program has seen what this one wrote before. */
static bool barrier_everywhere(void) {
    return syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* Interrupts guests that run now; whether there was one. */
static bool tick(struct wasm_pool *pool) {
    bool any = false;
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        /* Acquire: engines live as long as the pool. */
        const rwt_engine *engine =
            atomic_load_explicit(&pool->lanes[i].running, memory_order_acquire);
        if (engine) {
            rwt_engine_tick(engine);
            any = true;
        }
    }
    return any;
}

static void add_ms(struct timespec *at, uint32_t ms) {
    at->tv_nsec += (long)(ms % 1000) * 1000000;
    at->tv_sec += ms / 1000 + at->tv_nsec / 1000000000;
    at->tv_nsec %= 1000000000;
}

static bool anything_runs(const struct wasm_pool *pool) {
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        if (atomic_load_explicit(&pool->lanes[i].running, memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

/*
 * Under the clock's lock: sleep until a guest runs. A run begins by a plain store and a plain load
 * of clock_asleep; the barrier here stands in for the fence that they would need, so that either
 * the run sees that the clock sleeps or the clock sees the run.
 */
static void sleep_until_run(struct wasm_pool *pool) {
    atomic_store_explicit(&pool->clock_asleep, true, memory_order_seq_cst);
    if (barrier_everywhere() && !anything_runs(pool)) {
        while (atomic_load_explicit(&pool->clock_asleep, memory_order_relaxed) &&
               !pool->clock_stop) {
            pthread_cond_wait(&pool->clock_wake, &pool->clock_lock);
        }
    }
    atomic_store_explicit(&pool->clock_asleep, false, memory_order_relaxed);
}

static void *run_clock(void *arg) {
    struct wasm_pool *pool = arg;
    struct timespec next;
    uint32_t idle = 0;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&pool->clock_lock);
    while (!pool->clock_stop) {
        if (idle > IDLE_TICKS_MAX) {
            sleep_until_run(pool);
            idle = 0;
            clock_gettime(CLOCK_MONOTONIC, &next);
            continue;
        }
        add_ms(&next, pool->config.epoch_ms);
        while (!pool->clock_stop &&
               pthread_cond_timedwait(&pool->clock_wake, &pool->clock_lock, &next) != ETIMEDOUT) {
        }
        idle = tick(pool) ? 0 : idle + 1;
    }
    pthread_mutex_unlock(&pool->clock_lock);
    return NULL;
}

static __attribute__((noinline, cold)) void wake_clock(struct wasm_pool *pool) {
    pthread_mutex_lock(&pool->clock_lock);
    atomic_store_explicit(&pool->clock_asleep, false, memory_order_relaxed);
    pthread_cond_signal(&pool->clock_wake);
    pthread_mutex_unlock(&pool->clock_lock);
}

void pool_run_begin(struct wasm_pool *pool, struct wasm_lane *lane, const rwt_engine *engine) {
    atomic_store_explicit(&lane->running, engine, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* the clock's barrier does the rest */
    if (__builtin_expect(atomic_load_explicit(&pool->clock_asleep, memory_order_relaxed), 0)) {
        wake_clock(pool);
    }
}

static enum rusm_err start_clock(struct wasm_pool *pool) {
    /* Where the kernel has no such barrier the clock never sleeps (barrier_everywhere fails). */
    (void)syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->clock_lock, NULL);
    pthread_cond_init(&pool->clock_wake, &attr);
    pthread_condattr_destroy(&attr);
    pool->clock_started = pthread_create(&pool->clock_thread, NULL, run_clock, pool) == 0;
    return pool->clock_started ? RUSM_OK : RUSM_ERR_SYSTEM;
}

static void stop_clock(struct wasm_pool *pool) {
    if (!pool->clock_started) {
        return;
    }
    pthread_mutex_lock(&pool->clock_lock);
    pool->clock_stop = true;
    pthread_cond_broadcast(&pool->clock_wake);
    pthread_mutex_unlock(&pool->clock_lock);
    pthread_join(pool->clock_thread, NULL);
    pthread_mutex_destroy(&pool->clock_lock);
    pthread_cond_destroy(&pool->clock_wake);
}

/* ---- engines ---- */

static enum rusm_err make_engine(struct wasm_pool *pool, struct wasm_lane *lane,
                                 struct rusm_errinfo *error) {
    const struct rusm_wasm_config *c = &pool->config;
    const struct rwt_engine_config config = {
        .instances = pool->slots_per_lane,
        .tables_per_instance = TABLES_PER_GUEST,
        .table_elements = c->table_elements_max,
        .memory_bytes_max = c->memory_bytes_max,
        .memory_reservation = c->memory_reservation,
        .memory_keep_resident = c->memory_keep_resident,
        .stack_bytes = c->stack_bytes + HOST_STACK_BYTES,
        .guest_stack_bytes = c->stack_bytes,
        .pagemap_scan = true,
    };
    struct rwt_text text = {NULL, 0};
    lane->engine = rwt_engine_new(&config, &text);
    if (!lane->engine) {
        enum rusm_err err = errinfo_set(error, RUSM_ERR_SYSTEM, "the pool of %u instances: %.*s",
                                        c->instances_max, (int)text.len, text.data);
        rwt_text_delete(text);
        return err;
    }
    lane->linker = rwt_linker_new(lane->engine);
    return RUSM_OK;
}

static void wake_pid(void *arg, uint64_t id) {
    struct wasm_pool *pool = arg;
    (void)otp_wake(atomic_load_explicit(&pool->runtime, memory_order_acquire), (rusm_pid){id});
    atomic_fetch_add_explicit(&pool->wakes, 1, memory_order_release);
}

/* Nobody wakes any more when this returns. */
static void close_waking(void *arg) {
    struct wasm_pool *pool = arg;
    rwt_waking_close(pool->waking);
    pool->waking = NULL;
    (void)atomic_load_explicit(&pool->wakes, memory_order_acquire);
}

enum rusm_err pool_init(struct wasm_pool *pool, rusm_runtime *runtime,
                        const struct rusm_wasm_config *config, struct rusm_errinfo *error) {
    enum rusm_err err = pool_check_room(config, error);
    if (err != RUSM_OK) {
        return err;
    }
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    pool->config = *config;
    if (pool->config.memory_keep_resident == 0) {
        pool->config.memory_keep_resident =
            pool_has_pagemap_scan() ? KEEP_RESIDENT_SCAN : KEEP_RESIDENT_PLAIN;
    }
    atomic_store_explicit(&pool->runtime, runtime, memory_order_release);
    pool->lane_count = info.schedulers;
    pool->slots_per_lane = (config->instances_max + info.schedulers - 1) / info.schedulers;
    pthread_mutex_init(&pool->wait_lock, NULL);
    pool->waking = rwt_waking_new(wake_pid, pool);
    pool->at_end = (struct otp_at_end){close_waking, pool, NULL};
    otp_at_end(runtime, &pool->at_end);
    pool->lanes =
        rusm_zalloc_aligned(alignof(struct wasm_lane), info.schedulers * sizeof(struct wasm_lane));
    if (!pool->lanes) {
        return errinfo_set(error, RUSM_ERR_NOMEM, "no memory for the pool");
    }
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        err = make_engine(pool, &pool->lanes[i], error);
        if (err != RUSM_OK) {
            return err;
        }
    }
    err = start_clock(pool);
    return err == RUSM_OK ? err : errinfo_set(error, err, "no thread for the guests' clock");
}

void pool_deinit(struct wasm_pool *pool) {
    struct rusm_wasm_info info;
    stop_clock(pool);
    if (pool->waking) { /* the runtime lives on */
        otp_at_end_cancel(pool->runtime, &pool->at_end);
        close_waking(pool);
    }
    if (pool->lanes) {
        pool_info(pool, &info);
        RUSM_ASSERT(info.instances == 0);
    }
    for (uint32_t i = 0; pool->lanes && i < pool->lane_count; i++) {
        if (pool->lanes[i].engine) {
            rwt_linker_delete(pool->lanes[i].linker);
            rwt_engine_delete(pool->lanes[i].engine);
        }
    }
    rusm_free(pool->lanes);
    rusm_free(pool->waiters);
    pthread_mutex_destroy(&pool->wait_lock);
}

void pool_info(const struct wasm_pool *pool, struct rusm_wasm_info *out) {
    memset(out, 0, sizeof *out);
    out->instances_max = pool->slots_per_lane * pool->lane_count;
    out->waiting = atomic_load_explicit(&pool->waiter_count, memory_order_relaxed);
    /* Ends first: more may have started since, but none has ended that was not started. */
    uint64_t ended = 0;
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        ended += counter_get(&pool->lanes[i].ended);
    }
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        const struct wasm_lane *lane = &pool->lanes[i];
        out->started += counter_get(&lane->started);
        out->yields += counter_get(&lane->yields);
        out->notifies += counter_get(&lane->notifies);
        out->memory_bytes += counter_get(&lane->memory_bytes);
    }
    out->instances = out->started > ended ? out->started - ended : 0;
}

/* ---- waiting for a slot ---- */

static uint32_t ring_index(const struct wasm_pool *pool, uint32_t i) {
    return (pool->waiter_head + i) % pool->config.spawn_queue_max;
}

/* Under the lock: take out the waiter at place `i`, keeping the others' order. */
static rusm_pid take_waiter(struct wasm_pool *pool, uint32_t i) {
    uint32_t count = atomic_load_explicit(&pool->waiter_count, memory_order_relaxed);
    rusm_pid pid = pool->waiters[ring_index(pool, i)];
    for (; i > 0; i--) {
        pool->waiters[ring_index(pool, i)] = pool->waiters[ring_index(pool, i - 1)];
    }
    pool->waiter_head = ring_index(pool, 1);
    atomic_store_explicit(&pool->waiter_count, count - 1, memory_order_relaxed);
    return pid;
}

enum rusm_err pool_wait_enter(struct wasm_pool *pool, rusm_pid pid) {
    enum rusm_err err = RUSM_OK;
    pthread_mutex_lock(&pool->wait_lock);
    uint32_t count = atomic_load_explicit(&pool->waiter_count, memory_order_relaxed);
    if (!pool->waiters) {
        pool->waiters = rusm_alloc(pool->config.spawn_queue_max * sizeof *pool->waiters);
    }
    if (!pool->waiters) {
        err = RUSM_ERR_NOMEM;
    } else if (count == pool->config.spawn_queue_max) {
        err = RUSM_ERR_QUEUE_FULL;
    } else {
        pool->waiters[ring_index(pool, count)] = pid;
        /* seq_cst: pairs with pool_slot_freed. Who frees a slot after the failed try that follows
         * this sees the waiter. */
        atomic_store_explicit(&pool->waiter_count, count + 1, memory_order_seq_cst);
    }
    pthread_mutex_unlock(&pool->wait_lock);
    return err;
}

bool pool_wait_leave(struct wasm_pool *pool, rusm_pid pid) {
    pthread_mutex_lock(&pool->wait_lock);
    uint32_t count = atomic_load_explicit(&pool->waiter_count, memory_order_relaxed);
    bool found = false;
    for (uint32_t i = 0; i < count && !found; i++) {
        found = pool->waiters[ring_index(pool, i)].v == pid.v;
        if (found) {
            (void)take_waiter(pool, i);
        }
    }
    pthread_mutex_unlock(&pool->wait_lock);
    return found;
}

static __attribute__((noinline, cold)) void wake_waiter(struct wasm_pool *pool) {
    bool woken = false;
    while (!woken) {
        rusm_pid pid = {0};
        pthread_mutex_lock(&pool->wait_lock);
        if (atomic_load_explicit(&pool->waiter_count, memory_order_relaxed) > 0) {
            pid = take_waiter(pool, 0);
        }
        pthread_mutex_unlock(&pool->wait_lock);
        /* One that was killed while it waited passes the slot on. */
        woken = pid.v == 0 || otp_wake(pool->runtime, pid);
    }
}

void pool_slot_freed(struct wasm_pool *pool) {
    if (__builtin_expect(atomic_load_explicit(&pool->waiter_count, memory_order_seq_cst) > 0, 0)) {
        wake_waiter(pool);
    }
}
