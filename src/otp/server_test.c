/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Servers and steps: their callbacks, states, idle timeouts and ends. */
#include "base/assert.h"
#include "otp/otp.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What a server under test is told to do, and what it did; outlives it. */
struct notes {
    enum rusm_err init_err;
    uint64_t timeout_ms;
    uint32_t inits;
    uint32_t messages;
    uint32_t timeouts;
    uint32_t terminates;
    enum rusm_exit_kind terminated_as;
    uint64_t sum;
    _Atomic bool started;
};

struct state {
    struct notes *notes;
    uint64_t sum;
    char zeroes[100];
};

static enum rusm_err init(void *state, void *arg) {
    struct state *s = state;
    for (size_t i = 0; i < sizeof s->zeroes; i++) {
        RUSM_ASSERT(s->zeroes[i] == 0);
    }
    RUSM_ASSERT((uintptr_t)state % 16 == 0);
    s->notes = arg;
    s->notes->inits++;
    if (s->notes->timeout_ms > 0) {
        rusm_server_timeout(s->notes->timeout_ms);
    }
    atomic_store_explicit(&s->notes->started, true, memory_order_release);
    return s->notes->init_err;
}

static void add(void *state, struct rusm_msg *msg) {
    struct state *s = state;
    s->notes->messages++;
    if (msg->len == 0) {
        rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_SHUTDOWN, &s->sum, sizeof s->sum});
    }
    s->sum += *(const uint32_t *)msg->data;
}

static void count_timeout(void *state) {
    struct state *s = state;
    if (++s->notes->timeouts == 3) {
        rusm_exit(NULL);
    }
    rusm_server_timeout(1);
}

static void terminate(void *state, const struct rusm_exit_reason *reason) {
    struct state *s = state;
    s->notes->terminates++;
    s->notes->terminated_as = reason->kind;
    s->notes->sum = s->sum;
    RUSM_ASSERT(rusm_send(rusm_self(), "x", 1) == RUSM_OK); /* it may send */
}

static const struct rusm_server adder = {
    .state_bytes = sizeof(struct state),
    .init = init,
    .message = add,
    .timeout = count_timeout,
    .terminate = terminate,
};

static rusm_pid spawn_server(rusm_runtime *rt, const struct rusm_server *server, void *arg,
                             struct exit_record *record) {
    struct rusm_spawn_opts opts = {.on_exit = record ? record_exit : NULL, .on_exit_arg = record};
    rusm_pid pid = {0};
    enum rusm_err err = rusm_spawn_server(rt, server, arg, &opts, &pid);
    assert_int_equal(err, RUSM_OK);
    return pid;
}

static void server_keeps_state_between_messages(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    struct notes notes = {.init_err = RUSM_OK};
    struct exit_record record = {.count = 0};
    rusm_pid pid = spawn_server(rt, &adder, &notes, &record);
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(rusm_post(rt, pid, &i, sizeof i), RUSM_OK);
    }
    assert_int_equal(rusm_post(rt, pid, NULL, 0), RUSM_OK);
    finish_runtime(rt);
    assert_int_equal(notes.inits, 1);
    assert_int_equal(notes.messages, 1001);
    assert_int_equal(notes.terminates, 1);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_SHUTDOWN);
    assert_int_equal(notes.sum, 500500);
    /* The payload was in the state, which is freed by now. */
    assert_int_equal(record.payload_bytes, sizeof notes.sum);
    assert_memory_equal(record.payload, &notes.sum, sizeof notes.sum);
}

static void failing_init_ends_with_its_errors_name(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_ERR_TIMEOUT};
    struct exit_record record = {.count = 0};
    (void)spawn_server(rt, &adder, &notes, &record);
    rusm_runtime_wait_idle(rt);
    struct rusm_scheduler_info info;
    assert_int_equal(rusm_scheduler_info(rt, 0, &info), RUSM_OK);
    assert_int_equal(info.crashed, 1);
    rusm_runtime_destroy(rt);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(record.payload_bytes, strlen("ERR_TIMEOUT"));
    assert_memory_equal(record.payload, "ERR_TIMEOUT", record.payload_bytes);
    assert_int_equal(notes.messages, 0);
    assert_int_equal(notes.terminates, 1);
}

static void idle_timeout_is_called_without_messages(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.timeout_ms = 1};
    (void)spawn_server(rt, &adder, &notes, NULL);
    finish_runtime(rt);
    assert_int_equal(notes.timeouts, 3);
    assert_int_equal(notes.messages, 0);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_NORMAL);
}

static void message_puts_the_idle_timeout_off(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.timeout_ms = 1000000};
    rusm_pid pid = spawn_server(rt, &adder, &notes, NULL);
    uint32_t one = 1;
    for (int i = 0; i < 100; i++) {
        await_wait(rt, pid, RUSM_WAIT_RECEIVE);
        assert_int_equal(rusm_post(rt, pid, &one, sizeof one), RUSM_OK);
    }
    assert_int_equal(rusm_post(rt, pid, NULL, 0), RUSM_OK);
    finish_runtime(rt);
    assert_int_equal(notes.timeouts, 0);
    assert_int_equal(notes.messages, 101);
}

static void killed_server_is_terminated(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_OK};
    struct exit_record record = {.count = 0};
    rusm_pid pid = spawn_server(rt, &adder, &notes, &record);
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(rt, pid));
    finish_runtime(rt);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
    assert_int_equal(notes.terminates, 1);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_KILLED);
}

static void destroyed_runtime_terminates_servers(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_OK};
    (void)spawn_server(rt, &adder, &notes, NULL);
    AWAIT(atomic_load_explicit(&notes.started, memory_order_acquire));
    rusm_runtime_destroy(rt);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_KILLED);
}

/* ---- callbacks that suspend ---- */

static void ask_back(void *state, struct rusm_msg *msg) {
    uint64_t *sum = *(uint64_t **)state;
    rusm_pid from = *(const rusm_pid *)msg->data;
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_send(from, NULL, 0) == RUSM_OK);
        rusm_yield();
        rusm_sleep(1);
        *sum += *(const uint32_t *)rusm_receive()->data; /* `msg` is gone from here on */
    }
    rusm_exit(NULL);
}

static enum rusm_err keep_pointer(void *state, void *arg) {
    rusm_yield(); /* init may suspend, too */
    *(void **)state = arg;
    return RUSM_OK;
}

static const struct rusm_server suspending = {
    .state_bytes = sizeof(void *), .init = keep_pointer, .message = ask_back};

static void answer_three_times(void *arg) {
    rusm_pid server = *(const rusm_pid *)arg;
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_send(server, &self, sizeof self) == RUSM_OK);
    for (uint32_t i = 1; i <= 3; i++) {
        (void)rusm_receive();
        RUSM_ASSERT(rusm_send(server, &i, sizeof i) == RUSM_OK);
    }
}

static void callback_may_suspend_and_receive(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    uint64_t sum = 0;
    rusm_pid server = spawn_server(rt, &suspending, &sum, NULL);
    (void)spawn_fiber(rt, answer_three_times, &server, NULL);
    finish_runtime(rt);
    assert_int_equal(sum, 6);
}

static void server_is_killed_inside_a_callback(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    uint64_t sum = 0;
    struct exit_record record = {.count = 0};
    rusm_pid nobody = {0};
    rusm_pid server = spawn_server(rt, &suspending, &sum, &record);
    rusm_pid waiting = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    nobody = waiting;
    assert_int_equal(rusm_post(rt, server, &nobody, sizeof nobody), RUSM_OK);
    /* It has sent to `waiting`, which was woken: from then on it is inside its callback. */
    struct rusm_process_info info = {.reductions = 0};
    AWAIT(rusm_process_info(rt, waiting, &info) == RUSM_OK && info.reductions > 1);
    assert_true(rusm_kill(rt, server));
    assert_true(rusm_kill(rt, waiting));
    finish_runtime(rt);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
}

static void ignore(void *state, struct rusm_msg *msg) {
    RUSM_ASSERT(!state);
    if (msg->len == 0) {
        rusm_exit(NULL);
    }
}

static void server_needs_nothing_but_message(void **state) {
    (void)state;
    static const struct rusm_server smallest = {.message = ignore};
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_server(rt, &smallest, NULL, NULL);
    struct rusm_process_info info;
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    assert_int_equal(rusm_process_info(rt, pid, &info), RUSM_OK);
    assert_int_equal(info.kind, RUSM_KIND_SERVER);
    assert_ptr_equal(info.entry, &smallest);
    assert_in_range(info.memory_bytes, 1, 400); /* it holds no stack */
    assert_int_equal(rusm_post(rt, pid, "x", 1), RUSM_OK);
    assert_int_equal(rusm_post(rt, pid, NULL, 0), RUSM_OK);
    finish_runtime(rt);
}

/* ---- steps ---- */

struct countdown {
    struct notes *notes;
    uint32_t turns;
};

static enum rusm_err countdown_init(void *state, void *arg) {
    struct countdown *c = state;
    c->notes = arg;
    c->turns = 3;
    c->notes->inits++;
    return c->notes->init_err;
}

/* Yields three times, then adds messages up until an empty one. */
static enum step_result countdown_step(void *state) {
    struct countdown *c = state;
    if (c->turns > 0) {
        c->turns--;
        return STEP_YIELD;
    }
    struct rusm_msg *msg;
    while ((msg = rusm_receive_timeout(0)) != NULL) {
        if (msg->len == 0) {
            return STEP_EXIT;
        }
        c->notes->sum += *(const uint32_t *)msg->data;
    }
    return STEP_WAIT;
}

static void countdown_terminate(void *state, const struct rusm_exit_reason *reason) {
    struct countdown *c = state;
    c->notes->terminates++;
    c->notes->terminated_as = reason->kind;
}

static const struct step_body countdown = {
    .state_bytes = sizeof(struct countdown),
    .init = countdown_init,
    .step = countdown_step,
    .terminate = countdown_terminate,
};

static void step_yields_waits_and_exits(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_OK};
    rusm_pid pid;
    assert_int_equal(otp_spawn_step(rt, &countdown, &notes, NULL, NULL, &pid), RUSM_OK);
    for (uint32_t i = 1; i <= 10; i++) {
        await_wait(rt, pid, RUSM_WAIT_RECEIVE);
        assert_int_equal(rusm_post(rt, pid, &i, sizeof i), RUSM_OK);
    }
    assert_int_equal(rusm_post(rt, pid, NULL, 0), RUSM_OK);
    finish_runtime(rt);
    assert_int_equal(notes.sum, 55);
    assert_int_equal(notes.terminates, 1);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_NORMAL);
}

static void waiting_step_is_killed(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_OK};
    rusm_pid pid;
    assert_int_equal(otp_spawn_step(rt, &countdown, &notes, NULL, NULL, &pid), RUSM_OK);
    await_wait(rt, pid, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(rt, pid));
    finish_runtime(rt);
    assert_int_equal(notes.terminated_as, RUSM_EXIT_KILLED);
}

static void failing_init_of_a_step_ends_it(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct notes notes = {.init_err = RUSM_ERR_NOMEM};
    struct exit_record record = {.count = 0};
    struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    assert_int_equal(otp_spawn_step(rt, &countdown, &notes, &opts, NULL, NULL), RUSM_OK);
    finish_runtime(rt);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_memory_equal(record.payload, "ERR_NOMEM", record.payload_bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_keeps_state_between_messages),
        cmocka_unit_test(failing_init_ends_with_its_errors_name),
        cmocka_unit_test(idle_timeout_is_called_without_messages),
        cmocka_unit_test(message_puts_the_idle_timeout_off),
        cmocka_unit_test(killed_server_is_terminated),
        cmocka_unit_test(destroyed_runtime_terminates_servers),
        cmocka_unit_test(callback_may_suspend_and_receive),
        cmocka_unit_test(server_is_killed_inside_a_callback),
        cmocka_unit_test(server_needs_nothing_but_message),
        cmocka_unit_test(step_yields_waits_and_exits),
        cmocka_unit_test(waiting_step_is_killed),
        cmocka_unit_test(failing_init_of_a_step_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
