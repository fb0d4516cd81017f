/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Nothing that is runnable is left behind, however thieves and the overflow of a queue meet. */
#include "otp/sim.h"
#include "seeds_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SEEDS    4000u
#define CHILDREN 24

/* Counts without a suspension, so that the queue is all that moves. */
static void count(void *arg) {
    ++*(int *)arg;
}

static void spawn_many(void *arg) {
    for (int i = 0; i < CHILDREN; i++) {
        (void)rusm_spawn(NULL, count, arg, NULL, NULL);
    }
}

static void backlog(rusm_runtime *rt, void *arg) {
    *(int *)arg = 0;
    (void)rusm_spawn(rt, spawn_many, arg, NULL, NULL);
}

static bool run(uint64_t seed) {
    int counted;
    struct sim_result result;
    struct sim_options options = {.seed = seed, .schedulers = 4, .preempt_percent = 60};
    sim_run(&options, backlog, &counted, &result);
    if (counted != CHILDREN || result.process_count != 0 || result.stuck) {
        (void)fprintf(stderr, "%d of %d children ran\n", counted, CHILDREN);
        return false;
    }
    return true;
}

static void every_child_of_a_backlog_runs(void **state) {
    (void)state;
    assert_true(seeds_pass(run, SEEDS));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_child_of_a_backlog_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
