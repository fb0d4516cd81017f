/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Children added, ended and listed while a supervisor runs; dynamic ones; supervisors of
 * supervisors.
 */
#include "base/assert.h"
#include "otp/test_kids_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 500u

static void sup_start(const struct rusm_supervisor *spec, rusm_pid *sup) {
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_supervisor_start(NULL, spec, sup) == RUSM_OK);
}

static void sup_stop(rusm_pid sup) {
    rusm_supervisor_stop(NULL, sup);
    (void)expect_news(RUSM_MSG_EXIT, sup, RUSM_EXIT_SHUTDOWN);
    expect_silence();
}

/* ---- with ids ---- */

static void add_and_end(void *arg) {
    (void)arg;
    struct history history = {.len = 0};
    struct kid a = {.history = &history, .letter = 'a'};
    struct kid b = {.history = &history, .letter = 'b'};
    struct kid c = {.history = &history, .letter = 'c'};
    const struct rusm_child first = kid_child("a", &a);
    const struct rusm_supervisor spec = {.children = &first, .child_count = 1};
    rusm_pid sup;
    sup_start(&spec, &sup);
    struct rusm_child child = kid_child("b", &b);
    rusm_pid pid;
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, &pid) == RUSM_OK);
    RUSM_ASSERT(kid_pid(sup, "b").v == pid.v && rusm_is_alive(NULL, pid));
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_ERR_INVALID);
    child = kid_child("c", &c);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_OK);
    struct rusm_child_info infos[4];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(sup, infos, 4, &count) == RUSM_OK && count == 3);
    for (uint32_t i = 0; i < 3; i++) {
        RUSM_ASSERT(infos[i].id[0] == "abc"[i] && infos[i].id[1] == '\0');
        RUSM_ASSERT(infos[i].restarts == 0 && !infos[i].is_supervisor);
    }
    kid_end(pid, RUSM_EXIT_ERROR); /* restarted as any other */
    rusm_pid again = kid_await(sup, "b", pid);
    RUSM_ASSERT(history_is(&history, "+a+b+c-b+b"));

    RUSM_ASSERT(rusm_supervisor_end_child(sup, "b", (rusm_pid){0}) == RUSM_OK);
    RUSM_ASSERT(!rusm_is_alive(NULL, again));
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "b", (rusm_pid){0}) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, again) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "", (rusm_pid){0}) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, (rusm_pid){0}) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(kid_count(sup) == 2);
    child = kid_child("b", &b); /* at the end of the order now */
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "a", (rusm_pid){0}) == RUSM_OK);
    sup_stop(sup);
    RUSM_ASSERT(history_is(&history, "+a+b+c-b+b-b+b-a-b-c"));
}

static void children_come_and_go(void **state) {
    (void)state;
    run_fiber(add_and_end, NULL);
}

static void add_a_failing_one(void *arg) {
    (void)arg;
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ALL};
    rusm_pid sup;
    sup_start(&spec, &sup);
    struct kid refuses = {.init_err = RUSM_ERR_SYSTEM};
    struct kid crashes = {.crashes = true};
    struct rusm_child child = kid_child("r", &refuses);
    rusm_pid pid = {77};
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, &pid) == RUSM_ERR_START_FAILED);
    child = kid_child("c", &crashes);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, &pid) == RUSM_ERR_START_FAILED);
    child.name = "taken";
    RUSM_ASSERT(rusm_register(NULL, "taken", rusm_self()) == RUSM_OK);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, &pid) != RUSM_OK);
    child = (struct rusm_child){.id = "x"};
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, &pid) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, NULL, NULL, &pid) == RUSM_ERR_INVALID);
    RUSM_ASSERT(pid.v == 77 && kid_count(sup) == 0);
    RUSM_ASSERT(refuses.starts == 1 && crashes.starts == 1);
    sup_stop(sup);
}

static void a_child_that_does_not_start_is_not_kept(void **state) {
    (void)state;
    run_fiber(add_a_failing_one, NULL);
}

static void ask_the_dead(void *arg) {
    (void)arg;
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ALL};
    rusm_pid sup;
    sup_start(&spec, &sup);
    sup_stop(sup);
    struct kid kid = {.letter = 'k'};
    const struct rusm_child inner = kid_child("inner", &kid);
    const struct rusm_supervisor nested = {.children = &inner, .child_count = 1};
    const struct rusm_child children[] = {kid_child("k", &kid),
                                          {.id = "nested", .supervisor = &nested}};
    size_t count;
    for (int i = 0; i < 2; i++) { /* the nested one's copy must not be lost */
        RUSM_ASSERT(rusm_supervisor_start_child(sup, &children[i], NULL, NULL) == RUSM_ERR_NOPROC);
    }
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "k", (rusm_pid){0}) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_children(sup, NULL, 0, &count) == RUSM_ERR_NOPROC);
    rusm_supervisor_stop(NULL, sup);
    expect_silence();
}

static void a_dead_supervisor_answers_nothing(void **state) {
    (void)state;
    run_fiber(ask_the_dead, NULL);
}

static enum rusm_err wait_in_init(void *state, void *arg) {
    (void)state;
    (void)arg;
    (void)rusm_receive();
    return RUSM_OK;
}

static void ignore(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

struct late {
    rusm_pid sup;
    enum rusm_err err;
};

static void add_slowly(void *arg) {
    struct late *late = arg;
    static const struct rusm_server slow = {.init = wait_in_init, .message = ignore};
    const struct rusm_child child = {.id = "slow", .server = &slow, .name = "slow"};
    late->err = rusm_supervisor_start_child(late->sup, &child, NULL, NULL);
}

static void add_nested(void *arg) {
    struct late *late = arg;
    static struct kid kid;
    const struct rusm_child inner = kid_child("inner", &kid);
    const struct rusm_supervisor nested = {.children = &inner, .child_count = 1};
    const struct rusm_child child = {.id = "nested", .supervisor = &nested};
    late->err = rusm_supervisor_start_child(late->sup, &child, NULL, NULL);
}

/* The supervisor dies while one start is under way and another request waits. */
static void a_supervisor_killed_at_a_start_answers_noproc(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    const struct rusm_supervisor spec = {.strategy = RUSM_ONE_FOR_ALL};
    rusm_pid sup;
    assert_int_equal(rusm_supervisor_start(rt, &spec, &sup), RUSM_OK);
    struct late first = {.sup = sup};
    struct late second = {.sup = sup};
    (void)spawn_fiber(rt, add_slowly, &first, NULL);
    AWAIT(rusm_whereis(rt, "slow").v != 0);
    await_wait(rt, rusm_whereis(rt, "slow"), RUSM_WAIT_RECEIVE);
    rusm_pid waiting = spawn_fiber(rt, add_nested, &second, NULL);
    await_wait(rt, waiting, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(rt, sup));
    finish_runtime(rt);
    assert_int_equal(first.err, RUSM_ERR_NOPROC);
    assert_int_equal(second.err, RUSM_ERR_NOPROC);
}

static void end_one_not_running(void *arg) {
    (void)arg;
    struct kid kid = {.letter = 'a'};
    struct rusm_child child = kid_child("a", &kid);
    child.restart = RUSM_TRANSIENT;
    const struct rusm_supervisor spec = {.children = &child, .child_count = 1};
    rusm_pid sup;
    sup_start(&spec, &sup);
    kid_end(kid_pid(sup, "a"), RUSM_EXIT_NORMAL);
    while (kid_pid(sup, "a").v != 0) {
        rusm_yield();
    }
    RUSM_ASSERT(kid_count(sup) == 1);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "a", (rusm_pid){0}) == RUSM_OK);
    RUSM_ASSERT(kid_count(sup) == 0 && kid.starts == 1);
    sup_stop(sup);
}

static void a_child_that_does_not_run_can_be_removed(void **state) {
    (void)state;
    run_fiber(end_one_not_running, NULL);
}

/* ---- dynamic ---- */

static const struct rusm_child template = {.server = &kid_server, .restart = RUSM_TRANSIENT};
static const struct rusm_supervisor dynamic = {.strategy = RUSM_DYNAMIC,
                                               .children = &template,
                                               .child_count = 1,
                                               .max_restarts = RUSM_RESTARTS_UNLIMITED};

static void use_dynamic(void *arg) {
    struct kid *kids = arg;
    rusm_pid sup;
    sup_start(&dynamic, &sup);
    RUSM_ASSERT(kid_count(sup) == 0);
    rusm_pid pids[10];
    for (int i = 0; i < 10; i++) {
        RUSM_ASSERT(rusm_supervisor_start_child(sup, NULL, &kids[i], &pids[i]) == RUSM_OK);
        RUSM_ASSERT(kids[i].starts == 1);
    }
    const struct rusm_child named = kid_child("a", &kids[0]);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &named, NULL, NULL) == RUSM_ERR_INVALID);
    struct rusm_child_info infos[10];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(sup, infos, 4, &count) == RUSM_OK && count == 10);
    RUSM_ASSERT(rusm_supervisor_children(sup, infos, 10, &count) == RUSM_OK && count == 10);
    for (int i = 0; i < 10; i++) {
        RUSM_ASSERT(infos[i].pid.v == pids[i].v && infos[i].id[0] == '\0');
    }
    /* Transient: the failing one comes back with its own argument, the one that ends is gone. */
    kid_end(pids[3], RUSM_EXIT_ERROR);
    kid_end(pids[4], RUSM_EXIT_NORMAL);
    while (kid_count(sup) != 9 || atomic_load(&kids[3].starts) != 2) {
        rusm_yield();
    }
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, pids[4]) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, pids[5]) == RUSM_OK);
    RUSM_ASSERT(!rusm_is_alive(NULL, pids[5]) && kids[5].ended_as == RUSM_EXIT_SHUTDOWN);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, pids[5]) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_supervisor_end_child(sup, NULL, rusm_self()) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(kid_count(sup) == 8);
    sup_stop(sup);
}

static void dynamic_children_are_alike_but_for_their_argument(void **state) {
    (void)state;
    static struct kid kids[10];
    run_fiber(use_dynamic, kids);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(kids[i].starts, i == 3 ? 2 : 1);
        assert_int_equal(kids[i].ends, kids[i].starts);
    }
}

static void be_many(void *arg) {
    _Atomic uint32_t *count = arg;
    atomic_fetch_add(count, 1);
    wait_for_ever(NULL);
}

static void start_many_stubborn(void *arg) {
    (void)arg;
    static struct kid kids[20];
    struct rusm_child child = template;
    child.shutdown_ms = 1;
    struct rusm_supervisor spec = dynamic;
    spec.children = &child;
    rusm_pid sup;
    sup_start(&spec, &sup);
    for (int i = 0; i < 20; i++) {
        kids[i].ignores = i % 2;
        RUSM_ASSERT(rusm_supervisor_start_child(sup, NULL, &kids[i], NULL) == RUSM_OK);
    }
    sup_stop(sup);
    for (int i = 0; i < 20; i++) {
        RUSM_ASSERT(kids[i].ends == 1);
        RUSM_ASSERT(kids[i].ended_as == (i % 2 ? RUSM_EXIT_KILLED : RUSM_EXIT_SHUTDOWN));
    }
}

static void slow_dynamic_children_are_killed(void **state) {
    (void)state;
    run_fiber(start_many_stubborn, NULL);
}

/* Half of very many fibers are killed; those killed, and only those, are replaced. */
static void replace_many(void *arg) {
    _Atomic uint32_t *count = arg;
    struct rusm_child child = {.fiber = be_many, .restart = RUSM_PERMANENT};
    struct rusm_supervisor spec = dynamic;
    spec.children = &child;
    rusm_pid sup;
    sup_start(&spec, &sup);
    rusm_pid *pids = malloc(MANY * sizeof *pids);
    struct rusm_child_info *infos = malloc(MANY * sizeof *infos);
    RUSM_ASSERT(pids && infos);
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_supervisor_start_child(sup, NULL, count, &pids[i]) == RUSM_OK);
    }
    for (uint32_t i = 0; i < MANY; i += 2) {
        (void)rusm_kill(NULL, pids[i]);
    }
    while (atomic_load(count) < MANY + MANY / 2) {
        rusm_yield();
    }
    size_t listed;
    RUSM_ASSERT(rusm_supervisor_children(sup, infos, MANY, &listed) == RUSM_OK && listed == MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT((infos[i].pid.v == pids[i].v) == (i % 2 == 1));
        RUSM_ASSERT(infos[i].restarts == 1 - i % 2);
    }
    free(pids);
    free(infos);
    RUSM_ASSERT(rusm_kill(NULL, sup)); /* takes all along */
    (void)expect_news(RUSM_MSG_EXIT, sup, RUSM_EXIT_KILLED);
}

static void many_dynamic_children_are_replaced_one_by_one(void **state) {
    (void)state;
    _Atomic uint32_t count = 0;
    run_fiber(replace_many, &count);
    assert_int_equal(atomic_load(&count), MANY + MANY / 2);
}

/* A list longer than a message may be is cut; the count is right. */
static void list_many(void *arg) {
    struct rusm_child child = {.fiber = be_many};
    struct rusm_supervisor spec = dynamic;
    spec.children = &child;
    rusm_pid sup;
    sup_start(&spec, &sup);
    for (uint32_t i = 0; i < 100; i++) {
        RUSM_ASSERT(rusm_supervisor_start_child(sup, NULL, arg, NULL) == RUSM_OK);
    }
    static struct rusm_child_info infos[100];
    memset(infos, 0, sizeof infos);
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(sup, infos, 100, &count) == RUSM_OK);
    RUSM_ASSERT(count == 100 && infos[0].pid.v != 0 && infos[9].pid.v != 0);
    sup_stop(sup);
}

static void a_list_longer_than_a_message_is_cut(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    config.message_bytes_max = 1024;
    rusm_runtime *rt = start_configured(&config);
    _Atomic uint32_t count = 0;
    (void)spawn_fiber(rt, list_many, &count, NULL);
    finish_runtime(rt);
}

/* ---- trees ---- */

struct tree {
    struct history history;
    struct kid kids[4];
    struct rusm_child leaves[4];
    struct rusm_supervisor inner[2];
    struct rusm_child children[2];
    struct rusm_supervisor outer;
    rusm_pid sup;
};

/* Two supervisors, x with a and b, y with c and d, under one. */
static void tree_init(struct tree *t, enum rusm_strategy strategy) {
    static const char *const ids[] = {"a", "b", "c", "d", "x", "y"};
    memset(t, 0, sizeof *t);
    for (int i = 0; i < 4; i++) {
        t->kids[i].history = &t->history;
        t->kids[i].letter = ids[i][0];
        t->leaves[i] = kid_child(ids[i], &t->kids[i]);
    }
    for (int i = 0; i < 2; i++) {
        t->inner[i] = (struct rusm_supervisor){.children = &t->leaves[2 * i],
                                               .child_count = 2,
                                               .max_restarts = 1,
                                               .within_ms = 1000000000u,
                                               .name = i ? "y" : "x"};
        t->children[i] = (struct rusm_child){.id = ids[4 + i], .supervisor = &t->inner[i]};
    }
    t->outer = (struct rusm_supervisor){
        .strategy = strategy, .children = t->children, .child_count = 2, .max_restarts = 100};
}

static void grow_a_tree(void *arg) {
    (void)arg;
    static struct tree t;
    tree_init(&t, RUSM_ONE_FOR_ONE);
    sup_start(&t.outer, &t.sup);
    RUSM_ASSERT(history_is(&t.history, "+a+b+c+d"));
    struct rusm_child_info infos[2];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(t.sup, infos, 2, &count) == RUSM_OK && count == 2);
    RUSM_ASSERT(infos[0].is_supervisor && strcmp(infos[1].id, "y") == 0);
    rusm_pid x = infos[0].pid;
    RUSM_ASSERT(rusm_whereis(NULL, "x").v == x.v);

    kid_end(x, RUSM_EXIT_KILLED); /* its children go with it; both come back */
    x = kid_await(t.sup, "x", x);
    for (int i = 0; i < 4; i++) {
        RUSM_ASSERT(t.kids[i].starts == (i < 2 ? 2 : 1));
    }
    /* One crash is x's own affair, two are its supervisor's. */
    rusm_pid a = kid_pid(x, "a");
    kid_end(a, RUSM_EXIT_ERROR);
    a = kid_await(x, "a", a);
    RUSM_ASSERT(kid_pid(t.sup, "x").v == x.v);
    kid_end(a, RUSM_EXIT_ERROR);
    (void)kid_await(t.sup, "x", x);
    RUSM_ASSERT(t.kids[0].starts == 4 && t.kids[1].starts == 3 && t.kids[2].starts == 1);
    memset(t.history.text, 0, sizeof t.history.text);
    t.history.len = 0;
    sup_stop(t.sup);
    RUSM_ASSERT(history_is(&t.history, "-d-c-b-a"));
}

static void supervisors_supervise_supervisors(void **state) {
    (void)state;
    run_fiber(grow_a_tree, NULL);
}

static void fail_deep_down(void *arg) {
    (void)arg;
    static struct tree t;
    tree_init(&t, RUSM_ONE_FOR_ONE);
    t.kids[3].init_err = RUSM_ERR_SYSTEM;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_supervisor_start(NULL, &t.outer, &t.sup) == RUSM_ERR_START_FAILED);
    RUSM_ASSERT(history_is(&t.history, "+a+b+c+d-d-c-b-a"));
    expect_silence();
    RUSM_ASSERT(rusm_whereis(NULL, "x").v == 0 && rusm_whereis(NULL, "y").v == 0);
}

static void a_failed_start_deep_down_fails_the_whole(void **state) {
    (void)state;
    run_fiber(fail_deep_down, NULL);
}

static void kill_the_root(void *arg) {
    struct tree *t = arg;
    tree_init(t, RUSM_ONE_FOR_ALL);
    sup_start(&t->outer, &t->sup);
    RUSM_ASSERT(rusm_kill(NULL, t->sup));
    (void)expect_news(RUSM_MSG_EXIT, t->sup, RUSM_EXIT_KILLED);
}

static void a_killed_root_takes_the_tree_along(void **state) {
    (void)state;
    static struct tree t;
    run_fiber(kill_the_root, &t);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(t.kids[i].starts, 1);
        assert_int_equal(t.kids[i].ends, 1);
    }
}

/* A supervisor started while another runs, from a specification that is gone afterwards. */
static void add_a_branch(void *arg) {
    struct tree *t = arg;
    tree_init(t, RUSM_ONE_FOR_ONE);
    const struct rusm_supervisor empty = {.strategy = RUSM_ONE_FOR_ONE};
    sup_start(&empty, &t->sup);
    for (int round = 0; round < 3; round++) {
        struct rusm_child child = t->children[0];
        rusm_pid pid;
        RUSM_ASSERT(rusm_supervisor_start_child(t->sup, &child, NULL, &pid) == RUSM_OK);
        RUSM_ASSERT(kid_count(pid) == 2);
        kid_end(pid, RUSM_EXIT_KILLED);
        pid = kid_await(t->sup, "x", pid);
        RUSM_ASSERT(kid_count(pid) == 2);
        RUSM_ASSERT(rusm_supervisor_start_child(t->sup, &child, NULL, NULL) == RUSM_ERR_INVALID);
        if (round < 2) {
            RUSM_ASSERT(rusm_supervisor_end_child(t->sup, "x", (rusm_pid){0}) == RUSM_OK);
        }
    }
    sup_stop(t->sup);
}

static void a_branch_can_be_added_and_cut_off(void **state) {
    (void)state;
    static struct tree t;
    run_fiber(add_a_branch, &t);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t.kids[i].starts, 6);
        assert_int_equal(t.kids[i].ends, 6);
    }
}

/* ---- children that start themselves ---- */

struct starter {
    _Atomic int holds;
    uint32_t starts;
    uint32_t refuse; /* this start, counted from 1 */
};

static void hold_starter(void *arg) {
    atomic_fetch_add(&((struct starter *)arg)->holds, 1);
}

static void release_starter(void *arg) {
    atomic_fetch_sub(&((struct starter *)arg)->holds, 1);
}

static enum rusm_err start_linked(void *arg, const struct rusm_spawn_opts *opts, rusm_pid *out) {
    struct starter *starter = arg;
    if (++starter->starts == starter->refuse) {
        return RUSM_ERR_PROCESS_LIMIT;
    }
    return rusm_spawn_link(wait_for_ever, NULL, opts, out);
}

static void use_starters(void *arg) {
    (void)arg;
    struct starter a = {.refuse = 2};
    struct starter b = {.refuse = 0};
    struct rusm_child child = {.id = "a",
                               .name = "named",
                               .start = start_linked,
                               .arg = &a,
                               .hold = hold_starter,
                               .release = release_starter};
    const struct rusm_supervisor spec = {.children = &child, .child_count = 1};
    rusm_pid sup;
    sup_start(&spec, &sup);
    rusm_pid first = kid_pid(sup, "a");
    RUSM_ASSERT(rusm_whereis(NULL, "named").v == first.v && a.holds == 1);
    (void)rusm_kill(NULL, first);
    (void)kid_await(sup, "a", first);
    RUSM_ASSERT(a.starts == 3); /* the second was refused, and tried again */

    child.id = "b";
    child.name = NULL;
    child.arg = &b;
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(b.starts == 1);
    AWAIT(b.holds == 1); /* the request has one too, until it is done with */
    RUSM_ASSERT(rusm_supervisor_end_child(sup, "b", (rusm_pid){0}) == RUSM_OK);
    RUSM_ASSERT(b.holds == 0);
    RUSM_ASSERT(rusm_supervisor_start_child(sup, &child, NULL, NULL) == RUSM_OK);
    sup_stop(sup);
    AWAIT(a.holds == 0 && b.holds == 0);

    b.refuse = b.starts + 1;
    const struct rusm_supervisor refused = {.children = &child, .child_count = 1};
    RUSM_ASSERT(rusm_supervisor_start(NULL, &refused, &sup) == RUSM_ERR_START_FAILED);
    AWAIT(b.holds == 0);
    child.release = NULL;
    RUSM_ASSERT(rusm_supervisor_start(NULL, &refused, &sup) == RUSM_ERR_INVALID);
    child.release = release_starter;
    child.server = &kid_server;
    RUSM_ASSERT(rusm_supervisor_start(NULL, &refused, &sup) == RUSM_ERR_INVALID);
    RUSM_ASSERT(b.holds == 0);
}

static void children_may_start_themselves(void **state) {
    (void)state;
    run_fiber(use_starters, NULL);
}

/* ---- a request against the ends of those concerned ---- */

struct slow_start {
    rusm_pid sup;
    _Atomic uint64_t starting; /* the child whose init waits for a message */
    struct history history;
    struct kid kid;
};

static enum rusm_err init_waits(void *state, void *arg) {
    (void)state;
    atomic_store(&((struct slow_start *)arg)->starting, rusm_self().v);
    (void)rusm_receive();
    return RUSM_OK;
}

static const struct rusm_server slow_server = {.init = init_waits, .message = ignore};

static void add_slow_child(void *arg) {
    struct slow_start *slow = arg;
    const struct rusm_child child = {.id = "slow", .server = &slow_server, .arg = slow};
    (void)rusm_supervisor_start_child(slow->sup, &child, NULL, NULL);
}

/* A supervisor of a supervisor of a kid. */
static void ask_for_nested(void *arg) {
    struct slow_start *slow = arg;
    const struct rusm_child kid = kid_child("kid", &slow->kid);
    const struct rusm_supervisor inner = {.children = &kid, .child_count = 1};
    const struct rusm_child middle_child = {.id = "inner", .supervisor = &inner};
    const struct rusm_supervisor middle = {.children = &middle_child, .child_count = 1};
    const struct rusm_child child = {.id = "nested", .supervisor = &middle};
    (void)rusm_supervisor_start_child(slow->sup, &child, NULL, NULL);
}

/* The supervisor is busy with the slow child, and `ask_for_nested` waits behind. Returns who asked.
 */
static rusm_pid make_wait(struct slow_start *slow) {
    static const struct rusm_supervisor spec = {.child_count = 0};
    sup_start(&spec, &slow->sup);
    slow->kid = (struct kid){.history = &slow->history, .letter = 'k'};
    RUSM_ASSERT(rusm_spawn(NULL, add_slow_child, slow, NULL, NULL) == RUSM_OK);
    while (atomic_load(&slow->starting) == 0) {
        rusm_yield();
    }
    rusm_pid asking;
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_spawn(NULL, ask_for_nested, slow, NULL, &asking) == RUSM_OK);
    do {
        rusm_yield();
        RUSM_ASSERT(rusm_process_info(NULL, slow->sup, &info) == RUSM_OK);
    } while (info.mailbox_depth == 0);
    return asking;
}

static void kill_who_asks(void *arg) {
    (void)arg;
    struct slow_start slow = {.sup = {0}};
    rusm_pid asking = make_wait(&slow);
    RUSM_ASSERT(rusm_kill(NULL, asking));
    await_end(asking);
    RUSM_ASSERT(rusm_send((rusm_pid){atomic_load(&slow.starting)}, "", 0) == RUSM_OK);
    while (atomic_load(&slow.kid.starts) == 0) {
        rusm_yield();
    }
    RUSM_ASSERT(kid_count(slow.sup) == 2); /* the request was served all the same */
    sup_stop(slow.sup);
    RUSM_ASSERT(history_is(&slow.history, "+k-k"));
}

static void a_killed_caller_leaves_nothing_behind(void **state) {
    (void)state;
    run_fiber(kill_who_asks, NULL);
}

static void kill_who_is_asked(void *arg) {
    (void)arg;
    struct slow_start slow = {.sup = {0}};
    rusm_pid asking = make_wait(&slow);
    RUSM_ASSERT(rusm_kill(NULL, slow.sup));
    await_end(asking);
    (void)expect_news(RUSM_MSG_EXIT, slow.sup, RUSM_EXIT_KILLED);
    RUSM_ASSERT(atomic_load(&slow.kid.starts) == 0);
}

static void a_killed_supervisor_leaves_nothing_behind(void **state) {
    (void)state;
    run_fiber(kill_who_is_asked, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_may_start_themselves),
        cmocka_unit_test(children_come_and_go),
        cmocka_unit_test(a_child_that_does_not_start_is_not_kept),
        cmocka_unit_test(a_dead_supervisor_answers_nothing),
        cmocka_unit_test(a_supervisor_killed_at_a_start_answers_noproc),
        cmocka_unit_test(a_child_that_does_not_run_can_be_removed),
        cmocka_unit_test(dynamic_children_are_alike_but_for_their_argument),
        cmocka_unit_test(slow_dynamic_children_are_killed),
        cmocka_unit_test(many_dynamic_children_are_replaced_one_by_one),
        cmocka_unit_test(a_list_longer_than_a_message_is_cut),
        cmocka_unit_test(supervisors_supervise_supervisors),
        cmocka_unit_test(a_failed_start_deep_down_fails_the_whole),
        cmocka_unit_test(a_killed_root_takes_the_tree_along),
        cmocka_unit_test(a_branch_can_be_added_and_cut_off),
        cmocka_unit_test(a_killed_caller_leaves_nothing_behind),
        cmocka_unit_test(a_killed_supervisor_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
