/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * W spawners keep IN_FLIGHT guests each on their way. One guest in SAMPLE_EVERY is timed, from
 * before the spawn until it has been reaped; samples travel as in spawn_storm.c, in a place that
 * the reaping scheduler fills in and the spawner collects.
 */
#include "engines/guest_storm.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include <stdalign.h>

#define IN_FLIGHT    100u
#define SAMPLE_EVERY 32u

struct spawner {
    struct storm *storm;
    struct histogram *reaped_after;      /* owned; written by the spawner */
    uint64_t spawned;                    /* by the spawner */
    uint64_t sample_start;               /* ticks; 0 = no sample is under way */
    alignas(64) _Atomic uint64_t reaped; /* by the schedulers that reap */
    _Atomic uint64_t sample_end;         /* ticks; 0 until the sample has been reaped */
};

struct storm {
    struct guest_run run;
    guest_storm_program_fn program;
    struct spawner *spawners; /* owned */
};

/* --- inside --- */

static void count_reaped(struct spawner *spawner, const struct rusm_exit_reason *reason) {
    if (reason->kind != RUSM_EXIT_NORMAL) {
        guest_run_fail(&spawner->storm->run, "a guest has failed: %.*s", (int)reason->payload_bytes,
                       (const char *)reason->payload);
    }
    /* Release: pairs with the spawner's reading, and with guest_storm_stopped. */
    atomic_fetch_add_explicit(&spawner->reaped, 1, memory_order_release);
}

static void on_reaped(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    count_reaped(arg, reason);
}

static void on_sample_reaped(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct spawner *spawner = arg;
    (void)pid;
    /* Release: pairs with collect. */
    atomic_store_explicit(&spawner->sample_end, clock_ticks() | 1u, memory_order_release);
    count_reaped(spawner, reason);
}

static void collect(struct spawner *self) {
    uint64_t end = atomic_load_explicit(&self->sample_end, memory_order_acquire);
    if (self->sample_start == 0 || end == 0) {
        return;
    }
    uint64_t ticks = end > self->sample_start ? end - self->sample_start : 0;
    histogram_record(self->reaped_after, clock_ticks_to_ns(ticks));
    self->sample_start = 0;
}

static bool spawn_one(struct spawner *self) {
    struct guest_run *run = &self->storm->run;
    struct rusm_errinfo error = {"no guest could be spawned"};
    rusm_program *program = run->programs[0];
    struct rusm_spawn_opts opts = {.on_exit = on_reaped, .on_exit_arg = self};
    if (self->spawned % SAMPLE_EVERY == 0) {
        collect(self);
        if (self->sample_start == 0) {
            atomic_store_explicit(&self->sample_end, 0, memory_order_relaxed);
            self->sample_start = clock_ticks();
            opts.on_exit = on_sample_reaped;
        }
    }
    enum rusm_err err = RUSM_OK;
    if (self->storm->program) {
        err = self->storm->program(run->programs[0], &program, &error);
    }
    if (err == RUSM_OK) {
        err = rusm_spawn_guest(program, &opts, NULL);
        if (self->storm->program) {
            rusm_program_release(program);
        }
    }
    if (err != RUSM_OK) {
        guest_run_fail(run, "%s: %s", rusm_err_text(err), error.text);
        if (opts.on_exit == on_sample_reaped) {
            self->sample_start = 0;
        }
        return false;
    }
    self->spawned++;
    return true;
}

static void spawner_body(void *arg) {
    struct spawner *self = arg;
    const struct guest_run *run = &self->storm->run;
    while (!guest_run_is_stopping(run)) {
        uint64_t reaped = atomic_load_explicit(&self->reaped, memory_order_acquire);
        while (self->spawned - reaped < IN_FLIGHT && spawn_one(self)) {
        }
        rusm_yield();
    }
    while (atomic_load_explicit(&self->reaped, memory_order_acquire) != self->spawned) {
        rusm_yield();
    }
    collect(self);
}

static void begin(struct guest_run *run) {
    struct storm *storm = (struct storm *)(void *)run;
    for (uint32_t i = 0; i < run->config.workers; i++) {
        const struct rusm_spawn_opts opts = guest_run_opts(run, "spawns guests");
        enum rusm_err err = rusm_spawn(NULL, spawner_body, &storm->spawners[i], &opts, NULL);
        if (err != RUSM_OK) {
            guest_run_not_spawned(run);
            guest_run_fail(run, "%s", rusm_err_text(err));
        }
    }
}

/* --- outside --- */

static void storm_free(struct storm *storm, uint32_t workers) {
    for (uint32_t i = 0; storm->spawners && i < workers; i++) {
        histogram_destroy(storm->spawners[i].reaped_after);
    }
    rusm_free(storm->spawners);
    rusm_free(storm);
}

static struct storm *storm_create(uint32_t workers) {
    struct storm *storm = rusm_zalloc(sizeof *storm);
    if (!storm) {
        return NULL;
    }
    storm->spawners =
        rusm_zalloc_aligned(alignof(struct spawner), workers * sizeof(struct spawner));
    bool complete = storm->spawners != NULL;
    for (uint32_t i = 0; complete && i < workers; i++) {
        storm->spawners[i].storm = storm;
        storm->spawners[i].reaped_after = histogram_create();
        complete = storm->spawners[i].reaped_after != NULL;
    }
    if (!complete) {
        storm_free(storm, workers);
        return NULL;
    }
    return storm;
}

enum rusm_err guest_storm_start(const struct engine_config *config, const char *const *text,
                                guest_storm_program_fn program, void **out) {
    struct storm *storm = storm_create(config->workers);
    if (!storm) {
        return RUSM_ERR_NOMEM;
    }
    storm->program = program;
    enum rusm_err err = guest_run_start(&storm->run, config, text, 1, begin);
    if (err != RUSM_OK) {
        storm_free(storm, config->workers);
        return err;
    }
    *out = storm;
    return RUSM_OK;
}

uint64_t guest_storm_ops(void *run) {
    const struct storm *storm = run;
    uint64_t ops = 0;
    for (uint32_t i = 0; i < storm->run.config.workers; i++) {
        ops += atomic_load_explicit(&storm->spawners[i].reaped, memory_order_relaxed);
    }
    return ops;
}

void guest_storm_latency(void *run, uint32_t which, struct histogram *into) {
    const struct storm *storm = run;
    (void)which;
    for (uint32_t i = 0; i < storm->run.config.workers; i++) {
        histogram_add(into, storm->spawners[i].reaped_after);
    }
}

uint32_t guest_storm_metrics(void *run, struct engine_metric out[ENGINE_METRICS_MAX]) {
    const struct storm *storm = run;
    uint64_t load_ns = atomic_load_explicit(&storm->run.load_ns, memory_order_relaxed);
    out[0] = (struct engine_metric){"linear_memory_bytes", "bytes", 65536};
    out[1] = (struct engine_metric){"cold_compile_ns", "ns", (double)load_ns};
    return 2;
}

void guest_storm_stop(void *run) {
    guest_run_stop(run);
}

bool guest_storm_stopped(void *run) {
    return guest_run_stopped(run);
}

void guest_storm_destroy(void *run) {
    struct storm *storm = run;
    guest_run_deinit(&storm->run);
    storm_free(storm, storm->run.config.workers);
}
