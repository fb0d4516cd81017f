/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What an engine is: the code that does one scenario's work, real processes doing real things. The
 * runner starts it, samples it once a tick and asks it to stop; it never waits for it.
 *
 * Thread rules: all calls come from one thread that is no scheduler's. None may block for longer
 * than it takes to read some counters; stop only asks.
 * An engine's hot path writes only what belongs to one worker: its own counter, its own histogram.
 * It includes the public headers, this one and base/clock.h, base/counter.h, base/histogram.h; no
 * engine knows another.
 */
#ifndef ENGINES_ENGINE_H
#define ENGINES_ENGINE_H

#include "base/histogram.h"
#include <rusm/rusm.h>
#include <rusm/wasm.h>

#define ENGINE_METRICS_MAX   8u
#define ENGINE_LATENCIES_MAX 3u

struct greeter;

struct engine_config {
    rusm_runtime *runtime;   /* borrowed until destroy */
    uint32_t workers;        /* at least 1 */
    uint32_t population_cap; /* processes it may hold at once */
    /* What runs guests in that runtime, made when first asked for; lives as long as the runtime.
     * NULL with a text: it cannot be made. Called on a thread that may block. NULL in a build
     * without WebAssembly. */
    rusm_wasm *(*wasm)(void *arg, struct rusm_errinfo *error);
    void *wasm_arg;
    struct greeter *greeter; /* the custom bridge defined in it; NULL in such a build */
};

struct engine_metric {
    const char *name;
    const char *unit;
    double value;
};

struct engine {
    const char *id; /* of the scenario */
    /* Names of the latencies, ended by NULL. The first is the scenario's own and gives p50_ns and
     * so on; another, say "spawn_call", gives spawn_call_p50_ns and so on. */
    const char *latencies[ENGINE_LATENCIES_MAX + 1];
    /* Start the workers. `out` gets a run, owned by the caller. After an error nothing runs. */
    enum rusm_err (*start)(const struct engine_config *config, void **out);
    /* Operations done since the start. */
    uint64_t (*ops)(void *run);
    /* Add everything recorded since the start of the latency at index `which` to `into`. */
    void (*latency)(void *run, uint32_t which, struct histogram *into);
    /* Further figures, at most ENGINE_METRICS_MAX; the number of them. May be NULL. */
    uint32_t (*metrics)(void *run, struct engine_metric out[ENGINE_METRICS_MAX]);
    /* Why the run cannot go on, borrowed; NULL while it can. NULL: it always can. */
    const char *(*problem)(void *run);
    /* Ask all workers to end. */
    void (*stop)(void *run);
    /* True once every process of the run has ended, after stop. */
    bool (*stopped)(void *run);
    /* Free the run. Asserted: stopped. */
    void (*destroy)(void *run);
    /* A further shape of the scenario, or NULL. Where a run is only to bring figures, it is run by
     * itself after this one, and its rate is the metric `second_metric`. */
    const struct engine *second;
    const char *second_metric;
};

#endif
