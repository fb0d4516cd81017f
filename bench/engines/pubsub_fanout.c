/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Pub/sub fan-out: W publishers, each with a group of 8 subscribers; the second shape is one
 * publisher with 1,000. One operation is one delivery, of 16 bytes to a subscriber that is a
 * server. A publisher stays at most ROUNDS_AHEAD rounds before a subscriber; it looks at another
 * one after each round. One delivery in SAMPLE_EVERY (of the 1,000, one each round at most) is
 * timed, from just before the publish until a subscriber chosen at random has it.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/random.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define GROUP_SIZE      8u
#define WIDE_GROUP_SIZE 1000u
#define ROUNDS_AHEAD    4u
#define SAMPLE_EVERY    64u

struct subscriber {
    alignas(64) struct topic *topic; /* immutable */
    uint32_t number;                 /* immutable */
    counter received;                /* the subscriber's */
};

struct topic {
    /* Immutable after start. */
    alignas(64) struct fanout *fanout;
    char name[32];
    struct subscriber *subscribers; /* of fanout->subscribers */
    /* Written by the subscriber that is timed; the publisher times one after the other. */
    struct histogram *latency; /* owned */
    alignas(64) atomic_bool timing;
    _Atomic uint32_t ready; /* subscribers that have joined */
};

struct fanout {
    struct engine_config config;
    uint32_t topic_count;
    uint32_t group_size;
    struct topic *topics;           /* owned */
    struct subscriber *subscribers; /* owned, group_size for each topic */
    atomic_bool stopping;
    _Atomic uint32_t alive; /* publishers and subscribers */
};

struct event {
    uint64_t published_ticks; /* 0: not timed */
    uint64_t timed;           /* the subscriber that is to say when it has come */
};

/* --- inside --- */

static enum rusm_err subscriber_init(void *state, void *arg) {
    struct subscriber *subscriber = arg;
    memcpy(state, &subscriber, sizeof(subscriber));
    enum rusm_err err = rusm_group_join(subscriber->topic->name, rusm_self());
    if (err == RUSM_OK) {
        atomic_fetch_add_explicit(&subscriber->topic->ready, 1, memory_order_release);
    }
    return err;
}

static void record(struct topic *topic, uint64_t published_ticks) {
    histogram_record(topic->latency, clock_ticks_to_ns(clock_ticks() - published_ticks));
    /* Release: the next that is timed sees these counts (start_timing). */
    atomic_store_explicit(&topic->timing, false, memory_order_release);
}

static void subscriber_message(void *state, struct rusm_msg *msg) {
    struct subscriber *subscriber;
    const struct event *event = msg->data;
    memcpy(&subscriber, state, sizeof(subscriber));
    if (event->published_ticks != 0 && event->timed == subscriber->number) {
        record(subscriber->topic, event->published_ticks);
    }
    counter_add(&subscriber->received, 1);
}

static const struct rusm_server subscriber_server = {
    .state_bytes = sizeof(struct subscriber *),
    .init = subscriber_init,
    .message = subscriber_message,
};

static void on_player_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct fanout *fanout = arg;
    /* Release: pairs with fanout_stopped. */
    atomic_fetch_sub_explicit(&fanout->alive, 1, memory_order_release);
}

static bool is_stopping(const struct fanout *fanout) {
    return atomic_load_explicit(&fanout->stopping, memory_order_relaxed);
}

/* Start the subscribers, linked, and wait until all have joined; false when that cannot be. */
static bool gather(struct topic *topic) {
    struct fanout *fanout = topic->fanout;
    const struct rusm_spawn_opts opts = {
        .label = "pubsub subscriber", .on_exit = on_player_exit, .on_exit_arg = fanout};
    for (uint32_t i = 0; i < fanout->group_size; i++) {
        atomic_fetch_add_explicit(&fanout->alive, 1, memory_order_relaxed);
        if (rusm_spawn_server_link(&subscriber_server, &topic->subscribers[i], &opts, NULL) !=
            RUSM_OK) {
            atomic_fetch_sub_explicit(&fanout->alive, 1, memory_order_relaxed);
            return false;
        }
    }
    while (atomic_load_explicit(&topic->ready, memory_order_acquire) < fanout->group_size) {
        if (is_stopping(fanout)) {
            return false;
        }
        rusm_yield();
    }
    return true;
}

/* Whether a delivery may be timed now: the one before has been. */
static bool start_timing(struct topic *topic) {
    if (atomic_load_explicit(&topic->timing, memory_order_acquire)) {
        return false;
    }
    atomic_store_explicit(&topic->timing, true, memory_order_relaxed);
    return true;
}

/* Wait until a subscriber is not too many rounds behind. */
static void wait_for(const struct topic *topic, uint64_t round) {
    const struct subscriber *watched = &topic->subscribers[round % topic->fanout->group_size];
    while (round > counter_get(&watched->received) + ROUNDS_AHEAD && !is_stopping(topic->fanout)) {
        rusm_yield();
    }
}

static void publish_rounds(struct topic *topic, rusm_group *group) {
    const struct fanout *fanout = topic->fanout;
    struct random random = {rusm_self().v};
    uint32_t size = fanout->group_size;
    uint64_t every = size < SAMPLE_EVERY ? SAMPLE_EVERY / size : 1;
    size_t delivered = size;
    for (uint64_t round = 0; delivered == size && !is_stopping(fanout); round++) {
        struct event event = {0, 0};
        if (round % every == 0 && start_timing(topic)) {
            event.timed = random_below(&random, size);
            event.published_ticks = clock_ticks();
        }
        if (rusm_group_publish(group, &event, sizeof(event), &delivered) != RUSM_OK) {
            return;
        }
        wait_for(topic, round + 1);
    }
}

static void publisher_body(void *arg) {
    /* The subscribers are linked: they end with it. */
    static const struct rusm_exit_reason shutdown = {.kind = RUSM_EXIT_SHUTDOWN};
    struct topic *topic = arg;
    rusm_group *group;
    if (gather(topic) && rusm_group_open(NULL, topic->name, &group) == RUSM_OK) {
        publish_rounds(topic, group);
        rusm_group_close(group);
    }
    rusm_exit(&shutdown);
}

/* --- outside --- */

static bool fanout_stopped(void *run) {
    struct fanout *fanout = run;
    return atomic_load_explicit(&fanout->alive, memory_order_acquire) == 0;
}

static void fanout_free(struct fanout *fanout) {
    for (uint32_t i = 0; fanout->topics && i < fanout->topic_count; i++) {
        histogram_destroy(fanout->topics[i].latency);
    }
    rusm_free(fanout->topics);
    rusm_free(fanout->subscribers);
    rusm_free(fanout);
}

static void fanout_destroy(void *run) {
    RUSM_ASSERT(fanout_stopped(run));
    fanout_free(run);
}

static bool init_topic(struct fanout *fanout, uint32_t number) {
    struct topic *topic = &fanout->topics[number];
    topic->fanout = fanout;
    topic->subscribers = &fanout->subscribers[(size_t)number * fanout->group_size];
    (void)snprintf(topic->name, sizeof(topic->name), "pubsub-%u-%u", fanout->group_size, number);
    for (uint32_t i = 0; i < fanout->group_size; i++) {
        topic->subscribers[i].topic = topic;
        topic->subscribers[i].number = i;
    }
    topic->latency = histogram_create();
    return topic->latency != NULL;
}

static struct fanout *fanout_create(const struct engine_config *config, uint32_t topic_count,
                                    uint32_t group_size) {
    struct fanout *fanout = rusm_zalloc(sizeof(*fanout));
    if (!fanout) {
        return NULL;
    }
    fanout->config = *config;
    fanout->topic_count = topic_count;
    fanout->group_size = group_size;
    size_t subscribers = (size_t)topic_count * group_size;
    fanout->topics = rusm_zalloc_aligned(alignof(struct topic), topic_count * sizeof(struct topic));
    fanout->subscribers =
        rusm_zalloc_aligned(alignof(struct subscriber), subscribers * sizeof(struct subscriber));
    bool done = fanout->topics && fanout->subscribers;
    for (uint32_t i = 0; i < topic_count && done; i++) {
        done = init_topic(fanout, i);
    }
    if (!done) {
        fanout_free(fanout);
        return NULL;
    }
    return fanout;
}

static void fanout_stop(void *run) {
    struct fanout *fanout = run;
    atomic_store_explicit(&fanout->stopping, true, memory_order_relaxed);
}

static enum rusm_err start_with(const struct engine_config *config, uint32_t topic_count,
                                uint32_t group_size, void **out) {
    struct fanout *fanout = fanout_create(config, topic_count, group_size);
    if (!fanout) {
        return RUSM_ERR_NOMEM;
    }
    const struct rusm_spawn_opts opts = {
        .label = "pubsub publisher", .on_exit = on_player_exit, .on_exit_arg = fanout};
    for (uint32_t i = 0; i < topic_count; i++) {
        atomic_fetch_add_explicit(&fanout->alive, 1, memory_order_relaxed);
        enum rusm_err err =
            rusm_spawn(config->runtime, publisher_body, &fanout->topics[i], &opts, NULL);
        if (err != RUSM_OK) {
            atomic_fetch_sub_explicit(&fanout->alive, 1, memory_order_relaxed);
            fanout_stop(fanout);
            while (!fanout_stopped(fanout)) {
            }
            fanout_free(fanout);
            return err;
        }
    }
    *out = fanout;
    return RUSM_OK;
}

static enum rusm_err fanout_start(const struct engine_config *config, void **out) {
    RUSM_ASSERT(config->workers > 0);
    return start_with(config, config->workers, GROUP_SIZE, out);
}

static enum rusm_err wide_start(const struct engine_config *config, void **out) {
    return start_with(config, 1, WIDE_GROUP_SIZE, out);
}

static uint64_t fanout_ops(void *run) {
    const struct fanout *fanout = run;
    uint64_t received = 0;
    for (uint32_t i = 0; i < fanout->topic_count * fanout->group_size; i++) {
        received += counter_get(&fanout->subscribers[i].received);
    }
    return received;
}

static void fanout_latency(void *run, uint32_t which, struct histogram *into) {
    (void)which;
    const struct fanout *fanout = run;
    for (uint32_t i = 0; i < fanout->topic_count; i++) {
        histogram_add(into, fanout->topics[i].latency);
    }
}

static const struct engine wide = {
    .id = "pubsub-fanout",
    .latencies = {"publish to delivery", NULL},
    .start = wide_start,
    .ops = fanout_ops,
    .latency = fanout_latency,
    .stop = fanout_stop,
    .stopped = fanout_stopped,
    .destroy = fanout_destroy,
};

const struct engine engine_pubsub_fanout = {
    .id = "pubsub-fanout",
    .latencies = {"publish to delivery", NULL},
    .start = fanout_start,
    .ops = fanout_ops,
    .latency = fanout_latency,
    .stop = fanout_stop,
    .stopped = fanout_stopped,
    .destroy = fanout_destroy,
    .second = &wide,
    .second_metric = "wide_ops_per_sec",
};
