/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Spawn storm: W spawner processes create processes with an empty body as fast as they can.
 * One operation is one process created, run and reaped, counted by the runtime itself (`finished`).
 * One spawn in SAMPLE_EVERY is timed, from before the call until the process has been reaped; the
 * call alone is a second latency. Samples travel through a ring that each spawner has for itself:
 * the reaping scheduler writes the end time, the spawner records it when it comes by.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include <stdalign.h>
#include <stdatomic.h>

#define SAMPLE_EVERY    128u
#define CHECK_CAP_EVERY 512u
#define SAMPLES         1024u /* under way at once, a spawner; a power of two */

struct sample {
    uint64_t start_ticks;       /* spawner */
    _Atomic uint64_t end_ticks; /* 0 until reaped; written by the scheduler that reaps */
};

struct spawner {
    struct storm *storm;
    uint32_t head;            /* samples taken */
    uint32_t tail;            /* samples recorded */
    struct histogram *reaped; /* owned; written by the spawner */
    struct histogram *call;   /* owned; written by the spawner */
    _Atomic uint64_t descriptor_bytes;
    alignas(64) struct sample samples[SAMPLES];
};

struct storm {
    struct engine_config config;
    uint64_t finished_before; /* by the runtime, ever, when the storm began */
    uint64_t population_before;
    struct spawner *spawners; /* owned, config.workers of them */
    atomic_bool stopping;
    _Atomic uint32_t alive; /* spawners */
};

/* --- inside --- */

static void empty(void *arg) {
    (void)arg;
}

static void on_reaped(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct sample *sample = arg;
    /* Release: pairs with collect; the slot is the spawner's again. */
    atomic_store_explicit(&sample->end_ticks, clock_ticks() | 1u, memory_order_release);
}

/* Record the samples whose processes have been reaped, in the order they were taken. */
static void collect(struct spawner *self) {
    while (self->tail != self->head) {
        struct sample *sample = &self->samples[self->tail % SAMPLES];
        uint64_t end = atomic_load_explicit(&sample->end_ticks, memory_order_acquire);
        if (end == 0) {
            return;
        }
        uint64_t ticks = end > sample->start_ticks ? end - sample->start_ticks : 0;
        histogram_record(self->reaped, clock_ticks_to_ns(ticks));
        self->tail++;
    }
}

static void spawn_sampled(struct spawner *self) {
    collect(self);
    if (self->head - self->tail == SAMPLES) {
        (void)rusm_spawn(NULL, empty, NULL, NULL, NULL);
        return;
    }
    struct sample *sample = &self->samples[self->head % SAMPLES];
    const struct rusm_spawn_opts opts = {.on_exit = on_reaped, .on_exit_arg = sample};
    struct rusm_process_info info;
    rusm_pid pid;
    atomic_store_explicit(&sample->end_ticks, 0, memory_order_relaxed);
    sample->start_ticks = clock_ticks();
    if (rusm_spawn(NULL, empty, NULL, &opts, &pid) != RUSM_OK) {
        return;
    }
    histogram_record(self->call, clock_ticks_to_ns(clock_ticks() - sample->start_ticks));
    self->head++;
    /* Often it has not run yet: what it holds is its descriptor. */
    if (rusm_process_info(NULL, pid, &info) == RUSM_OK) {
        atomic_store_explicit(&self->descriptor_bytes, info.memory_bytes, memory_order_relaxed);
    }
}

static void sum_counters(rusm_runtime *runtime, uint64_t *spawned, uint64_t *finished) {
    struct rusm_scheduler_info info;
    *spawned = 0;
    *finished = 0;
    for (uint32_t i = 0; rusm_scheduler_info(runtime, i, &info) == RUSM_OK; i++) {
        *spawned += info.spawned;
        *finished += info.finished;
    }
}

static bool is_over_cap(const struct storm *storm) {
    uint64_t spawned;
    uint64_t finished;
    sum_counters(storm->config.runtime, &spawned, &finished);
    return spawned > finished + storm->population_before &&
           spawned - finished - storm->population_before > storm->config.population_cap;
}

static bool is_stopping(const struct storm *storm) {
    return atomic_load_explicit(&storm->stopping, memory_order_relaxed);
}

static void spawner_body(void *arg) {
    struct spawner *self = arg;
    const struct storm *storm = self->storm;
    uint32_t until_check = CHECK_CAP_EVERY / SAMPLE_EVERY;
    while (!is_stopping(storm)) {
        for (uint32_t i = 1; i < SAMPLE_EVERY; i++) {
            if (rusm_spawn(NULL, empty, NULL, NULL, NULL) != RUSM_OK) {
                rusm_yield();
            }
        }
        spawn_sampled(self);
        if (--until_check == 0) {
            until_check = CHECK_CAP_EVERY / SAMPLE_EVERY;
            while (is_over_cap(storm) && !is_stopping(storm)) {
                rusm_yield();
            }
        }
    }
}

static void on_spawner_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct storm *storm = arg;
    /* Release: pairs with storm_stopped; the spawner's ring is at rest. */
    atomic_fetch_sub_explicit(&storm->alive, 1, memory_order_release);
}

/* --- outside --- */

static bool storm_stopped(void *run) {
    struct storm *storm = run;
    struct rusm_runtime_info info;
    if (atomic_load_explicit(&storm->alive, memory_order_acquire) != 0) {
        return false;
    }
    rusm_runtime_info(storm->config.runtime, &info);
    if (info.process_count > storm->population_before) {
        return false;
    }
    for (uint32_t i = 0; i < storm->config.workers; i++) {
        collect(&storm->spawners[i]); /* its spawner is gone: the ring is ours */
        if (storm->spawners[i].tail != storm->spawners[i].head) {
            return false;
        }
    }
    return true;
}

static void storm_free(struct storm *storm) {
    for (uint32_t i = 0; storm->spawners && i < storm->config.workers; i++) {
        histogram_destroy(storm->spawners[i].reaped);
        histogram_destroy(storm->spawners[i].call);
    }
    rusm_free(storm->spawners);
    rusm_free(storm);
}

static void storm_destroy(void *run) {
    RUSM_ASSERT(storm_stopped(run));
    storm_free(run);
}

static struct storm *storm_create(const struct engine_config *config) {
    struct storm *storm = rusm_zalloc(sizeof(*storm));
    if (!storm) {
        return NULL;
    }
    storm->config = *config;
    storm->spawners =
        rusm_zalloc_aligned(alignof(struct spawner), config->workers * sizeof(struct spawner));
    for (uint32_t i = 0; storm->spawners && i < config->workers; i++) {
        struct spawner *spawner = &storm->spawners[i];
        spawner->storm = storm;
        spawner->reaped = histogram_create();
        spawner->call = histogram_create();
        if (!spawner->reaped || !spawner->call) {
            storm_free(storm);
            return NULL;
        }
    }
    if (!storm->spawners) {
        storm_free(storm);
        return NULL;
    }
    return storm;
}

static void storm_stop(void *run) {
    struct storm *storm = run;
    atomic_store_explicit(&storm->stopping, true, memory_order_relaxed);
}

static enum rusm_err storm_start(const struct engine_config *config, void **out) {
    RUSM_ASSERT(config->workers > 0);
    struct storm *storm = storm_create(config);
    if (!storm) {
        return RUSM_ERR_NOMEM;
    }
    struct rusm_runtime_info info;
    uint64_t spawned;
    rusm_runtime_info(config->runtime, &info);
    storm->population_before = info.process_count;
    sum_counters(config->runtime, &spawned, &storm->finished_before);
    for (uint32_t i = 0; i < config->workers; i++) {
        const struct rusm_spawn_opts opts = {
            .label = "spawn-storm spawner", .on_exit = on_spawner_exit, .on_exit_arg = storm};
        atomic_fetch_add_explicit(&storm->alive, 1, memory_order_relaxed);
        enum rusm_err err =
            rusm_spawn(config->runtime, spawner_body, &storm->spawners[i], &opts, NULL);
        if (err != RUSM_OK) {
            atomic_fetch_sub_explicit(&storm->alive, 1, memory_order_relaxed);
            storm_stop(storm);
            while (!storm_stopped(storm)) {
            }
            storm_free(storm);
            return err;
        }
    }
    *out = storm;
    return RUSM_OK;
}

static uint64_t storm_ops(void *run) {
    const struct storm *storm = run;
    uint64_t spawned;
    uint64_t finished;
    sum_counters(storm->config.runtime, &spawned, &finished);
    return finished - storm->finished_before;
}

static void storm_latency(void *run, uint32_t which, struct histogram *into) {
    const struct storm *storm = run;
    for (uint32_t i = 0; i < storm->config.workers; i++) {
        const struct spawner *spawner = &storm->spawners[i];
        histogram_add(into, which == 0 ? spawner->reaped : spawner->call);
    }
}

static uint32_t storm_metrics(void *run, struct engine_metric out[ENGINE_METRICS_MAX]) {
    const struct storm *storm = run;
    uint64_t bytes =
        atomic_load_explicit(&storm->spawners[0].descriptor_bytes, memory_order_relaxed);
    out[0] = (struct engine_metric){"linear_memory_bytes", "bytes", 0};
    out[1] = (struct engine_metric){"descriptor_bytes", "bytes", (double)bytes};
    return 2;
}

const struct engine engine_spawn_storm = {
    .id = "spawn-storm",
    .latencies = {"spawn to reaped", "spawn_call", NULL},
    .start = storm_start,
    .ops = storm_ops,
    .latency = storm_latency,
    .metrics = storm_metrics,
    .stop = storm_stop,
    .stopped = storm_stopped,
    .destroy = storm_destroy,
};
