/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* A guest as a process: how it ends, who hears of it, what it costs; and programs. */
#include "base/assert.h"
#include "otp/otp.h"
#include "test_guests_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RUN(body)                                                                                  \
    "(module " TEST_IMPORTS "(memory (export \"memory\") 1) (func (export \"run\") " body "))"
#define FOR_EVER "(module (func (export \"run\") (loop (br 0))))"
#define WAITS    RUN("(call $mark) (call $wait)")

struct guest_world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    struct board board;
};

static struct guest_world *start(struct guest_world *world, uint32_t schedulers) {
    memset(world, 0, sizeof *world);
    world->rt = start_runtime(schedulers);
    world->wasm = start_guests(world->rt, NULL, &world->board);
    return world;
}

static void finish(struct guest_world *world) {
    finish_guests(world->rt, world->wasm);
}

/* ---- how guests end ---- */

struct ending {
    const char *text;
    enum rusm_exit_kind kind;
    const char *says;
};

static const struct ending endings[] = {
    {RUN(""), RUSM_EXIT_NORMAL, ""},
    {RUN("unreachable"), RUSM_EXIT_ERROR, "unreachable"},
    {RUN("(drop (i32.div_s (i32.const 1) (i32.const 0)))"), RUSM_EXIT_ERROR, "divide by zero"},
    {RUN("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"), RUSM_EXIT_ERROR, "overflow"},
    {RUN("(drop (i32.load (i32.const 65533)))"), RUSM_EXIT_ERROR, "out of bounds memory access"},
    {RUN("(drop (i32.load (i32.const -1)))"), RUSM_EXIT_ERROR, "out of bounds memory access"},
    {RUN("(drop (i32.trunc_f64_s (f64.const nan)))"), RUSM_EXIT_ERROR, "integer"},
    {"(module (table 2 funcref) (type $t (func)) (func (export \"run\")"
     " (call_indirect (type $t) (i32.const 1))))",
     RUSM_EXIT_ERROR, "uninitialized element"},
    {"(module (table 2 funcref) (type $t (func)) (func (export \"run\")"
     " (call_indirect (type $t) (i32.const 2))))",
     RUSM_EXIT_ERROR, "undefined element: out of bounds table access"},
    {"(module (func $f (export \"run\") (call $f)))", RUSM_EXIT_ERROR, "call stack exhausted"},
    {"(module (memory 1) (func $s unreachable) (start $s) (func (export \"run\")))",
     RUSM_EXIT_ERROR, "unreachable"},
    {RUN("(call $exit (i32.const 0) (i32.const 0) (i32.const 0))"), RUSM_EXIT_NORMAL, ""},
    {RUN("(i32.store (i32.const 8) (i32.const 0x656e6f64))"
         "(call $exit (i32.const 2) (i32.const 8) (i32.const 4))"),
     RUSM_EXIT_SHUTDOWN, "done"},
    {RUN("(call $exit (i32.const 3) (i32.const 0) (i32.const 4))"), RUSM_EXIT_ERROR, ""},
    {RUN("(call $exit (i32.const 3) (i32.const 65535) (i32.const 2))"), RUSM_EXIT_ERROR,
     "outside of the guest's memory"},
    {RUN("(drop (memory.grow (i32.const 2000)))"), RUSM_EXIT_LIMIT,
     "memory: more than the 64 MiB allowed"},
    {"(module (table 1 funcref) (func (export \"run\")"
     " (drop (table.grow (ref.null func) (i32.const 1000000)))))",
     RUSM_EXIT_LIMIT, "table: more than the 65536 elements allowed"},
    {"(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $x (param i32)))"
     " (memory (export \"memory\") 1) (func (export \"run\") (call $x (i32.const 0))))",
     RUSM_EXIT_NORMAL, ""},
    {"(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $x (param i32)))"
     " (memory (export \"memory\") 1) (func (export \"run\") (call $x (i32.const 7))))",
     RUSM_EXIT_ERROR, "exit status 7"},
    {"(component (core module $m (func (export \"run\") unreachable))"
     " (core instance $i (instantiate $m)) (func (export \"run\") (canon lift (core func $i "
     "\"run\"))))",
     RUSM_EXIT_ERROR, "unreachable"},
};

static void guests_end_with_kind_and_reason(void **state) {
    (void)state;
    struct guest_world world;
    (void)start(&world, 2);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct exit_record record = {.count = 0};
        (void)run_text(world.wasm, endings[i].text, &record);
        await_exit(&record);
        print_message("%u: %.*s\n", record.kind, (int)record.payload_bytes,
                      (const char *)record.payload);
        assert_int_equal(record.kind, endings[i].kind);
        assert_true(says(&record, endings[i].says));
    }
    finish(&world);
}

/* ---- who hears ---- */

struct watcher {
    rusm_program *program;
    enum rusm_msg_kind kind;
    enum rusm_exit_kind reason;
    bool same;
    bool told;
};

static void look_at(struct watcher *watcher, rusm_pid pid, rusm_ref ref) {
    const struct rusm_msg *msg = rusm_receive();
    const struct rusm_down *down = rusm_msg_down(msg);
    watcher->kind = (enum rusm_msg_kind)msg->kind;
    watcher->reason = down->reason.kind;
    watcher->same = down->pid.v == pid.v && down->ref.v == ref.v;
    watcher->told =
        memmem(down->reason.payload, down->reason.payload_bytes, "unreachable", 11) != NULL;
}

static void watch_linked(void *arg) {
    struct watcher *watcher = arg;
    rusm_pid pid;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_spawn_guest_link(watcher->program, NULL, &pid) == RUSM_OK);
    look_at(watcher, pid, (rusm_ref){0});
}

static void watch_monitored(void *arg) {
    struct watcher *watcher = arg;
    rusm_pid pid;
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn_guest_monitor(watcher->program, NULL, &pid, &ref) == RUSM_OK);
    look_at(watcher, pid, ref);
}

static void links_and_monitors_hear_the_trap(void **state) {
    (void)state;
    struct guest_world world;
    rusm_program *program = load_text(start(&world, 2)->wasm, RUN("unreachable"));
    struct watcher linked = {.program = program};
    struct watcher monitored = {.program = program};
    (void)spawn_fiber(world.rt, watch_linked, &linked, NULL);
    (void)spawn_fiber(world.rt, watch_monitored, &monitored, NULL);
    rusm_runtime_wait_idle(world.rt);
    rusm_program_release(program);
    finish(&world);
    assert_int_equal(linked.kind, RUSM_MSG_EXIT);
    assert_int_equal(linked.reason, RUSM_EXIT_ERROR);
    assert_true(linked.same && linked.told);
    assert_int_equal(monitored.kind, RUSM_MSG_DOWN);
    assert_int_equal(monitored.reason, RUSM_EXIT_ERROR);
    assert_true(monitored.same && monitored.told);
}

static void link_and_wait(void *arg) {
    rusm_pid pid;
    RUSM_ASSERT(rusm_spawn_guest_link(arg, NULL, &pid) == RUSM_OK);
    (void)rusm_receive();
}

static void trap_ends_who_is_linked_with_the_guest(void **state) {
    (void)state;
    struct guest_world world;
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    rusm_program *program = load_text(start(&world, 2)->wasm, RUN("unreachable"));
    (void)spawn_fiber(world.rt, link_and_wait, program, &opts);
    rusm_runtime_wait_idle(world.rt);
    rusm_program_release(program);
    finish(&world);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_true(says(&record, "unreachable"));
}

/* ---- waiting ---- */

static void blocked_calls_are_made_again(void **state) {
    (void)state;
    struct guest_world world;
    struct exit_record record = {.count = 0};
    rusm_pid pid = run_text(start(&world, 2)->wasm,
                            RUN("(call $mark) (call $wait) (call $mark) (call $park) (call $mark)"
                                "(call $park) (call $mark)"),
                            &record);
    await_wait(world.rt, pid, RUSM_WAIT_RECEIVE);
    assert_int_equal(world.board.marks, 1);
    assert_int_equal(rusm_post(world.rt, pid, "x", 1), RUSM_OK);
    for (uint32_t marks = 2; marks < 4; marks++) {
        AWAIT(world.board.marks == marks);
        await_wait(world.rt, pid, RUSM_WAIT_OUTSIDE);
        assert_true(otp_wake(world.rt, pid));
    }
    finish(&world);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(world.board.marks, 4);
    assert_int_equal(world.board.bridge_ends, 1);
}

static void guest_that_waits_is_killed(void **state) {
    (void)state;
    static const char *const texts[] = {RUN("(call $mark) (call $wait)"),
                                        RUN("(call $mark) (call $park)")};
    static const enum rusm_process_wait waits[] = {RUSM_WAIT_RECEIVE, RUSM_WAIT_OUTSIDE};
    struct guest_world world;
    (void)start(&world, 2);
    for (size_t i = 0; i < 2; i++) {
        struct exit_record record = {.count = 0};
        rusm_pid pid = run_text(world.wasm, texts[i], &record);
        AWAIT(world.board.marks == i + 1);
        await_wait(world.rt, pid, waits[i]);
        assert_true(rusm_kill(world.rt, pid));
        await_exit(&record);
        assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    }
    finish(&world);
    assert_int_equal(world.board.bridge_ends, 1);
}

/* Each poll ends where the guest says that its slice is spent. */
static void spent_slice_lets_others_run(void **state) {
    (void)state;
    struct guest_world world;
    struct rusm_wasm_info info;
    (void)run_text(start(&world, 1)->wasm,
                   RUN("(local $i i32) (loop $n (call $busy)"
                       "(local.set $i (i32.add (local.get $i) (i32.const 1)))"
                       "(br_if $n (i32.lt_u (local.get $i) (i32.const 10))))"),
                   NULL);
    rusm_runtime_wait_idle(world.rt);
    rusm_wasm_info(world.wasm, &info);
    assert_in_range(info.yields, 9, UINT64_MAX);
    finish(&world);
}

/* ---- kills ---- */

static void endless_loops_are_killed_and_counted(void **state) {
    (void)state;
    enum { SPINNERS = 8 };
    struct guest_world world;
    struct exit_record records[SPINNERS] = {{.count = 0}};
    rusm_pid pids[SPINNERS];
    (void)start(&world, 2);
    rusm_program *program = load_text(world.wasm, FOR_EVER);
    for (size_t i = 0; i < SPINNERS; i++) {
        pids[i] = spawn_guest(program, &records[i]);
    }
    AWAIT(guests_running(world.wasm) == SPINNERS);
    for (size_t i = 0; i < SPINNERS; i++) {
        assert_true(rusm_kill(world.rt, pids[i]));
        await_exit(&records[i]);
        assert_int_equal(records[i].kind, RUSM_EXIT_KILLED);
        assert_int_equal(guests_running(world.wasm), SPINNERS - 1 - i);
    }
    rusm_program_release(program);
    finish(&world);
}

/* Whenever the kill comes: before it runs, in its first run, after it. */
static void guests_killed_at_once_leave_nothing(void **state) {
    (void)state;
    enum { GUESTS = 300 };
    struct guest_world world;
    rusm_program *program = load_text(start(&world, 2)->wasm, FOR_EVER);
    for (size_t i = 0; i < GUESTS; i++) {
        rusm_pid pid = spawn_guest(program, NULL);
        for (size_t yields = 0; yields < i % 7; yields++) {
            sched_yield();
        }
        assert_true(rusm_kill(world.rt, pid));
        if (i % 5 == 0) {
            rusm_runtime_wait_idle(world.rt);
            assert_int_equal(guests_running(world.wasm), 0);
        }
    }
    rusm_program_release(program);
    finish(&world);
}

/* ---- memory ---- */

static void linear_memory_is_counted(void **state) {
    (void)state;
    struct guest_world world;
    struct rusm_wasm_info info;
    struct rusm_process_info process;
    rusm_pid pid = run_text(start(&world, 2)->wasm,
                            RUN("(call $mark) (call $wait) (drop (memory.grow (i32.const 4)))"
                                "(call $mark) (call $wait)"),
                            NULL);
    for (uint64_t pages = 1; pages <= 5; pages += 4) {
        AWAIT(world.board.marks == 1 + pages / 4);
        await_wait(world.rt, pid, RUSM_WAIT_RECEIVE);
        rusm_wasm_info(world.wasm, &info);
        assert_int_equal(info.memory_bytes, pages * 65536);
        assert_int_equal(rusm_process_info(world.rt, pid, &process), RUSM_OK);
        assert_in_range(process.memory_bytes, pages * 65536, (pages + 1) * 65536);
        assert_int_equal(rusm_post(world.rt, pid, "x", 1), RUSM_OK);
    }
    finish(&world);
}

/* ---- limits of a capability ---- */

static void memory_limit_is_the_capabilitys(void **state) {
    (void)state;
    static const char grows[] =
        RUN("(drop (memory.grow (i32.const 1))) (call $mark) (drop (memory.grow (i32.const 1)))");
    struct guest_world world;
    struct exit_record record = {.count = 0};
    const struct rusm_capability tiny = {.memory_bytes_max = 2 * 65536};
    assert_int_equal(rusm_wasm_define_capability(start(&world, 1)->wasm, "tiny", &tiny, NULL),
                     RUSM_OK);
    rusm_program *program = load_text_as(world.wasm, grows, "tiny");
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    finish(&world);
    assert_int_equal(record.kind, RUSM_EXIT_LIMIT);
    assert_true(says(&record, "memory: more than"));
    assert_int_equal(world.board.marks, 1);
}

static void guest_that_starts_too_large_ends_by_its_limit(void **state) {
    (void)state;
    struct guest_world world;
    struct exit_record record = {.count = 0};
    (void)run_text(start(&world, 1)->wasm, "(module (memory 2000) (func (export \"run\")))",
                   &record);
    finish(&world);
    assert_int_equal(record.kind, RUSM_EXIT_LIMIT);
    assert_true(says(&record, "memory: more than the 64 MiB allowed"));
}

static void mailbox_bound_is_the_capabilitys(void **state) {
    (void)state;
    struct guest_world world;
    const struct rusm_capability two = {.mailbox_len_max = 2};
    assert_int_equal(rusm_wasm_define_capability(start(&world, 1)->wasm, "two", &two, NULL),
                     RUSM_OK);
    rusm_program *program = load_text_as(world.wasm, RUN("(call $mark) (call $park)"), "two");
    rusm_pid pid = spawn_guest(program, NULL);
    rusm_program_release(program);
    AWAIT(world.board.marks == 1);
    assert_int_equal(rusm_post(world.rt, pid, "x", 1), RUSM_OK);
    assert_int_equal(rusm_post(world.rt, pid, "x", 1), RUSM_OK);
    assert_int_equal(rusm_post(world.rt, pid, "x", 1), RUSM_ERR_MAILBOX_FULL);
    await_wait(world.rt, pid, RUSM_WAIT_OUTSIDE);
    assert_true(otp_wake(world.rt, pid));
    finish(&world);
}

/* It sleeps between its milliseconds, and is killed there. */
static void guest_over_its_cpu_budget_sleeps(void **state) {
    (void)state;
    struct guest_world world;
    const struct rusm_capability slow = {.cpu_ms_max = 1};
    assert_int_equal(rusm_wasm_define_capability(start(&world, 1)->wasm, "slow", &slow, NULL),
                     RUSM_OK);
    rusm_program *program = load_text_as(world.wasm, FOR_EVER, "slow");
    rusm_pid pid = spawn_guest(program, NULL);
    rusm_program_release(program);
    await_wait(world.rt, pid, RUSM_WAIT_SLEEP);
    assert_true(rusm_kill(world.rt, pid));
    finish(&world);
}

/* ---- what an observer sees ---- */

static void observers_tell_guests_apart(void **state) {
    (void)state;
    static const char component[] =
        "(component (core module $m (func (export \"run\") (loop (br 0))))"
        " (core instance $i (instantiate $m))"
        " (func (export \"run\") (canon lift (core func $i \"run\"))))";
    struct guest_world world;
    struct rusm_process_info info;
    rusm_pid module_pid = run_text(start(&world, 2)->wasm, WAITS, NULL);
    rusm_pid component_pid = run_text(world.wasm, component, NULL);
    rusm_pid native = spawn_fiber(world.rt, wait_for_ever, NULL, NULL);
    assert_int_equal(rusm_process_info(world.rt, module_pid, &info), RUSM_OK);
    assert_int_equal(info.kind, RUSM_KIND_STEP);
    assert_int_equal(rusm_guest_kind(info.entry), RUSM_GUEST_MODULE);
    assert_int_equal(rusm_process_info(world.rt, component_pid, &info), RUSM_OK);
    assert_int_equal(rusm_guest_kind(info.entry), RUSM_GUEST_COMPONENT);
    assert_int_equal(rusm_process_info(world.rt, native, &info), RUSM_OK);
    assert_int_equal(rusm_guest_kind(info.entry), RUSM_GUEST_NONE);
    assert_true(rusm_kill(world.rt, module_pid));
    assert_true(rusm_kill(world.rt, component_pid));
    assert_true(rusm_kill(world.rt, native));
    finish(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_end_with_kind_and_reason),
        cmocka_unit_test(links_and_monitors_hear_the_trap),
        cmocka_unit_test(trap_ends_who_is_linked_with_the_guest),
        cmocka_unit_test(blocked_calls_are_made_again),
        cmocka_unit_test(guest_that_waits_is_killed),
        cmocka_unit_test(spent_slice_lets_others_run),
        cmocka_unit_test(endless_loops_are_killed_and_counted),
        cmocka_unit_test(guests_killed_at_once_leave_nothing),
        cmocka_unit_test(linear_memory_is_counted),
        cmocka_unit_test(memory_limit_is_the_capabilitys),
        cmocka_unit_test(guest_that_starts_too_large_ends_by_its_limit),
        cmocka_unit_test(mailbox_bound_is_the_capabilitys),
        cmocka_unit_test(guest_over_its_cpu_budget_sleeps),
        cmocka_unit_test(observers_tell_guests_apart),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
