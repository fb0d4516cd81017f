/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Monitors, exit signals that are sent, and taking such messages into one's own hands. */
#include "base/assert.h"
#include "otp/test_puppet_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MANY 3000u

static const rusm_pid nobody = {0};

static struct rusm_process_info info_of(rusm_pid pid) {
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, pid, &info) == RUSM_OK);
    return info;
}

/* Wait until `pid` has heard of all the monitors of it that were made and ended. */
static void await_watchers(rusm_pid pid, uint32_t count) {
    while (info_of(pid).monitored_by != count) {
        rusm_yield();
    }
}

/* ---- monitors ---- */

static void watch_every_end(void *arg) {
    (void)arg;
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL,   RUSM_EXIT_KILLED,
                                                RUSM_EXIT_SHUTDOWN, RUSM_EXIT_ERROR,
                                                RUSM_EXIT_LIMIT,    RUSM_EXIT_NOPROC};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rusm_pid a = puppet_spawn(NULL);
        rusm_ref ref;
        RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK && ref.v != 0);
        unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
        memset(payload, (int)i, sizeof payload);
        uint32_t bytes = i % 2 ? sizeof payload : (uint32_t)i;
        puppet_exit(a, kinds[i], payload, bytes);
        const struct rusm_down *down = expect_news(RUSM_MSG_DOWN, a, kinds[i]);
        RUSM_ASSERT(down->ref.v == ref.v);
        RUSM_ASSERT(down->reason.payload_bytes == bytes);
        RUSM_ASSERT(bytes == 0 || memcmp(down->reason.payload, payload, bytes) == 0);
        expect_silence();
        RUSM_ASSERT(!rusm_demonitor(ref, true));
    }
    RUSM_ASSERT(info_of(rusm_self()).monitors == 0);
}

static void down_tells_the_reason(void **state) {
    (void)state;
    run_fiber(watch_every_end, NULL);
}

static void watch_a_victim(void *arg) {
    (void)arg;
    rusm_ref ref;
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, a));
    RUSM_ASSERT(expect_news(RUSM_MSG_DOWN, a, RUSM_EXIT_KILLED)->ref.v == ref.v);

    RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK); /* dead by now */
    RUSM_ASSERT(expect_news(RUSM_MSG_DOWN, a, RUSM_EXIT_NOPROC)->ref.v == ref.v);
    RUSM_ASSERT(!rusm_demonitor(ref, true));
    expect_silence();
}

static void down_tells_of_kills_and_of_the_dead(void **state) {
    (void)state;
    run_fiber(watch_a_victim, NULL);
}

static void watch_many_times(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_ref refs[20];
    bool told[20] = {false};
    for (uint32_t i = 0; i < 20; i++) {
        RUSM_ASSERT(rusm_monitor(a, &refs[i]) == RUSM_OK);
        for (uint32_t j = 0; j < i; j++) {
            RUSM_ASSERT(refs[i].v != refs[j].v);
        }
    }
    RUSM_ASSERT(info_of(rusm_self()).monitors == 20);
    await_watchers(a, 20);
    for (uint32_t i = 0; i < 20; i += 2) {
        RUSM_ASSERT(rusm_demonitor(refs[i], false));
        RUSM_ASSERT(!rusm_demonitor(refs[i], false));
        told[i] = true; /* never to be */
    }
    puppet_exit(a, RUSM_EXIT_ERROR, NULL, 0);
    for (uint32_t left = 10; left > 0; left--) {
        const struct rusm_down *down = expect_news(RUSM_MSG_DOWN, a, RUSM_EXIT_ERROR);
        uint32_t at = 0;
        while (refs[at].v != down->ref.v) {
            RUSM_ASSERT(++at < 20);
        }
        RUSM_ASSERT(!told[at]);
        told[at] = true;
    }
    expect_silence();
}

static void monitors_of_one_process_are_independent(void **state) {
    (void)state;
    run_fiber(watch_many_times, NULL);
}

static void watch_many(void *arg) {
    (void)arg;
    rusm_pid pids[MANY];
    rusm_ref refs[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_spawn_monitor(wait_for_ever, NULL, NULL, &pids[i], &refs[i]) == RUSM_OK);
    }
    RUSM_ASSERT(info_of(rusm_self()).monitors == MANY);
    for (uint32_t i = 0; i < MANY; i += 2) {
        RUSM_ASSERT(rusm_demonitor(refs[i], true));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_kill(NULL, pids[i]));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        await_end(pids[i]);
    }
    for (uint32_t left = MANY / 2; left > 0; left--) {
        const struct rusm_msg *msg = rusm_receive_timeout(0);
        RUSM_ASSERT(msg && msg->kind == RUSM_MSG_DOWN);
    }
    expect_silence();
    RUSM_ASSERT(info_of(rusm_self()).monitors == 0);
}

static void thousands_of_monitors_are_told_of_one_by_one(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    config.stack_bytes = 256u * 1024;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, watch_many, NULL, NULL);
    finish_runtime(rt);
}

static bool is_bytes(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    return msg->kind == RUSM_MSG_BYTES;
}

/* The DOWN is in the mailbox when the monitor is ended. */
static void demonitor_late(void *arg) {
    (void)arg;
    for (int flush = 0; flush < 2; flush++) {
        rusm_pid a = puppet_spawn(NULL);
        rusm_pid b = puppet_spawn(NULL);
        rusm_ref ref;
        rusm_ref other;
        RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
        RUSM_ASSERT(rusm_monitor(b, &other) == RUSM_OK);
        puppet_exit(b, RUSM_EXIT_NORMAL, NULL, 0);
        puppet_exit(a, RUSM_EXIT_NORMAL, NULL, 0);
        /* Have the signals handled, so that what waits is the message. */
        RUSM_ASSERT(rusm_receive_match(is_bytes, NULL, 0) == NULL);
        RUSM_ASSERT(rusm_demonitor(ref, flush) == flush);
        RUSM_ASSERT(!rusm_demonitor(ref, false));
        RUSM_ASSERT(expect_news(RUSM_MSG_DOWN, b, RUSM_EXIT_NORMAL)->ref.v == other.v);
        if (!flush) {
            RUSM_ASSERT(expect_news(RUSM_MSG_DOWN, a, RUSM_EXIT_NORMAL)->ref.v == ref.v);
        }
        expect_silence();
        RUSM_ASSERT(!rusm_demonitor(ref, true));
    }
}

static void demonitor_flushes_only_if_told_to(void **state) {
    (void)state;
    run_fiber(demonitor_late, NULL);
}

/* The end of the mailbox is removed, and the mailbox goes on being one. */
static void flush_the_last(void *arg) {
    (void)arg;
    for (int i = 0; i < 10; i++) {
        rusm_pid a = puppet_spawn(NULL);
        rusm_ref ref;
        RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
        for (int j = 0; j < i % 3; j++) {
            RUSM_ASSERT(rusm_send(rusm_self(), "m", 1) == RUSM_OK);
        }
        puppet_exit(a, RUSM_EXIT_ERROR, "payload", 7);
        RUSM_ASSERT(rusm_demonitor(ref, true));
        RUSM_ASSERT(rusm_send(rusm_self(), "n", 1) == RUSM_OK);
        for (int j = 0; j < i % 3; j++) {
            RUSM_ASSERT(*(const char *)rusm_receive()->data == 'm');
        }
        RUSM_ASSERT(*(const char *)rusm_receive()->data == 'n');
        expect_silence();
    }
}

static void flushing_leaves_the_mailbox_whole(void **state) {
    (void)state;
    run_fiber(flush_the_last, NULL);
}

/* A DOWN put aside still waits in the mailbox. */
static void flush_a_stashed_one(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_ref ref;
    RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
    puppet_exit(a, RUSM_EXIT_ERROR, NULL, 0);
    RUSM_ASSERT(rusm_send(rusm_self(), "m", 1) == RUSM_OK);
    rusm_stash(rusm_receive());
    rusm_stash(rusm_receive());
    RUSM_ASSERT(rusm_demonitor(ref, true));
    rusm_unstash();
    RUSM_ASSERT(rusm_receive()->kind == RUSM_MSG_BYTES);
    expect_silence();
}

static void what_was_put_aside_is_flushed_too(void **state) {
    (void)state;
    run_fiber(flush_a_stashed_one, NULL);
}

static void watch_self(void *arg) {
    rusm_ref ref;
    RUSM_ASSERT(rusm_monitor(rusm_self(), &ref) == RUSM_OK);
    expect_silence();
    RUSM_ASSERT(rusm_demonitor(ref, true));
    RUSM_ASSERT(rusm_monitor(rusm_self(), &ref) == RUSM_OK);
    expect_silence();
    *(bool *)arg = true; /* and ends while it watches itself */
}

static void a_process_may_watch_itself_in_vain(void **state) {
    (void)state;
    bool done = false;
    run_fiber(watch_self, &done);
    assert_true(done);
}

static void end_made_up_monitors(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_ref ref;
    RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
    const uint64_t numbers[] = {0, 1, 2, ref.v + 256, UINT64_MAX, (uint64_t)1 << 63, a.v};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        RUSM_ASSERT(!rusm_demonitor((rusm_ref){numbers[i]}, true));
        RUSM_ASSERT(!rusm_demonitor((rusm_ref){numbers[i]}, false));
    }
    puppet_exit(a, RUSM_EXIT_NORMAL, NULL, 0);
    (void)expect_news(RUSM_MSG_DOWN, a, RUSM_EXIT_NORMAL);
}

static void demonitor_of_a_made_up_reference_is_nothing(void **state) {
    (void)state;
    run_fiber(end_made_up_monitors, NULL);
}

static void end_while_watching(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_pid watcher = puppet_spawn(NULL);
    for (int i = 0; i < 5; i++) {
        RUSM_ASSERT(puppet_order(watcher, PUPPET_MONITOR, a) == RUSM_OK);
    }
    await_watchers(a, 5);
    puppet_exit(watcher, RUSM_EXIT_ERROR, NULL, 0);
    RUSM_ASSERT(puppet_lives(a)); /* a monitor has one direction */
    await_watchers(a, 0);
    puppet_exit(a, RUSM_EXIT_NORMAL, NULL, 0);
}

static void a_watchers_end_ends_its_monitors(void **state) {
    (void)state;
    run_fiber(end_while_watching, NULL);
}

static void fail_at_once(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "at once", 7});
}

static void spawn_monitored(void *arg) {
    (void)arg;
    for (uint32_t i = 0; i < MANY; i++) {
        rusm_pid child;
        rusm_ref ref;
        RUSM_ASSERT(rusm_spawn_monitor(fail_at_once, NULL, NULL, &child, &ref) == RUSM_OK);
        const struct rusm_down *down = expect_news(RUSM_MSG_DOWN, child, RUSM_EXIT_ERROR);
        RUSM_ASSERT(down->ref.v == ref.v && down->reason.payload_bytes == 7);
    }
    expect_silence();
}

static void spawn_monitor_misses_no_end(void **state) {
    (void)state;
    run_fiber(spawn_monitored, NULL);
}

/* Linked and watched: both kinds of news come, once each. */
static void watch_and_link(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid a = puppet_spawn(NULL);
    rusm_ref ref;
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
    puppet_exit(a, RUSM_EXIT_SHUTDOWN, NULL, 0);
    uint32_t kinds = 0;
    for (int i = 0; i < 2; i++) {
        const struct rusm_msg *msg = rusm_receive();
        kinds |= 1u << msg->kind;
        RUSM_ASSERT(rusm_msg_down(msg)->reason.kind == RUSM_EXIT_SHUTDOWN);
    }
    RUSM_ASSERT(kinds == (1u << RUSM_MSG_EXIT | 1u << RUSM_MSG_DOWN));
    expect_silence();
}

static void links_and_monitors_do_not_mix(void **state) {
    (void)state;
    run_fiber(watch_and_link, NULL);
}

/* ---- exit signals that are sent ---- */

static bool send_kind(rusm_pid to, enum rusm_exit_kind kind) {
    return rusm_send_exit(to, &(struct rusm_exit_reason){kind, NULL, 0});
}

static void send_exits(void *arg) {
    struct exit_record *record = arg;
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_send_exit(a, NULL)); /* NORMAL */
    RUSM_ASSERT(send_kind(a, RUSM_EXIT_NORMAL));
    RUSM_ASSERT(puppet_heard(a).exits == 0);
    static const enum rusm_exit_kind kinds[] = {
        RUSM_EXIT_SHUTDOWN, RUSM_EXIT_ERROR, RUSM_EXIT_LIMIT, RUSM_EXIT_NOPROC, RUSM_EXIT_KILLED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        atomic_store(&record->count, 0);
        rusm_pid b = puppet_spawn(record);
        RUSM_ASSERT(send_kind(b, kinds[i]));
        await_record(record);
        RUSM_ASSERT(record->kind == kinds[i]);
        RUSM_ASSERT(!send_kind(b, kinds[i]));
        RUSM_ASSERT(!rusm_send_exit(b, NULL));
    }
    RUSM_ASSERT(send_kind(a, RUSM_EXIT_ERROR));
    await_end(a);
}

static void an_exit_signal_ends_unless_normal(void **state) {
    (void)state;
    static struct exit_record record;
    run_fiber(send_exits, &record);
}

static void send_to_a_trapping_one(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(a, PUPPET_TRAP, nobody) == RUSM_OK);
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN,
                                                RUSM_EXIT_ERROR, RUSM_EXIT_LIMIT, RUSM_EXIT_NOPROC};
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        RUSM_ASSERT(rusm_send_exit(a, &(struct rusm_exit_reason){kinds[i], "xx", 2}));
        struct puppet_heard heard = puppet_heard(a);
        RUSM_ASSERT(heard.exits == i + 1 && heard.kind == kinds[i]);
        RUSM_ASSERT(heard.pid.v == rusm_self().v && heard.payload_bytes == 2);
    }
    RUSM_ASSERT(send_kind(a, RUSM_EXIT_KILLED));
    await_end(a);
    expect_silence(); /* they were never linked */
}

static void a_trapping_process_receives_it(void **state) {
    (void)state;
    run_fiber(send_to_a_trapping_one, NULL);
}

/* A link is not used up by an exit signal that was sent. */
static void send_to_a_linked_one(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(a, PUPPET_TRAP, nobody) == RUSM_OK);
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    RUSM_ASSERT(send_kind(a, RUSM_EXIT_ERROR));
    RUSM_ASSERT(puppet_heard(a).exits == 1);
    RUSM_ASSERT(info_of(a).links == 1);
    puppet_exit(a, RUSM_EXIT_SHUTDOWN, NULL, 0);
    (void)expect_news(RUSM_MSG_EXIT, a, RUSM_EXIT_SHUTDOWN);
    expect_silence();
}

static void an_exit_signal_leaves_the_link(void **state) {
    (void)state;
    run_fiber(send_to_a_linked_one, NULL);
}

struct attempt {
    enum rusm_exit_kind kind;
    bool trap;
    bool went_on;
};

static void send_to_self(void *arg) {
    struct attempt *attempt = arg;
    (void)rusm_trap_exit(attempt->trap);
    RUSM_ASSERT(send_kind(rusm_self(), attempt->kind));
    attempt->went_on = true;
    if (attempt->trap) {
        (void)expect_news(RUSM_MSG_EXIT, rusm_self(), attempt->kind);
    }
}

static void an_exit_signal_to_itself_ends_at_once(void **state) {
    (void)state;
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN,
                                                RUSM_EXIT_ERROR};
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof kinds[0]; i++) {
        struct attempt attempt = {.kind = kinds[i / 2], .trap = i % 2 == 1};
        struct exit_record record = {.count = 0};
        const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
        rusm_runtime *rt = start_runtime(1);
        (void)spawn_fiber(rt, send_to_self, &attempt, &opts);
        finish_runtime(rt);
        assert_int_equal(attempt.went_on, attempt.trap);
        assert_int_equal(record.kind, attempt.trap ? RUSM_EXIT_NORMAL : attempt.kind);
    }
}

static void sleep_for_ever(void *arg) {
    (void)arg;
    rusm_sleep(RUSM_TIMER_MS_MAX);
}

static void yield_for_ever(void *arg) {
    (void)arg;
    for (;;) {
        rusm_yield();
    }
}

static bool never(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    (void)msg;
    return false;
}

static void match_for_ever(void *arg) {
    (void)arg;
    (void)rusm_receive_match(never, NULL, RUSM_FOREVER);
}

static void end_those_who_wait(void *arg) {
    struct exit_record *record = arg;
    const rusm_fiber_fn bodies[] = {wait_for_ever, sleep_for_ever, yield_for_ever, match_for_ever};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = record};
    for (size_t i = 0; i < 2 * sizeof bodies / sizeof bodies[0]; i++) {
        atomic_store(&record->count, 0);
        rusm_pid a = spawn_fiber(NULL, bodies[i / 2], NULL, &opts);
        if (i % 2) {
            rusm_yield(); /* it waits, perhaps */
        }
        RUSM_ASSERT(rusm_send_exit(a, &(struct rusm_exit_reason){RUSM_EXIT_ERROR, "end", 3}));
        await_record(record);
        RUSM_ASSERT(record->kind == RUSM_EXIT_ERROR && record->payload_bytes == 3);
    }
}

static void an_exit_signal_ends_whatever_it_waits_for(void **state) {
    (void)state;
    static struct exit_record record;
    run_fiber(end_those_who_wait, &record);
}

/* ---- rusm_msg_take ---- */

static void answer_twice(void *arg) {
    (void)arg;
    struct rusm_msg *first = rusm_msg_take(rusm_receive());
    RUSM_ASSERT(first->kind == RUSM_MSG_CALL);
    struct rusm_msg *second = rusm_msg_take(rusm_receive());
    RUSM_ASSERT(second->kind == RUSM_MSG_CALL && rusm_msg_from(first).pid.v != 0);
    RUSM_ASSERT(first->len == 100 && second->len == 3);
    RUSM_ASSERT(memcmp(second->data, "two", 3) == 0);
    RUSM_ASSERT(rusm_reply(rusm_msg_from(second), second->data, second->len) == RUSM_OK);
    RUSM_ASSERT(rusm_reply(rusm_msg_from(first), first->data, first->len) == RUSM_OK);
    rusm_msg_free(first);
    rusm_msg_free(second);
}

struct question {
    rusm_pid to;
    const char *data;
    size_t len;
};

static void ask_and_take(void *arg) {
    const struct question *question = arg;
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(question->to, question->data, question->len, RUSM_FOREVER, &reply) ==
                RUSM_OK);
    reply = rusm_msg_take(reply);
    expect_silence(); /* a receive: what is borrowed would be gone */
    RUSM_ASSERT(reply->kind == RUSM_MSG_REPLY && reply->len == question->len);
    RUSM_ASSERT(memcmp(reply->data, question->data, question->len) == 0);
    RUSM_ASSERT(rusm_msg_from(reply).pid.v == question->to.v);
    rusm_msg_free(reply);
}

static void calls_and_replies_can_be_taken(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid clerk = spawn_fiber(rt, answer_twice, NULL, NULL);
    char data[100];
    memset(data, 'd', sizeof data);
    struct question first = {clerk, data, sizeof data};
    struct question second = {clerk, "two", 3};
    (void)spawn_fiber(rt, ask_and_take, &first, NULL);
    (void)spawn_fiber(rt, ask_and_take, &second, NULL);
    finish_runtime(rt);
}

/* News in the mailbox: `others` more messages behind it decide whether its cell is the end of the
 * mailbox's chain, of which a copy is taken. */
static void take_news(enum rusm_msg_kind kind, uint32_t bytes, int others) {
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
    memset(payload, 0x5a, sizeof payload);
    rusm_pid a = puppet_spawn(NULL);
    rusm_ref ref = {0};
    RUSM_ASSERT((kind == RUSM_MSG_EXIT ? rusm_link(a) : rusm_monitor(a, &ref)) == RUSM_OK);
    puppet_exit(a, RUSM_EXIT_ERROR, payload, bytes);
    for (int i = 0; i < others; i++) {
        RUSM_ASSERT(rusm_send(rusm_self(), "other", 5) == RUSM_OK);
    }
    struct rusm_msg *news = rusm_msg_take(rusm_receive());
    for (int i = 0; i < others; i++) {
        RUSM_ASSERT(rusm_receive()->kind == RUSM_MSG_BYTES);
    }
    expect_silence();
    RUSM_ASSERT(news->kind == kind && rusm_msg_down(news)->pid.v == a.v);
    RUSM_ASSERT(rusm_msg_down(news)->ref.v == ref.v);
    RUSM_ASSERT(rusm_msg_down(news)->reason.kind == RUSM_EXIT_ERROR);
    RUSM_ASSERT(rusm_msg_down(news)->reason.payload_bytes == bytes);
    RUSM_ASSERT(bytes == 0 || memcmp(rusm_msg_down(news)->reason.payload, payload, bytes) == 0);
    rusm_msg_free(news);
}

static void take_all_news(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    static const uint32_t sizes[] = {0, 5, RUSM_EXIT_PAYLOAD_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int others = 0; others < 3; others++) {
            take_news(RUSM_MSG_EXIT, sizes[i], others);
            take_news(RUSM_MSG_DOWN, sizes[i], others);
        }
    }
}

static void news_can_be_taken(void **state) {
    (void)state;
    run_fiber(take_all_news, NULL);
}

/* Killed with all kinds of messages unread: the leak checker looks on. */
static void fill_and_die(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_ref ref;
    for (int i = 0; i < 10; i++) {
        rusm_pid a = puppet_spawn(NULL);
        RUSM_ASSERT(rusm_link(a) == RUSM_OK);
        RUSM_ASSERT(rusm_monitor(a, &ref) == RUSM_OK);
        puppet_exit(a, RUSM_EXIT_ERROR, "payload", 7);
    }
    rusm_stash(rusm_receive());
    rusm_exit(NULL);
}

static void unread_news_dies_with_the_process(void **state) {
    (void)state;
    run_fiber(fill_and_die, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(down_tells_the_reason),
        cmocka_unit_test(down_tells_of_kills_and_of_the_dead),
        cmocka_unit_test(monitors_of_one_process_are_independent),
        cmocka_unit_test(thousands_of_monitors_are_told_of_one_by_one),
        cmocka_unit_test(demonitor_flushes_only_if_told_to),
        cmocka_unit_test(flushing_leaves_the_mailbox_whole),
        cmocka_unit_test(what_was_put_aside_is_flushed_too),
        cmocka_unit_test(a_process_may_watch_itself_in_vain),
        cmocka_unit_test(demonitor_of_a_made_up_reference_is_nothing),
        cmocka_unit_test(a_watchers_end_ends_its_monitors),
        cmocka_unit_test(spawn_monitor_misses_no_end),
        cmocka_unit_test(links_and_monitors_do_not_mix),
        cmocka_unit_test(an_exit_signal_ends_unless_normal),
        cmocka_unit_test(a_trapping_process_receives_it),
        cmocka_unit_test(an_exit_signal_leaves_the_link),
        cmocka_unit_test(an_exit_signal_to_itself_ends_at_once),
        cmocka_unit_test(an_exit_signal_ends_whatever_it_waits_for),
        cmocka_unit_test(calls_and_replies_can_be_taken),
        cmocka_unit_test(news_can_be_taken),
        cmocka_unit_test(unread_news_dies_with_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
