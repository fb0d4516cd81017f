/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The parts of the endpoint: endpoint.c (life, loop, timers, accept), endpoint_http.c (requests,
 * by libmicrohttpd), endpoint_client.c (WebSocket clients), endpoint_tick.c (frames),
 * static_files.c (the page's files).
 *
 * One epoll set holds the listening socket, libmicrohttpd's own epoll descriptor, the descriptors
 * of the WebSocket clients, two timers and the descriptor that stop() writes to. A connection
 * belongs to libmicrohttpd until it is upgraded; from then on libmicrohttpd only counts it and
 * closes its descriptor at the end.
 *
 * All functions here are called on the endpoint's thread, except where it says otherwise.
 */
#ifndef NODE_ENDPOINT_INTERNAL_H
#define NODE_ENDPOINT_INTERNAL_H

#include "base/list.h"
#include "net/net.h"
#include "node/protocol_internal.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#define ENDPOINT_VIEWS_MAX (OBSERVER_KEY_COUNT * 2u)

/* What an event of the epoll set is about; the first member of what its data points to. */
enum endpoint_source_kind {
    ENDPOINT_LISTENER,
    ENDPOINT_HTTP,
    ENDPOINT_CLIENT,
    ENDPOINT_TICK_TIMER,
    ENDPOINT_CARE_TIMER,
    ENDPOINT_STOP,
};

struct endpoint_source {
    enum endpoint_source_kind kind;
    int fd; /* owned, but for HTTP and CLIENT: libmicrohttpd's */
};

/* A connection in the hands of libmicrohttpd. */
struct endpoint_connection {
    struct list node; /* in endpoint->connections */
    int fd;           /* borrowed from libmicrohttpd while the connection lives */
    bool upgraded;    /* the client has its own times */
    uint64_t deadline_ns;
};

struct endpoint_client {
    struct endpoint_source source;
    struct list node; /* in endpoint->clients */
    struct node_endpoint *endpoint;
    struct MHD_UpgradeResponseHandle *upgrade;
    struct websocket *websocket; /* owned */
    char *early;                 /* owned: bytes that came with the request; NULL = none left */
    size_t early_len;
    size_t early_at;
    uint32_t events; /* of the epoll set, now */
    char *newest;    /* owned: the frame that waits for room, NULL = none */
    size_t newest_len;
    uint64_t dropped_ticks;
    bool detail;
    enum observer_key sort;
    bool descending;
    bool pinged;      /* since it was heard last */
    bool wrote_close; /* our half of the connection is shut down */
    uint64_t heard_ns;
    uint64_t close_deadline_ns; /* 0 = open */
};

struct node_endpoint {
    /* Immutable after start. */
    struct node_endpoint_config config;
    const char *const *origins;
    struct node_machine machine;
    struct node_peer peers[NODE_PEERS_MAX];
    uint32_t peer_count;
    uint64_t started_ns;
    uint16_t port;
    char *hello; /* owned; the same for every client */
    size_t hello_len;
    pthread_t thread;

    /* The endpoint's thread. */
    int epoll_fd;
    struct endpoint_source listener;
    struct endpoint_source http;
    struct endpoint_source tick_timer;
    struct endpoint_source care_timer;
    struct endpoint_source stopper;
    struct MHD_Daemon *daemon;
    struct list connections;
    struct list clients;
    uint32_t connection_count; /* HTTP and WebSocket */
    bool http_wants_run;
    bool accepting;
    bool ticking;
    bool caring;
    bool stopping;
    struct observer observer;
    struct observer_view *views;         /* owned, ENDPOINT_VIEWS_MAX; NULL until one is wanted */
    char *row_texts[ENDPOINT_VIEWS_MAX]; /* owned; of the latest walk */
    uint64_t next_walk_ns;

    /* Any thread. */
    atomic_bool stop_asked;
    _Atomic uint64_t ticks;
};

/* --- endpoint.c --- */

/* Start or stop the timers, by who is there. */
void endpoint_set_timers(struct node_endpoint *endpoint);

/* --- endpoint_http.c --- */

/* Any thread that starts or stops the endpoint. Errors: NOMEM. */
enum rusm_err http_start(struct node_endpoint *endpoint);
void http_stop(struct node_endpoint *endpoint);

/* Hand an accepted socket, moved, to libmicrohttpd. */
void http_add(struct node_endpoint *endpoint, int fd, const struct sockaddr *address,
              socklen_t address_len);

/* Let libmicrohttpd work until it has nothing at hand. */
void http_run(struct node_endpoint *endpoint);

/* Shut down connections whose request or response takes too long. */
void http_care(struct node_endpoint *endpoint, uint64_t now_ns);

/*
 * Whether a page from `origin` may open a WebSocket here. True for no origin (not a browser), those
 * listed, and the page's own: the same as `host`, the Host header, if that names this machine by
 * address or as localhost. A name is not enough, because any site can make its name resolve to a
 * loopback address. Any thread.
 */
bool http_origin_allowed(const char *origin, const char *host, const char *const *origins);

/* --- endpoint_client.c --- */

/* Take over an upgraded connection. On failure it is closed. */
void client_start(struct node_endpoint *endpoint, int fd, const char *early, size_t early_len,
                  struct MHD_UpgradeResponseHandle *upgrade);

/* The descriptor is ready for something. May free the client. */
void client_ready(struct endpoint_client *client);

/* Make room for a frame: forget one that still waits, and count it. */
void client_forget_frame(struct endpoint_client *client);
/* Send a frame, moved, now or as soon as the one before has gone out. */
void client_send_frame(struct endpoint_client *client, char *frame, size_t len);

/* Write what can be written, then wait for the right events or free the client. */
void client_settle(struct endpoint_client *client);

/* Ping the silent, give up the dead. May free clients. */
void client_care(struct node_endpoint *endpoint, uint64_t now_ns);

/* Tell all clients that the node stops. May free clients. */
void client_close_all(struct node_endpoint *endpoint);
/* Free all clients at once. */
void client_drop_all(struct node_endpoint *endpoint);

/* --- endpoint_tick.c --- */

/* Sample the driver and the runtime, send frames. */
void tick_run(struct node_endpoint *endpoint);
void tick_free(struct node_endpoint *endpoint);

/* --- static_files.c: any thread --- */

/* Whether the path of a request, which starts with '/', may name a file: segments of letters,
 * digits, '.', '_' and '-', none empty or starting with '.'. */
bool static_path_allowed(const char *path);
/* By the ending of the name; application/octet-stream if unknown. */
const char *static_content_type(const char *path);
/* A name with a hash before its ending ("index-8f3k2a9d.js") never changes its content. */
bool static_is_hashed(const char *path);
/* Open a regular file below `directory`; -1 if there is none. `bytes` gets its size. */
int static_open(const char *directory, const char *path, uint64_t *bytes);

#endif
