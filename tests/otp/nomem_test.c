/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Without memory: every allocation of a call is made to fail in turn, by wrapping the allocator at
 * link time. The call must tell, leave nothing behind (the leak checker looks), and work
 * afterwards.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include <rusm/rusm.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

/* Allocations of one thread fail from the `left`-th on; -1 = none do. */
static struct {
    _Atomic int left;
    pthread_t thread;
} failing = {.left = -1};

static void fail_from(int nth) {
    failing.thread = pthread_self();
    atomic_store(&failing.left, nth);
}

static void fail_none(void) {
    atomic_store(&failing.left, -1);
}

static bool fails(void) {
    int left = atomic_load(&failing.left);
    if (left < 0 || !pthread_equal(failing.thread, pthread_self())) {
        return false;
    }
    if (left > 0) {
        atomic_store(&failing.left, left - 1);
    }
    return left == 0;
}

void *__real_rusm_alloc(size_t bytes);
void *__real_rusm_zalloc(size_t bytes);
void *__real_rusm_zalloc_aligned(size_t alignment, size_t bytes);
void *__real_rusm_realloc(void *block, size_t bytes);
void *__real_rusm_map_pages(size_t bytes);
void *__wrap_rusm_alloc(size_t bytes);
void *__wrap_rusm_zalloc(size_t bytes);
void *__wrap_rusm_zalloc_aligned(size_t alignment, size_t bytes);
void *__wrap_rusm_realloc(void *block, size_t bytes);
void *__wrap_rusm_map_pages(size_t bytes);

void *__wrap_rusm_alloc(size_t bytes) {
    return fails() ? NULL : __real_rusm_alloc(bytes);
}

void *__wrap_rusm_zalloc(size_t bytes) {
    return fails() ? NULL : __real_rusm_zalloc(bytes);
}

void *__wrap_rusm_zalloc_aligned(size_t alignment, size_t bytes) {
    return fails() ? NULL : __real_rusm_zalloc_aligned(alignment, bytes);
}

void *__wrap_rusm_realloc(void *block, size_t bytes) {
    return fails() ? NULL : __real_rusm_realloc(block, bytes);
}

void *__wrap_rusm_map_pages(size_t bytes) {
    return fails() ? NULL : __real_rusm_map_pages(bytes);
}

static rusm_runtime *start(void) {
    struct rusm_config config;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = 1;
    rusm_runtime *rt = NULL;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_OK);
    return rt;
}

static void finish(rusm_runtime *rt) {
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
}

static void runtime_is_made_whole_or_not_at_all(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.log_level = RUSM_LOG_OFF;
    config.schedulers = 3;
    int failures = 0;
    enum rusm_err err;
    rusm_runtime *rt = NULL;
    do {
        fail_from(failures);
        err = rusm_runtime_create(&config, &rt);
        fail_none();
        if (err != RUSM_OK) {
            assert_int_equal(err, RUSM_ERR_NOMEM);
            assert_null(rt);
            failures++;
        }
    } while (err != RUSM_OK);
    rusm_runtime_destroy(rt);
    assert_in_range(failures, 5, 100);
}

static void note_run(void *arg) {
    atomic_fetch_add((_Atomic uint32_t *)arg, 1);
}

static void note_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    note_run(arg);
}

static void spawn_with_options_is_whole_or_not_at_all(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    _Atomic uint32_t runs = 0;
    _Atomic uint32_t exits = 0;
    struct rusm_spawn_opts opts = {
        .name = "n", .label = "l", .on_exit = note_exit, .on_exit_arg = &exits};
    int failures = 0;
    enum rusm_err err;
    do {
        fail_from(failures);
        err = rusm_spawn(rt, note_run, &runs, &opts, NULL);
        fail_none();
        if (err != RUSM_OK) {
            assert_int_equal(err, RUSM_ERR_NOMEM);
            assert_int_equal(rusm_whereis(rt, "n").v, 0);
            failures++;
        }
    } while (err != RUSM_OK);
    finish(rt);
    assert_in_range(failures, 3, 20);
    assert_int_equal(atomic_load(&runs), 1);
    assert_int_equal(atomic_load(&exits), 1);
}

static void wait_for_message(void *arg) {
    (void)arg;
    (void)rusm_receive();
}

/* The parent's table is full, so that noting one more link, or monitor, takes memory. */
static void spawn_tied(void *arg) {
    static const struct rusm_spawn_opts opts = {.name = "tied"};
    struct rusm_runtime_info all;
    uint32_t *failures = arg;
    rusm_pid pids[24];
    rusm_ref ref;
    for (int i = 0; i < 24; i++) {
        int failing_from = 0;
        enum rusm_err err;
        do {
            fail_from(failing_from++);
            err = i % 2 ? rusm_spawn_monitor(wait_for_message, NULL, &opts, &pids[i], &ref)
                        : rusm_spawn_link(wait_for_message, NULL, &opts, &pids[i]);
            fail_none();
            if (err != RUSM_OK) {
                RUSM_ASSERT(err == RUSM_ERR_NOMEM);
                RUSM_ASSERT(rusm_whereis(NULL, "tied").v == 0);
                rusm_runtime_info(rusm_self_runtime(), &all);
                RUSM_ASSERT(all.names == 0);
                ++*failures;
            }
        } while (err != RUSM_OK);
        RUSM_ASSERT(rusm_unregister(NULL, "tied") == RUSM_OK);
    }
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.links == 12 && info.monitors == 12);
    (void)rusm_trap_exit(true);
    for (int i = 0; i < 24; i++) {
        RUSM_ASSERT(rusm_kill(NULL, pids[i]));
    }
}

static void tied_spawn_is_whole_or_not_at_all(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    uint32_t failures = 0;
    assert_int_equal(rusm_spawn(rt, spawn_tied, &failures, NULL, NULL), RUSM_OK);
    finish(rt);
    assert_in_range(failures, 30, 300);
}

static void receive_one(void *arg) {
    *(uint32_t *)arg = rusm_receive()->len;
}

static void post_without_memory_is_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    uint32_t len = 0;
    rusm_pid pid;
    assert_int_equal(rusm_spawn(rt, receive_one, &len, NULL, &pid), RUSM_OK);
    rusm_buf *buf = NULL;
    fail_from(0);
    enum rusm_err post_err = rusm_post(rt, pid, "abc", 3);
    enum rusm_err buf_err = rusm_buf_create(10, &buf);
    bool killed = rusm_kill(rt, pid);
    fail_none();
    assert_int_equal(post_err, RUSM_ERR_NOMEM);
    assert_int_equal(buf_err, RUSM_ERR_NOMEM);
    assert_null(buf);
    assert_false(killed);
    assert_int_equal(rusm_post(rt, pid, "abc", 3), RUSM_OK);
    finish(rt);
    assert_int_equal(len, 3);
}

static void try_calls(void *arg) {
    char bytes[100] = {0};
    rusm_pid self = rusm_self();
    fail_from(0);
    RUSM_ASSERT(rusm_send(self, bytes, sizeof bytes) == RUSM_ERR_NOMEM);
    RUSM_ASSERT(rusm_send_after(self, 1, bytes, sizeof bytes, NULL) == RUSM_ERR_NOMEM);
    RUSM_ASSERT(rusm_send_after(self, 1, bytes, 1, NULL) == RUSM_ERR_NOMEM);
    RUSM_ASSERT(rusm_register(NULL, "name", self) == RUSM_ERR_NOMEM);
    rusm_set_label("label"); /* cannot tell: the label is left out */
    fail_none();
    RUSM_ASSERT(rusm_send(self, bytes, sizeof bytes) == RUSM_OK);
    RUSM_ASSERT(rusm_send_after(self, 1, bytes, sizeof bytes, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_register(NULL, "name", self) == RUSM_OK);
    RUSM_ASSERT(rusm_receive()->len == sizeof bytes);
    RUSM_ASSERT(rusm_receive()->len == sizeof bytes);
    *(bool *)arg = true;
}

static void calls_of_a_process_tell_and_work_afterwards(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    bool done = false;
    assert_int_equal(rusm_spawn(rt, try_calls, &done, NULL, NULL), RUSM_OK);
    finish(rt);
    assert_true(done);
}

struct outcome {
    enum rusm_exit_kind kind;
    uint32_t payload_bytes;
    _Atomic uint32_t count;
};

static void note_outcome(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct outcome *outcome = arg;
    (void)pid;
    outcome->kind = reason->kind;
    outcome->payload_bytes = reason->payload_bytes;
    atomic_fetch_add(&outcome->count, 1);
    fail_none();
}

static void ignore(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

static void spawn_server_without_memory(void *arg) {
    static const struct rusm_server server = {.state_bytes = 1000, .message = ignore};
    struct rusm_spawn_opts opts = {.on_exit = note_outcome, .on_exit_arg = arg};
    RUSM_ASSERT(rusm_spawn_server(NULL, &server, NULL, &opts, NULL) == RUSM_OK);
    fail_from(0); /* until the server has ended */
}

static void server_without_a_state_ends_by_limit(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct outcome outcome = {.count = 0};
    assert_int_equal(rusm_spawn(rt, spawn_server_without_memory, &outcome, NULL, NULL), RUSM_OK);
    finish(rt);
    assert_int_equal(atomic_load(&outcome.count), 1);
    assert_int_equal(outcome.kind, RUSM_EXIT_LIMIT);
    assert_int_equal(outcome.payload_bytes, strlen("ERR_NOMEM"));
}

#define CROWD 300

struct crowd {
    _Atomic uint32_t limited;
    _Atomic uint32_t killed;
};

static void note_kind(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct crowd *crowd = arg;
    (void)pid;
    note_run(reason->kind == RUSM_EXIT_LIMIT ? &crowd->limited : &crowd->killed);
}

/* Each of the children needs a stack to wait on, and the first region of stacks is too small. */
static void let_all_wait(void *arg) {
    struct rusm_spawn_opts opts = {.on_exit = note_kind, .on_exit_arg = arg};
    uint32_t len;
    for (int i = 0; i < CROWD; i++) {
        RUSM_ASSERT(rusm_spawn(NULL, receive_one, &len, &opts, NULL) == RUSM_OK);
    }
    fail_from(0);
    rusm_yield(); /* all others run before this goes on */
    fail_none();
}

static void process_without_a_stack_ends_by_limit(void **state) {
    (void)state;
    rusm_runtime *rt = start();
    struct crowd crowd = {.limited = 0};
    rusm_pid pid;
    assert_int_equal(rusm_spawn(rt, let_all_wait, &crowd, NULL, &pid), RUSM_OK);
    while (rusm_is_alive(rt, pid)) {
        sched_yield();
    }
    rusm_runtime_destroy(rt);
    assert_in_range(atomic_load(&crowd.limited), 1, CROWD - 200);
    assert_int_equal(atomic_load(&crowd.limited) + atomic_load(&crowd.killed), CROWD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runtime_is_made_whole_or_not_at_all),
        cmocka_unit_test(spawn_with_options_is_whole_or_not_at_all),
        cmocka_unit_test(tied_spawn_is_whole_or_not_at_all),
        cmocka_unit_test(post_without_memory_is_refused),
        cmocka_unit_test(calls_of_a_process_tell_and_work_afterwards),
        cmocka_unit_test(server_without_a_state_ends_by_limit),
        cmocka_unit_test(process_without_a_stack_ends_by_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
