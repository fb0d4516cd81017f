/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Ping-pong: W pairs of processes, one message in flight in each. Ping sends its own pid, 8 bytes;
 * pong answers with an empty message. One operation is one message delivered: a round trip is two.
 * One round trip in SAMPLE_EVERY is timed. Each pair counts for itself.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#define SAMPLE_EVERY 64u

struct pair {
    /* Immutable after start. */
    alignas(64) struct match *match;
    struct histogram *round_trip; /* owned; written by ping */
    /* Ping. */
    alignas(64) counter delivered;
};

struct match {
    struct engine_config config;
    struct pair *pairs; /* owned, config.workers of them */
    atomic_bool stopping;
    _Atomic uint32_t alive; /* pings and pongs */
};

/* --- inside --- */

static void pong_body(void *arg) {
    (void)arg;
    for (;;) {
        const struct rusm_msg *message = rusm_receive();
        rusm_pid ping;
        memcpy(&ping, message->data, sizeof(ping));
        if (rusm_send(ping, NULL, 0) != RUSM_OK) {
            return;
        }
    }
}

static void on_player_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct match *match = arg;
    /* Release: pairs with match_stopped. */
    atomic_fetch_sub_explicit(&match->alive, 1, memory_order_release);
}

/* One message there and one back; false if pong is gone. */
static bool round_trip(rusm_pid self, rusm_pid pong) {
    if (rusm_send(pong, &self, sizeof(self)) != RUSM_OK) {
        return false;
    }
    (void)rusm_receive();
    return true;
}

static void play(struct pair *pair, rusm_pid pong) {
    const struct match *match = pair->match;
    rusm_pid self = rusm_self();
    while (!atomic_load_explicit(&match->stopping, memory_order_relaxed)) {
        uint64_t start_ticks = clock_ticks();
        if (!round_trip(self, pong)) {
            return;
        }
        histogram_record(pair->round_trip, clock_ticks_to_ns(clock_ticks() - start_ticks));
        counter_add(&pair->delivered, 2);
        for (uint32_t i = 1; i < SAMPLE_EVERY; i++) {
            if (!round_trip(self, pong)) {
                return;
            }
            counter_add(&pair->delivered, 2);
        }
    }
}

static void ping_body(void *arg) {
    struct pair *pair = arg;
    struct match *match = pair->match;
    const struct rusm_spawn_opts opts = {
        .label = "ping-pong pong", .on_exit = on_player_exit, .on_exit_arg = match};
    rusm_pid pong;
    atomic_fetch_add_explicit(&match->alive, 1, memory_order_relaxed);
    if (rusm_spawn(NULL, pong_body, NULL, &opts, &pong) != RUSM_OK) {
        atomic_fetch_sub_explicit(&match->alive, 1, memory_order_relaxed);
        return;
    }
    play(pair, pong);
    (void)rusm_kill(NULL, pong);
}

/* --- outside --- */

static bool match_stopped(void *run) {
    struct match *match = run;
    return atomic_load_explicit(&match->alive, memory_order_acquire) == 0;
}

static void match_free(struct match *match) {
    for (uint32_t i = 0; match->pairs && i < match->config.workers; i++) {
        histogram_destroy(match->pairs[i].round_trip);
    }
    rusm_free(match->pairs);
    rusm_free(match);
}

static void match_destroy(void *run) {
    RUSM_ASSERT(match_stopped(run));
    match_free(run);
}

static struct match *match_create(const struct engine_config *config) {
    struct match *match = rusm_zalloc(sizeof(*match));
    if (!match) {
        return NULL;
    }
    match->config = *config;
    match->pairs = rusm_zalloc_aligned(alignof(struct pair), config->workers * sizeof(struct pair));
    if (!match->pairs) {
        match_free(match);
        return NULL;
    }
    for (uint32_t i = 0; i < config->workers; i++) {
        match->pairs[i].match = match;
        match->pairs[i].round_trip = histogram_create();
        if (!match->pairs[i].round_trip) {
            match_free(match);
            return NULL;
        }
    }
    return match;
}

static void match_stop(void *run) {
    struct match *match = run;
    atomic_store_explicit(&match->stopping, true, memory_order_relaxed);
}

static enum rusm_err match_start(const struct engine_config *config, void **out) {
    RUSM_ASSERT(config->workers > 0);
    struct match *match = match_create(config);
    if (!match) {
        return RUSM_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < config->workers; i++) {
        const struct rusm_spawn_opts opts = {
            .label = "ping-pong ping", .on_exit = on_player_exit, .on_exit_arg = match};
        atomic_fetch_add_explicit(&match->alive, 1, memory_order_relaxed);
        enum rusm_err err = rusm_spawn(config->runtime, ping_body, &match->pairs[i], &opts, NULL);
        if (err != RUSM_OK) {
            atomic_fetch_sub_explicit(&match->alive, 1, memory_order_relaxed);
            match_stop(match);
            while (!match_stopped(match)) {
            }
            match_free(match);
            return err;
        }
    }
    *out = match;
    return RUSM_OK;
}

static uint64_t match_ops(void *run) {
    const struct match *match = run;
    uint64_t delivered = 0;
    for (uint32_t i = 0; i < match->config.workers; i++) {
        delivered += counter_get(&match->pairs[i].delivered);
    }
    return delivered;
}

static void match_latency(void *run, uint32_t which, struct histogram *into) {
    (void)which;
    const struct match *match = run;
    for (uint32_t i = 0; i < match->config.workers; i++) {
        histogram_add(into, match->pairs[i].round_trip);
    }
}

const struct engine engine_ping_pong = {
    .id = "ping-pong",
    .latencies = {"round trip", NULL},
    .start = match_start,
    .ops = match_ops,
    .latency = match_latency,
    .stop = match_stop,
    .stopped = match_stopped,
    .destroy = match_destroy,
};
