/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Byte streams of guests, core modules and components, against native processes and each other. */
#include "base/assert.h"
#include "test_guests_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IMPORTS                                                                                    \
    "(import \"rusm\" \"stream_open\" (func $open (param i64) (result i64)))"                      \
    "(import \"rusm\" \"stream_write\" (func $write (param i64 i32 i32) (result i32)))"            \
    "(import \"rusm\" \"stream_close\" (func $close (param i64)))"                                 \
    "(import \"rusm\" \"stream_accept\" (func $accept (result i64)))"                              \
    "(import \"rusm\" \"stream_read\" (func $read (param i64 i32 i32) (result i32)))"              \
    "(memory (export \"memory\") 1)"                                                               \
    "(func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))"

struct world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
};

static struct world start(void) {
    struct world world;
    struct rusm_wasm_config config;
    struct rusm_errinfo error;
    guests_signals();
    guests_config(&config);
    world.rt = start_runtime(2);
    enum rusm_err err = rusm_wasm_create(world.rt, &config, &world.wasm, &error);
    RUSM_ASSERT(err == RUSM_OK);
    return world;
}

static void end_well(const struct exit_record *record) {
    if (record->kind != RUSM_EXIT_NORMAL) {
        (void)fprintf(stderr, "%.*s\n", (int)record->payload_bytes, (const char *)record->payload);
    }
    assert_int_equal(record->count, 1);
    assert_int_equal(record->kind, RUSM_EXIT_NORMAL);
}

/* ---- native counterparts ---- */

struct native {
    rusm_pid peer;
    uint32_t chunks;
    _Atomic uint64_t bytes;
    _Atomic uint32_t go;
    enum rusm_err err;
    struct rusm_stream_opts opts;
};

static rusm_buf *chunk_of(size_t len, uint8_t fill) {
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_buf_create(len, &chunk) == RUSM_OK);
    memset(rusm_buf_data(chunk), fill, len);
    return chunk;
}

/* Chunks of i bytes of value i. */
static void write_growing(void *arg) {
    struct native *native = arg;
    rusm_stream_writer *writer = NULL;
    RUSM_ASSERT(rusm_stream_open(native->peer, &native->opts, &writer) == RUSM_OK);
    for (uint32_t i = 0; i < native->chunks; i++) {
        RUSM_ASSERT(rusm_stream_write(writer, chunk_of(i, (uint8_t)i)) == RUSM_OK);
    }
}

static void read_all(void *arg) {
    struct native *native = arg;
    rusm_stream_reader *reader = NULL;
    rusm_buf *chunk = NULL;
    AWAIT(native->go);
    RUSM_ASSERT(rusm_stream_accept(RUSM_FOREVER, &reader) == RUSM_OK);
    while ((native->err = rusm_stream_read(reader, RUSM_FOREVER, &chunk)) == RUSM_OK) {
        native->bytes += rusm_buf_len(chunk);
        native->chunks++;
        rusm_buf_release(chunk);
    }
}

/* ---- reading ---- */

/* A chunk that is longer than the room stays; 0 asks for the length; nothing beyond is written. */
static const char read_with_little_room[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64)"
    "(local.set $s (call $accept))"
    "(call $check (i32.eqz (call $read (local.get $s) (i32.const 0) (i32.const 9))))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 9)) (i32.const 1)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 0)) (i32.const 2)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 8) (i32.const 1)) (i32.const 2)))"
    "(call $check (i32.eq (i32.load (i32.const 8)) (i32.const 2)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 8) (i32.const 2)) (i32.const 2)))"
    "(call $check (i32.eq (i32.load (i32.const 8)) (i32.const 0x0202)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 9)) (i32.const -1)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 9)) (i32.const -1)))"
    "(call $close (local.get $s))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 9)) (i32.const -1)))"
    "))";

static void long_chunk_stays_until_there_is_room(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    struct native native = {.chunks = 3};
    native.peer = run_text(w.wasm, read_with_little_room, &record);
    (void)spawn_fiber(w.rt, write_growing, &native, NULL);
    finish_guests(w.rt, w.wasm);
    end_well(&record);
}

/* Reads 200 growing chunks through a ring of one, so that both sides wait for the other. */
static const char read_growing[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64) (local $i i32) (local $j i32)"
    "(local.set $s (call $accept))"
    "(loop $next"
    "  (call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 999))"
    "                       (local.get $i)))"
    "  (local.set $j (i32.const 0))"
    "  (loop $bytes (if (i32.lt_u (local.get $j) (local.get $i)) (then"
    "    (call $check (i32.eq (i32.load8_u (local.get $j))"
    "                         (i32.and (local.get $i) (i32.const 255))))"
    "    (local.set $j (i32.add (local.get $j) (i32.const 1))) (br $bytes))))"
    "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "  (br_if $next (i32.lt_u (local.get $i) (i32.const 200))))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 9))"
    "                     (i32.const -1)))))";

static void chunks_arrive_whole_and_in_order(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    struct native native = {.chunks = 200, .opts = {.chunks_max = 1}};
    native.peer = run_text(w.wasm, read_growing, &record);
    (void)spawn_fiber(w.rt, write_growing, &native, NULL);
    finish_guests(w.rt, w.wasm);
    end_well(&record);
}

/* ---- writing ---- */

/* More than a stream holds; then the end, and that a closed id is unknown. */
static const char write_much[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64) (local $i i32)"
    "(local.set $s (call $open (i64.const %llu)))"
    "(call $check (i64.gt_s (local.get $s) (i64.const 0)))"
    "(loop $next"
    "  (call $check (i32.eqz (call $write (local.get $s) (i32.const 0) (i32.const 4096))))"
    "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "  (br_if $next (i32.lt_u (local.get $i) (i32.const 300))))"
    "(call $check (i32.eqz (call $write (local.get $s) (i32.const 65536) (i32.const 0))))"
    "(call $close (local.get $s))"
    "(call $close (local.get $s))"
    "(call $check (i32.eq (call $write (local.get $s) (i32.const 0) (i32.const 1))"
    "                     (i32.const -1)))"
    "(call $check (i32.eq (call $write (i64.const 0) (i32.const 0) (i32.const 1))"
    "                     (i32.const -1)))))";

static void full_stream_holds_the_guest(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    struct native native = {.chunks = 0};
    rusm_pid reader = spawn_fiber(w.rt, read_all, &native, NULL);
    rusm_program *program = load_format(w.wasm, write_much, reader);
    rusm_pid writer = spawn_guest(program, &record);
    rusm_program_release(program);
    await_wait(w.rt, writer, RUSM_WAIT_HELD);
    native.go = 1;
    finish_guests(w.rt, w.wasm);
    end_well(&record);
    assert_int_equal(native.chunks, 301);
    assert_int_equal(native.bytes, 300 * 4096);
    assert_int_equal(native.err, RUSM_ERR_STREAM_END);
}

static const char write_until_refused[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64) (local $code i32)"
    "(local.set $s (call $open (i64.const %llu)))"
    "(loop $next"
    "  (local.set $code (call $write (local.get $s) (i32.const 0) (i32.const 4096)))"
    "  (br_if $next (i32.eqz (local.get $code))))"
    "(call $check (i32.eq (local.get $code) (i32.const -1)))"
    "(call $check (i64.eq (call $open (i64.const %llu)) (i64.const -1)))))";

static void dead_reader_refuses(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    rusm_pid reader = spawn_fiber(w.rt, wait_for_ever, NULL, NULL);
    char text[4096];
    (void)snprintf(text, sizeof text, write_until_refused, (unsigned long long)reader.v,
                   (unsigned long long)reader.v);
    rusm_pid writer = run_text(w.wasm, text, &record);
    await_wait(w.rt, writer, RUSM_WAIT_HELD);
    assert_true(rusm_kill(w.rt, reader));
    finish_guests(w.rt, w.wasm);
    end_well(&record);
}

/* ---- the end of a guest ---- */

static const char write_and_trap[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64)"
    "(local.set $s (call $open (i64.const %llu)))"
    "(call $check (i32.eqz (call $write (local.get $s) (i32.const 0) (i32.const 5))))"
    "unreachable))";

static void end_of_a_guest_closes_all(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    struct native native = {.go = 1};
    rusm_pid reader = spawn_fiber(w.rt, read_all, &native, NULL);
    rusm_program *program = load_format(w.wasm, write_and_trap, reader);
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    finish_guests(w.rt, w.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_int_equal(native.bytes, 5);
    assert_int_equal(native.err, RUSM_ERR_STREAM_END);
}

/* Reads part of a chunk, so that the bridge keeps it, and waits for a stream that never comes. */
static const char keep_a_chunk[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64)"
    "(local.set $s (call $accept))"
    "(drop (call $read (local.get $s) (i32.const 0) (i32.const 9)))"
    "(call $check (i32.eq (call $read (local.get $s) (i32.const 0) (i32.const 0)) (i32.const 1)))"
    "(drop (call $accept))))";

static void killed_guest_frees_what_it_kept(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    struct exit_record written = {.count = 0};
    struct native native = {.chunks = 2};
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &written};
    native.peer = run_text(w.wasm, keep_a_chunk, &record);
    (void)spawn_fiber(w.rt, write_growing, &native, &opts);
    await_exit(&written);
    await_wait(w.rt, native.peer, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(w.rt, native.peer));
    finish_guests(w.rt, w.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_KILLED);
}

/* ---- limits ---- */

static const char open_three[] =
    "(module " IMPORTS "(func $open_one (result i64) (call $open (i64.const %llu)))"
    "(func (export \"run\") (local $first i64) (local $again i64)"
    "(local.set $first (call $open_one))"
    "(call $check (i64.gt_s (local.get $first) (i64.const 0)))"
    "(call $check (i64.gt_s (call $open_one) (i64.const 0)))"
    "(call $check (i64.eq (call $open_one) (i64.const -1)))"
    "(call $check (i64.eq (call $accept) (i64.const -3)))"
    "(call $close (local.get $first))"
    "(local.set $again (call $open_one))"
    "(call $check (i64.gt_s (local.get $again) (i64.const 0)))"
    "(call $check (i64.ne (local.get $again) (local.get $first)))"
    "(call $check (i32.eq (call $write (local.get $first) (i32.const 0) (i32.const 1))"
    "                     (i32.const -1)))))";

static void capability_bounds_streams(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    const struct rusm_capability two = {.streams_max = 2};
    rusm_pid peer = spawn_fiber(w.rt, wait_for_ever, NULL, NULL);
    char text[4096];
    assert_int_equal(rusm_wasm_define_capability(w.wasm, "two", &two, NULL), RUSM_OK);
    (void)snprintf(text, sizeof text, open_three, (unsigned long long)peer.v);
    rusm_program *program = load_text_as(w.wasm, text, "two");
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    await_exit(&record);
    assert_true(rusm_kill(w.rt, peer));
    finish_guests(w.rt, w.wasm);
    end_well(&record);
}

static const char bad_pointer[] =
    "(module " IMPORTS "(func (export \"run\") (local $s i64)"
    "(local.set $s (call $open (i64.const %llu)))"
    "(drop (call $write (local.get $s) (i32.const 65535) (i32.const 2)))))";

static void range_outside_of_the_memory_traps(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    rusm_pid peer = spawn_fiber(w.rt, wait_for_ever, NULL, NULL);
    rusm_program *program = load_format(w.wasm, bad_pointer, peer);
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    await_exit(&record);
    assert_true(rusm_kill(w.rt, peer));
    finish_guests(w.rt, w.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_true(says(&record, "outside of the guest's memory"));
}

/* ---- components ---- */

#define INTERFACE                                                                                  \
    "(import \"rusm:runtime/streams@0.1.0\" (instance $streams"                                    \
    "  (export \"stream-open\" (func (param \"to\" u64) (result (option u64))))"                   \
    "  (export \"stream-write\" (func (param \"handle\" u64) (param \"chunk\" (list u8))"          \
    "    (result bool)))"                                                                          \
    "  (export \"stream-close\" (func (param \"handle\" u64)))"                                    \
    "  (export \"stream-accept\" (func (result u64)))"                                             \
    "  (export \"stream-read\" (func (param \"handle\" u64) (result (option (list u8)))))))"       \
    "(core module $libc (memory (export \"memory\") 1) (global $top (mut i32) (i32.const 1024))"   \
    "  (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)"            \
    "    (local.set $at (global.get $top))"                                                        \
    "    (global.set $top (i32.add (global.get $top)"                                              \
    "      (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))"                       \
    "    (if (i32.gt_u (global.get $top) (i32.const 60000))"                                       \
    "      (then (global.set $top (i32.const 1024))))"                                             \
    "    (local.get $at)))"                                                                        \
    "(core instance $libc (instantiate $libc))"                                                    \
    "(alias core export $libc \"memory\" (core memory $memory))"                                   \
    "(alias core export $libc \"realloc\" (core func $realloc))"                                   \
    "(core func $open (canon lower (func $streams \"stream-open\") (memory $memory)))"             \
    "(core func $write (canon lower (func $streams \"stream-write\") (memory $memory)))"           \
    "(core func $close (canon lower (func $streams \"stream-close\")))"                            \
    "(core func $accept (canon lower (func $streams \"stream-accept\")))"                          \
    "(core func $read (canon lower (func $streams \"stream-read\") (memory $memory)"               \
    "  (realloc $realloc)))"                                                                       \
    "(core module $body"                                                                           \
    "  (import \"s\" \"memory\" (memory 1))"                                                       \
    "  (import \"s\" \"open\" (func $open (param i64 i32)))"                                       \
    "  (import \"s\" \"write\" (func $write (param i64 i32 i32) (result i32)))"                    \
    "  (import \"s\" \"close\" (func $close (param i64)))"                                         \
    "  (import \"s\" \"accept\" (func $accept (result i64)))"                                      \
    "  (import \"s\" \"read\" (func $read (param i64 i32)))"                                       \
    "  (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))"                  \
    "  (func (export \"run\") (local $s i64) (local $i i32) "
#define INTERFACE_END                                                                              \
    "))"                                                                                           \
    "(core instance $i (instantiate $body (with \"s\" (instance"                                   \
    "  (export \"memory\" (memory $memory)) (export \"open\" (func $open))"                        \
    "  (export \"write\" (func $write)) (export \"close\" (func $close))"                          \
    "  (export \"accept\" (func $accept)) (export \"read\" (func $read))))))"                      \
    "(func (export \"run\") (canon lift (core func $i \"run\"))))"

static const char component_writes[] =
    "(component " INTERFACE "(call $open (i64.const %llu) (i32.const 16))"
    "(call $check (i32.load8_u (i32.const 16)))"
    "(local.set $s (i64.load (i32.const 24)))"
    "(loop $next"
    "  (call $check (call $write (local.get $s) (i32.const 0) (local.get $i)))"
    "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "  (br_if $next (i32.lt_u (local.get $i) (i32.const 300))))"
    "(call $close (local.get $s))"
    "(call $check (i32.eqz (call $write (local.get $s) (i32.const 0) (i32.const 1))))"
    "(call $open (i64.const 12345) (i32.const 16))"
    "(call $check (i32.eqz (i32.load8_u (i32.const 16))))" INTERFACE_END;

static const char component_reads[] =
    "(component " INTERFACE "(local.set $s (call $accept))"
    "(loop $next"
    "  (call $read (local.get $s) (i32.const 16))"
    "  (call $check (i32.load8_u (i32.const 16)))"
    "  (call $check (i32.eq (i32.load (i32.const 24)) (local.get $i)))"
    "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    "  (br_if $next (i32.lt_u (local.get $i) (i32.const 300))))"
    "(call $read (local.get $s) (i32.const 16))"
    "(call $check (i32.eqz (i32.load8_u (i32.const 16))))"
    "(call $close (local.get $s))" INTERFACE_END;

static void components_pass_chunks(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record reader_record = {.count = 0};
    struct exit_record writer_record = {.count = 0};
    rusm_pid reader = run_text(w.wasm, component_reads, &reader_record);
    rusm_program *program = load_format(w.wasm, component_writes, reader);
    (void)spawn_guest(program, &writer_record);
    rusm_program_release(program);
    finish_guests(w.rt, w.wasm);
    end_well(&reader_record);
    end_well(&writer_record);
}

static void full_table_ends_a_component_that_accepts(void **state) {
    (void)state;
    struct world w = start();
    struct exit_record record = {.count = 0};
    const struct rusm_capability one = {.streams_max = 1};
    assert_int_equal(rusm_wasm_define_capability(w.wasm, "one", &one, NULL), RUSM_OK);
    static const char text[] =
        "(component " INTERFACE
        "(drop (call $accept)) (drop (call $accept)) (drop (local.get $s))" INTERFACE_END;
    rusm_program *program = load_text_as(w.wasm, text, "one");
    struct native native = {.chunks = 1};
    native.peer = spawn_guest(program, &record);
    rusm_program_release(program);
    (void)spawn_fiber(w.rt, write_growing, &native, NULL);
    finish_guests(w.rt, w.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_LIMIT);
    assert_true(says(&record, "max-streams"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_chunk_stays_until_there_is_room),
        cmocka_unit_test(chunks_arrive_whole_and_in_order),
        cmocka_unit_test(full_stream_holds_the_guest),
        cmocka_unit_test(dead_reader_refuses),
        cmocka_unit_test(end_of_a_guest_closes_all),
        cmocka_unit_test(killed_guest_frees_what_it_kept),
        cmocka_unit_test(capability_bounds_streams),
        cmocka_unit_test(range_outside_of_the_memory_traps),
        cmocka_unit_test(components_pass_chunks),
        cmocka_unit_test(full_table_ends_a_component_that_accepts),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
