/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Spawning, ending and killing processes; pids that are stale or made up. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SLOT_MASK 0xffffffu

static void count(void *arg) {
    atomic_fetch_add_explicit((_Atomic uint32_t *)arg, 1, memory_order_relaxed);
}

static void fiber_runs_with_its_argument(void **state) {
    (void)state;
    _Atomic uint32_t runs = 0;
    run_fiber(count, &runs);
    assert_int_equal(atomic_load(&runs), 1);
}

static void check_self(void *arg) {
    rusm_pid parent = *(const rusm_pid *)arg;
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_self().v > 0);
    RUSM_ASSERT(rusm_process_info(rusm_self_runtime(), rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.parent.v == parent.v);
    (void)rusm_send(parent, "", 0);
}

static void spawn_child(void *arg) {
    (void)arg;
    rusm_pid self = rusm_self();
    rusm_pid child;
    RUSM_ASSERT(rusm_spawn(NULL, check_self, &self, NULL, &child) == RUSM_OK);
    RUSM_ASSERT(child.v != self.v);
    (void)rusm_receive();
}

static void child_knows_itself_and_its_parent(void **state) {
    (void)state;
    run_fiber(spawn_child, NULL);
    assert_int_equal(rusm_self().v, 0);
    assert_null(rusm_self_runtime());
}

static void options_set_name_and_label(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct rusm_spawn_opts opts = {.name = "clerk", .label = "behind the counter"};
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, &opts);
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(rt, pid, &info), RUSM_OK);
    assert_string_equal(info.name, "clerk");
    assert_string_equal(info.label, "behind the counter");
    assert_int_equal(rusm_whereis(rt, "clerk").v, pid.v);
    rusm_runtime_destroy(rt);
}

static void long_label_is_cut(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    char label[100];
    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    struct rusm_spawn_opts opts = {.label = label};
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, &opts);
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(rt, pid, &info), RUSM_OK);
    assert_int_equal(strlen(info.label), RUSM_LABEL_BYTES_MAX);
    rusm_runtime_destroy(rt);
}

static void label_twice(void *arg) {
    (void)arg;
    struct rusm_process_info info;
    rusm_set_label("first");
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(strcmp(info.label, "first") == 0);
    rusm_set_label(NULL);
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.label[0] == '\0');
}

static void label_can_be_set_and_removed(void **state) {
    (void)state;
    run_fiber(label_twice, NULL);
}

static void refused_spawn_starts_nothing(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    _Atomic uint32_t runs = 0;
    struct exit_record record = {.count = 0};
    struct rusm_spawn_opts opts = {.name = "taken", .on_exit = record_exit, .on_exit_arg = &record};
    rusm_pid first =
        spawn_fiber(rt, wait_for_ever, NULL, &(struct rusm_spawn_opts){.name = "taken"});
    rusm_pid out = {77};
    assert_int_equal(rusm_spawn(rt, count, &runs, &opts, &out), RUSM_ERR_NAME_TAKEN);
    assert_int_equal(out.v, 77);
    assert_int_equal(rusm_whereis(rt, "taken").v, first.v);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.process_count, 1);
    rusm_runtime_destroy(rt);
    assert_int_equal(atomic_load(&runs), 0);
    assert_int_equal(atomic_load(&record.count), 0);
}

static void invalid_options_are_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    char name[RUSM_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const struct rusm_spawn_opts invalid[] = {
        {.name = ""},
        {.name = name},
        {.mailbox_len_max = RUSM_MAILBOX_LEN_LIMIT + 1},
        {.mailbox_hold = true}, /* without a bound */
    };
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        assert_int_equal(rusm_spawn(rt, end_at_once, NULL, &invalid[i], NULL), RUSM_ERR_INVALID);
    }
    name[RUSM_NAME_BYTES_MAX] = '\0';
    struct rusm_spawn_opts valid = {.name = name, .mailbox_len_max = RUSM_MAILBOX_LEN_LIMIT};
    assert_int_equal(rusm_spawn(rt, end_at_once, NULL, &valid, NULL), RUSM_OK);
    finish_runtime(rt);
}

static void process_limit_is_kept_and_freed_slots_count(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.processes_max = 10;
    rusm_runtime *rt = start_configured(&config);
    rusm_pid last = {0};
    for (int i = 0; i < 10; i++) {
        last = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    }
    assert_int_equal(rusm_spawn(rt, end_at_once, NULL, NULL, NULL), RUSM_ERR_PROCESS_LIMIT);
    assert_true(rusm_kill(rt, last));
    AWAIT(!rusm_is_alive(rt, last));
    rusm_runtime_destroy(rt);
}

/* Spawns to the limit again and again, so that it must find the slots that were freed. */
static void fill_table(void *arg) {
    rusm_pid pids[9];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 9; i++) {
            RUSM_ASSERT(rusm_spawn(NULL, wait_for_ever, NULL, NULL, &pids[i]) == RUSM_OK);
        }
        RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, NULL, NULL) == RUSM_ERR_PROCESS_LIMIT);
        for (int i = 0; i < 9; i++) {
            RUSM_ASSERT(rusm_kill(NULL, pids[i]));
        }
        for (int i = 0; i < 9; i++) {
            while (rusm_is_alive(NULL, pids[i])) {
                rusm_yield();
            }
        }
    }
    *(bool *)arg = true;
}

static void freed_slots_are_used_again(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.processes_max = 10;
    rusm_runtime *rt = start_configured(&config);
    bool done = false;
    (void)spawn_fiber(rt, fill_table, &done, NULL);
    finish_runtime(rt);
    assert_true(done);
}

static struct exit_record end_of(rusm_fiber_fn fn) {
    struct exit_record record = {.count = 0};
    rusm_runtime *rt = start_runtime(1);
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    rusm_pid pid = spawn_fiber(rt, fn, NULL, &opts);
    finish_runtime(rt);
    assert_int_equal(atomic_load(&record.count), 1);
    assert_int_equal(record.pid.v, pid.v);
    return record;
}

static void returning_is_a_normal_exit(void **state) {
    (void)state;
    struct exit_record record = end_of(end_at_once);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(record.payload_bytes, 0);
}

static void exit_without_reason(void *arg) {
    (void)arg;
    rusm_exit(NULL);
}

static void exit_without_reason_is_normal(void **state) {
    (void)state;
    assert_int_equal(end_of(exit_without_reason).kind, RUSM_EXIT_NORMAL);
}

static void exit_with_payload(void *arg) {
    (void)arg;
    char payload[RUSM_EXIT_PAYLOAD_MAX];
    memset(payload, 'p', sizeof payload);
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, payload, sizeof payload});
}

static void exit_carries_kind_and_payload(void **state) {
    (void)state;
    struct exit_record record = end_of(exit_with_payload);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(record.payload_bytes, RUSM_EXIT_PAYLOAD_MAX);
    assert_int_equal(record.payload[0], 'p');
    assert_int_equal(record.payload[RUSM_EXIT_PAYLOAD_MAX - 1], 'p');
}

static void exit_with_received_bytes(void *arg) {
    (void)arg;
    char bytes[64];
    memset(bytes, 'm', sizeof bytes);
    (void)rusm_send(rusm_self(), bytes, sizeof bytes);
    (void)rusm_send(rusm_self(), "", 0);
    struct rusm_msg *msg = rusm_receive();
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_SHUTDOWN, msg->data, msg->len});
}

static void exit_payload_may_be_a_received_message(void **state) {
    (void)state;
    struct exit_record record = end_of(exit_with_received_bytes);
    assert_int_equal(record.kind, RUSM_EXIT_SHUTDOWN);
    assert_int_equal(record.payload_bytes, 64);
    assert_int_equal(record.payload[63], 'm');
}

static void idle_means_that_ends_were_told(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct exit_record record = {.count = 0};
        rusm_runtime *rt = start_runtime(1);
        struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
        (void)spawn_fiber(rt, end_at_once, NULL, &opts);
        rusm_runtime_wait_idle(rt);
        assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
        assert_int_equal(atomic_load_explicit(&record.count, memory_order_relaxed), 1);
        rusm_runtime_destroy(rt);
    }
}

struct report {
    rusm_runtime *rt;
    rusm_pid to;
    bool was_alive;
};

static void report_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct report *report = arg;
    (void)reason;
    report->was_alive = rusm_is_alive(report->rt, pid);
    enum rusm_err err = rusm_post(report->rt, report->to, &pid, sizeof pid);
    RUSM_ASSERT(err == RUSM_OK);
}

static void watch_child(void *arg) {
    struct report *report = arg;
    report->rt = rusm_self_runtime();
    report->to = rusm_self();
    struct rusm_spawn_opts opts = {.on_exit = report_exit, .on_exit_arg = report};
    rusm_pid child;
    RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, &opts, &child) == RUSM_OK);
    const rusm_pid *ended = rusm_receive()->data;
    RUSM_ASSERT(ended->v == child.v);
}

static void on_exit_may_send_and_finds_the_process_ended(void **state) {
    (void)state;
    struct report report = {.was_alive = true};
    run_fiber(watch_child, &report);
    assert_false(report.was_alive);
}

/* ---- kill ---- */

static struct exit_record kill_when(rusm_fiber_fn fn, enum rusm_process_wait wait) {
    struct exit_record record = {.count = 0};
    rusm_runtime *rt = start_runtime(2);
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    rusm_pid pid = spawn_fiber(rt, fn, NULL, &opts);
    await_wait(rt, pid, wait);
    assert_true(rusm_kill(rt, pid));
    finish_runtime(rt);
    assert_int_equal(atomic_load(&record.count), 1);
    assert_int_equal(record.payload_bytes, 0);
    return record;
}

static void sleep_long(void *arg) {
    (void)arg;
    rusm_sleep(1000000);
}

static void receive_long(void *arg) {
    (void)arg;
    (void)rusm_receive_timeout(1000000);
}

static bool match_none(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    (void)msg;
    return false;
}

static void match_for_ever(void *arg) {
    (void)arg;
    (void)rusm_send(rusm_self(), "", 0);
    (void)rusm_receive_match(match_none, NULL, RUSM_FOREVER);
}

static void waiting_processes_are_killed(void **state) {
    (void)state;
    assert_int_equal(kill_when(wait_for_ever, RUSM_WAIT_RECEIVE).kind, RUSM_EXIT_KILLED);
    assert_int_equal(kill_when(receive_long, RUSM_WAIT_RECEIVE).kind, RUSM_EXIT_KILLED);
    assert_int_equal(kill_when(match_for_ever, RUSM_WAIT_RECEIVE).kind, RUSM_EXIT_KILLED);
    assert_int_equal(kill_when(sleep_long, RUSM_WAIT_SLEEP).kind, RUSM_EXIT_KILLED);
}

static void run_until(void *arg) {
    _Atomic uint32_t *phase = arg;
    atomic_store_explicit(phase, 1, memory_order_relaxed);
    AWAIT(atomic_load_explicit(phase, memory_order_relaxed) == 2);
    rusm_yield();
    atomic_store_explicit(phase, 3, memory_order_relaxed);
}

static void running_process_ends_at_its_next_suspension(void **state) {
    (void)state;
    struct exit_record record = {.count = 0};
    _Atomic uint32_t phase = 0;
    rusm_runtime *rt = start_runtime(2);
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    rusm_pid pid = spawn_fiber(rt, run_until, &phase, &opts);
    AWAIT(atomic_load_explicit(&phase, memory_order_relaxed) == 1);
    assert_true(rusm_kill(rt, pid));
    assert_true(rusm_is_alive(rt, pid));
    atomic_store_explicit(&phase, 2, memory_order_relaxed);
    finish_runtime(rt);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    assert_int_equal(atomic_load(&phase), 2);
}

static void send_for_ever(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_send(rusm_self(), "", 0);
        (void)rusm_receive();
    }
}

static void busy_process_is_killed_within_its_slices(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, send_for_ever, NULL, NULL);
    assert_true(rusm_kill(rt, pid));
    finish_runtime(rt);
}

static void kill_self(void *arg) {
    RUSM_ASSERT(rusm_kill(NULL, rusm_self()));
    RUSM_ASSERT(rusm_is_alive(NULL, rusm_self()));
    rusm_yield();
    *(bool *)arg = true;
}

static void process_may_kill_itself(void **state) {
    (void)state;
    bool survived = false;
    run_fiber(kill_self, &survived);
    assert_false(survived);
}

static void killed_before_its_first_run(void *arg) {
    rusm_pid child;
    RUSM_ASSERT(rusm_spawn(NULL, wait_for_ever, NULL, NULL, &child) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, child));
    while (rusm_is_alive(NULL, child)) {
        rusm_yield();
    }
    RUSM_ASSERT(!rusm_kill(NULL, child));
    *(bool *)arg = true;
}

static void ended_process_cannot_be_killed(void **state) {
    (void)state;
    bool done = false;
    run_fiber(killed_before_its_first_run, &done);
    assert_true(done);
}

/* ---- pids ---- */

static void receive_nothing(void *arg) {
    (void)arg;
    RUSM_ASSERT(!rusm_receive_timeout(0));
    rusm_yield();
    RUSM_ASSERT(!rusm_receive_timeout(0));
}

static void use_stale(void *arg) {
    uint32_t reused = 0;
    for (int i = 0; i < 1000; i++) {
        rusm_pid stale;
        rusm_pid fresh;
        RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, NULL, &stale) == RUSM_OK);
        while (rusm_is_alive(NULL, stale)) {
            rusm_yield();
        }
        RUSM_ASSERT(rusm_spawn(NULL, receive_nothing, NULL, NULL, &fresh) == RUSM_OK);
        reused += (stale.v & SLOT_MASK) == (fresh.v & SLOT_MASK);
        RUSM_ASSERT(stale.v != fresh.v);
        RUSM_ASSERT(rusm_send(stale, "x", 1) == RUSM_ERR_NOPROC);
        RUSM_ASSERT(!rusm_kill(NULL, stale));
        RUSM_ASSERT(rusm_register(NULL, "stale", stale) == RUSM_ERR_NOPROC);
        while (rusm_is_alive(NULL, fresh)) {
            rusm_yield();
        }
    }
    *(uint32_t *)arg = reused;
}

static void stale_pid_never_reaches_the_successor(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    uint32_t reused = 0;
    (void)spawn_fiber(rt, use_stale, &reused, NULL);
    finish_runtime(rt);
    assert_in_range(reused, 900, 1000);
}

static void try_forged(void *arg) {
    rusm_pid self = rusm_self();
    rusm_pid spare;
    RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, NULL, &spare) == RUSM_OK);
    while (rusm_is_alive(NULL, spare)) {
        rusm_yield();
    }
    uint64_t generation = (uint64_t)1 << 24;
    const uint64_t forged[] = {
        0,
        1,
        UINT64_MAX,
        self.v + generation, /* of a free slot's parity */
        self.v + 2 * generation,
        self.v - 2 * generation,
        self.v | (uint64_t)1 << 63,
        spare.v + generation, /* the very generation of the free slot */
        spare.v + 2 * generation,
        (self.v & ~(uint64_t)SLOT_MASK) | SLOT_MASK, /* a slot never made */
    };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        rusm_pid pid = {forged[i]};
        struct rusm_process_info info;
        RUSM_ASSERT(!rusm_is_alive(NULL, pid));
        RUSM_ASSERT(!rusm_kill(NULL, pid));
        RUSM_ASSERT(rusm_send(pid, "x", 1) == RUSM_ERR_NOPROC);
        RUSM_ASSERT(rusm_post(NULL, pid, "x", 1) == RUSM_ERR_NOPROC);
        RUSM_ASSERT(rusm_process_info(NULL, pid, &info) == RUSM_ERR_NOPROC);
        RUSM_ASSERT(rusm_register(NULL, "forged", pid) == RUSM_ERR_NOPROC);
    }
    RUSM_ASSERT(!rusm_receive_timeout(0));
    *(bool *)arg = true;
}

static void forged_pids_reach_nobody(void **state) {
    (void)state;
    bool done = false;
    run_fiber(try_forged, &done);
    assert_true(done);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fiber_runs_with_its_argument),
        cmocka_unit_test(child_knows_itself_and_its_parent),
        cmocka_unit_test(options_set_name_and_label),
        cmocka_unit_test(long_label_is_cut),
        cmocka_unit_test(label_can_be_set_and_removed),
        cmocka_unit_test(refused_spawn_starts_nothing),
        cmocka_unit_test(invalid_options_are_refused),
        cmocka_unit_test(process_limit_is_kept_and_freed_slots_count),
        cmocka_unit_test(freed_slots_are_used_again),
        cmocka_unit_test(returning_is_a_normal_exit),
        cmocka_unit_test(exit_without_reason_is_normal),
        cmocka_unit_test(exit_carries_kind_and_payload),
        cmocka_unit_test(exit_payload_may_be_a_received_message),
        cmocka_unit_test(idle_means_that_ends_were_told),
        cmocka_unit_test(on_exit_may_send_and_finds_the_process_ended),
        cmocka_unit_test(waiting_processes_are_killed),
        cmocka_unit_test(running_process_ends_at_its_next_suspension),
        cmocka_unit_test(busy_process_is_killed_within_its_slices),
        cmocka_unit_test(process_may_kill_itself),
        cmocka_unit_test(ended_process_cannot_be_killed),
        cmocka_unit_test(stale_pid_never_reaches_the_successor),
        cmocka_unit_test(forged_pids_reach_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
