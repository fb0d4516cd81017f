/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/endpoint_internal.h"

#include "base/alloc.h"
#include "base/clock.h"

/* The walk over all processes takes at most one part in ten of the thread's time. */
#define WALK_PAUSE_FACTOR 9u

/* The parts that all frames of a tick share. */
struct tick {
    char *run;
    char *observer;
};

static uint32_t view_index(enum observer_key sort, bool descending) {
    return (uint32_t)sort * 2u + (descending ? 1u : 0u);
}

/* Which views any client wants; false if none. */
static bool wanted_views(struct node_endpoint *endpoint, bool wanted[ENDPOINT_VIEWS_MAX]) {
    bool any = false;
    for (struct list *at = endpoint->clients.next; at != &endpoint->clients; at = at->next) {
        const struct endpoint_client *client = LIST_ENTRY(at, struct endpoint_client, node);
        if (client->detail) {
            wanted[view_index(client->sort, client->descending)] = true;
            any = true;
        }
    }
    return any;
}

static void forget_rows(struct node_endpoint *endpoint) {
    for (uint32_t i = 0; i < ENDPOINT_VIEWS_MAX; i++) {
        rusm_free(endpoint->row_texts[i]);
        endpoint->row_texts[i] = NULL;
    }
}

/* Walk the process table for every view that somebody looks at, if it is time to. */
static void refresh_rows(struct node_endpoint *endpoint) {
    bool wanted[ENDPOINT_VIEWS_MAX] = {false};
    uint64_t start_ns = clock_mono_ns();
    if (!wanted_views(endpoint, wanted)) {
        forget_rows(endpoint);
        return;
    }
    if (start_ns < endpoint->next_walk_ns) {
        return;
    }
    if (!endpoint->views) {
        endpoint->views = rusm_zalloc(ENDPOINT_VIEWS_MAX * sizeof(*endpoint->views));
        if (!endpoint->views) {
            return;
        }
    }
    struct observer_view *views[ENDPOINT_VIEWS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ENDPOINT_VIEWS_MAX; i++) {
        if (wanted[i]) {
            endpoint->views[i].key = (enum observer_key)(i / 2u);
            endpoint->views[i].descending = i % 2u != 0;
            endpoint->views[i].guest_kind = endpoint->config.driver.guest_kind;
            views[count++] = &endpoint->views[i];
        }
    }
    observer_walk(endpoint->config.runtime, views, count);
    forget_rows(endpoint);
    for (uint32_t i = 0; i < ENDPOINT_VIEWS_MAX; i++) {
        if (wanted[i]) {
            endpoint->row_texts[i] = protocol_encode_rows(&endpoint->views[i]);
        }
    }
    uint64_t end_ns = clock_mono_ns();
    endpoint->next_walk_ns = end_ns + WALK_PAUSE_FACTOR * (end_ns - start_ns);
}

static void send_frame(struct endpoint_client *client, const struct tick *tick) {
    const char *rows = NULL;
    if (client->detail) {
        rows = client->endpoint->row_texts[view_index(client->sort, client->descending)];
        rows = rows ? rows : "[]";
    }
    client_forget_frame(client);
    size_t len;
    char *frame =
        protocol_encode_tick(tick->run, tick->observer, rows, client->dropped_ticks, &len);
    if (frame) {
        client_send_frame(client, frame, len);
        client_settle(client);
    } else {
        client->dropped_ticks++;
    }
}

static void send_frames(struct node_endpoint *endpoint, const struct node_run *run) {
    struct observer_snapshot snapshot;
    observer_sample(&endpoint->observer, &snapshot);
    const struct node_driver *driver = &endpoint->config.driver;
    if (driver->wasm_info) {
        (void)driver->wasm_info(driver->wasm_arg, &snapshot.wasm);
    }
    refresh_rows(endpoint);
    struct tick tick = {
        .run = protocol_encode_run(run, snapshot.uptime_ms),
        .observer = protocol_encode_observer(&snapshot),
    };
    struct list *next;
    for (struct list *at = endpoint->clients.next; at != &endpoint->clients; at = next) {
        next = at->next;
        if (tick.run && tick.observer) {
            send_frame(LIST_ENTRY(at, struct endpoint_client, node), &tick);
        }
    }
    rusm_free(tick.run);
    rusm_free(tick.observer);
}

void tick_run(struct node_endpoint *endpoint) {
    const struct node_driver *driver = &endpoint->config.driver;
    struct node_run run = {.profile = driver->profile};
    driver->tick(driver->arg, &run);
    if (!list_is_empty(&endpoint->clients)) {
        send_frames(endpoint, &run);
    }
    atomic_store_explicit(&endpoint->ticks,
                          atomic_load_explicit(&endpoint->ticks, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void tick_free(struct node_endpoint *endpoint) {
    forget_rows(endpoint);
    rusm_free(endpoint->views);
    endpoint->views = NULL;
}
