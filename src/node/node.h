/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A node as seen from outside: how much of the machine it may take (profiles), what it is doing
 * (observer), and the endpoint that shows both to the dashboard.
 *
 * Model. The endpoint is one thread of its own, outside the runtime, so that it answers while every
 * scheduler is busy. It serves the dashboard's files and GET /health over HTTP/1.1 and, at /ws, a
 * WebSocket that carries one JSON object a message. Every tick it asks the driver for the state of
 * the run, takes a snapshot of the runtime, and sends each client a frame. A client that reads too
 * slowly gets the newest frame and is told how many it missed. With no client and no run there is
 * no timer at all. What runs is not the node's business: it comes through struct node_driver.
 *
 * Thread rules: node_endpoint_start and _stop from one thread that is not a scheduler's; all calls
 * of the driver come from the endpoint's thread; the rest from any thread.
 * Ownership: strings and arrays reached from a config or driver are borrowed until
 * node_endpoint_stop returns.
 * Not here: TLS, authentication (listen on a loopback address), HTTP/2, engines, storage.
 * See docs/design/node.md.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <rusm/introspect.h>
#include <rusm/wasm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- profiles --- */

enum node_profile { NODE_PROFILE_LIGHT, NODE_PROFILE_BALANCED, NODE_PROFILE_MAX };
#define NODE_PROFILE_COUNT 3u

/* Live processes a scenario may hold for each core: a safety net, not an operating point. */
#define NODE_PROCESSES_PER_CORE 5000u

struct node_profile_info {
    const char *id; /* "light", "balanced", "max" */
    const char *label;
    const char *description;
};

/* Static. Asserted: `profile` is one of the three. */
const struct node_profile_info *node_profile_info(enum node_profile profile);
/* False if `id` names no profile; `out` is then untouched. */
bool node_profile_parse(const char *id, enum node_profile *out);
/* Workers of a scenario on `cores` cores: a quarter, two fifths or half of them, at least 1. */
uint32_t node_profile_workers(enum node_profile profile, uint32_t cores);
/* The live population cap on `cores` cores. */
uint32_t node_population_cap(uint32_t cores);

/* --- the machine --- */

struct node_machine {
    char cpu[128];  /* model name, "" if unknown */
    uint32_t cores; /* that this process may run on */
    uint64_t memory_bytes;
    char kernel[160]; /* name and release */
};

/* Read it from the system. Costs some file reads. */
void node_machine_read(struct node_machine *out);

/* --- scenarios and the run, as the driver tells them --- */

enum node_unit { NODE_UNIT_COUNT, NODE_UNIT_BYTES };

/* All strings are UTF-8. */
struct node_scenario {
    const char *id;
    const char *label;
    const char *description;
    const char *const *details; /* ended by NULL; may be NULL */
    uint32_t real_after_phase;
    bool real; /* an engine exists */
    enum node_unit unit;
    const char *ops_label;
    const char *latency_label; /* NULL = the scenario has no latency */
    const char *source;        /* the engine's text, "" without one */
    const char *source_file;
};

struct node_latency {
    uint64_t count;
    uint64_t min_ns;
    uint64_t max_ns;
    uint64_t mean_ns;
    uint64_t p50_ns;
    uint64_t p95_ns;
    uint64_t p99_ns;
    uint64_t p999_ns;
};

struct node_metric {
    const char *name;
    const char *unit;
    double value;
};

#define NODE_METRICS_MAX   16u
#define NODE_WARNINGS_MAX  4u
#define NODE_WARNING_BYTES 160u
#define NODE_POINTS_MAX    120u /* rates of the recent ticks */

struct node_run {
    const char *scenario; /* id; NULL = none */
    bool running;
    bool warming_up;
    bool stalled;
    enum node_profile profile;
    uint64_t elapsed_ms;
    double ops_per_sec;
    uint64_t peak_concurrent;
    struct node_latency latency; /* of the last second */
    uint32_t point_count;
    double points[NODE_POINTS_MAX]; /* the oldest first */
    uint32_t metric_count;
    struct node_metric metrics[NODE_METRICS_MAX];
    uint32_t warning_count;
    char warnings[NODE_WARNINGS_MAX][NODE_WARNING_BYTES];
};

/*
 * What drives the node, given at start. Calls come from the endpoint's thread and must return
 * within a millisecond or so, for every client waits meanwhile.
 */
struct node_driver {
    void *arg;
    const struct node_scenario *scenarios;
    uint32_t scenario_count;
    enum node_profile profile; /* before any set_profile */
    /* Start `scenario`, instead of a running one. NULL, or why not (borrowed until the next call).
     */
    const char *(*run)(void *arg, const char *scenario);
    void (*stop)(void *arg);
    void (*set_profile)(void *arg, enum node_profile profile);
    /* True while ticks are needed although nobody looks. */
    bool (*active)(void *arg);
    /* Sample the run and tell its state. Called once a tick. */
    void (*tick)(void *arg, struct node_run *out);
    /* How the pool of WebAssembly guests is used; false while there is none. May be NULL. */
    bool (*wasm_info)(void *arg, struct rusm_wasm_info *out);
    void *wasm_arg;
    /* What a process is, by rusm_process_info.entry; NULL: all are native. */
    enum rusm_guest_kind (*guest_kind)(const void *entry);
};

/* --- a peer's stored result --- */

struct node_peer {
    char *scenario;
    char *peer;
    char *unit;
    char *date;
    char *machine;
    char *version;
    uint32_t workers;
    double ops_per_sec;
};

/* --- the endpoint --- */

#define NODE_CONNECTIONS_MAX      256u   /* HTTP and WebSocket; over it: 503 and closed */
#define NODE_MESSAGE_BYTES_MAX    65536u /* from a client; over it: closed with 1009 */
#define NODE_ROWS_MAX             64u    /* process rows in a frame */
#define NODE_HANDSHAKE_TIMEOUT_MS 10000u /* from connect, or the last response, to a request */
#define NODE_TRANSFER_TIMEOUT_MS  30000u /* from a request to its response's last byte */
#define NODE_PING_AFTER_MS        20000u /* of silence from a client */
#define NODE_SILENCE_MAX_MS       60000u /* after which a client is closed */
#define NODE_CLOSE_TIMEOUT_MS     2000u  /* for a client to answer a close */
#define NODE_SEND_BUFFER_BYTES    65536  /* of the kernel, for each client */
#define NODE_ORIGINS_MAX          16u
#define NODE_PEERS_MAX            256u /* lines read from the peers' file */
#define NODE_TICKS_DEFAULT        20u
#define NODE_TICKS_MIN            10u
#define NODE_TICKS_MAX            60u

struct node_endpoint_config {
    const char *host;              /* an IPv4 or IPv6 address, not a name */
    uint16_t port;                 /* 0 = any free one */
    uint32_t ticks_per_second;     /* NODE_TICKS_MIN..NODE_TICKS_MAX */
    uint32_t handshake_timeout_ms; /* 0 = NODE_HANDSHAKE_TIMEOUT_MS */
    const char *dashboard_dir;     /* NULL or absent: a page that says how to build it */
    const char *peers_file;        /* JSON lines; NULL or absent: no peers */
    const char *const *origins;    /* allowed besides the page's own; ended by NULL; NULL = the
                                      development server's, http://localhost:5173 and
                                      http://127.0.0.1:5173 */
    const char *name;              /* of the node */
    const char *version;
    const char *commit;
    bool dirty;
    rusm_runtime *runtime;     /* observed; must outlive the endpoint */
    struct node_driver driver; /* copied; what it points to is borrowed */
};

struct node_endpoint;

/* Fill in the defaults: 127.0.0.1, port 4000, 20 ticks, no dashboard. */
void node_endpoint_config_init(struct node_endpoint_config *config);

/*
 * Listen and start the thread; it answers when this returns. Errors: INVALID (host is no address,
 * ticks out of range, too many origins), NOMEM, SYSTEM (errno: EADDRINUSE if the port is taken).
 */
enum rusm_err node_endpoint_start(const struct node_endpoint_config *config,
                                  struct node_endpoint **out);

/* The port that it listens on. */
uint16_t node_endpoint_port(const struct node_endpoint *endpoint);

/* How many ticks it has made: stands still while nobody looks and nothing runs. Any thread. */
uint64_t node_endpoint_ticks(const struct node_endpoint *endpoint);

/* Close every connection (WebSockets with 1001, allowing a quarter of a second), end the thread,
 * free everything. Blocks. `endpoint` may be NULL. */
void node_endpoint_stop(struct node_endpoint *endpoint);

#endif
