/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The races of supervisors under every schedule of small programs, with up to two unforced
 * switches: whatever happens, no child is left behind, none runs twice, and who asked is answered.
 */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PREEMPTIONS_MAX 2u

/* What a run leaves behind; zeroed before each by its program, but for `outcomes`. */
struct world {
    rusm_runtime *rt;
    rusm_pid sup;
    rusm_pid child; /* the first one's */
    uint32_t starts[2];
    uint32_t ends[2];
    uint32_t alive[2];
    uint32_t drivers; /* ended */
    enum rusm_err err;
    bool wrong;
    uint32_t outcomes; /* bits, of all runs */
};

struct kid {
    struct world *world;
    uint32_t index;
};

static const struct kid *kid_of(void *state) {
    return *(const struct kid *const *)state;
}

static enum rusm_err init(void *state, void *arg) {
    const struct kid *kid = arg;
    struct world *w = kid->world;
    memcpy(state, &arg, sizeof arg);
    w->starts[kid->index]++;
    w->wrong |= ++w->alive[kid->index] > 1;
    if (kid->index == 0 && w->child.v == 0) {
        w->child = rusm_self();
    }
    return RUSM_OK;
}

static void ignore(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

static void terminate(void *state, const struct rusm_exit_reason *reason) {
    const struct kid *kid = kid_of(state);
    (void)reason;
    kid->world->ends[kid->index]++;
    kid->world->alive[kid->index]--;
}

static const struct rusm_server server = {
    .state_bytes = sizeof(void *), .init = init, .message = ignore, .terminate = terminate};

static void driver_ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct world *w = arg;
    (void)pid;
    w->wrong |= reason->kind == RUSM_EXIT_ERROR;
    w->drivers++;
}

static void spawn(struct world *w, rusm_fiber_fn fn) {
    struct rusm_spawn_opts opts = {.on_exit = driver_ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, NULL) != RUSM_OK;
}

static const struct kid *kids_of(struct world *w) {
    static struct kid kids[2];
    kids[0] = (struct kid){w, 0};
    kids[1] = (struct kid){w, 1};
    return kids;
}

/* A supervisor of two kids, started by the fiber that calls this and is linked to it. */
static void start_two(struct world *w, enum rusm_strategy strategy) {
    const struct kid *kids = kids_of(w);
    const struct rusm_child children[] = {
        {.id = "0", .server = &server, .arg = (void *)(uintptr_t)&kids[0]},
        {.id = "1", .server = &server, .arg = (void *)(uintptr_t)&kids[1]}};
    const struct rusm_supervisor spec = {.strategy = strategy,
                                         .children = children,
                                         .child_count = 2,
                                         .max_restarts = RUSM_RESTARTS_UNLIMITED};
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_supervisor_start(NULL, &spec, &w->sup) != RUSM_OK;
}

static void begin(rusm_runtime *rt, struct world *w) {
    *w = (struct world){.rt = rt, .outcomes = w->outcomes};
}

/* Nobody is left, and all that started has ended. */
static bool at_rest(const struct world *w, const struct sim_result *result, uint32_t drivers) {
    return !w->wrong && !result->stuck && result->process_count == 0 && w->drivers == drivers &&
           w->starts[0] == w->ends[0] && w->starts[1] == w->ends[1];
}

static void explore(const char *name, sim_program program, sim_check check, uint32_t outcomes) {
    struct world w = {.outcomes = 0};
    assert_true(explore_passes_within(name, program, check, &w, PREEMPTIONS_MAX));
    assert_int_equal(w.outcomes, outcomes);
}

static void kill_child(void *arg) {
    struct world *w = arg;
    (void)rusm_kill(NULL, w->child);
}

static void await_exit_of_supervisor(struct world *w, enum rusm_exit_kind kind) {
    const struct rusm_msg *msg = rusm_receive();
    w->wrong |= msg->kind != RUSM_MSG_EXIT || rusm_msg_down(msg)->pid.v != w->sup.v ||
                rusm_msg_down(msg)->reason.kind != kind;
}

/* ---- restart against shutdown ---- */

static void start_kill_stop(struct world *w, enum rusm_strategy strategy) {
    start_two(w, strategy);
    w->wrong |= rusm_spawn(NULL, kill_child, w, NULL, NULL) != RUSM_OK;
    rusm_yield();
    rusm_supervisor_stop(NULL, w->sup);
    await_exit_of_supervisor(w, RUSM_EXIT_SHUTDOWN);
}

static void one_for_one(void *arg) {
    start_kill_stop(arg, RUSM_ONE_FOR_ONE);
}

static void one_for_all(void *arg) {
    start_kill_stop(arg, RUSM_ONE_FOR_ALL);
}

static void rest_for_one(void *arg) {
    start_kill_stop(arg, RUSM_REST_FOR_ONE);
}

static void stop_one_for_one(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, one_for_one);
}

static void stop_one_for_all(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, one_for_all);
}

static void stop_rest_for_one(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, rest_for_one);
}

static bool restarted_or_not(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->starts[0] == 2 ? 1 : 2;
    return at_rest(w, result, 1) && (w->starts[0] == 1 || w->starts[0] == 2) &&
           w->starts[1] <= w->starts[0];
}

static void a_restart_against_a_shutdown_leaves_nobody(void **state) {
    (void)state;
    explore("restart against shutdown, one for one", stop_one_for_one, restarted_or_not, 3);
    explore("restart against shutdown, one for all", stop_one_for_all, restarted_or_not, 3);
    explore("restart against shutdown, rest for one", stop_rest_for_one, restarted_or_not, 3);
}

/* ---- restart against a kill of the supervisor ---- */

static void start_kill_kill(void *arg) {
    struct world *w = arg;
    start_two(w, RUSM_ONE_FOR_ONE);
    w->wrong |= rusm_spawn(NULL, kill_child, w, NULL, NULL) != RUSM_OK;
    rusm_yield();
    (void)rusm_kill(NULL, w->sup);
    await_exit_of_supervisor(w, RUSM_EXIT_KILLED);
}

static void kill_supervisor(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, start_kill_kill);
}

static void a_supervisor_killed_at_a_restart_leaves_nobody(void **state) {
    (void)state;
    explore("restart against kill", kill_supervisor, restarted_or_not, 3);
}

/* ---- two ends at once ---- */

/* Both children are killed, by two; each must be running again in the end. */
static void kill_second(void *arg) {
    struct world *w = arg;
    struct rusm_child_info infos[2];
    size_t count = 0;
    if (rusm_supervisor_children(w->sup, infos, 2, &count) == RUSM_OK && count == 2) {
        (void)rusm_kill(NULL, infos[1].pid);
    }
}

static void start_and_lose_both(struct world *w, enum rusm_strategy strategy) {
    rusm_ref ref[2];
    rusm_pid pid;
    start_two(w, strategy);
    w->wrong |= rusm_spawn_monitor(kill_child, w, NULL, &pid, &ref[0]) != RUSM_OK;
    w->wrong |= rusm_spawn_monitor(kill_second, w, NULL, &pid, &ref[1]) != RUSM_OK;
    (void)rusm_receive();
    (void)rusm_receive();
    /* A killed child may take long to end, and a restart a moment; in the end both run. What they
     * say themselves counts: between terminate and its end a process is still alive. */
    struct rusm_child_info infos[2];
    size_t count = 0;
    do {
        rusm_sleep(1);
        w->wrong |= rusm_supervisor_children(w->sup, infos, 2, &count) != RUSM_OK || count != 2;
    } while (w->starts[0] < 2 || w->starts[1] < 2 || w->alive[0] != 1 || w->alive[1] != 1 ||
             !rusm_is_alive(NULL, infos[0].pid) || !rusm_is_alive(NULL, infos[1].pid));
    rusm_supervisor_stop(NULL, w->sup);
    await_exit_of_supervisor(w, RUSM_EXIT_SHUTDOWN);
}

static void lose_both_one_for_one(void *arg) {
    start_and_lose_both(arg, RUSM_ONE_FOR_ONE);
}

static void lose_both_one_for_all(void *arg) {
    start_and_lose_both(arg, RUSM_ONE_FOR_ALL);
}

static void two_ends_one_for_one(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, lose_both_one_for_one);
}

static void two_ends_one_for_all(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, lose_both_one_for_all);
}

static bool each_restarted(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    return at_rest(w, result, 1) && w->starts[0] == 2 && w->starts[1] == 2;
}

static bool all_restarted_once_or_twice(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= 1u << w->starts[0];
    return at_rest(w, result, 1) && w->starts[0] == w->starts[1] && w->starts[0] >= 2 &&
           w->starts[0] <= 3;
}

static void two_ends_at_once_are_both_dealt_with(void **state) {
    (void)state;
    explore("two ends, one for one", two_ends_one_for_one, each_restarted, 0);
    explore("two ends, one for all", two_ends_one_for_all, all_restarted_once_or_twice,
            1u << 2 | 1u << 3);
}

/* ---- requests against ends ---- */

static void end_first(void *arg) {
    struct world *w = arg;
    w->err = rusm_supervisor_end_child(w->sup, "0", (rusm_pid){0});
    w->outcomes |= 1u << w->err;
}

/* A child is killed and ended by request at once: it is gone for good either way. */
static void start_kill_end(void *arg) {
    struct world *w = arg;
    rusm_pid pid;
    rusm_ref ref;
    start_two(w, RUSM_ONE_FOR_ONE);
    w->wrong |= rusm_spawn(NULL, kill_child, w, NULL, NULL) != RUSM_OK;
    w->wrong |= rusm_spawn_monitor(end_first, w, NULL, &pid, &ref) != RUSM_OK;
    (void)rusm_receive();
    struct rusm_child_info infos[2];
    size_t count = 0;
    w->wrong |= rusm_supervisor_children(w->sup, infos, 2, &count) != RUSM_OK;
    w->wrong |= count != 1 || strcmp(infos[0].id, "1") != 0 || w->alive[0] != 0;
    rusm_supervisor_stop(NULL, w->sup);
    await_exit_of_supervisor(w, RUSM_EXIT_SHUTDOWN);
}

static void end_and_kill(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, start_kill_end);
}

static bool ended_for_good(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    return at_rest(w, result, 1) && w->starts[0] <= 2 && w->starts[1] == 1;
}

static void an_ended_child_is_not_restarted(void **state) {
    (void)state;
    explore("end_child against kill", end_and_kill, ended_for_good, 1u << RUSM_OK);
}

/* A request to a supervisor that is stopped meanwhile is answered, one way or the other. */
static void add_a_child(void *arg) {
    struct world *w = arg;
    const struct kid *kids = kids_of(w);
    const struct rusm_child child = {
        .id = "1", .server = &server, .arg = (void *)(uintptr_t)&kids[1]};
    w->err = rusm_supervisor_start_child(w->sup, &child, NULL, NULL);
    w->outcomes |= 1u << w->err;
    w->wrong |= rusm_receive_timeout(2) != NULL;
}

static void start_add_stop(void *arg) {
    struct world *w = arg;
    rusm_pid pid;
    rusm_ref ref;
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ONE};
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_supervisor_start(NULL, &spec, &w->sup) != RUSM_OK;
    w->wrong |= rusm_spawn_monitor(add_a_child, w, NULL, &pid, &ref) != RUSM_OK;
    rusm_yield();
    rusm_supervisor_stop(NULL, w->sup);
    (void)rusm_receive();
    (void)rusm_receive();
}

static void add_and_stop(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, start_add_stop);
}

static bool answered(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    return at_rest(w, result, 1) && w->starts[1] == (w->err == RUSM_OK);
}

static void a_request_against_a_stop_is_answered(void **state) {
    (void)state;
    explore("start_child against stop", add_and_stop, answered,
            1u << RUSM_OK | 1u << RUSM_ERR_NOPROC);
}

/* ---- a start against the end of who asked for it ---- */

static void start_and_wait(void *arg) {
    struct world *w = arg;
    rusm_yield();
    start_two(w, RUSM_ONE_FOR_ONE);
    (void)rusm_receive();
}

static void start_and_be_killed(void *arg) {
    struct world *w = arg;
    rusm_pid starter;
    rusm_ref ref;
    w->wrong |= rusm_spawn_monitor(start_and_wait, w, NULL, &starter, &ref) != RUSM_OK;
    rusm_yield();
    (void)rusm_kill(NULL, starter);
    (void)rusm_receive();
}

static void start_against_kill(rusm_runtime *rt, void *arg) {
    begin(rt, arg);
    spawn(arg, start_and_be_killed);
}

static bool how_far(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->starts[0] ? 1 : 2;
    return at_rest(w, result, 1) && w->starts[0] <= 1 && w->starts[1] <= 1;
}

static void a_killed_starter_leaves_no_tree(void **state) {
    (void)state;
    explore("start of a supervisor against kill", start_against_kill, how_far, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_against_a_shutdown_leaves_nobody),
        cmocka_unit_test(a_supervisor_killed_at_a_restart_leaves_nobody),
        cmocka_unit_test(two_ends_at_once_are_both_dealt_with),
        cmocka_unit_test(an_ended_child_is_not_restarted),
        cmocka_unit_test(a_request_against_a_stop_is_answered),
        cmocka_unit_test(a_killed_starter_leaves_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
