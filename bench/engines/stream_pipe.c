/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Stream pipe: W pairs of guests (bench/guests/stream_producer.wat, stream_consumer.wat); the
 * producer writes chunks of 4 KiB to a stream of default depth, the consumer reads them. One
 * operation is one byte read. Latency is from before a chunk's write until it has been read, for
 * one chunk in 64, measured by the guests themselves and reported to a native process of the pair.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "engines/guest_run.h"
#include <string.h>

#define CHUNK_BYTES 4096u

static const char *const guests[] = {engine_source_stream_producer_wat,
                                     engine_source_stream_consumer_wat};
enum { PRODUCER, CONSUMER };

struct pipes {
    struct guest_run run;
    struct histogram **latency; /* owned, one a pair; written by its collector */
};

/* --- inside --- */

static void collector_body(void *arg) {
    struct histogram *latency = arg;
    for (;;) {
        const struct rusm_msg *report = rusm_receive();
        int64_t late_ns;
        if (report->len == sizeof late_ns) {
            memcpy(&late_ns, report->data, sizeof late_ns);
            histogram_record(latency, late_ns > 0 ? (uint64_t)late_ns : 0);
        }
    }
}

static void begin(struct guest_run *run) {
    struct pipes *pipes = (struct pipes *)(void *)run;
    for (uint32_t i = 0; i < run->config.workers && !guest_run_is_stopping(run); i++) {
        rusm_pid collector =
            guest_run_spawn_fiber(run, collector_body, pipes->latency[i], "stream collector");
        rusm_pid consumer = guest_run_spawn(run, CONSUMER, "stream consumer");
        rusm_pid producer = guest_run_spawn(run, PRODUCER, "stream producer");
        (void)rusm_send(consumer, &collector, sizeof collector);
        (void)rusm_send(producer, &consumer, sizeof consumer);
    }
    guest_run_stay();
}

/* --- outside --- */

static void pipes_free(struct pipes *pipes, uint32_t workers) {
    for (uint32_t i = 0; pipes->latency && i < workers; i++) {
        histogram_destroy(pipes->latency[i]);
    }
    rusm_free(pipes->latency);
    rusm_free(pipes);
}

static struct pipes *pipes_create(uint32_t workers) {
    struct pipes *pipes = rusm_zalloc(sizeof *pipes);
    if (!pipes) {
        return NULL;
    }
    pipes->latency = rusm_zalloc(workers * sizeof(struct histogram *));
    bool complete = pipes->latency != NULL;
    for (uint32_t i = 0; complete && i < workers; i++) {
        pipes->latency[i] = histogram_create();
        complete = pipes->latency[i] != NULL;
    }
    if (!complete) {
        pipes_free(pipes, workers);
        return NULL;
    }
    return pipes;
}

static enum rusm_err pipes_start(const struct engine_config *config, void **out) {
    struct pipes *pipes = pipes_create(config->workers);
    if (!pipes) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = guest_run_start(&pipes->run, config, guests, 2, begin);
    if (err != RUSM_OK) {
        pipes_free(pipes, config->workers);
        return err;
    }
    *out = pipes;
    return RUSM_OK;
}

static uint64_t pipes_ops(void *run) {
    struct pipes *pipes = run;
    return guest_run_notifies(&pipes->run) * CHUNK_BYTES;
}

static void pipes_latency(void *run, uint32_t which, struct histogram *into) {
    const struct pipes *pipes = run;
    (void)which;
    for (uint32_t i = 0; i < pipes->run.config.workers; i++) {
        histogram_add(into, pipes->latency[i]);
    }
}

static void pipes_stop(void *run) {
    struct pipes *pipes = run;
    guest_run_stop(&pipes->run);
}

static bool pipes_stopped(void *run) {
    struct pipes *pipes = run;
    return guest_run_stopped(&pipes->run);
}

static void pipes_destroy(void *run) {
    struct pipes *pipes = run;
    guest_run_deinit(&pipes->run);
    pipes_free(pipes, pipes->run.config.workers);
}

const struct engine engine_stream_pipe = {
    .id = "stream-pipe",
    .latencies = {"chunk write to read", NULL},
    .start = pipes_start,
    .ops = pipes_ops,
    .latency = pipes_latency,
    .problem = guest_run_problem,
    .stop = pipes_stop,
    .stopped = pipes_stopped,
    .destroy = pipes_destroy,
};
