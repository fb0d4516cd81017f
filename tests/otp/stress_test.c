/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Many processes on several real threads at once; for ThreadSanitizer above all, since simulation
 * sees wrong protocols but no torn or reordered access. Bounded in counts, not in time. In
 * processes RUSM_ASSERT stands for cmocka's assertions, which must not jump there.
 */
#include "base/assert.h"
#include "base/random.h"
#include <rusm/rusm.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SCHEDULERS 4u

static rusm_runtime *start(void) {
    struct rusm_config config;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = SCHEDULERS;
    rusm_runtime *rt = NULL;
    enum rusm_err err = rusm_runtime_create(&config, &rt);
    assert_int_equal(err, RUSM_OK);
    return rt;
}

static void finish(rusm_runtime *rt) {
    rusm_runtime_wait_idle(rt);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.process_count, 0);
    assert_int_equal(info.names, 0);
    rusm_runtime_destroy(rt);
}

static rusm_pid spawn(rusm_runtime *rt, rusm_fiber_fn fn, void *arg) {
    rusm_pid pid;
    enum rusm_err err = rusm_spawn(rt, fn, arg, NULL, &pid);
    RUSM_ASSERT(err == RUSM_OK);
    return pid;
}

static void count(_Atomic uint32_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A generator that differs from process to process. */
static struct random own_random(void) {
    return (struct random){rusm_self().v};
}

/* ---- ping-pong ---- */

#define PAIRS  40u
#define ROUNDS 500u

struct pair {
    rusm_pid pong;
    uint32_t rounds;
};

static void pong(void *arg) {
    (void)arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rusm_pid from = *(const rusm_pid *)rusm_receive()->data;
        RUSM_ASSERT(rusm_send(from, &i, sizeof i) == RUSM_OK);
    }
}

static void ping(void *arg) {
    struct pair *pair = arg;
    rusm_pid self = rusm_self();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        RUSM_ASSERT(rusm_send(pair->pong, &self, sizeof self) == RUSM_OK);
        RUSM_ASSERT(*(const uint32_t *)rusm_receive()->data == i);
        pair->rounds++;
    }
}

static void pairs_on_different_schedulers_play(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct pair pairs[PAIRS] = {0};
    for (uint32_t i = 0; i < PAIRS; i++) {
        /* Processes from outside go to the schedulers in turn. */
        pairs[i].pong = spawn(rt, pong, NULL);
        (void)spawn(rt, ping, &pairs[i]);
    }
    finish(rt);
    for (uint32_t i = 0; i < PAIRS; i++) {
        assert_int_equal(pairs[i].rounds, ROUNDS);
    }
}

/* ---- all to all ---- */

#define PEERS 30u
#define SENDS 200u

struct crowd;

struct member {
    struct crowd *crowd;
    uint32_t self;
};

struct crowd {
    struct member members[PEERS];
    rusm_pid pids[PEERS];
    _Atomic uint32_t complete; /* 1: all pids are there */
    _Atomic uint32_t received;
};

struct note {
    uint32_t from;
    uint32_t seq;
    char tail[56]; /* with it, too long for a cell */
};

/* Send to everybody and receive from everybody, each sender's messages in order. */
static void mingle(struct crowd *crowd, uint32_t self) {
    uint32_t expected[PEERS] = {0};
    uint32_t received = 0;
    struct random random = own_random();
    for (uint32_t sent = 0; sent < SENDS * PEERS || received < SENDS * PEERS;) {
        if (sent < SENDS * PEERS && random_below(&random, 2)) {
            struct note note = {.from = self, .seq = sent / PEERS};
            size_t len = sent % 3 ? 8 : sizeof note;
            RUSM_ASSERT(rusm_send(crowd->pids[sent % PEERS], &note, len) == RUSM_OK);
            sent++;
            continue;
        }
        struct rusm_msg *msg = sent < SENDS * PEERS ? rusm_receive_timeout(0) : rusm_receive();
        if (msg) {
            const struct note *note = msg->data;
            RUSM_ASSERT(note->seq == expected[note->from]++);
            received++;
        }
    }
    atomic_fetch_add(&crowd->received, received);
}

static void peer(void *arg) {
    struct member *member = arg;
    while (!atomic_load_explicit(&member->crowd->complete, memory_order_acquire)) {
        rusm_yield();
    }
    mingle(member->crowd, member->self);
}

static void everybody_sends_to_everybody(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct crowd crowd = {.received = 0};
    for (uint32_t i = 0; i < PEERS; i++) {
        crowd.members[i] = (struct member){&crowd, i};
        crowd.pids[i] = spawn(rt, peer, &crowd.members[i]);
    }
    atomic_store_explicit(&crowd.complete, 1, memory_order_release);
    finish(rt);
    assert_int_equal(atomic_load(&crowd.received), SENDS * PEERS * PEERS);
}

/* ---- spawns and kills ---- */

#define SPAWNERS 40u
#define CHILDREN 1000u

struct tally {
    _Atomic uint32_t ran;
    _Atomic uint32_t ended;
    _Atomic uint32_t killed;
    _Atomic uint32_t grants;
};

static void on_end(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct tally *tally = arg;
    (void)pid;
    count(&tally->ended);
    if (reason->kind == RUSM_EXIT_KILLED) {
        count(&tally->killed);
    }
}

static void leaf(void *arg) {
    struct tally *tally = arg;
    count(&tally->ran);
}

static void spawn_children(void *arg) {
    struct rusm_spawn_opts opts = {.on_exit = on_end, .on_exit_arg = arg};
    for (uint32_t i = 0; i < CHILDREN; i++) {
        RUSM_ASSERT(rusm_spawn(NULL, leaf, arg, i % 8 ? NULL : &opts, NULL) == RUSM_OK);
    }
}

static void many_processes_spawn_many(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct tally tally = {.ran = 0};
    for (uint32_t i = 0; i < SPAWNERS; i++) {
        (void)spawn(rt, spawn_children, &tally);
    }
    finish(rt);
    assert_int_equal(atomic_load(&tally.ran), SPAWNERS * CHILDREN);
    assert_int_equal(atomic_load(&tally.ended), SPAWNERS * CHILDREN / 8);
}

#define VICTIMS 300u
#define KILLERS 8u

struct hunt {
    struct tally tally;
    rusm_pid victims[VICTIMS];
};

/* Wait in one of several ways, for ever. */
static void victim(void *arg) {
    struct random random = own_random();
    (void)arg;
    for (;;) {
        switch (random_below(&random, 5)) {
        case 0:
            (void)rusm_receive();
            break;
        case 1:
            (void)rusm_receive_timeout(random_below(&random, 3));
            break;
        case 2:
            rusm_sleep(random_below(&random, 2));
            break;
        case 3:
            rusm_yield();
            break;
        default:
            (void)rusm_send(rusm_self(), &random, sizeof random);
        }
    }
}

/* Kill and disturb all victims, in an order of its own. */
static void killer(void *arg) {
    struct hunt *hunt = arg;
    struct random random = own_random();
    uint32_t first = random_below(&random, VICTIMS);
    for (uint32_t i = 0; i < VICTIMS; i++) {
        rusm_pid pid = hunt->victims[(first + i * 7) % VICTIMS]; /* 7 and 300 have no divisor */
        (void)rusm_send(pid, "x", 1);
        if (rusm_kill(NULL, pid)) {
            count(&hunt->tally.grants);
        }
        (void)rusm_send(pid, "x", 1);
    }
}

static void victims_of_many_killers_end_once(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct hunt hunt = {.tally = {.ran = 0}};
    struct rusm_spawn_opts opts = {.on_exit = on_end, .on_exit_arg = &hunt.tally};
    for (uint32_t i = 0; i < VICTIMS; i++) {
        assert_int_equal(rusm_spawn(rt, victim, NULL, &opts, &hunt.victims[i]), RUSM_OK);
    }
    for (uint32_t i = 0; i < KILLERS; i++) {
        (void)spawn(rt, killer, &hunt);
    }
    finish(rt);
    assert_int_equal(atomic_load(&hunt.tally.ended), VICTIMS);
    assert_int_equal(atomic_load(&hunt.tally.killed), VICTIMS);
    assert_in_range(atomic_load(&hunt.tally.grants), VICTIMS, VICTIMS * KILLERS);
}

/* ---- timers ---- */

#define ARMERS 50u
#define ARMED  40u

struct clockwork {
    _Atomic uint64_t timers[ARMERS * ARMED]; /* 0 = not armed yet, or taken by a canceller */
    _Atomic uint32_t armers;                 /* told who they are */
    _Atomic uint32_t cancelled;
    _Atomic uint32_t fired;
};

/* Arm, cancel others' timers at random, then wait for the messages of those not cancelled. */
static void armer(void *arg) {
    struct clockwork *clockwork = arg;
    struct random random = own_random();
    uint32_t first = atomic_fetch_add(&clockwork->armers, 1) * ARMED;
    for (uint32_t i = 0; i < ARMED; i++) {
        rusm_timer timer;
        uint32_t delay_ms = random_below(&random, 6);
        RUSM_ASSERT(rusm_send_after(rusm_self(), delay_ms, &i, sizeof i, &timer) == RUSM_OK);
        atomic_store(&clockwork->timers[first + i], timer.v);
        uint32_t other = random_below(&random, ARMERS * ARMED);
        uint64_t taken = atomic_exchange(&clockwork->timers[other], 0);
        if (taken != 0 && rusm_cancel_timer((rusm_timer){taken}, NULL) == RUSM_OK) {
            count(&clockwork->cancelled);
        }
    }
    while (rusm_receive_timeout(20)) {
        count(&clockwork->fired);
    }
}

static void each_timer_fires_or_is_cancelled(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct clockwork clockwork = {.armers = 0};
    for (uint32_t i = 0; i < ARMERS; i++) {
        (void)spawn(rt, armer, &clockwork);
    }
    finish(rt);
    assert_int_equal(atomic_load(&clockwork.fired) + atomic_load(&clockwork.cancelled),
                     ARMERS * ARMED);
}

static void tick_and_cancel(void *arg) {
    struct clockwork *clockwork = arg;
    uint32_t self = atomic_fetch_add(&clockwork->armers, 1);
    rusm_timer timer;
    RUSM_ASSERT(rusm_send_interval(rusm_self(), 1, "t", 1, &timer) == RUSM_OK);
    atomic_store(&clockwork->timers[self], timer.v);
    for (int i = 0; i < 3; i++) {
        (void)rusm_receive_timeout(2);
    }
    /* Cancel the neighbour's, on another scheduler as a rule; then wait until one's own is over. */
    uint32_t other = (self + 1) % ARMERS;
    uint64_t taken;
    while ((taken = atomic_exchange(&clockwork->timers[other], 0)) == 0) {
        rusm_yield();
    }
    RUSM_ASSERT(rusm_cancel_timer((rusm_timer){taken}, NULL) == RUSM_OK);
    while (rusm_receive_timeout(20)) {
        count(&clockwork->fired);
    }
}

static void intervals_are_cancelled_by_neighbours(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct clockwork clockwork = {.armers = 0};
    for (uint32_t i = 0; i < ARMERS; i++) {
        (void)spawn(rt, tick_and_cancel, &clockwork);
    }
    finish(rt);
}

/* ---- held senders ---- */

#define HOLDERS 60u
#define HELD    100u

struct jam {
    rusm_pid to;
    _Atomic uint32_t received;
    _Atomic uint32_t delivered;
};

static void slow_reader(void *arg) {
    struct jam *jam = arg;
    struct random random = own_random();
    while (rusm_receive_timeout(1000)) {
        count(&jam->received);
        if (random_below(&random, 10) == 0) {
            rusm_yield();
        }
        if (atomic_load(&jam->received) == HOLDERS * HELD) {
            return;
        }
    }
}

static void eager_sender(void *arg) {
    struct jam *jam = arg;
    for (uint32_t i = 0; i < HELD; i++) {
        if (rusm_send(jam->to, &i, sizeof i) == RUSM_OK) {
            count(&jam->delivered);
        }
    }
}

static void held_senders_lose_nothing(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct jam jam = {.received = 0};
    struct rusm_spawn_opts opts = {.mailbox_len_max = 3, .mailbox_hold = true};
    assert_int_equal(rusm_spawn(rt, slow_reader, &jam, &opts, &jam.to), RUSM_OK);
    for (uint32_t i = 0; i < HOLDERS; i++) {
        (void)spawn(rt, eager_sender, &jam);
    }
    finish(rt);
    assert_int_equal(atomic_load(&jam.received), HOLDERS * HELD);
    assert_int_equal(atomic_load(&jam.delivered), HOLDERS * HELD);
}

static void reader_that_dies(void *arg) {
    struct jam *jam = arg;
    for (uint32_t i = 0; i < HELD; i++) {
        (void)rusm_receive();
        count(&jam->received);
    }
}

static void death_of_the_reader_releases_all(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct jam jam = {.received = 0};
    struct rusm_spawn_opts opts = {.mailbox_len_max = 3, .mailbox_hold = true};
    assert_int_equal(rusm_spawn(rt, reader_that_dies, &jam, &opts, &jam.to), RUSM_OK);
    for (uint32_t i = 0; i < HOLDERS; i++) {
        (void)spawn(rt, eager_sender, &jam);
    }
    finish(rt);
    assert_int_equal(atomic_load(&jam.received), HELD);
}

/* ---- names ---- */

#define NAMES 8u

static void name_user(void *arg) {
    struct random random = own_random();
    char name[16];
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "n%u", random_below(&random, NAMES));
        if (rusm_register(NULL, name, rusm_self()) == RUSM_OK) {
            RUSM_ASSERT(rusm_whereis(NULL, name).v == rusm_self().v);
            (void)rusm_send(rusm_self(), "x", 1);
            rusm_yield();
            RUSM_ASSERT(rusm_unregister(NULL, name) == RUSM_OK);
        } else {
            rusm_pid owner = rusm_whereis(NULL, name);
            enum rusm_err err = owner.v != 0 ? rusm_send(owner, "y", 1) : RUSM_OK;
            RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_NOPROC);
        }
    }
    count(arg);
}

static void names_change_hands(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    _Atomic uint32_t done = 0;
    for (uint32_t i = 0; i < 50; i++) {
        (void)spawn(rt, name_user, &done);
    }
    finish(rt);
    assert_int_equal(atomic_load(&done), 50);
}

/* ---- threads outside ---- */

#define OUTSIDERS 3u
#define POSTS     500u

struct outside {
    rusm_runtime *rt;
    rusm_pid to;
    _Atomic uint32_t received;
    _Atomic uint32_t ran;
};

static void receive_posts(void *arg) {
    struct outside *outside = arg;
    for (uint32_t i = 0; i < OUTSIDERS * POSTS; i++) {
        (void)rusm_receive();
        count(&outside->received);
    }
}

static void run_once(void *arg) {
    struct outside *outside = arg;
    count(&outside->ran);
}

static bool look(void *arg, rusm_pid pid) {
    struct outside *outside = arg;
    struct rusm_process_info info;
    (void)rusm_process_info(outside->rt, pid, &info);
    return true;
}

static void *post_and_spawn(void *arg) {
    struct outside *outside = arg;
    for (uint32_t i = 0; i < POSTS; i++) {
        enum rusm_err err = rusm_post(outside->rt, outside->to, &i, sizeof i);
        RUSM_ASSERT(err == RUSM_OK);
        err = rusm_spawn(outside->rt, run_once, outside, NULL, NULL);
        RUSM_ASSERT(err == RUSM_OK);
        if (i % 50 == 0) {
            rusm_process_each(outside->rt, look, outside);
        }
    }
    return NULL;
}

static void threads_outside_post_spawn_and_look(void **state) {
    (void)state;
    struct outside outside = {.rt = start()};
    outside.to = spawn(outside.rt, receive_posts, &outside);
    pthread_t threads[OUTSIDERS];
    for (uint32_t i = 0; i < OUTSIDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_and_spawn, &outside), 0);
    }
    for (uint32_t i = 0; i < OUTSIDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    finish(outside.rt);
    assert_int_equal(atomic_load(&outside.received), OUTSIDERS * POSTS);
    assert_int_equal(atomic_load(&outside.ran), OUTSIDERS * POSTS);
}

static void runtimes_come_and_go(void **state) {
    (void)state;
    for (int i = 0; i < 30; i++) {
        rusm_runtime *rt = start();
        struct tally tally = {.ran = 0};
        for (int k = 0; k < 20; k++) {
            (void)spawn(rt, victim, NULL);
            (void)spawn(rt, leaf, &tally);
        }
        rusm_runtime_destroy(rt);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_on_different_schedulers_play),
        cmocka_unit_test(everybody_sends_to_everybody),
        cmocka_unit_test(many_processes_spawn_many),
        cmocka_unit_test(victims_of_many_killers_end_once),
        cmocka_unit_test(each_timer_fires_or_is_cancelled),
        cmocka_unit_test(intervals_are_cancelled_by_neighbours),
        cmocka_unit_test(held_senders_lose_nothing),
        cmocka_unit_test(death_of_the_reader_releases_all),
        cmocka_unit_test(names_change_hands),
        cmocka_unit_test(threads_outside_post_spawn_and_look),
        cmocka_unit_test(runtimes_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
