/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Links and monitors against deaths and against each other, under every schedule. */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What a run leaves behind; zeroed before each by its program. */
struct world {
    rusm_runtime *rt;
    rusm_pid a;
    rusm_pid b;
    uint32_t told; /* messages of links and monitors */
    uint32_t ended;
    uint32_t errors; /* of those ended: with reason ERROR */
    bool wrong;
};

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct world *w = arg;
    (void)pid;
    w->ended++;
    w->errors += reason->kind == RUSM_EXIT_ERROR;
}

static void spawn(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, out) != RUSM_OK;
}

/* Two processes, `b` first so that `a` may use its pid, each on a scheduler of its own. */
static void start(rusm_runtime *rt, struct world *w, rusm_fiber_fn b, rusm_fiber_fn a) {
    *w = (struct world){.rt = rt};
    spawn(w, b, &w->b);
    spawn(w, a, &w->a);
}

static bool both_ended(const struct world *w, const struct sim_result *result) {
    return !w->wrong && !result->stuck && result->process_count == 0 && w->ended == 2;
}

static void end_with_error(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

/* Each message must be of `kind` and tell of `b`. */
static void count(struct world *w, enum rusm_msg_kind kind, const struct rusm_msg *msg) {
    w->told++;
    w->wrong |= msg->kind != kind || rusm_msg_down(msg)->pid.v != w->b.v;
}

/* Receive until nothing has come for a while. */
static void count_told(struct world *w, enum rusm_msg_kind kind) {
    struct rusm_msg *msg;
    while ((msg = rusm_receive_timeout(5)) != NULL) {
        count(w, kind, msg);
    }
}

static bool told_once(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return both_ended(w, result) && w->told == 1 && w->errors == 1;
}

static bool told_nothing(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return both_ended(w, result) && w->told == 0;
}

static void link_to_b(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    count(w, RUSM_MSG_EXIT, rusm_receive()); /* waits for ever if it is not told */
    count_told(w, RUSM_MSG_EXIT);
}

static void link_and_death(rusm_runtime *rt, void *arg) {
    start(rt, arg, end_with_error, link_to_b);
}

static void a_link_tells_of_a_death_exactly_once(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("link and death", link_and_death, told_once, &w));
}

static bool is_exit(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    return msg->kind == RUSM_MSG_EXIT;
}

static void link_and_unlink_b(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    rusm_unlink(w->b);
    /* What came before is there; nothing comes after. */
    (void)rusm_receive_match(is_exit, NULL, 0);
    count_told(w, RUSM_MSG_EXIT);
}

static void unlink_and_death(rusm_runtime *rt, void *arg) {
    start(rt, arg, end_with_error, link_and_unlink_b);
}

static void after_unlink_no_exit_comes(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("unlink and death", unlink_and_death, told_nothing, &w));
}

static void monitor_b(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->b, &ref) != RUSM_OK;
    count(w, RUSM_MSG_DOWN, rusm_receive());
    count_told(w, RUSM_MSG_DOWN);
}

static void monitor_and_death(rusm_runtime *rt, void *arg) {
    start(rt, arg, end_with_error, monitor_b);
}

static void a_monitor_tells_of_a_death_exactly_once(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("monitor and death", monitor_and_death, told_once, &w));
}

static void monitor_and_demonitor_b(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->b, &ref) != RUSM_OK;
    w->wrong |= !rusm_demonitor(ref, true);
    w->wrong |= rusm_demonitor(ref, true);
    count_told(w, RUSM_MSG_DOWN);
}

static void demonitor_and_death(rusm_runtime *rt, void *arg) {
    start(rt, arg, end_with_error, monitor_and_demonitor_b);
}

static void after_demonitor_with_flush_no_down_comes(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("demonitor and death", demonitor_and_death, told_nothing, &w));
}

/* Both link with each other at once; then one dies of an error, and so must the other. */
static void link_to_a_and_wait(void *arg) {
    struct world *w = arg;
    while (w->a.v == 0) {
        rusm_sleep(1);
    }
    w->wrong |= rusm_link(w->a) != RUSM_OK;
    (void)rusm_receive();
}

static void link_to_b_and_fail(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    end_with_error(arg);
}

static void link_both_ways(rusm_runtime *rt, void *arg) {
    start(rt, arg, link_to_a_and_wait, link_to_b_and_fail);
}

static bool one_died_of_the_other(void *arg, const struct sim_result *result) {
    /* The second ends with ERROR, or with NOPROC if its own link came too late. */
    const struct world *w = arg;
    return both_ended(w, result) && w->errors >= 1;
}

static void linked_processes_die_together(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("link both ways", link_both_ways, one_died_of_the_other, &w));
}

/* Both link and unlink each other at once: then neither dies of the other. */
static void link_and_unlink_a(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_link(w->a) != RUSM_OK;
    rusm_unlink(w->a);
    (void)rusm_receive_timeout(3);
}

static void unlink_both_ways(rusm_runtime *rt, void *arg) {
    start(rt, arg, link_and_unlink_a, link_and_unlink_b);
}

static bool all_ended(void *arg, const struct sim_result *result) {
    return both_ended(arg, result);
}

static void unlinking_both_ways_comes_to_rest(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("unlink both ways", unlink_both_ways, all_ended, &w));
}

/* An exit signal that is not trapped ends a process that waits, and only once. */
static void wait_for_exit(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_receive();
    }
}

static void send_exit_to_b(void *arg) {
    struct world *w = arg;
    const struct rusm_exit_reason reason = {RUSM_EXIT_ERROR, "why", 3};
    w->wrong |= !rusm_send_exit(w->b, &reason);
    (void)rusm_send_exit(w->b, &reason);
}

static void exit_signal(rusm_runtime *rt, void *arg) {
    start(rt, arg, wait_for_exit, send_exit_to_b);
}

static bool one_error(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return both_ended(w, result) && w->errors == 1;
}

static void exit_signal_ends_a_waiting_process(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("exit signal", exit_signal, one_error, &w));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_tells_of_a_death_exactly_once),
        cmocka_unit_test(after_unlink_no_exit_comes),
        cmocka_unit_test(a_monitor_tells_of_a_death_exactly_once),
        cmocka_unit_test(after_demonitor_with_flush_no_down_comes),
        cmocka_unit_test(linked_processes_die_together),
        cmocka_unit_test(unlinking_both_ways_comes_to_rest),
        cmocka_unit_test(exit_signal_ends_a_waiting_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
