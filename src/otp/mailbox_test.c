/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Mailboxes at their bound: shedding, and holding senders. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BOUND 4u

static const struct rusm_spawn_opts holding = {.mailbox_len_max = BOUND, .mailbox_hold = true};
static const struct rusm_spawn_opts shedding = {.mailbox_len_max = BOUND};

static void fill_own(void *arg) {
    for (uint32_t i = 0; i < BOUND; i++) {
        RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_ERR_MAILBOX_FULL);
    RUSM_ASSERT(rusm_post(NULL, rusm_self(), "x", 1) == RUSM_ERR_MAILBOX_FULL);
    rusm_buf *buf;
    RUSM_ASSERT(rusm_buf_create(1, &buf) == RUSM_OK);
    RUSM_ASSERT(rusm_send_buf(rusm_self(), buf) == RUSM_ERR_MAILBOX_FULL);
    (void)rusm_receive();
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK);
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_ERR_MAILBOX_FULL);
    *(bool *)arg = true;
}

static void run_with(const struct rusm_spawn_opts *opts, rusm_fiber_fn fn) {
    bool done = false;
    rusm_runtime *rt = start_runtime(1);
    (void)spawn_fiber(rt, fn, &done, opts);
    finish_runtime(rt);
    assert_true(done);
}

static void full_mailbox_sheds(void **state) {
    (void)state;
    run_with(&shedding, fill_own);
}

/* Nobody waits for itself. */
static void holding_mailbox_sheds_its_owners_messages(void **state) {
    (void)state;
    run_with(&holding, fill_own);
}

static void shed_messages_are_counted(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    bool done = false;
    (void)spawn_fiber(rt, fill_own, &done, &shedding);
    rusm_runtime_wait_idle(rt);
    struct rusm_scheduler_info info;
    assert_int_equal(rusm_scheduler_info(rt, 0, &info), RUSM_OK);
    assert_int_equal(info.shed, 4);
    rusm_runtime_destroy(rt);
}

static void default_bound_and_policy_are_the_runtimes(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.mailbox_len_max = BOUND;
    rusm_runtime *rt = start_configured(&config);
    bool done = false;
    (void)spawn_fiber(rt, fill_own, &done, NULL);
    finish_runtime(rt);
    assert_true(done);
}

static void put_aside_and_fill(void *arg) {
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK);
    rusm_stash(rusm_receive());
    for (uint32_t i = 0; i + 1 < BOUND; i++) {
        RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_ERR_MAILBOX_FULL);
    *(bool *)arg = true;
}

static void messages_put_aside_count_to_the_bound(void **state) {
    (void)state;
    run_with(&shedding, put_aside_and_fill);
}

struct held {
    rusm_pid to;
    _Atomic uint32_t sent;
};

static void send_twice_the_bound(void *arg) {
    struct held *held = arg;
    for (uint32_t i = 0; i < 2 * BOUND; i++) {
        RUSM_ASSERT(rusm_send(held->to, &i, sizeof i) == RUSM_OK);
        atomic_fetch_add_explicit(&held->sent, 1, memory_order_relaxed);
    }
}

/* A receiver that does not read before it is told, by a job of its own thread. */
struct gate {
    _Atomic bool open;
    uint32_t received;
};

static void wait_at_gate(void *arg) {
    struct gate *gate = arg;
    AWAIT(atomic_load_explicit(&gate->open, memory_order_relaxed));
}

static void read_behind_gate(void *arg) {
    struct gate *gate = arg;
    RUSM_ASSERT(rusm_blocking(wait_at_gate, gate) == RUSM_OK);
    for (uint32_t i = 0; i < 2 * BOUND; i++) {
        RUSM_ASSERT(*(const uint32_t *)rusm_receive()->data == i);
        gate->received++;
    }
}

static void sender_is_held_until_there_is_room(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct gate gate = {.open = false};
    struct held held = {.sent = 0};
    held.to = spawn_fiber(rt, read_behind_gate, &gate, &holding);
    rusm_pid sender = spawn_fiber(rt, send_twice_the_bound, &held, NULL);
    await_wait(rt, sender, RUSM_WAIT_HELD);
    assert_int_equal(atomic_load(&held.sent), BOUND);
    atomic_store(&gate.open, true);
    finish_runtime(rt);
    assert_int_equal(gate.received, 2 * BOUND);
    assert_int_equal(atomic_load(&held.sent), 2 * BOUND);
}

static void threads_outside_are_not_held_but_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct gate gate = {.open = false};
    rusm_pid pid = spawn_fiber(rt, read_behind_gate, &gate, &holding);
    await_wait(rt, pid, RUSM_WAIT_BLOCKING);
    for (uint32_t i = 0; i < BOUND; i++) {
        assert_int_equal(rusm_post(rt, pid, &i, sizeof i), RUSM_OK);
    }
    assert_int_equal(rusm_post(rt, pid, "x", 1), RUSM_ERR_MAILBOX_FULL);
    assert_true(rusm_kill(rt, pid)); /* a full mailbox can still be killed */
    atomic_store(&gate.open, true);
    finish_runtime(rt);
}

static void die_behind_gate(void *arg) {
    RUSM_ASSERT(rusm_blocking(wait_at_gate, arg) == RUSM_OK);
}

static void send_until_gone(void *arg) {
    struct held *held = arg;
    while (rusm_send(held->to, "x", 1) == RUSM_OK) {
        atomic_fetch_add_explicit(&held->sent, 1, memory_order_relaxed);
    }
}

static void receivers_death_releases_held_senders(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct gate gate = {.open = false};
    struct held held[3];
    rusm_pid senders[3];
    rusm_pid to = spawn_fiber(rt, die_behind_gate, &gate, &holding);
    for (int i = 0; i < 3; i++) {
        held[i].to = to;
        atomic_init(&held[i].sent, 0);
        senders[i] = spawn_fiber(rt, send_until_gone, &held[i], NULL);
    }
    for (int i = 0; i < 3; i++) {
        await_wait(rt, senders[i], RUSM_WAIT_HELD);
    }
    atomic_store(&gate.open, true);
    finish_runtime(rt);
    uint32_t sent = 0;
    for (int i = 0; i < 3; i++) {
        sent += atomic_load(&held[i].sent);
    }
    assert_int_equal(sent, BOUND + 3);
}

static void held_sender_can_be_killed(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct gate gate = {.open = false};
    struct held held = {.sent = 0};
    struct exit_record record = {.count = 0};
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    held.to = spawn_fiber(rt, die_behind_gate, &gate, &holding);
    rusm_pid sender = spawn_fiber(rt, send_until_gone, &held, &opts);
    await_wait(rt, sender, RUSM_WAIT_HELD);
    assert_true(rusm_kill(rt, sender));
    AWAIT(atomic_load_explicit(&record.count, memory_order_acquire) == 1);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    atomic_store(&gate.open, true);
    finish_runtime(rt);
}

static void take_over_time(void *arg) {
    uint64_t *sum = arg;
    for (int i = 0; i < 2000; i++) {
        *sum += *(const uint32_t *)rusm_receive()->data;
    }
}

static void send_hundred(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    for (uint32_t i = 0; i < 100; i++) {
        RUSM_ASSERT(rusm_send(to, &i, sizeof i) == RUSM_OK);
    }
}

static void many_held_senders_all_get_through(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(3);
    uint64_t sum = 0;
    struct rusm_spawn_opts opts = {.mailbox_len_max = 1, .mailbox_hold = true};
    rusm_pid to = spawn_fiber(rt, take_over_time, &sum, &opts);
    for (int i = 0; i < 20; i++) {
        (void)spawn_fiber(rt, send_hundred, &to, NULL);
    }
    finish_runtime(rt);
    assert_int_equal(sum, 20 * 4950);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_mailbox_sheds),
        cmocka_unit_test(holding_mailbox_sheds_its_owners_messages),
        cmocka_unit_test(shed_messages_are_counted),
        cmocka_unit_test(default_bound_and_policy_are_the_runtimes),
        cmocka_unit_test(messages_put_aside_count_to_the_bound),
        cmocka_unit_test(sender_is_held_until_there_is_room),
        cmocka_unit_test(threads_outside_are_not_held_but_refused),
        cmocka_unit_test(receivers_death_releases_held_senders),
        cmocka_unit_test(held_sender_can_be_killed),
        cmocka_unit_test(many_held_senders_all_get_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
