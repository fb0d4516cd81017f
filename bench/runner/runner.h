/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Runs one scenario at a time: starts its engine, samples it once a tick, warns when it stalls, and
 * sums up what came after the warm-up.
 *
 * Model. idle → warming up → measuring → stopping → idle. Stopping never waits: the engine is asked
 * to stop, and ticks look whether it has. A run asked for meanwhile starts when it has. The rate of
 * a tick is the difference of the engine's counter by the time on the monotonic clock.
 * Thread rules: one thread, no scheduler's. Nothing here blocks but runner_close.
 */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

#include "engines/catalog.h"

#define RUNNER_WARM_UP_MS  2000u
#define RUNNER_STALL_MS    2000u
#define RUNNER_METRICS_MAX NODE_METRICS_MAX

struct runner_config {
    rusm_runtime *runtime; /* borrowed */
    uint32_t cores;        /* of the machine: W and the cap come from it */
    enum node_profile profile;
    uint32_t workers; /* 0 = by the profile */
    uint32_t warm_up_ms;
    /* As struct engine_config has them. */
    rusm_wasm *(*wasm)(void *arg, struct rusm_errinfo *error);
    void *wasm_arg;
    struct greeter *greeter;
    /* Told of each stall and problem once; NULL = standard error. */
    void (*warn)(void *arg, const char *text);
    void *warn_arg;
    /* For tests; NULL = the catalogue, and the monotonic clock. */
    const struct engine *(*find_engine)(const char *id);
    uint64_t (*now_ns)(void);
};

struct runner_metric {
    char name[48];
    const char *unit;
    double value;
};

/* What a run brought since its warm-up. The first metric is ops_per_sec. */
struct runner_summary {
    uint64_t elapsed_ns;
    uint32_t metric_count;
    struct runner_metric metrics[RUNNER_METRICS_MAX];
};

struct runner;

/* Errors: NOMEM. */
enum rusm_err runner_create(const struct runner_config *config, struct runner **out);
/* Asserted: idle. */
void runner_destroy(struct runner *runner);

/* Start a scenario, after the one that runs has been stopped. NULL, or why not (static). */
const char *runner_run(struct runner *runner, const char *scenario);
void runner_stop(struct runner *runner);
/* A run under way starts anew, if it gets another number of workers. */
void runner_set_profile(struct runner *runner, enum node_profile profile);
/* Anything but idle. */
bool runner_is_active(const struct runner *runner);
/* Why the last run ended by itself; NULL if it did not. Lives until the next run. */
const char *runner_problem(const struct runner *runner);
/* Nanoseconds since the warm-up; 0 while it lasts, and when nothing runs. */
uint64_t runner_measured_ns(const struct runner *runner);
uint32_t runner_workers(const struct runner *runner);
enum node_profile runner_profile(const struct runner *runner);

/* Sample; move on. */
void runner_tick(struct runner *runner);
/* The state after the latest tick. */
void runner_fill(const struct runner *runner, struct node_run *out);
/* Asserted: measuring. */
void runner_summarize(struct runner *runner, struct runner_summary *out);

/* Stop what runs and wait until it has. */
void runner_close(struct runner *runner);

#endif
