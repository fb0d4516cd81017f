/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Waiting on descriptors, and jobs that block. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct waiter {
    int fd;
    unsigned events;
    uint64_t timeout_ms;
    enum rusm_err err;
    int error_number;
    unsigned ready;
};

static void wait_fd(void *arg) {
    struct waiter *w = arg;
    w->err = rusm_wait_fd(w->fd, w->events, w->timeout_ms, &w->ready);
    w->error_number = errno;
}

static void make_pair(int fds[2]) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void close_pair(const int fds[2]) {
    close(fds[0]);
    close(fds[1]);
}

static void waiter_goes_on_when_the_descriptor_is_ready(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    rusm_runtime *rt = start_runtime(2);
    struct waiter w = {.fd = fds[0], .events = RUSM_FD_READABLE, .timeout_ms = RUSM_FOREVER};
    rusm_pid pid = spawn_fiber(rt, wait_fd, &w, NULL);
    await_wait(rt, pid, RUSM_WAIT_FD);
    assert_int_equal(write(fds[1], "x", 1), 1);
    finish_runtime(rt);
    assert_int_equal(w.err, RUSM_OK);
    assert_int_equal(w.ready, RUSM_FD_READABLE);
    close_pair(fds);
}

static struct waiter wait_once(int fd, unsigned events, uint64_t timeout_ms) {
    struct waiter w = {.fd = fd, .events = events, .timeout_ms = timeout_ms};
    run_fiber(wait_fd, &w);
    return w;
}

static void ready_descriptor_is_found_at_once(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    struct waiter w = wait_once(fds[0], RUSM_FD_WRITABLE, RUSM_FOREVER);
    assert_int_equal(w.err, RUSM_OK);
    assert_int_equal(w.ready, RUSM_FD_WRITABLE);
    w = wait_once(fds[0], RUSM_FD_READABLE | RUSM_FD_WRITABLE, RUSM_FOREVER);
    assert_int_equal(w.ready, RUSM_FD_WRITABLE);
    assert_int_equal(write(fds[1], "x", 1), 1);
    w = wait_once(fds[0], RUSM_FD_READABLE | RUSM_FD_WRITABLE, RUSM_FOREVER);
    assert_int_equal(w.ready, RUSM_FD_READABLE | RUSM_FD_WRITABLE);
    w = wait_once(fds[0], RUSM_FD_READABLE, 0);
    assert_int_equal(w.err, RUSM_OK);
    close_pair(fds);
}

static void hang_up_ends_every_wait(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    close(fds[1]);
    struct waiter w = wait_once(fds[0], RUSM_FD_READABLE, RUSM_FOREVER);
    assert_int_equal(w.err, RUSM_OK);
    assert_int_equal(w.ready, RUSM_FD_READABLE | RUSM_FD_WRITABLE);
    close(fds[0]);
}

static void wait_ends_when_its_time_has_passed(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    assert_int_equal(wait_once(fds[0], RUSM_FD_READABLE, 2).err, RUSM_ERR_TIMEOUT);
    assert_int_equal(wait_once(fds[0], RUSM_FD_READABLE, 0).err, RUSM_ERR_TIMEOUT);
    close_pair(fds);
}

static void waits_that_cannot_be_are_refused(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    assert_int_equal(wait_once(fds[0], 0, 1).err, RUSM_ERR_INVALID);
    assert_int_equal(wait_once(fds[0], 4, 1).err, RUSM_ERR_INVALID);
    struct waiter w = wait_once(-1, RUSM_FD_READABLE, 1);
    assert_int_equal(w.err, RUSM_ERR_SYSTEM);
    assert_int_equal(w.error_number, EBADF);
    FILE *file = tmpfile();
    assert_non_null(file);
    w = wait_once(fileno(file), RUSM_FD_READABLE, 1);
    assert_int_equal(w.err, RUSM_ERR_SYSTEM);
    assert_int_equal(w.error_number, EPERM);
    fclose(file);
    close_pair(fds);
}

static void second_waiter_for_a_descriptor_is_refused(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    rusm_runtime *rt = start_runtime(1);
    struct waiter first = {.fd = fds[0], .events = RUSM_FD_READABLE, .timeout_ms = RUSM_FOREVER};
    struct waiter second = first;
    rusm_pid pid = spawn_fiber(rt, wait_fd, &first, NULL);
    await_wait(rt, pid, RUSM_WAIT_FD);
    rusm_pid other = spawn_fiber(rt, wait_fd, &second, NULL);
    AWAIT(!rusm_is_alive(rt, other));
    assert_int_equal(write(fds[1], "x", 1), 1);
    finish_runtime(rt);
    assert_int_equal(first.err, RUSM_OK);
    assert_int_equal(second.err, RUSM_ERR_SYSTEM);
    assert_int_equal(second.error_number, EEXIST);
    close_pair(fds);
}

static void killed_waiter_leaves_the_descriptor_free(void **state) {
    (void)state;
    int fds[2];
    make_pair(fds);
    rusm_runtime *rt = start_runtime(1);
    struct waiter killed = {.fd = fds[0], .events = RUSM_FD_READABLE, .timeout_ms = RUSM_FOREVER};
    struct waiter next = killed;
    rusm_pid pid = spawn_fiber(rt, wait_fd, &killed, NULL);
    await_wait(rt, pid, RUSM_WAIT_FD);
    assert_true(rusm_kill(rt, pid));
    AWAIT(!rusm_is_alive(rt, pid));
    pid = spawn_fiber(rt, wait_fd, &next, NULL);
    await_wait(rt, pid, RUSM_WAIT_FD);
    assert_int_equal(write(fds[1], "x", 1), 1);
    finish_runtime(rt);
    assert_int_equal(next.err, RUSM_OK);
    close_pair(fds);
}

struct echo {
    int fds[2];
    uint32_t rounds;
};

static void write_side(void *arg) {
    struct echo *e = arg;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t back;
        RUSM_ASSERT(write(e->fds[0], &i, sizeof i) == sizeof i);
        RUSM_ASSERT(rusm_wait_fd(e->fds[0], RUSM_FD_READABLE, RUSM_FOREVER, NULL) == RUSM_OK);
        RUSM_ASSERT(read(e->fds[0], &back, sizeof back) == sizeof back && back == i);
        e->rounds++;
    }
}

static void echo_side(void *arg) {
    struct echo *e = arg;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t value;
        RUSM_ASSERT(rusm_wait_fd(e->fds[1], RUSM_FD_READABLE, RUSM_FOREVER, NULL) == RUSM_OK);
        RUSM_ASSERT(read(e->fds[1], &value, sizeof value) == sizeof value);
        RUSM_ASSERT(write(e->fds[1], &value, sizeof value) == sizeof value);
    }
}

static void processes_talk_over_a_socket(void **state) {
    (void)state;
    struct echo e = {.rounds = 0};
    make_pair(e.fds);
    rusm_runtime *rt = start_runtime(2);
    (void)spawn_fiber(rt, write_side, &e, NULL);
    (void)spawn_fiber(rt, echo_side, &e, NULL);
    finish_runtime(rt);
    assert_int_equal(e.rounds, 1000);
    close_pair(e.fds);
}

/* ---- blocking jobs ---- */

struct gate {
    _Atomic uint32_t waiting;
    _Atomic bool open;
    enum rusm_err refused;
};

static void add_one(void *arg) {
    ++*(uint32_t *)arg;
}

static void do_jobs(void *arg) {
    for (int i = 0; i < 100; i++) {
        RUSM_ASSERT(rusm_blocking(add_one, arg) == RUSM_OK);
    }
}

static void job_has_run_when_the_call_returns(void **state) {
    (void)state;
    uint32_t count = 0;
    run_fiber(do_jobs, &count);
    assert_int_equal(count, 100);
}

static void block_at_gate(void *arg) {
    struct gate *g = arg;
    atomic_fetch_add_explicit(&g->waiting, 1, memory_order_relaxed);
    AWAIT(atomic_load_explicit(&g->open, memory_order_relaxed));
}

static void wait_at_gate(void *arg) {
    RUSM_ASSERT(rusm_blocking(block_at_gate, arg) == RUSM_OK);
}

static void try_at_gate(void *arg) {
    struct gate *g = arg;
    g->refused = rusm_blocking(block_at_gate, g);
}

static void full_queue_refuses_jobs(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.blocking_threads_max = 1;
    config.blocking_jobs_max = 2;
    rusm_runtime *rt = start_configured(&config);
    struct gate g = {.open = false};
    struct rusm_runtime_info info;
    (void)spawn_fiber(rt, wait_at_gate, &g, NULL);
    AWAIT(atomic_load(&g.waiting) == 1);
    for (int i = 0; i < 2; i++) {
        rusm_pid pid = spawn_fiber(rt, wait_at_gate, &g, NULL);
        await_wait(rt, pid, RUSM_WAIT_BLOCKING);
    }
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.blocking_threads, 1);
    assert_int_equal(info.blocking_jobs, 2);
    rusm_pid refused = spawn_fiber(rt, try_at_gate, &g, NULL);
    AWAIT(!rusm_is_alive(rt, refused));
    assert_int_equal(g.refused, RUSM_ERR_QUEUE_FULL);
    atomic_store(&g.open, true);
    finish_runtime(rt);
    assert_int_equal(atomic_load(&g.waiting), 3);
}

static void kill_waits_for_the_job(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct gate g = {.open = false};
    struct exit_record record = {.count = 0};
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    rusm_pid pid = spawn_fiber(rt, wait_at_gate, &g, &opts);
    AWAIT(atomic_load(&g.waiting) == 1);
    assert_true(rusm_kill(rt, pid));
    /* Others run on while it waits, and it lives. */
    rusm_pid other = spawn_fiber(rt, end_at_once, NULL, NULL);
    AWAIT(!rusm_is_alive(rt, other));
    assert_true(rusm_is_alive(rt, pid));
    atomic_store(&g.open, true);
    finish_runtime(rt);
    assert_int_equal(atomic_load(&record.count), 1);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
}

static void send_and_block(void *arg) {
    (void)rusm_send(rusm_self(), "m", 1);
    RUSM_ASSERT(rusm_blocking(add_one, arg) == RUSM_OK);
    RUSM_ASSERT(rusm_receive_timeout(0));
}

static void job_keeps_messages(void **state) {
    (void)state;
    uint32_t count = 0;
    run_fiber(send_and_block, &count);
    assert_int_equal(count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiter_goes_on_when_the_descriptor_is_ready),
        cmocka_unit_test(ready_descriptor_is_found_at_once),
        cmocka_unit_test(hang_up_ends_every_wait),
        cmocka_unit_test(wait_ends_when_its_time_has_passed),
        cmocka_unit_test(waits_that_cannot_be_are_refused),
        cmocka_unit_test(second_waiter_for_a_descriptor_is_refused),
        cmocka_unit_test(killed_waiter_leaves_the_descriptor_free),
        cmocka_unit_test(processes_talk_over_a_socket),
        cmocka_unit_test(job_has_run_when_the_call_returns),
        cmocka_unit_test(full_queue_refuses_jobs),
        cmocka_unit_test(kill_waits_for_the_job),
        cmocka_unit_test(job_keeps_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
