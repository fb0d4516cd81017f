/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Links and exit signals. Source of what is expected: Erlang reference manual, "Processes". */
#include "base/assert.h"
#include "otp/test_puppet_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MANY 3000u

static const rusm_pid nobody = {0};

/* ---- links ---- */

static void links_both_ways(void *arg) {
    (void)arg;
    for (int first = 0; first < 2; first++) {
        rusm_pid pair[] = {puppet_spawn(NULL), puppet_spawn(NULL)};
        RUSM_ASSERT(puppet_order(pair[0], PUPPET_LINK, pair[1]) == RUSM_OK);
        RUSM_ASSERT(puppet_order(pair[1 - first], PUPPET_TRAP, nobody) == RUSM_OK);
        puppet_exit(pair[first], RUSM_EXIT_ERROR, "why", 3);
        struct puppet_heard heard = puppet_heard(pair[1 - first]);
        RUSM_ASSERT(heard.exits == 1 && heard.downs == 0);
        RUSM_ASSERT(heard.pid.v == pair[first].v);
        RUSM_ASSERT(heard.kind == RUSM_EXIT_ERROR && heard.payload_bytes == 3);
        puppet_exit(pair[1 - first], RUSM_EXIT_NORMAL, NULL, 0);
    }
}

static void both_ends_hear_of_each_other(void **state) {
    (void)state;
    run_fiber(links_both_ways, NULL);
}

static void fail_a_linked_pair(void *arg) {
    struct exit_record *record = arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_pid b = puppet_spawn(record);
    RUSM_ASSERT(puppet_order(a, PUPPET_LINK, b) == RUSM_OK);
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
    memset(payload, 'p', sizeof payload);
    puppet_exit(a, RUSM_EXIT_ERROR, payload, sizeof payload);
}

static void the_linked_dies_of_the_same_reason(void **state) {
    (void)state;
    static struct exit_record record;
    run_fiber(fail_a_linked_pair, &record);
    assert_int_equal(atomic_load(&record.count), 1);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(record.payload_bytes, RUSM_EXIT_PAYLOAD_MAX);
    assert_int_equal(record.payload[0], 'p');
    assert_int_equal(record.payload[RUSM_EXIT_PAYLOAD_MAX - 1], 'p');
}

/* Every reason a process can give for its end, to a linked one that does not trap. */
static void end_in_every_way(void *arg) {
    struct exit_record *record = arg;
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_KILLED, RUSM_EXIT_SHUTDOWN,
                                                RUSM_EXIT_ERROR, RUSM_EXIT_LIMIT, RUSM_EXIT_NOPROC};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        atomic_store(&record->count, 0);
        rusm_pid a = puppet_spawn(NULL);
        rusm_pid b = puppet_spawn(record);
        RUSM_ASSERT(puppet_order(b, PUPPET_LINK, a) == RUSM_OK);
        puppet_exit(a, kinds[i], NULL, 0);
        await_record(record);
        RUSM_ASSERT(record->kind == kinds[i] && record->payload_bytes == 0);
    }
}

static void any_reason_but_normal_kills(void **state) {
    (void)state;
    static struct exit_record record;
    run_fiber(end_in_every_way, &record);
}

static void end_normally(void *arg) {
    (void)arg;
    rusm_pid a = puppet_spawn(NULL);
    rusm_pid b = puppet_spawn(NULL);
    rusm_pid trapping = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(trapping, PUPPET_TRAP, nobody) == RUSM_OK);
    RUSM_ASSERT(puppet_order(b, PUPPET_LINK, a) == RUSM_OK);
    RUSM_ASSERT(puppet_order(trapping, PUPPET_LINK, a) == RUSM_OK);
    puppet_exit(a, RUSM_EXIT_NORMAL, NULL, 0);
    RUSM_ASSERT(puppet_heard(b).exits == 0);
    struct puppet_heard heard = puppet_heard(trapping);
    RUSM_ASSERT(heard.exits == 1 && heard.kind == RUSM_EXIT_NORMAL);
    puppet_exit(b, RUSM_EXIT_NORMAL, NULL, 0);
    puppet_exit(trapping, RUSM_EXIT_NORMAL, NULL, 0);
}

static void normal_does_not_kill_but_is_told(void **state) {
    (void)state;
    run_fiber(end_normally, NULL);
}

static void kill_a_trapping_one(void *arg) {
    struct exit_record *records = arg;
    rusm_pid victim = puppet_spawn(&records[0]);
    rusm_pid linked = puppet_spawn(&records[1]);
    rusm_pid trapping = puppet_spawn(NULL);
    RUSM_ASSERT(puppet_order(victim, PUPPET_TRAP, nobody) == RUSM_OK);
    RUSM_ASSERT(puppet_order(trapping, PUPPET_TRAP, nobody) == RUSM_OK);
    RUSM_ASSERT(puppet_order(victim, PUPPET_LINK, linked) == RUSM_OK);
    RUSM_ASSERT(puppet_order(victim, PUPPET_LINK, trapping) == RUSM_OK);
    const struct rusm_exit_reason kill = {RUSM_EXIT_KILLED, "ignored", 7};
    RUSM_ASSERT(rusm_send_exit(victim, &kill));
    await_end(victim);
    await_end(linked);
    struct puppet_heard heard = puppet_heard(trapping);
    RUSM_ASSERT(heard.exits == 1 && heard.kind == RUSM_EXIT_KILLED && heard.pid.v == victim.v);
    puppet_exit(trapping, RUSM_EXIT_NORMAL, NULL, 0);
}

static void kill_cannot_be_trapped_but_those_linked_can(void **state) {
    (void)state;
    static struct exit_record records[2];
    run_fiber(kill_a_trapping_one, records);
    assert_int_equal(records[0].kind, RUSM_EXIT_KILLED);
    assert_int_equal(records[1].kind, RUSM_EXIT_KILLED);
}

static void exit_with_sizes(void *arg) {
    (void)arg;
    static const uint32_t sizes[] = {0, 1, 40, 41, 1000, RUSM_EXIT_PAYLOAD_MAX};
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
    for (uint32_t i = 0; i < sizeof payload; i++) {
        payload[i] = (unsigned char)(i * 7);
    }
    (void)rusm_trap_exit(true);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        rusm_pid a = puppet_spawn(NULL);
        RUSM_ASSERT(rusm_link(a) == RUSM_OK);
        puppet_exit(a, RUSM_EXIT_ERROR, payload, sizes[i]);
        const struct rusm_down *down = expect_news(RUSM_MSG_EXIT, a, RUSM_EXIT_ERROR);
        RUSM_ASSERT(down->ref.v == 0);
        RUSM_ASSERT(down->reason.payload_bytes == sizes[i]);
        RUSM_ASSERT((down->reason.payload == NULL) == (sizes[i] == 0));
        RUSM_ASSERT(sizes[i] == 0 || memcmp(down->reason.payload, payload, sizes[i]) == 0);
        expect_silence();
    }
}

static void reasons_carry_payloads(void **state) {
    (void)state;
    run_fiber(exit_with_sizes, NULL);
}

static void link_to_the_dead(void *arg) {
    rusm_pid dead = spawn_fiber(NULL, end_at_once, NULL, NULL);
    await_end(dead);
    bool before = rusm_trap_exit(true);
    RUSM_ASSERT(!before);
    RUSM_ASSERT(rusm_link(dead) == RUSM_OK);
    (void)expect_news(RUSM_MSG_EXIT, dead, RUSM_EXIT_NOPROC);
    expect_silence();
    RUSM_ASSERT(rusm_trap_exit(false));
    RUSM_ASSERT(rusm_link(dead) == RUSM_OK);
    (void)rusm_receive_timeout(0); /* dies here at the latest */
    *(bool *)arg = true;
}

static void link_to_the_dead_is_an_exit_signal_noproc(void **state) {
    (void)state;
    struct exit_record record = {.count = 0};
    bool survived = false;
    rusm_runtime *rt = start_runtime(2);
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    (void)spawn_fiber(rt, link_to_the_dead, &survived, &opts);
    finish_runtime(rt);
    assert_false(survived);
    assert_int_equal(record.kind, RUSM_EXIT_NOPROC);
}

/* Numbers that were never given out. */
static void link_to_nonsense(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    uint64_t self = rusm_self().v;
    const uint64_t numbers[] = {0,
                                1,
                                self ^ ((uint64_t)1 << 63),
                                self ^ ((uint64_t)1 << 24),
                                self + ((uint64_t)2 << 24),
                                (uint64_t)3 << 62,
                                UINT64_MAX,
                                INT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        rusm_pid pid = {numbers[i]};
        rusm_ref ref;
        rusm_unlink(pid);
        RUSM_ASSERT(rusm_link(pid) == RUSM_OK);
        (void)expect_news(RUSM_MSG_EXIT, pid, RUSM_EXIT_NOPROC);
        RUSM_ASSERT(rusm_monitor(pid, &ref) == RUSM_OK);
        RUSM_ASSERT(expect_news(RUSM_MSG_DOWN, pid, RUSM_EXIT_NOPROC)->ref.v == ref.v);
        RUSM_ASSERT(!rusm_send_exit(pid, NULL));
        rusm_unlink(pid);
        expect_silence();
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0 && info.monitors == 0);
}

static void pids_never_given_out_do_not_exist(void **state) {
    (void)state;
    run_fiber(link_to_nonsense, NULL);
}

static void link_twice(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    RUSM_ASSERT(puppet_order(a, PUPPET_LINK, rusm_self()) == RUSM_OK);
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, a, &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 1);
    puppet_exit(a, RUSM_EXIT_ERROR, NULL, 0);
    (void)expect_news(RUSM_MSG_EXIT, a, RUSM_EXIT_ERROR);
    expect_silence();

    rusm_pid b = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_link(b) == RUSM_OK);
    RUSM_ASSERT(rusm_link(b) == RUSM_OK);
    RUSM_ASSERT(rusm_unlink(b)); /* one unlink ends it, however often it was made */
    puppet_exit(b, RUSM_EXIT_ERROR, NULL, 0);
    expect_silence();
}

static void a_link_is_one_however_often_made(void **state) {
    (void)state;
    run_fiber(link_twice, NULL);
}

static void link_to_self(void *arg) {
    RUSM_ASSERT(rusm_link(rusm_self()) == RUSM_OK);
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0);
    rusm_unlink(rusm_self());
    expect_silence();
    *(bool *)arg = true;
}

static void a_link_to_itself_is_nothing(void **state) {
    (void)state;
    bool done = false;
    run_fiber(link_to_self, &done);
    assert_true(done);
}

static void unlink_in_time(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid a = puppet_spawn(NULL);
    RUSM_ASSERT(!rusm_unlink(a)); /* not linked: nothing */
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    rusm_unlink(a);
    rusm_unlink(a);
    puppet_exit(a, RUSM_EXIT_ERROR, NULL, 0);
    expect_silence();
    rusm_unlink(a);
    expect_silence();

    /* By the other end. */
    rusm_pid b = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_link(b) == RUSM_OK);
    RUSM_ASSERT(puppet_order(b, PUPPET_UNLINK, rusm_self()) == RUSM_OK);
    puppet_exit(b, RUSM_EXIT_ERROR, NULL, 0);
    expect_silence();

    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0);
}

static void after_unlink_a_death_is_not_told(void **state) {
    (void)state;
    run_fiber(unlink_in_time, NULL);
}

static void relink(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < 20; i++) {
        rusm_pid a = puppet_spawn(NULL);
        for (uint32_t j = 0; j < i; j++) {
            RUSM_ASSERT(rusm_link(a) == RUSM_OK);
            rusm_unlink(a);
        }
        RUSM_ASSERT(rusm_link(a) == RUSM_OK);
        if (i % 2 == 0) {
            RUSM_ASSERT(puppet_lives(a)); /* it has acknowledged the unlinks */
        }
        puppet_exit(a, RUSM_EXIT_SHUTDOWN, NULL, 0);
        (void)expect_news(RUSM_MSG_EXIT, a, RUSM_EXIT_SHUTDOWN);
        expect_silence();
    }
}

static void a_link_made_again_counts(void **state) {
    (void)state;
    run_fiber(relink, NULL);
}

static void link_many(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid pids[MANY];
    bool told[MANY] = {false};
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_spawn_link(wait_for_ever, NULL, NULL, &pids[i]) == RUSM_OK);
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == MANY);
    for (uint32_t i = 0; i < MANY; i += 3) {
        rusm_unlink(pids[i]);
        told[i] = true; /* never to be */
    }
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_kill(NULL, pids[i]));
    }
    for (uint32_t left = MANY - (MANY + 2) / 3; left > 0; left--) {
        const struct rusm_msg *msg = rusm_receive();
        RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT);
        uint32_t at = 0;
        while (pids[at].v != rusm_msg_down(msg)->pid.v) {
            RUSM_ASSERT(++at < MANY);
        }
        RUSM_ASSERT(!told[at]);
        told[at] = true;
    }
    for (uint32_t i = 0; i < MANY; i++) {
        await_end(pids[i]);
    }
    expect_silence();
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0);
}

static void thousands_of_links_are_told_of_one_by_one(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 2;
    config.stack_bytes = 256u * 1024;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, link_many, NULL, NULL);
    finish_runtime(rt);
}

static void die_with_many(void *arg) {
    for (uint32_t i = 0; i < MANY; i++) {
        const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = arg};
        RUSM_ASSERT(rusm_spawn_link(wait_for_ever, NULL, &opts, NULL) == RUSM_OK);
    }
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "all", 3});
}

static void thousands_die_with_the_one_they_are_linked_to(void **state) {
    (void)state;
    static struct exit_record record;
    rusm_runtime *rt = start_runtime(1); /* one scheduler: the records are written in turn */
    (void)spawn_fiber(rt, die_with_many, &record, NULL);
    finish_runtime(rt);
    assert_int_equal(atomic_load(&record.count), MANY);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(record.payload_bytes, 3);
}

/* A ring of linked processes: the end of one goes all the way round, both ways, and stops. */
static void break_a_ring(void *arg) {
    struct exit_record *record = arg;
    rusm_pid ring[50];
    const uint32_t len = sizeof ring / sizeof ring[0];
    for (uint32_t i = 0; i < len; i++) {
        ring[i] = puppet_spawn(record);
    }
    for (uint32_t i = 0; i < len; i++) {
        RUSM_ASSERT(puppet_order(ring[i], PUPPET_LINK, ring[(i + 1) % len]) == RUSM_OK);
    }
    puppet_exit(ring[7], RUSM_EXIT_ERROR, "ring", 4);
}

static void an_end_goes_round_a_ring(void **state) {
    (void)state;
    static struct exit_record record;
    rusm_runtime *rt = start_runtime(1);
    (void)spawn_fiber(rt, break_a_ring, &record, NULL);
    finish_runtime(rt);
    assert_int_equal(atomic_load(&record.count), 50);
    assert_int_equal(record.payload_bytes, 4);
}

static void send_and_die(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    for (uint32_t i = 0; i < 10; i++) {
        RUSM_ASSERT(rusm_send(to, &i, sizeof i) == RUSM_OK);
    }
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void receive_in_order(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    rusm_pid self = rusm_self();
    rusm_pid child;
    RUSM_ASSERT(rusm_spawn_link(send_and_die, &self, NULL, &child) == RUSM_OK);
    for (uint32_t i = 0; i < 10; i++) {
        RUSM_ASSERT(*(const uint32_t *)rusm_receive()->data == i);
    }
    (void)expect_news(RUSM_MSG_EXIT, child, RUSM_EXIT_ERROR);
}

static void an_exit_comes_after_the_messages_sent_before(void **state) {
    (void)state;
    run_fiber(receive_in_order, NULL);
}

static void stop_trapping(void *arg) {
    RUSM_ASSERT(!rusm_trap_exit(true));
    RUSM_ASSERT(rusm_trap_exit(true));
    rusm_pid a = puppet_spawn(NULL);
    rusm_pid b = puppet_spawn(NULL);
    RUSM_ASSERT(rusm_link(a) == RUSM_OK);
    RUSM_ASSERT(rusm_link(b) == RUSM_OK);
    puppet_exit(a, RUSM_EXIT_ERROR, NULL, 0); /* its signal is a message by now */
    RUSM_ASSERT(rusm_trap_exit(false));
    (void)expect_news(RUSM_MSG_EXIT, a, RUSM_EXIT_ERROR);
    expect_silence();
    *(bool *)arg = true;
    puppet_exit(b, RUSM_EXIT_ERROR, NULL, 0);
    rusm_yield();
    *(bool *)arg = false;
}

static void what_was_trapped_stays_a_message(void **state) {
    (void)state;
    bool right = false;
    run_fiber(stop_trapping, &right);
    assert_true(right);
}

/* ---- servers ---- */

struct notes {
    uint32_t downs;
    uint32_t messages;
    uint32_t terminates;
    enum rusm_exit_kind terminated_as;
};

static enum rusm_err trap(void *state, void *arg) {
    *(struct notes **)state = arg;
    (void)rusm_trap_exit(true);
    return RUSM_OK;
}

static enum rusm_err do_not_trap(void *state, void *arg) {
    *(struct notes **)state = arg;
    return RUSM_OK;
}

static void note_down(void *state, struct rusm_msg *msg) {
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT);
    (*(struct notes **)state)->downs++;
    rusm_exit(NULL);
}

static void note_message(void *state, struct rusm_msg *msg) {
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT);
    (*(struct notes **)state)->messages++;
    rusm_exit(NULL);
}

static void note_end(void *state, const struct rusm_exit_reason *reason) {
    struct notes *notes = *(struct notes **)state;
    notes->terminates++;
    notes->terminated_as = reason->kind;
}

static void link_to_servers(void *arg) {
    struct notes *notes = arg;
    static const struct rusm_server servers[] = {
        {.state_bytes = 8, .init = trap, .message = note_message, .down = note_down},
        {.state_bytes = 8, .init = trap, .message = note_message},
        {.state_bytes = 8, .init = do_not_trap, .message = note_message, .terminate = note_end},
    };
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        RUSM_ASSERT(rusm_start_link(&servers[i], &notes[i], NULL, NULL) == RUSM_OK);
    }
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void servers_hear_by_down_or_message_or_end(void **state) {
    (void)state;
    struct notes notes[3] = {{0}};
    run_fiber(link_to_servers, notes);
    assert_int_equal(notes[0].downs, 1);
    assert_int_equal(notes[0].messages, 0);
    assert_int_equal(notes[1].messages, 1);
    assert_int_equal(notes[2].messages, 0);
    assert_int_equal(notes[2].terminates, 1);
    assert_int_equal(notes[2].terminated_as, RUSM_EXIT_ERROR);
}

/* ---- spawn_link ---- */

static void fail_at_once(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void spawn_many_that_fail(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < MANY; i++) {
        rusm_pid child;
        RUSM_ASSERT(rusm_spawn_link(fail_at_once, NULL, NULL, &child) == RUSM_OK);
        (void)expect_news(RUSM_MSG_EXIT, child, RUSM_EXIT_ERROR);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_spawn_link(fail_at_once, NULL, NULL, NULL) == RUSM_OK);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        RUSM_ASSERT(rusm_receive()->kind == RUSM_MSG_EXIT);
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0);
}

static void a_child_that_fails_at_once_is_not_missed(void **state) {
    (void)state;
    run_fiber(spawn_many_that_fail, NULL);
}

static enum rusm_err refuse(void *state, void *arg) {
    (void)state;
    (void)arg;
    return RUSM_ERR_SYSTEM;
}

static void spawn_a_refusing_server(void *arg) {
    (void)arg;
    static const struct rusm_server server = {.init = refuse, .message = note_message};
    (void)rusm_trap_exit(true);
    rusm_pid child;
    RUSM_ASSERT(rusm_spawn_server_link(&server, NULL, NULL, &child) == RUSM_OK);
    const struct rusm_down *down = expect_news(RUSM_MSG_EXIT, child, RUSM_EXIT_ERROR);
    const char *name = rusm_err_name(RUSM_ERR_SYSTEM);
    RUSM_ASSERT(down->reason.payload_bytes == strlen(name));
    RUSM_ASSERT(memcmp(down->reason.payload, name, strlen(name)) == 0);
}

static void a_linked_servers_refusal_is_an_exit_signal(void **state) {
    (void)state;
    run_fiber(spawn_a_refusing_server, NULL);
}

static void be_refused(void *arg) {
    (void)arg;
    (void)rusm_trap_exit(true);
    const struct rusm_spawn_opts opts = {.name = "taken"};
    RUSM_ASSERT(rusm_register(NULL, "taken", rusm_self()) == RUSM_OK);
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn_link(fail_at_once, NULL, &opts, NULL) == RUSM_ERR_NAME_TAKEN);
    RUSM_ASSERT(rusm_spawn_monitor(fail_at_once, NULL, &opts, NULL, &ref) == RUSM_ERR_NAME_TAKEN);
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 0 && info.monitors == 0);
    expect_silence();
}

static void a_refused_spawn_leaves_no_link(void **state) {
    (void)state;
    run_fiber(be_refused, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_hear_of_each_other),
        cmocka_unit_test(the_linked_dies_of_the_same_reason),
        cmocka_unit_test(any_reason_but_normal_kills),
        cmocka_unit_test(normal_does_not_kill_but_is_told),
        cmocka_unit_test(kill_cannot_be_trapped_but_those_linked_can),
        cmocka_unit_test(reasons_carry_payloads),
        cmocka_unit_test(link_to_the_dead_is_an_exit_signal_noproc),
        cmocka_unit_test(pids_never_given_out_do_not_exist),
        cmocka_unit_test(a_link_is_one_however_often_made),
        cmocka_unit_test(a_link_to_itself_is_nothing),
        cmocka_unit_test(after_unlink_a_death_is_not_told),
        cmocka_unit_test(a_link_made_again_counts),
        cmocka_unit_test(thousands_of_links_are_told_of_one_by_one),
        cmocka_unit_test(thousands_die_with_the_one_they_are_linked_to),
        cmocka_unit_test(an_end_goes_round_a_ring),
        cmocka_unit_test(an_exit_comes_after_the_messages_sent_before),
        cmocka_unit_test(what_was_trapped_stays_a_message),
        cmocka_unit_test(servers_hear_by_down_or_message_or_end),
        cmocka_unit_test(a_child_that_fails_at_once_is_not_missed),
        cmocka_unit_test(a_linked_servers_refusal_is_an_exit_signal),
        cmocka_unit_test(a_refused_spawn_leaves_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
