/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Finding or spawning by name, and groups against publishes, under every schedule of small
 * programs, with the outcomes they may have. Both outcomes of a race must occur.
 */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What a run leaves behind; zeroed before each by its program, but for `outcomes`. */
struct world {
    rusm_runtime *rt;
    rusm_pid a;
    rusm_pid b;
    rusm_pid found[2]; /* by either caller */
    uint32_t callers;
    uint32_t spawned;
    uint32_t ran;
    size_t delivered;
    uint32_t received;
    uint32_t ended;
    bool left;
    bool wrong;
    uint32_t outcomes; /* bits, of all runs */
};

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    ((struct world *)arg)->ended++;
}

static void begin(rusm_runtime *rt, struct world *w) {
    *w = (struct world){.rt = rt, .outcomes = w->outcomes};
}

static void spawn(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    const struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, out) != RUSM_OK;
}

static bool at_rest(const struct world *w, const struct sim_result *result) {
    return !w->wrong && !result->stuck && result->process_count == 0;
}

static void explore(const char *name, sim_program program, sim_check check, uint32_t outcomes) {
    struct world w = {.outcomes = 0};
    assert_true(explore_passes(name, program, check, &w));
    assert_int_equal(w.outcomes, outcomes);
}

/* ---- whereis_or_spawn ---- */

/* What is found ends when both callers have told it so: they mean the same one. */
static void serve_both(void *arg) {
    ((struct world *)arg)->ran++;
    (void)rusm_receive();
    (void)rusm_receive();
}

static enum rusm_err start_server(void *state, void *arg) {
    (void)state;
    ((struct world *)arg)->ran++;
    return RUSM_OK;
}

static void serve(void *state, struct rusm_msg *msg) {
    (void)msg;
    uint32_t *served = state;
    if (++*served == 2) {
        rusm_exit(NULL);
    }
}

static const struct rusm_server server = {
    .state_bytes = sizeof(uint32_t), .init = start_server, .message = serve};

static void find_or_spawn(struct world *w, bool as_server) {
    uint32_t self = w->callers++;
    bool spawned;
    enum rusm_err err =
        as_server
            ? rusm_whereis_or_spawn_server(NULL, "n", &server, w, NULL, &w->found[self], &spawned)
            : rusm_whereis_or_spawn(NULL, "n", serve_both, w, NULL, &w->found[self], &spawned);
    w->wrong |= err != RUSM_OK;
    w->spawned += err == RUSM_OK && spawned;
    w->outcomes |= err == RUSM_OK && spawned ? 1u : 2u;
    (void)rusm_send(w->found[self], "", 0);
}

static void find_or_spawn_fiber(void *arg) {
    find_or_spawn(arg, false);
}

static void find_or_spawn_server(void *arg) {
    find_or_spawn(arg, true);
}

static bool both_found_one(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result) && w->ended == 2 && w->spawned == 1 && w->ran == 1 &&
           w->found[0].v != 0 && w->found[0].v == w->found[1].v;
}

static void two_want_a_fiber(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, find_or_spawn_fiber, NULL);
    spawn(arg, find_or_spawn_fiber, NULL);
}

static void two_want_a_server(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, find_or_spawn_server, NULL);
    spawn(arg, find_or_spawn_server, NULL);
}

static void of_two_who_find_or_spawn_one_spawns(void **state) {
    (void)state;
    explore("find or spawn a fiber", two_want_a_fiber, both_found_one, 3);
    explore("find or spawn a server", two_want_a_server, both_found_one, 3);
}

static void end_at_once(void *arg) {
    (void)arg;
}

static void find_or_spawn_brief(void *arg) {
    struct world *w = arg;
    bool spawned = false;
    w->wrong |= rusm_whereis_or_spawn(NULL, "n", end_at_once, NULL, NULL, &w->found[0], &spawned) !=
                RUSM_OK;
    w->spawned += spawned;
}

static void holder_ends(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    const struct rusm_spawn_opts opts = {.name = "n", .on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(rt, end_at_once, w, &opts, &w->b) != RUSM_OK;
    spawn(w, find_or_spawn_brief, NULL);
}

static bool found_either(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    bool old = w->found[0].v == w->b.v;
    w->outcomes |= old ? 1 : 2;
    return at_rest(w, result) && w->ended == 2 && w->found[0].v != 0 && w->spawned == !old;
}

static void the_holder_may_end_meanwhile(void **state) {
    (void)state;
    explore("find or spawn against an end", holder_ends, found_either, 3);
}

/* ---- groups ---- */

/* All that was published, until the publisher has done. */
static void count_received(struct world *w) {
    while (rusm_receive()->len == 1) {
        w->received++;
    }
}

static void publish(struct world *w) {
    size_t delivered = 99;
    w->wrong |= rusm_publish("g", "x", 1, &delivered) != RUSM_OK || delivered > 1;
    w->delivered += delivered;
}

/* The publisher begins once the member says so. */
static void publish_twice(void *arg) {
    struct world *w = arg;
    (void)rusm_receive();
    publish(w);
    w->outcomes |= w->delivered ? 1 : 2;
    bool left = w->left;
    size_t before = w->delivered;
    publish(w);
    w->wrong |= left && w->delivered != before;
    (void)rusm_send(w->a, "", 0);
}

static void join_and_leave(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_group_join("g", rusm_self()) != RUSM_OK;
    w->wrong |= rusm_send(w->b, "", 0) != RUSM_OK;
    w->wrong |= rusm_group_leave("g", rusm_self()) != RUSM_OK;
    w->left = true;
    count_received(w);
}

static void join_late(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_send(w->b, "", 0) != RUSM_OK;
    w->wrong |= rusm_group_join("g", rusm_self()) != RUSM_OK;
    count_received(w);
}

static void member_and_publisher(rusm_runtime *rt, struct world *w, rusm_fiber_fn member) {
    begin(rt, w);
    spawn(w, publish_twice, &w->b);
    spawn(w, member, &w->a);
}

static bool got_what_was_delivered(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result) && w->ended == 2 && w->received == w->delivered;
}

static void leave_and_publish(rusm_runtime *rt, void *arg) {
    member_and_publisher(rt, arg, join_and_leave);
}

static void no_publish_reaches_who_has_left(void **state) {
    (void)state;
    explore("leave against publish", leave_and_publish, got_what_was_delivered, 3);
}

static void join_and_publish(rusm_runtime *rt, void *arg) {
    member_and_publisher(rt, arg, join_late);
}

static void a_publish_reaches_who_has_joined_or_not(void **state) {
    (void)state;
    explore("join against publish", join_and_publish, got_what_was_delivered, 3);
}

static void member_ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    ((struct world *)arg)->left = true;
    ended(arg, pid, reason);
}

static void join_and_end(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_group_join("g", rusm_self()) != RUSM_OK;
    w->wrong |= rusm_send(w->b, "", 0) != RUSM_OK;
}

static void end_and_publish(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, publish_twice, &w->b);
    const struct rusm_spawn_opts opts = {.on_exit = member_ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(rt, join_and_end, w, &opts, &w->a) != RUSM_OK;
}

static bool nobody_is_a_member(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result) && w->ended == 2;
}

static void no_publish_reaches_who_has_ended(void **state) {
    (void)state;
    explore("end against publish", end_and_publish, nobody_is_a_member, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_who_find_or_spawn_one_spawns),
        cmocka_unit_test(the_holder_may_end_meanwhile),
        cmocka_unit_test(no_publish_reaches_who_has_left),
        cmocka_unit_test(a_publish_reaches_who_has_joined_or_not),
        cmocka_unit_test(no_publish_reaches_who_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
