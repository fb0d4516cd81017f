/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What a running node tells about itself. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rusm_process_info info_of(rusm_runtime *rt, rusm_pid pid) {
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(rt, pid, &info), RUSM_OK);
    return info;
}

static void process_info_tells_what_a_process_does(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    AWAIT(info_of(rt, pid).memory_bytes >= 4096); /* it has left its stack */
    struct rusm_process_info info = info_of(rt, pid);
    assert_int_equal(info.pid.v, pid.v);
    assert_int_equal(info.parent.v, 0);
    assert_int_equal(info.kind, RUSM_KIND_FIBER);
    assert_int_equal(info.status, RUSM_PROCESS_WAITING);
    assert_int_equal(info.scheduler, 0);
    assert_int_equal(info.mailbox_depth, 0);
    assert_ptr_equal(info.entry, (const void *)wait_for_ever);
    assert_string_equal(info.name, "");
    assert_string_equal(info.label, "");
    assert_in_range(info.memory_bytes, 4096, 64 * 1024); /* at least a page of stack */
    rusm_runtime_destroy(rt);
}

static void info_of_an_ended_process_is_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, end_at_once, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    struct rusm_process_info info = {.pid = {77}};
    assert_int_equal(rusm_process_info(rt, pid, &info), RUSM_ERR_NOPROC);
    assert_int_equal(info.pid.v, 77);
    rusm_runtime_destroy(rt);
}

static void use_deep_stack(void *arg) {
    (void)arg;
    char deep[20000];
    memset(deep, 1, sizeof deep);
    __asm__ volatile("" : : "r"(deep) : "memory"); /* so that it is really there */
    (void)rusm_receive();
    __asm__ volatile("" : : "r"(deep) : "memory");
}

static void memory_counts_the_stack_in_use(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, use_deep_stack, NULL, NULL);
    /* It is called waiting a moment before its stack is left. */
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    AWAIT(info_of(rt, pid).memory_bytes >= 20000);
    assert_in_range(info_of(rt, pid).memory_bytes, 20000, 64 * 1024);
    rusm_runtime_destroy(rt);
}

struct visits {
    rusm_pid pids[100];
    uint32_t count;
    uint32_t limit;
};

static bool visit(void *arg, rusm_pid pid) {
    struct visits *visits = arg;
    if (visits->count < 100) {
        visits->pids[visits->count] = pid;
    }
    return ++visits->count < visits->limit;
}

static void each_living_process_is_visited_once_in_order(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pids[20];
    for (int i = 0; i < 20; i++) {
        pids[i] = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    }
    assert_true(rusm_kill(rt, pids[3]));
    AWAIT(!rusm_is_alive(rt, pids[3]));
    struct visits all = {.limit = UINT32_MAX};
    rusm_process_each(rt, visit, &all);
    assert_int_equal(all.count, 19);
    for (uint32_t i = 0; i + 1 < all.count; i++) {
        assert_true((all.pids[i].v & 0xffffff) < (all.pids[i + 1].v & 0xffffff));
        assert_true(rusm_is_alive(rt, all.pids[i]));
    }
    struct visits some = {.limit = 5};
    rusm_process_each(rt, visit, &some);
    assert_int_equal(some.count, 5);
    rusm_runtime_destroy(rt);
}

static void echo(void *arg) {
    (void)arg;
    for (int i = 0; i < 500; i++) {
        rusm_pid from = *(const rusm_pid *)rusm_receive()->data;
        RUSM_ASSERT(rusm_send(from, NULL, 0) == RUSM_OK);
    }
}

static void end_with_error(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void converse(void *arg) {
    (void)arg;
    rusm_pid self = rusm_self();
    rusm_pid other;
    RUSM_ASSERT(rusm_spawn(NULL, echo, NULL, NULL, &other) == RUSM_OK);
    RUSM_ASSERT(rusm_spawn(NULL, end_with_error, NULL, NULL, NULL) == RUSM_OK);
    for (int i = 0; i < 500; i++) {
        RUSM_ASSERT(rusm_send(other, &self, sizeof self) == RUSM_OK);
        (void)rusm_receive();
    }
}

/* Until the scheduler is parked: it has then counted all that it did. */
static struct rusm_scheduler_info parked_info(rusm_runtime *rt, uint32_t scheduler) {
    struct rusm_scheduler_info info = {.parked = false};
    AWAIT(rusm_scheduler_info(rt, scheduler, &info) == RUSM_OK && info.parked);
    return info;
}

static void counters_of_all_schedulers_sum_up(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(3);
    for (int i = 0; i < 10; i++) {
        (void)spawn_fiber(rt, converse, NULL, NULL);
    }
    rusm_runtime_wait_idle(rt);
    struct rusm_scheduler_info sum = {.spawned = 0};
    for (uint32_t i = 0; i < 3; i++) {
        struct rusm_scheduler_info one = parked_info(rt, i);
        sum.spawned += one.spawned;
        sum.finished += one.finished;
        sum.crashed += one.crashed;
        sum.messages += one.messages;
        sum.reductions += one.reductions;
        sum.switches += one.switches;
        sum.run_queue_len += one.run_queue_len;
    }
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.schedulers, 3);
    assert_int_equal(info.process_count, 0);
    assert_int_equal(info.spawned_outside, 10);
    assert_int_equal(sum.spawned, 20);
    assert_int_equal(sum.finished, 30);
    assert_int_equal(sum.crashed, 10);
    assert_int_equal(sum.messages, 10000);
    assert_int_equal(sum.run_queue_len, 0);
    assert_true(sum.reductions >= 20000);
    assert_true(sum.switches >= 30);
    assert_true(info.memory_bytes > 0);
    assert_true(info.uptime_ns > 0);
    rusm_runtime_destroy(rt);
}

static void scheduler_that_is_none_is_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct rusm_scheduler_info info = {.spawned = 77};
    assert_int_equal(rusm_scheduler_info(rt, 2, &info), RUSM_ERR_INVALID);
    assert_int_equal(rusm_scheduler_info(rt, UINT32_MAX, &info), RUSM_ERR_INVALID);
    assert_int_equal(info.spawned, 77);
    rusm_runtime_destroy(rt);
}

static void idle_schedulers_are_parked(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(parked_info(rt, i).parks > 0);
    }
    rusm_runtime_destroy(rt);
}

static void compute(void *arg) {
    volatile uint64_t *sum = arg;
    for (uint32_t i = 0; i < 5000000; i++) {
        *sum += i;
    }
    (void)rusm_receive();
}

static void cpu_time_is_charged_to_who_used_it(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    uint64_t sum = 0;
    rusm_pid lazy = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    await_wait(rt, lazy, RUSM_WAIT_RECEIVE);
    rusm_pid busy = spawn_fiber(rt, compute, &sum, NULL);
    await_wait(rt, busy, RUSM_WAIT_RECEIVE);
    AWAIT(info_of(rt, busy).cpu_ns > 0); /* charged when the next window closes */
    assert_true(info_of(rt, busy).cpu_ns >= info_of(rt, lazy).cpu_ns);
    rusm_runtime_destroy(rt);
}

static void churn(void *arg) {
    (void)arg;
    struct rusm_spawn_opts opts = {.label = "churned"};
    for (int i = 0; i < 2000; i++) {
        RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, &opts, NULL) == RUSM_OK);
        rusm_yield();
    }
}

static bool look(void *arg, rusm_pid pid) {
    rusm_runtime *rt = arg;
    struct rusm_process_info info;
    if (rusm_process_info(rt, pid, &info) == RUSM_OK) {
        assert_int_equal(info.pid.v, pid.v);
        assert_true(memchr(info.label, '\0', sizeof info.label) != NULL);
    }
    return true;
}

static void looking_disturbs_nobody(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    for (int i = 0; i < 4; i++) {
        (void)spawn_fiber(rt, churn, NULL, NULL);
    }
    struct rusm_runtime_info info;
    do {
        rusm_process_each(rt, look, rt);
        rusm_runtime_info(rt, &info);
    } while (info.process_count > 0);
    finish_runtime(rt);
}

/* ---- census ---- */

static void spawn_labelled(rusm_runtime *rt, const char *label, uint32_t count) {
    const struct rusm_spawn_opts opts = {.label = label};
    for (uint32_t i = 0; i < count; i++) {
        await_wait(rt, spawn_fiber(rt, wait_for_ever, NULL, &opts), RUSM_WAIT_RECEIVE);
    }
}

static void sleep_for_ever(void *arg) {
    (void)arg;
    rusm_sleep(RUSM_FOREVER);
}

static uint64_t sum_of(const uint64_t *counts, uint32_t len) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < len; i++) {
        sum += counts[i];
    }
    return sum;
}

static void a_census_counts_by_entry_and_label(void **state) {
    (void)state;
    static const struct rusm_supervisor spec = {.child_count = 0};
    rusm_runtime *rt = start_runtime(1);
    rusm_pid sup;
    assert_int_equal(rusm_supervisor_start(rt, &spec, &sup), RUSM_OK);
    await_wait(rt, sup, RUSM_WAIT_RECEIVE);
    spawn_labelled(rt, "a", 2);
    spawn_labelled(rt, "b", 3);
    spawn_labelled(rt, NULL, 4);
    rusm_pid sleeper = spawn_fiber(rt, sleep_for_ever, NULL, NULL);
    await_wait(rt, sleeper, RUSM_WAIT_SLEEP);
    assert_int_equal(rusm_post(rt, sleeper, "x", 1), RUSM_OK);
    struct rusm_process_info info;
    AWAIT(rusm_process_info(rt, sleeper, &info) == RUSM_OK && info.wait == RUSM_WAIT_SLEEP);
    struct rusm_census census;
    struct rusm_census_group groups[8];
    assert_int_equal(rusm_census(rt, RUSM_CENSUS_BY_ENTRY, &census, groups, 8), RUSM_OK);
    assert_int_equal(census.processes, 11);
    assert_int_equal(sum_of(census.by_kind, RUSM_KINDS), 11);
    assert_int_equal(sum_of(census.by_status, RUSM_PROCESS_STATUSES), 11);
    assert_int_equal(sum_of(census.by_wait, RUSM_WAITS), 11);
    assert_int_equal(census.by_kind[RUSM_KIND_SERVER], 1);
    assert_int_equal(census.by_status[RUSM_PROCESS_WAITING], 11);
    assert_int_equal(census.by_wait[RUSM_WAIT_SLEEP], 1);
    assert_int_equal(census.by_wait[RUSM_WAIT_RECEIVE], 10);
    assert_int_equal(census.supervisors, 1);
    assert_int_equal(census.mailbox_depth, 1);
    assert_int_equal(census.in_others, 0);
    assert_int_equal(census.group_count, 3);
    assert_int_equal(groups[0].processes, 9);
    assert_ptr_equal(groups[0].entry, (const void *)wait_for_ever);
    assert_string_equal(groups[0].label, "");
    assert_int_equal(rusm_census(rt, RUSM_CENSUS_BY_LABEL, &census, groups, 2), RUSM_OK);
    assert_int_equal(census.group_count, 2);
    assert_int_equal(groups[0].processes, 6); /* four, the sleeper, the supervisor */
    assert_string_equal(groups[0].label, "");
    assert_int_equal(groups[0].mailbox_depth, 1);
    assert_string_equal(groups[1].label, "b");
    assert_null(groups[1].entry);
    assert_int_equal(census.in_others, 2);
    assert_int_equal(rusm_census(rt, RUSM_CENSUS_BY_LABEL, &census, NULL, 0), RUSM_OK);
    assert_int_equal(census.in_others, 11);
    assert_int_equal(rusm_census(rt, (enum rusm_census_by)2, &census, NULL, 0), RUSM_ERR_INVALID);
    rusm_runtime_destroy(rt);
}

static void label_itself(void *arg) {
    char label[16];
    (void)snprintf(label, sizeof label, "%u", atomic_fetch_add((_Atomic uint32_t *)arg, 1));
    rusm_set_label(label);
    wait_for_ever(NULL);
}

static void more_labels_than_a_census_tells_apart(void **state) {
    (void)state;
    enum { LABELS = RUSM_CENSUS_GROUPS_MAX + 100 };
    static struct rusm_census_group groups[LABELS];
    struct rusm_census census;
    _Atomic uint32_t next = 0;
    rusm_runtime *rt = start_runtime(2);
    for (uint32_t i = 0; i < LABELS; i++) {
        (void)spawn_fiber(rt, label_itself, &next, NULL);
    }
    do {
        assert_int_equal(rusm_census(rt, RUSM_CENSUS_BY_LABEL, &census, groups, LABELS), RUSM_OK);
    } while (census.by_wait[RUSM_WAIT_RECEIVE] < LABELS); /* also while all changes */
    assert_int_equal(census.processes, LABELS);
    assert_int_equal(census.group_count, RUSM_CENSUS_GROUPS_MAX);
    assert_int_equal(census.in_others, 100);
    for (uint32_t i = 0; i < RUSM_CENSUS_GROUPS_MAX; i++) {
        assert_int_equal(groups[i].processes, 1);
    }
    rusm_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_info_tells_what_a_process_does),
        cmocka_unit_test(info_of_an_ended_process_is_refused),
        cmocka_unit_test(memory_counts_the_stack_in_use),
        cmocka_unit_test(each_living_process_is_visited_once_in_order),
        cmocka_unit_test(counters_of_all_schedulers_sum_up),
        cmocka_unit_test(scheduler_that_is_none_is_refused),
        cmocka_unit_test(idle_schedulers_are_parked),
        cmocka_unit_test(cpu_time_is_charged_to_who_used_it),
        cmocka_unit_test(looking_disturbs_nobody),
        cmocka_unit_test(a_census_counts_by_entry_and_label),
        cmocka_unit_test(more_labels_than_a_census_tells_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
