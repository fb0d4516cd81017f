/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Supervisors with children known from the start: strategies, restarts, order, ends. What depends
 * on time is tested in simulation.
 */
#include "base/assert.h"
#include "otp/test_kids_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LONG_MS 1000000000u /* longer than any test */

/* Three kids a, b, c under a supervisor. */
struct family {
    struct history history;
    struct kid kids[3];
    struct rusm_child children[3];
    struct rusm_supervisor spec;
    rusm_pid sup;
};

static void family_init(struct family *f, enum rusm_strategy strategy) {
    static const char *const ids[] = {"a", "b", "c"};
    memset(f, 0, sizeof *f);
    for (int i = 0; i < 3; i++) {
        f->kids[i].history = &f->history;
        f->kids[i].letter = ids[i][0];
        f->children[i] = kid_child(ids[i], &f->kids[i]);
    }
    f->spec = (struct rusm_supervisor){.strategy = strategy,
                                       .max_restarts = RUSM_RESTARTS_UNLIMITED,
                                       .children = f->children,
                                       .child_count = 3};
}

static void family_start(struct family *f) {
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_supervisor_start(NULL, &f->spec, &f->sup) == RUSM_OK);
    RUSM_ASSERT(history_is(&f->history, "+a+b+c"));
}

static void history_clear(struct family *f) {
    memset(f->history.text, 0, sizeof f->history.text);
    atomic_store(&f->history.len, 0);
}

/* Ends the supervisor and waits for it. */
static void family_stop(struct family *f) {
    rusm_supervisor_stop(NULL, f->sup);
    (void)expect_news(RUSM_MSG_EXIT, f->sup, RUSM_EXIT_SHUTDOWN);
    expect_silence();
}

/* ---- strategies ---- */

static void restart_with(enum rusm_strategy strategy, const char *victim, const char *expected) {
    static const char *const ids[] = {"a", "b", "c"};
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_ERROR, RUSM_EXIT_KILLED, RUSM_EXIT_NORMAL,
                                                RUSM_EXIT_SHUTDOWN};
    struct family f;
    family_init(&f, strategy);
    family_start(&f);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rusm_pid before[3];
        for (int k = 0; k < 3; k++) {
            before[k] = kid_pid(f.sup, ids[k]);
        }
        history_clear(&f);
        rusm_pid pid = kid_pid(f.sup, victim);
        kid_end(pid, kinds[i]);
        (void)kid_await(f.sup, victim, pid);
        RUSM_ASSERT(history_is(&f.history, expected));
        for (int k = 0; k < 3; k++) {
            bool replaced = strchr(expected, ids[k][0]) != NULL;
            rusm_pid now = kid_pid(f.sup, ids[k]);
            RUSM_ASSERT((now.v != before[k].v) == replaced && rusm_is_alive(NULL, now));
        }
    }
    history_clear(&f);
    family_stop(&f);
    RUSM_ASSERT(history_is(&f.history, "-c-b-a"));
}

static void use_all_strategies(void *arg) {
    (void)arg;
    restart_with(RUSM_ONE_FOR_ONE, "a", "-a+a");
    restart_with(RUSM_ONE_FOR_ONE, "b", "-b+b");
    restart_with(RUSM_ONE_FOR_ONE, "c", "-c+c");
    restart_with(RUSM_ONE_FOR_ALL, "a", "-a-c-b+a+b+c");
    restart_with(RUSM_ONE_FOR_ALL, "b", "-b-c-a+a+b+c");
    restart_with(RUSM_ONE_FOR_ALL, "c", "-c-b-a+a+b+c");
    restart_with(RUSM_REST_FOR_ONE, "a", "-a-c-b+a+b+c");
    restart_with(RUSM_REST_FOR_ONE, "b", "-b-c+b+c");
    restart_with(RUSM_REST_FOR_ONE, "c", "-c+c");
}

static void each_strategy_restarts_whom_it_should_in_order(void **state) {
    (void)state;
    run_fiber(use_all_strategies, NULL);
}

/* ---- restart kinds ---- */

/* What becomes of one child of three after an end: '+' restarted, '0' known but not running, '-'
 * forgotten. */
static char fate(enum rusm_restart restart, enum rusm_exit_kind kind) {
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    f.children[1].restart = restart;
    family_start(&f);
    rusm_pid pid = kid_pid(f.sup, "b");
    kid_end(pid, kind);
    rusm_pid now = kid_pid(f.sup, "b");
    while (now.v == pid.v) {
        rusm_yield();
        now = kid_pid(f.sup, "b");
    }
    char result = '-';
    if (now.v != 0) {
        result = '+';
    } else if (kid_count(f.sup) == 3) {
        result = '0';
    }
    RUSM_ASSERT(atomic_load(&f.kids[0].starts) == 1 && atomic_load(&f.kids[2].starts) == 1);
    family_stop(&f);
    RUSM_ASSERT(atomic_load(&f.kids[1].ends) == atomic_load(&f.kids[1].starts));
    return result;
}

static void end_in_all_ways(void *arg) {
    (void)arg;
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN,
                                                RUSM_EXIT_ERROR,  RUSM_EXIT_KILLED,
                                                RUSM_EXIT_LIMIT,  RUSM_EXIT_NOPROC};
    static const char *const fates[] = {
        [RUSM_PERMANENT] = "++++++", [RUSM_TRANSIENT] = "00++++", [RUSM_TEMPORARY] = "------"};
    for (int restart = RUSM_PERMANENT; restart <= RUSM_TEMPORARY; restart++) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            RUSM_ASSERT(fate((enum rusm_restart)restart, kinds[i]) == fates[restart][i]);
        }
    }
}

static void restart_kinds_decide_by_the_reason(void **state) {
    (void)state;
    run_fiber(end_in_all_ways, NULL);
}

/* A temporary child that is ended for another's sake is not started again either: OTP, supervisor,
 * "Restart strategy". */
static void end_temporaries_too(void *arg) {
    (void)arg;
    for (int strategy = RUSM_ONE_FOR_ALL; strategy <= RUSM_REST_FOR_ONE; strategy++) {
        struct family f;
        family_init(&f, (enum rusm_strategy)strategy);
        f.children[1].restart = RUSM_TEMPORARY;
        family_start(&f);
        history_clear(&f);
        rusm_pid pid = kid_pid(f.sup, "a");
        kid_end(pid, RUSM_EXIT_ERROR);
        (void)kid_await(f.sup, "a", pid);
        RUSM_ASSERT(history_is(&f.history, "-a-c-b+a+c"));
        RUSM_ASSERT(kid_count(f.sup) == 2);
        family_stop(&f);
    }
}

static void temporary_children_are_never_restarted(void **state) {
    (void)state;
    run_fiber(end_temporaries_too, NULL);
}

/* A transient one that ended well comes back with the others. */
static void bring_transients_back(void *arg) {
    (void)arg;
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ALL);
    f.children[1].restart = RUSM_TRANSIENT;
    family_start(&f);
    rusm_pid pid = kid_pid(f.sup, "b");
    kid_end(pid, RUSM_EXIT_NORMAL);
    while (kid_pid(f.sup, "b").v != 0) {
        rusm_yield();
    }
    history_clear(&f);
    pid = kid_pid(f.sup, "c");
    kid_end(pid, RUSM_EXIT_ERROR);
    (void)kid_await(f.sup, "c", pid);
    RUSM_ASSERT(history_is(&f.history, "-c-a+a+b+c"));
    family_stop(&f);
}

static void transient_children_come_back_with_the_others(void **state) {
    (void)state;
    run_fiber(bring_transients_back, NULL);
}

/* ---- shutdown ---- */

static void stop_a_stubborn_one(void *arg) {
    (void)arg;
    static const uint64_t limits_ms[] = {1, RUSM_SHUTDOWN_KILL};
    for (size_t i = 0; i < sizeof limits_ms / sizeof limits_ms[0]; i++) {
        struct family f;
        family_init(&f, RUSM_ONE_FOR_ONE);
        f.kids[1].ignores = true;
        f.children[1].shutdown_ms = limits_ms[i];
        f.children[2].shutdown_ms = RUSM_FOREVER;
        family_start(&f);
        family_stop(&f);
        RUSM_ASSERT(history_is(&f.history, "+a+b+c-c-b-a"));
        RUSM_ASSERT(atomic_load(&f.kids[0].ended_as) == RUSM_EXIT_SHUTDOWN);
        RUSM_ASSERT(atomic_load(&f.kids[1].ended_as) == RUSM_EXIT_KILLED);
        RUSM_ASSERT(atomic_load(&f.kids[2].ended_as) == RUSM_EXIT_SHUTDOWN);
    }
}

static void who_does_not_end_in_time_is_killed(void **state) {
    (void)state;
    run_fiber(stop_a_stubborn_one, NULL);
}

static void fail_in_shutdown(void *state, struct rusm_msg *msg) {
    (void)state;
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT);
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "no", 2});
}

static enum rusm_err trap(void *state, void *arg) {
    (void)state;
    (void)arg;
    (void)rusm_trap_exit(true);
    return RUSM_OK;
}

static void stop_a_failing_one(void *arg) {
    (void)arg;
    static const struct rusm_server failing = {.init = trap, .message = fail_in_shutdown};
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ALL);
    f.children[1].server = &failing;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_supervisor_start(NULL, &f.spec, &f.sup) == RUSM_OK);
    family_stop(&f); /* whatever reason the child gives while it is ended */
    RUSM_ASSERT(history_is(&f.history, "+a+c-c-a"));
}

static void a_failure_during_shutdown_is_the_end_all_the_same(void **state) {
    (void)state;
    run_fiber(stop_a_failing_one, NULL);
}

/* ---- too many restarts ---- */

static void crash_beyond_the_bound(void *arg) {
    (void)arg;
    for (uint32_t bound = 0; bound <= 5; bound++) {
        struct family f;
        family_init(&f, RUSM_ONE_FOR_ONE);
        f.spec.max_restarts = bound;
        f.spec.within_ms = LONG_MS;
        family_start(&f);
        uint32_t allowed = bound ? bound : 3;
        rusm_pid pid = kid_pid(f.sup, "b");
        for (uint32_t i = 0; i < allowed; i++) {
            kid_end(pid, RUSM_EXIT_ERROR);
            pid = kid_await(f.sup, "b", pid);
        }
        struct rusm_child_info infos[3];
        size_t count;
        RUSM_ASSERT(rusm_supervisor_children(f.sup, infos, 3, &count) == RUSM_OK && count == 3);
        RUSM_ASSERT(infos[0].restarts == 0 && infos[1].restarts == allowed);
        history_clear(&f);
        kid_end(pid, RUSM_EXIT_ERROR);
        (void)expect_news(RUSM_MSG_EXIT, f.sup, RUSM_EXIT_SHUTDOWN);
        RUSM_ASSERT(history_is(&f.history, "-b-c-a"));
        RUSM_ASSERT(rusm_supervisor_children(f.sup, infos, 3, &count) == RUSM_ERR_NOPROC);
    }
}

static void one_restart_too_many_and_it_gives_up(void **state) {
    (void)state;
    run_fiber(crash_beyond_the_bound, NULL);
}

static void crash_often(void *arg) {
    (void)arg;
    /* Counted exactly, counted by sixteenths, and not at all. */
    static const uint32_t bounds[] = {200, 2000, RUSM_RESTARTS_UNLIMITED};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct family f;
        family_init(&f, RUSM_ONE_FOR_ONE);
        f.spec.max_restarts = bounds[i];
        f.kids[0].history = NULL;
        f.kids[1].history = NULL;
        f.kids[2].history = NULL;
        f.spec.within_ms = LONG_MS;
        (void)rusm_trap_exit(true);
        RUSM_ASSERT(rusm_supervisor_start(NULL, &f.spec, &f.sup) == RUSM_OK);
        rusm_pid pid = kid_pid(f.sup, "c");
        for (uint32_t k = 0; k < 200; k++) {
            kid_end(pid, RUSM_EXIT_KILLED);
            pid = kid_await(f.sup, "c", pid);
        }
        RUSM_ASSERT(atomic_load(&f.kids[2].starts) == 201);
        family_stop(&f);
    }
}

static void larger_budgets_allow_more(void **state) {
    (void)state;
    run_fiber(crash_often, NULL);
}

/* A child whose restarts fail in init uses the budget up, too. */
static void fail_to_restart(void *arg) {
    (void)arg;
    for (int crashes = 0; crashes < 2; crashes++) {
        struct family f;
        family_init(&f, RUSM_ONE_FOR_ONE);
        f.spec.max_restarts = 10;
        f.spec.within_ms = LONG_MS;
        family_start(&f);
        history_clear(&f);
        f.kids[1].crashes = crashes;
        f.kids[1].init_err = RUSM_ERR_SYSTEM;
        kid_end(kid_pid(f.sup, "b"), RUSM_EXIT_ERROR);
        (void)expect_news(RUSM_MSG_EXIT, f.sup, RUSM_EXIT_SHUTDOWN);
        RUSM_ASSERT(atomic_load(&f.kids[1].starts) == 11);
        RUSM_ASSERT(atomic_load(&f.kids[1].ends) == 11);
    }
}

static void a_restart_that_fails_is_tried_again_and_counts(void **state) {
    (void)state;
    run_fiber(fail_to_restart, NULL);
}

/* ---- starting ---- */

static void fail_to_start(void *arg) {
    (void)arg;
    for (int crashes = 0; crashes < 2; crashes++) {
        for (int trapping = 0; trapping < 2; trapping++) {
            (void)rusm_trap_exit(trapping);
            struct family f;
            family_init(&f, RUSM_ONE_FOR_ONE);
            f.spec.name = "family";
            f.kids[1].crashes = crashes;
            f.kids[1].init_err = RUSM_ERR_SYSTEM;
            RUSM_ASSERT(rusm_supervisor_start(NULL, &f.spec, &f.sup) == RUSM_ERR_START_FAILED);
            RUSM_ASSERT(history_is(&f.history, "+a+b-b-a"));
            RUSM_ASSERT(rusm_whereis(NULL, "family").v == 0);
            expect_silence();
        }
    }
}

static void a_failed_start_ends_those_before(void **state) {
    (void)state;
    run_fiber(fail_to_start, NULL);
}

static void start_from_outside(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    static struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    f.spec.name = "family";
    f.spec.label = "a family";
    assert_int_equal(rusm_supervisor_start(rt, &f.spec, &f.sup), RUSM_OK);
    assert_true(history_is(&f.history, "+a+b+c"));
    assert_int_equal(rusm_whereis(rt, "family").v, f.sup.v);
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(rt, f.sup, &info), RUSM_OK);
    assert_true(info.is_supervisor);
    assert_string_equal(info.label, "a family");
    assert_int_equal(info.links, 3);
    rusm_pid again;
    assert_int_equal(rusm_supervisor_start(rt, &f.spec, &again), RUSM_ERR_NAME_TAKEN);
    rusm_supervisor_stop(rt, f.sup);
    rusm_runtime_wait_idle(rt);
    assert_true(history_is(&f.history, "+a+b+c-c-b-a"));

    history_clear(&f);
    f.kids[2].init_err = RUSM_ERR_SYSTEM;
    assert_int_equal(rusm_supervisor_start(rt, &f.spec, &f.sup), RUSM_ERR_START_FAILED);
    rusm_runtime_wait_idle(rt);
    assert_true(history_is(&f.history, "+a+b+c-c-b-a"));
    rusm_runtime_destroy(rt);
}

static void destroying_the_runtime_ends_all(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    static struct family f;
    family_init(&f, RUSM_ONE_FOR_ALL);
    assert_int_equal(rusm_supervisor_start(rt, &f.spec, &f.sup), RUSM_OK);
    rusm_runtime_destroy(rt);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&f.kids[i].starts), atomic_load(&f.kids[i].ends));
    }
}

static void invalid_specifications_are_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    char name[RUSM_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    static struct kid kid;
    const struct rusm_supervisor empty = {.strategy = RUSM_ONE_FOR_ONE};
    const struct rusm_supervisor bad = {.strategy = RUSM_ONE_FOR_ONE, .child_count = 1};
    const struct rusm_child children[][2] = {
        {{.id = NULL, .server = &kid_server}},
        {{.id = "", .server = &kid_server}},
        {{.id = name, .server = &kid_server}},
        {{.id = "a"}},
        {{.id = "a", .server = &kid_server, .fiber = wait_for_ever}},
        {{.id = "a", .server = &kid_server, .supervisor = &empty}},
        {{.id = "a", .supervisor = &bad}},
        {{.id = "a", .server = &kid_server, .name = name}},
    };
    struct rusm_supervisor spec = {.child_count = 1};
    rusm_pid pid = {77};
    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
        spec.children = children[i];
        assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    }
    const struct rusm_child twins[] = {kid_child("a", &kid), kid_child("a", &kid)};
    spec = (struct rusm_supervisor){.children = twins, .child_count = 2};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    const struct rusm_child template = {.server = &kid_server};
    spec = (struct rusm_supervisor){.strategy = RUSM_DYNAMIC, .children = &template};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    spec = (struct rusm_supervisor){.strategy = RUSM_DYNAMIC, .children = twins, .child_count = 1};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    spec = (struct rusm_supervisor){.strategy = (enum rusm_strategy)17};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    spec = (struct rusm_supervisor){.name = name};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    spec = (struct rusm_supervisor){.children = NULL, .child_count = 1};
    assert_int_equal(rusm_supervisor_start(rt, &spec, &pid), RUSM_ERR_INVALID);
    assert_int_equal(pid.v, 77);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.process_count, 0);
    assert_int_equal(atomic_load(&kid.starts), 0);
    rusm_runtime_destroy(rt);
}

/* The specification, its strings too, may change once the start has returned. */
static void forget_the_specification(void *arg) {
    (void)arg;
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    char id[] = "b";
    char name[] = "name of b";
    f.children[1].id = id;
    f.children[1].name = name;
    family_start(&f);
    memset(f.children, 0, sizeof f.children);
    memset(id, 'x', 1);
    memset(name, 'x', 4);
    rusm_pid pid = kid_pid(f.sup, "b");
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_whereis(NULL, "name of b").v == pid.v);
        kid_end(pid, RUSM_EXIT_ERROR);
        pid = kid_await(f.sup, "b", pid);
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, pid, &info) == RUSM_OK);
    RUSM_ASSERT(strcmp(info.label, "b") == 0);
    family_stop(&f);
}

static void the_specification_is_copied(void **state) {
    (void)state;
    run_fiber(forget_the_specification, NULL);
}

/* ---- the supervisor's own end ---- */

static void kill_the_supervisor(void *arg) {
    (void)arg;
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    family_start(&f);
    rusm_pid pids[3] = {kid_pid(f.sup, "a"), kid_pid(f.sup, "b"), kid_pid(f.sup, "c")};
    RUSM_ASSERT(rusm_kill(NULL, f.sup));
    (void)expect_news(RUSM_MSG_EXIT, f.sup, RUSM_EXIT_KILLED);
    for (int i = 0; i < 3; i++) {
        await_end(pids[i]);
        RUSM_ASSERT(atomic_load(&f.kids[i].ended_as) == RUSM_EXIT_KILLED);
        RUSM_ASSERT(atomic_load(&f.kids[i].starts) == 1);
    }
}

static void a_killed_supervisor_takes_its_children_along(void **state) {
    (void)state;
    run_fiber(kill_the_supervisor, NULL);
}

static void start_and_end(void *arg) {
    struct family *f = arg;
    RUSM_ASSERT(rusm_supervisor_start(NULL, &f->spec, &f->sup) == RUSM_OK);
}

static void start_and_fail(void *arg) {
    start_and_end(arg);
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void a_supervisor_ends_with_its_parent(void **state) {
    (void)state;
    static struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    run_fiber(start_and_end, &f);
    assert_true(history_is(&f.history, "+a+b+c-c-b-a"));
    family_init(&f, RUSM_ONE_FOR_ONE);
    run_fiber(start_and_fail, &f);
    assert_true(history_is(&f.history, "+a+b+c-c-b-a"));
    assert_int_equal(atomic_load(&f.kids[1].ended_as), RUSM_EXIT_SHUTDOWN);
}

/* What strangers send it does not disturb it. */
static void disturb(void *arg) {
    (void)arg;
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    family_start(&f);
    rusm_pid stranger = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(stranger, PUPPET_LINK, f.sup) == RUSM_OK);
    puppet_exit(stranger, RUSM_EXIT_ERROR, NULL, 0);
    stranger = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(stranger, PUPPET_MONITOR, f.sup) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, stranger));
    char junk[1000] = {0};
    for (size_t len = 0; len < sizeof junk; len++) {
        RUSM_ASSERT(rusm_send(f.sup, junk, len) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_call(f.sup, junk, 10, 1, NULL) == RUSM_ERR_TIMEOUT);
    RUSM_ASSERT(kid_count(f.sup) == 3);
    RUSM_ASSERT(history_is(&f.history, "+a+b+c"));
    family_stop(&f);
}

static void strangers_do_not_disturb(void **state) {
    (void)state;
    run_fiber(disturb, NULL);
}

/* ---- several ends at once ---- */

/* While c is ended for b's sake it kills a, which b's end does not concern. */
static void kill_another_meanwhile(void *arg) {
    (void)arg;
    struct family f;
    family_init(&f, RUSM_REST_FOR_ONE);
    f.children[0].name = "a";
    f.kids[2].kills = "a";
    family_start(&f);
    rusm_pid a = kid_pid(f.sup, "a");
    rusm_pid c = kid_pid(f.sup, "c");
    kid_end(kid_pid(f.sup, "b"), RUSM_EXIT_ERROR);
    (void)kid_await(f.sup, "a", a);
    (void)kid_await(f.sup, "c", c);
    RUSM_ASSERT(rusm_is_alive(NULL, kid_pid(f.sup, "b")));
    family_stop(&f);

    /* The same while all are ended: a is dead already when its turn comes. */
    family_init(&f, RUSM_ONE_FOR_ALL);
    f.children[0].name = "a";
    f.kids[2].kills = "a";
    family_start(&f);
    a = kid_pid(f.sup, "a");
    kid_end(kid_pid(f.sup, "b"), RUSM_EXIT_ERROR);
    (void)kid_await(f.sup, "a", a);
    RUSM_ASSERT(atomic_load(&f.kids[0].starts) == 2 && atomic_load(&f.kids[2].starts) == 2);
    f.kids[2].kills = "a";
    family_stop(&f);
    RUSM_ASSERT(atomic_load(&f.kids[0].ends) == 2);
}

static void an_end_while_others_are_ended_is_not_missed(void **state) {
    (void)state;
    run_fiber(kill_another_meanwhile, NULL);
}

static void kill_all_at_once(void *arg) {
    (void)arg;
    static const char *const ids[] = {"a", "b", "c"};
    for (int strategy = RUSM_ONE_FOR_ONE; strategy <= RUSM_REST_FOR_ONE; strategy++) {
        struct family f;
        family_init(&f, (enum rusm_strategy)strategy);
        family_start(&f);
        for (int round = 0; round < 30; round++) {
            rusm_pid before[3];
            for (int i = 0; i < 3; i++) {
                before[i] = kid_pid(f.sup, ids[i]);
            }
            for (int i = 0; i < 3; i++) {
                (void)rusm_kill(NULL, before[(i + round) % 3]);
            }
            for (int i = 0; i < 3; i++) {
                (void)kid_await(f.sup, ids[i], before[i]);
            }
        }
        RUSM_ASSERT(kid_count(f.sup) == 3);
        family_stop(&f);
        for (int i = 0; i < 3; i++) {
            RUSM_ASSERT(atomic_load(&f.kids[i].starts) == atomic_load(&f.kids[i].ends));
        }
    }
}

static void all_ends_at_once_are_dealt_with(void **state) {
    (void)state;
    run_fiber(kill_all_at_once, NULL);
}

/* A child that has unlinked itself is still ended. */
static enum rusm_err unlink_parent(void *state, void *arg) {
    (void)state;
    (void)arg;
    (void)rusm_trap_exit(true);
    return RUSM_OK;
}

static void unlink_on_message(void *state, struct rusm_msg *msg) {
    (void)state;
    if (msg->kind == RUSM_MSG_CALL) {
        rusm_unlink(*(const rusm_pid *)msg->data);
        (void)rusm_reply(rusm_msg_from(msg), "", 0);
    }
}

static void end_an_unlinked_child(void *arg) {
    (void)arg;
    static const struct rusm_server loose = {.init = unlink_parent, .message = unlink_on_message};
    struct family f;
    family_init(&f, RUSM_ONE_FOR_ONE);
    f.children[1].server = &loose;
    f.children[1].shutdown_ms = 1;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_supervisor_start(NULL, &f.spec, &f.sup) == RUSM_OK);
    rusm_pid pid = kid_pid(f.sup, "b");
    RUSM_ASSERT(rusm_call(pid, &f.sup, sizeof f.sup, RUSM_FOREVER, NULL) == RUSM_OK);
    family_stop(&f);
    RUSM_ASSERT(!rusm_is_alive(NULL, pid));
}

static void a_child_that_unlinked_itself_is_ended(void **state) {
    (void)state;
    run_fiber(end_an_unlinked_child, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_strategy_restarts_whom_it_should_in_order),
        cmocka_unit_test(restart_kinds_decide_by_the_reason),
        cmocka_unit_test(temporary_children_are_never_restarted),
        cmocka_unit_test(transient_children_come_back_with_the_others),
        cmocka_unit_test(who_does_not_end_in_time_is_killed),
        cmocka_unit_test(a_failure_during_shutdown_is_the_end_all_the_same),
        cmocka_unit_test(one_restart_too_many_and_it_gives_up),
        cmocka_unit_test(larger_budgets_allow_more),
        cmocka_unit_test(a_restart_that_fails_is_tried_again_and_counts),
        cmocka_unit_test(a_failed_start_ends_those_before),
        cmocka_unit_test(start_from_outside),
        cmocka_unit_test(destroying_the_runtime_ends_all),
        cmocka_unit_test(invalid_specifications_are_refused),
        cmocka_unit_test(the_specification_is_copied),
        cmocka_unit_test(a_killed_supervisor_takes_its_children_along),
        cmocka_unit_test(a_supervisor_ends_with_its_parent),
        cmocka_unit_test(strangers_do_not_disturb),
        cmocka_unit_test(an_end_while_others_are_ended_is_not_missed),
        cmocka_unit_test(all_ends_at_once_are_dealt_with),
        cmocka_unit_test(a_child_that_unlinked_itself_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
