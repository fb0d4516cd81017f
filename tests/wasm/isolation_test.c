/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Guests that misbehave in every way we know: each ends alone, for a reason that its links and
 * monitors hear; bystanders go on; nothing of it is left.
 */
#include "base/assert.h"
#include "test_guests_internal.h"

#include <dirent.h>
#include <rusm/link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif
#ifdef SANITIZED
#define TRAPPERS 300u
#define FLOOD    3000
#else
#define TRAPPERS 10000u
#define FLOOD    50000
#endif
#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

#define INSTANCES     16u
#define QUEUE         65536u
#define PROCESSES_MAX (TRAPPERS + 2000u)

#define IMPORTS                                                                                    \
    "(import \"rusm\" \"notify\" (func $notify))"                                                  \
    "(import \"rusm\" \"send\" (func $send (param i64 i32 i32)))"                                  \
    "(import \"rusm\" \"receive\" (func $receive (param i32 i32) (result i32)))"                   \
    "(import \"rusm\" \"receive_timeout\" (func $receive_timeout (param i32 i32 i64)"              \
    "  (result i32)))"                                                                             \
    "(import \"rusm\" \"receive_match\" (func $receive_match (param i32 i32 i32 i32 i64)"          \
    "  (result i32)))"                                                                             \
    "(import \"rusm\" \"register\" (func $register (param i32 i32) (result i32)))"                 \
    "(import \"rusm\" \"whereis\" (func $whereis (param i32 i32) (result i64)))"                   \
    "(import \"rusm\" \"spawn\" (func $spawn (param i32 i32 i32) (result i64)))"                   \
    "(import \"rusm\" \"stream_open\" (func $open (param i64) (result i64)))"                      \
    "(import \"rusm\" \"stream_write\" (func $write (param i64 i32 i32) (result i32)))"            \
    "(import \"rusm\" \"stream_accept\" (func $accept (result i64)))"                              \
    "(import \"rusm\" \"stream_read\" (func $read (param i64 i32 i32) (result i32)))"              \
    "(memory (export \"memory\") 1) (data (i32.const 16) \"bomb\\ff\\fe\")"                        \
    "(func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))"
#define RUN(body)                                                                                  \
    "(module " IMPORTS "(func (export \"run\") (local $s i64) (local $i i32) " body "))"

/* ---- the world, with its bystanders ---- */

struct isolation {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    rusm_pid guest;  /* bystanders: notifies, */
    rusm_pid native; /* and counts */
    _Atomic uint64_t native_count;
    uint64_t processes;
    uint32_t descriptors;
};

static void count_for_ever(void *arg) {
    struct isolation *world = arg;
    for (;;) {
        world->native_count++;
        rusm_yield();
    }
}

static uint32_t open_descriptors(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    RUSM_ASSERT(folder);
    while (readdir(folder)) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static uint64_t process_count(const struct isolation *world) {
    struct rusm_runtime_info info;
    rusm_runtime_info(world->rt, &info);
    return info.process_count;
}

static struct rusm_wasm_info wasm_info(const struct isolation *world) {
    struct rusm_wasm_info info;
    rusm_wasm_info(world->wasm, &info);
    return info;
}

/* Sleeps a moment, so that what WASI needs of threads and descriptors is there already. */
#define WASI_SLEEP(ns)                                                                             \
    "(module (import \"wasi_snapshot_preview1\" \"poll_oneoff\""                                   \
    "  (func $poll (param i32 i32 i32 i32) (result i32)))"                                         \
    "(memory (export \"memory\") 1)"                                                               \
    "(func (export \"run\") (i32.store (i32.const 16) (i32.const 1))"                              \
    "  (i64.store (i32.const 24) (i64.const " ns "))"                                              \
    "  (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"

static void log_nothing(void *arg, enum rusm_log_level level, const char *text) {
    (void)arg;
    (void)level;
    (void)text;
}

static int start(void **state) {
    static struct isolation worlds[1];
    struct isolation *world = worlds;
    struct rusm_config config;
    struct rusm_wasm_config wasm_config;
    struct exit_record slept = {.count = 0};
    rusm_config_init(&config);
    config.schedulers = 2;
    config.processes_max = PROCESSES_MAX;
    config.log = log_nothing;
    guests_signals();
    guests_config(&wasm_config);
    wasm_config.instances_max = INSTANCES;
    wasm_config.spawn_queue_max = QUEUE;
    wasm_config.spawn_wait_ms = 3600000;
    memset(world, 0, sizeof *world);
    world->rt = start_configured(&config);
    RUSM_ASSERT(rusm_wasm_create(world->rt, &wasm_config, &world->wasm, NULL) == RUSM_OK);
    (void)run_text(world->wasm, WASI_SLEEP("1000"), &slept);
    await_exit(&slept);
    RUSM_ASSERT(slept.kind == RUSM_EXIT_NORMAL);
    world->guest = run_text(world->wasm, RUN("(loop (call $notify) (br 0))"), NULL);
    world->native = spawn_fiber(world->rt, count_for_ever, world, NULL);
    AWAIT(wasm_info(world).notifies > 0 && world->native_count > 0);
    world->processes = process_count(world);
    world->descriptors = open_descriptors();
    *state = world;
    return 0;
}

/* cmocka takes the handlers out between the setup and the test, too. */
static struct isolation *enter(void **state) {
    guests_signals();
    return *state;
}

/* Also from a process. */
static void bystanders_go_on(struct isolation *world) {
    uint64_t notifies = wasm_info(world).notifies;
    uint64_t count = world->native_count;
    while (wasm_info(world).notifies < notifies + 1000 || world->native_count < count + 100) {
        if (rusm_self().v != 0) {
            rusm_yield();
        } else {
            sched_yield();
        }
    }
}

/* All that is left is the bystanders. */
static void nothing_is_left(struct isolation *world) {
    AWAIT(process_count(world) == world->processes);
    struct rusm_wasm_info info = wasm_info(world);
    assert_int_equal(info.instances, 1);
    assert_int_equal(info.waiting, 0);
    assert_int_equal(info.memory_bytes, 65536);
    assert_in_range(open_descriptors(), 0, world->descriptors);
    bystanders_go_on(world);
}

static int finish(void **state) {
    struct isolation *world = *state;
    RUSM_ASSERT(rusm_kill(world->rt, world->guest));
    RUSM_ASSERT(rusm_kill(world->rt, world->native));
    finish_guests(world->rt, world->wasm);
    return 0;
}

/* Loads with the pid in place of "%llu", if the text has it. Compiled code is kept in descriptors,
 * so they are counted from here on. */
static rusm_program *load(struct isolation *world, const char *text, rusm_pid peer) {
    rusm_program *program =
        strstr(text, "%llu") ? load_format(world->wasm, text, peer) : load_text(world->wasm, text);
    world->descriptors = open_descriptors();
    return program;
}

/* ---- an offender, and who is tied to it ---- */

struct offence {
    const char *name;
    const char *text;
    enum rusm_exit_kind kind;
    const char *says;
    enum rusm_process_wait wait; /* KILLED: once it waits so; NONE: once it runs */
};

struct trial {
    struct isolation *world;
    const struct offence *offence;
    rusm_program *program;
};

static void judge(void *arg) {
    struct trial *trial = arg;
    const struct offence *offence = trial->offence;
    rusm_pid offender;
    rusm_ref ref;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_spawn_guest_link(trial->program, NULL, &offender) == RUSM_OK);
    RUSM_ASSERT(rusm_monitor(offender, &ref) == RUSM_OK);
    if (offence->kind == RUSM_EXIT_KILLED) {
        await_guest(offender, offence->wait);
        bystanders_go_on(trial->world);
        RUSM_ASSERT(rusm_kill(NULL, offender));
    }
    hear_link_and_monitor(offence->name, offender, ref, offence->kind, offence->says);
}

static void judge_all(struct isolation *world, const struct offence *offences, size_t count) {
    rusm_pid peer = spawn_fiber(world->rt, wait_for_ever, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        struct trial trial = {.world = world, .offence = &offences[i]};
        struct exit_record record = {.count = 0};
        const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
        print_message("%s\n", offences[i].name);
        trial.program = load(world, offences[i].text, peer);
        (void)spawn_fiber(world->rt, judge, &trial, &opts);
        await_exit(&record);
        rusm_program_release(trial.program);
        assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    }
    assert_true(rusm_kill(world->rt, peer));
    nothing_is_left(world);
}

/* ---- those that end by themselves ---- */

static const struct offence faults[] = {
    {"unreachable", RUN("unreachable"), RUSM_EXIT_ERROR, "unreachable", 0},
    {"division", RUN("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), RUSM_EXIT_ERROR,
     "divide by zero", 0},
    {"out of bounds", RUN("(i32.store (i32.const 65536) (i32.const 1))"), RUSM_EXIT_ERROR,
     "out of bounds", 0},
    {"stack overflow", "(module (func $f (export \"run\") (call $f)))", RUSM_EXIT_ERROR,
     "call stack exhausted", 0},
    {"memory bomb", RUN("(loop (drop (memory.grow (i32.const 16))) (br 0))"), RUSM_EXIT_LIMIT,
     "memory: more than the 64 MiB allowed", 0},
    {"table bomb",
     "(module (table 1 funcref) (func (export \"run\")"
     " (loop (drop (table.grow (ref.null func) (i32.const 100))) (br 0))))",
     RUSM_EXIT_LIMIT, "table: more than", 0},
    {"bad pointer, send", RUN("(call $send (i64.const %llu) (i32.const -4) (i32.const 8))"),
     RUSM_EXIT_ERROR, "outside of the guest's memory", 0},
    {"bad pointer, receive", RUN("(drop (call $receive (i32.const 65530) (i32.const 7)))"),
     RUSM_EXIT_ERROR, "outside of the guest's memory", 0},
    {"bad pointer, read",
     RUN("(drop (call $read (i64.const 1) (i32.const 0x7fffffff) (i32.const 0x7fffffff)))"),
     RUSM_EXIT_ERROR, "outside of the guest's memory", 0},
    {"bad text", RUN("(drop (call $register (i32.const 16) (i32.const 6)))"), RUSM_EXIT_ERROR,
     "UTF-8", 0},
};

static void faults_end_the_guest_alone(void **state) {
    judge_all(enter(state), faults, sizeof faults / sizeof faults[0]);
}

/* ---- those that are killed, wherever they wait ---- */

static const struct offence waits[] = {
    {"endless loop", RUN("(loop (br 0))"), RUSM_EXIT_KILLED, "", RUSM_WAIT_NONE},
    {"endless calls", RUN("(loop (call $notify) (br 0))"), RUSM_EXIT_KILLED, "", RUSM_WAIT_NONE},
    {"receive", RUN("(drop (call $receive (i32.const 0) (i32.const 9)))"), RUSM_EXIT_KILLED, "",
     RUSM_WAIT_RECEIVE},
    {"receive_timeout, for ever",
     RUN("(drop (call $receive_timeout (i32.const 0) (i32.const 9) (i64.const -1)))"),
     RUSM_EXIT_KILLED, "", RUSM_WAIT_RECEIVE},
    {"receive_timeout, for an hour",
     RUN("(drop (call $receive_timeout (i32.const 0) (i32.const 9) (i64.const 3600000)))"),
     RUSM_EXIT_KILLED, "", RUSM_WAIT_RECEIVE},
    {"receive_match",
     RUN("(drop (call $receive_match (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 9)"
         " (i64.const 3600000)))"),
     RUSM_EXIT_KILLED, "", RUSM_WAIT_RECEIVE},
    {"stream_accept", RUN("(drop (call $accept))"), RUSM_EXIT_KILLED, "", RUSM_WAIT_RECEIVE},
    {"stream_write",
     RUN("(local.set $s (call $open (i64.const %llu)))"
         "(loop (drop (call $write (local.get $s) (i32.const 0) (i32.const 4096))) (br 0))"),
     RUSM_EXIT_KILLED, "", RUSM_WAIT_HELD},
    {"sleep of WASI", WASI_SLEEP("3600000000000"), RUSM_EXIT_KILLED, "", RUSM_WAIT_OUTSIDE},
};

static void guests_are_killed_wherever_they_wait(void **state) {
    judge_all(enter(state), waits, sizeof waits / sizeof waits[0]);
}

static void open_and_wait(void *arg) {
    rusm_stream_writer *writer;
    RUSM_ASSERT(rusm_stream_open(*(rusm_pid *)arg, NULL, &writer) == RUSM_OK);
    wait_for_ever(NULL);
}

/* The peer that opened the stream lives on, so that it is the read that waits. */
static void guest_is_killed_in_a_read(void **state) {
    struct isolation *world = enter(state);
    struct exit_record record = {.count = 0};
    rusm_program *program =
        load(world,
             RUN("(local.set $s (call $accept)) (call $notify)"
                 "(drop (call $read (local.get $s) (i32.const 0) (i32.const 9)))"
                 "unreachable"),
             (rusm_pid){0});
    rusm_pid reader = spawn_guest(program, &record);
    rusm_program_release(program);
    rusm_pid writer = spawn_fiber(world->rt, open_and_wait, &reader, NULL);
    await_wait(world->rt, writer, RUSM_WAIT_RECEIVE);
    await_wait(world->rt, reader, RUSM_WAIT_RECEIVE);
    bystanders_go_on(world);
    assert_true(rusm_kill(world->rt, reader));
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    assert_true(rusm_kill(world->rt, writer));
    nothing_is_left(world);
}

/* ---- floods ---- */

static const char sends_for_ever[] =
    RUN("(loop (call $send (i64.const %llu) (i32.const 0) (i32.const 100)) (br 0))");
static const char sends_many[] =
    RUN("(loop $next (call $send (i64.const %llu) (i32.const 0) (i32.const 100))"
        "(local.set $i (i32.add (local.get $i) (i32.const 1)))"
        "(br_if $next (i32.lt_u (local.get $i) (i32.const " TEXT_OF(FLOOD) "))))");

static uint64_t mailbox_depth(const struct isolation *world, rusm_pid pid) {
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(world->rt, pid, &info), RUSM_OK);
    return info.mailbox_depth;
}

struct receiver {
    _Atomic bool go;
    _Atomic uint64_t count;
};

static void receive_when_told(void *arg) {
    struct receiver *receiver = arg;
    while (!receiver->go) {
        rusm_yield();
    }
    for (;;) {
        RUSM_ASSERT(rusm_receive()->len == 100);
        receiver->count++;
    }
}

static void flood_is_shed_at_the_bound(void **state) {
    struct isolation *world = enter(state);
    struct receiver receiver = {.go = false};
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts bounded = {.mailbox_len_max = 16};
    rusm_pid victim = spawn_fiber(world->rt, receive_when_told, &receiver, &bounded);
    rusm_program *program = load(world, sends_many, victim);
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(mailbox_depth(world, victim), 16);
    bystanders_go_on(world);
    receiver.go = true;
    AWAIT(receiver.count == 16);
    assert_true(rusm_kill(world->rt, victim));
    nothing_is_left(world);
}

static void flood_is_held_at_the_bound(void **state) {
    struct isolation *world = enter(state);
    struct receiver receiver = {.go = false};
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts bounded = {.mailbox_len_max = 16, .mailbox_hold = true};
    rusm_pid victim = spawn_fiber(world->rt, receive_when_told, &receiver, &bounded);
    rusm_program *program = load(world, sends_for_ever, victim);
    rusm_pid flooder = spawn_guest(program, &record);
    rusm_program_release(program);
    await_wait(world->rt, flooder, RUSM_WAIT_HELD);
    /* It is stopped at its next loop or call, not within the send. */
    assert_in_range(mailbox_depth(world, victim), 16, 32);
    bystanders_go_on(world);
    receiver.go = true;
    AWAIT(receiver.count > 1000);
    receiver.go = false;
    assert_true(rusm_kill(world->rt, flooder));
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    assert_true(rusm_kill(world->rt, victim));
    nothing_is_left(world);
}

static void unbounded_flood_arrives(void **state) {
    struct isolation *world = enter(state);
    struct receiver receiver = {.go = false};
    struct exit_record record = {.count = 0};
    rusm_pid victim = spawn_fiber(world->rt, receive_when_told, &receiver, NULL);
    rusm_program *program = load(world, sends_many, victim);
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(mailbox_depth(world, victim), FLOOD);
    receiver.go = true;
    AWAIT(receiver.count == FLOOD);
    assert_true(rusm_kill(world->rt, victim));
    nothing_is_left(world);
}

/* ---- fork bombs ---- */

/* Each spawns others of its kind, for as long as a process has the name `bomb`; then it waits. */
static const char bomb[] =
    RUN("(block $done (loop $next"
        " (br_if $done (i64.lt_s (call $whereis (i32.const 16) (i32.const 4)) (i64.const 0)))"
        " (drop (call $spawn (i32.const 16) (i32.const 4) (i32.const 0))) (br $next)))"
        "(drop (call $receive (i32.const 0) (i32.const 9)))");

/* Light the fuse: what is returned keeps it burning. */
static rusm_pid set_off(struct isolation *world, const struct rusm_capability *capability) {
    const struct rusm_spawn_opts named = {.name = "bomb"};
    rusm_pid fuse = spawn_fiber(world->rt, wait_for_ever, NULL, &named);
    rusm_program *program = NULL;
    const struct rusm_program_spec spec = {
        .name = "bomb", .wasm = bomb, .wasm_bytes = sizeof bomb - 1, .capability = "bomber"};
    RUSM_ASSERT(rusm_wasm_define_capability(world->wasm, "bomber", capability, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_program_load(world->wasm, &spec, &program, NULL) == RUSM_OK);
    world->descriptors = open_descriptors();
    (void)spawn_guest(program, NULL);
    rusm_program_release(program);
    return fuse;
}

struct sweep {
    struct isolation *world;
    uint32_t active; /* that do not wait */
};

static bool count_active(void *arg, rusm_pid pid) {
    struct sweep *sweep = arg;
    struct rusm_process_info info;
    if (pid.v != sweep->world->guest.v && pid.v != sweep->world->native.v &&
        rusm_process_info(sweep->world->rt, pid, &info) == RUSM_OK) {
        sweep->active += info.wait == RUSM_WAIT_NONE;
    }
    return true;
}

static bool kill_all_but_bystanders(void *arg, rusm_pid pid) {
    struct sweep *sweep = arg;
    if (pid.v != sweep->world->guest.v && pid.v != sweep->world->native.v) {
        (void)rusm_kill(sweep->world->rt, pid);
    }
    return true;
}

static void clear_up(struct isolation *world, rusm_pid fuse) {
    struct sweep sweep = {.world = world};
    assert_true(rusm_kill(world->rt, fuse));
    do { /* until nobody can spawn any more */
        sched_yield();
        sweep.active = 0;
        rusm_process_each(world->rt, count_active, &sweep);
    } while (sweep.active > 0);
    rusm_process_each(world->rt, kill_all_but_bystanders, &sweep);
    nothing_is_left(world);
}

/* Without a limit of its own it fills the process table, holds every instance but one, and the
 * rest waits for those. */
static void fork_bomb_fills_its_bounds_and_no_more(void **state) {
    struct isolation *world = enter(state);
    const struct rusm_capability free_rein = {.spawn = RUSM_ALLOW};
    rusm_pid fuse = set_off(world, &free_rein);
    AWAIT(guests_running(world->wasm) == INSTANCES);
    /* A scheduler keeps up to 256 free slots to itself. */
    AWAIT(process_count(world) >= PROCESSES_MAX - 2 * 256);
    assert_in_range(process_count(world), 0, PROCESSES_MAX);
    AWAIT(guests_waiting(world->wasm) > PROCESSES_MAX - 2 * 256 - INSTANCES - 8);
    assert_in_range(wasm_info(world).instances, 1, INSTANCES);
    bystanders_go_on(world);
    clear_up(world, fuse);
}

static void fork_bomb_stops_at_its_own_limit(void **state) {
    struct isolation *world = enter(state);
    const struct rusm_capability one = {.spawn = RUSM_ALLOW, .processes_max = 1};
    rusm_pid fuse = set_off(world, &one);
    /* Each has one child, so it is a chain: as many as there are instances, and one that waits. */
    AWAIT(guests_running(world->wasm) == INSTANCES && guests_waiting(world->wasm) == 1);
    bystanders_go_on(world);
    assert_int_equal(process_count(world), world->processes + INSTANCES + 1);
    clear_up(world, fuse);
}

/* ---- many at once ---- */

static void note_trap(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    _Atomic uint32_t *traps = arg;
    (void)pid;
    RUSM_ASSERT(reason->kind == RUSM_EXIT_ERROR &&
                memmem(reason->payload, reason->payload_bytes, "unreachable", 11));
    atomic_fetch_add(traps, 1);
}

static void many_trap_at_once(void **state) {
    struct isolation *world = enter(state);
    _Atomic uint32_t traps = 0;
    const struct rusm_spawn_opts opts = {.on_exit = note_trap, .on_exit_arg = &traps};
    rusm_program *program = load(world, RUN("unreachable"), (rusm_pid){0});
    for (uint32_t i = 0; i < TRAPPERS; i++) {
        assert_int_equal(rusm_spawn_guest(program, &opts, NULL), RUSM_OK);
    }
    bystanders_go_on(world);
    AWAIT(traps == TRAPPERS);
    rusm_program_release(program);
    nothing_is_left(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(faults_end_the_guest_alone),
        TEST(guests_are_killed_wherever_they_wait),
        TEST(guest_is_killed_in_a_read),
        TEST(flood_is_shed_at_the_bound),
        TEST(flood_is_held_at_the_bound),
        TEST(unbounded_flood_arrives),
        TEST(fork_bomb_fills_its_bounds_and_no_more),
        TEST(fork_bomb_stops_at_its_own_limit),
        TEST(many_trap_at_once),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
