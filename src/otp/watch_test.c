/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The watch thread: long runs are reported, and what waits behind them is taken over. */
#include "base/assert.h"
#include <rusm/rusm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct report {
    char text[512];
    _Atomic uint32_t count;
};

static void note(void *arg, enum rusm_log_level level, const char *text) {
    struct report *report = arg;
    RUSM_ASSERT(level == RUSM_LOG_WARN);
    if (atomic_load_explicit(&report->count, memory_order_relaxed) == 0) {
        (void)snprintf(report->text, sizeof report->text, "%s", text);
    }
    atomic_fetch_add_explicit(&report->count, 1, memory_order_release);
}

/* Holds its scheduler until that has been reported. */
static void hog(void *arg) {
    struct report *report = arg;
    while (atomic_load_explicit(&report->count, memory_order_acquire) == 0) {
    }
}

static void a_long_run_is_reported_by_name(void **state) {
    (void)state;
    static struct report report;
    struct rusm_config config;
    rusm_config_init(&config);
    config.log = note;
    config.log_arg = &report;
    rusm_runtime *rt;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_OK);
    const struct rusm_spawn_opts opts = {.label = "number cruncher"};
    rusm_pid pid;
    assert_int_equal(rusm_spawn(rt, hog, &report, &opts, &pid), RUSM_OK);
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
    char name[64];
    (void)snprintf(name, sizeof name, "process %llu \"number cruncher\"",
                   (unsigned long long)pid.v);
    assert_non_null(strstr(report.text, name));
    assert_int_equal(report.count, 1);
}

struct stuck {
    _Atomic uint32_t hogs;
    _Atomic uint32_t helped;
};

static void hog_until_helped(void *arg) {
    struct stuck *stuck = arg;
    atomic_fetch_add_explicit(&stuck->hogs, 1, memory_order_relaxed);
    while (atomic_load_explicit(&stuck->helped, memory_order_relaxed) < 3) {
    }
}

static void help(void *arg) {
    struct stuck *stuck = arg;
    atomic_fetch_add_explicit(&stuck->helped, 1, memory_order_relaxed);
}

/* Spawns helpers behind itself, then never suspends: somebody else must run them. */
static void hog_with_backlog(void *arg) {
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_spawn(NULL, help, arg, NULL, NULL) == RUSM_OK);
    }
    hog_until_helped(arg);
}

static void work_behind_a_long_run_is_taken_over(void **state) {
    (void)state;
    static struct stuck stuck;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    rusm_runtime *rt;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_OK);
    assert_int_equal(rusm_spawn(rt, hog_with_backlog, &stuck, NULL, NULL), RUSM_OK);
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
    assert_int_equal(stuck.helped, 3);
}

static void spawns_from_outside_do_not_wait_for_a_long_run(void **state) {
    (void)state;
    static struct stuck stuck;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    rusm_runtime *rt;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_OK);
    assert_int_equal(rusm_spawn(rt, hog_until_helped, &stuck, NULL, NULL), RUSM_OK);
    while (atomic_load_explicit(&stuck.hogs, memory_order_relaxed) == 0) {
    }
    /* Round robin: at least one of these lands at the scheduler that is stuck. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rusm_spawn(rt, help, &stuck, NULL, NULL), RUSM_OK);
    }
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
    assert_int_equal(stuck.helped, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_run_is_reported_by_name),
        cmocka_unit_test(work_behind_a_long_run_is_taken_over),
        cmocka_unit_test(spawns_from_outside_do_not_wait_for_a_long_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
