/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/runner.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "runner/latency.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS     1000000u
#define NS_PER_SECOND 1e9
#define CLOSE_POLL_NS 500000
#define NAME_BYTES    48u
#define EXTRA_METRICS 2u /* of each further latency: p50 and p99 */

enum phase { PHASE_IDLE, PHASE_WARMING_UP, PHASE_MEASURING, PHASE_STOPPING };

struct runner {
    struct runner_config config;
    enum node_profile profile;
    enum phase phase;
    const struct node_scenario *scenario; /* NULL while idle */
    const struct node_scenario *pending;  /* to start once idle; NULL = none */
    const struct engine *engine;
    void *run; /* owned, of the engine */
    uint32_t workers;
    uint64_t start_ns;
    uint64_t last_ns;
    uint64_t last_ops;
    double ops_per_sec;
    uint64_t peak;
    uint64_t measure_ns; /* when the warm-up ended */
    uint64_t measure_ops;
    uint32_t point_count;
    double points[NODE_POINTS_MAX]; /* the oldest first */
    bool moved;                     /* an operation has been seen */
    bool stalled;
    uint64_t moved_ns; /* when the latest was */
    char warning[NODE_WARNING_BYTES];
    char problem[NODE_WARNING_BYTES]; /* "" = none */
    uint32_t latency_count;
    struct latency latencies[ENGINE_LATENCIES_MAX];
    char extra_names[ENGINE_LATENCIES_MAX][EXTRA_METRICS][NAME_BYTES];
};

/* --- life --- */

static void warn_on_stderr(void *arg, const char *text) {
    (void)arg;
    (void)fprintf(stderr, "rusm-bench: warning: %s\n", text);
}

enum rusm_err runner_create(const struct runner_config *config, struct runner **out) {
    RUSM_ASSERT(config->runtime && config->cores > 0);
    struct runner *runner = rusm_zalloc(sizeof(*runner));
    if (!runner) {
        return RUSM_ERR_NOMEM;
    }
    runner->config = *config;
    runner->profile = config->profile;
    runner->config.warn = config->warn ? config->warn : warn_on_stderr;
    runner->config.find_engine = config->find_engine ? config->find_engine : catalog_engine;
    runner->config.now_ns = config->now_ns ? config->now_ns : clock_mono_ns;
    *out = runner;
    return RUSM_OK;
}

void runner_destroy(struct runner *runner) {
    RUSM_ASSERT(runner->phase == PHASE_IDLE);
    rusm_free(runner);
}

/* --- start and stop --- */

static uint32_t wanted_workers(const struct runner *runner) {
    return runner->config.workers > 0 ? runner->config.workers
                                      : node_profile_workers(runner->profile, runner->config.cores);
}

static void free_latencies(struct runner *runner) {
    for (uint32_t i = 0; i < runner->latency_count; i++) {
        latency_deinit(&runner->latencies[i]);
    }
    runner->latency_count = 0;
}

static enum rusm_err make_latencies(struct runner *runner) {
    static const char *const percentiles[EXTRA_METRICS] = {"p50", "p99"};
    for (uint32_t i = 0; runner->engine->latencies[i]; i++) {
        if (latency_init(&runner->latencies[i]) != RUSM_OK) {
            free_latencies(runner);
            return RUSM_ERR_NOMEM;
        }
        runner->latency_count = i + 1;
        for (uint32_t k = 0; k < EXTRA_METRICS; k++) {
            (void)snprintf(runner->extra_names[i][k], NAME_BYTES, "%.30s_%s_ns",
                           runner->engine->latencies[i], percentiles[k]);
        }
    }
    return RUSM_OK;
}

static void reset_figures(struct runner *runner, uint64_t now_ns) {
    runner->start_ns = now_ns;
    runner->last_ns = now_ns;
    runner->moved_ns = now_ns;
    runner->last_ops = 0;
    runner->ops_per_sec = 0;
    runner->peak = 0;
    runner->measure_ns = 0;
    runner->measure_ops = 0;
    runner->point_count = 0;
    runner->moved = false;
    runner->stalled = false;
}

const char *runner_problem(const struct runner *runner) {
    return runner->problem[0] ? runner->problem : NULL;
}

static const char *begin(struct runner *runner, const struct node_scenario *scenario) {
    const struct engine_config config = {
        .runtime = runner->config.runtime,
        .workers = wanted_workers(runner),
        .population_cap = node_population_cap(runner->config.cores),
        .wasm = runner->config.wasm,
        .wasm_arg = runner->config.wasm_arg,
        .greeter = runner->config.greeter,
    };
    runner->engine = runner->config.find_engine(scenario->id);
    RUSM_ASSERT(runner->engine);
    if (make_latencies(runner) != RUSM_OK) {
        return "out of memory";
    }
    enum rusm_err err = runner->engine->start(&config, &runner->run);
    if (err != RUSM_OK) {
        free_latencies(runner);
        return rusm_err_text(err);
    }
    runner->scenario = scenario;
    runner->problem[0] = 0;
    runner->workers = config.workers;
    runner->phase = PHASE_WARMING_UP;
    reset_figures(runner, runner->config.now_ns());
    return NULL;
}

const char *runner_run(struct runner *runner, const char *scenario) {
    const struct node_scenario *known = catalog_scenario(scenario);
    if (!known) {
        return "there is no such scenario";
    }
    if (!runner->config.find_engine(scenario)) {
        return "this scenario has no engine yet";
    }
    if (runner->phase == PHASE_IDLE) {
        return begin(runner, known);
    }
    runner_stop(runner);
    runner->pending = known;
    return NULL;
}

void runner_stop(struct runner *runner) {
    runner->pending = NULL;
    if (runner->phase == PHASE_WARMING_UP || runner->phase == PHASE_MEASURING) {
        runner->engine->stop(runner->run);
        runner->phase = PHASE_STOPPING;
    }
}

void runner_set_profile(struct runner *runner, enum node_profile profile) {
    runner->profile = profile;
    bool runs = runner->phase == PHASE_WARMING_UP || runner->phase == PHASE_MEASURING;
    if (runs && wanted_workers(runner) != runner->workers) {
        const struct node_scenario *scenario = runner->scenario;
        runner_stop(runner);
        runner->pending = scenario;
    }
}

/* The engine has stopped: let go of the run, start the one that waits. */
static void finish(struct runner *runner) {
    runner->engine->destroy(runner->run);
    runner->run = NULL;
    free_latencies(runner);
    const struct node_scenario *pending = runner->pending;
    runner->pending = NULL;
    runner->scenario = NULL;
    runner->phase = PHASE_IDLE;
    reset_figures(runner, runner->config.now_ns());
    if (pending) {
        const char *problem = begin(runner, pending);
        if (problem) {
            runner->config.warn(runner->config.warn_arg, problem);
        }
    }
}

void runner_close(struct runner *runner) {
    const struct timespec pause = {.tv_nsec = CLOSE_POLL_NS};
    runner_stop(runner);
    while (runner->phase == PHASE_STOPPING) {
        if (runner->engine->stopped(runner->run)) {
            finish(runner);
        } else {
            (void)nanosleep(&pause, NULL);
        }
    }
}

/* --- ticks --- */

static void add_point(struct runner *runner, double rate) {
    if (runner->point_count == NODE_POINTS_MAX) {
        memmove(runner->points, runner->points + 1, (NODE_POINTS_MAX - 1) * sizeof(double));
        runner->point_count--;
    }
    runner->points[runner->point_count++] = rate;
}

static void guard_stall(struct runner *runner, uint64_t now_ns, uint64_t done) {
    if (done > 0) {
        runner->moved = true;
        runner->moved_ns = now_ns;
        runner->stalled = false;
        return;
    }
    uint64_t still_ms = (now_ns - runner->moved_ns) / NS_PER_MS;
    if (runner->moved && !runner->stalled && still_ms >= RUNNER_STALL_MS) {
        runner->stalled = true;
        (void)snprintf(runner->warning, sizeof(runner->warning),
                       "%s has done nothing for %u s: it is stalled", runner->scenario->id,
                       RUNNER_STALL_MS / 1000u);
        runner->config.warn(runner->config.warn_arg, runner->warning);
    }
}

static void end_warm_up(struct runner *runner, uint64_t now_ns, uint64_t ops) {
    runner->phase = PHASE_MEASURING;
    runner->measure_ns = now_ns;
    runner->measure_ops = ops;
    for (uint32_t i = 0; i < runner->latency_count; i++) {
        latency_mark(&runner->latencies[i], runner->engine, runner->run, i);
    }
}

static void sample(struct runner *runner) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runner->config.runtime, &info);
    uint64_t ops = runner->engine->ops(runner->run);
    uint64_t now_ns = runner->config.now_ns();
    if (now_ns <= runner->last_ns) {
        return;
    }
    uint64_t done = ops > runner->last_ops ? ops - runner->last_ops : 0;
    runner->ops_per_sec = (double)done * NS_PER_SECOND / (double)(now_ns - runner->last_ns);
    runner->peak = info.process_count > runner->peak ? info.process_count : runner->peak;
    add_point(runner, runner->ops_per_sec);
    guard_stall(runner, now_ns, done);
    for (uint32_t i = 0; i < runner->latency_count; i++) {
        latency_update(&runner->latencies[i], runner->engine, runner->run, i, now_ns);
    }
    runner->last_ns = now_ns;
    runner->last_ops = ops;
    if (runner->phase == PHASE_WARMING_UP &&
        now_ns - runner->start_ns >= (uint64_t)runner->config.warm_up_ms * NS_PER_MS) {
        end_warm_up(runner, now_ns, ops);
    }
}

/* A run that cannot go on is stopped, and says why. */
static void look_for_problem(struct runner *runner) {
    const struct engine *engine = runner->engine;
    const char *problem = engine->problem ? engine->problem(runner->run) : NULL;
    if (problem) {
        (void)snprintf(runner->problem, sizeof(runner->problem), "%s: %s", runner->scenario->id,
                       problem);
        runner->config.warn(runner->config.warn_arg, runner->problem);
        runner_stop(runner);
    }
}

void runner_tick(struct runner *runner) {
    switch (runner->phase) {
    case PHASE_IDLE:
        break;
    case PHASE_WARMING_UP:
    case PHASE_MEASURING:
        sample(runner);
        look_for_problem(runner);
        break;
    case PHASE_STOPPING:
        if (runner->engine->stopped(runner->run)) {
            finish(runner);
        }
        break;
    }
}

/* --- figures --- */

bool runner_is_active(const struct runner *runner) {
    return runner->phase != PHASE_IDLE;
}

uint64_t runner_measured_ns(const struct runner *runner) {
    return runner->phase == PHASE_MEASURING ? runner->last_ns - runner->measure_ns : 0;
}

uint32_t runner_workers(const struct runner *runner) {
    return runner->phase == PHASE_IDLE ? wanted_workers(runner) : runner->workers;
}

enum node_profile runner_profile(const struct runner *runner) {
    return runner->profile;
}

static void fill_metrics(const struct runner *runner, struct node_run *out) {
    struct engine_metric metrics[ENGINE_METRICS_MAX];
    uint32_t count = runner->engine->metrics ? runner->engine->metrics(runner->run, metrics) : 0;
    for (uint32_t i = 0; i < count && out->metric_count < NODE_METRICS_MAX; i++) {
        out->metrics[out->metric_count++] =
            (struct node_metric){metrics[i].name, metrics[i].unit, metrics[i].value};
    }
    for (uint32_t i = 1; i < runner->latency_count; i++) {
        const struct histogram_summary *window = &runner->latencies[i].window;
        if (out->metric_count + EXTRA_METRICS <= NODE_METRICS_MAX) {
            out->metrics[out->metric_count++] =
                (struct node_metric){runner->extra_names[i][0], "ns", (double)window->p50_ns};
            out->metrics[out->metric_count++] =
                (struct node_metric){runner->extra_names[i][1], "ns", (double)window->p99_ns};
        }
    }
}

void runner_fill(const struct runner *runner, struct node_run *out) {
    *out = (struct node_run){.profile = runner->profile};
    if (runner->phase != PHASE_WARMING_UP && runner->phase != PHASE_MEASURING) {
        return;
    }
    out->scenario = runner->scenario->id;
    out->running = true;
    out->warming_up = runner->phase == PHASE_WARMING_UP;
    out->stalled = runner->stalled;
    out->elapsed_ms = (runner->last_ns - runner->start_ns) / NS_PER_MS;
    out->ops_per_sec = runner->ops_per_sec;
    out->peak_concurrent = runner->peak;
    if (runner->latency_count > 0) {
        const struct histogram_summary *window = &runner->latencies[0].window;
        out->latency = (struct node_latency){
            .count = window->count,
            .min_ns = window->min_ns,
            .max_ns = window->max_ns,
            .mean_ns = window->mean_ns,
            .p50_ns = window->p50_ns,
            .p95_ns = window->p95_ns,
            .p99_ns = window->p99_ns,
            .p999_ns = window->p999_ns,
        };
    }
    out->point_count = runner->point_count;
    memcpy(out->points, runner->points, runner->point_count * sizeof(double));
    fill_metrics(runner, out);
    if (runner->stalled) {
        memcpy(out->warnings[out->warning_count++], runner->warning, sizeof(runner->warning));
    }
    if (runner->problem[0]) {
        memcpy(out->warnings[out->warning_count++], runner->problem, sizeof(runner->problem));
    }
}

static void add_metric(struct runner_summary *out, const char *name, const char *unit,
                       double value) {
    if (out->metric_count < RUNNER_METRICS_MAX) {
        struct runner_metric *metric = &out->metrics[out->metric_count++];
        (void)snprintf(metric->name, sizeof(metric->name), "%s", name);
        metric->unit = unit;
        metric->value = value;
    }
}

static void add_latency(struct runner *runner, uint32_t which, struct runner_summary *out) {
    struct histogram_summary total;
    latency_total(&runner->latencies[which], runner->engine, runner->run, which, &total);
    if (which > 0) {
        add_metric(out, runner->extra_names[which][0], "ns", (double)total.p50_ns);
        add_metric(out, runner->extra_names[which][1], "ns", (double)total.p99_ns);
        return;
    }
    add_metric(out, "p50_ns", "ns", (double)total.p50_ns);
    add_metric(out, "p95_ns", "ns", (double)total.p95_ns);
    add_metric(out, "p99_ns", "ns", (double)total.p99_ns);
    add_metric(out, "p999_ns", "ns", (double)total.p999_ns);
    add_metric(out, "max_ns", "ns", (double)total.max_ns);
}

void runner_summarize(struct runner *runner, struct runner_summary *out) {
    RUSM_ASSERT(runner->phase == PHASE_MEASURING);
    uint64_t elapsed_ns = runner->last_ns - runner->measure_ns;
    uint64_t done = runner->last_ops - runner->measure_ops;
    *out = (struct runner_summary){.elapsed_ns = elapsed_ns};
    add_metric(out, "ops_per_sec", runner->scenario->unit == NODE_UNIT_BYTES ? "B/s" : "1/s",
               elapsed_ns > 0 ? (double)done * NS_PER_SECOND / (double)elapsed_ns : 0);
    for (uint32_t i = 0; i < runner->latency_count; i++) {
        add_latency(runner, i, out);
    }
    add_metric(out, "peak_concurrent", "processes", (double)runner->peak);
    struct engine_metric metrics[ENGINE_METRICS_MAX];
    uint32_t count = runner->engine->metrics ? runner->engine->metrics(runner->run, metrics) : 0;
    for (uint32_t i = 0; i < count; i++) {
        add_metric(out, metrics[i].name, metrics[i].unit, metrics[i].value);
    }
}
