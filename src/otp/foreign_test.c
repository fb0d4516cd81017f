/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Steps that run code of others, steps that suspend, and waking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/assert.h"
#include "otp/otp.h"
#include "otp/test_runtime_internal.h"
#include <string.h>

struct notes {
    rusm_pid other;
    _Atomic uint32_t stage;
    _Atomic uint32_t go;
    uint32_t count;
    enum rusm_err err;
    bool flag;
};

/* A body whose step is the test's, called with its notes. */
struct state {
    struct notes *notes;
};

static enum rusm_err init(void *state, void *arg) {
    ((struct state *)state)->notes = arg;
    return RUSM_OK;
}

static struct notes *notes_of(void *state) {
    return ((struct state *)state)->notes;
}

static rusm_pid spawn_step(rusm_runtime *rt, const struct step_body *body, struct notes *notes,
                           struct exit_record *record) {
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = record};
    rusm_pid pid;
    assert_int_equal(otp_spawn_step(rt, body, notes, &opts, NULL, &pid), RUSM_OK);
    return pid;
}

/* ---- a kill waits for the leave ---- */

static enum step_result killed_inside(void *state) {
    struct notes *notes = notes_of(state);
    otp_foreign_enter();
    (void)rusm_kill(NULL, rusm_self());
    (void)rusm_receive_timeout(0); /* has seen the kill */
    notes->stage = 1;
    (void)otp_foreign_leave();
    notes->stage = 2;
    return STEP_EXIT;
}

static void kill_waits_until_foreign_code_is_left(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, killed_inside, NULL};
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.stage = 0};
    struct exit_record record = {.count = 0};
    (void)spawn_step(rt, &body, &notes, &record);
    finish_runtime(rt);
    assert_int_equal(notes.stage, 1);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
}

/* ---- a full mailbox holds its sender at the leave ---- */

static void receive_when_told(void *arg) {
    struct notes *notes = arg;
    while (!notes->go) {
        rusm_yield();
    }
    while (notes->count < 3) {
        (void)rusm_receive();
        notes->count++;
    }
}

static enum step_result send_too_much(void *state) {
    struct notes *notes = notes_of(state);
    otp_foreign_enter();
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_send(notes->other, "x", 1) == RUSM_OK);
    }
    notes->flag = otp_foreign_is_spent();
    notes->stage = 1;
    notes->flag &= otp_foreign_leave();
    notes->stage = 2;
    return STEP_EXIT;
}

static void full_mailbox_holds_the_sender_at_the_leave(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, send_too_much, NULL};
    rusm_runtime *rt = start_runtime(2);
    struct notes notes = {.stage = 0};
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts bounded = {.mailbox_len_max = 2, .mailbox_hold = true};
    notes.other = spawn_fiber(rt, receive_when_told, &notes, &bounded);
    rusm_pid sender = spawn_step(rt, &body, &notes, &record);
    await_wait(rt, sender, RUSM_WAIT_HELD);
    assert_int_equal(notes.stage, 1);
    notes.go = 1;
    finish_runtime(rt);
    assert_true(notes.flag);
    assert_int_equal(notes.stage, 2);
    assert_int_equal(notes.count, 3);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

/* ---- what comes after the last look makes the step be called again ---- */

static enum step_result miss_a_message(void *state) {
    struct notes *notes = notes_of(state);
    otp_foreign_enter();
    bool got = rusm_receive_timeout(0) != NULL;
    if (!got) { /* as if from elsewhere, at the worst moment */
        RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK);
    }
    RUSM_ASSERT(!otp_foreign_leave());
    notes->count++;
    return got ? STEP_EXIT : STEP_WAIT;
}

static void message_before_the_leave_is_not_missed(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, miss_a_message, NULL};
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.stage = 0};
    struct exit_record record = {.count = 0};
    (void)spawn_step(rt, &body, &notes, &record);
    finish_runtime(rt);
    assert_int_equal(notes.count, 2);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

static enum step_result miss_a_wake(void *state) {
    struct notes *notes = notes_of(state);
    notes->count++;
    otp_foreign_enter();
    if (notes->count == 1) {
        RUSM_ASSERT(otp_wake(NULL, rusm_self()));
    }
    RUSM_ASSERT(!otp_foreign_leave());
    return notes->count == 1 ? STEP_WAIT_OUTSIDE : STEP_EXIT;
}

static void wake_before_the_leave_is_not_missed(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, miss_a_wake, NULL};
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.stage = 0};
    struct exit_record record = {.count = 0};
    (void)spawn_step(rt, &body, &notes, &record);
    finish_runtime(rt);
    assert_int_equal(notes.count, 2);
}

/* ---- a step may suspend outside of foreign code ---- */

static enum step_result receive_twice(void *state) {
    struct notes *notes = notes_of(state);
    notes->count += *(const uint32_t *)rusm_receive()->data;
    notes->count += *(const uint32_t *)rusm_receive()->data;
    return STEP_EXIT;
}

static void step_may_suspend(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, receive_twice, NULL};
    rusm_runtime *rt = start_runtime(2);
    struct notes notes = {.count = 0};
    struct exit_record record = {.count = 0};
    rusm_pid pid = spawn_step(rt, &body, &notes, &record);
    for (uint32_t i = 1; i <= 2; i++) {
        await_wait(rt, pid, RUSM_WAIT_RECEIVE);
        assert_int_equal(rusm_post(rt, pid, &i, sizeof i), RUSM_OK);
    }
    finish_runtime(rt);
    assert_int_equal(notes.count, 3);
}

static void suspended_step_is_killed(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, receive_twice, NULL};
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.count = 0};
    struct exit_record record = {.count = 0};
    rusm_pid pid = spawn_step(rt, &body, &notes, &record);
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(rt, pid));
    finish_runtime(rt);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
}

/* ---- waking ---- */

static enum step_result wait_outside(void *state) {
    struct notes *notes = notes_of(state);
    notes->count++;
    return notes->go ? STEP_EXIT : STEP_WAIT_OUTSIDE;
}

static void wake_calls_a_step_that_waits(void **state) {
    (void)state;
    static const struct step_body body = {sizeof(struct state), init, wait_outside, NULL};
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.count = 0};
    struct exit_record record = {.count = 0};
    rusm_pid pid = spawn_step(rt, &body, &notes, &record);
    await_wait(rt, pid, RUSM_WAIT_OUTSIDE);
    notes.go = 1;
    assert_true(otp_wake(rt, pid));
    finish_runtime(rt);
    assert_int_equal(notes.count, 2);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

static void wait_thrice(void *arg) {
    struct notes *notes = arg;
    (void)otp_wake(NULL, rusm_self());
    notes->count += otp_wait(RUSM_FOREVER); /* at once: it was woken before */
    notes->count += otp_wait(1);            /* in vain */
    notes->stage = 1;
    notes->flag = otp_wait(RUSM_FOREVER);
}

static void wake_before_the_wait_is_not_lost_nor_counted_twice(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.count = 0};
    rusm_pid pid = spawn_fiber(rt, wait_thrice, &notes, NULL);
    AWAIT(notes.stage == 1);
    await_wait(rt, pid, RUSM_WAIT_OUTSIDE);
    assert_int_equal(notes.count, 1);
    assert_int_equal(rusm_post(rt, pid, "a message does not wake it", 26), RUSM_OK);
    assert_true(otp_wake(rt, pid));
    finish_runtime(rt);
    assert_true(notes.flag);
}

static void waking_the_dead_says_so(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, end_at_once, NULL, NULL);
    rusm_runtime_wait_idle(rt);
    assert_false(otp_wake(rt, pid));
    finish_runtime(rt);
}

/* ---- ties ---- */

static enum step_result end_now(void *state) {
    (void)state;
    return STEP_EXIT;
}

static void spawn_tied(void *arg) {
    static const struct step_body body = {sizeof(struct state), init, end_now, NULL};
    struct notes *notes = arg;
    rusm_ref ref;
    const struct otp_tie monitor = {.ref = &ref};
    const struct otp_tie link = {.link = true};
    const struct otp_tie both = {.link = true, .ref = &ref};
    rusm_pid pid;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(otp_spawn_step(NULL, &body, notes, NULL, &monitor, &pid) == RUSM_OK);
    const struct rusm_msg *msg = rusm_receive();
    notes->count += msg->kind == RUSM_MSG_DOWN && rusm_msg_down(msg)->ref.v == ref.v;
    RUSM_ASSERT(otp_spawn_step(NULL, &body, notes, NULL, &link, &pid) == RUSM_OK);
    msg = rusm_receive();
    notes->count += msg->kind == RUSM_MSG_EXIT && rusm_msg_down(msg)->pid.v == pid.v;
    RUSM_ASSERT(otp_spawn_step(NULL, &body, notes, NULL, &both, &pid) == RUSM_OK);
    for (uint32_t i = 0; i < 2; i++) {
        msg = rusm_receive();
        bool down = msg->kind == RUSM_MSG_DOWN && rusm_msg_down(msg)->ref.v == ref.v;
        notes->count += down || msg->kind == RUSM_MSG_EXIT;
        RUSM_ASSERT(rusm_msg_down(msg)->pid.v == pid.v);
        RUSM_ASSERT(rusm_msg_down(msg)->reason.kind == RUSM_EXIT_NORMAL);
    }
}

static void step_is_spawned_linked_or_monitored_or_both(void **state) {
    (void)state;
    struct notes notes = {.count = 0};
    run_fiber(spawn_tied, &notes);
    assert_int_equal(notes.count, 4);
}

/* ---- the mailbox ---- */

static bool is_text(void *arg, const struct rusm_msg *msg) {
    return msg->len == strlen(arg) && memcmp(msg->data, arg, msg->len) == 0;
}

static void expect_texts(const char *const *texts) {
    for (; *texts; texts++) {
        struct rusm_msg *msg = rusm_receive_timeout(0);
        RUSM_ASSERT(msg && is_text((void *)*texts, msg));
    }
    RUSM_ASSERT(!rusm_receive_timeout(0));
}

static void send_texts(const char *const *texts) {
    for (; *texts; texts++) {
        RUSM_ASSERT(rusm_send(rusm_self(), *texts, strlen(*texts)) == RUSM_OK);
    }
}

static void look_and_leave(void *arg) {
    static const char *const texts[] = {"a", "b", "c", NULL};
    (void)arg;
    send_texts(texts);
    const struct rusm_msg *msg = otp_await_match(is_text, "b", RUSM_FOREVER);
    RUSM_ASSERT(msg && is_text("b", msg));
    RUSM_ASSERT(!otp_await_match(is_text, "d", 1));
    expect_texts(texts);
}

static void awaited_message_stays_in_its_place(void **state) {
    (void)state;
    run_fiber(look_and_leave, NULL);
}

static void put_aside(void *arg) {
    static const char *const sent[] = {"a", "b", NULL};
    static const char *const again[] = {"a", "x", "b", NULL};
    (void)arg;
    RUSM_ASSERT(!otp_last_message() && otp_stash_last() == RUSM_ERR_INVALID);
    send_texts(sent);
    const struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(otp_last_message() == msg);
    RUSM_ASSERT(otp_await_match(is_text, "b", 0) && otp_last_message() == msg);
    RUSM_ASSERT(otp_stash_last() == RUSM_OK);
    RUSM_ASSERT(!otp_last_message() && otp_stash_last() == RUSM_ERR_INVALID);
    RUSM_ASSERT(otp_stash_copy("x", 1) == RUSM_OK);
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.mailbox_depth == 3);
    RUSM_ASSERT(otp_stash_copy("y", 1) == RUSM_ERR_MAILBOX_FULL);
    rusm_unstash();
    expect_texts(again);
}

static void messages_are_put_aside_up_to_the_bound(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    const struct rusm_spawn_opts opts = {.mailbox_len_max = 3};
    (void)spawn_fiber(rt, put_aside, NULL, &opts);
    finish_runtime(rt);
}

static void tell_names(void *arg) {
    char names[2][RUSM_NAME_BYTES_MAX + 1];
    (void)arg;
    RUSM_ASSERT(otp_own_names(names, 2) == 0);
    RUSM_ASSERT(rusm_register(NULL, "one", rusm_self()) == RUSM_OK);
    RUSM_ASSERT(rusm_register(NULL, "two", rusm_self()) == RUSM_OK);
    RUSM_ASSERT(rusm_register(NULL, "three", rusm_self()) == RUSM_OK);
    RUSM_ASSERT(otp_own_names(names, 2) == 3);
    RUSM_ASSERT(strcmp(names[0], "one") == 0 && strcmp(names[1], "two") == 0);
    RUSM_ASSERT(rusm_unregister(NULL, "one") == RUSM_OK);
    RUSM_ASSERT(otp_own_names(names, 2) == 2);
    RUSM_ASSERT(strcmp(names[0], "three") == 0 && strcmp(names[1], "two") == 0);
}

static void process_knows_its_names(void **state) {
    (void)state;
    run_fiber(tell_names, NULL);
}

static void set_timers(void *arg) {
    rusm_timer fires;
    rusm_timer waits;
    (void)arg;
    RUSM_ASSERT(rusm_send_after(rusm_self(), 0, "x", 1, &fires) == RUSM_OK);
    RUSM_ASSERT(rusm_send_after(rusm_self(), 1000000, "y", 1, &waits) == RUSM_OK);
    RUSM_ASSERT(otp_timer_is_armed(fires) && otp_timer_is_armed(waits));
    (void)rusm_receive();
    RUSM_ASSERT(!otp_timer_is_armed(fires) && otp_timer_is_armed(waits));
    RUSM_ASSERT(rusm_cancel_timer(waits, NULL) == RUSM_OK);
    RUSM_ASSERT(!otp_timer_is_armed(waits));
    RUSM_ASSERT(!otp_timer_is_armed((rusm_timer){0}) && !otp_timer_is_armed((rusm_timer){~0ull}));
}

static void timer_says_whether_it_is_armed(void **state) {
    (void)state;
    run_fiber(set_timers, NULL);
}

/* ---- the end of a runtime ---- */

struct at_end {
    rusm_runtime *rt;
    struct exit_record *record;
    uint32_t calls;
};

static void note_end(void *arg) {
    struct at_end *at_end = arg;
    at_end->calls++;
    RUSM_ASSERT(at_end->record->count == 1); /* all have ended, and the runtime may be used */
    RUSM_ASSERT(!otp_wake(at_end->rt, at_end->record->pid));
}

static void at_end_is_called_once_all_have_ended(void **state) {
    (void)state;
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    struct at_end called = {.record = &record};
    struct at_end cancelled = {.record = &record};
    called.rt = cancelled.rt = start_runtime(2);
    struct otp_at_end entries[3] = {
        {note_end, &called, NULL}, {note_end, &cancelled, NULL}, {note_end, &called, NULL}};
    for (size_t i = 0; i < 3; i++) {
        otp_at_end(called.rt, &entries[i]);
    }
    (void)spawn_fiber(called.rt, wait_for_ever, NULL, &opts);
    otp_at_end_cancel(called.rt, &entries[1]);
    rusm_runtime_destroy(called.rt);
    assert_int_equal(called.calls, 2);
    assert_int_equal(cancelled.calls, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_waits_until_foreign_code_is_left),
        cmocka_unit_test(full_mailbox_holds_the_sender_at_the_leave),
        cmocka_unit_test(message_before_the_leave_is_not_missed),
        cmocka_unit_test(wake_before_the_leave_is_not_missed),
        cmocka_unit_test(step_may_suspend),
        cmocka_unit_test(suspended_step_is_killed),
        cmocka_unit_test(wake_calls_a_step_that_waits),
        cmocka_unit_test(wake_before_the_wait_is_not_lost_nor_counted_twice),
        cmocka_unit_test(waking_the_dead_says_so),
        cmocka_unit_test(step_is_spawned_linked_or_monitored_or_both),
        cmocka_unit_test(awaited_message_stays_in_its_place),
        cmocka_unit_test(messages_are_put_aside_up_to_the_bound),
        cmocka_unit_test(process_knows_its_names),
        cmocka_unit_test(timer_says_whether_it_is_armed),
        cmocka_unit_test(at_end_is_called_once_all_have_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
