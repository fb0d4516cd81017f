/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Groups: membership, publishing, watching, limits, and races between schedulers. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t count_members(rusm_runtime *rt, const char *group) {
    size_t count = SIZE_MAX;
    enum rusm_err err = rusm_group_members(rt, group, NULL, 0, &count);
    RUSM_ASSERT(err == RUSM_OK);
    return count;
}

static uint64_t count_groups(rusm_runtime *rt) {
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    return info.groups;
}

static uint64_t count_shed(rusm_runtime *rt) {
    struct rusm_runtime_info runtime;
    struct rusm_scheduler_info info;
    uint64_t shed = 0;
    rusm_runtime_info(rt, &runtime);
    for (uint32_t i = 0; i < runtime.schedulers; i++) {
        enum rusm_err err = rusm_scheduler_info(rt, i, &info);
        RUSM_ASSERT(err == RUSM_OK);
        shed += info.shed;
    }
    return shed;
}

static void join(const char *group, rusm_pid pid) {
    enum rusm_err err = rusm_group_join(group, pid);
    RUSM_ASSERT(err == RUSM_OK);
}

static size_t publish(const char *group, const void *data, size_t len) {
    size_t delivered = SIZE_MAX;
    enum rusm_err err = rusm_publish(group, data, len, &delivered);
    RUSM_ASSERT(err == RUSM_OK);
    return delivered;
}

/* A member of the group named by `arg`, for ever. */
static void member(void *arg) {
    join(arg, rusm_self());
    wait_for_ever(NULL);
}

static rusm_pid spawn_member(rusm_runtime *rt, char *group) {
    rusm_pid pid = spawn_fiber(rt, member, group, NULL);
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    return pid;
}

/* ---- membership ---- */

static void join_and_leave(void *arg) {
    (void)arg;
    rusm_pid self = rusm_self();
    rusm_pid found[4];
    size_t count;
    RUSM_ASSERT(rusm_group_leave("g", self) == RUSM_ERR_NOT_MEMBER);
    join("g", self);
    join("g", self); /* twice is once */
    join("h", self);
    RUSM_ASSERT(rusm_group_members(NULL, "g", found, 4, &count) == RUSM_OK);
    RUSM_ASSERT(count == 1 && found[0].v == self.v);
    RUSM_ASSERT(count_groups(rusm_self_runtime()) == 2);
    RUSM_ASSERT(rusm_group_leave("g", self) == RUSM_OK);
    RUSM_ASSERT(rusm_group_leave("g", self) == RUSM_ERR_NOT_MEMBER);
    RUSM_ASSERT(count_members(NULL, "g") == 0);
    RUSM_ASSERT(count_members(NULL, "h") == 1);
    RUSM_ASSERT(count_groups(rusm_self_runtime()) == 1);
    join("g", self);
    RUSM_ASSERT(count_members(NULL, "g") == 1);
}

static void member_is_there_until_it_leaves(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    (void)spawn_fiber(rt, join_and_leave, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void ended_members_are_gone(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    rusm_pid first = spawn_member(rt, "g");
    rusm_pid second = spawn_member(rt, "g");
    rusm_pid found[2];
    size_t count;
    assert_int_equal(count_members(rt, "g"), 2);
    assert_true(rusm_kill(rt, first));
    AWAIT(!rusm_is_alive(rt, first));
    assert_int_equal(rusm_group_members(rt, "g", found, 2, &count), RUSM_OK);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].v, second.v);
    assert_true(rusm_kill(rt, second));
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void put_into_group(void *arg) {
    const rusm_pid *pid = arg;
    join("g", *pid);
}

static void ask_ended_to_join(void *arg) {
    const rusm_pid *pid = arg;
    RUSM_ASSERT(rusm_group_join("g", *pid) == RUSM_ERR_NOPROC);
}

static void publish_to_nobody(void *arg) {
    (void)arg;
    RUSM_ASSERT(publish("g", "x", 1) == 0);
}

/* Who was put into a group by another process leaves when a publish meets it. */
static void members_by_others_are_released_by_a_publish(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    (void)spawn_fiber(rt, put_into_group, &pid, NULL);
    AWAIT(count_members(rt, "g") == 1);
    assert_true(rusm_kill(rt, pid));
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_members(rt, "g"), 0);
    assert_int_equal(count_groups(rt), 1);
    (void)spawn_fiber(rt, ask_ended_to_join, &pid, NULL);
    (void)spawn_fiber(rt, publish_to_nobody, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void use_bad_names(void *arg) {
    (void)arg;
    char name[RUSM_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    size_t count;
    rusm_ref ref;
    rusm_group *group;
    RUSM_ASSERT(rusm_group_join("", rusm_self()) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_join(name, rusm_self()) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_leave(name, rusm_self()) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_members(NULL, name, NULL, 0, &count) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_publish(name, "x", 1, &count) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_watch(name, &ref) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_open(NULL, name, &group) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_group_kill(NULL, name) == 0);
    rusm_buf *buf;
    RUSM_ASSERT(rusm_buf_create(100, &buf) == RUSM_OK);
    RUSM_ASSERT(rusm_publish_buf(name, buf, NULL) == RUSM_ERR_INVALID); /* moved all the same */
    name[RUSM_NAME_BYTES_MAX] = '\0';
    join(name, rusm_self());
    RUSM_ASSERT(count_members(NULL, name) == 1);
}

static void names_out_of_range_are_refused(void **state) {
    (void)state;
    run_fiber(use_bad_names, NULL);
}

static void fill_up(void *arg) {
    const rusm_pid *pids = arg;
    rusm_ref ref;
    rusm_group *group;
    join("a", pids[0]);
    join("a", pids[1]);
    RUSM_ASSERT(rusm_group_join("a", pids[2]) == RUSM_ERR_GROUP_LIMIT);
    RUSM_ASSERT(rusm_group_leave("a", pids[0]) == RUSM_OK);
    join("a", pids[2]);
    RUSM_ASSERT(rusm_group_open(NULL, "b", &group) == RUSM_OK);
    RUSM_ASSERT(rusm_group_join("c", pids[0]) == RUSM_ERR_GROUP_LIMIT);
    RUSM_ASSERT(rusm_group_watch("c", &ref) == RUSM_ERR_GROUP_LIMIT);
    rusm_group_close(group);
    for (uint32_t i = 0; i < RUSM_GROUP_WATCHERS_MAX; i++) {
        RUSM_ASSERT(rusm_group_watch("c", &ref) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_group_watch("c", &ref) == RUSM_ERR_GROUP_LIMIT);
}

static void limits_hold(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.groups_max = 2;
    config.group_members_max = 2;
    rusm_runtime *rt = start_configured(&config);
    rusm_pid pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    }
    rusm_pid filler = spawn_fiber(rt, fill_up, pids, NULL);
    AWAIT(!rusm_is_alive(rt, filler));
    assert_int_equal(count_members(rt, "a"), 2);
    rusm_runtime_destroy(rt);
    config.groups_max = 0;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
    config.groups_max = 1;
    config.group_members_max = 0;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
}

/* ---- publishing ---- */

#define PUBLISHES 500u
#define LISTENERS 100u
#define LONG      5000u

struct audience {
    _Atomic uint32_t ready;
    _Atomic uint32_t done;
    size_t len; /* of a message */
};

static void fill_message(unsigned char *bytes, size_t len, uint32_t number) {
    memcpy(bytes, &number, sizeof number);
    memset(bytes + sizeof number, (int)(number % 251), len - sizeof number);
}

/* Every message, once, in order, whole. */
static void listen(void *arg) {
    struct audience *audience = arg;
    unsigned char *expected = malloc(audience->len);
    RUSM_ASSERT(expected);
    join("g", rusm_self());
    atomic_fetch_add(&audience->ready, 1);
    for (uint32_t i = 0; i < PUBLISHES; i++) {
        struct rusm_msg *msg = rusm_receive();
        fill_message(expected, audience->len, i);
        RUSM_ASSERT(msg->len == audience->len && memcmp(msg->data, expected, msg->len) == 0);
    }
    free(expected);
    atomic_fetch_add(&audience->done, 1);
}

static void speak(void *arg) {
    const struct audience *audience = arg;
    static unsigned char bytes[LONG];
    for (uint32_t i = 0; i < PUBLISHES; i++) {
        fill_message(bytes, audience->len, i);
        RUSM_ASSERT(publish("g", bytes, audience->len) == LISTENERS);
    }
}

static void speak_through_handle(void *arg) {
    const struct audience *audience = arg;
    rusm_group *group;
    RUSM_ASSERT(rusm_group_open(NULL, "g", &group) == RUSM_OK);
    for (uint32_t i = 0; i < PUBLISHES; i++) {
        rusm_buf *buf;
        size_t delivered;
        RUSM_ASSERT(rusm_buf_create(audience->len, &buf) == RUSM_OK);
        fill_message(rusm_buf_data(buf), audience->len, i);
        RUSM_ASSERT(rusm_group_publish_buf(group, buf, &delivered) == RUSM_OK);
        RUSM_ASSERT(delivered == LISTENERS);
    }
    rusm_group_close(group);
}

static void publish_to_audience(rusm_fiber_fn speaker, size_t len) {
    struct audience audience = {.len = len};
    rusm_runtime *rt = start_runtime(2);
    for (uint32_t i = 0; i < LISTENERS; i++) {
        (void)spawn_fiber(rt, listen, &audience, NULL);
    }
    AWAIT(atomic_load(&audience.ready) == LISTENERS);
    (void)spawn_fiber(rt, speaker, &audience, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(atomic_load(&audience.done), LISTENERS);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void short_messages_reach_all_in_order(void **state) {
    (void)state;
    publish_to_audience(speak, 8);
    publish_to_audience(speak_through_handle, 40);
}

static void long_messages_reach_all_in_order(void **state) {
    (void)state;
    publish_to_audience(speak, LONG);
    publish_to_audience(speak_through_handle, 41);
}

static void share(void *arg) {
    (void)arg;
    const void *first;
    rusm_buf *buf;
    join("g", rusm_self());
    RUSM_ASSERT(rusm_buf_create(LONG, &buf) == RUSM_OK);
    memset(rusm_buf_data(buf), 'b', LONG);
    first = rusm_buf_data(buf);
    RUSM_ASSERT(rusm_publish_buf("g", rusm_buf_hold(buf), NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_receive()->data == first);
    rusm_buf_release(buf);
    RUSM_ASSERT(publish("g", NULL, 0) == 1);
    RUSM_ASSERT(rusm_receive()->len == 0);
    RUSM_ASSERT(rusm_publish("g", "", SIZE_MAX, NULL) == RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(publish("nobody", "x", 1) == 0);
}

static void payload_is_shared(void **state) {
    (void)state;
    run_fiber(share, NULL);
}

static void publish_beyond_bound(void *arg) {
    const rusm_pid *pids = arg;
    join("g", pids[0]);
    join("g", pids[1]);
    RUSM_ASSERT(publish("g", "1", 1) == 2);
    RUSM_ASSERT(publish("g", "2", 1) == 1);
    RUSM_ASSERT(publish("g", "3", 1) == 1);
}

/* ... even one that holds those who send to it. */
static void full_member_is_passed_over(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct rusm_spawn_opts narrow = {.mailbox_len_max = 1, .mailbox_hold = true};
    rusm_pid pids[2];
    pids[0] = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    pids[1] = spawn_fiber(rt, wait_for_ever, NULL, &narrow);
    uint64_t shed = count_shed(rt);
    rusm_pid publisher = spawn_fiber(rt, publish_beyond_bound, pids, NULL);
    AWAIT(!rusm_is_alive(rt, publisher));
    assert_int_equal(count_shed(rt) - shed, 2);
    rusm_runtime_destroy(rt);
}

static void publish_from_outside(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    rusm_group *group;
    size_t delivered;
    assert_int_equal(rusm_group_open(rt, "g", &group), RUSM_OK);
    assert_int_equal(rusm_group_publish(group, "x", 1, &delivered), RUSM_OK);
    assert_int_equal(delivered, 0);
    rusm_pid pid = spawn_member(rt, "g");
    assert_int_equal(rusm_group_publish(group, "x", 1, &delivered), RUSM_OK);
    assert_int_equal(delivered, 1);
    assert_true(rusm_kill(rt, pid));
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 1);
    rusm_group_close(group);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void group_is_killed(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    rusm_pid bystander = spawn_member(rt, "other");
    for (uint32_t i = 0; i < LISTENERS; i++) {
        (void)spawn_fiber(rt, member, "g", NULL);
    }
    AWAIT(count_members(rt, "g") == LISTENERS);
    assert_int_equal(rusm_group_kill(rt, "g"), LISTENERS);
    assert_int_equal(rusm_group_kill(rt, "nobody"), 0);
    AWAIT(count_members(rt, "g") == 0);
    assert_true(rusm_is_alive(rt, bystander));
    rusm_runtime_destroy(rt);
}

static void kill_own_group(void *arg) {
    (void)arg;
    join("g", rusm_self());
    RUSM_ASSERT(rusm_group_kill(NULL, "g") == LISTENERS + 1);
    rusm_yield();
    RUSM_ASSERT(false);
}

/* The caller is among them, and yields on the way: it goes on until all have been told. */
static void killer_of_its_own_group_ends_last(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.reductions = 64;
    rusm_runtime *rt = start_configured(&config);
    for (uint32_t i = 0; i < LISTENERS; i++) {
        (void)spawn_fiber(rt, member, "g", NULL);
    }
    AWAIT(count_members(rt, "g") == LISTENERS);
    (void)spawn_fiber(rt, kill_own_group, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void publish_until_killed(void *arg) {
    static const unsigned char bytes[LONG];
    atomic_store((_Atomic uint32_t *)arg, 1);
    for (;;) {
        (void)publish("g", bytes, sizeof bytes);
    }
}

/* Killed in the middle of a publish, a publisher gives back what it holds (looked at by ASan). */
static void killed_publisher_holds_nothing(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    config.reductions = 64;
    config.mailbox_len_max = 4;
    rusm_runtime *rt = start_configured(&config);
    for (uint32_t i = 0; i < 3 * LISTENERS; i++) {
        (void)spawn_fiber(rt, member, "g", NULL);
    }
    AWAIT(count_members(rt, "g") == 3 * LISTENERS);
    for (uint32_t i = 0; i < 100; i++) {
        _Atomic uint32_t started = 0;
        rusm_pid pid = spawn_fiber(rt, publish_until_killed, &started, NULL);
        AWAIT(atomic_load(&started));
        assert_true(rusm_kill(rt, pid));
        AWAIT(!rusm_is_alive(rt, pid));
    }
    (void)rusm_group_kill(rt, "g");
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void grow_and_shrink(void *arg) {
    const rusm_pid *pids = arg;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 10 * LISTENERS; i++) {
            join("g", pids[i]);
        }
        RUSM_ASSERT(publish("g", "x", 1) == 10 * LISTENERS);
        for (uint32_t i = 0; i < 10 * LISTENERS; i++) {
            if (i % 10) {
                RUSM_ASSERT(rusm_group_leave("g", pids[i]) == RUSM_OK);
            }
        }
        RUSM_ASSERT(publish("g", "x", 1) == LISTENERS);
        rusm_yield();
    }
    (void)rusm_group_kill(NULL, "g");
    for (uint32_t i = 0; i < 10 * LISTENERS; i++) {
        (void)rusm_kill(NULL, pids[i]);
    }
}

static void groups_grow_and_shrink(void **state) {
    (void)state;
    static rusm_pid pids[10 * LISTENERS];
    rusm_runtime *rt = start_runtime(1);
    for (uint32_t i = 0; i < 10 * LISTENERS; i++) {
        pids[i] = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    }
    (void)spawn_fiber(rt, grow_and_shrink, pids, NULL);
    finish_runtime(rt);
}

/* ---- watching ---- */

static void expect_event(rusm_ref ref, uint32_t change, rusm_pid pid) {
    struct rusm_msg *msg = rusm_receive();
    const struct rusm_group_event *event = rusm_msg_group_event(msg, ref);
    RUSM_ASSERT(event && event->change == change && event->pid.v == pid.v);
    RUSM_ASSERT(strcmp(event->group, "g") == 0);
}

static void watch(void *arg) {
    (void)arg;
    rusm_ref ref;
    rusm_ref other;
    rusm_pid pid;
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_group_watch("g", &ref) == RUSM_OK);
    RUSM_ASSERT(count_members(NULL, "g") == 0);
    RUSM_ASSERT(rusm_spawn(NULL, member, "g", NULL, &pid) == RUSM_OK);
    expect_event(ref, RUSM_GROUP_JOIN, pid);
    join("g", pid); /* it is there: no event */
    join("g", self);
    expect_event(ref, RUSM_GROUP_JOIN, self);
    RUSM_ASSERT(rusm_group_leave("g", self) == RUSM_OK);
    expect_event(ref, RUSM_GROUP_LEAVE, self);
    RUSM_ASSERT(rusm_kill(NULL, pid));
    expect_event(ref, RUSM_GROUP_LEAVE, pid);

    RUSM_ASSERT(rusm_group_watch("g", &other) == RUSM_OK && other.v != ref.v);
    RUSM_ASSERT(rusm_group_unwatch("g", ref));
    RUSM_ASSERT(!rusm_group_unwatch("g", ref));
    join("g", self);
    expect_event(other, RUSM_GROUP_JOIN, self);
    RUSM_ASSERT(rusm_group_unwatch("g", other));
    RUSM_ASSERT(rusm_group_leave("g", self) == RUSM_OK);
    RUSM_ASSERT(!rusm_receive_timeout(0));
    RUSM_ASSERT(count_groups(rusm_self_runtime()) == 0);

    RUSM_ASSERT(rusm_group_watch("g", &ref) == RUSM_OK); /* ends with the process */
}

static void watcher_hears_of_joins_and_leaves(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    (void)spawn_fiber(rt, watch, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

static void release_others(void *arg) {
    const rusm_pid *pid = arg;
    rusm_ref ref;
    join("g", *pid);
    RUSM_ASSERT(rusm_group_watch("g", &ref) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, *pid));
    while (rusm_is_alive(NULL, *pid)) {
        rusm_yield();
    }
    (void)publish("g", "x", 1); /* meets it */
    expect_event(ref, RUSM_GROUP_LEAVE, *pid);
}

static void watcher_hears_of_those_found_dead(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    (void)spawn_fiber(rt, release_others, &pid, NULL);
    finish_runtime(rt);
}

/* ---- races between schedulers ---- */

#define RACERS 64u
#define ROUNDS 300u
#define TOPICS 5u

struct race {
    _Atomic uint32_t running;
};

static void topic_of(uint32_t number, char name[16]) {
    snprintf(name, 16, "topic-%u", number % TOPICS);
}

static void take_what_is_there(void) {
    while (rusm_receive_timeout(0)) {
    }
}

/* Join, publish, leave, in groups that come and go; some end as members. */
static void race_through_topics(void *arg) {
    struct race *race = arg;
    uint64_t seed = rusm_self().v;
    static const unsigned char bytes[64];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char name[16];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        topic_of((uint32_t)(seed >> 40), name);
        switch (seed >> 33 & 7) {
        case 0:
        case 1:
            (void)publish(name, bytes, seed >> 36 & 1 ? sizeof bytes : 8);
            break;
        case 2: {
            rusm_group *group;
            RUSM_ASSERT(rusm_group_open(NULL, name, &group) == RUSM_OK);
            RUSM_ASSERT(rusm_group_publish(group, "x", 1, NULL) == RUSM_OK);
            rusm_group_close(group);
            break;
        }
        case 3: {
            rusm_ref ref;
            RUSM_ASSERT(rusm_group_watch(name, &ref) == RUSM_OK);
            rusm_yield();
            RUSM_ASSERT(rusm_group_unwatch(name, ref));
            break;
        }
        case 4:
            (void)count_members(NULL, name);
            break;
        case 5: {
            enum rusm_err err = rusm_group_leave(name, rusm_self());
            RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_NOT_MEMBER);
            break;
        }
        default:
            join(name, rusm_self());
            break;
        }
        take_what_is_there();
    }
    atomic_fetch_sub(&race->running, 1);
}

/* Keeps the number of racers up, and puts them, dead or alive, into groups. */
static void race_driver(void *arg) {
    struct race *race = arg;
    for (uint32_t i = 0; i < 4 * RACERS; i++) {
        rusm_pid pid;
        char name[16];
        while (atomic_load(&race->running) >= RACERS) {
            rusm_yield();
        }
        atomic_fetch_add(&race->running, 1);
        RUSM_ASSERT(rusm_spawn(NULL, race_through_topics, race, NULL, &pid) == RUSM_OK);
        topic_of(i, name);
        enum rusm_err err = rusm_group_join(name, pid);
        RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_NOPROC);
    }
}

static void sweep_topics(void *arg) {
    (void)arg;
    for (uint32_t i = 0; i < TOPICS; i++) {
        char name[16];
        topic_of(i, name);
        RUSM_ASSERT(publish(name, "x", 1) == 0);
    }
}

static void groups_survive_races(void **state) {
    (void)state;
    struct race race = {.running = 0};
    rusm_runtime *rt = start_runtime(4);
    (void)spawn_fiber(rt, race_driver, &race, NULL);
    (void)spawn_fiber(rt, race_driver, &race, NULL);
    rusm_runtime_wait_idle(rt);
    (void)spawn_fiber(rt, sweep_topics, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_int_equal(count_groups(rt), 0);
    rusm_runtime_destroy(rt);
}

struct mirror {
    _Atomic uint32_t changers;
};

static void change_at_random(void *arg) {
    struct mirror *mirror = arg;
    uint64_t seed = rusm_self().v;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (seed >> 63) {
            join("g", rusm_self());
        } else {
            (void)rusm_group_leave("g", rusm_self());
        }
        if (seed >> 60 & 1) {
            rusm_yield();
        }
    }
    atomic_fetch_sub(&mirror->changers, 1);
    if (seed >> 62 & 1) {
        wait_for_ever(NULL);
    }
}

static rusm_pid *find_pid(rusm_pid *pids, size_t count, rusm_pid pid) {
    for (size_t i = 0; i < count; i++) {
        if (pids[i].v == pid.v) {
            return &pids[i];
        }
    }
    return NULL;
}

/* Apply events until there are none; the set of members they give. */
static size_t apply_events(rusm_pid *pids, size_t count, rusm_ref ref) {
    struct rusm_msg *msg;
    while ((msg = rusm_receive_timeout(0))) {
        const struct rusm_group_event *event = rusm_msg_group_event(msg, ref);
        RUSM_ASSERT(event);
        rusm_pid *at = find_pid(pids, count, event->pid);
        RUSM_ASSERT((at == NULL) == (event->change == RUSM_GROUP_JOIN));
        if (at) {
            *at = pids[--count];
        } else {
            pids[count++] = event->pid;
        }
    }
    return count;
}

/* Events, in their order, give the same members as asking does. */
static void mirror_group(void *arg) {
    struct mirror *mirror = arg;
    rusm_pid mine[RACERS];
    rusm_pid asked[RACERS];
    size_t mine_count = 0;
    size_t asked_count;
    rusm_ref ref;
    RUSM_ASSERT(rusm_group_watch("g", &ref) == RUSM_OK);
    for (uint32_t i = 0; i < RACERS; i++) {
        atomic_fetch_add(&mirror->changers, 1);
        RUSM_ASSERT(rusm_spawn(NULL, change_at_random, mirror, NULL, NULL) == RUSM_OK);
    }
    /* Until all have changed what they will, seen before looking, and those that end have ended. */
    bool changing;
    do {
        rusm_yield();
        changing = atomic_load(&mirror->changers) > 0;
        mine_count = apply_events(mine, mine_count, ref);
        RUSM_ASSERT(rusm_group_members(NULL, "g", asked, RACERS, &asked_count) == RUSM_OK);
    } while (changing || mine_count != asked_count);
    for (size_t i = 0; i < asked_count; i++) {
        RUSM_ASSERT(find_pid(mine, mine_count, asked[i]));
    }
}

static void events_tell_the_whole_truth(void **state) {
    (void)state;
    struct mirror mirror = {.changers = 0};
    rusm_runtime *rt = start_runtime(4);
    rusm_pid pid = spawn_fiber(rt, mirror_group, &mirror, NULL);
    AWAIT(!rusm_is_alive(rt, pid));
    rusm_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_is_there_until_it_leaves),
        cmocka_unit_test(ended_members_are_gone),
        cmocka_unit_test(members_by_others_are_released_by_a_publish),
        cmocka_unit_test(names_out_of_range_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(short_messages_reach_all_in_order),
        cmocka_unit_test(long_messages_reach_all_in_order),
        cmocka_unit_test(payload_is_shared),
        cmocka_unit_test(full_member_is_passed_over),
        cmocka_unit_test(publish_from_outside),
        cmocka_unit_test(group_is_killed),
        cmocka_unit_test(killer_of_its_own_group_ends_last),
        cmocka_unit_test(killed_publisher_holds_nothing),
        cmocka_unit_test(groups_grow_and_shrink),
        cmocka_unit_test(watcher_hears_of_joins_and_leaves),
        cmocka_unit_test(watcher_hears_of_those_found_dead),
        cmocka_unit_test(groups_survive_races),
        cmocka_unit_test(events_tell_the_whole_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
