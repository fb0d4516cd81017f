/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/commands.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "runner/build_info.h"
#include "runner/driver.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define NS_PER_SECOND    1000000000u
#define TICK_NS          (NS_PER_SECOND / NODE_TICKS_DEFAULT)
#define EXIT_FAILED      1
#define EXIT_INTERRUPTED 130

static int fail(const char *what, const char *why) {
    (void)fprintf(stderr, "rusm-bench: %s: %s\n", what, why);
    return EXIT_FAILED;
}

/* The set of signals that end the program. */
static sigset_t end_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void command_block_signals(void) {
    sigset_t set = end_signals();
    int rc = pthread_sigmask(SIG_BLOCK, &set, NULL);
    RUSM_ASSERT(rc == 0);
}

/* Wait that long; false when a signal came instead. */
static bool wait_ns(uint64_t duration_ns) {
    sigset_t set = end_signals();
    const struct timespec left = {.tv_sec = (time_t)(duration_ns / NS_PER_SECOND),
                                  .tv_nsec = (long)(duration_ns % NS_PER_SECOND)};
    return sigtimedwait(&set, NULL, &left) < 0;
}

static int interrupted(void) {
    (void)fprintf(stderr, "rusm-bench: interrupted\n");
    return EXIT_INTERRUPTED;
}

/* `idle`: room for so many processes beside what runs. */
static rusm_runtime *make_runtime(uint32_t schedulers, uint32_t idle) {
    struct rusm_config config;
    rusm_runtime *runtime;
    rusm_config_init(&config);
    config.schedulers = schedulers;
    config.log_level = RUSM_LOG_OFF; /* crashes are what fault-recovery does */
    idle_make_room(&config, idle);
    enum rusm_err err = rusm_runtime_create(&config, &runtime);
    if (err != RUSM_OK) {
        (void)fail("cannot start the runtime",
                   err == RUSM_ERR_SYSTEM ? strerror(errno) : rusm_err_text(err));
        return NULL;
    }
    return runtime;
}

/* A runtime, and what runs guests in it once a scenario asks. */
static bool make_host(uint32_t schedulers, uint32_t idle, struct wasm_host *out) {
    rusm_runtime *runtime = make_runtime(schedulers, idle);
    if (runtime && !wasm_host_init(out, runtime)) {
        (void)fail("cannot start", "out of memory");
        rusm_runtime_destroy(runtime);
        return false;
    }
    return runtime != NULL;
}

static void destroy_host(struct wasm_host *host) {
    rusm_runtime_destroy(host->runtime);
    wasm_host_deinit(host);
}

/* find_engine: NULL = the catalogue. */
static struct runner *make_runner(struct wasm_host *host, enum node_profile profile,
                                  uint32_t workers,
                                  const struct engine *(*find_engine)(const char *id)) {
    struct node_machine machine;
    struct runner *runner;
    node_machine_read(&machine);
    struct runner_config config = {
        .runtime = host->runtime,
        .cores = machine.cores,
        .profile = profile,
        .workers = workers,
        .warm_up_ms = RUNNER_WARM_UP_MS,
        .find_engine = find_engine,
    };
    driver_config_guests(&config, host);
    if (runner_create(&config, &runner) != RUSM_OK) {
        (void)fail("cannot start", "out of memory");
        return NULL;
    }
    return runner;
}

/* --- start --- */

static void fill_config(const struct start_options *options, struct wasm_host *host,
                        struct runner *runner, struct node_endpoint_config *out) {
    node_endpoint_config_init(out);
    out->host = options->host;
    out->port = options->port;
    out->ticks_per_second = options->ticks_per_second;
    out->dashboard_dir = options->dashboard_dir;
    out->peers_file = options->peers_file;
    out->origins = options->origins;
    out->name = "rusm-bench";
    out->version = rusm_version();
    out->commit = build_commit;
    out->dirty = build_dirty;
    out->runtime = host->runtime;
    out->driver = driver_of(runner, host);
    out->driver.profile = options->profile;
}

static int serve(const struct start_options *options, struct wasm_host *host,
                 struct runner *runner) {
    struct node_endpoint_config config;
    struct node_endpoint *endpoint;
    fill_config(options, host, runner, &config);
    enum rusm_err err = node_endpoint_start(&config, &endpoint);
    if (err != RUSM_OK) {
        char what[96];
        (void)snprintf(what, sizeof(what), "cannot listen on %s port %u", options->host,
                       options->port);
        return fail(what, err == RUSM_ERR_SYSTEM ? strerror(errno) : rusm_err_text(err));
    }
    bool v6 = strchr(options->host, ':') != NULL;
    (void)printf("http://%s%s%s:%u/\n", v6 ? "[" : "", options->host, v6 ? "]" : "",
                 node_endpoint_port(endpoint));
    (void)fflush(stdout);
    sigset_t set = end_signals();
    int signal_number;
    while (sigwait(&set, &signal_number) != 0) {
    }
    node_endpoint_stop(endpoint);
    return 0;
}

int command_start(const struct start_options *options) {
    struct wasm_host host;
    if (!make_host(options->schedulers, 0, &host)) {
        return EXIT_FAILED;
    }
    struct runner *runner = make_runner(&host, options->profile, 0, NULL);
    int code = EXIT_FAILED;
    if (runner) {
        code = serve(options, &host, runner);
        runner_close(runner);
        runner_destroy(runner);
    }
    destroy_host(&host);
    return code;
}

/* --- run --- */

/* Wait for the next tick; false when a signal came instead. */
static bool wait_tick(uint64_t *next_ns) {
    uint64_t now_ns = clock_mono_ns();
    *next_ns = *next_ns + TICK_NS > now_ns ? *next_ns + TICK_NS : now_ns;
    return wait_ns(*next_ns - now_ns);
}

/* One repeat: warm up, measure, stop. False when interrupted. */
static bool run_once(struct runner *runner, double seconds, struct runner_summary *out) {
    uint64_t next_ns = clock_mono_ns();
    uint64_t wanted_ns = (uint64_t)(seconds * NS_PER_SECOND);
    while (runner_measured_ns(runner) < wanted_ns || runner_measured_ns(runner) == 0) {
        if (!wait_tick(&next_ns) || runner_problem(runner)) {
            runner_close(runner);
            return false;
        }
        runner_tick(runner);
    }
    runner_summarize(runner, out);
    runner_close(runner);
    return true;
}

/* One repeat of one shape of the scenario. 0, or the exit code. */
static int run_shape(const struct run_options *options, struct runner *runner,
                     struct runner_summary *out) {
    const char *problem = runner_run(runner, options->scenario->id);
    if (problem) {
        return fail(options->scenario->id, problem);
    }
    if (!run_once(runner, options->seconds, out)) {
        return runner_problem(runner) ? EXIT_FAILED : interrupted();
    }
    return 0;
}

/* The same with the engine's second shape, of which the rate is added to `summary`. */
static int run_second(const struct run_options *options, struct runner *second,
                      struct runner_summary *summary) {
    struct runner_summary further;
    int code = run_shape(options, second, &further);
    if (code == 0 && summary->metric_count < RUNNER_METRICS_MAX) {
        struct runner_metric *metric = &summary->metrics[summary->metric_count++];
        *metric = further.metrics[0];
        (void)snprintf(metric->name, sizeof(metric->name), "%s",
                       catalog_engine(options->scenario->id)->second_metric);
    }
    return code;
}

/* `second` is NULL if the scenario has but one shape. */
static int run_repeats(const struct run_options *options, struct runner *runner,
                       struct runner *second, struct result *result) {
    result->workers = runner_workers(runner);
    for (uint32_t i = 0; i < options->repeats; i++) {
        int code = run_shape(options, runner, &result->summaries[i]);
        if (code == 0 && second) {
            code = run_second(options, second, &result->summaries[i]);
        }
        if (code != 0) {
            return code;
        }
        result->repeats = i + 1;
        if (options->repeats > 1) {
            (void)fprintf(stderr, "%u of %u: %.0f %s/s\n", i + 1, options->repeats,
                          result->summaries[i].metrics[0].value, options->scenario->ops_label);
        }
    }
    return 0;
}

/* For people, and as the JSON line. The exit code. */
static int print_result(const struct result *result, bool json) {
    result_print(result, json ? stderr : stdout);
    if (json && !result_print_json(result, stdout)) {
        return fail("cannot write the result", strerror(errno));
    }
    return 0;
}

static int run_and_print(const struct run_options *options, rusm_runtime *runtime,
                         struct runner *runner, struct runner *second) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    struct result *result = rusm_zalloc(sizeof(*result));
    if (!result) {
        return fail("cannot start", "out of memory");
    }
    result->scenario = options->scenario;
    result->profile = options->profile;
    result->schedulers = info.schedulers;
    result->idle = options->idle;
    result->seconds = options->seconds;
    int code = run_repeats(options, runner, second, result);
    if (code == 0) {
        code = print_result(result, options->json);
    }
    rusm_free(result);
    return code;
}

static int run_on(const struct run_options *options, struct wasm_host *host) {
    bool has_second = catalog_second_engine(options->scenario->id) != NULL;
    struct runner *runner = make_runner(host, options->profile, options->workers, NULL);
    struct runner *second = NULL;
    if (runner && has_second) {
        second = make_runner(host, options->profile, options->workers, catalog_second_engine);
    }
    int code = EXIT_FAILED;
    if (runner && (second || !has_second)) {
        code = run_and_print(options, host->runtime, runner, second);
    }
    if (second) {
        runner_destroy(second);
    }
    if (runner) {
        runner_destroy(runner);
    }
    return code;
}

static int idle_failed(enum idle_end end, const char *problem) {
    return end == IDLE_INTERRUPTED ? interrupted() : fail("idle processes", problem);
}

static int run_beside_idle(const struct run_options *options, struct wasm_host *host) {
    char problem[IDLE_PROBLEM_BYTES];
    struct idle_crowd *crowd;
    enum idle_end end = idle_start(host->runtime, options->idle, wait_ns, &crowd, problem);
    if (end != IDLE_DONE) {
        return idle_failed(end, problem);
    }
    int code = run_on(options, host);
    idle_stop(crowd);
    return code;
}

int command_run(const struct run_options *options) {
    struct wasm_host host;
    if (!make_host(options->schedulers, options->idle, &host)) {
        return EXIT_FAILED;
    }
    int code = options->idle > 0 ? run_beside_idle(options, &host) : run_on(options, &host);
    destroy_host(&host);
    return code;
}

/* --- idle --- */

int command_idle(const struct idle_options *options) {
    char problem[IDLE_PROBLEM_BYTES];
    struct result *result = rusm_zalloc(sizeof(*result));
    if (!result) {
        return fail("cannot start", "out of memory");
    }
    enum idle_end end = idle_measure(options->count, wait_ns, result, problem);
    int code = end == IDLE_DONE ? print_result(result, options->json) : idle_failed(end, problem);
    rusm_free(result);
    return code;
}

/* --- list and compare --- */

int command_list(void) {
    uint32_t count;
    const struct node_scenario *scenarios = catalog_scenarios(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct node_scenario *scenario = &scenarios[i];
        (void)printf("%-20s phase %-3u %-10s %s\n", scenario->id, scenario->real_after_phase,
                     scenario->real ? "" : "not yet", scenario->description);
    }
    return 0;
}

int command_compare(const char *path_a, const char *path_b) {
    const char *problem = result_compare(path_a, path_b, stdout);
    return problem ? fail("compare", problem) : 0;
}
