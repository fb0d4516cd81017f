/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * streams_bench [SECONDS] [ROUNDS]: chunks of 4 KiB through byte streams, with one and with two
 * pipes at once, on two schedulers. `handed over`: the writer's chunks exist before; `filled`: each
 * is allocated, all its bytes are written, and the reader frees it. Prints the median of ROUNDS
 * windows of SECONDS, the slowest and fastest of them, and the processor time a chunk takes, which
 * tells more where other programs run beside. A pipe is two processes.
 *
 * streams_bench byte-streams [SECONDS] [--workers N] [--json]: one window with N pipes, filled, for
 * bench/peers.
 */
#include "base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <rusm/rusm.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEDULERS      2u
#define PIPES_MAX       64u
#define CHUNK_BYTES     4096u
#define CHUNKS_READY    128u /* a writer's own, in the mode `handed over` */
#define SECONDS_DEFAULT 0.5
#define ROUNDS_DEFAULT  7u
#define ROUNDS_MAX      101u

struct pipe {
    /* immutable while the processes run */
    alignas(64) bool fill;
    _Atomic bool *stop;
    rusm_pid reader;
    /* the reader */
    alignas(64) _Atomic uint64_t read;
    uint64_t sum; /* of a byte of each chunk, so that reading is not idle */
};

static void fail(const char *what, enum rusm_err err) {
    (void)fprintf(stderr, "streams_bench: %s: %s\n", what, rusm_err_text(err));
    abort();
}

static rusm_buf *new_chunk(void) {
    rusm_buf *chunk = NULL;
    enum rusm_err err = rusm_buf_create(CHUNK_BYTES, &chunk);
    if (err != RUSM_OK) {
        fail("allocate", err);
    }
    return chunk;
}

static void read_all(void *arg) {
    struct pipe *pipe = arg;
    rusm_stream_reader *reader;
    rusm_buf *chunk;
    if (rusm_stream_accept(RUSM_FOREVER, &reader) != RUSM_OK) {
        return;
    }
    uint64_t count = 0;
    while (rusm_stream_read(reader, RUSM_FOREVER, &chunk) == RUSM_OK) {
        pipe->sum += *(const unsigned char *)rusm_buf_data(chunk);
        rusm_buf_release(chunk);
        atomic_store_explicit(&pipe->read, ++count, memory_order_relaxed);
    }
}

static void write_ready(const struct pipe *pipe, rusm_stream_writer *writer) {
    rusm_buf *ready[CHUNKS_READY];
    for (uint32_t i = 0; i < CHUNKS_READY; i++) {
        ready[i] = new_chunk();
        memset(rusm_buf_data(ready[i]), 7, CHUNK_BYTES);
    }
    while (!atomic_load_explicit(pipe->stop, memory_order_relaxed)) {
        for (uint32_t i = 0; i < CHUNKS_READY; i++) {
            (void)rusm_stream_write(writer, rusm_buf_hold(ready[i]));
        }
    }
    for (uint32_t i = 0; i < CHUNKS_READY; i++) {
        rusm_buf_release(ready[i]);
    }
}

static void write_filled(const struct pipe *pipe, rusm_stream_writer *writer) {
    while (!atomic_load_explicit(pipe->stop, memory_order_relaxed)) {
        rusm_buf *chunk = new_chunk();
        memset(rusm_buf_data(chunk), 7, CHUNK_BYTES);
        (void)rusm_stream_write(writer, chunk);
    }
}

/* The writer; the reader is its child, and so at first on the same scheduler. */
static void write_all(void *arg) {
    struct pipe *pipe = arg;
    rusm_stream_writer *writer;
    enum rusm_err err = rusm_spawn(NULL, read_all, pipe, NULL, &pipe->reader);
    if (err == RUSM_OK) {
        err = rusm_stream_open(pipe->reader, NULL, &writer);
    }
    if (err != RUSM_OK) {
        fail("open", err);
    }
    if (pipe->fill) {
        write_filled(pipe, writer);
    } else {
        write_ready(pipe, writer);
    }
}

static void sleep_seconds(double seconds) {
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static uint64_t total_read(struct pipe *pipes, uint32_t count) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += atomic_load_explicit(&pipes[i].read, memory_order_relaxed);
    }
    return total;
}

/* Processor time of all threads. */
static uint64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Fill `rates`, chunks a second, one for each round; returns the processor time of a chunk. */
static double measure(uint32_t pipe_count, bool fill, double seconds, uint32_t rounds,
                      double *rates) {
    struct rusm_config config;
    rusm_runtime *rt;
    rusm_config_init(&config);
    config.schedulers = SCHEDULERS;
    enum rusm_err err = rusm_runtime_create(&config, &rt);
    if (err != RUSM_OK) {
        fail("start", err);
    }
    static struct pipe pipes[PIPES_MAX];
    _Atomic bool stop = false;
    for (uint32_t i = 0; i < pipe_count; i++) {
        pipes[i] = (struct pipe){.fill = fill, .stop = &stop};
        err = rusm_spawn(rt, write_all, &pipes[i], NULL, NULL);
        if (err != RUSM_OK) {
            fail("spawn", err);
        }
    }
    sleep_seconds(seconds / 2);
    uint64_t first_cpu_ns = cpu_ns();
    uint64_t first_read = total_read(pipes, pipe_count);
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t start_ns = clock_mono_ns();
        uint64_t before = total_read(pipes, pipe_count);
        sleep_seconds(seconds);
        uint64_t after = total_read(pipes, pipe_count);
        rates[round] = (double)(after - before) * 1e9 / (double)(clock_mono_ns() - start_ns);
    }
    double chunk_ns =
        (double)(cpu_ns() - first_cpu_ns) / (double)(total_read(pipes, pipe_count) - first_read);
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
    for (uint32_t i = 0; i < pipe_count; i++) {
        uint64_t read = atomic_load_explicit(&pipes[i].read, memory_order_relaxed);
        if (pipes[i].sum != read * 7) {
            (void)fprintf(stderr, "streams_bench: sum %" PRIu64 " of %" PRIu64 " chunks is wrong\n",
                          pipes[i].sum, read);
            abort();
        }
    }
    return chunk_ns;
}

/* ---- the table ---- */

static void print_row(uint32_t pipe_count, bool fill, double seconds, uint32_t rounds) {
    double rates[ROUNDS_MAX];
    double chunk_ns = measure(pipe_count, fill, seconds, rounds, rates);
    qsort(rates, rounds, sizeof rates[0], compare_numbers);
    double median = rates[rounds / 2];
    (void)printf(
        "%u pipe%s, %-11s  %7.2f M chunks/s  %6.1f GB/s  (%.2f to %.2f, n = %u)  %5.1f ns cpu\n",
        pipe_count, pipe_count == 1 ? " " : "s", fill ? "filled" : "handed over", median / 1e6,
        median * CHUNK_BYTES / 1e9, rates[0] / 1e6, rates[rounds - 1] / 1e6, rounds, chunk_ns);
}

static bool seconds_valid(double seconds) {
    return seconds > 0 && seconds < 60;
}

static bool table(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : SECONDS_DEFAULT;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;
    if (!seconds_valid(seconds) || rounds < 1 || rounds > ROUNDS_MAX || argc > 3) {
        return false;
    }
    (void)printf("chunks of %u bytes, %u schedulers, windows of %g s\n", CHUNK_BYTES, SCHEDULERS,
                 seconds);
    for (uint32_t pipe_count = 1; pipe_count <= 2; pipe_count++) {
        print_row(pipe_count, false, seconds, (uint32_t)rounds);
        print_row(pipe_count, true, seconds, (uint32_t)rounds);
    }
    return true;
}

/* ---- for bench/peers ---- */

static bool one_window(int argc, char **argv) {
    double seconds = SECONDS_DEFAULT;
    unsigned long pipes = 1;
    bool json = false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--workers") == 0) {
            pipes = i + 1 < argc ? strtoul(argv[++i], NULL, 10) : 0;
        } else {
            seconds = strtod(argv[i], NULL);
        }
    }
    if (!seconds_valid(seconds) || pipes < 1 || pipes > PIPES_MAX) {
        return false;
    }
    double rate;
    double chunk_ns = measure((uint32_t)pipes, true, seconds, 1, &rate);
    (void)printf(json ? "{\"schema\":1,\"scenario\":\"byte-streams\",\"workers\":%lu,\"metrics\":["
                        "{\"name\":\"ops_per_sec\",\"unit\":\"1/s\",\"value\":%.1f},"
                        "{\"name\":\"cpu_ns\",\"unit\":\"ns\",\"value\":%.1f}]}\n"
                      : "%lu pipes: %.1f chunks/s, %.1f ns cpu\n",
                 pipes, rate, chunk_ns);
    return true;
}

int main(int argc, char **argv) {
    bool compared = argc > 1 && strcmp(argv[1], "byte-streams") == 0;
    if (!(compared ? one_window(argc, argv) : table(argc, argv))) {
        (void)fprintf(
            stderr,
            "usage: streams_bench [SECONDS] [ROUNDS, at most %u]\n"
            "       streams_bench byte-streams [SECONDS] [--workers N, at most %u] [--json]\n",
            ROUNDS_MAX, PIPES_MAX);
        return 2;
    }
    return 0;
}
