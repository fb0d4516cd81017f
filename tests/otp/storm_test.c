/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A killing storm on several real threads: killers end the children of a tree of supervisors, and
 * some of the supervisors, while watchers link with them and monitor them and clients call them.
 * No news of an end may be lost, no child may run twice or be forgotten. Bounded in counts;
 * RUSM_STORM_ROUNDS sets how many.
 */
#include "base/assert.h"
#include "base/random.h"
#include <rusm/rusm.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SCHEDULERS   4u
#define ROUNDS       4000u
#define KILLERS      2u
#define WATCHERS     4u
#define CLIENTS      2u
#define STATIC_KIDS  4u /* of each supervisor */
#define DYNAMIC_KIDS 24u
#define SLOTS        (3u * STATIC_KIDS + DYNAMIC_KIDS)
#define REFS_MAX     3u
#define NEVER_KILLED                                                                               \
    (SLOTS - STATIC_KIDS) /* below: children of supervisors that are not killed                    \
                           */

struct storm;

/* One child, through all its restarts. */
struct slot {
    struct storm *storm;
    uint32_t index;
    _Atomic uint64_t pid;
    _Atomic uint32_t starts;
    _Atomic uint32_t ends;
    _Atomic int32_t alive;
};

struct storm {
    uint32_t rounds;
    _Atomic uint32_t told; /* news that watchers have received */
    _Atomic uint32_t answers;
    struct slot slots[SLOTS];
};

/* ---- children ---- */

struct kid {
    struct slot *slot;
    rusm_pid parent;
};

/* Mostly one that lives: after a death there is a moment without. */
static rusm_pid any_kid(struct storm *storm, struct random *random) {
    rusm_pid pid;
    bool is_fine;
    do {
        pid.v = atomic_load(&storm->slots[random_below(random, SLOTS)].pid);
        is_fine = rusm_is_alive(NULL, pid) || random_below(random, 8) == 0;
        if (!is_fine) {
            rusm_yield();
        }
    } while (!is_fine);
    return pid;
}

static enum rusm_err kid_init(void *state, void *arg) {
    struct kid *kid = state;
    struct rusm_process_info info;
    kid->slot = arg;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    kid->parent = info.parent;
    atomic_fetch_add(&kid->slot->starts, 1);
    int32_t alive = atomic_fetch_add(&kid->slot->alive, 1);
    RUSM_ASSERT(alive == 0 || kid->slot->index >= NEVER_KILLED);
    atomic_store(&kid->slot->pid, rusm_self().v);
    (void)rusm_trap_exit(kid->slot->index % 4 == 3);
    return RUSM_OK;
}

/* A call is answered; a message is a pid to be linked with, or not any more. */
static void kid_message(void *state, struct rusm_msg *msg) {
    (void)state;
    if (msg->kind == RUSM_MSG_CALL) {
        (void)rusm_reply(rusm_msg_from(msg), msg->data, msg->len);
        return;
    }
    rusm_pid pid = *(const rusm_pid *)msg->data;
    if (pid.v % 3 == 0) {
        rusm_unlink(pid);
    } else {
        (void)rusm_link(pid);
    }
}

/* One that traps exits ends when it should, and of its parent's end. */
static void kid_down(void *state, struct rusm_msg *msg) {
    const struct kid *kid = state;
    const struct rusm_down *down = rusm_msg_down(msg);
    if (down->pid.v == kid->parent.v || down->reason.kind == RUSM_EXIT_SHUTDOWN) {
        rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_SHUTDOWN});
    }
}

static void kid_terminate(void *state, const struct rusm_exit_reason *reason) {
    const struct kid *kid = state;
    (void)reason;
    atomic_fetch_add(&kid->slot->ends, 1);
    atomic_fetch_sub(&kid->slot->alive, 1);
}

static const struct rusm_server kid_server = {.state_bytes = sizeof(struct kid),
                                              .init = kid_init,
                                              .message = kid_message,
                                              .down = kid_down,
                                              .terminate = kid_terminate};

/* ---- killers, watchers, clients ---- */

static void killer(void *arg) {
    struct storm *storm = arg;
    struct random random = {rusm_self().v};
    const struct rusm_exit_reason error = {RUSM_EXIT_ERROR, "storm", 5};
    for (uint32_t i = 0; i < 5 * storm->rounds; i++) {
        rusm_pid victim = any_kid(storm, &random);
        rusm_pid other = any_kid(storm, &random);
        uint32_t what = random_below(&random, 40);
        if (what < 20) {
            (void)rusm_kill(NULL, victim);
        } else if (what < 30) {
            (void)rusm_send_exit(victim, &error);
        } else if (what < 39) {
            (void)rusm_send(victim, &other, sizeof other);
        } else {
            (void)rusm_kill(NULL, rusm_whereis(NULL, "killed"));
        }
        rusm_yield();
    }
}

/* Receives what is still to come of the victim: `exits` and `downs`; then nothing does. */
static void hear(struct storm *storm, rusm_pid victim, uint32_t exits, uint32_t downs) {
    while (exits + downs > 0) {
        const struct rusm_msg *msg = rusm_receive();
        RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN);
        RUSM_ASSERT(rusm_msg_down(msg)->pid.v == victim.v);
        uint32_t *left = msg->kind == RUSM_MSG_EXIT ? &exits : &downs;
        RUSM_ASSERT(*left > 0);
        --*left;
        atomic_fetch_add(&storm->told, 1);
    }
    while (rusm_is_alive(NULL, victim)) {
        rusm_yield();
    }
    RUSM_ASSERT(rusm_receive_timeout(0) == NULL);
}

/* No news may have come before: then it is not known whether an unlink was in time. */
static bool is_exit(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    return msg->kind == RUSM_MSG_EXIT;
}

static void watch_one(struct storm *storm, struct random *random) {
    rusm_pid victim = any_kid(storm, random);
    bool linked = random_below(random, 2);
    uint32_t downs = random_below(random, REFS_MAX + 1);
    rusm_ref refs[REFS_MAX];
    for (uint32_t i = 0; i < downs; i++) {
        RUSM_ASSERT(rusm_monitor(victim, &refs[i]) == RUSM_OK);
    }
    if (linked) {
        RUSM_ASSERT(rusm_link(victim) == RUSM_OK);
    }
    if (random_below(random, 2)) {
        rusm_yield();
    }
    if (linked && random_below(random, 3) == 0) {
        rusm_unlink(victim);
        (void)rusm_receive_match(is_exit, NULL, 0); /* it came before */
        linked = false;
    }
    if (downs > 0 && random_below(random, 2)) {
        RUSM_ASSERT(rusm_demonitor(refs[--downs], true));
    }
    (void)rusm_kill(NULL, victim);
    hear(storm, victim, linked, downs);
}

static void watcher(void *arg) {
    struct storm *storm = arg;
    struct random random = {rusm_self().v};
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < storm->rounds; i++) {
        watch_one(storm, &random);
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.monitors == 0);
}

static void client(void *arg) {
    struct storm *storm = arg;
    struct random random = {rusm_self().v};
    for (uint32_t i = 0; i < 5 * storm->rounds; i++) {
        struct rusm_msg *reply;
        rusm_pid to = any_kid(storm, &random);
        enum rusm_err err = rusm_call(to, &i, sizeof i, RUSM_FOREVER, &reply);
        RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_NOPROC);
        if (err == RUSM_OK) {
            RUSM_ASSERT(*(const uint32_t *)reply->data == i);
            atomic_fetch_add(&storm->answers, 1);
        }
        RUSM_ASSERT(rusm_receive_timeout(0) == NULL);
    }
}

/* ---- the tree ---- */

static const char *const kid_ids[STATIC_KIDS] = {"0", "1", "2", "3"};

static void fill_children(struct storm *storm, uint32_t first,
                          struct rusm_child children[static STATIC_KIDS]) {
    for (uint32_t i = 0; i < STATIC_KIDS; i++) {
        children[i] = (struct rusm_child){
            .id = kid_ids[i], .server = &kid_server, .arg = &storm->slots[first + i]};
    }
}

static rusm_pid start_tree(struct storm *storm) {
    struct rusm_child kids[3][STATIC_KIDS];
    const struct rusm_child template = {.server = &kid_server};
    struct rusm_supervisor inner[4] = {
        {.strategy = RUSM_DYNAMIC, .children = &template, .child_count = 1, .name = "dynamic"},
        {.strategy = RUSM_ONE_FOR_ALL, .name = "all"},
        {.strategy = RUSM_ONE_FOR_ONE, .name = "one"},
        {.strategy = RUSM_REST_FOR_ONE, .name = "killed"},
    };
    struct rusm_child branches[4];
    for (uint32_t i = 0; i < 4; i++) {
        inner[i].max_restarts = RUSM_RESTARTS_UNLIMITED;
        if (i > 0) {
            fill_children(storm, DYNAMIC_KIDS + (i - 1) * STATIC_KIDS, kids[i - 1]);
            inner[i].children = kids[i - 1];
            inner[i].child_count = STATIC_KIDS;
        }
        branches[i] = (struct rusm_child){.id = inner[i].name, .supervisor = &inner[i]};
    }
    const struct rusm_supervisor root = {
        .children = branches, .child_count = 4, .max_restarts = RUSM_RESTARTS_UNLIMITED};
    rusm_pid pid;
    RUSM_ASSERT(rusm_supervisor_start(NULL, &root, &pid) == RUSM_OK);
    for (uint32_t i = 0; i < DYNAMIC_KIDS; i++) {
        RUSM_ASSERT(rusm_supervisor_start_child(rusm_whereis(NULL, "dynamic"), NULL,
                                                &storm->slots[i], NULL) == RUSM_OK);
    }
    return pid;
}

/* Whether the supervisor has as many children as it should, and all run. A restart may be under
 * way, but none is ever missing. */
static bool is_complete(const char *name, size_t expected) {
    struct rusm_child_info infos[DYNAMIC_KIDS];
    size_t count = 0;
    if (rusm_supervisor_children(rusm_whereis(NULL, name), infos, DYNAMIC_KIDS, &count) !=
        RUSM_OK) {
        return false;
    }
    RUSM_ASSERT(count == expected);
    for (size_t i = 0; i < count; i++) {
        if (!rusm_is_alive(NULL, infos[i].pid)) {
            return false;
        }
    }
    return true;
}

static void await_complete(const char *name, size_t expected) {
    while (!is_complete(name, expected)) {
        rusm_yield();
    }
}

static void conduct(void *arg) {
    struct storm *storm = arg;
    static const struct {
        rusm_fiber_fn body;
        uint32_t count;
    } parts[] = {{killer, KILLERS}, {watcher, WATCHERS}, {client, CLIENTS}};
    (void)rusm_trap_exit(true);
    rusm_pid root = start_tree(storm);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (uint32_t k = 0; k < parts[i].count; k++) {
            rusm_ref ref;
            RUSM_ASSERT(rusm_spawn_monitor(parts[i].body, storm, NULL, NULL, &ref) == RUSM_OK);
        }
    }
    for (uint32_t i = 0; i < KILLERS + WATCHERS + CLIENTS; i++) {
        const struct rusm_msg *msg = rusm_receive();
        RUSM_ASSERT(msg->kind == RUSM_MSG_DOWN);
        RUSM_ASSERT(rusm_msg_down(msg)->reason.kind == RUSM_EXIT_NORMAL);
    }
    await_complete("dynamic", DYNAMIC_KIDS);
    await_complete("all", STATIC_KIDS);
    await_complete("one", STATIC_KIDS);
    await_complete("killed", STATIC_KIDS);
    rusm_supervisor_stop(NULL, root);
    const struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT && rusm_msg_down(msg)->pid.v == root.v);
    RUSM_ASSERT(rusm_msg_down(msg)->reason.kind == RUSM_EXIT_SHUTDOWN);
}

static uint32_t rounds_from_environment(void) {
    const char *text = getenv("RUSM_STORM_ROUNDS");
    if (!text || !*text) {
        return ROUNDS;
    }
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || *end || value == 0 || value > UINT32_MAX / 5) {
        fprintf(stderr, "RUSM_STORM_ROUNDS=%s is no number of rounds\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static void nothing_is_lost_in_a_storm(void **state) {
    (void)state;
    static struct storm storm;
    storm.rounds = rounds_from_environment();
    for (uint32_t i = 0; i < SLOTS; i++) {
        storm.slots[i].storm = &storm;
        storm.slots[i].index = i;
    }
    struct rusm_config config;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = SCHEDULERS;
    rusm_runtime *rt = NULL;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_OK);
    assert_int_equal(rusm_spawn(rt, conduct, &storm, NULL, NULL), RUSM_OK);
    rusm_runtime_wait_idle(rt);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.process_count, 0);
    assert_int_equal(info.names, 0);
    rusm_runtime_destroy(rt);
    uint32_t starts = 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        assert_int_equal(storm.slots[i].starts, storm.slots[i].ends);
        assert_int_equal(storm.slots[i].alive, 0);
        starts += storm.slots[i].starts;
    }
    printf("%u starts, %u told, %u answers\n", starts, storm.told, storm.answers);
    assert_true(starts > SLOTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_in_a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
