/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Fault recovery: W supervisors, one-for-one, with four permanent children each that crash as soon
 * as they run. One operation is one restart. One in SAMPLE_EVERY is timed, from just before the
 * crash to the first instruction of the replacement: a child leaves the time in its place, the next
 * one reads it first thing.
 *
 * The supervisors may restart for ever without keeping count; the second shape is the same with a
 * budget of COUNTED_RESTARTS within WITHIN_MS, which has to be counted and is never used up. Above
 * them is one process that starts them, and ends them when the run is to stop.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include <stdalign.h>
#include <stdatomic.h>

#define CHILDREN         4u
#define SAMPLE_EVERY     64u
#define WITHIN_MS        5000u
#define COUNTED_RESTARTS 2000000000u

/* Of one child under its supervisor. Written by the child that runs; the next one is started only
 * after the end of this one has come to the supervisor. */
struct place {
    alignas(64) counter restarts;
    uint64_t crash_ticks;       /* 0: that crash is not timed */
    bool taken;                 /* a child has run here before */
    struct histogram *recovery; /* owned */
};

struct recovery {
    /* Immutable after start. */
    struct engine_config config;
    uint32_t restarts_max;
    uint64_t population_before;
    struct place *places; /* owned, CHILDREN for each supervisor */
    rusm_pid root;
    /* The thread that calls stop. */
    bool asked; /* the root has been told to end */
    /* The root. */
    rusm_pid *supervisors; /* owned, config.workers of them; {0}: not started */
    alignas(64) atomic_bool root_ended;
};

/* --- inside --- */

static void crash(void *arg) {
    static const struct rusm_exit_reason reason = {.kind = RUSM_EXIT_ERROR};
    struct place *place = arg;
    if (place->crash_ticks != 0) {
        uint64_t now = clock_ticks();
        uint64_t ticks = now > place->crash_ticks ? now - place->crash_ticks : 0;
        histogram_record(place->recovery, clock_ticks_to_ns(ticks));
        place->crash_ticks = 0;
    }
    if (place->taken) {
        counter_add(&place->restarts, 1);
    }
    place->taken = true;
    if (counter_get(&place->restarts) % SAMPLE_EVERY == 0) {
        place->crash_ticks = clock_ticks();
    }
    rusm_exit(&reason);
}

static enum rusm_err start_supervisor(struct recovery *run, uint32_t index) {
    static const char *const ids[CHILDREN] = {"crasher 1", "crasher 2", "crasher 3", "crasher 4"};
    struct rusm_child children[CHILDREN];
    for (uint32_t i = 0; i < CHILDREN; i++) {
        children[i] = (struct rusm_child){.id = ids[i],
                                          .fiber = crash,
                                          .arg = &run->places[index * CHILDREN + i],
                                          .restart = RUSM_PERMANENT};
    }
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ONE,
                                         .max_restarts = run->restarts_max,
                                         .within_ms = WITHIN_MS,
                                         .children = children,
                                         .child_count = CHILDREN,
                                         .label = "fault-recovery supervisor"};
    return rusm_supervisor_start(run->config.runtime, &spec, &run->supervisors[index]);
}

/* Start what there is room for, wait until told to end, end it. A supervisor that gives up before
 * is not replaced: the rate shows it. */
static void root_body(void *arg) {
    struct recovery *run = arg;
    uint32_t alive = 0;
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < run->config.workers; i++) {
        if (start_supervisor(run, i) == RUSM_OK) {
            alive++;
        }
    }
    while (rusm_receive()->kind == RUSM_MSG_EXIT) {
        alive--;
    }
    for (uint32_t i = 0; i < run->config.workers; i++) {
        if (run->supervisors[i].v != 0) {
            rusm_supervisor_stop(run->config.runtime, run->supervisors[i]);
        }
    }
    while (alive > 0) {
        if (rusm_receive()->kind == RUSM_MSG_EXIT) {
            alive--;
        }
    }
}

static void on_root_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct recovery *run = arg;
    /* Release: pairs with recovery_stopped. */
    atomic_store_explicit(&run->root_ended, true, memory_order_release);
}

/* --- outside --- */

static void ask_to_end(struct recovery *run) {
    enum rusm_err err = rusm_post(run->config.runtime, run->root, NULL, 0);
    run->asked = err == RUSM_OK || err == RUSM_ERR_NOPROC;
}

static void recovery_stop(void *run) {
    ask_to_end(run);
}

static bool recovery_stopped(void *arg) {
    struct recovery *run = arg;
    if (!run->asked) {
        ask_to_end(run); /* there was no memory for it */
    }
    if (!atomic_load_explicit(&run->root_ended, memory_order_acquire)) {
        return false;
    }
    /* A process is told of another's end a moment before that one is no longer counted. */
    struct rusm_runtime_info info;
    rusm_runtime_info(run->config.runtime, &info);
    return info.process_count <= run->population_before;
}

static void recovery_free(struct recovery *run) {
    for (uint32_t i = 0; run->places && i < run->config.workers * CHILDREN; i++) {
        histogram_destroy(run->places[i].recovery);
    }
    rusm_free(run->places);
    rusm_free(run->supervisors);
    rusm_free(run);
}

static void recovery_destroy(void *run) {
    RUSM_ASSERT(recovery_stopped(run));
    recovery_free(run);
}

static struct recovery *recovery_create(const struct engine_config *config, uint32_t restarts_max) {
    struct recovery *run = rusm_zalloc_aligned(alignof(struct recovery), sizeof(*run));
    if (!run) {
        return NULL;
    }
    size_t places = (size_t)config->workers * CHILDREN;
    run->config = *config;
    run->restarts_max = restarts_max;
    run->supervisors = rusm_zalloc(config->workers * sizeof(rusm_pid));
    run->places = rusm_zalloc_aligned(alignof(struct place), places * sizeof(struct place));
    bool complete = run->supervisors && run->places;
    for (size_t i = 0; complete && i < places; i++) {
        run->places[i].recovery = histogram_create();
        complete = run->places[i].recovery != NULL;
    }
    if (!complete) {
        recovery_free(run);
        return NULL;
    }
    return run;
}

static enum rusm_err start_with(const struct engine_config *config, uint32_t restarts_max,
                                void **out) {
    RUSM_ASSERT(config->workers > 0);
    struct recovery *run = recovery_create(config, restarts_max);
    if (!run) {
        return RUSM_ERR_NOMEM;
    }
    const struct rusm_spawn_opts opts = {
        .label = "fault-recovery root", .on_exit = on_root_exit, .on_exit_arg = run};
    struct rusm_runtime_info info;
    rusm_runtime_info(config->runtime, &info);
    run->population_before = info.process_count;
    enum rusm_err err = rusm_spawn(config->runtime, root_body, run, &opts, &run->root);
    if (err != RUSM_OK) {
        recovery_free(run);
        return err;
    }
    *out = run;
    return RUSM_OK;
}

static enum rusm_err recovery_start(const struct engine_config *config, void **out) {
    return start_with(config, RUSM_RESTARTS_UNLIMITED, out);
}

static enum rusm_err windowed_start(const struct engine_config *config, void **out) {
    return start_with(config, COUNTED_RESTARTS, out);
}

static uint64_t recovery_ops(void *arg) {
    const struct recovery *run = arg;
    uint64_t restarts = 0;
    for (uint32_t i = 0; i < run->config.workers * CHILDREN; i++) {
        restarts += counter_get(&run->places[i].restarts);
    }
    return restarts;
}

static void recovery_latency(void *arg, uint32_t which, struct histogram *into) {
    (void)which;
    const struct recovery *run = arg;
    for (uint32_t i = 0; i < run->config.workers * CHILDREN; i++) {
        histogram_add(into, run->places[i].recovery);
    }
}

static const struct engine windowed = {
    .id = "fault-recovery",
    .latencies = {"crash to running", NULL},
    .start = windowed_start,
    .ops = recovery_ops,
    .latency = recovery_latency,
    .stop = recovery_stop,
    .stopped = recovery_stopped,
    .destroy = recovery_destroy,
};

const struct engine engine_fault_recovery = {
    .id = "fault-recovery",
    .latencies = {"crash to running", NULL},
    .start = recovery_start,
    .ops = recovery_ops,
    .latency = recovery_latency,
    .stop = recovery_stop,
    .stopped = recovery_stopped,
    .destroy = recovery_destroy,
    .second = &windowed,
    .second_metric = "windowed_ops_per_sec",
};
