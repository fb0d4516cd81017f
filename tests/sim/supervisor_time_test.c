/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What supervisors do by the clock, in logical time: windows of restarts, back-off, shutdown times.
 */
#include "base/assert.h"
#include "otp/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KIDS_MAX 8u
#define SLACK_MS 3u /* between a cause and what the supervisor does about it */

struct world;

struct kid {
    struct world *world;
    bool ignores;         /* SHUTDOWN */
    uint64_t ends_itself; /* this long after SHUTDOWN, with NORMAL; 0 = never */
    rusm_pid pid;
    uint32_t starts;
    uint64_t started_ms;
    uint64_t asked_ms; /* to end */
    uint64_t ended_ms;
    enum rusm_exit_kind ended_as;
};

struct world {
    rusm_runtime *rt;
    void (*test)(struct world *w);
    rusm_pid sup;
    struct kid kids[KIDS_MAX];
};

static uint64_t now(const struct world *w) {
    return sim_now_ms(w->rt);
}

static enum rusm_err init(void *state, void *arg) {
    struct kid *kid = arg;
    memcpy(state, &kid, sizeof kid);
    kid->pid = rusm_self();
    kid->starts++;
    kid->started_ms = now(kid->world);
    (void)rusm_trap_exit(kid->ignores);
    return RUSM_OK;
}

static void on_message(void *state, struct rusm_msg *msg) {
    struct kid *kid = *(struct kid **)state;
    if (msg->kind == RUSM_MSG_EXIT) {
        kid->asked_ms = now(kid->world);
        if (kid->ends_itself > 0) {
            rusm_server_timeout(kid->ends_itself);
        }
        return;
    }
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void on_timeout(void *state) {
    (void)state;
    rusm_exit(NULL);
}

static void terminate(void *state, const struct rusm_exit_reason *reason) {
    struct kid *kid = *(struct kid **)state;
    kid->ended_ms = now(kid->world);
    kid->ended_as = reason->kind;
}

static const struct rusm_server server = {.state_bytes = sizeof(struct kid *),
                                          .init = init,
                                          .message = on_message,
                                          .timeout = on_timeout,
                                          .terminate = terminate};

static void begin_test(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    w->test(w);
}

static void program(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    w->rt = rt;
    enum rusm_err err = rusm_spawn(rt, begin_test, w, NULL, NULL);
    RUSM_ASSERT(err == RUSM_OK);
}

static bool all_ended(void *arg, const struct sim_result *result) {
    (void)arg;
    return !result->stuck && result->process_count == 0;
}

/* One run without unforced switches: time goes on only when all wait. */
static void run(void (*test)(struct world *w)) {
    static struct world w;
    w = (struct world){.test = test};
    for (uint32_t i = 0; i < KIDS_MAX; i++) {
        w.kids[i].world = &w;
    }
    const struct sim_options options = {.schedulers = 1, .runs_max = 1};
    struct sim_exploration exploration;
    sim_explore(&options, program, all_ended, &w, &exploration);
    assert_int_equal(exploration.runs, 1);
    assert_false(exploration.failed);
}

/* ---- helpers of the tests, all in the process that runs them ---- */

static struct rusm_child child_of(struct kid *kid, const char *id) {
    return (struct rusm_child){.id = id, .server = &server, .arg = kid};
}

static void start(struct world *w, const struct rusm_supervisor *spec) {
    RUSM_ASSERT(rusm_supervisor_start(NULL, spec, &w->sup) == RUSM_OK);
}

static void await_exit(struct world *w) {
    const struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT && rusm_msg_down(msg)->pid.v == w->sup.v);
    RUSM_ASSERT(rusm_msg_down(msg)->reason.kind == RUSM_EXIT_SHUTDOWN);
}

static void stop(struct world *w) {
    rusm_supervisor_stop(NULL, w->sup);
    await_exit(w);
}

static void sleep_until(struct world *w, uint64_t time_ms) {
    if (now(w) < time_ms) {
        rusm_sleep(time_ms - now(w));
    }
}

/* Make a kid fail; returns when. It has ended, but not been restarted, perhaps. */
static uint64_t fail_kid(struct world *w, struct kid *kid) {
    RUSM_ASSERT(rusm_send(kid->pid, "", 0) == RUSM_OK);
    uint64_t at = now(w);
    while (rusm_is_alive(NULL, kid->pid)) {
        rusm_yield();
    }
    return at;
}

/* Fail and wait for the restart; returns how long it took. */
static uint64_t fail_and_await(struct world *w, struct kid *kid) {
    uint32_t starts = kid->starts;
    uint64_t at = fail_kid(w, kid);
    while (kid->starts == starts) {
        rusm_sleep(1);
    }
    return kid->started_ms - at;
}

/* ---- windows ---- */

static void fail_within(struct world *w, uint32_t max, uint64_t within_ms, uint64_t last_after_ms,
                        bool survives) {
    const struct rusm_child child = child_of(&w->kids[0], "kid");
    const struct rusm_supervisor spec = {
        .children = &child, .child_count = 1, .max_restarts = max, .within_ms = within_ms};
    struct kid *kid = &w->kids[0];
    start(w, &spec);
    rusm_sleep(7);
    (void)fail_and_await(w, kid);
    uint64_t first_ms = kid->started_ms;
    for (uint32_t i = 1; i < (max ? max : 3); i++) {
        (void)fail_and_await(w, kid);
    }
    sleep_until(w, first_ms + last_after_ms);
    if (survives) {
        (void)fail_and_await(w, kid);
        stop(w);
    } else {
        (void)fail_kid(w, kid);
        await_exit(w);
    }
}

static void fail_at_the_edges(struct world *w) {
    fail_within(w, 1, 1000, 1000 - SLACK_MS, false);
    fail_within(w, 1, 1000, 1000 + SLACK_MS, true);
    fail_within(w, 5, 1000, 1000 - SLACK_MS, false);
    fail_within(w, 5, 1000, 1000 + SLACK_MS, true);
    fail_within(w, 0, 0, 5000 - SLACK_MS, false); /* 3 in 5 s */
    fail_within(w, 0, 0, 5000 + SLACK_MS, true);
    fail_within(w, 3, 10000000, 10000000 - SLACK_MS, false);
    fail_within(w, 3, 10000000, 10000000 + SLACK_MS, true);
}

static void a_restart_counts_for_the_window_and_no_longer(void **state) {
    (void)state;
    run(fail_at_the_edges);
}

/* Forever within the bound: the window slides. */
static void fail_steadily(struct world *w) {
    const struct rusm_child child = child_of(&w->kids[0], "kid");
    const struct rusm_supervisor spec = {
        .children = &child, .child_count = 1, .max_restarts = 4, .within_ms = 1000};
    start(w, &spec);
    uint64_t began_ms = now(w);
    for (uint32_t i = 0; i < 50; i++) {
        sleep_until(w, began_ms + i * 260u);
        (void)fail_and_await(w, &w->kids[0]);
    }
    stop(w);
    RUSM_ASSERT(w->kids[0].starts == 51);
    w->kids[0].starts = 0;
}

static void the_window_slides(void **state) {
    (void)state;
    run(fail_steadily);
}

/* Large budgets are counted by sixteenths of the window. */
static void fail_very_often(struct world *w) {
    enum { BUDGET = 1100 };
    const struct rusm_child child = child_of(&w->kids[0], "kid");
    const struct rusm_supervisor spec = {
        .children = &child, .child_count = 1, .max_restarts = BUDGET, .within_ms = 1600000};
    struct kid *kid = &w->kids[0];
    start(w, &spec);
    for (uint32_t i = 0; i < BUDGET; i++) {
        (void)fail_and_await(w, kid);
    }
    sleep_until(w, now(w) + 1800000);
    for (uint32_t i = 0; i < BUDGET; i++) {
        (void)fail_and_await(w, kid);
    }
    (void)fail_kid(w, kid);
    await_exit(w);
    kid->starts = 0;
}

static void large_budgets_are_for_a_window_too(void **state) {
    (void)state;
    run(fail_very_often);
}

/* ---- back-off ---- */

static void fail_with_backoff(struct world *w) {
    const struct rusm_child children[] = {child_of(&w->kids[0], "a"), child_of(&w->kids[1], "b")};
    const struct rusm_supervisor spec = {.children = children,
                                         .child_count = 2,
                                         .max_restarts = RUSM_RESTARTS_UNLIMITED,
                                         .backoff_ms = 100,
                                         .backoff_max_ms = 1000};
    static const uint64_t delays_ms[] = {100, 200, 400, 800, 1000, 1000, 1000};
    start(w, &spec);
    for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
        uint64_t took_ms = fail_and_await(w, &w->kids[0]);
        RUSM_ASSERT(took_ms >= delays_ms[i] && took_ms <= delays_ms[i] + SLACK_MS);
    }
    uint64_t took_ms = fail_and_await(w, &w->kids[1]); /* each child has its own */
    RUSM_ASSERT(took_ms >= 100 && took_ms <= 100 + SLACK_MS);
    RUSM_ASSERT(w->kids[1].starts == 2);

    /* Stopped while one waits for its restart. */
    (void)fail_kid(w, &w->kids[1]);
    rusm_sleep(5);
    struct rusm_child_info infos[2];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(w->sup, infos, 2, &count) == RUSM_OK && count == 2);
    RUSM_ASSERT(infos[0].pid.v != 0 && infos[1].pid.v == 0 && infos[1].restarts == 1);
    stop(w);
    RUSM_ASSERT(w->kids[1].starts == 2);
}

static void restarts_back_off(void **state) {
    (void)state;
    run(fail_with_backoff);
}

/* A wait for a restart that another's brought about meanwhile does not cut the next one short. */
static void fail_while_backing_off(struct world *w) {
    const struct rusm_child children[] = {child_of(&w->kids[0], "a"), child_of(&w->kids[1], "b")};
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ALL,
                                         .children = children,
                                         .child_count = 2,
                                         .max_restarts = RUSM_RESTARTS_UNLIMITED,
                                         .backoff_ms = 100};
    struct kid *a = &w->kids[0];
    struct kid *b = &w->kids[1];
    start(w, &spec);
    uint64_t began_ms = fail_kid(w, a);
    sleep_until(w, began_ms + 70);
    (void)fail_kid(w, b);
    sleep_until(w, began_ms + 100 + SLACK_MS);
    RUSM_ASSERT(a->starts == 2 && b->starts == 2); /* all, with a */
    uint64_t took_ms = fail_and_await(w, b);
    RUSM_ASSERT(took_ms >= 100 && took_ms <= 100 + SLACK_MS);
    stop(w);
}

static void a_back_off_is_not_cut_short_by_an_older_one(void **state) {
    (void)state;
    run(fail_while_backing_off);
}

/* ---- shutdown times ---- */

static void stop_slow_ones(struct world *w) {
    static const uint64_t limits_ms[] = {700, 0, RUSM_FOREVER, RUSM_SHUTDOWN_KILL, 1};
    static const char *const ids[] = {"0", "1", "2", "3", "4"};
    struct rusm_child children[5];
    for (uint32_t i = 0; i < 5; i++) {
        w->kids[i].ignores = true;
        children[i] = child_of(&w->kids[i], ids[i]);
        children[i].shutdown_ms = limits_ms[i];
    }
    w->kids[2].ends_itself = 123456;
    const struct rusm_supervisor spec = {.children = children, .child_count = 5};
    start(w, &spec);
    rusm_sleep(3);
    uint64_t began_ms = now(w);
    stop(w);
    static const uint64_t took_ms[] = {700, 5000, 123456, 0, 1};
    uint64_t at_ms = began_ms;
    for (uint32_t i = 5; i-- > 0;) {
        const struct kid *kid = &w->kids[i];
        RUSM_ASSERT(kid->ended_as == (i == 2 ? RUSM_EXIT_NORMAL : RUSM_EXIT_KILLED));
        RUSM_ASSERT(i == 3 || (kid->asked_ms >= at_ms && kid->asked_ms <= at_ms + SLACK_MS));
        RUSM_ASSERT(kid->ended_ms >= at_ms + took_ms[i]);
        RUSM_ASSERT(kid->ended_ms <= at_ms + took_ms[i] + SLACK_MS);
        at_ms = kid->ended_ms;
    }
}

static void each_child_has_its_time_to_end(void **state) {
    (void)state;
    run(stop_slow_ones);
}

/* Dynamic children are asked all at once, and the time is one for all. */
static void stop_slow_dynamic_ones(struct world *w) {
    const struct rusm_child template = {.server = &server, .shutdown_ms = 1000};
    const struct rusm_supervisor spec = {
        .strategy = RUSM_DYNAMIC, .children = &template, .child_count = 1};
    start(w, &spec);
    for (uint32_t i = 0; i < KIDS_MAX; i++) {
        w->kids[i].ignores = true;
        w->kids[i].ends_itself = 300 * (i + 1);
        RUSM_ASSERT(rusm_supervisor_start_child(w->sup, NULL, &w->kids[i], NULL) == RUSM_OK);
    }
    rusm_sleep(3);
    uint64_t began_ms = now(w);
    stop(w);
    for (uint32_t i = 0; i < KIDS_MAX; i++) {
        const struct kid *kid = &w->kids[i];
        uint64_t due_ms = began_ms + (i < 3 ? 300 * (i + 1) : 1000);
        RUSM_ASSERT(kid->ended_as == (i < 3 ? RUSM_EXIT_NORMAL : RUSM_EXIT_KILLED));
        RUSM_ASSERT(kid->ended_ms >= due_ms && kid->ended_ms <= due_ms + SLACK_MS);
    }
}

static void dynamic_children_have_one_time_for_all(void **state) {
    (void)state;
    run(stop_slow_dynamic_ones);
}

/* One-for-all waits for the slow as long, then restarts. */
static void restart_slow_ones(struct world *w) {
    struct rusm_child children[] = {child_of(&w->kids[0], "a"), child_of(&w->kids[1], "b")};
    children[1].shutdown_ms = 400;
    w->kids[1].ignores = true;
    const struct rusm_supervisor spec = {
        .strategy = RUSM_ONE_FOR_ALL, .children = children, .child_count = 2};
    start(w, &spec);
    uint64_t took_ms = fail_and_await(w, &w->kids[0]);
    RUSM_ASSERT(took_ms >= 400 && took_ms <= 400 + SLACK_MS);
    stop(w);
    RUSM_ASSERT(w->kids[0].starts == 2 && w->kids[1].starts == 2);
}

static void a_restart_of_all_waits_for_the_slow(void **state) {
    (void)state;
    run(restart_slow_ones);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_counts_for_the_window_and_no_longer),
        cmocka_unit_test(the_window_slides),
        cmocka_unit_test(large_budgets_are_for_a_window_too),
        cmocka_unit_test(restarts_back_off),
        cmocka_unit_test(a_back_off_is_not_cut_short_by_an_older_one),
        cmocka_unit_test(each_child_has_its_time_to_end),
        cmocka_unit_test(dynamic_children_have_one_time_for_all),
        cmocka_unit_test(a_restart_of_all_waits_for_the_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
