/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What core modules get of messages, timers, monitors, links and exits: sdk/README.md. */
#include "base/assert.h"
#include "test_stage_internal.h"

#include <rusm/link.h>
#include <rusm/timer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NONE = -1, INVALID = -4 };

#define FOREVER (-1)

static struct puppet_answer ask(rusm_pid pid, const char *function, int64_t arg) {
    return puppet_ask(pid, function, "", PUPPET_ARGS(arg));
}

static struct puppet_answer receive(rusm_pid pid, int64_t cap) {
    return puppet_ask(pid, "receive", "", PUPPET_ARGS(PUPPET_OUT, cap));
}

/* The puppet's next message is this text. */
static void receives(rusm_pid pid, const char *text) {
    struct puppet_answer answer = receive(pid, 1024);
    EXPECT(answer, (int64_t)strlen(text));
    RUSM_ASSERT(memcmp(answer.out, text, strlen(text)) == 0);
}

static void silent(rusm_pid pid) {
    EXPECT(puppet_ask(pid, "receive_timeout", "", PUPPET_ARGS(PUPPET_OUT, 1024, 0)), NONE);
}

static void send_text(rusm_pid to, const char *text) {
    RUSM_ASSERT(rusm_send(to, text, strlen(text)) == RUSM_OK);
}

/* As it arrives: "__down" or "__exit". */
static const char *news(char *out, const char *key, rusm_pid pid, const char *reason) {
    (void)snprintf(out, 96, "{\"__%s\":\"%llu\",\"reason\":\"%s\"}", key, (unsigned long long)pid.v,
                   reason);
    return out;
}

/* ---- messages ---- */

static void sends(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    const int64_t args[PUPPET_ARGS_MAX] = {(int64_t)rusm_self().v, PUPPET_DATA, 5};
    EXPECT(puppet_ask(me, "send", "hello", args), 0);
    EXPECT_MESSAGE("hello");
    EXPECT(puppet_ask(me, "send", "", PUPPET_ARGS((int64_t)rusm_self().v, 0, 0)), 0);
    EXPECT_MESSAGE("");
    EXPECT(puppet_ask(me, "send", "self", PUPPET_ARGS((int64_t)me.v, PUPPET_DATA, 4)), 0);
    receives(me, "self");
    EXPECT(puppet_ask(me, "send", "nobody", PUPPET_ARGS(0, PUPPET_DATA, 6)), 0);
    EXPECT(puppet_ask(me, "send", "nobody", PUPPET_ARGS(-1, PUPPET_DATA, 6)), 0);
    const int64_t most[PUPPET_ARGS_MAX] = {(int64_t)rusm_self().v, 0, STAGE_MESSAGE_MAX};
    EXPECT(puppet_ask(me, "send", "", most), 0);
    RUSM_ASSERT(rusm_receive()->len == STAGE_MESSAGE_MAX);
    const int64_t more[PUPPET_ARGS_MAX] = {(int64_t)rusm_self().v, 0, STAGE_MESSAGE_MAX + 1};
    EXPECT_END(puppet_ask(me, "send", "", more), RUSM_EXIT_ERROR, "longer than the node allows");
}

static void long_messages_stay(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    send_text(me, "hello");
    send_text(me, "");
    send_text(me, "you");
    EXPECT(receive(me, 0), 5); /* cap 0 asks for the length */
    struct puppet_answer answer = receive(me, 4);
    EXPECT(answer, 5);
    RUSM_ASSERT(memcmp(answer.out, "hell\0", 5) == 0);
    receives(me, "hello");
    EXPECT(receive(me, 0), 0); /* an empty one fits */
    receives(me, "you");
    silent(me);
    EXPECT_END(receive(me, 65536), RUSM_EXIT_ERROR, "outside of the guest's memory");
}

static void receive_timeout_waits_so_long(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    const int64_t args[PUPPET_ARGS_MAX] = {PUPPET_OUT, 99, FOREVER};
    silent(me);
    EXPECT(puppet_ask(me, "receive_timeout", "", PUPPET_ARGS(PUPPET_OUT, 99, 1)), NONE);
    EXPECT(puppet_ask(me, "receive_timeout", "", PUPPET_ARGS(PUPPET_OUT, 99, 1)), NONE);
    send_text(me, "there");
    EXPECT(puppet_ask(me, "receive_timeout", "", PUPPET_ARGS(PUPPET_OUT, 99, 0)), 5);
    puppet_tell(me, "receive_timeout", "", 0, args);
    stage_await(me, RUSM_WAIT_RECEIVE);
    send_text(me, "later");
    EXPECT(puppet_hear(me), 5);
    puppet_tell(me, "receive_timeout", "", 0, PUPPET_ARGS(PUPPET_OUT, 2, 1000000));
    stage_await(me, RUSM_WAIT_RECEIVE);
    send_text(me, "long");
    EXPECT(puppet_hear(me), 4); /* and it stays */
    receives(me, "long");
}

static void receive_match_leaves_others_in_order(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    const int64_t b[PUPPET_ARGS_MAX] = {PUPPET_DATA, 1, PUPPET_OUT, 99, 0};
    const int64_t wait[PUPPET_ARGS_MAX] = {PUPPET_DATA, 1, PUPPET_OUT, 99, FOREVER};
    send_text(me, "a1");
    send_text(me, "b1");
    send_text(me, "a2");
    EXPECT(puppet_ask(me, "receive_match", "c", b), NONE);
    EXPECT(puppet_ask(me, "receive_match", "c", PUPPET_ARGS(PUPPET_DATA, 1, PUPPET_OUT, 99, 1)),
           NONE);
    struct puppet_answer answer =
        puppet_ask(me, "receive_match", "b", PUPPET_ARGS(PUPPET_DATA, 1, PUPPET_OUT, 1, 0));
    EXPECT(answer, 2); /* too long: it stays where it is */
    RUSM_ASSERT(memcmp(answer.out, "b\0", 2) == 0);
    EXPECT(puppet_ask(me, "receive_match", "b", b), 2);
    puppet_tell(me, "receive_match", "c", 1, wait);
    stage_await(me, RUSM_WAIT_RECEIVE);
    send_text(me, "a3");
    send_text(me, "c1");
    answer = puppet_hear(me);
    EXPECT(answer, 2);
    RUSM_ASSERT(memcmp(answer.out, "c1", 2) == 0);
    /* No prefix is any message. */
    EXPECT(puppet_ask(me, "receive_match", "", PUPPET_ARGS(0, 0, PUPPET_OUT, 9, FOREVER)), 2);
    receives(me, "a2");
    receives(me, "a3");
    silent(me);
    EXPECT(puppet_ask(me, "receive_match", "", PUPPET_ARGS(0, 257, PUPPET_OUT, 9, 0)), INVALID);
    EXPECT(puppet_ask(me, "receive_match", "", PUPPET_ARGS(0, 256, PUPPET_OUT, 9, 0)), NONE);
}

/* Puts two aside, takes a third, and has the two again, before a fourth, in their order. */
static const char stashes[] =
    "(module (import \"rusm\" \"receive\" (func $receive (param i32 i32) (result i32)))"
    "(import \"rusm\" \"stash\" (func $stash (result i32)))"
    "(import \"rusm\" \"unstash\" (func $unstash))"
    "(memory (export \"memory\") 1)"
    "(func $next (param $byte i32)"
    "  (if (i32.ne (call $receive (i32.const 0) (i32.const 9)) (i32.const 1)) (then unreachable))"
    "  (if (i32.ne (i32.load8_u (i32.const 0)) (local.get $byte)) (then unreachable)))"
    "(func $put (param $yes i32)"
    "  (if (i32.ne (call $stash) (local.get $yes)) (then unreachable)))"
    "(func (export \"run\")"
    "  (call $put (i32.const 0)) (call $unstash)"
    "  (call $next (i32.const 49)) (call $put (i32.const 1)) (call $put (i32.const 0))"
    "  (call $next (i32.const 50)) (call $put (i32.const 1))"
    "  (call $next (i32.const 51)) (call $unstash)"
    "  (call $next (i32.const 49)) (call $next (i32.const 50)) (call $next (i32.const 52))))";

struct load {
    rusm_wasm *wasm;
    rusm_program *program;
};

static void load_stashes(void *arg) {
    struct load *load = arg;
    const struct rusm_program_spec spec = {.wasm = stashes, .wasm_bytes = sizeof stashes - 1};
    RUSM_ASSERT(rusm_program_load(load->wasm, &spec, &load->program, NULL) == RUSM_OK);
}

static void stashed_messages_come_first(struct stage *stage) {
    struct load load = {.wasm = stage->wasm};
    rusm_pid me = {0};
    rusm_ref ref;
    RUSM_ASSERT(rusm_blocking(load_stashes, &load) == RUSM_OK);
    RUSM_ASSERT(rusm_spawn_guest_monitor(load.program, NULL, &me, &ref) == RUSM_OK);
    rusm_program_release(load.program);
    for (char digit = '1'; digit <= '4'; digit++) {
        RUSM_ASSERT(rusm_send(me, &digit, 1) == RUSM_OK);
    }
    EXPECT_END(puppet_hear(me), RUSM_EXIT_NORMAL, "");
}

/* ---- between guests ---- */

static void ping_pong(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    rusm_pid echo = stage_puppet(stage, "echo");
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t ball[2] = {me.v, i};
        puppet_tell(me, "send", ball, sizeof ball,
                    PUPPET_ARGS((int64_t)echo.v, PUPPET_DATA, sizeof ball));
        EXPECT(puppet_hear(me), 0);
        struct puppet_answer answer = receive(me, 99);
        EXPECT(answer, sizeof ball);
        RUSM_ASSERT(memcmp(answer.out, ball, sizeof ball) == 0);
    }
}

/* ---- timers ---- */

static uint32_t armed_timers(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct rusm_scheduler_info info;
        RUSM_ASSERT(rusm_scheduler_info(rusm_self_runtime(), i, &info) == RUSM_OK);
        count += info.timers;
    }
    return count;
}

static void timers_end_with_the_guest(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    const int64_t self = (int64_t)rusm_self().v;
    const int64_t later[PUPPET_ARGS_MAX] = {self, 1000000000, PUPPET_DATA, 5};
    EXPECT(puppet_ask(me, "send_after", "first", PUPPET_ARGS(self, 1, PUPPET_DATA, 5)), 1);
    EXPECT_MESSAGE("first");
    EXPECT(ask(me, "cancel_timer", 1), 0); /* it has fired */
    EXPECT(puppet_ask(me, "send_after", "never", later), 2);
    EXPECT(ask(me, "cancel_timer", 2), 1);
    EXPECT(ask(me, "cancel_timer", 2), 0);
    EXPECT(ask(me, "cancel_timer", 99), 0);
    EXPECT(ask(me, "cancel_timer", -1), 0);
    for (int64_t i = 3; i < 20; i++) {
        EXPECT(puppet_ask(me, "send_after", "never", later), i);
    }
    RUSM_ASSERT(armed_timers() == 17);
    EXPECT(ask(me, "cancel_timer", 7), 1);
    EXPECT(ask(me, "cancel_timer", 19), 1);
    EXPECT(ask(me, "kill", (int64_t)me.v).ended ? (struct puppet_answer){.value = 0}
                                                : (struct puppet_answer){.value = 1},
           0);
    while (armed_timers() > 0) {
        rusm_yield();
    }
}

static void timers_that_have_fired_make_room(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    const int64_t self = (int64_t)rusm_self().v;
    for (int64_t i = 1; i <= 100; i++) {
        EXPECT(puppet_ask(me, "send_after", "now", PUPPET_ARGS(self, 0, PUPPET_DATA, 3)), i);
        EXPECT_MESSAGE("now");
    }
    EXPECT_END(puppet_ask(me, "send_after", "", PUPPET_ARGS(self, 0, 0, STAGE_MESSAGE_MAX + 1)),
               RUSM_EXIT_ERROR, "longer than the node allows");
}

/* ---- monitors ---- */

static void ends_are_told_by_messages(struct stage *stage) {
    static const struct {
        enum rusm_exit_kind kind;
        const char *text;
    } reasons[] = {{RUSM_EXIT_NORMAL, "normal"},
                   {RUSM_EXIT_SHUTDOWN, "shutdown"},
                   {RUSM_EXIT_ERROR, "crashed"},
                   {RUSM_EXIT_LIMIT, "limit"},
                   {RUSM_EXIT_KILLED, "killed"}};
    char text[96];
    rusm_pid me = stage_puppet(stage, "puppet");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        rusm_pid other = stage_other();
        const struct rusm_exit_reason reason = {reasons[i].kind, NULL, 0};
        EXPECT(ask(me, "monitor", (int64_t)other.v), 0);
        (void)rusm_send_exit(other, &reason);
        if (reasons[i].kind == RUSM_EXIT_NORMAL) {
            /* It does not end of that one: have it end by itself. */
            EXPECT(ask(me, "demonitor", (int64_t)other.v), 1);
            other = spawn_fiber(NULL, end_at_once, NULL, NULL);
            EXPECT(ask(me, "monitor", (int64_t)other.v), 0);
            struct puppet_answer answer = receive(me, 99);
            RUSM_ASSERT(memmem(answer.out, 99, "normal", 6) || memmem(answer.out, 99, "noproc", 6));
            continue;
        }
        receives(me, news(text, "down", other, reasons[i].text));
    }
    EXPECT(ask(me, "monitor", 12345), 0);
    receives(me, news(text, "down", (rusm_pid){12345}, "noproc"));
    EXPECT(ask(me, "monitor", 0), 0);
    receives(me, news(text, "down", (rusm_pid){0}, "noproc"));
    EXPECT(ask(me, "monitor", -1), 0);
    receives(me, news(text, "down", (rusm_pid){UINT64_MAX}, "noproc"));
    EXPECT(ask(me, "demonitor", 0), 0);
    EXPECT(ask(me, "demonitor", 12345), 0);
}

static void demonitor_ends_all_of_a_process(struct stage *stage) {
    char text[96];
    rusm_pid me = stage_puppet(stage, "denied");
    rusm_pid a = stage_other();
    rusm_pid b = stage_other();
    for (int i = 0; i < 5; i++) {
        EXPECT(ask(me, "monitor", (int64_t)a.v), 0);
        EXPECT(ask(me, "monitor", (int64_t)b.v), 0);
    }
    EXPECT(ask(me, "demonitor", (int64_t)a.v), 1);
    EXPECT(ask(me, "demonitor", (int64_t)a.v), 0);
    (void)rusm_kill(NULL, a);
    (void)rusm_kill(NULL, b);
    for (int i = 0; i < 3; i++) {
        receives(me, news(text, "down", b, "killed")); /* each monitor tells */
    }
    /* What is in the mailbox already is taken out. */
    EXPECT(ask(me, "demonitor", (int64_t)b.v), 1);
    silent(me);
    EXPECT(ask(me, "demonitor", (int64_t)b.v), 0);
}

static void one_end_can_be_waited_for(struct stage *stage) {
    char text[96];
    rusm_pid me = stage_puppet(stage, "denied");
    rusm_pid a = stage_other();
    rusm_pid b = stage_other();
    EXPECT(ask(me, "monitor", (int64_t)a.v), 0);
    EXPECT(ask(me, "monitor", (int64_t)b.v), 0);
    (void)snprintf(text, sizeof text, "{\"__down\":\"%llu\"", (unsigned long long)b.v);
    const int64_t len = (int64_t)strlen(text);
    puppet_tell(me, "receive_match", text, (size_t)len,
                PUPPET_ARGS(PUPPET_DATA, len, PUPPET_OUT, 99, FOREVER));
    stage_await(me, RUSM_WAIT_RECEIVE);
    (void)rusm_kill(NULL, a);
    (void)rusm_kill(NULL, b);
    struct puppet_answer answer = puppet_hear(me);
    RUSM_ASSERT(!answer.ended && memcmp(answer.out, text, (size_t)len) == 0);
    receives(me, news(text, "down", a, "killed"));
}

/* ---- links and exits ---- */

static void links(struct stage *stage) {
    char text[96];
    rusm_pid me = stage_puppet(stage, "puppet");
    rusm_pid a = stage_other();
    rusm_pid b = stage_other();
    EXPECT(ask(me, "link", (int64_t)a.v), 0);
    EXPECT(ask(me, "link", (int64_t)a.v), 0);
    EXPECT(ask(me, "unlink", (int64_t)a.v), 1);
    EXPECT(ask(me, "unlink", (int64_t)a.v), 0);
    (void)rusm_kill(NULL, a);
    EXPECT(ask(me, "trap_exit", 1), 0);
    EXPECT(ask(me, "link", (int64_t)b.v), 0);
    (void)rusm_kill(NULL, b);
    receives(me, news(text, "exit", b, "killed"));
    EXPECT(ask(me, "link", (int64_t)b.v), 0);
    receives(me, news(text, "exit", b, "noproc"));
    EXPECT(ask(me, "link", (int64_t)me.v), 0); /* nothing happens */
    EXPECT(ask(me, "trap_exit", 0), 1);
    EXPECT(ask(me, "link", (int64_t)b.v), 0); /* the guest ends at its next loop */
    EXPECT_END(puppet_hear(me), RUSM_EXIT_NOPROC, "");
    /* The other way round: a native process hears of a guest's end. */
    me = stage_puppet(stage, "puppet");
    a = stage_other();
    EXPECT(ask(me, "link", (int64_t)a.v), 0);
    EXPECT_END(puppet_ask(me, "exit", "", PUPPET_ARGS(2, 0, 0)), RUSM_EXIT_ERROR, "");
    while (rusm_is_alive(NULL, a)) {
        rusm_yield();
    }
}

static void exits_with_a_reason(struct stage *stage) {
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN,
                                                RUSM_EXIT_ERROR};
    for (int64_t i = 0; i < 3; i++) {
        rusm_pid me = stage_puppet(stage, "denied");
        EXPECT_END(puppet_ask(me, "exit", "because", PUPPET_ARGS(i, PUPPET_DATA, 7)), kinds[i],
                   "because");
    }
    rusm_pid me = stage_puppet(stage, "denied");
    EXPECT_END(puppet_ask(me, "exit", "", PUPPET_ARGS(2, 0, 30000)), RUSM_EXIT_ERROR, "cmd:");
    me = stage_puppet(stage, "denied");
    EXPECT_END(puppet_ask(me, "exit", "", PUPPET_ARGS(3, 0, 0)), RUSM_EXIT_ERROR, "no such reason");
}

/* ---- killed in a call that waits ---- */

static void killed_while_it_waits(struct stage *stage) {
    const int64_t none[PUPPET_ARGS_MAX] = {PUPPET_OUT, 9};
    const int64_t timeout[PUPPET_ARGS_MAX] = {PUPPET_OUT, 9, FOREVER};
    const int64_t limited[PUPPET_ARGS_MAX] = {PUPPET_OUT, 9, 1000000000};
    const int64_t match[PUPPET_ARGS_MAX] = {PUPPET_DATA, 1, PUPPET_OUT, 9, FOREVER};
    const struct {
        const char *function;
        const int64_t *args;
    } calls[] = {{"receive", none},
                 {"receive_timeout", timeout},
                 {"receive_timeout", limited},
                 {"receive_match", match}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        rusm_pid me = stage_puppet(stage, "denied");
        puppet_tell(me, calls[i].function, "x", 1, calls[i].args);
        stage_await(me, RUSM_WAIT_NONE);
        stage_await(me, RUSM_WAIT_RECEIVE);
        RUSM_ASSERT(rusm_kill(NULL, me));
        EXPECT_END(puppet_hear(me), RUSM_EXIT_KILLED, "");
    }
}

#define STAGED(name)                                                                               \
    static void test_##name(void **state) {                                                        \
        (void)state;                                                                               \
        on_stage(name);                                                                            \
    }
STAGED(sends)
STAGED(long_messages_stay)
STAGED(receive_timeout_waits_so_long)
STAGED(receive_match_leaves_others_in_order)
STAGED(stashed_messages_come_first)
STAGED(ping_pong)
STAGED(timers_end_with_the_guest)
STAGED(timers_that_have_fired_make_room)
STAGED(ends_are_told_by_messages)
STAGED(demonitor_ends_all_of_a_process)
STAGED(one_end_can_be_waited_for)
STAGED(links)
STAGED(exits_with_a_reason)
STAGED(killed_while_it_waits)

int main(void) {
    guests_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends),
        cmocka_unit_test(test_long_messages_stay),
        cmocka_unit_test(test_receive_timeout_waits_so_long),
        cmocka_unit_test(test_receive_match_leaves_others_in_order),
        cmocka_unit_test(test_stashed_messages_come_first),
        cmocka_unit_test(test_ping_pong),
        cmocka_unit_test(test_timers_end_with_the_guest),
        cmocka_unit_test(test_timers_that_have_fired_make_room),
        cmocka_unit_test(test_ends_are_told_by_messages),
        cmocka_unit_test(test_demonitor_ends_all_of_a_process),
        cmocka_unit_test(test_one_end_can_be_waited_for),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_exits_with_a_reason),
        cmocka_unit_test(test_killed_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
