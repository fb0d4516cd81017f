/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Making and destroying runtimes; two of them side by side; what ends the whole program. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void defaults_are_those_of_the_header(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    assert_int_equal(config.schedulers, 0);
    assert_int_equal(config.processes_max, 4 * 1024 * 1024);
    assert_int_equal(config.stack_bytes, 64 * 1024);
    assert_int_equal(config.reductions, 2000);
    assert_int_equal(config.mailbox_len_max, RUSM_MAILBOX_LEN_LIMIT);
    assert_int_equal(config.mailbox_policy, RUSM_MAILBOX_SHED);
    assert_int_equal(config.message_bytes_max, 64 * 1024 * 1024);
    assert_int_equal(config.names_max, 1024 * 1024);
    assert_int_equal(config.timers_max, 4 * 1024 * 1024);
    assert_int_equal(config.blocking_threads_max, 4);
    assert_int_equal(config.blocking_jobs_max, 1024);
    assert_null(config.log);
}

static void runtime_without_configuration_uses_the_defaults(void **state) {
    (void)state;
    rusm_runtime *rt = start_configured(NULL);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_in_range(info.schedulers, 1, 64);
    assert_int_equal(info.processes_max, 4 * 1024 * 1024);
    finish_runtime(rt);
}

/* One field out of its range. */
struct wrong {
    size_t offset;
    uint32_t value;
};

#define FIELD(name) offsetof(struct rusm_config, name)

static void fields_out_of_range_are_refused(void **state) {
    (void)state;
    static const struct wrong wrongs[] = {
        {FIELD(schedulers), 65},
        {FIELD(processes_max), 0},
        {FIELD(processes_max), 16 * 1024 * 1024},
        {FIELD(stack_bytes), 0},
        {FIELD(stack_bytes), 12 * 1024},
        {FIELD(stack_bytes), 16 * 1024 + 1},
        {FIELD(stack_bytes), 16 * 1024 * 1024 + 4096},
        {FIELD(reductions), 63},
        {FIELD(reductions), 1000001},
        {FIELD(mailbox_len_max), 0},
        {FIELD(mailbox_len_max), RUSM_MAILBOX_LEN_LIMIT + 1},
        {FIELD(mailbox_policy), 2},
        {FIELD(names_max), 0},
        {FIELD(timers_max), 0},
        {FIELD(timers_max), 16 * 1024 * 1024},
        {FIELD(blocking_threads_max), 0},
        {FIELD(blocking_threads_max), 1025},
        {FIELD(blocking_jobs_max), 0},
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct rusm_config config;
        rusm_config_init(&config);
        memcpy((char *)&config + wrongs[i].offset, &wrongs[i].value, sizeof wrongs[i].value);
        rusm_runtime *rt = NULL;
        assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
        assert_null(rt);
    }
}

static void fields_at_the_ends_of_their_ranges_are_accepted(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 64;
    config.processes_max = 16 * 1024 * 1024 - 1;
    config.reductions = 1000000;
    config.timers_max = 16 * 1024 * 1024 - 1;
    config.blocking_threads_max = 1024;
    finish_runtime(start_configured(&config));
    config.schedulers = 1;
    config.processes_max = 1;
    config.stack_bytes = 16 * 1024;
    config.reductions = 64;
    config.mailbox_len_max = 1;
    config.message_bytes_max = 0;
    config.names_max = 1;
    config.timers_max = 1;
    config.blocking_threads_max = 1;
    config.blocking_jobs_max = 1;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, end_at_once, NULL, NULL);
    finish_runtime(rt);
}

static void runtime_without_descriptors_is_refused(void **state) {
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    rusm_runtime *rt = NULL;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 4;
    enum rusm_err err = rusm_runtime_create(&config, &rt);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, RUSM_ERR_SYSTEM);
    assert_null(rt);
}

static void version_is_three_numbers(void **state) {
    (void)state;
    unsigned major = 99;
    unsigned minor = 99;
    unsigned patch = 99;
    char rest = 0;
    assert_int_equal(sscanf(rusm_version(), "%u.%u.%u%c", &major, &minor, &patch, &rest), 3);
}

static void destroying_kills_all_processes(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct exit_record records[100];
    for (int i = 0; i < 100; i++) {
        atomic_init(&records[i].count, 0);
        struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &records[i]};
        (void)spawn_fiber(rt, wait_for_ever, NULL, &opts);
    }
    rusm_runtime_destroy(rt);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(atomic_load(&records[i].count), 1);
        assert_int_equal(records[i].kind, RUSM_EXIT_KILLED);
    }
}

static void destroying_nothing_is_nothing(void **state) {
    (void)state;
    rusm_runtime_destroy(NULL);
    rusm_runtime_destroy(start_runtime(1));
}

/* Spawns for as long as it is let; a runtime that is destroyed refuses at some point. */
static void spawn_until_stopped(void *arg) {
    enum rusm_err err;
    do {
        err = rusm_spawn(NULL, end_at_once, NULL, NULL, NULL);
        RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_STOPPING);
        if (err == RUSM_OK) {
            atomic_store((_Atomic bool *)arg, true);
        }
    } while (err == RUSM_OK);
    rusm_yield(); /* and it is killed */
}

static void stopping_runtime_refuses_spawns(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    _Atomic bool running = false;
    (void)spawn_fiber(rt, spawn_until_stopped, &running, NULL);
    AWAIT(atomic_load(&running));
    rusm_runtime_destroy(rt);
}

/* ---- side by side ---- */

struct remote {
    rusm_runtime *rt;
    rusm_pid pid;
    struct exit_record record;
};

static void visit_other_runtime(void *arg) {
    struct remote *remote = arg;
    uint32_t value = 42;
    RUSM_ASSERT(rusm_self_runtime() != remote->rt);
    RUSM_ASSERT(rusm_is_alive(remote->rt, remote->pid));
    RUSM_ASSERT(rusm_register(remote->rt, "there", remote->pid) == RUSM_OK);
    RUSM_ASSERT(rusm_whereis(remote->rt, "there").v == remote->pid.v);
    RUSM_ASSERT(rusm_whereis(NULL, "there").v == 0);
    RUSM_ASSERT(rusm_post(remote->rt, remote->pid, &value, sizeof value) == RUSM_OK);
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &remote->record};
    rusm_pid spawned;
    RUSM_ASSERT(rusm_spawn(remote->rt, wait_for_ever, NULL, &opts, &spawned) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(remote->rt, spawned));
}

static void receive_42(void *arg) {
    *(uint32_t *)arg = *(const uint32_t *)rusm_receive()->data;
}

static void runtimes_live_side_by_side(void **state) {
    (void)state;
    uint32_t got = 0;
    struct remote remote = {.rt = start_runtime(2)};
    rusm_runtime *here = start_runtime(2);
    remote.pid = spawn_fiber(remote.rt, receive_42, &got, NULL);
    (void)spawn_fiber(here, visit_other_runtime, &remote, NULL);
    finish_runtime(here);
    finish_runtime(remote.rt);
    assert_int_equal(got, 42);
    assert_int_equal(atomic_load(&remote.record.count), 1);
    assert_int_equal(remote.record.kind, RUSM_EXIT_KILLED);
}

/* ---- what ends the program ---- */

/*
 * Run this program again with the name of a scenario as its argument: cmocka's own handlers of
 * signals are not there then. Standard error goes to `text`; returns the wait status.
 */
static int run_scenario(const char *name, char *text, size_t text_bytes) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        execl("/proc/self/exe", "runtime_test", name, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t got;
    while (len + 1 < text_bytes && (got = read(fds[0], text + len, text_bytes - 1 - len)) > 0) {
        len += (size_t)got;
    }
    text[len] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int recurse(const volatile int *depth) {
    volatile int frame[256];
    frame[0] = *depth;
    return *depth < 0 ? 0 : recurse(frame) + frame[0];
}

static void overflow(void *arg) {
    rusm_yield();
    *(int *)arg = recurse(arg);
}

static void overflow_a_stack(void) {
    rusm_runtime *rt = start_runtime(1);
    int result = 0;
    struct rusm_spawn_opts opts = {.label = "too deep"};
    (void)spawn_fiber(rt, overflow, &result, &opts);
    finish_runtime(rt);
}

static void stack_overflow_names_the_process_and_aborts(void **state) {
    (void)state;
    char text[4096];
    int status = run_scenario("overflow", text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "overflowed its stack"));
    assert_non_null(strstr(text, "\"too deep\""));
    assert_non_null(strstr(text, "65536"));
}

static void wait_idle_inside(void *arg) {
    rusm_runtime_wait_idle(arg);
}

static void wait_inside(void) {
    rusm_runtime *rt = start_runtime(1);
    (void)spawn_fiber(rt, wait_idle_inside, rt, NULL);
    finish_runtime(rt);
}

static void misuse_stops_the_program_and_says_where(void **state) {
    (void)state;
    char text[4096];
    int status = run_scenario("wait inside", text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "assertion failed"));
    assert_non_null(strstr(text, "rusm_runtime_wait_idle"));
    status = run_scenario("send outside", text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "rusm_send"));
}

static int play(const char *scenario) {
    if (strcmp(scenario, "overflow") == 0) {
        overflow_a_stack();
    } else if (strcmp(scenario, "wait inside") == 0) {
        wait_inside();
    } else if (strcmp(scenario, "send outside") == 0) {
        (void)rusm_send((rusm_pid){1}, "x", 1);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return play(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_header),
        cmocka_unit_test(runtime_without_configuration_uses_the_defaults),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(fields_at_the_ends_of_their_ranges_are_accepted),
        cmocka_unit_test(runtime_without_descriptors_is_refused),
        cmocka_unit_test(version_is_three_numbers),
        cmocka_unit_test(destroying_kills_all_processes),
        cmocka_unit_test(destroying_nothing_is_nothing),
        cmocka_unit_test(stopping_runtime_refuses_spawns),
        cmocka_unit_test(runtimes_live_side_by_side),
        cmocka_unit_test(stack_overflow_names_the_process_and_aborts),
        cmocka_unit_test(misuse_stops_the_program_and_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
