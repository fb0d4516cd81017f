/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The races of links, monitors, names and calls, under every schedule of small programs, and which
 * outcomes they may have. A race is only one if both outcomes occur: that is checked, too.
 */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What a run leaves behind; zeroed before each by its program, but for `outcomes`. */
struct world {
    rusm_runtime *rt;
    rusm_pid a;
    rusm_pid b;
    rusm_pid c;
    enum rusm_err err;
    enum rusm_exit_kind a_ended_as;
    uint32_t told;
    uint32_t granted;
    uint32_t ended;
    uint32_t links;
    bool went_on;
    bool wrong;
    uint32_t outcomes; /* bits, of all runs */
};

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct world *w = arg;
    w->ended++;
    if (pid.v == w->a.v) {
        w->a_ended_as = reason->kind;
    }
}

static void begin(rusm_runtime *rt, struct world *w) {
    *w = (struct world){.rt = rt, .outcomes = w->outcomes};
}

static void spawn(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, out) != RUSM_OK;
}

static bool at_rest(const struct world *w, const struct sim_result *result, uint32_t processes) {
    return !w->wrong && !result->stuck && result->process_count == 0 && w->ended == processes;
}

/* Explore; in the end exactly these outcomes must have occurred. */
static void explore(const char *name, sim_program program, sim_check check, uint32_t outcomes) {
    struct world w = {.outcomes = 0};
    assert_true(explore_passes(name, program, check, &w));
    assert_int_equal(w.outcomes, outcomes);
}

static void end_with_error(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

/* The same, but it handles what came in time. */
static void yield_and_end_with_error(void *arg) {
    rusm_yield();
    end_with_error(arg);
}

static void kill_a(void *arg) {
    (void)rusm_kill(NULL, ((struct world *)arg)->a);
}

static void kill_b(void *arg) {
    (void)rusm_kill(NULL, ((struct world *)arg)->b);
}

/* Messages that still come. */
static uint32_t rest_of_messages(void) {
    uint32_t count = 0;
    while (rusm_receive_timeout(5)) {
        count++;
    }
    return count;
}

/* ---- link against exit, of one that does not trap ---- */

static void link_and_wait(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    (void)rusm_receive();
}

static void link_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, yield_and_end_with_error, &w->b);
    spawn(w, link_and_wait, &w->a);
}

static bool died_of_it(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    bool noproc = w->a_ended_as == RUSM_EXIT_NOPROC;
    w->outcomes |= noproc ? 1 : 2;
    return at_rest(w, result, 2) && (noproc || w->a_ended_as == RUSM_EXIT_ERROR);
}

static void a_link_against_an_exit_is_one_death(void **state) {
    (void)state;
    explore("link against exit", link_and_exit, died_of_it, 3);
}

/* ---- unlink against exit, of one that does not trap ---- */

static void link_late_and_unlink(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    rusm_yield();
    rusm_unlink(w->b);
    w->went_on = true; /* from here on it cannot die of it */
    (void)rest_of_messages();
}

static void unlink_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, end_with_error, &w->b);
    spawn(w, link_late_and_unlink, &w->a);
}

static bool died_before_or_lived_on(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->went_on ? 1 : 2;
    return at_rest(w, result, 2) && w->went_on == (w->a_ended_as == RUSM_EXIT_NORMAL);
}

static void who_has_unlinked_does_not_die_of_it(void **state) {
    (void)state;
    explore("unlink against exit", unlink_and_exit, died_before_or_lived_on, 3);
}

/* ---- unlink against link ---- */

/* Exchange messages with the other one: what was sent before has been handled after a round, and
 * its answers after another. */
static void settle(rusm_pid other) {
    for (int round = 0; round < 3; round++) {
        (void)rusm_send(other, "", 0);
        (void)rusm_receive();
    }
}

static bool is_down(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    return msg->kind == RUSM_MSG_DOWN;
}

/* Until all the news of a's end is in the mailboxes. */
static void await_end_of_a(const struct world *w) {
    while (rusm_is_alive(NULL, w->a)) {
        rusm_sleep(1);
    }
}

/* Wait for the end of `a`, and count the exit signals from it. */
static void hear_of_a(struct world *w) {
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->a, &ref) != RUSM_OK;
    (void)rusm_receive_match(is_down, NULL, RUSM_FOREVER);
    await_end_of_a(w);
    struct rusm_msg *msg;
    while ((msg = rusm_receive_timeout(0))) {
        w->told++;
        w->wrong |= msg->kind != RUSM_MSG_EXIT || rusm_msg_down(msg)->pid.v != w->a.v;
    }
}

static void link_with_a(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    rusm_yield(); /* hear of a's link and unlink, perhaps */
    w->wrong |= rusm_link(w->a) != RUSM_OK;
    settle(w->a);
    hear_of_a(w);
}

/* Both ends must agree on whether they are linked; then one dies. */
static void compare_and_fail(struct world *w) {
    struct rusm_process_info mine;
    struct rusm_process_info others;
    settle(w->b);
    w->wrong |= rusm_process_info(NULL, w->a, &mine) != RUSM_OK;
    w->wrong |= rusm_process_info(NULL, w->b, &others) != RUSM_OK;
    w->wrong |= mine.links != others.links || mine.links > 1;
    w->links = mine.links;
    end_with_error(w);
}

static void link_and_unlink(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    rusm_unlink(w->b);
    compare_and_fail(w);
}

static void unlink_and_link(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, link_with_a, &w->b);
    spawn(w, link_and_unlink, &w->a);
}

static bool told_if_linked(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->links ? 1 : 2;
    return at_rest(w, result, 2) && w->told == w->links;
}

static void unlink_against_link_leaves_both_of_one_mind(void **state) {
    (void)state;
    explore("unlink against link", unlink_and_link, told_if_linked, 3);
}

/* The answer to the first unlink must not be taken for the second one's. */
static void link_and_unlink_twice(void *arg) {
    struct world *w = arg;
    for (int i = 0; i < 2; i++) {
        w->wrong |= rusm_link(w->b) != RUSM_OK;
        rusm_unlink(w->b);
    }
    rusm_yield(); /* hear the first answer, perhaps */
    compare_and_fail(w);
}

static void unlink_twice_and_link(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, link_with_a, &w->b);
    spawn(w, link_and_unlink_twice, &w->a);
}

static void two_unlinks_against_link_leave_both_of_one_mind(void **state) {
    (void)state;
    explore("two unlinks against link", unlink_twice_and_link, told_if_linked, 3);
}

static void link_unlink_link(void *arg) {
    struct world *w = arg;
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    rusm_unlink(w->b);
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    compare_and_fail(w);
}

static void unlink_with_a(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    rusm_yield(); /* hear of the first link, perhaps */
    rusm_unlink(w->a);
    settle(w->a);
    hear_of_a(w);
}

static void relink_and_unlink(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, unlink_with_a, &w->b);
    spawn(w, link_unlink_link, &w->a);
}

static void relink_against_unlink_leaves_both_of_one_mind(void **state) {
    (void)state;
    explore("relink against unlink", relink_and_unlink, told_if_linked, 3);
}

static void relink_and_trap(void *arg) {
    struct world *w = arg;
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    rusm_unlink(w->b);
    if (rusm_receive_timeout(0)) { /* it came in time, before the unlink */
        w->told++;
    }
    w->wrong |= rusm_link(w->b) != RUSM_OK;
    w->wrong |= rusm_receive()->kind != RUSM_MSG_EXIT;
    w->wrong |= rest_of_messages() != 0;
}

static void relink_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, end_with_error, &w->b);
    spawn(w, relink_and_trap, &w->a);
}

static bool two_at_rest(void *arg, const struct sim_result *result) {
    return at_rest(arg, result, 2);
}

static void a_link_made_again_tells_once(void **state) {
    (void)state;
    explore("relink against exit", relink_and_exit, two_at_rest, 0);
}

/* ---- demonitor without flush against exit ---- */

static void monitor_and_demonitor(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->b, &ref) != RUSM_OK;
    rusm_yield();
    bool was_there = rusm_demonitor(ref, false);
    w->told = rest_of_messages();
    w->wrong |= w->told != !was_there;
}

static void demonitor_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, end_with_error, &w->b);
    spawn(w, monitor_and_demonitor, &w->a);
}

static bool told_or_not(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->told ? 1 : 2;
    return at_rest(w, result, 2) && w->told <= 1;
}

static void demonitor_says_whether_a_down_comes(void **state) {
    (void)state;
    explore("demonitor against exit", demonitor_and_exit, told_or_not, 3);
}

static void monitor_and_flush(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->b, &ref) != RUSM_OK;
    rusm_yield();
    struct rusm_process_info info;
    w->wrong |= rusm_process_info(NULL, w->a, &info) != RUSM_OK;
    w->links = info.monitors; /* 0: its DOWN waits in the mailbox */
    w->wrong |= !rusm_demonitor(ref, true);
    w->wrong |= rusm_demonitor(ref, true);
    w->wrong |= rest_of_messages() != 0;
}

static void flush_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, end_with_error, &w->b);
    spawn(w, monitor_and_flush, &w->a);
}

static bool flushed_or_in_time(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->links ? 1 : 2;
    return at_rest(w, result, 2);
}

static void flush_leaves_no_down_behind(void **state) {
    (void)state;
    explore("demonitor flush against exit", flush_and_exit, flushed_or_in_time, 3);
}

/* ---- trap_exit against an exit signal ---- */

static void begin_to_trap(void *arg) {
    struct world *w = arg;
    rusm_yield();
    (void)rusm_trap_exit(true);
    w->wrong |= rusm_receive()->kind != RUSM_MSG_EXIT;
    w->wrong |= rest_of_messages() != 0;
    w->told = 1;
}

static void send_exit_to_b(void *arg) {
    struct world *w = arg;
    w->wrong |= !rusm_send_exit(w->b, &(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void trap_and_exit(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, begin_to_trap, &w->b);
    spawn(w, send_exit_to_b, &w->a);
}

static void a_signal_is_trapped_or_ends(void **state) {
    (void)state;
    explore("trap against exit signal", trap_and_exit, told_or_not, 3);
}

/* ---- name release against register ---- */

static void take_name(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    enum rusm_err err = rusm_register(NULL, "name", rusm_self());
    w->outcomes |= err == RUSM_OK ? 1 : 2;
    w->wrong |= err != RUSM_OK && err != RUSM_ERR_NAME_TAKEN;
    if (err != RUSM_OK) {
        /* Whoever has heard of its end finds the name free. */
        w->wrong |= rusm_monitor(w->b, &ref) != RUSM_OK;
        (void)rusm_receive();
        w->wrong |= rusm_register(NULL, "name", rusm_self()) != RUSM_OK;
    }
    w->wrong |= rusm_whereis(NULL, "name").v != rusm_self().v;
    rusm_sleep(5);
    w->wrong |= rusm_whereis(NULL, "name").v != rusm_self().v;
}

static void release_and_register(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    const struct rusm_spawn_opts opts = {.name = "name", .on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(rt, end_with_error, w, &opts, &w->b) != RUSM_OK;
    spawn(w, take_name, &w->a);
}

static void a_released_name_can_be_taken(void **state) {
    (void)state;
    explore("name release against register", release_and_register, two_at_rest, 3);
}

/* Two want it: one at most gets it, and whoever has got it is who has it. */
static void compete(struct world *w, rusm_pid other) {
    rusm_pid self = rusm_self();
    bool mine = rusm_register(NULL, "name", self) == RUSM_OK;
    w->granted += mine;
    settle(other);
    w->wrong |= (rusm_whereis(NULL, "name").v == self.v) != mine;
    w->wrong |= w->granted > 1;
    settle(other);
}

static void compete_with_c(void *arg) {
    compete(arg, ((struct world *)arg)->c);
}

static void compete_with_a(void *arg) {
    compete(arg, ((struct world *)arg)->a);
}

static void three_and_a_name(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    const struct rusm_spawn_opts opts = {.name = "name", .on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(rt, end_with_error, w, &opts, &w->b) != RUSM_OK;
    spawn(w, compete_with_c, &w->a);
    spawn(w, compete_with_a, &w->c);
}

static bool one_or_none(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->granted ? 1 : 2;
    return at_rest(w, result, 3) && w->granted <= 1;
}

static void one_of_two_gets_a_released_name(void **state) {
    (void)state;
    explore("two for a name", three_and_a_name, one_or_none, 3);
}

/* ---- call reply against timeout, and against ends ---- */

static void call_b(struct world *w, uint64_t timeout_ms) {
    struct rusm_msg *reply = NULL;
    w->err = rusm_call(w->b, "q", 1, timeout_ms, &reply);
    w->wrong |= (w->err == RUSM_OK) != (reply != NULL);
    w->wrong |= reply && (reply->kind != RUSM_MSG_REPLY || *(const char *)reply->data != 'a');
    w->outcomes |= 1u << w->err;
    w->wrong |= rest_of_messages() != 0; /* no late reply, no DOWN */
    struct rusm_process_info info;
    w->wrong |= rusm_process_info(NULL, rusm_self(), &info) != RUSM_OK || info.monitors != 0;
}

static void call_in_time(void *arg) {
    call_b(arg, 2);
}

static void call_for_ever(void *arg) {
    call_b(arg, RUSM_FOREVER);
}

static void answer_once(void *arg) {
    struct world *w = arg;
    struct rusm_from from = rusm_msg_from(rusm_receive());
    enum rusm_err err = rusm_reply(from, "a", 1);
    w->wrong |= err != RUSM_OK && err != RUSM_ERR_NOPROC;
}

static void answer_slowly(void *arg) {
    struct rusm_from from = rusm_msg_from(rusm_receive());
    rusm_sleep(2);
    (void)rusm_reply(from, "a", 1);
    (void)rusm_reply(from, "b", 1);
    (void)arg;
}

static void answer_never(void *arg) {
    (void)arg;
    (void)rusm_receive();
}

static void call_and_timeout(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, answer_slowly, &w->b);
    spawn(w, call_in_time, &w->a);
}

static void a_call_is_answered_or_times_out(void **state) {
    (void)state;
    explore("call against timeout", call_and_timeout, two_at_rest,
            1u << RUSM_OK | 1u << RUSM_ERR_TIMEOUT);
}

static void call_and_answer(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, answer_once, &w->b);
    spawn(w, call_for_ever, &w->a);
}

static void an_answer_is_followed_by_nothing(void **state) {
    (void)state;
    explore("call of one that ends", call_and_answer, two_at_rest, 1u << RUSM_OK);
}

static void call_and_end(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, answer_never, &w->b);
    spawn(w, call_for_ever, &w->a);
}

static void no_answer_is_noproc(void **state) {
    (void)state;
    explore("call without answer", call_and_end, two_at_rest, 1u << RUSM_ERR_NOPROC);
}

static void call_and_kill(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, answer_once, &w->b);
    spawn(w, call_for_ever, &w->a);
    spawn(w, kill_b, &w->c);
}

static bool three_at_rest(void *arg, const struct sim_result *result) {
    return at_rest(arg, result, 3);
}

static void a_call_of_a_killed_one_comes_back(void **state) {
    (void)state;
    explore("call against kill", call_and_kill, three_at_rest,
            1u << RUSM_OK | 1u << RUSM_ERR_NOPROC);
}

static void answer_whoever_asks(void *arg) {
    struct world *w = arg;
    rusm_ref ref;
    w->wrong |= rusm_monitor(w->a, &ref) != RUSM_OK;
    struct rusm_msg *msg = rusm_receive();
    if (msg->kind == RUSM_MSG_CALL) {
        enum rusm_err err = rusm_reply(rusm_msg_from(msg), "a", 1);
        w->outcomes |= 1u << err;
        w->wrong |= rusm_receive()->kind != RUSM_MSG_DOWN;
    } else {
        w->outcomes |= 1u << RUSM_ERR_INVALID; /* it died before it asked */
    }
    await_end_of_a(w);
    w->wrong |= rusm_receive_timeout(0) != NULL;
    struct rusm_process_info info;
    w->wrong |= rusm_process_info(NULL, rusm_self(), &info) != RUSM_OK || info.monitored_by != 0;
}

static void yield_and_call(void *arg) {
    struct world *w = arg;
    rusm_yield();
    (void)rusm_call(w->b, "q", 1, RUSM_FOREVER, NULL);
    (void)rusm_receive();
}

static void call_and_die(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, answer_whoever_asks, &w->b);
    spawn(w, yield_and_call, &w->a);
    spawn(w, kill_a, &w->c);
}

static void a_killed_caller_leaves_nothing(void **state) {
    (void)state;
    explore("kill of a caller", call_and_die, three_at_rest,
            1u << RUSM_OK | 1u << RUSM_ERR_NOPROC | 1u << RUSM_ERR_INVALID);
}

/* ---- starts ---- */

static void ignore(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

static enum rusm_err yield_in_init(void *state, void *arg) {
    (void)state;
    (void)arg;
    rusm_yield();
    return RUSM_OK;
}

static const struct rusm_server server = {.init = yield_in_init, .message = ignore};

static void start_a_server(void *arg) {
    struct world *w = arg;
    const struct rusm_spawn_opts opts = {.name = "server", .on_exit = ended, .on_exit_arg = w};
    rusm_yield();
    w->err = rusm_start_link(&server, NULL, &opts, NULL);
    if (w->err == RUSM_OK) {
        (void)rusm_receive(); /* the server's end is this one's */
        w->wrong = true;
    }
    w->wrong |= w->err != RUSM_ERR_START_FAILED || rest_of_messages() != 0;
}

static void kill_the_server(void *arg) {
    (void)arg;
    while (!rusm_kill(NULL, rusm_whereis(NULL, "server"))) {
        rusm_sleep(1);
    }
}

static void start_and_kill(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, start_a_server, &w->a);
    spawn(w, kill_the_server, &w->b);
}

static bool started_or_failed(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    bool started = w->err == RUSM_OK;
    w->outcomes |= started ? 1 : 2;
    return at_rest(w, result, 3) &&
           w->a_ended_as == (started ? RUSM_EXIT_KILLED : RUSM_EXIT_NORMAL);
}

static void a_start_against_a_kill_fails_or_ends_both(void **state) {
    (void)state;
    explore("start against kill", start_and_kill, started_or_failed, 3);
}

static void start_and_die(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    begin(rt, w);
    spawn(w, start_a_server, &w->a);
    spawn(w, kill_a, &w->b);
}

static bool no_server_left(void *arg, const struct sim_result *result) {
    struct world *w = arg;
    w->outcomes |= w->ended == 3 ? 1 : 2; /* started or not */
    return !w->wrong && !result->stuck && result->process_count == 0 && w->ended >= 2 &&
           w->a_ended_as == RUSM_EXIT_KILLED;
}

static void a_killed_starter_leaves_no_server(void **state) {
    (void)state;
    explore("kill of a starter", start_and_die, no_server_left, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_against_an_exit_is_one_death),
        cmocka_unit_test(who_has_unlinked_does_not_die_of_it),
        cmocka_unit_test(unlink_against_link_leaves_both_of_one_mind),
        cmocka_unit_test(two_unlinks_against_link_leave_both_of_one_mind),
        cmocka_unit_test(relink_against_unlink_leaves_both_of_one_mind),
        cmocka_unit_test(a_link_made_again_tells_once),
        cmocka_unit_test(demonitor_says_whether_a_down_comes),
        cmocka_unit_test(flush_leaves_no_down_behind),
        cmocka_unit_test(a_signal_is_trapped_or_ends),
        cmocka_unit_test(a_released_name_can_be_taken),
        cmocka_unit_test(one_of_two_gets_a_released_name),
        cmocka_unit_test(a_call_is_answered_or_times_out),
        cmocka_unit_test(an_answer_is_followed_by_nothing),
        cmocka_unit_test(no_answer_is_noproc),
        cmocka_unit_test(a_call_of_a_killed_one_comes_back),
        cmocka_unit_test(a_killed_caller_leaves_nothing),
        cmocka_unit_test(a_start_against_a_kill_fails_or_ends_both),
        cmocka_unit_test(a_killed_starter_leaves_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
