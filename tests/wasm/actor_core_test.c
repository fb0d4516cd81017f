/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What core modules get of processes, names, groups, spawns, links and ends: sdk/README.md. */
#include "base/assert.h"
#include "test_stage_internal.h"

#include <rusm/group.h>
#include <rusm/link.h>
#include <rusm/supervisor.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NONE = -1, DENIED = -2, LIMIT = -3, INVALID = -4, FAILED = -5 };

/* A function with the text at PUPPET_DATA as its first two parameters. */
static struct puppet_answer ask_text(rusm_pid pid, const char *function, const char *text,
                                     int64_t more) {
    return puppet_ask(pid, function, text, PUPPET_ARGS(PUPPET_DATA, (int64_t)strlen(text), more));
}

static struct puppet_answer ask(rusm_pid pid, const char *function, int64_t arg) {
    return puppet_ask(pid, function, "", PUPPET_ARGS(arg));
}

static uint64_t u64_at(const uint8_t *out) {
    uint64_t value;
    memcpy(&value, out, sizeof value);
    return value;
}

static uint32_t u32_at(const uint8_t *out) {
    uint32_t value;
    memcpy(&value, out, sizeof value);
    return value;
}

/* ---- itself and others ---- */

static void itself_and_others(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    rusm_pid other = stage_other();
    EXPECT(ask(me, "own_pid", 0), (int64_t)me.v);
    EXPECT(ask(me, "is_alive", (int64_t)me.v), 1);
    EXPECT(ask(me, "is_alive", (int64_t)other.v), 1);
    EXPECT(ask(me, "kill", (int64_t)other.v), 1);
    while (rusm_is_alive(NULL, other)) {
        rusm_yield();
    }
    EXPECT(ask(me, "is_alive", (int64_t)other.v), 0);
    EXPECT(ask(me, "kill", (int64_t)other.v), 0);
    EXPECT(ask(me, "kill", -1), 0);
    EXPECT(ask(me, "notify", 0), 0);
    EXPECT(ask(me, "notify", 0), 0);
    struct rusm_wasm_info info;
    rusm_wasm_info(stage->wasm, &info);
    RUSM_ASSERT(info.notifies == 2);
    EXPECT_END(ask(me, "kill", (int64_t)me.v), RUSM_EXIT_KILLED, "");
}

static void list_is_counted_in_pids(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    (void)stage_other();
    struct puppet_answer answer = puppet_ask(me, "list_processes", "", PUPPET_ARGS(PUPPET_OUT, 64));
    EXPECT(answer, 3);
    bool found = false;
    for (int i = 0; i < 3; i++) {
        found = found || u64_at(answer.out + 8 * i) == me.v;
    }
    RUSM_ASSERT(found && u64_at(answer.out + 24) == 0);
    answer = puppet_ask(me, "list_processes", "", PUPPET_ARGS(PUPPET_OUT + 1025, 2));
    EXPECT(answer, 3); /* the third is not written; out need not be aligned */
    RUSM_ASSERT(u64_at(answer.out + 1025 + 8) != 0 && u64_at(answer.out + 1025 + 16) == 0);
    EXPECT_END(puppet_ask(me, "list_processes", "", PUPPET_ARGS(PUPPET_OUT, 1 << 29)),
               RUSM_EXIT_ERROR, "outside of the guest's memory");
}

static void info_as_the_table_says(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    rusm_pid other = stage_other();
    const int64_t args[PUPPET_ARGS_MAX] = {(int64_t)me.v, PUPPET_OUT, 2048};
    EXPECT(ask_text(me, "register", "one", 0), 1);
    EXPECT(ask_text(me, "register", "two", 0), 1);
    EXPECT(ask_text(me, "set_label", "a label", 0), 0);
    EXPECT(ask(me, "trap_exit", 1), 0);
    EXPECT(ask(me, "monitor", (int64_t)other.v), 0);
    EXPECT(ask(me, "link", (int64_t)other.v), 0);
    RUSM_ASSERT(rusm_send(me, "wait", 4) == RUSM_OK);
    struct puppet_answer answer = puppet_ask(me, "info", "", args);
    EXPECT(answer, 32 + 7 + 4 + 4);
    RUSM_ASSERT(u64_at(answer.out) == me.v && u32_at(answer.out + 8) == 1);
    RUSM_ASSERT(u32_at(answer.out + 12) == 1 && u32_at(answer.out + 16) == 1);
    RUSM_ASSERT(u32_at(answer.out + 20) == 1 && u32_at(answer.out + 24) == 7);
    RUSM_ASSERT(u32_at(answer.out + 28) == 2);
    RUSM_ASSERT(memcmp(answer.out + 32, "a labelone\0two\0", 15) == 0);
    /* Cut where there is no room; of others the name registered last; no label. */
    answer = puppet_ask(me, "info", "", PUPPET_ARGS((int64_t)me.v, PUPPET_OUT + 1024, 4));
    EXPECT(answer, 47);
    RUSM_ASSERT(u32_at(answer.out + 1024) == (uint32_t)me.v && answer.out[1024 + 4] == 0);
    answer = puppet_ask(me, "info", "", PUPPET_ARGS((int64_t)other.v, PUPPET_OUT, 64));
    EXPECT(answer, 32);
    RUSM_ASSERT(u32_at(answer.out + 24) == UINT32_MAX && u32_at(answer.out + 28) == 0);
    EXPECT(puppet_ask(me, "info", "", PUPPET_ARGS(12345, PUPPET_OUT, 64)), NONE);
    /* It links and watches nobody's news of its own end. */
    EXPECT(ask(me, "unlink", (int64_t)other.v), 1);
}

/* ---- names ---- */

static void names(struct stage *stage) {
    static const char long_name[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    rusm_pid me = stage_puppet(stage, "puppet");
    rusm_pid other = stage_puppet(stage, "puppet");
    EXPECT(ask_text(me, "whereis", "name", 0), NONE);
    EXPECT(ask_text(me, "register", "name", 0), 1);
    RUSM_ASSERT(rusm_whereis(NULL, "name").v == me.v);
    EXPECT(ask_text(other, "whereis", "name", 0), (int64_t)me.v);
    EXPECT(ask_text(other, "register", "name", 0), 0);
    EXPECT(ask_text(other, "unregister", "name", 0), 1); /* it has process-control */
    EXPECT(ask_text(other, "unregister", "name", 0), 0);
    EXPECT(ask_text(me, "register", "", 0), 0);
    EXPECT(ask_text(me, "register", long_name, 0), 0);
    EXPECT(ask_text(me, "register", long_name + 1, 0), 1);
    EXPECT(ask_text(me, "whereis", long_name, 0), NONE);
    EXPECT(ask_text(me, "unregister", "", 0), 0);
    puppet_tell(me, "register", "a\0b", 3, PUPPET_ARGS(PUPPET_DATA, 3));
    EXPECT(puppet_hear(me), 0);
    EXPECT_END(ask_text(me, "register", "\xff", 0), RUSM_EXIT_ERROR, "not UTF-8");
    EXPECT_END(puppet_ask(other, "whereis", "", PUPPET_ARGS(65536, 1)), RUSM_EXIT_ERROR,
               "outside of the guest's memory");
}

static void labels_are_cut_between_characters(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    struct rusm_process_info info;
    char label[64] = "";
    memset(label, 'a', 62);
    EXPECT(ask_text(me, "set_label", label, 0), 0);
    char longer[80];
    (void)snprintf(longer, sizeof longer, "%s\xc3\xa4", label);
    EXPECT(ask_text(me, "set_label", longer, 0), 0);
    RUSM_ASSERT(rusm_process_info(NULL, me, &info) == RUSM_OK);
    RUSM_ASSERT(strcmp(info.label, label) == 0);
}

/* ---- groups ---- */

static void groups(struct stage *stage) {
    rusm_pid a = stage_puppet(stage, "puppet");
    rusm_pid b = stage_puppet(stage, "puppet");
    EXPECT(ask_text(a, "register_tag", "tag", 0), 0);
    EXPECT(ask_text(a, "register_tag", "tag", 0), 0);
    EXPECT(ask_text(b, "register_tag", "tag", 0), 0);
    EXPECT(ask_text(a, "register_tag", "", 0), INVALID);
    const int64_t args[PUPPET_ARGS_MAX] = {PUPPET_DATA, 3, PUPPET_OUT, 1};
    struct puppet_answer answer = puppet_ask(b, "whereis_tag", "tag", args);
    EXPECT(answer, 2);
    RUSM_ASSERT(u64_at(answer.out) == a.v && u64_at(answer.out + 8) == 0);
    EXPECT(puppet_ask(b, "whereis_tag", "nix", args), 0);
    EXPECT(puppet_ask(b, "whereis_tag", "", PUPPET_ARGS(PUPPET_DATA, 0, PUPPET_OUT, 1)), 0);
    const int64_t to_all[PUPPET_ARGS_MAX] = {PUPPET_DATA, 3, PUPPET_DATA + 3, 5};
    EXPECT(puppet_ask(a, "publish", "taghello", to_all), 2);
    EXPECT(puppet_ask(a, "publish", "nixhello", to_all), 0);
    RUSM_ASSERT(rusm_group_join("tag", rusm_self()) == RUSM_OK);
    EXPECT(puppet_ask(a, "publish", "taghello", to_all), 3);
    EXPECT_MESSAGE("hello");
    RUSM_ASSERT(rusm_group_leave("tag", rusm_self()) == RUSM_OK);
    answer = puppet_ask(b, "receive", "", PUPPET_ARGS(PUPPET_OUT, 99));
    EXPECT(answer, 5);
    RUSM_ASSERT(memcmp(answer.out, "hello", 5) == 0);
    EXPECT(ask_text(a, "unregister_tag", "tag", 0), 1);
    EXPECT(ask_text(a, "unregister_tag", "tag", 0), 0);
    EXPECT_END(puppet_ask(b, "publish", "tag", PUPPET_ARGS(PUPPET_DATA, 3, 0, 65536)),
               RUSM_EXIT_ERROR, "longer than the node allows");
    rusm_pid c = stage_puppet(stage, "puppet");
    EXPECT(ask_text(a, "register_tag", "tag", 0), 0);
    EXPECT(ask_text(c, "kill_tag", "tag", 0), 1);
    EXPECT_END(puppet_hear(a), RUSM_EXIT_KILLED, "");
    EXPECT(ask_text(c, "register_tag", "tag", 0), 0);
    EXPECT(ask_text(c, "kill_tag", "tag", 0), 1); /* it was one: it ends at its next loop */
    EXPECT_END(puppet_hear(c), RUSM_EXIT_KILLED, "");
}

/* ---- what is denied ---- */

static void nothing_is_allowed_by_itself(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied");
    rusm_pid other = stage_other();
    RUSM_ASSERT(rusm_register(NULL, "others", other) == RUSM_OK);
    RUSM_ASSERT(rusm_group_join("tag", other) == RUSM_OK);
    EXPECT(ask(me, "is_alive", (int64_t)other.v), 0);
    EXPECT(ask(me, "is_alive", (int64_t)me.v), 1);
    EXPECT(ask(me, "kill", (int64_t)other.v), 0);
    struct puppet_answer answer = puppet_ask(me, "list_processes", "", PUPPET_ARGS(PUPPET_OUT, 64));
    EXPECT(answer, 1);
    RUSM_ASSERT(u64_at(answer.out) == me.v);
    EXPECT(puppet_ask(me, "info", "", PUPPET_ARGS((int64_t)other.v, PUPPET_OUT, 64)), NONE);
    EXPECT(puppet_ask(me, "info", "", PUPPET_ARGS((int64_t)me.v, PUPPET_OUT, 64)), 32);
    EXPECT(ask_text(me, "unregister", "others", 0), 0);
    EXPECT(ask_text(me, "kill_tag", "tag", 0), 0);
    EXPECT(ask_text(me, "spawn", "echo", 0), DENIED);
    EXPECT(ask(me, "link", (int64_t)other.v), DENIED);
    EXPECT(ask(me, "unlink", (int64_t)other.v), DENIED);
    EXPECT(puppet_ask(me, "supervise", "echo", PUPPET_ARGS(0, PUPPET_DATA, 4, 1, 1)), DENIED);
    RUSM_ASSERT(rusm_is_alive(NULL, other) && rusm_whereis(NULL, "others").v == other.v);
    /* What needs no permission. */
    EXPECT(ask_text(me, "whereis", "others", 0), (int64_t)other.v);
    EXPECT(ask_text(me, "register", "any name", 0), 1);
    EXPECT(ask_text(me, "unregister", "any name", 0), 1);
    EXPECT(ask_text(me, "register_tag", "any tag", 0), 0);
    EXPECT(ask(me, "monitor", (int64_t)other.v), 0);
    EXPECT_END(ask(me, "kill", (int64_t)me.v), RUSM_EXIT_KILLED, "");
}

static void allow_names_restrict_names_and_tags(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "limited");
    EXPECT(ask_text(me, "register", "others", 0), 0);
    EXPECT(ask_text(me, "register", "own-one", 0), 1);
    EXPECT(ask_text(me, "register_tag", "others", 0), DENIED);
    EXPECT(ask_text(me, "register_tag", "own-tag", 0), 0);
}

/* ---- spawns ---- */

static void spawns(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    struct puppet_answer answer = ask_text(me, "spawn", "idle", 0);
    struct rusm_process_info info;
    rusm_pid child = {(uint64_t)answer.value};
    RUSM_ASSERT(rusm_process_info(NULL, child, &info) == RUSM_OK);
    RUSM_ASSERT(info.parent.v == me.v && strcmp(info.label, "idle") == 0 && info.links == 0);
    EXPECT(ask_text(me, "spawn", "nix", 0), NONE);
    EXPECT(ask_text(me, "spawn", "template", 0), NONE);
    EXPECT(ask_text(me, "spawn", "", 0), NONE);
    EXPECT(ask_text(me, "spawn", "idle", 4), INVALID);
    EXPECT(ask_text(me, "spawn", "idle", -1), INVALID);

    /* Monitored: the end is a message. */
    answer = ask_text(me, "spawn", "traps", 2);
    char news[80];
    (void)snprintf(news, sizeof news, "{\"__down\":\"%lld\",\"reason\":\"crashed\"}",
                   (long long)answer.value);
    answer = puppet_ask(me, "receive", "", PUPPET_ARGS(PUPPET_OUT, 99));
    EXPECT(answer, (int64_t)strlen(news));
    RUSM_ASSERT(memcmp(answer.out, news, strlen(news)) == 0);

    /* Both, and exits are trapped: two messages. */
    EXPECT(ask(me, "trap_exit", 1), 0);
    answer = ask_text(me, "spawn", "ends", 3);
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        struct puppet_answer got = puppet_ask(me, "receive", "", PUPPET_ARGS(PUPPET_OUT, 99));
        (void)snprintf(news, sizeof news, "{\"__%s\":\"%lld\",\"reason\":\"normal\"}",
                       got.out[4] == 'd' ? "down" : "exit", (long long)answer.value);
        RUSM_ASSERT(memcmp(got.out, news, strlen(news)) == 0);
        seen |= got.out[4] == 'd' ? 1 : 2;
    }
    RUSM_ASSERT(seen == 3);

    /* Linked, and not trapped: it goes along. */
    EXPECT(ask(me, "trap_exit", 0), 1);
    answer = ask_text(me, "spawn", "traps", 1);
    puppet_tell(me, "receive", "", 0, PUPPET_ARGS(PUPPET_OUT, 99));
    EXPECT_END(puppet_hear(me), RUSM_EXIT_ERROR, "unreachable");
}

static void max_processes_counts_the_living(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "limited");
    struct puppet_answer first = ask_text(me, "spawn", "idle", 1);
    RUSM_ASSERT(first.value > 0);
    EXPECT(ask_text(me, "spawn", "idle", 0), LIMIT);
    EXPECT(puppet_ask(me, "supervise", "idle", PUPPET_ARGS(0, PUPPET_DATA, 4, 1, 1)), LIMIT);
    /* Its own link may be ended without process-control. */
    EXPECT(ask(me, "unlink", first.value), 1);
    EXPECT(ask(me, "unlink", first.value), 0);
    (void)rusm_kill(NULL, (rusm_pid){(uint64_t)first.value});
    struct puppet_answer again;
    do {
        again = ask_text(me, "spawn", "idle", 0);
    } while (again.value == LIMIT);
    RUSM_ASSERT(again.value > 0);
    (void)rusm_kill(NULL, (rusm_pid){(uint64_t)again.value});
    do {
        again = puppet_ask(me, "supervise", "idle", PUPPET_ARGS(0, PUPPET_DATA, 4, 0, 0));
    } while (again.value == LIMIT);
    RUSM_ASSERT(again.value > 0);
    EXPECT(ask_text(me, "spawn", "idle", 0), LIMIT);
}

/* ---- supervisors ---- */

static void supervisor_restarts_guests(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    puppet_tell(me, "supervise", "idle\0echo\0idle", 14, PUPPET_ARGS(1, PUPPET_DATA, 14, 9, 9999));
    struct puppet_answer answer = puppet_hear(me);
    rusm_pid sup = {(uint64_t)answer.value};
    struct rusm_child_info before[3];
    struct rusm_child_info now[3];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(sup, before, 3, &count) == RUSM_OK && count == 3);
    RUSM_ASSERT(strcmp(before[0].id, "idle") == 0 && strcmp(before[1].id, "echo") == 0);
    RUSM_ASSERT(strcmp(before[2].id, "idle#3") == 0);
    (void)rusm_kill(NULL, before[1].pid);
    do {
        RUSM_ASSERT(rusm_supervisor_children(sup, now, 3, &count) == RUSM_OK && count == 3);
    } while (now[1].restarts == 0 || now[2].pid.v == 0 || now[2].pid.v == before[2].pid.v);
    RUSM_ASSERT(now[0].pid.v != before[0].pid.v); /* one for all */
    /* It is linked to the guest: it ends with it, and its children with it. */
    (void)rusm_kill(NULL, me);
    EXPECT_END(puppet_hear(me), RUSM_EXIT_KILLED, "");
    while (rusm_is_alive(NULL, sup) || rusm_is_alive(NULL, now[0].pid)) {
        rusm_yield();
    }
}

static void supervisor_gives_up(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    char news[80];
    EXPECT(ask(me, "trap_exit", 1), 0);
    struct puppet_answer answer =
        puppet_ask(me, "supervise", "traps", PUPPET_ARGS(0, PUPPET_DATA, 5, 3, 0));
    RUSM_ASSERT(answer.value > 0);
    (void)snprintf(news, sizeof news, "{\"__exit\":\"%lld\",\"reason\":\"shutdown\"}",
                   (long long)answer.value);
    answer = puppet_ask(me, "receive", "", PUPPET_ARGS(PUPPET_OUT, 99));
    RUSM_ASSERT(memcmp(answer.out, news, strlen(news)) == 0);
    const int64_t bad[PUPPET_ARGS_MAX] = {3, PUPPET_DATA, 4, 1, 1};
    EXPECT(puppet_ask(me, "supervise", "idle", bad), INVALID);
    EXPECT(puppet_ask(me, "supervise", "", PUPPET_ARGS(0, PUPPET_DATA, 0, 1, 1)), INVALID);
    EXPECT(puppet_ask(me, "supervise", "nix!", PUPPET_ARGS(0, PUPPET_DATA, 4, 1, 1)), NONE);
    puppet_tell(me, "supervise", "idle\0", 5, PUPPET_ARGS(0, PUPPET_DATA, 5, 1, 1));
    EXPECT(puppet_hear(me), NONE); /* the second name is empty */
    puppet_tell(me, "supervise", "template", 8, PUPPET_ARGS(0, PUPPET_DATA, 8, 1, 1));
    EXPECT(puppet_hear(me), NONE);
}

/* ---- the log ---- */

static void lines_of_the_log(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "puppet");
    EXPECT(ask_text(me, "set_label", "me", 0), 0);
    EXPECT(puppet_ask(me, "log", "hello", PUPPET_ARGS(1, PUPPET_DATA, 5)), 0);
    RUSM_ASSERT(atomic_load(&stage->lines) == 1 && stage->level == RUSM_LOG_WARN);
    RUSM_ASSERT(strcmp(stage->line, "me: hello") == 0);
    EXPECT(puppet_ask(me, "log", "quiet", PUPPET_ARGS(3, PUPPET_DATA, 5)), 0);
    RUSM_ASSERT(atomic_load(&stage->lines) == 1); /* debug is over the level */
    EXPECT_END(puppet_ask(me, "log", "", PUPPET_ARGS(4, PUPPET_DATA, 0)), RUSM_EXIT_ERROR,
               "no such level");
}

#define STAGED(name)                                                                               \
    static void test_##name(void **state) {                                                        \
        (void)state;                                                                               \
        on_stage(name);                                                                            \
    }
STAGED(itself_and_others)
STAGED(list_is_counted_in_pids)
STAGED(info_as_the_table_says)
STAGED(names)
STAGED(labels_are_cut_between_characters)
STAGED(groups)
STAGED(nothing_is_allowed_by_itself)
STAGED(allow_names_restrict_names_and_tags)
STAGED(spawns)
STAGED(max_processes_counts_the_living)
STAGED(supervisor_restarts_guests)
STAGED(supervisor_gives_up)
STAGED(lines_of_the_log)

int main(void) {
    guests_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_itself_and_others),
        cmocka_unit_test(test_list_is_counted_in_pids),
        cmocka_unit_test(test_info_as_the_table_says),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_labels_are_cut_between_characters),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_nothing_is_allowed_by_itself),
        cmocka_unit_test(test_allow_names_restrict_names_and_tags),
        cmocka_unit_test(test_spawns),
        cmocka_unit_test(test_max_processes_counts_the_living),
        cmocka_unit_test(test_supervisor_restarts_guests),
        cmocka_unit_test(test_supervisor_gives_up),
        cmocka_unit_test(test_lines_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
