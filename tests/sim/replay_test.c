/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Replay, and that the simulation finds a bug planted in the mailbox: tests that the tests work. */
#include "otp/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define ROUNDS 4

struct world {
    rusm_pid echo;
    int replies;
};

static void echo(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct rusm_msg *msg = rusm_receive();
        rusm_pid from = *(const rusm_pid *)msg->data;
        (void)rusm_send(from, NULL, 0);
    }
}

static void ask(void *arg) {
    struct world *world = arg;
    rusm_pid self = rusm_self();
    for (int i = 0; i < ROUNDS; i++) {
        (void)rusm_send(world->echo, &self, sizeof self);
        (void)rusm_receive();
        world->replies++;
    }
}

static void ping_pong(rusm_runtime *rt, void *arg) {
    struct world *world = arg;
    world->replies = 0;
    (void)rusm_spawn(rt, echo, NULL, NULL, &world->echo);
    (void)rusm_spawn(rt, ask, world, NULL, NULL);
}

static bool all_replied(void *arg, const struct sim_result *result) {
    const struct world *world = arg;
    return world->replies == ROUNDS && result->process_count == 0 && !result->stuck;
}

static uint64_t hash_of(uint64_t seed) {
    struct world world;
    struct sim_result result;
    struct sim_options options = {.seed = seed};
    sim_run(&options, ping_pong, &world, &result);
    assert_true(all_replied(&world, &result));
    return result.hash;
}

static void same_seed_gives_same_history(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        assert_true(hash_of(seed) == hash_of(seed));
    }
}

static void other_seeds_give_other_histories(void **state) {
    (void)state;
    int equal = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        equal += hash_of(seed) == hash_of(seed + 100);
    }
    assert_in_range(equal, 0, 1);
}

static void lost_wakeup_is_found_by_seeds(void **state) {
    (void)state;
    struct world world;
    int found = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct sim_options options = {.seed = seed, .bug = SIM_BUG_LOST_WAKEUP};
        struct sim_result result;
        sim_run(&options, ping_pong, &world, &result);
        found += !all_replied(&world, &result);
    }
    assert_in_range(found, 1, 1000);
}

static void lost_wakeup_is_found_by_exploration(void **state) {
    (void)state;
    struct world world;
    struct sim_options options = {.preemptions_max = 1, .bug = SIM_BUG_LOST_WAKEUP};
    struct sim_exploration exploration;
    sim_explore(&options, ping_pong, all_replied, &world, &exploration);
    assert_true(exploration.failed);
    assert_in_range(exploration.result.process_count, 1, 2);
}

static void exploration_without_the_bug_is_complete(void **state) {
    (void)state;
    struct world world;
    struct sim_options options = {.preemptions_max = 2};
    struct sim_exploration exploration;
    sim_explore(&options, ping_pong, all_replied, &world, &exploration);
    assert_true(exploration.complete);
    assert_false(exploration.failed);
    assert_in_range(exploration.runs, 100, 1000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_same_history),
        cmocka_unit_test(other_seeds_give_other_histories),
        cmocka_unit_test(lost_wakeup_is_found_by_seeds),
        cmocka_unit_test(lost_wakeup_is_found_by_exploration),
        cmocka_unit_test(exploration_without_the_bug_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
