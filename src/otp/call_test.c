/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Calls and replies, and starts that are waited for. */
#include "base/assert.h"
#include "otp/test_puppet_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t monitors_of_self(void) {
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    return info.monitors;
}

static uint32_t watchers_of_self(void) {
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    return info.monitored_by;
}

static uint32_t links_of_self(void) {
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    return info.links;
}

/* ---- call and reply ---- */

/* Answers what it is asked; ends at a plain message. */
static void echo(void *arg) {
    (void)arg;
    for (;;) {
        struct rusm_msg *msg = rusm_receive();
        if (msg->kind != RUSM_MSG_CALL) {
            return;
        }
        RUSM_ASSERT(rusm_reply(rusm_msg_from(msg), msg->data, msg->len) == RUSM_OK);
    }
}

static void call_with_sizes(void *arg) {
    (void)arg;
    static const size_t sizes[] = {0, 1, 8, 23, 24, 25, 40, 41, 4096, 1u << 20};
    rusm_pid clerk = spawn_fiber(NULL, echo, NULL, NULL);
    unsigned char *data = malloc(1u << 20);
    RUSM_ASSERT(data);
    for (size_t i = 0; i < 1u << 20; i++) {
        data[i] = (unsigned char)(i * 13);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rusm_msg *reply = NULL;
        RUSM_ASSERT(rusm_call(clerk, data, sizes[i], RUSM_FOREVER, &reply) == RUSM_OK);
        RUSM_ASSERT(reply->kind == RUSM_MSG_REPLY && reply->len == sizes[i]);
        RUSM_ASSERT((uintptr_t)reply->data % 8 == 0);
        RUSM_ASSERT(sizes[i] == 0 || memcmp(reply->data, data, sizes[i]) == 0);
        RUSM_ASSERT(rusm_msg_from(reply).pid.v == clerk.v);
        RUSM_ASSERT(rusm_call(clerk, data, sizes[i], RUSM_FOREVER, NULL) == RUSM_OK);
    }
    free(data);
    RUSM_ASSERT(monitors_of_self() == 0);
    expect_silence();
    RUSM_ASSERT(rusm_send(clerk, "", 0) == RUSM_OK);
}

static void a_call_is_answered_whatever_its_size(void **state) {
    (void)state;
    run_fiber(call_with_sizes, NULL);
}

/* Puts the first question aside, and answers it after the next message. */
static void answer_late(void *arg) {
    (void)arg;
    struct rusm_from from = rusm_msg_from(rusm_receive());
    (void)rusm_receive();
    RUSM_ASSERT(rusm_reply(from, "late", 4) == RUSM_OK);
    struct rusm_from second = rusm_msg_from(rusm_receive());
    RUSM_ASSERT(second.ref.v != from.ref.v);
    RUSM_ASSERT(rusm_reply(from, "later", 5) == RUSM_OK);
    RUSM_ASSERT(rusm_reply(second, "second", 6) == RUSM_OK);
}

static void give_up_and_ask_again(void *arg) {
    (void)arg;
    rusm_pid clerk = spawn_fiber(NULL, answer_late, NULL, NULL);
    RUSM_ASSERT(rusm_call(clerk, "q", 1, 1, NULL) == RUSM_ERR_TIMEOUT);
    RUSM_ASSERT(monitors_of_self() == 0);
    RUSM_ASSERT(rusm_send(clerk, "go on", 5) == RUSM_OK);
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(clerk, "q", 1, RUSM_FOREVER, &reply) == RUSM_OK);
    RUSM_ASSERT(reply->len == 6 && memcmp(reply->data, "second", 6) == 0);
    await_end(clerk);
    expect_silence();
}

static void a_late_reply_is_dropped(void **state) {
    (void)state;
    run_fiber(give_up_and_ask_again, NULL);
}

static void ask_in_no_time(void *arg) {
    (void)arg;
    rusm_pid deaf = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    RUSM_ASSERT(rusm_call(deaf, "q", 1, 0, NULL) == RUSM_ERR_TIMEOUT);
    RUSM_ASSERT(rusm_kill(NULL, deaf));
    await_end(deaf);
    expect_silence();
    /* Itself: nobody answers; the question is there to be read. */
    RUSM_ASSERT(rusm_call(rusm_self(), "q", 1, 1, NULL) == RUSM_ERR_TIMEOUT);
    struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(msg->kind == RUSM_MSG_CALL && rusm_msg_from(msg).pid.v == rusm_self().v);
    RUSM_ASSERT(rusm_reply(rusm_msg_from(msg), "a", 1) == RUSM_OK);
    expect_silence();
}

static void a_call_times_out(void **state) {
    (void)state;
    run_fiber(ask_in_no_time, NULL);
}

static void end_instead(void *arg) {
    (void)arg;
    RUSM_ASSERT(rusm_receive()->kind == RUSM_MSG_CALL);
}

static void ask_the_dying(void *arg) {
    (void)arg;
    rusm_pid a = spawn_fiber(NULL, end_instead, NULL, NULL);
    RUSM_ASSERT(rusm_call(a, "q", 1, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_call(a, "q", 1, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_call((rusm_pid){0}, "q", 1, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(monitors_of_self() == 0);
    expect_silence();
}

static void a_call_to_the_dead_fails_at_once(void **state) {
    (void)state;
    run_fiber(ask_the_dying, NULL);
}

static void ask_for_ever(void *arg) {
    const rusm_pid *to = arg;
    RUSM_ASSERT(rusm_call(*to, "q", 1, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(monitors_of_self() == 0);
    expect_silence();
}

static void a_call_to_the_killed_fails(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    rusm_pid deaf = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    rusm_pid callers[3];
    for (int i = 0; i < 3; i++) {
        callers[i] = spawn_fiber(rt, ask_for_ever, &deaf, NULL);
        await_wait(rt, callers[i], RUSM_WAIT_RECEIVE);
    }
    assert_true(rusm_kill(rt, deaf));
    finish_runtime(rt);
}

/* ---- who answers ---- */

/* Passes the question on to the process in `arg`, and ends if told so. */
struct passing {
    rusm_pid to;
    bool ends;
};

static void pass_on(void *arg) {
    const struct passing *passing = arg;
    struct rusm_from from = rusm_msg_from(rusm_receive());
    if (passing->ends) {
        /* The other one answers when it hears of this end. */
        RUSM_ASSERT(rusm_call(passing->to, &from, sizeof from, RUSM_FOREVER, NULL) == RUSM_OK);
        return;
    }
    RUSM_ASSERT(rusm_send(passing->to, &from, sizeof from) == RUSM_OK);
    (void)rusm_receive();
}

static void answer_for_another(void *arg) {
    (void)arg;
    struct rusm_msg *msg = rusm_receive();
    struct rusm_from from;
    memcpy(&from, msg->data, sizeof from);
    if (msg->kind == RUSM_MSG_CALL) {
        struct rusm_from asker = rusm_msg_from(msg);
        RUSM_ASSERT(rusm_reply(asker, "", 0) == RUSM_OK);
        await_end(asker.pid);
    }
    RUSM_ASSERT(rusm_reply(from, "third", 5) == RUSM_OK);
}

static void ask_through_another(void *arg) {
    (void)arg;
    struct passing passing = {.to = spawn_fiber(NULL, answer_for_another, NULL, NULL)};
    rusm_pid second = spawn_fiber(NULL, pass_on, &passing, NULL);
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(second, "q", 1, RUSM_FOREVER, &reply) == RUSM_OK);
    RUSM_ASSERT(reply->len == 5 && memcmp(reply->data, "third", 5) == 0);
    RUSM_ASSERT(rusm_msg_from(reply).pid.v == passing.to.v);
    RUSM_ASSERT(rusm_send(second, "", 0) == RUSM_OK);
    await_end(second);

    /* The one asked dies first: what the third says then is too late. */
    passing =
        (struct passing){.to = spawn_fiber(NULL, answer_for_another, NULL, NULL), .ends = true};
    second = spawn_fiber(NULL, pass_on, &passing, NULL);
    RUSM_ASSERT(rusm_call(second, "q", 1, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    await_end(passing.to);
    expect_silence();
}

static void a_third_process_can_answer(void **state) {
    (void)state;
    run_fiber(ask_through_another, NULL);
}

static void answer_the_killed(void *arg) {
    (void)arg;
    struct rusm_from from = rusm_msg_from(rusm_receive());
    RUSM_ASSERT(rusm_kill(NULL, from.pid));
    await_end(from.pid);
    RUSM_ASSERT(rusm_reply(from, "late", 4) == RUSM_ERR_NOPROC);
    expect_silence();
    RUSM_ASSERT(watchers_of_self() == 0);
}

static void a_killed_caller_is_not_answered(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    rusm_pid clerk = spawn_fiber(rt, answer_the_killed, NULL, NULL);
    (void)spawn_fiber(rt, ask_for_ever, &clerk, NULL);
    finish_runtime(rt);
}

static void answer_and_end(void *arg) {
    (void)arg;
    RUSM_ASSERT(rusm_reply(rusm_msg_from(rusm_receive()), "last", 4) == RUSM_OK);
}

static void answer_three_times(void *arg) {
    (void)arg;
    struct rusm_from from = rusm_msg_from(rusm_receive());
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_reply(from, &i, sizeof i) == RUSM_OK);
    }
}

static void expect_one_answer(void *arg) {
    (void)arg;
    for (int i = 0; i < 200; i++) {
        rusm_pid a = spawn_fiber(NULL, i % 2 ? answer_and_end : answer_three_times, NULL, NULL);
        struct rusm_msg *reply;
        RUSM_ASSERT(rusm_call(a, "q", 1, RUSM_FOREVER, &reply) == RUSM_OK);
        RUSM_ASSERT(i % 2 || *(const int *)reply->data == 0);
        await_end(a);
        expect_silence();
        RUSM_ASSERT(monitors_of_self() == 0);
    }
}

static void nothing_comes_after_the_answer(void **state) {
    (void)state;
    run_fiber(expect_one_answer, NULL);
}

/* What came before and while the call waits stays, in order. */
static void call_between_messages(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid clerk = spawn_fiber(NULL, echo, NULL, NULL);
    rusm_pid victim = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    RUSM_ASSERT(rusm_link(victim) == RUSM_OK);
    RUSM_ASSERT(rusm_send(rusm_self(), "1", 1) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, victim));
    await_end(victim);
    RUSM_ASSERT(rusm_send(rusm_self(), "2", 1) == RUSM_OK);
    RUSM_ASSERT(rusm_call(clerk, "q", 1, RUSM_FOREVER, NULL) == RUSM_OK);
    RUSM_ASSERT(*(const char *)rusm_receive()->data == '1');
    (void)expect_news(RUSM_MSG_EXIT, victim, RUSM_EXIT_KILLED);
    RUSM_ASSERT(*(const char *)rusm_receive()->data == '2');
    RUSM_ASSERT(rusm_send(clerk, "", 0) == RUSM_OK);
}

static void a_call_leaves_other_messages(void **state) {
    (void)state;
    run_fiber(call_between_messages, NULL);
}

static void be_refused(void *arg) {
    (void)arg;
    const struct rusm_spawn_opts opts = {.mailbox_len_max = 1};
    rusm_pid full = spawn_fiber(NULL, wait_for_ever, NULL, &opts);
    rusm_pid clerk = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    char data[101] = {0};
    RUSM_ASSERT(rusm_call(clerk, data, sizeof data, RUSM_FOREVER, NULL) ==
                RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(rusm_call((rusm_pid){0}, data, 100, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_reply((struct rusm_from){clerk, {7}}, data, sizeof data) ==
                RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(rusm_reply((struct rusm_from){clerk, {7}}, data, 100) == RUSM_OK); /* dropped */
    RUSM_ASSERT(rusm_reply((struct rusm_from){{0}, {7}}, data, 100) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_send(full, "", 0) == RUSM_OK); /* one scheduler: it has not run yet */
    RUSM_ASSERT(rusm_call(full, data, 1, RUSM_FOREVER, NULL) == RUSM_ERR_MAILBOX_FULL);
    RUSM_ASSERT(monitors_of_self() == 0);
    expect_silence();
    RUSM_ASSERT(rusm_kill(NULL, full) && rusm_kill(NULL, clerk));
}

/* Answers questions of two bytes, but not those of one; watched by nobody once all have been dealt
 * with. */
static void answer_some(void *arg) {
    (void)arg;
    for (;;) {
        struct rusm_msg *msg = rusm_receive();
        if (msg->kind != RUSM_MSG_CALL) {
            break;
        }
        if (msg->len == 2) {
            RUSM_ASSERT(watchers_of_self() == 1);
            RUSM_ASSERT(rusm_reply(rusm_msg_from(msg), "a", 1) == RUSM_OK);
        }
    }
    RUSM_ASSERT(watchers_of_self() == 0);
}

static void ask_often(void *arg) {
    (void)arg;
    rusm_pid clerk = spawn_fiber(NULL, answer_some, NULL, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        RUSM_ASSERT(rusm_call(clerk, "qq", 2, RUSM_FOREVER, NULL) == RUSM_OK);
    }
    RUSM_ASSERT(rusm_call(clerk, "q", 1, 1, NULL) == RUSM_ERR_TIMEOUT);
    RUSM_ASSERT(rusm_send(clerk, "", 0) == RUSM_OK);
    await_end(clerk);
}

static void who_was_called_forgets_who_asked(void **state) {
    (void)state;
    run_fiber(ask_often, NULL);
}

static void a_refused_call_leaves_nothing(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.message_bytes_max = 100;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, be_refused, NULL, NULL);
    finish_runtime(rt);
}

/* ---- servers, many callers ---- */

static void add_one(void *state, struct rusm_msg *msg) {
    (void)state;
    if (msg->kind != RUSM_MSG_CALL) {
        rusm_exit(NULL);
    }
    uint64_t value;
    memcpy(&value, msg->data, sizeof value);
    value++;
    RUSM_ASSERT(rusm_reply(rusm_msg_from(msg), &value, sizeof value) == RUSM_OK);
}

static const struct rusm_server adder = {.message = add_one};

#define CALLERS 20u
#define CALLS   300u

struct clerks {
    rusm_pid server;
    _Atomic uint32_t done;
};

static void call_many_times(void *arg) {
    struct clerks *clerks = arg;
    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t value = rusm_self().v + i;
        struct rusm_msg *reply;
        RUSM_ASSERT(rusm_call(clerks->server, &value, sizeof value, RUSM_FOREVER, &reply) ==
                    RUSM_OK);
        RUSM_ASSERT(*(const uint64_t *)reply->data == value + 1);
    }
    RUSM_ASSERT(monitors_of_self() == 0);
    if (atomic_fetch_add(&clerks->done, 1) + 1 == CALLERS) {
        RUSM_ASSERT(rusm_send(clerks->server, "", 0) == RUSM_OK);
    }
}

static void each_caller_gets_its_own_answers(void **state) {
    (void)state;
    for (uint32_t bound = 0; bound < 3; bound++) { /* 0: none; else senders are held */
        rusm_runtime *rt = start_runtime(2);
        struct clerks clerks = {.done = 0};
        const struct rusm_spawn_opts opts = {.mailbox_len_max = bound, .mailbox_hold = bound > 0};
        assert_int_equal(rusm_spawn_server(rt, &adder, NULL, &opts, &clerks.server), RUSM_OK);
        for (uint32_t i = 0; i < CALLERS; i++) {
            (void)spawn_fiber(rt, call_many_times, &clerks, NULL);
        }
        finish_runtime(rt);
        assert_int_equal(atomic_load(&clerks.done), CALLERS);
    }
}

/* A server that asks another while it is asked. */
static void ask_the_next(void *state, struct rusm_msg *msg) {
    rusm_pid next = *(const rusm_pid *)state;
    struct rusm_from from = rusm_msg_from(msg); /* a call is a receive: msg is gone after */
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(next, msg->data, msg->len, RUSM_FOREVER, &reply) == RUSM_OK);
    RUSM_ASSERT(rusm_reply(from, reply->data, reply->len) == RUSM_OK);
    RUSM_ASSERT(rusm_send(next, "", 0) == RUSM_OK);
    rusm_exit(NULL);
}

static enum rusm_err know_the_next(void *state, void *arg) {
    *(rusm_pid *)state = *(const rusm_pid *)arg;
    return RUSM_OK;
}

static void call_through_a_server(void *arg) {
    (void)arg;
    static const struct rusm_server middle = {
        .state_bytes = sizeof(rusm_pid), .init = know_the_next, .message = ask_the_next};
    rusm_pid last;
    rusm_pid first;
    RUSM_ASSERT(rusm_start_link(&adder, NULL, NULL, &last) == RUSM_OK);
    RUSM_ASSERT(rusm_start_link(&middle, &last, NULL, &first) == RUSM_OK);
    uint64_t value = 41;
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(first, &value, sizeof value, RUSM_FOREVER, &reply) == RUSM_OK);
    RUSM_ASSERT(*(const uint64_t *)reply->data == 42);
}

static void a_server_may_call_while_it_is_called(void **state) {
    (void)state;
    run_fiber(call_through_a_server, NULL);
}

/* ---- start_link ---- */

struct plan {
    enum rusm_err result;
    bool crashes;
    bool waits; /* for a message, in init */
    bool fails_after;
    uint32_t terminates;
};

static enum rusm_err init_as_planned(void *state, void *arg) {
    struct plan *plan = arg;
    *(struct plan **)state = plan;
    if (plan->waits) {
        (void)rusm_receive();
    }
    if (plan->crashes) {
        rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "crash", 5});
    }
    if (plan->fails_after) {
        RUSM_ASSERT(rusm_send(rusm_self(), "fail", 4) == RUSM_OK);
    }
    return plan->result;
}

static void fail_on_message(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "after", 5});
}

static void count_terminate(void *state, const struct rusm_exit_reason *reason) {
    (void)reason;
    (*(struct plan **)state)->terminates++;
}

static const struct rusm_server planned = {.state_bytes = sizeof(struct plan *),
                                           .init = init_as_planned,
                                           .message = fail_on_message,
                                           .terminate = count_terminate};

static void start_in_every_way(void *arg) {
    bool traps = *(const bool *)arg;
    (void)rusm_trap_exit(traps);
    for (int i = 0; i < 50; i++) {
        struct plan refuses = {.result = RUSM_ERR_SYSTEM};
        struct plan crashes = {.crashes = true};
        struct plan works = {.result = RUSM_OK};
        rusm_pid pid = {77};
        /* When it returns, the name is free again. */
        const struct rusm_spawn_opts named = {.name = "planned"};
        RUSM_ASSERT(rusm_start_link(&planned, &refuses, &named, &pid) == RUSM_ERR_START_FAILED);
        RUSM_ASSERT(rusm_start_link(&planned, &crashes, &named, &pid) == RUSM_ERR_START_FAILED);
        const struct rusm_spawn_opts bad = {.name = ""};
        RUSM_ASSERT(rusm_start_link(&planned, &works, &bad, &pid) == RUSM_ERR_INVALID);
        RUSM_ASSERT(pid.v == 77);
        RUSM_ASSERT(links_of_self() == 0);
        expect_silence();
        RUSM_ASSERT(rusm_start_link(&planned, &works, &named, &pid) == RUSM_OK);
        RUSM_ASSERT(rusm_whereis(NULL, "planned").v == pid.v);
        RUSM_ASSERT(links_of_self() == 1);
        rusm_unlink(pid);
        rusm_ref ref;
        RUSM_ASSERT(rusm_monitor(pid, &ref) == RUSM_OK);
        RUSM_ASSERT(rusm_kill(NULL, pid));
        (void)expect_news(RUSM_MSG_DOWN, pid, RUSM_EXIT_KILLED);
        expect_silence();
        RUSM_ASSERT(refuses.terminates == 1 && crashes.terminates == 1 && works.terminates == 1);
        RUSM_ASSERT(rusm_trap_exit(traps) == traps);
    }
}

static void a_failed_start_is_told_and_survived(void **state) {
    (void)state;
    bool traps = false;
    run_fiber(start_in_every_way, &traps);
    traps = true;
    run_fiber(start_in_every_way, &traps);
}

struct starter {
    struct plan plan;
    bool traps;
    enum rusm_err err;
    bool went_on; /* past the start, and a message that came after */
};

static void start_planned(void *arg) {
    struct starter *starter = arg;
    (void)rusm_trap_exit(starter->traps);
    const struct rusm_spawn_opts opts = {.name = "starting"};
    starter->err = rusm_start_link(&planned, &starter->plan, &opts, NULL);
    const struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(msg->kind != RUSM_MSG_EXIT || starter->traps);
    starter->went_on = true;
}

/* A start that is under way: the child waits in init, and its parent for it. Returns the parent. */
static rusm_pid start_a_start(rusm_runtime *rt, struct starter *starter,
                              struct exit_record *record) {
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = record};
    starter->plan.waits = true;
    rusm_pid parent = spawn_fiber(rt, start_planned, starter, &opts);
    await_wait(rt, parent, RUSM_WAIT_RECEIVE);
    await_wait(rt, rusm_whereis(rt, "starting"), RUSM_WAIT_RECEIVE);
    return parent;
}

static void a_child_killed_in_init_is_a_failed_start(void **state) {
    (void)state;
    for (int traps = 0; traps < 2; traps++) {
        rusm_runtime *rt = start_runtime(2);
        struct starter starter = {.traps = traps};
        struct exit_record record = {.count = 0};
        rusm_pid parent = start_a_start(rt, &starter, &record);
        assert_true(rusm_kill(rt, rusm_whereis(rt, "starting")));
        assert_int_equal(rusm_post(rt, parent, "", 0), RUSM_OK);
        finish_runtime(rt);
        assert_true(starter.went_on);
        assert_int_equal(starter.err, RUSM_ERR_START_FAILED);
        assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
        assert_int_equal(starter.plan.terminates, 1);
    }
}

static void a_parent_killed_in_a_start_takes_the_child_along(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct starter starter = {.traps = true};
    struct exit_record record = {.count = 0};
    assert_true(rusm_kill(rt, start_a_start(rt, &starter, &record)));
    finish_runtime(rt);
    assert_false(starter.went_on);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    assert_int_equal(starter.plan.terminates, 1);
}

/* Links with the process in `arg` and fails. */
static void fail_linked(void *arg) {
    RUSM_ASSERT(rusm_link(*(const rusm_pid *)arg) == RUSM_OK);
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "other", 5});
}

static void a_starting_parent_dies_of_another_that_is_linked(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct starter starter = {.traps = false};
    struct exit_record record = {.count = 0};
    rusm_pid parent = start_a_start(rt, &starter, &record);
    (void)spawn_fiber(rt, fail_linked, &parent, NULL);
    finish_runtime(rt); /* the child waits in init: nothing else would end this */
    assert_false(starter.went_on);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(record.payload_bytes, 5);
    assert_memory_equal(record.payload, "other", 5);
}

static void a_starting_parent_that_traps_reads_of_others_later(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct starter starter = {.traps = true};
    struct exit_record record = {.count = 0};
    rusm_pid parent = start_a_start(rt, &starter, &record);
    rusm_pid other = spawn_fiber(rt, fail_linked, &parent, NULL);
    AWAIT(!rusm_is_alive(rt, other));
    assert_int_equal(rusm_post(rt, rusm_whereis(rt, "starting"), "", 0), RUSM_OK);
    AWAIT(!rusm_is_alive(rt, parent));
    rusm_runtime_destroy(rt); /* the child outlives its parent's normal end */
    assert_true(starter.went_on);
    assert_int_equal(starter.err, RUSM_OK);
}

static void a_parent_dies_of_a_child_that_fails_after_its_init(void **state) {
    (void)state;
    for (int traps = 0; traps < 2; traps++) {
        rusm_runtime *rt = start_runtime(2);
        struct starter starter = {.traps = traps, .plan = {.fails_after = true}};
        struct exit_record record = {.count = 0};
        const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
        (void)spawn_fiber(rt, start_planned, &starter, &opts);
        finish_runtime(rt);
        assert_int_equal(starter.went_on, traps);
        assert_int_equal(record.kind, traps ? RUSM_EXIT_NORMAL : RUSM_EXIT_ERROR);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered_whatever_its_size),
        cmocka_unit_test(a_late_reply_is_dropped),
        cmocka_unit_test(a_call_times_out),
        cmocka_unit_test(a_call_to_the_dead_fails_at_once),
        cmocka_unit_test(a_call_to_the_killed_fails),
        cmocka_unit_test(a_third_process_can_answer),
        cmocka_unit_test(a_killed_caller_is_not_answered),
        cmocka_unit_test(nothing_comes_after_the_answer),
        cmocka_unit_test(a_call_leaves_other_messages),
        cmocka_unit_test(who_was_called_forgets_who_asked),
        cmocka_unit_test(a_refused_call_leaves_nothing),
        cmocka_unit_test(each_caller_gets_its_own_answers),
        cmocka_unit_test(a_server_may_call_while_it_is_called),
        cmocka_unit_test(a_failed_start_is_told_and_survived),
        cmocka_unit_test(a_child_killed_in_init_is_a_failed_start),
        cmocka_unit_test(a_parent_killed_in_a_start_takes_the_child_along),
        cmocka_unit_test(a_starting_parent_dies_of_another_that_is_linked),
        cmocka_unit_test(a_starting_parent_that_traps_reads_of_others_later),
        cmocka_unit_test(a_parent_dies_of_a_child_that_fails_after_its_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
