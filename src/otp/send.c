/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Sending: create a cell, push it, wake the receiver, hold the sender if need be. */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"

static bool is_news_of_end(uint8_t kind) {
    return kind == SIGNAL_EXIT || kind == SIGNAL_DOWN;
}

/* Who hears of an end takes its turn in the queue: where many end at a time, it then hears of many
 * in one run, instead of being switched to for each. */
static void wake(struct rusm_runtime *rt, struct sched *s, struct process *p, uint8_t kind) {
    if (s && __builtin_expect(!is_news_of_end(kind), 1)) {
        sched_wake(s, p);
        return;
    }
    atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_relaxed);
    if (s) {
        runq_push(s, p);
        return;
    }
    sched_inbox_push(&rt->scheds[atomic_load_explicit(&p->sched, memory_order_relaxed)], p);
}

static __attribute__((noinline, cold)) enum rusm_err refused(struct sched *s, struct signal *sig,
                                                             enum push_result result) {
    if (result == PUSH_FULL && s) {
        counter_add(&s->counters.shed, 1);
    }
    signal_destroy(s, sig);
    return result == PUSH_FULL ? RUSM_ERR_MAILBOX_FULL : RUSM_ERR_NOPROC;
}

/* `sender` may be held; `*held` then says that it must suspend. */
static inline enum rusm_err deliver(struct rusm_runtime *rt, struct sched *s, rusm_pid to,
                                    struct signal *sig, const struct process *sender, bool *held) {
    struct process *p = pid_is_valid(to) ? ptab_slot(rt, pid_index(to)) : NULL;
    if (__builtin_expect(!p, 0)) {
        return refused(s, sig, PUSH_NOPROC);
    }
    SIM_EVENT(s, SIM_EV_PUSH, (uint64_t)pid_index(to) << 8 | sig->kind);
    enum push_result result = mailbox_push(p, to, sig, sender);
    switch (result) {
    case PUSH_HOLD_WAKE:
        RUSM_ASSERT(held); /* it goes with a sender */
        *held = true;
        wake(rt, s, p, sig->kind);
        break;
    case PUSH_WAKE:
        wake(rt, s, p, sig->kind);
        break;
    case PUSH_HOLD:
        RUSM_ASSERT(held);
        *held = true;
        break;
    case PUSH_OK:
        break;
    case PUSH_NOPROC:
    case PUSH_FULL:
        return refused(s, sig, result);
    }
    return RUSM_OK;
}

enum rusm_err signal_deliver(struct rusm_runtime *rt, struct sched *s, rusm_pid to,
                             struct signal *sig) {
    return deliver(rt, s, to, sig, NULL, NULL);
}

/* The receiver's mailbox is over its bound: suspend until it says that there is room, or remember
 * to do so where it is allowed. */
__attribute__((noinline, cold)) void process_wait_for_room(struct sched *s, struct process *p,
                                                           rusm_pid to) {
    if (p->foreign) {
        struct process_ext *ext = process_ext_ensure(s, p);
        if (ext) {
            ext->held_by = to;
        }
        return;
    }
    struct signal *sig = signal_create(s, SIGNAL_HOLD);
    if (!sig) {
        return;
    }
    sig->from = process_pid(p);
    p->flags &= (uint8_t)~PROCESS_RESUMED;
    if (deliver(s->rt, s, to, sig, NULL, NULL) != RUSM_OK) {
        return; /* it has ended: there is nobody to wait for */
    }
    while (!(p->flags & PROCESS_RESUMED)) {
        s = process_wait(s, p, RUSM_WAIT_HELD);
    }
}

enum rusm_err process_send(struct sched *s, struct process *p, rusm_pid to, struct signal *sig) {
    bool held = false;
    enum rusm_err err = deliver(s->rt, s, to, sig, p, &held);
    if (__builtin_expect(err == RUSM_OK, 1)) {
        counter_add(&s->counters.messages, 1);
    }
    if (__builtin_expect(held, 0)) {
        process_wait_for_room(s, p, to);
        return RUSM_OK;
    }
    (void)sched_spend(s, p, 1);
    return err;
}

/* flatten: the whole path inlined but for what is marked cold, a fifth faster. */
__attribute__((flatten)) enum rusm_err rusm_send(rusm_pid to, const void *data, size_t len) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    if (__builtin_expect(len > s->rt->config.message_bytes_max, 0)) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    struct signal *sig = signal_create_message(s, data, (uint32_t)len);
    if (__builtin_expect(!sig, 0)) {
        return RUSM_ERR_NOMEM;
    }
    return process_send(s, s->current, to, sig);
}

enum rusm_err rusm_send_buf(rusm_pid to, rusm_buf *buf) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && buf);
    size_t len = rusm_buf_len(buf);
    enum rusm_err err = RUSM_ERR_MESSAGE_TOO_LARGE;
    if (len <= s->rt->config.message_bytes_max) {
        struct signal *sig = signal_create(s, SIGNAL_MESSAGE);
        if (sig) {
            sig->storage = STORAGE_BUF;
            sig->data = rusm_buf_data(buf);
            sig->len = (uint32_t)len;
            sig->buf = buf;
            return process_send(s, s->current, to, sig);
        }
        err = RUSM_ERR_NOMEM;
    }
    rusm_buf_release(buf);
    return err;
}

enum rusm_err rusm_post(rusm_runtime *runtime, rusm_pid to, const void *data, size_t len) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt);
    if (len > rt->config.message_bytes_max) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    struct sched *s = sched_tls && sched_tls->rt == rt ? sched_tls : NULL;
    struct signal *sig = signal_create_message(s, data, (uint32_t)len);
    if (!sig) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = deliver(rt, s, to, sig, NULL, NULL);
    if (err == RUSM_OK) {
        if (s) {
            counter_add(&s->counters.messages, 1);
        } else {
            atomic_fetch_add_explicit(&rt->outside_messages, 1, memory_order_relaxed);
        }
    }
    return err;
}
