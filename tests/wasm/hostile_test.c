/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * hostile_test FOLDER: the guests in text of tests/wasm/guests/, which all misbehave. Each ends for
 * the reason that it must, its link and its monitor hear it, and nothing of it is left.
 * isolation_test has bystanders.
 */
#include "base/assert.h"
#include "test_guests_internal.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define INSTANCES 8u

static const char *folder; /* written by main, before any test */

struct world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
};

static struct world start(void) {
    struct world world = {.rt = start_runtime(2)};
    struct rusm_wasm_config config;
    struct rusm_errinfo error = {""};
    guests_signals();
    guests_config(&config);
    config.instances_max = INSTANCES;
    config.spawn_wait_ms = 3600000;
    if (rusm_wasm_create(world.rt, &config, &world.wasm, &error) != RUSM_OK) {
        fail_msg("%s", error.text);
    }
    return world;
}

static rusm_program *load(const struct world *world, const char *file,
                          const struct rusm_program_spec *spec) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s.wat", file);
    return load_file(world->wasm, folder, name, spec);
}

/* ---- an offender, and who is tied to it ---- */

struct offence {
    const char *file;
    const char *entry; /* NULL = run */
    enum rusm_exit_kind kind;
    const char *says;
    enum rusm_process_wait wait; /* KILLED: once it waits so; NONE: once it runs */
    bool wants_pid;              /* as its first message */
};

struct trial {
    const struct offence *offence;
    rusm_program *program;
    rusm_pid peer; /* who is named to it: holds who sends to it, and reads nothing */
};

static void judge(void *arg) {
    struct trial *trial = arg;
    const struct offence *offence = trial->offence;
    rusm_pid offender;
    rusm_ref ref;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_spawn_guest_link(trial->program, NULL, &offender) == RUSM_OK);
    RUSM_ASSERT(rusm_monitor(offender, &ref) == RUSM_OK);
    if (offence->wants_pid) {
        RUSM_ASSERT(rusm_send(offender, &trial->peer, sizeof trial->peer) == RUSM_OK);
    }
    if (offence->kind == RUSM_EXIT_KILLED) {
        await_guest(offender, offence->wait);
        RUSM_ASSERT(rusm_kill(NULL, offender));
    }
    hear_link_and_monitor(offence->file, offender, ref, offence->kind, offence->says);
}

static bool refuse(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    (void)msg;
    return false;
}

static void read_nothing(void *arg) {
    (void)rusm_receive_match(refuse, arg, RUSM_FOREVER);
}

static void judge_in(const struct world *world, const struct offence *offence) {
    static const struct rusm_spawn_opts held = {.mailbox_len_max = 16, .mailbox_hold = true};
    const struct rusm_program_spec spec = {.entry = offence->entry};
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    struct trial trial = {.offence = offence, .program = load(world, offence->file, &spec)};
    print_message("%s, %s\n", offence->file, offence->entry ? offence->entry : "run");
    trial.peer = spawn_fiber(world->rt, read_nothing, NULL, &held);
    (void)spawn_fiber(world->rt, judge, &trial, &opts);
    await_exit(&record);
    rusm_program_release(trial.program);
    assert_true(rusm_kill(world->rt, trial.peer));
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

static void judge_all(const struct offence *offences, size_t count) {
    struct world world = start();
    for (size_t i = 0; i < count; i++) {
        judge_in(&world, &offences[i]);
    }
    finish_guests(world.rt, world.wasm);
}

/* ---- those that end by themselves ---- */

#define TRAP(entry, says)                                                                          \
    { "traps", entry, RUSM_EXIT_ERROR, says, 0, false }

static const struct offence faults[] = {
    {"memory_bomb", NULL, RUSM_EXIT_LIMIT, "memory: more than the 64 MiB allowed", 0, false},
    {"table_bomb", NULL, RUSM_EXIT_LIMIT, "table: more than the 65536 elements", 0, false},
    {"recurse", NULL, RUSM_EXIT_ERROR, "call stack exhausted", 0, false},
    {"start_trap", NULL, RUSM_EXIT_ERROR, "unreachable", 0, false},
    {"bad/memory_too_large", NULL, RUSM_EXIT_LIMIT, "memory: more than the 64 MiB allowed", 0,
     false},
    {"bad/no_memory", NULL, RUSM_EXIT_ERROR, "memory", 0, false},
    TRAP("run", "unreachable"),
    TRAP("divide", "divide by zero"),
    TRAP("divide_overflow", "integer overflow"),
    TRAP("truncate", "invalid conversion to integer"),
    TRAP("load", "out of bounds memory access"),
    TRAP("store_far", "out of bounds memory access"),
    TRAP("call_null", "uninitialized element"),
    TRAP("call_mistyped", "indirect call type mismatch"),
    TRAP("call_outside", "out of bounds table access"),
    TRAP("send_outside", "outside of the guest's memory"),
    TRAP("send_wrapping", "outside of the guest's memory"),
    TRAP("send_negative", "outside of the guest's memory"),
    TRAP("receive_outside", "outside of the guest's memory"),
    TRAP("register_not_utf8", "UTF-8"),
    TRAP("log_level", "level"),
    TRAP("exit_reason", "reason"),
    TRAP("wasi_outside", "bounds"),
};

static void faults_are_heard(void **state) {
    (void)state;
    judge_all(faults, sizeof faults / sizeof faults[0]);
}

/* ---- those that go on for ever ---- */

#define WAIT(entry, wait, wants_pid)                                                               \
    { "waits", entry, RUSM_EXIT_KILLED, "", wait, wants_pid }

static const struct offence endless[] = {
    {"spin", NULL, RUSM_EXIT_KILLED, "", RUSM_WAIT_NONE, false},
    {"start_spin", NULL, RUSM_EXIT_KILLED, "", RUSM_WAIT_NONE, false},
    {"flood", NULL, RUSM_EXIT_KILLED, "", RUSM_WAIT_HELD, true},
    {"fork_bomb", NULL, RUSM_EXIT_KILLED, "", RUSM_WAIT_RECEIVE, false},
    WAIT("run", RUSM_WAIT_RECEIVE, false),
    WAIT("receive_timeout", RUSM_WAIT_RECEIVE, false),
    WAIT("receive_long", RUSM_WAIT_RECEIVE, false),
    WAIT("receive_match", RUSM_WAIT_RECEIVE, false),
    WAIT("stream_accept", RUSM_WAIT_RECEIVE, false),
    WAIT("stream_read", RUSM_WAIT_RECEIVE, false),
    WAIT("stream_write", RUSM_WAIT_HELD, true),
    WAIT("poll_oneoff", RUSM_WAIT_OUTSIDE, false),
};

static void kills_are_heard(void **state) {
    (void)state;
    judge_all(endless, sizeof endless / sizeof endless[0]);
}

/* ---- a fork bomb ---- */

static bool kill_one(void *arg, rusm_pid pid) {
    const struct world *world = arg;
    (void)rusm_kill(world->rt, pid);
    return true;
}

static uint64_t process_count(const struct world *world) {
    struct rusm_runtime_info info;
    rusm_runtime_info(world->rt, &info);
    return info.process_count;
}

/* Each has one child, as its capability allows: a chain, which ends at the one that waits for an
 * instance. */
static void fork_bomb_stops_where_nothing_is_left_to_run_in(void **state) {
    (void)state;
    const struct rusm_capability capability = {.spawn = RUSM_ALLOW, .processes_max = 1};
    const struct rusm_program_spec spec = {.name = "fork_bomb", .capability = "bomber"};
    struct world world = start();
    assert_int_equal(rusm_wasm_define_capability(world.wasm, "bomber", &capability, NULL), RUSM_OK);
    rusm_program *program = load(&world, "fork_bomb", &spec);
    (void)spawn_guest(program, NULL);
    rusm_program_release(program);
    AWAIT(guests_running(world.wasm) == INSTANCES && guests_waiting(world.wasm) == 1);
    assert_int_equal(process_count(&world), INSTANCES + 1);
    while (process_count(&world) > 0) { /* who is killed makes room for the next one */
        rusm_process_each(world.rt, kill_one, &world);
        sched_yield();
    }
    finish_guests(world.rt, world.wasm);
}

/* ---- those that are refused ---- */

/* In the folder bad/. */
static const struct {
    const char *file;
    const char *says;
} misfits[] = {
    {"bad/invalid", "values remaining on stack"},
    {"bad/mistyped_import", "incompatible import type for `rusm::send`"},
    {"bad/no_run", "exports no function `run`"},
    {"bad/run_with_parameter", "must have no parameters"},
    {"bad/unknown_import", "unknown import: `rusm::no_such_function`"},
    {"bad/unknown_module", "unknown import: `env::abort`"},
};

static void misfits_are_refused(void **state) {
    (void)state;
    struct world world = start();
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        const struct rusm_program_spec spec = {.name = "misfit"};
        rusm_program *program = NULL;
        struct rusm_errinfo error = {""};
        char name[64];
        (void)snprintf(name, sizeof name, "%s.wat", misfits[i].file);
        enum rusm_err err = try_load_file(world.wasm, folder, name, &spec, &program, &error);
        print_message("%s\n", error.text);
        assert_int_equal(err, RUSM_ERR_INVALID);
        assert_non_null(strstr(error.text, misfits[i].says));
    }
    finish_guests(world.rt, world.wasm);
}

/* ---- whether all are judged ---- */

static bool is_among(const struct offence *offences, size_t count, const char *file, size_t len) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(offences[i].file) == len && memcmp(offences[i].file, file, len) == 0) {
            return true;
        }
    }
    return false;
}

static void no_guest_goes_unjudged(void **state) {
    static const char suffix[] = ".wat";
    (void)state;
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len < sizeof suffix || strcmp(entry->d_name + len - sizeof suffix + 1, suffix) != 0) {
            continue;
        }
        len -= sizeof suffix - 1;
        if (!is_among(faults, sizeof faults / sizeof faults[0], entry->d_name, len) &&
            !is_among(endless, sizeof endless / sizeof endless[0], entry->d_name, len)) {
            fail_msg("%s is run by nobody", entry->d_name);
        }
    }
    (void)closedir(dir);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: hostile_test FOLDER\n");
        return 2;
    }
    folder = argv[1];
    guests_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_heard),
        cmocka_unit_test(kills_are_heard),
        cmocka_unit_test(fork_bomb_stops_where_nothing_is_left_to_run_in),
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test(no_guest_goes_unjudged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
