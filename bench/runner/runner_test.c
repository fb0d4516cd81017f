/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The runner with an engine that only counts, and a clock that the test moves. */
#include "runner/runner.h"

#include "runner/latency.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS       UINT64_C(1000000)
#define SCENARIO "ping-pong"
#define WARM_UP  2000u

/* What the fake engine and clock are told; one test at a time. */
static struct {
    uint64_t now_ns;
    uint64_t ops;
    struct histogram *recorded;
    uint32_t started;
    uint32_t workers;
    uint32_t alive;
    bool asked_to_stop;
    bool may_stop;
    bool fail_start;
    uint32_t warnings;
    char warning[NODE_WARNING_BYTES];
} world;

static enum rusm_err fake_start(const struct engine_config *config, void **out) {
    if (world.fail_start) {
        return RUSM_ERR_PROCESS_LIMIT;
    }
    world.started++;
    world.alive++;
    world.workers = config->workers;
    world.ops = 0;
    world.asked_to_stop = false;
    assert_int_equal(config->population_cap, 40000);
    *out = &world;
    return RUSM_OK;
}

static uint64_t fake_ops(void *run) {
    assert_ptr_equal(run, &world);
    return world.ops;
}

static void fake_latency(void *run, uint32_t which, struct histogram *into) {
    assert_ptr_equal(run, &world);
    if (which == 0) {
        histogram_add(into, world.recorded);
    } else {
        histogram_record(into, 7);
    }
}

static uint32_t fake_metrics(void *run, struct engine_metric out[ENGINE_METRICS_MAX]) {
    assert_ptr_equal(run, &world);
    out[0] = (struct engine_metric){"descriptor_bytes", "bytes", 192};
    return 1;
}

static void fake_stop(void *run) {
    assert_ptr_equal(run, &world);
    world.asked_to_stop = true;
}

static bool fake_stopped(void *run) {
    assert_ptr_equal(run, &world);
    return world.asked_to_stop && world.may_stop;
}

static void fake_destroy(void *run) {
    assert_ptr_equal(run, &world);
    world.alive--;
}

static const struct engine fake = {
    .id = SCENARIO,
    .latencies = {"round trip", "spawn_call", NULL},
    .start = fake_start,
    .ops = fake_ops,
    .latency = fake_latency,
    .metrics = fake_metrics,
    .stop = fake_stop,
    .stopped = fake_stopped,
    .destroy = fake_destroy,
};

static const struct engine *find_fake(const char *id) {
    return strcmp(id, SCENARIO) == 0 || strcmp(id, "spawn-storm") == 0 ? &fake : NULL;
}

static uint64_t fake_now(void) {
    return world.now_ns;
}

static void on_warning(void *arg, const char *text) {
    (void)arg;
    world.warnings++;
    (void)snprintf(world.warning, sizeof(world.warning), "%s", text);
}

static rusm_runtime *runtime;

static int setup(void **state) {
    memset(&world, 0, sizeof(world));
    world.now_ns = 1000 * MS;
    world.may_stop = true;
    world.recorded = histogram_create();
    assert_non_null(world.recorded);
    const struct runner_config config = {
        .runtime = runtime,
        .cores = 8,
        .profile = NODE_PROFILE_BALANCED,
        .warm_up_ms = WARM_UP,
        .warn = on_warning,
        .find_engine = find_fake,
        .now_ns = fake_now,
    };
    struct runner *runner;
    assert_int_equal(runner_create(&config, &runner), RUSM_OK);
    *state = runner;
    return 0;
}

static int teardown(void **state) {
    world.may_stop = true;
    runner_close(*state);
    assert_int_equal(world.alive, 0);
    runner_destroy(*state);
    histogram_destroy(world.recorded);
    return 0;
}

/* Let `ms` pass, with `ops` operations, then tick. */
static void pass(struct runner *runner, uint64_t ms, uint64_t ops) {
    world.now_ns += ms * MS;
    world.ops += ops;
    runner_tick(runner);
}

static void rates_are_differences_by_the_clock(void **state) {
    struct runner *runner = *state;
    struct node_run run;
    assert_null(runner_run(runner, SCENARIO));
    pass(runner, 50, 1000);
    runner_fill(runner, &run);
    assert_string_equal(run.scenario, SCENARIO);
    assert_true(run.running && run.warming_up);
    assert_int_equal(run.elapsed_ms, 50);
    assert_int_equal(run.ops_per_sec, 20000);
    pass(runner, 100, 1000); /* a late tick */
    runner_fill(runner, &run);
    assert_int_equal(run.ops_per_sec, 10000);
    assert_int_equal(run.point_count, 2);
    assert_int_equal(run.points[0], 20000);
    pass(runner, 0, 5); /* no time, no tick */
    runner_fill(runner, &run);
    assert_int_equal(run.point_count, 2);
    for (unsigned i = 0; i < NODE_POINTS_MAX + 10; i++) {
        pass(runner, 50, i);
    }
    runner_fill(runner, &run);
    assert_int_equal(run.point_count, NODE_POINTS_MAX);
    assert_int_equal(run.points[NODE_POINTS_MAX - 1], (NODE_POINTS_MAX + 9) * 20);
}

static void the_warm_up_is_left_out_of_the_summary(void **state) {
    struct runner *runner = *state;
    assert_null(runner_run(runner, SCENARIO));
    histogram_record_many(world.recorded, 1000000, 99);
    pass(runner, 1000, 1000000);
    assert_int_equal(runner_measured_ns(runner), 0);
    pass(runner, 1000, 1000000);
    assert_int_equal(runner_measured_ns(runner), 0); /* it begins now */
    histogram_record_many(world.recorded, 100, 10);
    pass(runner, 500, 1000);
    pass(runner, 500, 1000);
    assert_int_equal(runner_measured_ns(runner), 1000 * MS);
    struct runner_summary summary;
    runner_summarize(runner, &summary);
    assert_string_equal(summary.metrics[0].name, "ops_per_sec");
    assert_int_equal(summary.metrics[0].value, 2000);
    assert_string_equal(summary.metrics[4].name, "p999_ns");
    assert_int_equal(summary.metrics[4].value, 100);
    assert_string_equal(summary.metrics[6].name, "spawn_call_p50_ns");
    assert_string_equal(summary.metrics[summary.metric_count - 1].name, "descriptor_bytes");
    assert_int_equal(summary.elapsed_ns, 1000 * MS);
}

static void live_latency_is_that_of_the_last_second(void **state) {
    struct runner *runner = *state;
    struct node_run run;
    assert_null(runner_run(runner, SCENARIO));
    histogram_record_many(world.recorded, 500, 10);
    pass(runner, 250, 1);
    runner_fill(runner, &run);
    assert_int_equal(run.latency.count, 10);
    assert_int_equal(run.latency.p50_ns, 500);
    for (int i = 0; i < 3; i++) {
        pass(runner, 250, 1);
    }
    histogram_record(world.recorded, 900);
    pass(runner, 250, 1);
    runner_fill(runner, &run);
    assert_int_equal(run.latency.count, 1); /* the first ten were a second ago */
    assert_int_equal(run.latency.max_ns, 900);
    assert_string_equal(run.metrics[0].name, "descriptor_bytes");
    assert_string_equal(run.metrics[1].name, "spawn_call_p50_ns");
}

static void a_stall_is_told_once_and_ends(void **state) {
    struct runner *runner = *state;
    struct node_run run;
    assert_null(runner_run(runner, SCENARIO));
    for (int i = 0; i < 100; i++) {
        pass(runner, 50, 0); /* it has not begun: no stall */
    }
    assert_int_equal(world.warnings, 0);
    pass(runner, 50, 1);
    pass(runner, 1999, 0);
    assert_int_equal(world.warnings, 0);
    pass(runner, 1, 0);
    pass(runner, 50, 0);
    assert_int_equal(world.warnings, 1);
    assert_non_null(strstr(world.warning, SCENARIO));
    runner_fill(runner, &run);
    assert_true(run.stalled);
    assert_int_equal(run.warning_count, 1);
    assert_string_equal(run.warnings[0], world.warning);
    pass(runner, 50, 1);
    runner_fill(runner, &run);
    assert_false(run.stalled);
    assert_int_equal(run.warning_count, 0);
    pass(runner, 2000, 0);
    assert_int_equal(world.warnings, 2);
}

static void stopping_waits_for_the_engine_but_not_the_caller(void **state) {
    struct runner *runner = *state;
    struct node_run run;
    assert_null(runner_run(runner, SCENARIO));
    world.may_stop = false;
    runner_stop(runner);
    assert_true(world.asked_to_stop);
    for (int i = 0; i < 3; i++) {
        pass(runner, 50, 1);
        assert_true(runner_is_active(runner));
        assert_int_equal(world.alive, 1);
    }
    runner_fill(runner, &run);
    assert_false(run.running);
    assert_null(run.scenario);
    world.may_stop = true;
    pass(runner, 50, 0);
    assert_false(runner_is_active(runner));
    assert_int_equal(world.alive, 0);
    runner_stop(runner); /* nothing runs: nothing happens */
    assert_false(runner_is_active(runner));
}

static void another_run_starts_when_the_first_has_stopped(void **state) {
    struct runner *runner = *state;
    struct node_run run;
    assert_null(runner_run(runner, SCENARIO));
    world.may_stop = false;
    assert_null(runner_run(runner, "spawn-storm"));
    pass(runner, 50, 1);
    assert_int_equal(world.started, 1);
    world.may_stop = true;
    pass(runner, 50, 1);
    assert_int_equal(world.started, 2);
    runner_fill(runner, &run);
    assert_string_equal(run.scenario, "spawn-storm");
    /* A stop while the first is stopping forgets the second. */
    world.may_stop = false;
    assert_null(runner_run(runner, SCENARIO));
    runner_stop(runner);
    world.may_stop = true;
    pass(runner, 50, 1);
    assert_false(runner_is_active(runner));
    assert_int_equal(world.started, 2);
}

static void a_profile_with_other_workers_starts_anew(void **state) {
    struct runner *runner = *state;
    assert_null(runner_run(runner, SCENARIO));
    assert_int_equal(world.workers, 3);
    runner_set_profile(runner, NODE_PROFILE_BALANCED);
    assert_false(world.asked_to_stop);
    runner_set_profile(runner, NODE_PROFILE_MAX);
    pass(runner, 50, 1);
    assert_int_equal(world.started, 2);
    assert_int_equal(world.workers, 4);
    assert_int_equal(runner_profile(runner), NODE_PROFILE_MAX);
}

static void what_cannot_run_is_refused(void **state) {
    struct runner *runner = *state;
    assert_non_null(runner_run(runner, "nope"));
    assert_non_null(runner_run(runner, "kv-storm"));
    world.fail_start = true;
    assert_string_equal(runner_run(runner, SCENARIO), rusm_err_text(RUSM_ERR_PROCESS_LIMIT));
    assert_false(runner_is_active(runner));
    world.fail_start = false;
    assert_null(runner_run(runner, SCENARIO));
    /* The same, when it was waiting for its turn. */
    assert_null(runner_run(runner, SCENARIO));
    world.fail_start = true;
    pass(runner, 50, 1);
    assert_false(runner_is_active(runner));
    assert_int_equal(world.warnings, 1);
}

static void the_catalogue_is_whole(void **state) {
    (void)state;
    uint32_t count;
    const struct node_scenario *scenarios = catalog_scenarios(&count);
    assert_int_equal(count, 21);
    for (uint32_t i = 0; i < count; i++) {
        assert_ptr_equal(catalog_scenario(scenarios[i].id), &scenarios[i]);
        assert_true(strlen(scenarios[i].description) > 0);
        assert_true(scenarios[i].details && scenarios[i].details[0]);
        assert_int_equal(scenarios[i].real, catalog_engine(scenarios[i].id) != NULL);
        assert_int_equal(scenarios[i].real, strlen(scenarios[i].source) > 100);
        for (uint32_t k = 0; k < i; k++) {
            assert_string_not_equal(scenarios[k].id, scenarios[i].id);
        }
    }
    assert_null(catalog_scenario(""));
    assert_null(catalog_engine("nope"));
}

#define WITH_RUNNER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_RUNNER(rates_are_differences_by_the_clock),
        WITH_RUNNER(the_warm_up_is_left_out_of_the_summary),
        WITH_RUNNER(live_latency_is_that_of_the_last_second),
        WITH_RUNNER(a_stall_is_told_once_and_ends),
        WITH_RUNNER(stopping_waits_for_the_engine_but_not_the_caller),
        WITH_RUNNER(another_run_starts_when_the_first_has_stopped),
        WITH_RUNNER(a_profile_with_other_workers_starts_anew),
        WITH_RUNNER(what_cannot_run_is_refused),
        cmocka_unit_test(the_catalogue_is_whole),
    };
    if (rusm_runtime_create(NULL, &runtime) != RUSM_OK) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rusm_runtime_destroy(runtime);
    return failed;
}
