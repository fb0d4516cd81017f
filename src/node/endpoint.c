/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/endpoint_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS       1000000u
#define NS_PER_SECOND   1000000000u
#define EVENTS_AT_ONCE  64
#define ACCEPTS_AT_ONCE 64u
#define BACKLOG         512
#define CARE_MS_MIN     20u
#define CARE_MS_MAX     1000u
#define STOP_GRACE_MS   250u
#define STOP_ROUND_MS   10

static const char busy_response[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                    "Content-Length: 0\r\nConnection: close\r\n\r\n";

static const char *const development_origins[] = {"http://localhost:5173", "http://127.0.0.1:5173",
                                                  NULL};

/* --- listening --- */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const char *host, uint16_t port, union any_address *out, socklen_t *len) {
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        *len = sizeof(out->v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        *len = sizeof(out->v6);
        return true;
    }
    return false;
}

/* Listen, and find out the port. Leaves a descriptor in endpoint->listener even on failure. */
static enum rusm_err listen_on(struct node_endpoint *endpoint) {
    union any_address address;
    socklen_t len;
    if (!parse_address(endpoint->config.host, endpoint->config.port, &address, &len)) {
        return RUSM_ERR_INVALID;
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    endpoint->listener = (struct endpoint_source){.kind = ENDPOINT_LISTENER, .fd = fd};
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, &address.any, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &address.any, &len) != 0) {
        return RUSM_ERR_SYSTEM;
    }
    endpoint->port =
        ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return RUSM_OK;
}

static void refuse_busy(int fd) {
    (void)send(fd, busy_response, sizeof(busy_response) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

static void watch(struct node_endpoint *endpoint, struct endpoint_source *source, int operation,
                  uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    int rc = epoll_ctl(endpoint->epoll_fd, operation, source->fd, &event);
    RUSM_ASSERT(rc == 0);
}

static void accept_all(struct node_endpoint *endpoint) {
    for (unsigned i = 0; i < ACCEPTS_AT_ONCE; i++) {
        union any_address address;
        socklen_t len = sizeof(address);
        int fd = accept4(endpoint->listener.fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (endpoint->connection_count < NODE_CONNECTIONS_MAX) {
                http_add(endpoint, fd, &address.any, len);
            } else {
                refuse_busy(fd);
            }
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* Nothing to accept with: look again when the care timer comes round. */
            watch(endpoint, &endpoint->listener, EPOLL_CTL_MOD, 0);
            endpoint->accepting = false;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* --- timers --- */

static void set_timer(int fd, uint64_t interval_ns) {
    const struct timespec interval = {.tv_sec = (time_t)(interval_ns / NS_PER_SECOND),
                                      .tv_nsec = (long)(interval_ns % NS_PER_SECOND)};
    const struct itimerspec spec = {.it_interval = interval, .it_value = interval};
    int rc = timerfd_settime(fd, 0, &spec, NULL);
    RUSM_ASSERT(rc == 0);
}

static uint64_t care_interval_ns(const struct node_endpoint *endpoint) {
    uint64_t ms = endpoint->config.handshake_timeout_ms / 4;
    ms = ms < CARE_MS_MIN ? CARE_MS_MIN : ms;
    return (ms > CARE_MS_MAX ? CARE_MS_MAX : ms) * NS_PER_MS;
}

void endpoint_set_timers(struct node_endpoint *endpoint) {
    const struct node_driver *driver = &endpoint->config.driver;
    bool ticking = !list_is_empty(&endpoint->clients) || driver->active(driver->arg);
    bool caring = endpoint->connection_count > 0 || !endpoint->accepting;
    if (ticking != endpoint->ticking) {
        endpoint->ticking = ticking;
        if (ticking) {
            /* Loads are those since now, not since somebody looked last. */
            struct observer_snapshot unused;
            observer_sample(&endpoint->observer, &unused);
        }
        set_timer(endpoint->tick_timer.fd,
                  ticking ? NS_PER_SECOND / endpoint->config.ticks_per_second : 0);
    }
    if (caring != endpoint->caring) {
        endpoint->caring = caring;
        set_timer(endpoint->care_timer.fd, caring ? care_interval_ns(endpoint) : 0);
    }
}

static void care(struct node_endpoint *endpoint) {
    uint64_t now_ns = clock_mono_ns();
    if (!endpoint->accepting && !endpoint->stopping) {
        endpoint->accepting = true;
        watch(endpoint, &endpoint->listener, EPOLL_CTL_MOD, EPOLLIN);
    }
    http_care(endpoint, now_ns);
    client_care(endpoint, now_ns);
}

/* --- the loop --- */

static bool timer_fired(const struct endpoint_source *timer) {
    uint64_t count;
    return read(timer->fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static void dispatch(struct node_endpoint *endpoint, struct endpoint_source *source) {
    switch (source->kind) {
    case ENDPOINT_LISTENER:
        accept_all(endpoint);
        break;
    case ENDPOINT_HTTP:
        endpoint->http_wants_run = true;
        break;
    case ENDPOINT_CLIENT:
        client_ready((struct endpoint_client *)(void *)source);
        break;
    case ENDPOINT_TICK_TIMER:
        if (timer_fired(source)) {
            tick_run(endpoint);
        }
        break;
    case ENDPOINT_CARE_TIMER:
        if (timer_fired(source)) {
            care(endpoint);
        }
        break;
    case ENDPOINT_STOP:
        break; /* the loop's condition sees it */
    }
}

/*
 * One round. The clients' events come first: a timer's may free other clients, whose events must
 * not be looked at after.
 */
static void run_round(struct node_endpoint *endpoint, int timeout_ms) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(endpoint->epoll_fd, events, EVENTS_AT_ONCE,
                           endpoint->http_wants_run ? 0 : timeout_ms);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
            struct endpoint_source *source = events[i].data.ptr;
            if (source && (pass == 1 || source->kind == ENDPOINT_CLIENT)) {
                events[i].data.ptr = NULL;
                dispatch(endpoint, source);
            }
        }
    }
    if (endpoint->http_wants_run) {
        http_run(endpoint);
    }
    endpoint_set_timers(endpoint);
}

/* Say good-bye, within the grace time, then let go of everything. */
static void run_stop(struct node_endpoint *endpoint) {
    endpoint->stopping = true;
    watch(endpoint, &endpoint->stopper, EPOLL_CTL_DEL, 0);
    watch(endpoint, &endpoint->listener, EPOLL_CTL_DEL, 0);
    client_close_all(endpoint);
    uint64_t deadline_ns = clock_mono_ns() + (uint64_t)STOP_GRACE_MS * NS_PER_MS;
    while (!list_is_empty(&endpoint->clients) && clock_mono_ns() < deadline_ns) {
        run_round(endpoint, STOP_ROUND_MS);
    }
    client_drop_all(endpoint);
    http_run(endpoint);
}

static void *run_thread(void *arg) {
    struct node_endpoint *endpoint = arg;
    /* Relaxed: the write to the eventfd orders the flag before the wake-up. */
    while (!atomic_load_explicit(&endpoint->stop_asked, memory_order_relaxed)) {
        run_round(endpoint, -1);
    }
    run_stop(endpoint);
    return NULL;
}

/* --- start and stop --- */

void node_endpoint_config_init(struct node_endpoint_config *config) {
    *config = (struct node_endpoint_config){
        .host = "127.0.0.1",
        .port = 4000,
        .ticks_per_second = NODE_TICKS_DEFAULT,
        .handshake_timeout_ms = NODE_HANDSHAKE_TIMEOUT_MS,
        .name = "rusm",
        .version = "",
        .commit = "",
    };
}

static bool is_config_valid(const struct node_endpoint_config *config) {
    size_t origins = 0;
    while (config->origins && config->origins[origins]) {
        origins++;
    }
    return config->ticks_per_second >= NODE_TICKS_MIN &&
           config->ticks_per_second <= NODE_TICKS_MAX && origins <= NODE_ORIGINS_MAX;
}

static void close_source(const struct endpoint_source *source) {
    if (source->fd >= 0) {
        (void)close(source->fd);
    }
}

static void endpoint_free(struct node_endpoint *endpoint) {
    tick_free(endpoint);
    http_stop(endpoint);
    close_source(&endpoint->listener);
    close_source(&endpoint->tick_timer);
    close_source(&endpoint->care_timer);
    close_source(&endpoint->stopper);
    if (endpoint->epoll_fd >= 0) {
        (void)close(endpoint->epoll_fd);
    }
    peers_free(endpoint->peers, endpoint->peer_count);
    rusm_free(endpoint->hello);
    rusm_free(endpoint);
}

static enum rusm_err open_descriptors(struct node_endpoint *endpoint) {
    const int timer_flags = TFD_NONBLOCK | TFD_CLOEXEC;
    endpoint->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    endpoint->stopper.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    endpoint->tick_timer.fd = timerfd_create(CLOCK_MONOTONIC, timer_flags);
    endpoint->care_timer.fd = timerfd_create(CLOCK_MONOTONIC, timer_flags);
    if (endpoint->epoll_fd < 0 || endpoint->stopper.fd < 0 || endpoint->tick_timer.fd < 0 ||
        endpoint->care_timer.fd < 0) {
        return RUSM_ERR_SYSTEM;
    }
    watch(endpoint, &endpoint->listener, EPOLL_CTL_ADD, EPOLLIN);
    watch(endpoint, &endpoint->http, EPOLL_CTL_ADD, EPOLLIN);
    watch(endpoint, &endpoint->stopper, EPOLL_CTL_ADD, EPOLLIN);
    watch(endpoint, &endpoint->tick_timer, EPOLL_CTL_ADD, EPOLLIN);
    watch(endpoint, &endpoint->care_timer, EPOLL_CTL_ADD, EPOLLIN);
    return RUSM_OK;
}

static uint64_t unix_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / NS_PER_MS;
}

static enum rusm_err make_hello(struct node_endpoint *endpoint) {
    const struct node_endpoint_config *config = &endpoint->config;
    struct rusm_runtime_info runtime;
    rusm_runtime_info(config->runtime, &runtime);
    node_machine_read(&endpoint->machine);
    if (config->peers_file) {
        endpoint->peer_count = peers_read(config->peers_file, endpoint->peers, NODE_PEERS_MAX);
    }
    const struct protocol_hello hello = {
        .scenarios = config->driver.scenarios,
        .scenario_count = config->driver.scenario_count,
        .schedulers = runtime.schedulers,
        .started_unix_ms = unix_ms(),
        .machine = &endpoint->machine,
        .name = config->name,
        .version = config->version,
        .commit = config->commit,
        .dirty = config->dirty,
        .ticks_per_second = config->ticks_per_second,
        .peers = endpoint->peers,
        .peer_count = endpoint->peer_count,
    };
    endpoint->hello = protocol_encode_hello(&hello);
    endpoint->hello_len = endpoint->hello ? strlen(endpoint->hello) : 0;
    return endpoint->hello ? RUSM_OK : RUSM_ERR_NOMEM;
}

/* Signals are for the program's other threads; a broken pipe is an error of the call. */
static int start_thread(struct node_endpoint *endpoint) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    int rc = pthread_sigmask(SIG_SETMASK, &all, &before);
    RUSM_ASSERT(rc == 0);
    int created = pthread_create(&endpoint->thread, NULL, run_thread, endpoint);
    rc = pthread_sigmask(SIG_SETMASK, &before, NULL);
    RUSM_ASSERT(rc == 0);
    if (created == 0) {
        (void)pthread_setname_np(endpoint->thread, "rusm-endpoint");
    }
    return created;
}

enum rusm_err node_endpoint_start(const struct node_endpoint_config *config,
                                  struct node_endpoint **out) {
    RUSM_ASSERT(config->runtime && config->driver.run && config->driver.stop);
    RUSM_ASSERT(config->driver.set_profile && config->driver.active && config->driver.tick);
    if (!is_config_valid(config)) {
        return RUSM_ERR_INVALID;
    }
    struct node_endpoint *endpoint = rusm_zalloc(sizeof(*endpoint));
    if (!endpoint) {
        return RUSM_ERR_NOMEM;
    }
    protocol_init();
    endpoint->config = *config;
    if (config->handshake_timeout_ms == 0) {
        endpoint->config.handshake_timeout_ms = NODE_HANDSHAKE_TIMEOUT_MS;
    }
    endpoint->origins = config->origins ? config->origins : development_origins;
    endpoint->started_ns = clock_mono_ns();
    endpoint->epoll_fd = -1;
    endpoint->listener.fd = -1;
    endpoint->tick_timer = (struct endpoint_source){.kind = ENDPOINT_TICK_TIMER, .fd = -1};
    endpoint->care_timer = (struct endpoint_source){.kind = ENDPOINT_CARE_TIMER, .fd = -1};
    endpoint->stopper = (struct endpoint_source){.kind = ENDPOINT_STOP, .fd = -1};
    endpoint->accepting = true;
    list_init(&endpoint->connections);
    list_init(&endpoint->clients);
    observer_init(&endpoint->observer, config->runtime);
    enum rusm_err err = listen_on(endpoint);
    err = err == RUSM_OK ? make_hello(endpoint) : err;
    err = err == RUSM_OK ? http_start(endpoint) : err;
    err = err == RUSM_OK ? open_descriptors(endpoint) : err;
    if (err == RUSM_OK && start_thread(endpoint) != 0) {
        err = RUSM_ERR_SYSTEM;
    }
    if (err != RUSM_OK) {
        int saved = errno;
        endpoint_free(endpoint);
        errno = saved;
        return err;
    }
    *out = endpoint;
    return RUSM_OK;
}

uint16_t node_endpoint_port(const struct node_endpoint *endpoint) {
    return endpoint->port;
}

uint64_t node_endpoint_ticks(const struct node_endpoint *endpoint) {
    return atomic_load_explicit(&endpoint->ticks, memory_order_relaxed);
}

void node_endpoint_stop(struct node_endpoint *endpoint) {
    if (!endpoint) {
        return;
    }
    const uint64_t one = 1;
    atomic_store_explicit(&endpoint->stop_asked, true, memory_order_relaxed);
    ssize_t written = write(endpoint->stopper.fd, &one, sizeof(one));
    RUSM_ASSERT(written == (ssize_t)sizeof(one));
    int rc = pthread_join(endpoint->thread, NULL);
    RUSM_ASSERT(rc == 0);
    endpoint_free(endpoint);
}
