/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Waiting on descriptors: each scheduler has an epoll set, an event becomes a signal. */
#include "base/assert.h"
#include "otp/runtime_internal.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 32

enum rusm_err io_init(struct sched *s) {
    s->wake_fd = -1;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll_fd < 0) {
        return RUSM_ERR_SYSTEM;
    }
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Edge-triggered: being woken needs no read, and the counter may run on. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0};
    if (s->wake_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->wake_fd, &event) != 0) {
        io_deinit(s);
        return RUSM_ERR_SYSTEM;
    }
    return RUSM_OK;
}

void io_deinit(struct sched *s) {
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    if (s->epoll_fd >= 0) {
        close(s->epoll_fd);
    }
    s->wake_fd = -1;
    s->epoll_fd = -1;
}

void io_poll(struct sched *s, int64_t wait_ms) {
    if (wait_ms == 0 && atomic_load_explicit(&s->fds_watched, memory_order_relaxed) == 0) {
        return;
    }
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(s->epoll_fd, events, EVENTS_AT_ONCE, (int)wait_ms);
    RUSM_ASSERT(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == 0) {
            continue; /* wake_fd */
        }
        struct signal *sig = signal_create(s, SIGNAL_IO);
        /* One-shot: the event would be lost. Without 64 bytes the node cannot go on. */
        RUSM_ASSERT(sig);
        (void)signal_deliver(s->rt, s, (rusm_pid){events[i].data.u64}, sig);
    }
}

void io_unwatch(struct sched *s, struct process *p) {
    struct sched *home = &s->rt->scheds[p->watching_sched];
    /* Fails if the descriptor was closed meanwhile, which took it out as well. */
    (void)epoll_ctl(home->epoll_fd, EPOLL_CTL_DEL, p->watched_fd, NULL);
    p->watched_fd = -1;
    atomic_fetch_sub_explicit(&home->fds_watched, 1, memory_order_relaxed);
}

static enum rusm_err watch(struct sched *s, struct process *p, int fd, struct epoll_event *event) {
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, event) != 0) {
        return RUSM_ERR_SYSTEM;
    }
    p->watched_fd = fd;
    p->watching_sched = (uint16_t)s->index;
    atomic_fetch_add_explicit(&s->fds_watched, 1, memory_order_relaxed);
    return RUSM_OK;
}

/* What `fd` is ready for now; 0 = nothing. */
static unsigned poll_now(int fd, unsigned events) {
    struct pollfd pfd = {.fd = fd};
    pfd.events = (short)((events & RUSM_FD_READABLE ? POLLIN : 0) |
                         (events & RUSM_FD_WRITABLE ? POLLOUT : 0));
    if (poll(&pfd, 1, 0) <= 0) {
        return 0;
    }
    if (pfd.revents & (POLLERR | POLLHUP | POLLNVAL)) {
        return RUSM_FD_READABLE | RUSM_FD_WRITABLE;
    }
    return (pfd.revents & POLLIN ? RUSM_FD_READABLE : 0u) |
           (pfd.revents & POLLOUT ? RUSM_FD_WRITABLE : 0u);
}

enum rusm_err rusm_wait_fd(int fd, unsigned events, uint64_t timeout_ms, unsigned *ready) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    if (events == 0 || (events & ~(RUSM_FD_READABLE | RUSM_FD_WRITABLE))) {
        return RUSM_ERR_INVALID;
    }
#ifdef RUSM_SIM
    return RUSM_ERR_UNSUPPORTED;
#endif
    struct epoll_event event = {.events = EPOLLONESHOT, .data.u64 = process_pid(p).v};
    event.events |= events & RUSM_FD_READABLE ? EPOLLIN | EPOLLRDHUP : 0u;
    event.events |= events & RUSM_FD_WRITABLE ? EPOLLOUT : 0u;
    p->flags &= (uint8_t)~PROCESS_IO_READY;
    enum rusm_err err = watch(s, p, fd, &event);
    if (err != RUSM_OK) {
        return err;
    }
    int epoll_fd = s->epoll_fd;
    process_arm_timeout(s, p, timeout_ms);
    unsigned found = 0;
    for (;;) {
        while (!(p->flags & (PROCESS_IO_READY | PROCESS_TIMED_OUT))) {
            s = process_wait(s, p, RUSM_WAIT_FD);
        }
        /* The event may be a late one of an earlier wait: ask, and arm again if it was. */
        found = poll_now(fd, events);
        if (found || (p->flags & PROCESS_TIMED_OUT)) {
            break;
        }
        p->flags &= (uint8_t)~PROCESS_IO_READY;
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
    }
    process_disarm_timeout(s, p);
    io_unwatch(s, p);
    if (!found) {
        return RUSM_ERR_TIMEOUT;
    }
    if (ready) {
        *ready = found;
    }
    return RUSM_OK;
}
