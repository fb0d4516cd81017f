/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Byte streams: order, bounds, ends and deaths, clones, time limits. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT 10000u

/* What the processes of a test share. */
struct world {
    rusm_pid reader;
    rusm_pid writer;
    struct rusm_stream_opts opts;
    _Atomic uint32_t written;
    _Atomic uint32_t read;
    _Atomic uint32_t ready;
    _Atomic bool open; /* the gate of those that wait for it */
    uint32_t writers;
    enum rusm_err err;
};

static rusm_buf *chunk_of(uint32_t value, size_t len) {
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_buf_create(len, &chunk) == RUSM_OK);
    if (len > 0) {
        memset(rusm_buf_data(chunk), 0xa5, len);
    }
    if (len >= sizeof value) {
        memcpy(rusm_buf_data(chunk), &value, sizeof value);
    }
    return chunk;
}

static uint32_t value_of(rusm_buf *chunk) {
    uint32_t value;
    RUSM_ASSERT(rusm_buf_len(chunk) >= sizeof value);
    memcpy(&value, rusm_buf_data(chunk), sizeof value);
    return value;
}

static rusm_stream_writer *open_to(rusm_pid to, const struct rusm_stream_opts *opts) {
    rusm_stream_writer *writer = NULL;
    RUSM_ASSERT(rusm_stream_open(to, opts, &writer) == RUSM_OK);
    return writer;
}

static rusm_stream_reader *accept_one(void) {
    rusm_stream_reader *reader = NULL;
    RUSM_ASSERT(rusm_stream_accept(RUSM_FOREVER, &reader) == RUSM_OK);
    return reader;
}

static void write_one(rusm_stream_writer *writer, uint32_t value) {
    RUSM_ASSERT(rusm_stream_write(writer, chunk_of(value, 8)) == RUSM_OK);
}

static void read_one(rusm_stream_reader *reader, uint32_t expected) {
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_stream_read(reader, RUSM_FOREVER, &chunk) == RUSM_OK);
    RUSM_ASSERT(value_of(chunk) == expected);
    rusm_buf_release(chunk);
}

static enum rusm_err try_read(rusm_stream_reader *reader, uint64_t timeout_ms) {
    rusm_buf *chunk = NULL;
    enum rusm_err err = rusm_stream_read(reader, timeout_ms, &chunk);
    if (err == RUSM_OK) {
        rusm_buf_release(chunk);
    }
    return err;
}

static void wait_at_gate(void *arg) {
    struct world *w = arg;
    AWAIT(atomic_load_explicit(&w->open, memory_order_acquire));
}

static void pass_gate(struct world *w) {
    RUSM_ASSERT(rusm_blocking(wait_at_gate, w) == RUSM_OK);
}

static void open_gate(struct world *w) {
    atomic_store_explicit(&w->open, true, memory_order_release);
}

/* ---- order and bounds ---- */

static void write_numbers(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, &w->opts);
    for (uint32_t i = 0; i < COUNT; i++) {
        write_one(writer, i);
        atomic_fetch_add_explicit(&w->written, 1, memory_order_relaxed);
    }
    rusm_stream_close(writer);
}

static void read_numbers(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    for (uint32_t i = 0; i < COUNT; i++) {
        read_one(reader, i);
        atomic_fetch_add_explicit(&w->read, 1, memory_order_relaxed);
    }
    RUSM_ASSERT(try_read(reader, RUSM_FOREVER) == RUSM_ERR_STREAM_END);
    RUSM_ASSERT(try_read(reader, 0) == RUSM_ERR_STREAM_END);
    rusm_stream_reader_close(reader);
}

static void pass_numbers(struct world *w, uint32_t schedulers) {
    rusm_runtime *rt = start_runtime(schedulers);
    w->reader = spawn_fiber(rt, read_numbers, w, NULL);
    w->writer = spawn_fiber(rt, write_numbers, w, NULL);
    finish_runtime(rt);
    assert_int_equal(w->read, COUNT);
}

static void chunks_arrive_in_order_and_then_the_end(void **state) {
    (void)state;
    for (uint32_t schedulers = 1; schedulers <= 3; schedulers++) {
        struct world w = {.err = RUSM_OK};
        pass_numbers(&w, schedulers);
    }
}

static void smallest_bounds_pass_everything(void **state) {
    (void)state;
    struct world one_chunk = {.opts = {.chunks_max = 1}};
    pass_numbers(&one_chunk, 2);
    struct world one_byte = {.opts = {.bytes_max = 1}};
    pass_numbers(&one_byte, 2);
    struct world odd = {.opts = {.chunks_max = 3, .bytes_max = 17}};
    pass_numbers(&odd, 2);
}

static void read_behind_gate(void *arg) {
    pass_gate(arg);
    read_numbers(arg);
}

static uint32_t written_before_held(const struct rusm_stream_opts *opts) {
    struct world w = {.opts = *opts};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, read_behind_gate, &w, NULL);
    w.writer = spawn_fiber(rt, write_numbers, &w, NULL);
    await_wait(rt, w.writer, RUSM_WAIT_HELD);
    uint32_t written = atomic_load(&w.written);
    open_gate(&w);
    finish_runtime(rt);
    assert_int_equal(w.read, COUNT);
    return written;
}

static void writer_is_held_at_the_bound_of_chunks(void **state) {
    (void)state;
    assert_int_equal(written_before_held(&(struct rusm_stream_opts){.chunks_max = 5}), 5);
    assert_int_equal(written_before_held(&(struct rusm_stream_opts){0}),
                     RUSM_STREAM_CHUNKS_DEFAULT);
}

static void writer_is_held_at_the_bound_of_bytes(void **state) {
    (void)state;
    assert_int_equal(written_before_held(&(struct rusm_stream_opts){.bytes_max = 24}), 3);
    assert_int_equal(written_before_held(&(struct rusm_stream_opts){.bytes_max = 31}), 3);
    /* A chunk that is too long alone goes into an empty stream. */
    assert_int_equal(written_before_held(&(struct rusm_stream_opts){.bytes_max = 7}), 1);
}

static void check_lengths(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    static const size_t lengths[] = {0, 0, 1, 0, 3u << 20, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        rusm_buf *chunk = NULL;
        RUSM_ASSERT(rusm_stream_read(reader, RUSM_FOREVER, &chunk) == RUSM_OK);
        RUSM_ASSERT(rusm_buf_len(chunk) == lengths[i]);
        rusm_buf_release(chunk);
        w->read++;
    }
    RUSM_ASSERT(try_read(reader, RUSM_FOREVER) == RUSM_ERR_STREAM_END);
}

static void write_lengths(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, NULL);
    static const size_t lengths[] = {0, 0, 1, 0, 3u << 20, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        RUSM_ASSERT(rusm_stream_write(writer, chunk_of(0, lengths[i])) == RUSM_OK);
    }
}

static void empty_and_huge_chunks_pass(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, check_lengths, &w, NULL);
    w.writer = spawn_fiber(rt, write_lengths, &w, NULL);
    finish_runtime(rt);
    assert_int_equal(w.read, 6);
}

/* Freed ones are used again, by size. */
static void reuse_buffers(void *arg) {
    struct world *w = arg;
    static const size_t lengths[] = {0, 1, 1024, 1088, 2048, 2112, 4096, 8192, 16384, 16448, 70000};
    rusm_buf *chunks[300];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t j = 0; j < 300; j++) {
                chunks[j] = chunk_of(j, lengths[i]);
            }
            for (uint32_t j = 0; j < 300; j++) {
                RUSM_ASSERT(lengths[i] < sizeof j || value_of(chunks[j]) == j);
                rusm_buf_release(chunks[j]);
            }
        }
        w->read++;
    }
}

static void buffers_of_all_sizes_are_used_again(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(reuse_buffers, &w);
    assert_int_equal(w.read, 11);
}

/* Two pipes through one process, and a bound that makes everybody wait in turn. */
static void pass_on(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    rusm_stream_writer *writer = open_to(w->reader, &w->opts);
    rusm_buf *chunk = NULL;
    while (rusm_stream_read(reader, RUSM_FOREVER, &chunk) == RUSM_OK) {
        RUSM_ASSERT(rusm_stream_write(writer, chunk) == RUSM_OK);
    }
}

static void write_to_middle(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->writer, &w->opts);
    for (uint32_t i = 0; i < COUNT; i++) {
        write_one(writer, i);
    }
}

static void chunks_are_passed_on_uncopied(void **state) {
    (void)state;
    struct world w = {.opts = {.chunks_max = 2}};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, read_numbers, &w, NULL);
    w.writer = spawn_fiber(rt, pass_on, &w, NULL);
    (void)spawn_fiber(rt, write_to_middle, &w, NULL);
    finish_runtime(rt);
    assert_int_equal(w.read, COUNT);
}

/* ---- ends ---- */

static void refuse_bad_calls(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = NULL;
    struct rusm_stream_opts opts = {.chunks_max = RUSM_STREAM_CHUNKS_LIMIT + 1};
    RUSM_ASSERT(rusm_stream_open(rusm_self(), &opts, &writer) == RUSM_ERR_INVALID);
    opts = (struct rusm_stream_opts){.bytes_max = RUSM_STREAM_BYTES_LIMIT + 1};
    RUSM_ASSERT(rusm_stream_open(rusm_self(), &opts, &writer) == RUSM_ERR_INVALID);
    RUSM_ASSERT(rusm_stream_open((rusm_pid){0}, NULL, &writer) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_stream_open((rusm_pid){1}, NULL, &writer) == RUSM_ERR_NOPROC);
    rusm_pid dead = spawn_fiber(NULL, end_at_once, NULL, NULL);
    while (rusm_is_alive(NULL, dead)) {
        rusm_yield();
    }
    RUSM_ASSERT(rusm_stream_open(dead, NULL, &writer) == RUSM_ERR_NOPROC);
    rusm_pid alive = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    writer = open_to(alive, NULL);
    RUSM_ASSERT(rusm_stream_writer_clone(writer, dead) == RUSM_ERR_NOPROC);
    write_one(writer, 1);
    RUSM_ASSERT(rusm_kill(NULL, alive));
    w->read++;
}

static void bad_bounds_and_dead_readers_are_refused(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(refuse_bad_calls, &w);
    assert_int_equal(w.read, 1);
}

/* A process can talk to itself, but does not wait for itself. */
static void write_to_self(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(rusm_self(), &(struct rusm_stream_opts){.chunks_max = 2});
    rusm_stream_reader *reader = accept_one();
    RUSM_ASSERT(rusm_stream_opener(reader).v == rusm_self().v);
    RUSM_ASSERT(try_read(reader, 0) == RUSM_ERR_TIMEOUT);
    write_one(writer, 1);
    write_one(writer, 2);
    RUSM_ASSERT(rusm_stream_write(writer, chunk_of(3, 8)) == RUSM_ERR_TIMEOUT);
    rusm_buf *chunk = chunk_of(3, 8);
    RUSM_ASSERT(rusm_stream_write_timeout(writer, chunk, 0) == RUSM_ERR_TIMEOUT);
    read_one(reader, 1);
    RUSM_ASSERT(rusm_stream_write_timeout(writer, chunk, 0) == RUSM_OK);
    read_one(reader, 2);
    read_one(reader, 3);
    write_one(writer, 4);
    rusm_stream_reader_close(reader);
    RUSM_ASSERT(rusm_stream_write(writer, chunk_of(5, 8)) == RUSM_ERR_STREAM_CLOSED);
    rusm_stream_close(writer);
    /* A stream that ends before it is accepted; one that never is. */
    writer = open_to(rusm_self(), NULL);
    write_one(writer, 6);
    rusm_stream_close(writer);
    (void)open_to(rusm_self(), NULL);
    reader = accept_one();
    read_one(reader, 6);
    RUSM_ASSERT(try_read(reader, RUSM_FOREVER) == RUSM_ERR_STREAM_END);
    w->read++;
}

static void process_streams_to_itself(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(write_to_self, &w);
    assert_int_equal(w.read, 1);
}

static void write_until_refused(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, &w->opts);
    do {
        w->err = rusm_stream_write(writer, chunk_of(0, 8));
        atomic_fetch_add_explicit(&w->written, 1, memory_order_relaxed);
    } while (w->err == RUSM_OK);
    RUSM_ASSERT(rusm_stream_write(writer, chunk_of(0, 8)) == w->err);
}

static void die_behind_gate(void *arg) {
    pass_gate(arg);
}

static void accept_and_die_behind_gate(void *arg) {
    rusm_stream_reader *reader = accept_one();
    pass_gate(arg);
    read_one(reader, 0);
}

static void accept_and_close_behind_gate(void *arg) {
    rusm_stream_reader *reader = accept_one();
    pass_gate(arg);
    rusm_stream_reader_close(reader);
    (void)rusm_receive(); /* until it is told that the writer has heard */
}

static void tell_when_refused(void *arg) {
    struct world *w = arg;
    write_until_refused(arg);
    RUSM_ASSERT(rusm_send(w->reader, "x", 1) == RUSM_OK);
}

static void held_writer_hears(rusm_fiber_fn reader, rusm_fiber_fn writer) {
    struct world w = {.opts = {.chunks_max = 3}};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, reader, &w, NULL);
    w.writer = spawn_fiber(rt, writer, &w, NULL);
    await_wait(rt, w.writer, RUSM_WAIT_HELD);
    open_gate(&w);
    finish_runtime(rt);
    assert_int_equal(w.err, RUSM_ERR_STREAM_CLOSED);
}

static void held_writer_hears_of_the_readers_end(void **state) {
    (void)state;
    held_writer_hears(die_behind_gate, write_until_refused);
    held_writer_hears(accept_and_die_behind_gate, write_until_refused);
    held_writer_hears(accept_and_close_behind_gate, tell_when_refused);
}

static void accept_and_wait(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    read_one(reader, 0);
    atomic_store_explicit(&w->ready, 1, memory_order_relaxed);
    wait_for_ever(NULL);
}

static void killed_reader_closes(void **state) {
    (void)state;
    struct world w = {.opts = {.chunks_max = 3}};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, accept_and_wait, &w, NULL);
    w.writer = spawn_fiber(rt, write_until_refused, &w, NULL);
    AWAIT(atomic_load(&w.ready) == 1);
    await_wait(rt, w.writer, RUSM_WAIT_HELD);
    assert_true(rusm_kill(rt, w.reader));
    finish_runtime(rt);
    assert_int_equal(w.err, RUSM_ERR_STREAM_CLOSED);
}

static void read_to_the_end(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    RUSM_ASSERT(rusm_stream_opener(reader).v == w->writer.v);
    while ((w->err = try_read(reader, RUSM_FOREVER)) == RUSM_OK) {
        w->read++;
    }
}

static void read_to_the_end_behind_gate(void *arg) {
    pass_gate(arg);
    read_to_the_end(arg);
}

static void write_three_and_wait(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        write_one(writer, i);
    }
    wait_for_ever(NULL);
}

static void killed_writer_ends_the_stream(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, read_to_the_end_behind_gate, &w, NULL);
    w.writer = spawn_fiber(rt, write_three_and_wait, &w, NULL);
    open_gate(&w);
    await_wait(rt, w.writer, RUSM_WAIT_RECEIVE);
    AWAIT(atomic_load(&w.read) == 3);
    await_wait(rt, w.reader, RUSM_WAIT_RECEIVE);
    assert_true(rusm_kill(rt, w.writer));
    finish_runtime(rt);
    assert_int_equal(w.err, RUSM_ERR_STREAM_END);
}

/* What it holds on to while it waits is freed (AddressSanitizer tells). */
static void held_writer_can_be_killed(void **state) {
    (void)state;
    struct world w = {.opts = {.chunks_max = 3}};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, read_to_the_end_behind_gate, &w, NULL);
    w.writer = spawn_fiber(rt, write_until_refused, &w, NULL);
    await_wait(rt, w.writer, RUSM_WAIT_HELD);
    assert_true(rusm_kill(rt, w.writer));
    AWAIT(!rusm_is_alive(rt, w.writer));
    open_gate(&w);
    finish_runtime(rt);
    assert_int_equal(w.read, 3);
    assert_int_equal(w.err, RUSM_ERR_STREAM_END);
}

static void expect_end_before_down(void *arg) {
    struct world *w = arg;
    rusm_pid writer;
    rusm_ref ref;
    w->reader = rusm_self();
    RUSM_ASSERT(rusm_spawn_monitor(write_three_and_wait, w, NULL, &writer, &ref) == RUSM_OK);
    rusm_stream_reader *reader = accept_one();
    RUSM_ASSERT(rusm_kill(NULL, writer));
    RUSM_ASSERT(rusm_receive()->kind == RUSM_MSG_DOWN);
    while ((w->err = try_read(reader, 0)) == RUSM_OK) {
        w->read++;
    }
}

static void streams_end_before_the_news_of_the_end(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(expect_end_before_down, &w);
    assert_int_equal(w.err, RUSM_ERR_STREAM_END);
}

static void overflow_backlog(void *arg) {
    struct world *w = arg;
    for (uint32_t i = 0; i < RUSM_STREAM_BACKLOG; i++) {
        (void)open_to(rusm_self(), &(struct rusm_stream_opts){.chunks_max = 1});
    }
    rusm_stream_writer *refused = open_to(rusm_self(), NULL);
    rusm_stream_reader *reader = accept_one();
    w->err = rusm_stream_write(refused, chunk_of(0, 8));
    for (uint32_t i = 1; i < RUSM_STREAM_BACKLOG; i++) {
        rusm_stream_reader_close(reader);
        reader = accept_one();
    }
    RUSM_ASSERT(rusm_stream_accept(0, &reader) == RUSM_ERR_TIMEOUT);
}

static void streams_beyond_the_backlog_are_closed(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(overflow_backlog, &w);
    assert_int_equal(w.err, RUSM_ERR_STREAM_CLOSED);
}

/* ---- messages ---- */

static void accept_among_messages(void *arg) {
    struct world *w = arg;
    atomic_store_explicit(&w->ready, 1, memory_order_release);
    rusm_stream_reader *reader = accept_one();
    for (uint32_t i = 0; i < 10; i++) {
        read_one(reader, i);
    }
    RUSM_ASSERT(try_read(reader, RUSM_FOREVER) == RUSM_ERR_STREAM_END);
    for (uint32_t i = 0; i < 21; i++) {
        RUSM_ASSERT(*(const uint32_t *)rusm_receive()->data == i);
    }
    w->read++;
}

static void write_among_messages(void *arg) {
    struct world *w = arg;
    uint32_t sent = 0;
    RUSM_ASSERT(rusm_send(w->reader, &sent, sizeof sent) == RUSM_OK);
    sent++;
    rusm_stream_writer *writer = open_to(w->reader, &(struct rusm_stream_opts){.chunks_max = 1});
    for (uint32_t i = 0; i < 10; i++) {
        for (int j = 0; j < 2; j++, sent++) {
            RUSM_ASSERT(rusm_send(w->reader, &sent, sizeof sent) == RUSM_OK);
        }
        rusm_yield();
        write_one(writer, i);
    }
}

static void accept_and_read_leave_messages_alone(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, accept_among_messages, &w, NULL);
    await_wait(rt, w.reader, RUSM_WAIT_RECEIVE);
    w.writer = spawn_fiber(rt, write_among_messages, &w, NULL);
    finish_runtime(rt);
    assert_int_equal(w.read, 1);
}

/* ---- clones ---- */

static rusm_stream_writer *accept_a_writer(void) {
    rusm_stream_writer *writer = NULL;
    RUSM_ASSERT(rusm_stream_accept_writer(RUSM_FOREVER, &writer) == RUSM_OK);
    return writer;
}

#define CLONES     4u
#define PER_WRITER 2000u

/* Each chunk says who wrote it, and the how manieth of its own it is. */
static void write_own(rusm_stream_writer *writer, uint32_t who) {
    for (uint32_t i = 0; i < PER_WRITER; i++) {
        write_one(writer, who << 16 | i);
    }
}

static void write_as_clone(void *arg) {
    struct world *w = arg;
    uint32_t who = atomic_fetch_add_explicit(&w->ready, 1, memory_order_relaxed);
    rusm_stream_writer *writer = accept_a_writer();
    write_own(writer, who);
    if (who % 2 == 0) {
        rusm_stream_close(writer); /* the others leave it to their end */
    }
}

static void write_with_clones(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, &w->opts);
    for (uint32_t i = 0; i < CLONES; i++) {
        rusm_pid clone = spawn_fiber(NULL, write_as_clone, w, NULL);
        RUSM_ASSERT(rusm_stream_writer_clone(writer, clone) == RUSM_OK);
    }
    write_own(writer, CLONES);
}

static void read_from_clones(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    uint32_t next[CLONES + 1] = {0};
    rusm_buf *chunk = NULL;
    while ((w->err = rusm_stream_read(reader, RUSM_FOREVER, &chunk)) == RUSM_OK) {
        uint32_t value = value_of(chunk);
        RUSM_ASSERT((value & 0xffff) == next[value >> 16]);
        next[value >> 16]++;
        w->read++;
        rusm_buf_release(chunk);
    }
}

static void clones_write_side_by_side(void **state) {
    (void)state;
    for (uint32_t schedulers = 1; schedulers <= 3; schedulers++) {
        for (uint32_t chunks_max = 1; chunks_max <= 64; chunks_max *= 4) {
            struct world w = {.opts = {.chunks_max = chunks_max}};
            rusm_runtime *rt = start_runtime(schedulers);
            w.reader = spawn_fiber(rt, read_from_clones, &w, NULL);
            w.writer = spawn_fiber(rt, write_with_clones, &w, NULL);
            finish_runtime(rt);
            assert_int_equal(w.read, (CLONES + 1) * PER_WRITER);
            assert_int_equal(w.err, RUSM_ERR_STREAM_END);
        }
    }
}

/* A writer that was alone, has company, and is alone again goes on with its ring in order. */
static void take_turns_with_clone(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(rusm_self(), &(struct rusm_stream_opts){.chunks_max = 3});
    rusm_stream_reader *reader = accept_one();
    for (uint32_t i = 0; i < 10; i++) {
        write_one(writer, i);
        read_one(reader, i);
        RUSM_ASSERT(rusm_stream_writer_clone(writer, rusm_self()) == RUSM_OK);
        rusm_stream_writer *clone = accept_a_writer();
        for (uint32_t j = 0; j < 7; j++) {
            write_one(clone, j);
            write_one(writer, j + 100);
            read_one(reader, j);
            read_one(reader, j + 100);
        }
        rusm_stream_close(i % 2 == 0 ? clone : writer);
        writer = i % 2 == 0 ? writer : clone;
        w->read++;
    }
    rusm_stream_close(writer);
    RUSM_ASSERT(try_read(reader, 0) == RUSM_ERR_STREAM_END);
}

static void writer_is_alone_again(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(take_turns_with_clone, &w);
    assert_int_equal(w.read, 10);
}

static void lose_clones(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(rusm_self(), NULL);
    rusm_stream_reader *reader = accept_one();
    rusm_pid idle = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    RUSM_ASSERT(rusm_stream_writer_clone(writer, idle) == RUSM_OK);
    rusm_yield(); /* this one reaches it, the other may not */
    RUSM_ASSERT(rusm_stream_writer_clone(writer, idle) == RUSM_OK);
    RUSM_ASSERT(rusm_kill(NULL, idle));
    rusm_stream_close(writer);
    w->err = try_read(reader, RUSM_FOREVER);
}

static void clones_of_the_dead_are_closed(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(lose_clones, &w);
    assert_int_equal(w.err, RUSM_ERR_STREAM_END);
}

static void hold_as_clone(void *arg) {
    (void)arg;
    rusm_stream_writer *writer = accept_a_writer();
    while (rusm_stream_write(writer, chunk_of(0, 8)) == RUSM_OK) {
    }
}

static void write_with_held_clones(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, &w->opts);
    for (uint32_t i = 0; i < 2; i++) {
        RUSM_ASSERT(rusm_stream_writer_clone(writer, i == 0 ? w->writer : rusm_self()) == RUSM_OK);
    }
    while (rusm_stream_write(writer, chunk_of(0, 8)) == RUSM_OK) {
    }
}

static void all_held_clones_hear_of_the_readers_end(void **state) {
    (void)state;
    struct world w = {.opts = {.chunks_max = 2}};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, die_behind_gate, &w, NULL);
    w.writer = spawn_fiber(rt, hold_as_clone, &w, NULL);
    rusm_pid first = spawn_fiber(rt, write_with_held_clones, &w, NULL);
    await_wait(rt, w.writer, RUSM_WAIT_HELD);
    await_wait(rt, first, RUSM_WAIT_HELD);
    open_gate(&w);
    finish_runtime(rt);
}

/* ---- time limits ---- */

static void wait_in_vain(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = NULL;
    rusm_stream_writer *writer = NULL;
    RUSM_ASSERT(rusm_stream_accept(1, &reader) == RUSM_ERR_TIMEOUT);
    RUSM_ASSERT(rusm_stream_accept_writer(1, &writer) == RUSM_ERR_TIMEOUT);
    rusm_pid idle = spawn_fiber(NULL, wait_for_ever, NULL, NULL);
    writer = open_to(idle, &(struct rusm_stream_opts){.chunks_max = 1});
    write_one(writer, 0);
    rusm_buf *chunk = chunk_of(1, 8);
    for (int i = 0; i < 3; i++) {
        RUSM_ASSERT(rusm_stream_write_timeout(writer, chunk, 1) == RUSM_ERR_TIMEOUT);
    }
    RUSM_ASSERT(rusm_stream_write_timeout(writer, chunk, 0) == RUSM_ERR_TIMEOUT);
    rusm_buf_release(chunk);
    rusm_stream_close(writer); /* while its HOLD is noted over there */
    writer = open_to(rusm_self(), NULL);
    reader = accept_one();
    for (uint32_t i = 0; i < 3; i++) {
        RUSM_ASSERT(try_read(reader, 1) == RUSM_ERR_TIMEOUT);
        write_one(writer, i);
        read_one(reader, i);
    }
    RUSM_ASSERT(rusm_kill(NULL, idle));
    w->read++;
}

static void waits_end_when_their_time_has_passed(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    run_fiber(wait_in_vain, &w);
    assert_int_equal(w.read, 1);
}

static void write_in_bursts(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_to(w->reader, &(struct rusm_stream_opts){.chunks_max = 2});
    for (uint32_t i = 0; i < 200;) {
        rusm_buf *chunk = chunk_of(i, 8);
        if (rusm_stream_write_timeout(writer, chunk, i % 3) == RUSM_OK) {
            i++;
        } else {
            rusm_buf_release(chunk);
        }
    }
}

static void read_in_bursts(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = accept_one();
    for (;;) {
        rusm_buf *chunk = NULL;
        enum rusm_err err = rusm_stream_read(reader, w->read % 2, &chunk);
        if (err == RUSM_ERR_STREAM_END) {
            return;
        }
        if (err == RUSM_OK) {
            RUSM_ASSERT(value_of(chunk) == w->read);
            rusm_buf_release(chunk);
            w->read++;
        } else {
            rusm_yield();
        }
    }
}

static void time_limits_on_both_sides_lose_nothing(void **state) {
    (void)state;
    struct world w = {.err = RUSM_OK};
    rusm_runtime *rt = start_runtime(2);
    w.reader = spawn_fiber(rt, read_in_bursts, &w, NULL);
    w.writer = spawn_fiber(rt, write_in_bursts, &w, NULL);
    finish_runtime(rt);
    assert_int_equal(w.read, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_arrive_in_order_and_then_the_end),
        cmocka_unit_test(smallest_bounds_pass_everything),
        cmocka_unit_test(writer_is_held_at_the_bound_of_chunks),
        cmocka_unit_test(writer_is_held_at_the_bound_of_bytes),
        cmocka_unit_test(empty_and_huge_chunks_pass),
        cmocka_unit_test(buffers_of_all_sizes_are_used_again),
        cmocka_unit_test(chunks_are_passed_on_uncopied),
        cmocka_unit_test(bad_bounds_and_dead_readers_are_refused),
        cmocka_unit_test(process_streams_to_itself),
        cmocka_unit_test(held_writer_hears_of_the_readers_end),
        cmocka_unit_test(killed_reader_closes),
        cmocka_unit_test(killed_writer_ends_the_stream),
        cmocka_unit_test(held_writer_can_be_killed),
        cmocka_unit_test(streams_end_before_the_news_of_the_end),
        cmocka_unit_test(streams_beyond_the_backlog_are_closed),
        cmocka_unit_test(accept_and_read_leave_messages_alone),
        cmocka_unit_test(clones_write_side_by_side),
        cmocka_unit_test(writer_is_alone_again),
        cmocka_unit_test(clones_of_the_dead_are_closed),
        cmocka_unit_test(all_held_clones_hear_of_the_readers_end),
        cmocka_unit_test(waits_end_when_their_time_has_passed),
        cmocka_unit_test(time_limits_on_both_sides_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
