/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/endpoint_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define NS_PER_MS 1000000u

/* --- bytes --- */

static ssize_t read_bytes(void *arg, void *into, size_t len) {
    struct endpoint_client *client = arg;
    size_t early_left = client->early_len - client->early_at;
    if (early_left > 0) {
        size_t n = len < early_left ? len : early_left;
        memcpy(into, client->early + client->early_at, n);
        client->early_at += n;
        return (ssize_t)n;
    }
    ssize_t got = recv(client->source.fd, into, len, MSG_DONTWAIT);
    if (got > 0) {
        client->heard_ns = clock_mono_ns();
        client->pinged = false;
        return got;
    }
    bool later = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return later ? 0 : -1;
}

static ssize_t write_bytes(void *arg, const void *from, size_t len) {
    struct endpoint_client *client = arg;
    ssize_t put = send(client->source.fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
        return put;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

/* --- commands --- */

static void send_error(struct endpoint_client *client, const char *message) {
    char *text = protocol_encode_error(message);
    if (text) {
        (void)websocket_send_text(client->websocket, text, strlen(text));
        rusm_free(text);
    }
}

static void run_command(struct endpoint_client *client, const struct protocol_command *command) {
    const struct node_driver *driver = &client->endpoint->config.driver;
    const char *problem;
    switch (command->kind) {
    case PROTOCOL_RUN:
        problem = driver->run(driver->arg, command->scenario);
        if (problem) {
            send_error(client, problem);
        }
        break;
    case PROTOCOL_STOP:
        driver->stop(driver->arg);
        break;
    case PROTOCOL_SET_OBSERVER_DETAIL:
        client->detail = command->detail;
        client->sort = command->sort;
        client->descending = command->descending;
        break;
    case PROTOCOL_SET_RESOURCE_PROFILE:
        driver->set_profile(driver->arg, command->profile);
        break;
    }
}

static void on_text(void *arg, const char *text, size_t len) {
    struct endpoint_client *client = arg;
    struct protocol_command command;
    char problem[PROTOCOL_PROBLEM_BYTES];
    if (protocol_decode(text, len, &command, problem)) {
        run_command(client, &command);
    } else {
        send_error(client, problem);
    }
}

/* --- life --- */

/* Give the connection back; libmicrohttpd closes the descriptor when it runs next. */
static void release_upgrade(struct node_endpoint *endpoint, int fd,
                            struct MHD_UpgradeResponseHandle *upgrade) {
    (void)epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    (void)shutdown(fd, SHUT_RDWR);
    (void)MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
    endpoint->http_wants_run = true;
}

static void client_free(struct endpoint_client *client) {
    release_upgrade(client->endpoint, client->source.fd, client->upgrade);
    list_remove(&client->node);
    websocket_destroy(client->websocket);
    rusm_free(client->early);
    rusm_free(client->newest);
    rusm_free(client);
}

static struct endpoint_client *client_create(struct node_endpoint *endpoint, int fd,
                                             const char *early, size_t early_len) {
    const struct websocket_io io = {.read = read_bytes, .write = write_bytes, .text = on_text};
    struct endpoint_client *client = rusm_zalloc(sizeof(*client));
    if (!client) {
        return NULL;
    }
    client->source = (struct endpoint_source){.kind = ENDPOINT_CLIENT, .fd = fd};
    client->endpoint = endpoint;
    client->heard_ns = clock_mono_ns();
    client->early = early_len > 0 ? rusm_alloc(early_len) : NULL;
    if ((early_len > 0 && !client->early) ||
        websocket_create(&io, client, NODE_MESSAGE_BYTES_MAX, &client->websocket) != RUSM_OK) {
        rusm_free(client->early);
        rusm_free(client);
        return NULL;
    }
    if (early_len > 0) {
        memcpy(client->early, early, early_len);
        client->early_len = early_len;
    }
    return client;
}

/* A bounded send buffer, so that a slow client is noticed, and small messages sent at once. */
static void set_options(int fd) {
    int bytes = NODE_SEND_BUFFER_BYTES;
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void client_start(struct node_endpoint *endpoint, int fd, const char *early, size_t early_len,
                  struct MHD_UpgradeResponseHandle *upgrade) {
    struct endpoint_client *client =
        endpoint->stopping ? NULL : client_create(endpoint, fd, early, early_len);
    if (!client) {
        release_upgrade(endpoint, fd, upgrade);
        return;
    }
    client->upgrade = upgrade;
    list_push_back(&endpoint->clients, &client->node);
    set_options(fd);
    client->events = EPOLLIN;
    struct epoll_event event = {.events = client->events, .data.ptr = &client->source};
    if (epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 ||
        !websocket_send_text(client->websocket, endpoint->hello, endpoint->hello_len)) {
        client_free(client);
        return;
    }
    (void)websocket_receive(client->websocket);
    endpoint_set_timers(endpoint);
    client_settle(client);
}

/* --- output --- */

void client_forget_frame(struct endpoint_client *client) {
    if (client->newest) {
        rusm_free(client->newest);
        client->newest = NULL;
        client->dropped_ticks++;
    }
}

/* At most one frame is with the codec; the newest waits here until that one has gone out. */
static void queue_newest(struct endpoint_client *client) {
    if (client->newest && websocket_queued(client->websocket) == 0) {
        (void)websocket_send_text(client->websocket, client->newest, client->newest_len);
        rusm_free(client->newest);
        client->newest = NULL;
    }
}

void client_send_frame(struct endpoint_client *client, char *frame, size_t len) {
    client_forget_frame(client);
    if (websocket_state(client->websocket) != WEBSOCKET_OPEN) {
        rusm_free(frame);
        return;
    }
    client->newest = frame;
    client->newest_len = len;
}

static void wait_for(struct endpoint_client *client, uint32_t events) {
    if (events != client->events) {
        struct epoll_event event = {.events = events, .data.ptr = &client->source};
        (void)epoll_ctl(client->endpoint->epoll_fd, EPOLL_CTL_MOD, client->source.fd, &event);
        client->events = events;
    }
}

void client_settle(struct endpoint_client *client) {
    struct websocket *websocket = client->websocket;
    queue_newest(client);
    enum websocket_state state = websocket_flush(websocket);
    if (client->newest && websocket_queued(websocket) == 0) {
        queue_newest(client);
        state = websocket_flush(websocket);
    }
    if (state == WEBSOCKET_CLOSED) {
        client_free(client);
        return;
    }
    if (state == WEBSOCKET_CLOSING) {
        if (client->close_deadline_ns == 0) {
            client->close_deadline_ns =
                clock_mono_ns() + (uint64_t)NODE_CLOSE_TIMEOUT_MS * NS_PER_MS;
        }
        if (!websocket_wants_write(websocket) && !client->wrote_close) {
            client->wrote_close = true;
            (void)shutdown(client->source.fd, SHUT_WR);
        }
    }
    wait_for(client, (websocket_wants_read(websocket) ? (uint32_t)EPOLLIN : 0u) |
                         (websocket_wants_write(websocket) ? (uint32_t)EPOLLOUT : 0u));
}

void client_ready(struct endpoint_client *client) {
    struct node_endpoint *endpoint = client->endpoint;
    (void)websocket_flush(client->websocket);
    (void)websocket_receive(client->websocket);
    client_settle(client);
    endpoint_set_timers(endpoint);
}

/* --- time --- */

static void care_for(struct endpoint_client *client, uint64_t now_ns) {
    uint64_t silent_ns = now_ns > client->heard_ns ? now_ns - client->heard_ns : 0;
    bool overdue = client->close_deadline_ns != 0 && now_ns >= client->close_deadline_ns;
    if (overdue || silent_ns >= (uint64_t)NODE_SILENCE_MAX_MS * NS_PER_MS) {
        client_free(client);
        return;
    }
    if (!client->pinged && silent_ns >= (uint64_t)NODE_PING_AFTER_MS * NS_PER_MS) {
        client->pinged = true;
        websocket_ping(client->websocket);
        client_settle(client);
    }
}

void client_care(struct node_endpoint *endpoint, uint64_t now_ns) {
    struct list *next;
    for (struct list *at = endpoint->clients.next; at != &endpoint->clients; at = next) {
        next = at->next;
        care_for(LIST_ENTRY(at, struct endpoint_client, node), now_ns);
    }
}

void client_close_all(struct node_endpoint *endpoint) {
    struct list *next;
    for (struct list *at = endpoint->clients.next; at != &endpoint->clients; at = next) {
        next = at->next;
        struct endpoint_client *client = LIST_ENTRY(at, struct endpoint_client, node);
        websocket_close(client->websocket, WEBSOCKET_CLOSE_GOING_AWAY, "the node stops");
        client_settle(client);
    }
}

void client_drop_all(struct node_endpoint *endpoint) {
    while (!list_is_empty(&endpoint->clients)) {
        client_free(LIST_ENTRY(endpoint->clients.next, struct endpoint_client, node));
    }
}
