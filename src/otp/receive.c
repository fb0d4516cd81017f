/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Receiving, waiting with a time limit, putting messages aside. */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/otp.h"
#include "otp/runtime_internal.h"

/* Longest wait a timer is armed for; anything longer has no end. */
static bool is_finite(uint64_t timeout_ms) {
    return timeout_ms <= RUSM_TIMER_MS_MAX;
}

void process_release_current(struct sched *s, struct process *p) {
    struct signal *sig = p->current;
    if (sig) {
        p->current = NULL;
        mailbox_release(s, p, sig);
    }
}

void process_check_killed(struct sched *s, struct process *p) {
    if (__builtin_expect((p->flags & PROCESS_KILLED) &&
                             !(p->flags & (PROCESS_UNKILLABLE | PROCESS_EXITING)),
                         0)) {
        static const struct rusm_exit_reason killed = {RUSM_EXIT_KILLED, NULL, 0};
        struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
        bool by_signal = ext && ext->exit_signal;
        process_abandon(s, p, by_signal ? &ext->exit_signal->down.reason : &killed);
    }
}

void process_check_signals(struct sched *s, struct process *p) {
    mailbox_fetch(s, p);
    process_check_killed(s, p);
}

struct sched *process_wait(struct sched *s, struct process *p, enum rusm_process_wait why) {
    RUSM_ASSERT(!(p->flags & PROCESS_EXITING)); /* terminate must not suspend */
    RUSM_ASSERT(!p->foreign);                   /* nor what runs on a stack that is not ours */
    atomic_store_explicit(&p->wait, (uint8_t)why, memory_order_relaxed);
    s = sched_suspend(s, p, SUSPEND_WAIT);
    atomic_store_explicit(&p->wait, RUSM_WAIT_NONE, memory_order_relaxed);
    process_check_signals(s, p);
    return s;
}

void process_arm_timeout(struct sched *s, struct process *p, uint64_t timeout_ms) {
    RUSM_DASSERT(p->timer.v == 0);
    p->flags &= (uint8_t)~PROCESS_TIMED_OUT;
    p->wait_seq++;
    if (!is_finite(timeout_ms)) {
        return;
    }
    enum rusm_err err = timer_arm(s, process_pid(p), timeout_ms, 0, NULL, p->wait_seq, &p->timer);
    if (err != RUSM_OK) {
        /* Without a timer the wait might never end: the process ends instead. */
        static const char why[] = "no timer left for a wait (rusm_config.timers_max)";
        const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
        process_abandon(s, p, &reason);
    }
}

void process_disarm_timeout(struct sched *s, struct process *p) {
    if (p->timer.v != 0) {
        (void)timer_cancel(s, p->timer, NULL);
        p->timer.v = 0;
    }
    p->flags &= (uint8_t)~PROCESS_TIMED_OUT;
    /* A TIMEOUT that is already in the queue is of a past wait from now on. */
    p->wait_seq++;
}

static inline struct rusm_msg *hand_out(struct sched *s, struct process *p, struct signal **at) {
    struct signal *sig = mailbox_take(p, at);
    mailbox_consumed(s, p);
    p->current = sig;
    return &sig->msg;
}

struct rusm_msg *process_next_message(struct sched *s, struct process *p) {
    return hand_out(s, p, &p->head);
}

/* The oldest message at or behind `*at` that matches; NULL with `*at` at the end. */
static struct signal **scan(struct signal **at, rusm_match_fn match, void *arg) {
    while (*at && match && !match(arg, &(*at)->msg)) {
        at = &(*at)->next;
    }
    return at;
}

/* Start of every receive. */
static struct sched *begin(struct process **out) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    process_release_current(s, p);
    s = sched_spend(s, p, 1);
    *out = p;
    return s;
}

/* Where the oldest message is that `match` (NULL = any) accepts, once there is one; NULL when the
 * time has passed. */
static struct signal **await(struct sched **sched, struct process *p, rusm_match_fn match,
                             void *arg, uint64_t timeout_ms) {
    struct sched *s = *sched;
    struct signal **at = &p->head;
    bool armed = false;
    for (;;) {
        at = scan(at, match, arg);
        if (*at) {
            break;
        }
        if (mailbox_has_new(p)) {
            process_check_signals(s, p);
            continue;
        }
        if (timeout_ms == 0 || (armed && (p->flags & PROCESS_TIMED_OUT))) {
            break;
        }
        if (!armed) {
            process_arm_timeout(s, p, timeout_ms);
            armed = true;
        }
        s = process_wait(s, p, RUSM_WAIT_RECEIVE);
    }
    if (armed) {
        process_disarm_timeout(s, p);
    }
    *sched = s;
    return *at ? at : NULL;
}

static struct rusm_msg *receive_slow(struct sched *s, struct process *p, rusm_match_fn match,
                                     void *arg, uint64_t timeout_ms) {
    struct signal **at = await(&s, p, match, arg, timeout_ms);
    return at ? hand_out(s, p, at) : NULL;
}

/* flatten: see rusm_send. */
__attribute__((flatten)) struct rusm_msg *rusm_receive(void) {
    struct process *p;
    struct sched *s = begin(&p);
    if (!p->head && mailbox_has_new(p)) {
        process_check_signals(s, p);
    }
    while (!p->head) {
        s = process_wait(s, p, RUSM_WAIT_RECEIVE);
    }
    return hand_out(s, p, &p->head);
}

struct rusm_msg *rusm_receive_timeout(uint64_t timeout_ms) {
    struct process *p;
    struct sched *s = begin(&p);
    return receive_slow(s, p, NULL, NULL, timeout_ms);
}

struct rusm_msg *rusm_receive_match(rusm_match_fn match, void *arg, uint64_t timeout_ms) {
    RUSM_ASSERT(match);
    struct process *p;
    struct sched *s = begin(&p);
    return receive_slow(s, p, match, arg, timeout_ms);
}

struct rusm_msg *otp_await_match(rusm_match_fn match, void *arg, uint64_t timeout_ms) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && match);
    struct signal **at = await(&s, s->current, match, arg, timeout_ms);
    return at ? &(*at)->msg : NULL;
}

struct rusm_msg *otp_last_message(void) {
    const struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct signal *sig = s->current->current;
    return sig ? &sig->msg : NULL;
}

/* The process and its current message, which `msg` must be. */
static struct signal *own_message(struct process **out, struct rusm_msg *msg) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    RUSM_ASSERT(p->current && &p->current->msg == msg);
    *out = p;
    return p->current;
}

static void put_aside(struct process *p, struct process_ext *ext, struct signal *sig) {
    sig->next = NULL;
    *ext->stash_tail = sig;
    ext->stash_tail = &sig->next;
    /* It waits again: undo what hand_out counted, or count one that never came by the mailbox. */
    uint32_t consumed = atomic_load_explicit(&p->consumed, memory_order_relaxed);
    atomic_store_explicit(&p->consumed, consumed - 1, memory_order_relaxed);
}

static bool stash_current(struct sched *s, struct process *p) {
    struct process_ext *ext = process_ext_ensure(s, p);
    if (ext) {
        struct signal *sig = p->current;
        p->current = NULL;
        put_aside(p, ext, sig);
    }
    return ext;
}

void rusm_stash(struct rusm_msg *msg) {
    struct process *p;
    (void)own_message(&p, msg);
    if (!stash_current(sched_tls, p)) {
        static const char why[] = "no memory to put a message aside";
        const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
        process_abandon(sched_tls, p, &reason);
    }
}

enum rusm_err otp_stash_last(void) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    if (!s->current->current) {
        return RUSM_ERR_INVALID;
    }
    return stash_current(s, s->current) ? RUSM_OK : RUSM_ERR_NOMEM;
}

enum rusm_err otp_stash_copy(const void *data, uint32_t len) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    if (mailbox_depth(p) >= atomic_load_explicit(&p->bound, memory_order_relaxed)) {
        return RUSM_ERR_MAILBOX_FULL;
    }
    struct process_ext *ext = process_ext_ensure(s, p);
    struct signal *sig = ext ? signal_create_message(s, data, len) : NULL;
    if (!sig) {
        return RUSM_ERR_NOMEM;
    }
    put_aside(p, ext, sig);
    return RUSM_OK;
}

void rusm_unstash(void) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (!ext || !ext->stash_head) {
        return;
    }
    *ext->stash_tail = p->head;
    if (!p->head) {
        p->tail = ext->stash_tail;
    }
    p->head = ext->stash_head;
    ext->stash_head = NULL;
    ext->stash_tail = &ext->stash_head;
}

struct rusm_msg *rusm_msg_take(struct rusm_msg *msg) {
    struct process *p;
    struct signal *sig = own_message(&p, msg);
    struct sched *s = sched_tls;
    p->current = NULL;
    if (sig != p->seen) {
        return msg;
    }
    /* The cell is still the end of the mailbox's chain; a copy is the caller's. */
    struct signal *copy = signal_copy(s, sig);
    mailbox_release(s, p, sig);
    if (!copy) {
        static const char why[] = "no memory to take a message";
        const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
        process_abandon(s, p, &reason);
    }
    return &copy->msg;
}

void rusm_msg_free(struct rusm_msg *msg) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    signal_destroy(s, signal_of_msg(msg));
}
