/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * built_sdk_test FOLDER: the examples of sdk/, as tools/guests has built them, do what their
 * sources say. A test is a process that talks to the guest; RUSM_ASSERT ends the program there.
 */
#include "base/assert.h"
#include "test_guests_internal.h"

#include <inttypes.h>
#include <rusm/bridge.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *folder; /* written by main, before any test */

/* In what the examples differ by language. */
struct language {
    const char *name;
    const char *entry;
    bool by_hand; /* its supervisor is the guest itself, and not one of the node's */
    const char *denied;
    const char *no_pid; /* the end of a guest whose first message is no pid */
};

enum { C, COMPONENT, GO, RUST };
static const struct language languages[] = {
    [C] = {"c", NULL, true, "the worker cannot be started", "the first message is not a pid"},
    [COMPONENT] = {"component", NULL, false, "unreachable", "unreachable"},
    [GO] = {"go", "_start", false, "denied by the capabilities", "the first message is not a pid"},
    [RUST] = {"rust", NULL, false, "denied by the capabilities", "the first message is not a pid"},
};

struct world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    const struct language *language;
    rusm_program *program; /* of the example */
    _Atomic uint32_t lines;
    char line[128]; /* logged last */
};

static void note_line(void *arg, const struct rusm_guest_line *line) {
    struct world *world = arg;
    (void)snprintf(world->line, sizeof world->line, "%.*s", (int)line->text_bytes, line->text);
    /* Release: who sees the count sees the line. */
    atomic_fetch_add_explicit(&world->lines, 1, memory_order_release);
}

static void start(struct world *world) {
    struct rusm_wasm_config config;
    struct rusm_errinfo error = {""};
    guests_signals();
    guests_config(&config);
    config.log = note_line;
    config.log_arg = world;
    world->rt = start_runtime(2);
    if (rusm_wasm_create(world->rt, &config, &world->wasm, &error) != RUSM_OK) {
        fail_msg("%s", error.text);
    }
}

/* tools/guests leaves out, and says so, what is in Go where there is no Go; all else must be there.
 */
static void skip_if_left_out(const struct language *language, const char *example) {
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s-%s.wasm", folder, language->name, example);
    if (language == &languages[GO] && access(path, F_OK) != 0) {
        print_message("%s is not there: there was no Go to build it with\n", path);
        skip();
    }
}

/* A runtime with one example under a capability, in the language that the test is given. */
static void start_example(struct world *world, void **state, const char *example,
                          const char *capability) {
    char name[64];
    *world = (struct world){.language = *state};
    skip_if_left_out(world->language, example);
    start(world);
    const struct rusm_program_spec spec = {.entry = world->language->entry,
                                           .capability = capability};
    (void)snprintf(name, sizeof name, "%s-%s.wasm", world->language->name, example);
    world->program = load_file(world->wasm, folder, name, &spec);
}

/* The component "worker" waits until it is killed, under the name that it gives itself. */
static void load_worker(struct world *world) {
    static const char worker[] =
        "(module (import \"rusm\" \"receive\" (func $receive (param i32 i32) (result i32)))"
        "(import \"rusm\" \"register\" (func $register (param i32 i32) (result i32)))"
        "(memory (export \"memory\") 1) (data (i32.const 8) \"at work\")"
        "(func (export \"run\") (drop (call $register (i32.const 8) (i32.const 7)))"
        " (drop (call $receive (i32.const 0) (i32.const 8)))))";
    const struct rusm_program_spec spec = {
        .name = "worker", .wasm = worker, .wasm_bytes = sizeof worker - 1};
    rusm_program *program = NULL;
    assert_int_equal(rusm_program_load(world->wasm, &spec, &program, NULL), RUSM_OK);
    rusm_program_release(program); /* the name holds it */
}

/* Run `body` as a process with the world. Asserted: when it has ended, no other is left. */
static void play(struct world *world, rusm_fiber_fn body) {
    struct exit_record record = {.count = 0};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &record};
    (void)spawn_fiber(world->rt, body, world, &opts);
    rusm_runtime_wait_idle(world->rt);
    rusm_program_release(world->program);
    finish_guests(world->rt, world->wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

/* ---- what a process on the stage does ---- */

static rusm_pid start_guest(const struct world *world) {
    rusm_pid pid = {0};
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn_guest_monitor(world->program, NULL, &pid, &ref) == RUSM_OK);
    return pid;
}

static void watch(rusm_pid pid) {
    rusm_ref ref;
    RUSM_ASSERT(rusm_monitor(pid, &ref) == RUSM_OK);
}

/* Every monitored end is heard, so what is not expected is noticed by the next one who hears. */
static const struct rusm_msg *hear(enum rusm_msg_kind kind) {
    const struct rusm_msg *msg = rusm_receive();
    if (msg->kind != kind && msg->kind == RUSM_MSG_DOWN) {
        const struct rusm_down *down = rusm_msg_down(msg);
        (void)fprintf(stderr, "%" PRIu64 " ended: kind %d, %.*s\n", down->pid.v,
                      (int)down->reason.kind, (int)down->reason.payload_bytes,
                      (const char *)down->reason.payload);
    }
    RUSM_ASSERT(msg->kind == kind);
    return msg;
}

static void hear_end(rusm_pid pid, enum rusm_exit_kind kind, const char *part) {
    const struct rusm_down *down = rusm_msg_down(hear(RUSM_MSG_DOWN));
    const char *text = down->reason.payload ? down->reason.payload : "";
    bool has_part = memmem(text, down->reason.payload_bytes, part, strlen(part)) != NULL;
    if (down->reason.kind != kind || !has_part) {
        (void)fprintf(stderr, "wanted %d, \"%s\"; ended %d, %.*s\n", (int)kind, part,
                      (int)down->reason.kind, (int)down->reason.payload_bytes, text);
    }
    RUSM_ASSERT(down->pid.v == pid.v && down->reason.kind == kind && has_part);
}

static void kill_and_hear(rusm_pid pid) {
    RUSM_ASSERT(rusm_kill(NULL, pid));
    hear_end(pid, RUSM_EXIT_KILLED, "");
}

static void send_self(rusm_pid to) {
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_send(to, &self, sizeof self) == RUSM_OK);
}

static uint64_t hear_number(void) {
    uint64_t number;
    const struct rusm_msg *msg = hear(RUSM_MSG_BYTES);
    RUSM_ASSERT(msg->len == sizeof number);
    memcpy(&number, msg->data, sizeof number);
    return number;
}

static rusm_buf *chunk_of(size_t len, uint8_t fill) {
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_buf_create(len, &chunk) == RUSM_OK);
    memset(rusm_buf_data(chunk), fill, len);
    return chunk;
}

/* ---- echo ---- */

static void send_payload(rusm_pid echo, size_t len) {
    rusm_pid self = rusm_self();
    rusm_buf *message = chunk_of(sizeof self + len, 0);
    uint8_t *payload = (uint8_t *)rusm_buf_data(message) + sizeof self;
    memcpy(rusm_buf_data(message), &self, sizeof self);
    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)(i * 7);
    }
    RUSM_ASSERT(rusm_send_buf(echo, message) == RUSM_OK);
}

static void hear_payload(size_t len) {
    const struct rusm_msg *msg = hear(RUSM_MSG_BYTES);
    const uint8_t *payload = msg->data;
    RUSM_ASSERT(msg->len == len);
    for (size_t i = 0; i < len; i++) {
        RUSM_ASSERT(payload[i] == (uint8_t)(i * 7));
    }
}

static void talk_to_echo(void *arg) {
    /* The first fits into no buffer yet, or into the first one of 256 bytes. */
    static const size_t lengths[] = {5, 0, 10000, 1, 248, 249, 300000};
    rusm_pid echo = start_guest(arg);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        send_payload(echo, lengths[i]);
        hear_payload(lengths[i]);
    }
    kill_and_hear(echo);
}

static void echo_answers_whatever_the_length(void **state) {
    struct world world;
    start_example(&world, state, "echo", NULL);
    play(&world, talk_to_echo);
}

static void send_too_little(void *arg) {
    rusm_pid echo = start_guest(arg);
    RUSM_ASSERT(rusm_send(echo, "1234567", 7) == RUSM_OK);
    RUSM_ASSERT(rusm_send(echo, "", 0) == RUSM_OK);
    send_payload(echo, 3);
    hear_payload(3);
    kill_and_hear(echo);
}

static void echo_passes_over_what_holds_no_pid(void **state) {
    struct world world;
    start_example(&world, state, "echo", NULL);
    play(&world, send_too_little);
}

/* ---- supervisor ---- */

#define RESTARTS_MAX 3

/* The child's pid from who knows it: the guest, or the supervisor that it names. {0} while there is
 * none. */
static rusm_pid worker_of(const struct world *world, rusm_pid guest) {
    send_self(guest);
    rusm_pid named = {hear_number()};
    if (world->language->by_hand) {
        return named;
    }
    struct rusm_child_info child;
    size_t count = 0;
    RUSM_ASSERT(rusm_supervisor_children(named, &child, 1, &count) == RUSM_OK && count == 1);
    return child.pid;
}

static rusm_pid other_worker(const struct world *world, rusm_pid guest, rusm_pid before) {
    rusm_pid worker = worker_of(world, guest);
    while (worker.v == 0 || worker.v == before.v) {
        rusm_yield();
        worker = worker_of(world, guest);
    }
    return worker;
}

/* But for that in C, the restarts must come within 5 seconds to be too many. */
static void kill_workers(void *arg) {
    const struct world *world = arg;
    rusm_pid guest = start_guest(world);
    rusm_pid worker = other_worker(world, guest, (rusm_pid){0});
    for (int i = 0; i < RESTARTS_MAX; i++) {
        watch(worker);
        kill_and_hear(worker);
        worker = other_worker(world, guest, worker);
    }
    RUSM_ASSERT(rusm_kill(NULL, worker));
    hear_end(guest, RUSM_EXIT_SHUTDOWN, "");
}

static void supervisor_restarts_its_worker_three_times(void **state) {
    struct world world;
    start_example(&world, state, "supervisor", "trusted");
    load_worker(&world);
    play(&world, kill_workers);
}

static void kill_guest(void *arg) {
    const struct world *world = arg;
    rusm_pid guest = start_guest(world);
    rusm_pid worker = other_worker(world, guest, (rusm_pid){0});
    kill_and_hear(guest);
    watch(worker);
    const struct rusm_down *down = rusm_msg_down(hear(RUSM_MSG_DOWN));
    RUSM_ASSERT(down->pid.v == worker.v);
}

static void supervisor_and_worker_end_with_the_guest(void **state) {
    struct world world;
    start_example(&world, state, "supervisor", "trusted");
    load_worker(&world);
    play(&world, kill_guest);
}

static void hear_that_it_is_denied(void *arg) {
    const struct world *world = arg;
    hear_end(start_guest(world), RUSM_EXIT_ERROR, world->language->denied);
}

static void supervisor_needs_the_capability(void **state) {
    struct world world;
    start_example(&world, state, "supervisor", "sandboxed");
    load_worker(&world);
    play(&world, hear_that_it_is_denied);
    if (world.language == &languages[COMPONENT]) { /* which traps once it has logged why */
        assert_int_equal(world.lines, 1);
        assert_non_null(strstr(world.line, "no capability to spawn"));
    }
}

/* ---- stream ---- */

#define CHUNKS      300
#define CHUNK_BYTES 65536 /* at most, for the one in C */

/* More than a stream holds, in bytes and in chunks. */
static void write_chunks(void *arg) {
    static const size_t lengths[] = {1, 0, CHUNK_BYTES, 256, 257, 10000};
    rusm_pid guest = start_guest(arg);
    rusm_stream_writer *writer = NULL;
    uint64_t total = 0;
    send_self(guest);
    RUSM_ASSERT(rusm_stream_open(guest, NULL, &writer) == RUSM_OK);
    for (size_t i = 0; i < CHUNKS; i++) {
        size_t len = lengths[i % (sizeof lengths / sizeof lengths[0])];
        RUSM_ASSERT(rusm_stream_write(writer, chunk_of(len, 'x')) == RUSM_OK);
        total += len;
    }
    rusm_stream_close(writer);
    RUSM_ASSERT(hear_number() == total);
    hear_end(guest, RUSM_EXIT_NORMAL, "");
}

static void stream_is_counted(void **state) {
    struct world world;
    start_example(&world, state, "stream", NULL);
    play(&world, write_chunks);
}

/* The stream holds fewer chunks than are written before the kill: it has been read from. */
static void write_to_the_killed(void *arg) {
    rusm_pid guest = start_guest(arg);
    rusm_stream_writer *writer = NULL;
    enum rusm_err err;
    send_self(guest);
    RUSM_ASSERT(rusm_stream_open(guest, NULL, &writer) == RUSM_OK);
    for (size_t i = 0; i < 2 * RUSM_STREAM_CHUNKS_DEFAULT; i++) {
        RUSM_ASSERT(rusm_stream_write(writer, chunk_of(10, 'x')) == RUSM_OK);
    }
    kill_and_hear(guest);
    err = rusm_stream_write(writer, chunk_of(10, 'x'));
    RUSM_ASSERT(err == RUSM_ERR_STREAM_CLOSED);
    rusm_stream_close(writer);
}

static void writer_hears_that_the_reader_was_killed(void **state) {
    struct world world;
    start_example(&world, state, "stream", NULL);
    play(&world, write_to_the_killed);
}

static void send_no_pid(void *arg) {
    const struct world *world = arg;
    rusm_pid guest = start_guest(world);
    RUSM_ASSERT(rusm_send(guest, "1234567", 7) == RUSM_OK);
    hear_end(guest, RUSM_EXIT_ERROR, world->language->no_pid);
}

static void stream_wants_a_pid_first(void **state) {
    struct world world;
    start_example(&world, state, "stream", NULL);
    play(&world, send_no_pid);
}

/* ---- watcher ---- */

static void kill_the_watched(void *arg) {
    char wanted[64];
    RUSM_ASSERT(rusm_group_join("watchers", rusm_self()) == RUSM_OK);
    rusm_pid guest = start_guest(arg);
    rusm_pid worker = rusm_whereis(NULL, "at work");
    while (worker.v == 0) {
        rusm_yield();
        worker = rusm_whereis(NULL, "at work");
    }
    RUSM_ASSERT(rusm_kill(NULL, worker));
    int len = snprintf(wanted, sizeof wanted, "{\"__exit\":\"%" PRIu64 "\",\"reason\":\"killed\"}",
                       worker.v);
    const struct rusm_msg *msg = hear(RUSM_MSG_BYTES);
    RUSM_ASSERT(msg->len == (size_t)len && memcmp(msg->data, wanted, msg->len) == 0);
    hear_end(guest, RUSM_EXIT_NORMAL, "");
}

static void watcher_publishes_the_end_of_its_worker(void **state) {
    struct world world;
    start_example(&world, state, "watcher", "trusted");
    load_worker(&world);
    play(&world, kill_the_watched);
}

static void hear_why_nobody_is_watched(void *arg) {
    hear_end(start_guest(arg), RUSM_EXIT_ERROR, "no capability to spawn");
}

static void watcher_needs_the_capability(void **state) {
    struct world world;
    start_example(&world, state, "watcher", "sandboxed");
    load_worker(&world);
    play(&world, hear_why_nobody_is_watched);
}

/* ---- greeting ---- */

static enum rusm_err greet(struct rusm_bridge_call *call) {
    const struct rusm_value *name = &call->args[0];
    size_t room = name->text.len + sizeof "Hello, !";
    char *answer = rusm_bridge_alloc(call, room);
    RUSM_ASSERT(answer && call->arg_count == 1 && name->kind == RUSM_VALUE_STRING);
    int len =
        snprintf(answer, room, "Hello, %.*s!", (int)name->text.len, (const char *)name->text.data);
    call->result.kind = RUSM_VALUE_STRING;
    call->result.text.data = (const uint8_t *)answer;
    call->result.text.len = (size_t)len;
    return RUSM_OK;
}

static void define_greeter(struct world *world) {
    static const char *const names[] = {"greeter"};
    static const struct rusm_bridge_func func = {"greet", greet, NULL};
    static const struct rusm_bridge bridge = {"greeter", "example:greeter/greeter@1.0.0", &func, 1};
    const struct rusm_capability capability = {.bridges = {names, 1}};
    assert_int_equal(rusm_wasm_define_bridge(world->wasm, &bridge, NULL), RUSM_OK);
    assert_int_equal(rusm_wasm_define_capability(world->wasm, "greets", &capability, NULL),
                     RUSM_OK);
}

static void ask_for_a_greeting(void *arg) {
    static const char hello[] = "Hello, World!";
    rusm_pid self = rusm_self();
    rusm_pid guest = start_guest(arg);
    char message[sizeof self + 5];
    memcpy(message, &self, sizeof self);
    memcpy(message + sizeof self, "World", 5);
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_send(guest, message, sizeof message) == RUSM_OK);
        const struct rusm_msg *msg = hear(RUSM_MSG_BYTES);
        RUSM_ASSERT(msg->len == sizeof hello - 1 && memcmp(msg->data, hello, msg->len) == 0);
    }
    kill_and_hear(guest);
}

static void greeting_is_that_of_the_bridge(void **state) {
    const struct rusm_program_spec spec = {.capability = "greets"};
    struct world world = {.language = *state};
    start(&world);
    define_greeter(&world);
    world.program = load_file(world.wasm, folder, "component-greeting.wasm", &spec);
    play(&world, ask_for_a_greeting);
}

/* Whoever is not granted the bridge cannot even import it. */
static void greeting_needs_the_bridge(void **state) {
    const struct rusm_program_spec spec = {.capability = "trusted"};
    struct world world = {.language = *state};
    struct rusm_errinfo error = {""};
    start(&world);
    define_greeter(&world);
    enum rusm_err err =
        try_load_file(world.wasm, folder, "component-greeting.wasm", &spec, &world.program, &error);
    finish_guests(world.rt, world.wasm);
    print_message("%s\n", error.text);
    assert_int_equal(err, RUSM_ERR_INVALID);
    assert_non_null(strstr(error.text, "greeter"));
}

#define IN(language, name)                                                                         \
    { #language "_" #name, name, NULL, NULL, (void *)&languages[language] }
#define IN_ALL(name) IN(C, name), IN(COMPONENT, name), IN(GO, name), IN(RUST, name)

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: built_sdk_test FOLDER\n");
        return 2;
    }
    folder = argv[1];
    guests_signals();
    const struct CMUnitTest tests[] = {
        IN_ALL(echo_answers_whatever_the_length),
        IN_ALL(echo_passes_over_what_holds_no_pid),
        IN_ALL(supervisor_restarts_its_worker_three_times),
        IN(COMPONENT, supervisor_and_worker_end_with_the_guest),
        IN(GO, supervisor_and_worker_end_with_the_guest),
        IN(RUST, supervisor_and_worker_end_with_the_guest),
        IN_ALL(supervisor_needs_the_capability),
        IN_ALL(stream_is_counted),
        IN_ALL(writer_hears_that_the_reader_was_killed),
        IN_ALL(stream_wants_a_pid_first),
        IN(COMPONENT, watcher_publishes_the_end_of_its_worker),
        IN(COMPONENT, watcher_needs_the_capability),
        IN(COMPONENT, greeting_is_that_of_the_bridge),
        IN(COMPONENT, greeting_needs_the_bridge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
