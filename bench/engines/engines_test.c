/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Every engine, on a real runtime: it works, it measures, and it leaves nothing behind. */
#include "engines/catalog.h"
#include "runner/wasm_host.h"

#include <dirent.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ThreadSanitizer starts a program that finds names with its first report, also if it then
 * suppresses that, and talks to it by two pipes. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SYMBOLIZER_DESCRIPTORS 2
#endif
#endif
#ifndef SYMBOLIZER_DESCRIPTORS
#define SYMBOLIZER_DESCRIPTORS 0
#endif

#define OPS_WANTED 20000u
/* What schedulers keep of freed buffers (blocks.c), more after one run and less after another. */
#define KEPT_BYTES (1024u * 1024)

static rusm_runtime *make_runtime(void) {
    struct rusm_config config;
    rusm_runtime *runtime;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = 2;
    assert_int_equal(rusm_runtime_create(&config, &runtime), RUSM_OK);
    return runtime;
}

static unsigned count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    unsigned count = 0;
    while (readdir(dir)) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

static uint64_t process_count(rusm_runtime *runtime) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    return info.process_count;
}

static uint64_t records_of(const struct engine *engine, void *run, uint32_t which) {
    struct histogram *histogram = histogram_create();
    struct histogram_summary summary;
    assert_non_null(histogram);
    engine->latency(run, which, histogram);
    histogram_summarize(histogram, &summary);
    histogram_destroy(histogram);
    return summary.count;
}

static struct wasm_host host; /* of the runtime under test; one test runs at a time */

static enum rusm_err start_engine(const struct engine *engine, rusm_runtime *runtime,
                                  uint32_t workers, void **run) {
    const struct engine_config config = {
        .runtime = runtime,
        .workers = workers,
        .population_cap = 2000,
#ifdef RUSM_WASM
        .wasm = wasm_host_get,
        .wasm_arg = &host,
        .greeter = host.greeter,
#endif
    };
    return engine->start(&config, run);
}

/* Let it run until it has done enough and measured something, then stop it. */
static void run_to_end(const struct engine *engine, void *run) {
    uint64_t last = 0;
    for (uint64_t ops = 0; ops < OPS_WANTED || records_of(engine, run, 0) == 0;) {
        ops = engine->ops(run);
        assert_true(ops >= last);
        assert_true(!engine->problem || !engine->problem(run));
        last = ops;
        sched_yield();
    }
    for (uint32_t i = 0; engine->latencies[i]; i++) {
        assert_true(records_of(engine, run, i) > 0);
    }
    if (engine->metrics) {
        struct engine_metric metrics[ENGINE_METRICS_MAX];
        assert_in_range(engine->metrics(run, metrics), 1, ENGINE_METRICS_MAX);
    }
    engine->stop(run);
    while (!engine->stopped(run)) {
        sched_yield();
    }
    engine->destroy(run);
}

static void run_engine(const struct engine *engine, rusm_runtime *runtime, uint32_t workers) {
    void *run;
    uint64_t before = process_count(runtime);
    assert_int_equal(start_engine(engine, runtime, workers, &run), RUSM_OK);
    run_to_end(engine, run);
    /* An end is counted right after on_exit, which engines go by. One left behind: no end here. */
    while (process_count(runtime) != before) {
        sched_yield();
    }
}

static uint64_t runtime_memory(rusm_runtime *runtime) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    return info.memory_bytes;
}

/* The runs after the first must leave descriptors, processes and memory as the first left them. */
static void leaves_nothing_behind(const struct engine *engine) {
    assert_non_null(engine);
    rusm_runtime *runtime = make_runtime();
    assert_true(wasm_host_init(&host, runtime));
    run_engine(engine, runtime, 3);
    unsigned descriptors = count_descriptors();
    struct mallinfo2 before = mallinfo2();
    uint64_t memory = runtime_memory(runtime);
    for (int i = 0; i < 10; i++) {
        run_engine(engine, runtime, 3);
    }
    assert_int_equal(process_count(runtime), 0);
    assert_in_range(count_descriptors(), descriptors, descriptors + SYMBOLIZER_DESCRIPTORS);
    /* Pools may grow a little with the order of events; ten runs may not add ten times as much. */
    uint64_t memory_after = runtime_memory(runtime);
    assert_true(memory_after <= memory + memory / 2 + 1024 * 1024);
    /* Message cells are memory of the heap and of the runtime. */
    uint64_t grown = memory_after > memory ? memory_after - memory : 0;
    assert_true(mallinfo2().uordblks <= before.uordblks + grown + KEPT_BYTES);
    rusm_runtime_destroy(runtime);
    wasm_host_deinit(&host);
}

static void spawn_storm(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("spawn-storm"));
}

static void ping_pong(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("ping-pong"));
}

static void fault_recovery(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("fault-recovery"));
    leaves_nothing_behind(catalog_second_engine("fault-recovery"));
}

static void pubsub_fanout(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("pubsub-fanout"));
    leaves_nothing_behind(catalog_second_engine("pubsub-fanout"));
}

#ifdef RUSM_WASM
static void module_storm(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("module-storm"));
}

static void component_storm(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("component-storm"));
}

static void dynamic_wasm(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("dynamic-wasm"));
}

static void fairness(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("fairness"));
}

static void custom_bridge(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("custom-bridge"));
}

static void stream_pipe(void **state) {
    (void)state;
    leaves_nothing_behind(catalog_engine("stream-pipe"));
}
#endif

static void the_cap_on_the_population_holds(void **state) {
    (void)state;
    enum { CAP = 10, SLACK = 4 * 512 };
    rusm_runtime *runtime = make_runtime();
    const struct engine *engine = catalog_engine("spawn-storm");
    const struct engine_config config = {.runtime = runtime, .workers = 2, .population_cap = CAP};
    void *run;
    assert_int_equal(engine->start(&config, &run), RUSM_OK);
    while (engine->ops(run) < OPS_WANTED) {
        assert_true(process_count(runtime) <= CAP + SLACK);
        sched_yield();
    }
    engine->stop(run);
    while (!engine->stopped(run)) {
        sched_yield();
    }
    engine->destroy(run);
    rusm_runtime_destroy(runtime);
}

/* With so few slots it either runs or says why not, and then nothing of it is left. */
static void run_with_few_slots(const char *id, uint32_t processes_max, uint32_t workers) {
    const struct engine *engine = catalog_engine(id);
    struct rusm_config config;
    rusm_runtime *runtime;
    void *run;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = 2;
    config.processes_max = processes_max;
    assert_int_equal(rusm_runtime_create(&config, &runtime), RUSM_OK);
    enum rusm_err err = start_engine(engine, runtime, workers, &run);
    if (err == RUSM_OK) {
        run_to_end(engine, run);
    } else {
        assert_int_equal(err, RUSM_ERR_PROCESS_LIMIT);
    }
    rusm_runtime_wait_idle(runtime);
    rusm_runtime_destroy(runtime);
}

static void a_full_process_table_is_survived(void **state) {
    (void)state;
    run_with_few_slots("spawn-storm", 64, 2);
    run_with_few_slots("spawn-storm", 2, 3);
    run_with_few_slots("ping-pong", 30, 16);     /* some pings find no room for their pong */
    run_with_few_slots("fault-recovery", 13, 3); /* the root, two supervisors and a half */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawn_storm),
        cmocka_unit_test(ping_pong),
        cmocka_unit_test(fault_recovery),
        cmocka_unit_test(pubsub_fanout),
#ifdef RUSM_WASM
        cmocka_unit_test(module_storm),
        cmocka_unit_test(component_storm),
        cmocka_unit_test(dynamic_wasm),
        cmocka_unit_test(fairness),
        cmocka_unit_test(stream_pipe),
        cmocka_unit_test(custom_bridge),
#endif
        cmocka_unit_test(the_cap_on_the_population_holds),
        cmocka_unit_test(a_full_process_table_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
