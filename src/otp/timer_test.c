/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Timers: order, intervals, cancelling from here and elsewhere, limits. */
#include "base/assert.h"
#include "base/clock.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NS_PER_MS 1000000u

static void run_body(rusm_fiber_fn body) {
    bool done = false;
    run_fiber(body, &done);
    assert_true(done);
}

static void arm_out_of_order(void *arg) {
    static const uint32_t delays[] = {70, 3, 0, 9, 1, 64, 65, 5, 2};
    uint64_t start_ns = clock_mono_ns();
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        RUSM_ASSERT(rusm_send_after(rusm_self(), delays[i], &delays[i], sizeof delays[i], NULL) ==
                    RUSM_OK);
    }
    uint32_t last = 0;
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        uint32_t delay_ms = *(const uint32_t *)rusm_receive()->data;
        RUSM_ASSERT(delay_ms >= last);
        RUSM_ASSERT(clock_mono_ns() - start_ns >= (uint64_t)delay_ms * NS_PER_MS);
        last = delay_ms;
    }
    *(bool *)arg = true;
}

static void timers_fire_in_order_and_never_early(void **state) {
    (void)state;
    run_body(arm_out_of_order);
}

static void sleep_a_bit(void *arg) {
    for (uint64_t ms = 0; ms < 5; ms++) {
        uint64_t start_ns = clock_mono_ns();
        rusm_sleep(ms);
        RUSM_ASSERT(clock_mono_ns() - start_ns >= ms * NS_PER_MS);
    }
    *(bool *)arg = true;
}

static void sleep_lasts_its_time(void **state) {
    (void)state;
    run_body(sleep_a_bit);
}

static void cancel_own(void *arg) {
    rusm_timer timer;
    uint64_t left_ms = 0;
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1000000, "x", 1, &timer) == RUSM_OK);
    RUSM_ASSERT(rusm_cancel_timer(timer, &left_ms) == RUSM_OK);
    RUSM_ASSERT(left_ms > 900000 && left_ms <= 1000001);
    left_ms = 77;
    RUSM_ASSERT(rusm_cancel_timer(timer, &left_ms) == RUSM_ERR_NO_TIMER);
    RUSM_ASSERT(left_ms == 77);
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1, "y", 1, NULL) == RUSM_OK);
    RUSM_ASSERT(*(const char *)rusm_receive()->data == 'y');
    *(bool *)arg = true;
}

static void cancelled_timer_tells_the_time_left(void **state) {
    (void)state;
    run_body(cancel_own);
}

static void cancel_late(void *arg) {
    rusm_timer timer;
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1, "x", 1, &timer) == RUSM_OK);
    (void)rusm_receive();
    RUSM_ASSERT(rusm_cancel_timer(timer, NULL) == RUSM_ERR_NO_TIMER);
    /* Nor does it reach the next timer in the same place of the table. */
    rusm_timer next;
    RUSM_ASSERT(rusm_send_after(rusm_self(), 2, "y", 1, &next) == RUSM_OK);
    RUSM_ASSERT(next.v != timer.v);
    RUSM_ASSERT(rusm_cancel_timer(timer, NULL) == RUSM_ERR_NO_TIMER);
    RUSM_ASSERT(*(const char *)rusm_receive()->data == 'y');
    const uint64_t never[] = {0, 1, UINT64_MAX, next.v + 1, next.v ^ (uint64_t)1 << 40};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        RUSM_ASSERT(rusm_cancel_timer((rusm_timer){never[i]}, NULL) == RUSM_ERR_NO_TIMER);
    }
    *(bool *)arg = true;
}

static void fired_and_forged_timers_cannot_be_cancelled(void **state) {
    (void)state;
    run_body(cancel_late);
}

static void tick_five_times(void *arg) {
    rusm_timer timer;
    uint64_t start_ns = clock_mono_ns();
    RUSM_ASSERT(rusm_send_interval(rusm_self(), 2, "t", 1, &timer) == RUSM_OK);
    for (uint64_t i = 1; i <= 5; i++) {
        RUSM_ASSERT(rusm_receive()->len == 1);
        RUSM_ASSERT(clock_mono_ns() - start_ns >= 2 * i * NS_PER_MS);
    }
    RUSM_ASSERT(rusm_cancel_timer(timer, NULL) == RUSM_OK);
    while (rusm_receive_timeout(0)) {
        /* what was sent before */
    }
    RUSM_ASSERT(!rusm_receive_timeout(6));
    RUSM_ASSERT(rusm_cancel_timer(timer, NULL) == RUSM_ERR_NO_TIMER);
    *(bool *)arg = true;
}

static void interval_repeats_until_it_is_cancelled(void **state) {
    (void)state;
    run_body(tick_five_times);
}

/* Arms on one scheduler for a canceller that, while this one is busy, runs on another. */
struct elsewhere {
    rusm_timer timers[100];
    uint32_t home;
    _Atomic uint32_t phase;
};

static uint32_t here(void) {
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    return info.scheduler;
}

static void arm_hundred(void *arg) {
    struct elsewhere *e = arg;
    for (int i = 0; i < 100; i++) {
        RUSM_ASSERT(rusm_send_after(rusm_self(), 1000000, "x", 1, &e->timers[i]) == RUSM_OK);
    }
    e->home = here();
    atomic_store_explicit(&e->phase, 1, memory_order_release);
    /* Hold the scheduler, so that the timers are cancelled elsewhere. */
    AWAIT(atomic_load_explicit(&e->phase, memory_order_acquire) == 2);
    RUSM_ASSERT(!rusm_receive_timeout(1));
}

static void cancel_hundred(void *arg) {
    struct elsewhere *e = arg;
    while (atomic_load_explicit(&e->phase, memory_order_acquire) != 1) {
        rusm_yield();
    }
    RUSM_ASSERT(here() != e->home);
    for (int i = 0; i < 100; i++) {
        uint64_t left_ms = 0;
        RUSM_ASSERT(rusm_cancel_timer(e->timers[i], &left_ms) == RUSM_OK);
        RUSM_ASSERT(left_ms > 900000);
        RUSM_ASSERT(rusm_cancel_timer(e->timers[i], NULL) == RUSM_ERR_NO_TIMER);
    }
    atomic_store_explicit(&e->phase, 2, memory_order_release);
}

static void timers_are_cancelled_from_another_scheduler(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct elsewhere e = {.phase = 0};
    (void)spawn_fiber(rt, arm_hundred, &e, NULL);
    (void)spawn_fiber(rt, cancel_hundred, &e, NULL);
    rusm_runtime_wait_idle(rt);
    struct rusm_scheduler_info info;
    assert_int_equal(rusm_scheduler_info(rt, e.home, &info), RUSM_OK);
    assert_int_equal(info.timers, 0);
    rusm_runtime_destroy(rt);
}

static void fill_timers(void *arg) {
    rusm_timer timers[3];
    rusm_timer more = {77};
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_send_after(rusm_self(), 1000000, "x", 1, &timers[i]) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1, "x", 1, &more) == RUSM_ERR_TIMER_LIMIT);
    RUSM_ASSERT(rusm_send_interval(rusm_self(), 1, "x", 1, &more) == RUSM_ERR_TIMER_LIMIT);
    RUSM_ASSERT(more.v == 77);
    RUSM_ASSERT(rusm_cancel_timer(timers[1], NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1, "x", 1, NULL) == RUSM_OK);
    (void)rusm_receive();
    RUSM_ASSERT(!rusm_receive_timeout(1));
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1000000, "x", 1, NULL) == RUSM_OK);
    *(bool *)arg = true;
    (void)rusm_receive_timeout(1); /* no timer is left to end this wait: the process must */
    *(bool *)arg = false;
}

static void timer_limit_refuses_timers_and_ends_waits(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.timers_max = 3;
    rusm_runtime *rt = start_configured(&config);
    bool filled = false;
    struct exit_record record = {.count = 0};
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    (void)spawn_fiber(rt, fill_timers, &filled, &opts);
    finish_runtime(rt);
    assert_true(filled);
    assert_int_equal(record.kind, RUSM_EXIT_LIMIT);
    assert_true(record.payload_bytes > 0);
}

static void arm_and_end(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    char bytes[100] = {'h'};
    RUSM_ASSERT(rusm_send_after(to, 2, bytes, sizeof bytes, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1, bytes, sizeof bytes, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_send_interval(rusm_self(), 1, bytes, sizeof bytes, NULL) == RUSM_OK);
}

static void let_child_arm(void *arg) {
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_spawn(NULL, arm_and_end, &self, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_receive()->len == 100);
    *(bool *)arg = true;
}

static void timer_outlives_its_maker_and_firing_at_the_dead_is_nothing(void **state) {
    (void)state;
    run_body(let_child_arm);
}

static void armed_timers_of_a_destroyed_runtime_are_freed(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid self = {0};
    (void)spawn_fiber(rt, arm_and_end, &self, NULL);
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
}

static void arm_longest(void *arg) {
    rusm_timer timer;
    uint64_t left_ms;
    RUSM_ASSERT(rusm_send_after(rusm_self(), UINT64_MAX, "x", 1, &timer) == RUSM_OK);
    RUSM_ASSERT(!rusm_receive_timeout(3));
    RUSM_ASSERT(rusm_cancel_timer(timer, &left_ms) == RUSM_OK);
    RUSM_ASSERT(left_ms <= RUSM_TIMER_MS_MAX + 1 && left_ms > RUSM_TIMER_MS_MAX - 1000000);
    RUSM_ASSERT(rusm_send_interval(rusm_self(), UINT64_MAX, "x", 1, &timer) == RUSM_OK);
    RUSM_ASSERT(rusm_cancel_timer(timer, NULL) == RUSM_OK);
    *(bool *)arg = true;
}

static void longer_times_are_cut_to_the_longest(void **state) {
    (void)state;
    run_body(arm_longest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_never_early),
        cmocka_unit_test(sleep_lasts_its_time),
        cmocka_unit_test(cancelled_timer_tells_the_time_left),
        cmocka_unit_test(fired_and_forged_timers_cannot_be_cancelled),
        cmocka_unit_test(interval_repeats_until_it_is_cancelled),
        cmocka_unit_test(timers_are_cancelled_from_another_scheduler),
        cmocka_unit_test(timer_limit_refuses_timers_and_ends_waits),
        cmocka_unit_test(timer_outlives_its_maker_and_firing_at_the_dead_is_nothing),
        cmocka_unit_test(armed_timers_of_a_destroyed_runtime_are_freed),
        cmocka_unit_test(longer_times_are_cut_to_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
