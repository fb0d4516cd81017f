/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Byte streams: writers, readers, closes and deaths against each other, under every schedule. */
#include "explore_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CHUNKS        3u
#define CHUNKS_CLONES 2u /* of each of two writers */

/* What a run leaves behind; zeroed before each by its program. */
struct world {
    rusm_runtime *rt;
    rusm_pid reader;
    rusm_pid writer;
    struct rusm_stream_opts opts;
    uint32_t chunks; /* that each writer writes */
    uint32_t read;
    uint32_t written;
    uint32_t next[2]; /* of each writer */
    enum rusm_err read_err;
    enum rusm_err write_err;
    uint32_t ended;
    bool wrong;
};

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct world *w = arg;
    (void)pid;
    (void)reason;
    w->ended++;
}

static void spawn(struct world *w, rusm_fiber_fn fn, rusm_pid *out) {
    struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = w};
    w->wrong |= rusm_spawn(w->rt, fn, w, &opts, out) != RUSM_OK;
}

/* Reader and writer, each on a scheduler of its own. */
static void start(rusm_runtime *rt, struct world *w, uint32_t chunks_max, rusm_fiber_fn reader,
                  rusm_fiber_fn writer) {
    *w = (struct world){.rt = rt, .opts = {.chunks_max = chunks_max}, .chunks = CHUNKS};
    spawn(w, reader, &w->reader);
    spawn(w, writer, &w->writer);
}

static bool at_rest(const struct world *w, const struct sim_result *result, uint32_t processes) {
    return !w->wrong && !result->stuck && result->process_count == 0 && w->ended == processes;
}

static rusm_buf *numbered(struct world *w, uint32_t writer, uint32_t number) {
    rusm_buf *chunk = NULL;
    w->wrong |= rusm_buf_create(2 * sizeof(uint32_t), &chunk) != RUSM_OK;
    uint32_t *data = rusm_buf_data(chunk);
    data[0] = writer;
    data[1] = number;
    return chunk;
}

/* Numbers of each writer come in order. */
static void check(struct world *w, rusm_buf *chunk) {
    const uint32_t *data = rusm_buf_data(chunk);
    w->wrong |= data[1] != w->next[data[0]]++;
    w->read++;
    rusm_buf_release(chunk);
}

static void write_as(struct world *w, rusm_stream_writer *writer, uint32_t who) {
    for (uint32_t i = 0; i < w->chunks && w->write_err == RUSM_OK; i++) {
        w->write_err = rusm_stream_write(writer, numbered(w, who, i));
        w->written += w->write_err == RUSM_OK;
    }
}

static rusm_stream_writer *open_stream(struct world *w) {
    rusm_stream_writer *writer = NULL;
    w->write_err = rusm_stream_open(w->reader, &w->opts, &writer);
    return writer;
}

static void write_all(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_stream(w);
    if (writer) {
        write_as(w, writer, 0);
    }
}

static void write_all_and_close(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_stream(w);
    write_as(w, writer, 0);
    rusm_stream_close(writer);
}

static void read_all(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = NULL;
    rusm_buf *chunk = NULL;
    w->read_err = rusm_stream_accept(RUSM_FOREVER, &reader);
    while (w->read_err == RUSM_OK) {
        w->read_err = rusm_stream_read(reader, RUSM_FOREVER, &chunk);
        if (w->read_err == RUSM_OK) {
            check(w, chunk);
        }
    }
}

static bool all_passed(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->read == CHUNKS && w->write_err == RUSM_OK &&
           w->read_err == RUSM_ERR_STREAM_END;
}

/* ---- writer and reader ---- */

static void narrow(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_all, write_all);
}

static void wide(rusm_runtime *rt, void *arg) {
    start(rt, arg, 8, read_all, write_all_and_close);
}

static void between(rusm_runtime *rt, void *arg) {
    start(rt, arg, 2, read_all, write_all_and_close);
}

static void chunks_and_end_arrive(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("ring of one", narrow, all_passed, &w));
    assert_true(explore_passes("ring of two", between, all_passed, &w));
    assert_true(explore_passes("ring with room", wide, all_passed, &w));
}

/* ---- time limits ---- */

static void read_with_limits(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = NULL;
    rusm_buf *chunk = NULL;
    w->read_err = rusm_stream_accept(RUSM_FOREVER, &reader);
    while (w->read_err == RUSM_OK || w->read_err == RUSM_ERR_TIMEOUT) {
        w->read_err = rusm_stream_read(reader, 1, &chunk);
        if (w->read_err == RUSM_OK) {
            check(w, chunk);
        }
    }
}

static void slow_reader(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_with_limits, write_all);
}

static void write_with_limits(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_stream(w);
    for (uint32_t i = 0; i < 2; i++) {
        rusm_buf *chunk = numbered(w, 0, i);
        do {
            w->write_err = rusm_stream_write_timeout(writer, chunk, 1);
        } while (w->write_err == RUSM_ERR_TIMEOUT);
        w->written++;
    }
}

static void slow_writer(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_all, write_with_limits);
}

static bool two_passed(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->read == 2 && w->write_err == RUSM_OK &&
           w->read_err == RUSM_ERR_STREAM_END;
}

static void nothing_is_lost_at_time_limits(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("reader's time limit", slow_reader, all_passed, &w));
    assert_true(explore_passes("writer's time limit", slow_writer, two_passed, &w));
}

/* ---- closes and deaths ---- */

static void read_one_and_close(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = NULL;
    rusm_buf *chunk = NULL;
    w->wrong |= rusm_stream_accept(RUSM_FOREVER, &reader) != RUSM_OK;
    w->wrong |= rusm_stream_read(reader, RUSM_FOREVER, &chunk) != RUSM_OK;
    check(w, chunk);
    rusm_stream_reader_close(reader);
    /* The writer's HOLD may reach a process that lives on without the reader. */
    (void)rusm_receive_timeout(3);
}

static void read_one_and_end(void *arg) {
    struct world *w = arg;
    rusm_stream_reader *reader = NULL;
    rusm_buf *chunk = NULL;
    w->wrong |= rusm_stream_accept(RUSM_FOREVER, &reader) != RUSM_OK;
    w->wrong |= rusm_stream_read(reader, RUSM_FOREVER, &chunk) != RUSM_OK;
    check(w, chunk);
}

static void end_at_once(void *arg) {
    (void)arg;
}

static void close_race(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_one_and_close, write_all);
}

static void end_race(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_one_and_end, write_all);
}

static void never_accepted(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, end_at_once, write_all);
}

static bool one_read(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 2) && w->read == 1 &&
           (w->write_err == RUSM_ERR_STREAM_CLOSED ||
            (w->write_err == RUSM_OK && w->written == CHUNKS));
}

static bool none_read(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    /* One fits; one more may be put at the moment of the close. */
    return at_rest(w, result, 2) && w->read == 0 && w->written <= 2 &&
           (w->write_err == RUSM_ERR_STREAM_CLOSED || w->write_err == RUSM_ERR_NOPROC);
}

static void writers_hear_of_the_readers_end(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("reader closes", close_race, one_read, &w));
    assert_true(explore_passes("reader ends", end_race, one_read, &w));
    assert_true(explore_passes("reader never accepts", never_accepted, none_read, &w));
}

static void kill_writer(void *arg) {
    struct world *w = arg;
    (void)rusm_kill(NULL, w->writer);
}

static void kill_reader(void *arg) {
    struct world *w = arg;
    (void)rusm_kill(NULL, w->reader);
}

/* Opened by the killer, so that the reader always has something to accept. */
static void write_as_clone(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = NULL;
    w->wrong |= rusm_stream_accept_writer(RUSM_FOREVER, &writer) != RUSM_OK;
    write_as(w, writer, 1);
}

static void open_and_kill_writer(void *arg) {
    struct world *w = arg;
    rusm_stream_writer *writer = open_stream(w);
    w->wrong |= rusm_stream_writer_clone(writer, w->writer) != RUSM_OK;
    rusm_stream_close(writer);
    kill_writer(w);
}

static void writer_killed(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    start(rt, w, 1, read_all, write_as_clone);
    spawn(w, open_and_kill_writer, NULL);
}

static bool reader_heard(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) && w->read_err == RUSM_ERR_STREAM_END && w->read <= CHUNKS &&
           w->read >= w->written;
}

static void reader_killed(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    start(rt, w, 1, read_all, write_all);
    spawn(w, kill_reader, NULL);
}

static bool writer_heard(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) &&
           (w->write_err == RUSM_ERR_STREAM_CLOSED || w->write_err == RUSM_ERR_NOPROC ||
            (w->write_err == RUSM_OK && w->written == CHUNKS));
}

static void killed_ends_are_closed(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("kill of the writer", writer_killed, reader_heard, &w));
    assert_true(explore_passes("kill of the reader", reader_killed, writer_heard, &w));
}

/* ---- clones ---- */

static void write_with_clone(void *arg) {
    struct world *w = arg;
    rusm_pid clone = {0};
    rusm_stream_writer *writer = open_stream(w);
    spawn(w, write_as_clone, &clone);
    w->wrong |= rusm_stream_writer_clone(writer, clone) != RUSM_OK;
    write_as(w, writer, 0);
}

static void clones_narrow(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_all, write_with_clone);
    ((struct world *)arg)->chunks = CHUNKS_CLONES;
}

static void clones_wide(rusm_runtime *rt, void *arg) {
    start(rt, arg, 2, read_all, write_with_clone);
    ((struct world *)arg)->chunks = CHUNKS_CLONES;
}

static bool both_passed(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) && w->read == 2 * CHUNKS_CLONES && w->write_err == RUSM_OK &&
           w->read_err == RUSM_ERR_STREAM_END;
}

static void two_clones_write(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("two clones, ring of one", clones_narrow, both_passed, &w));
    assert_true(explore_passes("two clones", clones_wide, both_passed, &w));
}

static void clones_and_death(rusm_runtime *rt, void *arg) {
    start(rt, arg, 1, read_one_and_end, write_with_clone);
    ((struct world *)arg)->chunks = CHUNKS_CLONES;
}

static bool three_ended(void *arg, const struct sim_result *result) {
    const struct world *w = arg;
    return at_rest(w, result, 3) && w->read == 1;
}

static void both_clones_hear_of_the_readers_end(void **state) {
    (void)state;
    struct world w;
    assert_true(explore_passes("two clones, reader ends", clones_and_death, three_ended, &w));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_and_end_arrive),
        cmocka_unit_test(nothing_is_lost_at_time_limits),
        cmocka_unit_test(writers_hear_of_the_readers_end),
        cmocka_unit_test(killed_ends_are_closed),
        cmocka_unit_test(two_clones_write),
        cmocka_unit_test(both_clones_hear_of_the_readers_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
