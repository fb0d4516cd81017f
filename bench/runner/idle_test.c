/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Idle processes on real runtimes: they wait, they are counted, they go. */
#include "runner/idle.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 20000u

static bool go_on(uint64_t duration_ns) {
    (void)duration_ns;
    (void)sched_yield();
    return true;
}

static bool give_up(uint64_t duration_ns) {
    (void)duration_ns;
    return false;
}

static rusm_runtime *make_runtime(uint32_t processes_max) {
    struct rusm_config config;
    rusm_runtime *runtime;
    rusm_config_init(&config);
    config.schedulers = 2;
    config.processes_max = processes_max > 0 ? processes_max : config.processes_max;
    assert_int_equal(rusm_runtime_create(&config, &runtime), RUSM_OK);
    return runtime;
}

static uint64_t process_count(rusm_runtime *runtime) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    return info.process_count;
}

struct census {
    rusm_runtime *runtime;
    uint32_t waiting_servers;
};

static bool count_waiting_server(void *arg, rusm_pid pid) {
    struct census *census = arg;
    struct rusm_process_info info;
    if (rusm_process_info(census->runtime, pid, &info) == RUSM_OK &&
        info.kind == RUSM_KIND_SERVER && info.status == RUSM_PROCESS_WAITING) {
        census->waiting_servers++;
    }
    return true;
}

static void a_crowd_waits_and_goes(void **state) {
    (void)state;
    rusm_runtime *runtime = make_runtime(0);
    struct census census = {.runtime = runtime};
    struct idle_crowd *crowd;
    char problem[IDLE_PROBLEM_BYTES];
    assert_int_equal(idle_start(runtime, COUNT, go_on, &crowd, problem), IDLE_DONE);
    assert_int_equal(process_count(runtime), COUNT);
    rusm_process_each(runtime, count_waiting_server, &census);
    assert_int_equal(census.waiting_servers, COUNT);
    idle_stop(crowd);
    assert_int_equal(process_count(runtime), 0);
    assert_int_equal(idle_start(runtime, COUNT, go_on, &crowd, problem), IDLE_DONE);
    idle_stop(crowd);
    assert_int_equal(process_count(runtime), 0);
    rusm_runtime_destroy(runtime);
}

static void a_crowd_that_has_no_room_says_so_and_goes(void **state) {
    (void)state;
    rusm_runtime *runtime = make_runtime(1000);
    struct idle_crowd *crowd;
    char problem[IDLE_PROBLEM_BYTES];
    assert_int_equal(idle_start(runtime, 1001, go_on, &crowd, problem), IDLE_FAILED);
    assert_non_null(strstr(problem, "1001 servers are too many"));
    assert_non_null(strstr(problem, rusm_err_text(RUSM_ERR_PROCESS_LIMIT)));
    assert_int_equal(process_count(runtime), 0);
    rusm_runtime_destroy(runtime);
}

static void an_interrupt_leaves_nothing(void **state) {
    (void)state;
    rusm_runtime *runtime = make_runtime(0);
    struct idle_crowd *crowd;
    char problem[IDLE_PROBLEM_BYTES];
    enum idle_end end = idle_start(runtime, COUNT, give_up, &crowd, problem);
    if (end == IDLE_DONE) { /* it was quicker */
        idle_stop(crowd);
    } else {
        assert_int_equal(end, IDLE_INTERRUPTED);
    }
    assert_int_equal(process_count(runtime), 0);
    rusm_runtime_destroy(runtime);
}

static double metric_of(const struct result *result, const char *name) {
    const struct runner_summary *summary = &result->summaries[0];
    for (uint32_t i = 0; i < summary->metric_count; i++) {
        if (strcmp(summary->metrics[i].name, name) == 0) {
            return summary->metrics[i].value;
        }
    }
    fail_msg("no metric %s", name);
    return 0;
}

static void costs_are_measured(void **state) {
    (void)state;
    struct result *result = calloc(1, sizeof(*result));
    char problem[IDLE_PROBLEM_BYTES];
    assert_non_null(result);
    assert_int_equal(idle_measure(COUNT, go_on, result, problem), IDLE_DONE);
    assert_string_equal(result->scenario->id, "idle");
    assert_int_equal(result->workers, COUNT);
    assert_int_equal(result->repeats, 1);
    assert_true(result->schedulers > 0);
    assert_true(metric_of(result, "servers_spawned_per_sec") > 0);
    assert_true(metric_of(result, "fibers_spawned_per_sec") > 0);
    assert_true(metric_of(result, "start_ms") > 0);
    assert_true(metric_of(result, "idle_cpu_percent") >= 0);
    /* A descriptor at least; a page of a stack at least. Sanitizers add to both. */
    assert_true(metric_of(result, "bytes_per_process") > 100);
    assert_true(metric_of(result, "bytes_per_fiber") > 4096);
    assert_true(metric_of(result, "page_table_bytes_per_fiber") > 0);
    assert_int_equal(idle_measure(COUNT, give_up, result, problem), IDLE_INTERRUPTED);
    free(result);
}

static void room_is_made_only_where_it_lacks(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    uint32_t by_default = config.processes_max;
    idle_make_room(&config, 1000000);
    assert_int_equal(config.processes_max, by_default);
    idle_make_room(&config, IDLE_MAX);
    assert_int_equal(config.processes_max, (1u << 24) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_waits_and_goes),
        cmocka_unit_test(a_crowd_that_has_no_room_says_so_and_goes),
        cmocka_unit_test(an_interrupt_leaves_nothing),
        cmocka_unit_test(costs_are_measured),
        cmocka_unit_test(room_is_made_only_where_it_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
