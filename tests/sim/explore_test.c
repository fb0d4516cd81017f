/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Small programs under every schedule with up to three unforced switches. Processes spawned from
 * outside go to the schedulers in turn, so that those that race are on different ones.
 */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES 2u

/* What a run leaves behind; zeroed before each by its program. */
struct world {
    rusm_runtime *rt;
    rusm_pid a;
    rusm_pid b;
    rusm_timer timer;
    uint32_t got[2];
    uint32_t received;
    uint32_t ended;
    uint32_t killed;
    enum rusm_err err;
    enum rusm_err second_err;
    bool granted;
    bool wrong;
};

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct world *w = arg;
    (void)pid;
    w->ended++;
    w->killed += reason->kind == RUSM_EXIT_KILLED;
}

static void spawn(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = w};
    enum rusm_err err = rusm_spawn(w->rt, fn, w, &opts, out);
    w->wrong |= err != RUSM_OK;
}

static void begin(rusm_runtime *rt, struct world *w) {
    *w = (struct world){.rt = rt};
}

static bool at_rest(const struct world *w, const struct sim_result *result, uint32_t processes) {
    return !w->wrong && !result->stuck && result->process_count == 0 && w->ended == processes;
}

static void explore(const char *name, sim_program program, sim_check check) {
    struct world world;
    assert_true(explore_passes(name, program, check, &world));
}

/* ---- two senders, one receiver ---- */

static void send_numbers(struct world *w, uint32_t sender) {
    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t message[2] = {sender, i};
        w->wrong |= rusm_send(w->a, message, sizeof message) != RUSM_OK;
    }
}

static void first_sender(void *arg) {
    send_numbers(arg, 0);
}

static void second_sender(void *arg) {
    send_numbers(arg, 1);
}

static void receive_numbers(void *arg) {
    struct world *w = arg;
    for (uint32_t i = 0; i < 2 * MESSAGES; i++) {
        const uint32_t *message = rusm_receive()->data;
        w->wrong |= message[1] != w->got[message[0]]++;
        w->received++;
    }
}

static void two_senders(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, receive_numbers, &w->a);
    spawn(w, first_sender, NULL);
    spawn(w, second_sender, NULL);
}

static bool all_numbers_received(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) && w->received == 2 * MESSAGES;
}

static void two_senders_reach_one_receiver_in_order(void **state) {
    (void)state;
    explore("two senders", two_senders, all_numbers_received);
}

/* ---- a time limit against a message ---- */

static void receive_in_time(void *arg) {
    struct world *w = arg;
    if (rusm_receive_timeout(3)) {
        w->received++;
        return;
    }
    /* The message comes later, and a late TIMEOUT must not end this wait. */
    w->got[0]++;
    (void)rusm_receive();
    w->received++;
}

static void send_one(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_send(w->a, "x", 1) != RUSM_OK;
}

static void timeout_race(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, receive_in_time, &w->a);
    spawn(w, send_one, NULL);
}

static bool one_received(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->received == 1;
}

static void message_is_received_in_time_or_later(void **state) {
    (void)state;
    explore("time limit and message", timeout_race, one_received);
}

/* To a process that may have ended. */
static void try_two_sends(void *arg) {
    struct world *w = arg;
    w->err = rusm_send(w->a, "x", 1);
    w->second_err = rusm_send(w->a, "x", 1);
}

/* A time limit that has passed ends the wait it was set for and no other. */
static void receive_twice(void *arg) {
    struct world *w = arg;
    w->received += rusm_receive_timeout(2) != NULL;
    uint64_t before_ms = sim_now_ms(w->rt);
    if (rusm_receive_timeout(5)) {
        w->received++;
    } else {
        w->wrong |= sim_now_ms(w->rt) - before_ms < 5;
    }
}

static void timeout_twice(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, receive_twice, &w->a);
    spawn(w, try_two_sends, NULL);
}

static bool two_ended(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->received <= 2;
}

static void late_timeout_does_not_end_the_next_wait(void **state) {
    (void)state;
    explore("late timeout", timeout_twice, two_ended);
}

/* ---- kill ---- */

static void receive_for_ever(void *arg) {
    struct world *w = arg;
    for (;;) {
        (void)rusm_receive();
        w->received++;
    }
}

static void kill_a(void *arg) {
    struct world *w = arg;
    w->granted = rusm_kill(NULL, w->a);
}

static void kill_waiting(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, receive_for_ever, &w->a);
    spawn(w, kill_a, NULL);
}

static bool was_killed(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->granted && w->killed == 1;
}

static void kill_ends_a_process_that_begins_to_wait(void **state) {
    (void)state;
    explore("kill and wait", kill_waiting, was_killed);
}

static void kill_and_send(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, receive_for_ever, &w->a);
    spawn(w, kill_a, NULL);
    spawn(w, try_two_sends, NULL);
}

static bool killed_and_sender_told(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    /* Once a send was refused, the next one is, too. */
    bool sends = w->err == RUSM_OK ? w->second_err == RUSM_OK || w->second_err == RUSM_ERR_NOPROC
                                   : w->err == RUSM_ERR_NOPROC && w->second_err == RUSM_ERR_NOPROC;
    return at_rest(w, result, 3) && w->killed == 1 && sends && w->received <= 2;
}

static void kill_races_sends(void **state) {
    (void)state;
    explore("kill and send", kill_and_send, killed_and_sender_told);
}

/* ---- a stale pid and the successor in its slot ---- */

static void brief(void *arg) {
    (void)arg;
}

static void successor(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_receive_timeout(0) != NULL;
    rusm_yield();
    w->wrong |= rusm_receive_timeout(0) != NULL;
}

static void spawn_successor(void *arg) {
    struct world *w = arg;
    spawn(w, brief, &w->a);
    rusm_yield(); /* it ends, and its slot is the next one taken */
    spawn(w, successor, &w->b);
    w->got[0] = (w->a.v & 0xffffff) == (w->b.v & 0xffffff);
}

static void send_to_stale(void *arg) {
    struct world *w = arg;
    rusm_pid stale = w->a;
    if (stale.v != 0) {
        (void)rusm_send(stale, "x", 1);
    }
}

static void slot_reuse(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, spawn_successor, NULL);
    spawn(w, send_to_stale, NULL);
}

static bool successor_untouched(void *arg, const struct sim_result *result) {
    return at_rest(arg, result, 4);
}

static void stale_pid_does_not_reach_the_successor(void **state) {
    (void)state;
    explore("slot reuse", slot_reuse, successor_untouched);
}

/* ---- held senders ---- */

static void spawn_holding(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    struct rusm_spawn_opts opts = {
        .mailbox_len_max = 1, .mailbox_hold = true, .on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, out) != RUSM_OK;
}

static void receive_two(void *arg) {
    struct world *w = arg;
    for (int i = 0; i < 2; i++) {
        (void)rusm_receive();
        w->received++;
    }
}

static void send_two(void *arg) {
    struct world *w = arg;
    w->err = rusm_send(w->a, "x", 1);
    w->second_err = rusm_send(w->a, "y", 1);
}

static void hold_and_resume(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn_holding(w, receive_two, &w->a);
    spawn(w, send_two, NULL);
}

static bool two_received(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->received == 2 && w->err == RUSM_OK &&
           w->second_err == RUSM_OK;
}

static void held_sender_goes_on_when_there_is_room(void **state) {
    (void)state;
    explore("hold and resume", hold_and_resume, two_received);
}

static void receive_three(void *arg) {
    receive_two(arg);
    struct world *w = arg;
    (void)rusm_receive();
    w->received++;
}

static void two_held(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn_holding(w, receive_three, &w->a);
    spawn(w, send_two, NULL);
    spawn(w, send_one, NULL);
}

static bool three_received(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) && w->received == 3;
}

static void all_held_senders_go_on(void **state) {
    (void)state;
    explore("two held senders", two_held, three_received);
}

static void receive_one(void *arg) {
    struct world *w = arg;
    (void)rusm_receive();
    w->received++;
}

static void hold_and_death(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn_holding(w, receive_one, &w->a);
    spawn(w, send_two, NULL);
}

static bool sender_released(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->received == 1 && w->err == RUSM_OK;
}

static void receivers_death_releases_held_senders(void **state) {
    (void)state;
    explore("hold and death of the receiver", hold_and_death, sender_released);
}

static void kill_b(void *arg) {
    struct world *w = arg;
    (void)rusm_kill(NULL, w->b);
}

static void killed_while_held(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn_holding(w, receive_one, &w->a);
    spawn(w, send_two, &w->b);
    spawn(w, kill_b, NULL);
    (void)rusm_post(rt, w->a, "z", 1); /* so that the receiver ends in any case */
}

static bool three_ended(void *arg, const struct sim_result *result) {
    return at_rest(arg, result, 3);
}

static void held_sender_can_be_killed(void **state) {
    (void)state;
    explore("hold and death of the sender", killed_while_held, three_ended);
}

/* ---- timers ---- */

static void arm_and_wait(void *arg) {
    struct world *w = arg;
    rusm_timer timer;
    w->wrong |= rusm_send_after(rusm_self(), 2, "t", 1, &timer) != RUSM_OK;
    w->timer = timer;
    while (rusm_receive_timeout(10)) {
        w->received++;
    }
}

static void cancel_elsewhere(void *arg) {
    struct world *w = arg;
    w->err = RUSM_ERR_NO_TIMER;
    for (int i = 0; i < 2 && w->timer.v == 0; i++) {
        rusm_sleep(1);
    }
    if (w->timer.v != 0) {
        w->err = rusm_cancel_timer(w->timer, NULL);
        w->second_err = rusm_cancel_timer(w->timer, NULL);
    }
}

static void cancel_race(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, arm_and_wait, &w->a);
    spawn(w, cancel_elsewhere, NULL);
}

static bool fired_or_cancelled(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->received == (w->err == RUSM_ERR_NO_TIMER ? 1 : 0) &&
           w->second_err != (w->timer.v && w->err == RUSM_OK ? RUSM_OK : RUSM_ERR_COUNT);
}

static void timer_fires_or_is_cancelled(void **state) {
    (void)state;
    explore("cancel and fire", cancel_race, fired_or_cancelled);
}

static void count_ticks(void *arg) {
    struct world *w = arg;
    rusm_timer timer;
    w->wrong |= rusm_send_interval(rusm_self(), 1, "t", 1, &timer) != RUSM_OK;
    w->timer = timer;
    while (rusm_receive_timeout(5)) {
        w->received++;
    }
}

static void cancel_interval(void *arg) {
    struct world *w = arg;
    while (w->timer.v == 0) {
        rusm_sleep(1);
    }
    w->err = rusm_cancel_timer(w->timer, NULL);
    /* No more than what is there now may be received after. */
    struct rusm_process_info info = {.mailbox_depth = 0};
    (void)rusm_process_info(w->rt, w->a, &info); /* NOPROC: it receives no more anyway */
    w->got[0] = w->received + (uint32_t)info.mailbox_depth;
}

static void interval_race(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, count_ticks, &w->a);
    spawn(w, cancel_interval, NULL);
}

static bool interval_over(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->err == RUSM_OK && w->received <= w->got[0];
}

static void interval_ends_when_cancelled_elsewhere(void **state) {
    (void)state;
    explore("cancel of an interval", interval_race, interval_over);
}

/* ---- names ---- */

static void own_and_end(void *arg) {
    struct world *w = arg;
    w->err = rusm_register(NULL, "n", rusm_self());
}

static void own_until_told(void *arg) {
    struct world *w = arg;
    do {
        w->second_err = rusm_register(NULL, "n", rusm_self());
        rusm_sleep(1);
    } while (w->second_err == RUSM_ERR_NAME_TAKEN && w->ended == 0);
    if (w->second_err == RUSM_ERR_NAME_TAKEN) {
        /* The first has ended: its name is free. */
        w->second_err = rusm_register(NULL, "n", rusm_self());
    }
    /* Nobody takes it away after. */
    w->wrong |= w->second_err == RUSM_OK && rusm_whereis(NULL, "n").v != rusm_self().v;
}

static void names_race(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, own_and_end, &w->a);
    spawn(w, own_until_told, &w->b);
}

static bool name_passed_on(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->second_err == RUSM_OK &&
           (w->err == RUSM_OK || w->err == RUSM_ERR_NAME_TAKEN);
}

static void name_is_free_after_its_owners_death(void **state) {
    (void)state;
    explore("name and death", names_race, name_passed_on);
}

static void register_other(void *arg) {
    struct world *w = arg;
    w->err = rusm_register(NULL, "n", w->a);
    while (rusm_is_alive(NULL, w->a)) {
        rusm_sleep(1);
    }
    w->wrong |= rusm_whereis(NULL, "n").v != 0;
}

static void name_for_dying(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, brief, &w->a);
    spawn(w, register_other, NULL);
}

static bool name_not_of_the_dead(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && (w->err == RUSM_OK || w->err == RUSM_ERR_NOPROC);
}

static void name_given_to_a_dying_process_is_free(void **state) {
    (void)state;
    explore("name for a dying process", name_for_dying, name_not_of_the_dead);
}

/* ---- stealing ---- */

static void yield_once(void *arg) {
    struct world *w = arg;
    rusm_yield();
    w->received++;
}

static void spawn_three(void *arg) {
    for (int i = 0; i < 3; i++) {
        spawn(arg, yield_once, NULL);
    }
}

static void stealing(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, spawn_three, NULL);
}

static bool all_ran_once(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 4) && w->received == 3;
}

static void stolen_processes_run_once(void **state) {
    (void)state;
    explore("stealing", stealing, all_ran_once);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_senders_reach_one_receiver_in_order),
        cmocka_unit_test(message_is_received_in_time_or_later),
        cmocka_unit_test(late_timeout_does_not_end_the_next_wait),
        cmocka_unit_test(kill_ends_a_process_that_begins_to_wait),
        cmocka_unit_test(kill_races_sends),
        cmocka_unit_test(stale_pid_does_not_reach_the_successor),
        cmocka_unit_test(held_sender_goes_on_when_there_is_room),
        cmocka_unit_test(all_held_senders_go_on),
        cmocka_unit_test(receivers_death_releases_held_senders),
        cmocka_unit_test(held_sender_can_be_killed),
        cmocka_unit_test(timer_fires_or_is_cancelled),
        cmocka_unit_test(interval_ends_when_cancelled_elsewhere),
        cmocka_unit_test(name_is_free_after_its_owners_death),
        cmocka_unit_test(name_given_to_a_dying_process_is_free),
        cmocka_unit_test(stolen_processes_run_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
