/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The bounded heap of rows against a plain sort, and snapshots of a real runtime. */
#include "node/observer_internal.h"

#include "base/random.h"
#include <rusm/rusm.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- rows --- */

static struct observer_view model_view; /* key and direction for compare_rows */

static uint64_t number_of(const struct rusm_process_info *info) {
    switch (model_view.key) {
    case OBSERVER_KEY_MEMORY:
        return info->memory_bytes;
    case OBSERVER_KEY_CPU:
        return info->cpu_ns;
    case OBSERVER_KEY_REDUCTIONS:
        return info->reductions;
    case OBSERVER_KEY_MAILBOX:
        return info->mailbox_depth;
    case OBSERVER_KEY_ID:
    case OBSERVER_KEY_NAME:
        break;
    }
    return info->pid.v;
}

static int compare_rows(const void *left, const void *right) {
    const struct rusm_process_info *a = left;
    const struct rusm_process_info *b = right;
    int order = 0;
    if (model_view.key == OBSERVER_KEY_NAME) {
        order = (b->name[0] != 0) - (a->name[0] != 0);
        if (order != 0) {
            return order;
        }
        order = strcmp(a->name, b->name);
    } else {
        order = (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
    }
    order = model_view.descending ? -order : order;
    return order != 0 ? order : (a->pid.v > b->pid.v) - (a->pid.v < b->pid.v);
}

static void random_row(struct random *random, uint64_t id, struct rusm_process_info *out) {
    *out = (struct rusm_process_info){
        .pid = {id},
        .memory_bytes = random_below(random, 50),
        .cpu_ns = random_next(random),
        .reductions = random_below(random, 1000),
        .mailbox_depth = random_below(random, 3),
    };
    if (random_below(random, 4) == 0) {
        (void)snprintf(out->name, sizeof(out->name), "n%u", random_below(random, 1000));
    }
}

static void the_best_rows_are_those_of_a_full_sort(void **state) {
    (void)state;
    enum { ROWS_MAX = 400 };
    struct rusm_process_info *rows = calloc(ROWS_MAX, sizeof(*rows));
    struct observer_view *view = calloc(1, sizeof(*view));
    assert_non_null(rows);
    assert_non_null(view);
    struct random random = {.state = 42};
    for (unsigned round = 0; round < 40; round++) {
        uint32_t count = random_below(&random, ROWS_MAX + 1);
        for (unsigned order = 0; order < OBSERVER_KEY_COUNT * 2; order++) {
            view->key = model_view.key = (enum observer_key)(order / 2);
            view->descending = model_view.descending = order % 2 != 0;
            view->count = 0;
            for (uint32_t i = 0; i < count; i++) {
                random_row(&random, i + 1, &rows[i]);
                observer_view_offer(view, &rows[i]);
            }
            observer_view_finish(view);
            qsort(rows, count, sizeof(*rows), compare_rows);
            assert_int_equal(view->count, count < NODE_ROWS_MAX ? count : NODE_ROWS_MAX);
            for (uint32_t i = 0; i < view->count; i++) {
                assert_int_equal(view->rows[i].pid.v, rows[i].pid.v);
            }
        }
    }
    free(rows);
    free(view);
}

static void keys_have_names(void **state) {
    (void)state;
    for (unsigned i = 0; i < OBSERVER_KEY_COUNT; i++) {
        enum observer_key key = OBSERVER_KEY_MEMORY;
        assert_true(observer_key_parse(observer_key_id((enum observer_key)i), &key));
        assert_int_equal(key, i);
        assert_false(observer_key_parse("", &key));
        assert_false(observer_key_parse("Memory", &key));
    }
}

/* --- a real runtime --- */

static void wait_for_message(void *arg) {
    (void)arg;
    (void)rusm_receive();
}

static rusm_runtime *make_runtime(void) {
    struct rusm_config config;
    rusm_runtime *runtime;
    rusm_config_init(&config);
    config.schedulers = 2;
    assert_int_equal(rusm_runtime_create(&config, &runtime), RUSM_OK);
    return runtime;
}

static void a_snapshot_adds_up(void **state) {
    (void)state;
    enum { PROCESSES = 100 };
    rusm_runtime *runtime = make_runtime();
    struct observer observer;
    struct observer_snapshot snapshot;
    observer_init(&observer, runtime);
    observer_sample(&observer, &snapshot);
    assert_int_equal(snapshot.process_count, 0);
    assert_int_equal(snapshot.schedulers, 2);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(rusm_spawn(runtime, wait_for_message, NULL, NULL, NULL), RUSM_OK);
    }
    do { /* until all wait: with the schedulers parked nothing runs */
        sched_yield();
        observer_sample(&observer, &snapshot);
        assert_int_equal(snapshot.running + snapshot.waiting, snapshot.process_count);
        for (uint32_t i = 0; i < snapshot.schedulers; i++) {
            assert_true(snapshot.load[i] >= 0 && snapshot.load[i] <= 1);
        }
    } while (snapshot.waiting != PROCESSES);
    assert_int_equal(snapshot.spawned_total, PROCESSES);
    assert_int_equal(snapshot.finished_total, 0);
    assert_true(snapshot.total_memory_bytes > snapshot.runtime_memory_bytes);
    rusm_runtime_destroy(runtime);
}

static void a_walk_sees_every_process(void **state) {
    (void)state;
    enum { PROCESSES = 150 };
    rusm_runtime *runtime = make_runtime();
    for (int i = 0; i < PROCESSES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "p%03d", i);
        const struct rusm_spawn_opts opts = {.name = name};
        assert_int_equal(rusm_spawn(runtime, wait_for_message, NULL, &opts, NULL), RUSM_OK);
    }
    struct observer_view *up = calloc(1, sizeof(*up));
    struct observer_view *down = calloc(1, sizeof(*down));
    assert_non_null(up);
    assert_non_null(down);
    up->key = OBSERVER_KEY_NAME;
    down->key = OBSERVER_KEY_NAME;
    down->descending = true;
    struct observer_view *views[] = {up, down};
    observer_walk(runtime, views, 2);
    assert_int_equal(up->count, NODE_ROWS_MAX);
    assert_int_equal(down->count, NODE_ROWS_MAX);
    assert_string_equal(up->rows[0].name, "p000");
    assert_string_equal(up->rows[NODE_ROWS_MAX - 1].name, "p063");
    assert_string_equal(down->rows[0].name, "p149");
    free(up);
    free(down);
    rusm_runtime_destroy(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_rows_are_those_of_a_full_sort),
        cmocka_unit_test(keys_have_names),
        cmocka_unit_test(a_snapshot_adds_up),
        cmocka_unit_test(a_walk_sees_every_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
