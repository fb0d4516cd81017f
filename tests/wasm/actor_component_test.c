/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What components get: the interfaces of sdk/wit, by a component that calls them one at a time. */
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

/* Where a component's allocations begin, and where they come in an answer. */
#define HEAP      49152u
#define HEAP_COPY (PUPPET_OUT_BYTES / 2)

static struct puppet_answer ask(rusm_pid pid, const char *function, int64_t arg) {
    return puppet_ask(pid, function, "", PUPPET_ARGS(arg, PUPPET_OUT));
}

/* A function with one string, the text at PUPPET_DATA, and perhaps a return area. */
static struct puppet_answer ask_text(rusm_pid pid, const char *function, const char *text) {
    return puppet_ask(pid, function, text,
                      PUPPET_ARGS(PUPPET_DATA, (int64_t)strlen(text), PUPPET_OUT));
}

/* ---- results, as the canonical ABI lays them out at the return area ---- */

static uint32_t u32_at(const struct puppet_answer *answer, size_t at) {
    uint32_t value;
    memcpy(&value, answer->out + at, sizeof value);
    return value;
}

static uint64_t u64_at(const struct puppet_answer *answer, size_t at) {
    uint64_t value;
    memcpy(&value, answer->out + at, sizeof value);
    return value;
}

/* Whether the string or list<u8> at `at` is this text. */
static bool is_text(const struct puppet_answer *answer, size_t at, const char *text) {
    uint32_t from = u32_at(answer, at) - HEAP;
    uint32_t len = u32_at(answer, at + 4);
    return len == strlen(text) && from + len <= HEAP_COPY &&
           memcmp(answer->out + HEAP_COPY + from, text, len) == 0;
}

/* The pid in a result<pid, string>. */
static rusm_pid started(struct puppet_answer answer) {
    EXPECT(answer, 0);
    if (answer.out[0] != 0) {
        (void)fprintf(stderr, "%.*s\n", (int)u32_at(&answer, 12),
                      (const char *)answer.out + HEAP_COPY);
    }
    RUSM_ASSERT(answer.out[0] == 0);
    return (rusm_pid){u64_at(&answer, 8)};
}

/* It is an error that says this. */
static void refused(struct puppet_answer answer, const char *part) {
    EXPECT(answer, 0);
    RUSM_ASSERT(answer.out[0] == 1);
    uint32_t from = HEAP_COPY + u32_at(&answer, 8) - HEAP;
    RUSM_ASSERT(from < PUPPET_OUT_BYTES);
    if (!memmem(answer.out + from, PUPPET_OUT_BYTES - from, part, strlen(part))) {
        (void)fprintf(stderr, "wanted \"%s\", not \"%.*s\"\n", part, (int)u32_at(&answer, 12),
                      (const char *)answer.out + from);
        RUSM_ASSERT(false);
    }
}

static void receives(rusm_pid pid, const char *text) {
    struct puppet_answer answer = puppet_ask(pid, "actor receive", "", PUPPET_ARGS(PUPPET_OUT));
    EXPECT(answer, 0);
    RUSM_ASSERT(is_text(&answer, 0, text));
}

static void silent(rusm_pid pid) {
    struct puppet_answer answer = ask(pid, "actor receive-timeout", 0);
    EXPECT(answer, 0);
    RUSM_ASSERT(answer.out[0] == 0);
}

static void send_text(rusm_pid to, const char *text) {
    RUSM_ASSERT(rusm_send(to, text, strlen(text)) == RUSM_OK);
}

static const char *news(char *out, const char *key, rusm_pid pid, const char *reason) {
    (void)snprintf(out, 96, "{\"__%s\":\"%llu\",\"reason\":\"%s\"}", key, (unsigned long long)pid.v,
                   reason);
    return out;
}

/* ---- processes and names ---- */

static void itself_and_others(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "component");
    rusm_pid other = stage_other();
    EXPECT(ask(me, "actor own-pid", 0), (int64_t)me.v);
    EXPECT(ask(me, "actor is-alive", (int64_t)other.v), 1);
    struct puppet_answer answer =
        puppet_ask(me, "actor list-processes", "", PUPPET_ARGS(PUPPET_OUT));
    EXPECT(answer, 0);
    RUSM_ASSERT(u32_at(&answer, 0) == HEAP && u32_at(&answer, 4) == 3);
    EXPECT(ask(me, "actor kill", (int64_t)other.v), 1);
    while (rusm_is_alive(NULL, other)) {
        rusm_yield();
    }
    EXPECT(ask(me, "actor kill", (int64_t)other.v), 0);
    EXPECT(ask_text(me, "actor register", "name"), 1);
    EXPECT(ask_text(me, "actor register", "name"), 0);
    answer = ask_text(me, "actor whereis", "name");
    RUSM_ASSERT(answer.out[0] == 1 && u64_at(&answer, 8) == me.v);
    answer = ask_text(me, "actor whereis", "nix");
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    EXPECT(ask_text(me, "actor set-label", "a label"), 0);
    answer = ask(me, "actor info", (int64_t)me.v);
    RUSM_ASSERT(answer.out[0] == 1 && u64_at(&answer, 8) == me.v);
    RUSM_ASSERT(u32_at(&answer, 16) == 0 && u32_at(&answer, 20) == 0); /* links, monitors */
    RUSM_ASSERT(u32_at(&answer, 28) == 1);                             /* names */
    RUSM_ASSERT(answer.out[32] == 1 && is_text(&answer, 36, "a label"));
    RUSM_ASSERT(u32_at(&answer, 44) == 0 && answer.out[48] == 0); /* mailbox, trap-exit */
    EXPECT(ask_text(me, "actor unregister", "name"), 1);
    EXPECT(ask_text(me, "actor unregister", "name"), 0);
    answer = ask(me, "actor info", 12345);
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    EXPECT_END(ask(me, "actor kill", (int64_t)me.v), RUSM_EXIT_KILLED, "");
}

static void nothing_is_allowed_by_itself(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied-component");
    rusm_pid other = stage_other();
    RUSM_ASSERT(rusm_register(NULL, "others", other) == RUSM_OK);
    RUSM_ASSERT(rusm_group_join("tag", other) == RUSM_OK);
    EXPECT(ask(me, "actor is-alive", (int64_t)other.v), 0);
    EXPECT(ask(me, "actor kill", (int64_t)other.v), 0);
    struct puppet_answer answer =
        puppet_ask(me, "actor list-processes", "", PUPPET_ARGS(PUPPET_OUT));
    RUSM_ASSERT(u32_at(&answer, 4) == 1 && u64_at(&answer, HEAP_COPY) == me.v);
    answer = ask(me, "actor info", (int64_t)other.v);
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    EXPECT(ask_text(me, "actor unregister", "others"), 0);
    EXPECT(ask_text(me, "pg kill-tag", "tag"), 0);
    refused(ask_text(me, "actor spawn", "echo"), "no capability to spawn");
    refused(ask_text(me, "links spawn-link", "echo"), "no capability to spawn");
    refused(ask_text(me, "links spawn-monitor", "echo"), "no capability to spawn");
    const int64_t from[PUPPET_ARGS_MAX] = {PUPPET_DATA, 8, PUPPET_DATA + 8, 7, PUPPET_OUT};
    refused(puppet_ask(me, "actor spawn-from", "templateinline:", from), "no capability to spawn");
    const int64_t one[PUPPET_ARGS_MAX] = {0, PUPPET_DATA, 0, 1, 1, PUPPET_OUT};
    refused(puppet_ask(me, "actor supervise", "", one), "no capability to spawn");
    answer = ask(me, "links link", (int64_t)other.v);
    RUSM_ASSERT(answer.out[0] == 1 && is_text(&answer, 4,
                                              "link: this process has no capability "
                                              "process-control"));
    EXPECT(ask(me, "links unlink", (int64_t)other.v), 0);
    RUSM_ASSERT(rusm_is_alive(NULL, other) && rusm_whereis(NULL, "others").v == other.v);
}

/* ---- messages ---- */

static void messages(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied-component");
    const int64_t to_me[PUPPET_ARGS_MAX] = {(int64_t)rusm_self().v, PUPPET_DATA, 5};
    EXPECT(puppet_ask(me, "actor send", "hello", to_me), 0);
    EXPECT_MESSAGE("hello");
    silent(me);
    struct puppet_answer answer = ask(me, "actor receive-timeout", 1);
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    send_text(me, "one");
    send_text(me, "two");
    receives(me, "one");
    answer = ask(me, "actor receive-timeout", -1);
    RUSM_ASSERT(answer.out[0] == 1 && is_text(&answer, 4, "two"));
    puppet_tell(me, "actor receive", "", 0, PUPPET_ARGS(PUPPET_OUT));
    stage_await(me, RUSM_WAIT_RECEIVE);
    send_text(me, "later");
    answer = puppet_hear(me);
    RUSM_ASSERT(is_text(&answer, 0, "later"));

    const int64_t b[PUPPET_ARGS_MAX] = {PUPPET_DATA, 1, 0, PUPPET_OUT};
    send_text(me, "a1");
    send_text(me, "b1");
    answer = puppet_ask(me, "mailbox receive-match", "b", b);
    RUSM_ASSERT(answer.out[0] == 1 && is_text(&answer, 4, "b1"));
    answer = puppet_ask(me, "mailbox receive-match", "b", b);
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    /* Bytes that are not those of the last message are put aside as one of their own. */
    EXPECT(ask_text(me, "actor stash", "of its own"), 0);
    EXPECT(ask_text(me, "actor stash", "and another"), 0);
    EXPECT(ask(me, "actor unstash", 0), 0);
    receives(me, "of its own");
    receives(me, "and another");
    receives(me, "a1");
    silent(me);
    EXPECT_END(puppet_ask(me, "mailbox receive-match", "", PUPPET_ARGS(0, 257, 0, PUPPET_OUT)),
               RUSM_EXIT_ERROR, "more than 256 bytes");
}

static void send_filler(void *arg) {
    send_text(*(const rusm_pid *)arg, "filler");
}

/* Over its bound, which only senders that are held may bring it to. */
static void full_mailbox_ends_who_stashes(struct stage *stage) {
    rusm_program *program = rusm_program_find(stage->wasm, "denied-component");
    const struct rusm_spawn_opts opts = {.mailbox_len_max = 2, .mailbox_hold = true};
    struct rusm_process_info info;
    rusm_pid me = {0};
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn_guest_monitor(program, &opts, &me, &ref) == RUSM_OK);
    rusm_program_release(program);
    for (int i = 0; i < 4; i++) {
        (void)spawn_fiber(NULL, send_filler, &me, NULL);
    }
    do {
        rusm_yield();
        RUSM_ASSERT(rusm_process_info(NULL, me, &info) == RUSM_OK);
    } while (info.mailbox_depth < 4);
    EXPECT_END(ask_text(me, "actor stash", "1"), RUSM_EXIT_LIMIT, "the mailbox is full");
}

static void timers(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "denied-component");
    const int64_t self = (int64_t)rusm_self().v;
    EXPECT(puppet_ask(me, "actor send-after", "now", PUPPET_ARGS(self, 0, PUPPET_DATA, 3)), 1);
    EXPECT_MESSAGE("now");
    EXPECT(puppet_ask(me, "actor send-after", "x", PUPPET_ARGS(self, 1 << 30, PUPPET_DATA, 1)), 2);
    EXPECT(ask(me, "actor cancel-timer", 2), 1);
    EXPECT(ask(me, "actor cancel-timer", 2), 0);
    EXPECT(ask(me, "actor cancel-timer", 1), 0);
    EXPECT_END(
        puppet_ask(me, "actor send-after", "", PUPPET_ARGS(self, 0, 0, STAGE_MESSAGE_MAX + 1)),
        RUSM_EXIT_ERROR, "longer than the node allows");
}

/* ---- ends ---- */

static void ends(struct stage *stage) {
    char text[96];
    rusm_pid me = stage_puppet(stage, "component");
    rusm_pid a = stage_other();
    EXPECT(ask(me, "actor monitor", (int64_t)a.v), 0);
    EXPECT(ask(me, "links demonitor", (int64_t)a.v), 1);
    EXPECT(ask(me, "links demonitor", (int64_t)a.v), 0);
    EXPECT(ask(me, "actor monitor", (int64_t)a.v), 0);
    (void)rusm_kill(NULL, a);
    receives(me, news(text, "down", a, "killed"));
    rusm_pid b = stage_other();
    EXPECT(ask(me, "links trap-exit", 1), 0);
    struct puppet_answer answer = ask(me, "links link", (int64_t)b.v);
    RUSM_ASSERT(!answer.ended && answer.out[0] == 0);
    EXPECT(ask(me, "links unlink", (int64_t)b.v), 1);
    answer = ask(me, "links link", (int64_t)b.v);
    (void)rusm_kill(NULL, b);
    receives(me, news(text, "exit", b, "killed"));
    EXPECT(ask(me, "links trap-exit", 0), 1);
    EXPECT_END(puppet_ask(me, "links exit", "done", PUPPET_ARGS(1, PUPPET_DATA, 4)),
               RUSM_EXIT_SHUTDOWN, "done");
    me = stage_puppet(stage, "component");
    EXPECT_END(puppet_ask(me, "links exit", "", PUPPET_ARGS(0, PUPPET_DATA, 0)), RUSM_EXIT_NORMAL,
               "");
}

/* ---- groups, the log ---- */

static void groups_and_log(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "component");
    EXPECT(ask_text(me, "pg register-tag", "tag"), 0);
    struct puppet_answer answer = ask_text(me, "pg whereis-tag", "tag");
    RUSM_ASSERT(u32_at(&answer, 4) == 1 && u64_at(&answer, HEAP_COPY) == me.v);
    const int64_t args[PUPPET_ARGS_MAX] = {PUPPET_DATA, 3, PUPPET_DATA + 3, 5};
    EXPECT(puppet_ask(me, "groups publish", "taghello", args), 1);
    receives(me, "hello");
    EXPECT(ask_text(me, "pg unregister-tag", "tag"), 0);
    EXPECT(puppet_ask(me, "groups publish", "taghello", args), 0);
    rusm_pid other = stage_other();
    RUSM_ASSERT(rusm_group_join("tag", other) == RUSM_OK);
    EXPECT(ask_text(me, "pg kill-tag", "tag"), 1);
    EXPECT(puppet_ask(me, "log log", "hello", PUPPET_ARGS(0, PUPPET_DATA, 5)), 0);
    RUSM_ASSERT(atomic_load(&stage->lines) == 1 && stage->level == RUSM_LOG_ERROR);
    RUSM_ASSERT(strstr(stage->line, ": hello"));
    EXPECT_END(ask_text(me, "pg register-tag", ""), RUSM_EXIT_ERROR, "1 to 63 bytes");
}

/* ---- spawns ---- */

static void spawns(struct stage *stage) {
    char text[96];
    struct rusm_process_info info;
    rusm_pid me = stage_puppet(stage, "component");
    rusm_pid child = started(ask_text(me, "actor spawn", "idle"));
    RUSM_ASSERT(rusm_process_info(NULL, child, &info) == RUSM_OK);
    RUSM_ASSERT(info.parent.v == me.v && strcmp(info.label, "idle") == 0);
    refused(ask_text(me, "actor spawn", "nix"), "there is no component nix");
    refused(ask_text(me, "actor spawn", "template"), "not a template");
    child = started(ask_text(me, "links spawn-monitor", "traps"));
    receives(me, news(text, "down", child, "crashed"));
    EXPECT(ask(me, "links trap-exit", 1), 0);
    child = started(ask_text(me, "links spawn-link", "ends"));
    receives(me, news(text, "exit", child, "normal"));
}

static void supervises(struct stage *stage) {
    rusm_pid me = stage_puppet(stage, "component");
    struct {
        uint32_t strings[4]; /* where and how long, twice */
        char names[9];
    } list = {{PUPPET_DATA + 16, 4, PUPPET_DATA + 20, 4}, "idleecho"};
    puppet_tell(me, "actor supervise", &list, sizeof list,
                PUPPET_ARGS(2, PUPPET_DATA, 2, 0, 0, PUPPET_OUT));
    rusm_pid sup = started(puppet_hear(me));
    struct rusm_child_info children[2];
    size_t count;
    RUSM_ASSERT(rusm_supervisor_children(sup, children, 2, &count) == RUSM_OK && count == 2);
    RUSM_ASSERT(strcmp(children[1].id, "echo") == 0 && rusm_is_alive(NULL, children[1].pid));
    memcpy(list.names + 4, "nix!", 4);
    puppet_tell(me, "actor supervise", &list, sizeof list,
                PUPPET_ARGS(2, PUPPET_DATA, 2, 0, 0, PUPPET_OUT));
    refused(puppet_hear(me), "there is no component nix!");
    refused(puppet_ask(me, "actor supervise", "", PUPPET_ARGS(0, 0, 0, 0, 0, PUPPET_OUT)),
            "not between 1 and 1024");
}

/* ---- code of its own ---- */

static struct puppet_answer spawn_from(rusm_pid me, const char *component, const char *source) {
    char text[512];
    (void)snprintf(text, sizeof text, "%s%s", component, source);
    int64_t len = (int64_t)strlen(component);
    return puppet_ask(
        me, "actor spawn-from", text,
        PUPPET_ARGS(PUPPET_DATA, len, PUPPET_DATA + len, (int64_t)strlen(source), PUPPET_OUT));
}

/* It is as sandboxed as its template: its spawn of "echo" is denied, and then it waits. */
#define SANDBOXED_CODE                                                                             \
    "inline:(module (import \"rusm\" \"spawn\" (func $spawn (param i32 i32 i32) (result i64)))"    \
    "(import \"rusm\" \"receive\" (func $receive (param i32 i32) (result i32)))"                   \
    "(memory (export \"memory\") 1) (data (i32.const 0) \"echo\") (func (export \"run\")"          \
    "(if (i64.ne (call $spawn (i32.const 0) (i32.const 4) (i32.const 0)) (i64.const -2))"          \
    "(then unreachable)) (drop (call $receive (i32.const 0) (i32.const 9)))))"

static void code_runs_under_the_template(struct stage *stage) {
    struct rusm_process_info info;
    rusm_pid me = stage_puppet(stage, "component");
    /* The second time it is ready. */
    for (int i = 0; i < 2; i++) {
        rusm_pid child = started(spawn_from(me, "template", SANDBOXED_CODE));
        stage_await(child, RUSM_WAIT_RECEIVE);
        RUSM_ASSERT(rusm_process_info(NULL, child, &info) == RUSM_OK);
        RUSM_ASSERT(strcmp(info.label, "template") == 0 && info.parent.v == me.v);
    }
    (void)started(spawn_from(me, "template", " \n" SANDBOXED_CODE));
    refused(spawn_from(me, "template", "inline:(module (func (export \"walk\")))"), "run");
    refused(spawn_from(me, "template", "inline:(module"), "expected");
    refused(spawn_from(me, "template", "inline:"), "1 to");
    refused(spawn_from(me, "template", "kv:bucket/key"), "no code from a store");
    refused(spawn_from(me, "template", "https://example.com/a.wasm"), "by network");
    refused(spawn_from(me, "template", "(module)"), "begins with inline:");
    refused(spawn_from(me, "echo", SANDBOXED_CODE),
            "there is no component echo that is a template");
    refused(spawn_from(me, "nix", SANDBOXED_CODE), "there is no component nix");
}

/* Killed while its code is compiled, or just before or after: whatever of it, all is freed. */
static void killed_while_it_loads(struct stage *stage) {
    for (int i = 0; i < 20; i++) {
        char code[256];
        rusm_pid me = stage_puppet(stage, "component");
        (void)snprintf(code, sizeof code,
                       "templateinline:(module (func (export \"run\") (drop (i32.const %d))))", i);
        int64_t len = (int64_t)strlen(code) - 8;
        puppet_tell(me, "actor spawn-from", code, strlen(code),
                    PUPPET_ARGS(PUPPET_DATA, 8, PUPPET_DATA + 8, len, PUPPET_OUT));
        /* Most loads are caught on their way; one that the cache makes short may be over by then.
         */
        struct rusm_process_info info = {.wait = RUSM_WAIT_NONE};
        for (int tries = 0; i % 2 == 0 && tries < 1000 && info.wait != RUSM_WAIT_BLOCKING;
             tries++) {
            rusm_yield();
            if (rusm_process_info(NULL, me, &info) != RUSM_OK) {
                break;
            }
        }
        (void)rusm_kill(NULL, me);
        (void)puppet_hear(me); /* its answer or its end; finish_guests finds what would be left */
    }
}

static void killed_while_it_waits(struct stage *stage) {
    const struct {
        const char *function;
        int64_t args[PUPPET_ARGS_MAX];
    } calls[] = {{"actor receive", {PUPPET_OUT}},
                 {"actor receive-timeout", {-1, PUPPET_OUT}},
                 {"actor receive-timeout", {1000000000, PUPPET_OUT}},
                 {"mailbox receive-match", {PUPPET_DATA, 1, -1, PUPPET_OUT}}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        rusm_pid me = stage_puppet(stage, "denied-component");
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
STAGED(itself_and_others)
STAGED(nothing_is_allowed_by_itself)
STAGED(messages)
STAGED(full_mailbox_ends_who_stashes)
STAGED(timers)
STAGED(ends)
STAGED(groups_and_log)
STAGED(spawns)
STAGED(supervises)
STAGED(code_runs_under_the_template)
STAGED(killed_while_it_loads)
STAGED(killed_while_it_waits)

int main(void) {
    guests_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_itself_and_others),
        cmocka_unit_test(test_nothing_is_allowed_by_itself),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_full_mailbox_ends_who_stashes),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_groups_and_log),
        cmocka_unit_test(test_spawns),
        cmocka_unit_test(test_supervises),
        cmocka_unit_test(test_code_runs_under_the_template),
        cmocka_unit_test(test_killed_while_it_loads),
        cmocka_unit_test(test_killed_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
