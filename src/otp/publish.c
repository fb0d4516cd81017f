/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Publishing to groups: what a send does, for every member, in batches. docs/design/groups.md. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/groups_internal.h"
#include "otp/mailbox_internal.h"
#include "otp/sim_internal.h"
#include <string.h>

/* Members between two looks at the reductions; those that have ended are taken out as often. */
#define BATCH 64u
/* How far ahead of its delivery a member's mailbox is fetched into the cache. */
#define AHEAD 4u

/* What every member gets. */
struct payload {
    enum signal_kind kind;
    uint32_t len;
    const void *data; /* copied into each cell; unused if `buf` */
    rusm_buf *buf;    /* shared; NULL = none. One reference, the caller's */
};

static inline struct signal *make_signal(struct sched *s, const struct payload *payload) {
    if (!payload->buf) {
        struct signal *sig = signal_create_message(s, payload->data, payload->len);
        if (sig) {
            sig->kind = (uint8_t)payload->kind;
        }
        return sig;
    }
    struct signal *sig = signal_create(s, payload->kind);
    if (sig) {
        sig->storage = STORAGE_BUF;
        sig->data = rusm_buf_data(payload->buf);
        sig->len = payload->len;
        sig->buf = rusm_buf_hold(payload->buf);
    }
    return sig;
}

/* Some members of an array, and what has become of them. */
struct batch {
    uint32_t count;
    uint32_t delivered;
    uint32_t shed;
    uint32_t woken_count;
    uint32_t dead_count;
    rusm_pid pids[BATCH];
    struct process *slots[BATCH];
    struct process *woken[BATCH]; /* in the order of the group */
    rusm_pid dead[BATCH];
};

/* The members between two indices. */
static inline void collect(struct rusm_runtime *rt, const struct members *members, uint32_t from,
                           uint32_t to, struct batch *batch) {
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++) {
        rusm_pid pid = {atomic_load_explicit(&members->pids[i], memory_order_relaxed)};
        batch->pids[count] = pid;
        batch->slots[count] = pid.v ? ptab_slot(rt, pid_index(pid)) : NULL;
        count += pid.v != 0;
    }
    batch->count = count;
    batch->delivered = batch->shed = batch->woken_count = batch->dead_count = 0;
}

static inline void deliver_one(struct sched *s, uint32_t at, struct signal *sig,
                               struct batch *batch) {
    struct process *p = batch->slots[at];
    SIM_EVENT(s, SIM_EV_PUSH, (uint64_t)pid_index(batch->pids[at]) << 8 | sig->kind);
    switch (mailbox_push(p, batch->pids[at], sig, NULL)) {
    case PUSH_WAKE:
        atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_relaxed);
        batch->woken[batch->woken_count++] = p;
        batch->delivered++;
        return;
    case PUSH_OK:
        batch->delivered++;
        return;
    case PUSH_NOPROC:
        batch->dead[batch->dead_count++] = batch->pids[at];
        break;
    case PUSH_FULL:
    case PUSH_HOLD: /* these two never: there is no sender to hold */
    case PUSH_HOLD_WAKE:
        batch->shed++;
        break;
    }
    signal_destroy(s, sig);
}

/* Those woken run in the order of the group: none displaces another, as with sched_wake. */
static inline void wake_all(struct rusm_runtime *rt, struct sched *s, const struct batch *batch) {
    if (__builtin_expect(s != NULL, 1)) {
        runq_push_many(s, batch->woken, batch->woken_count);
        return;
    }
    for (uint32_t i = 0; i < batch->woken_count; i++) {
        struct process *p = batch->woken[i];
        sched_inbox_push(&rt->scheds[atomic_load_explicit(&p->sched, memory_order_relaxed)], p);
    }
}

static inline void deliver_batch(struct rusm_runtime *rt, struct sched *s,
                                 const struct payload *payload, struct batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        if (i + AHEAD < batch->count) {
            __builtin_prefetch(batch->slots[i + AHEAD], 1);
        }
        struct signal *sig = make_signal(s, payload);
        if (__builtin_expect(!sig, 0)) {
            batch->shed++;
            continue;
        }
        if (s) {
            __builtin_prefetch(s->cells.free, 1);
        }
        deliver_one(s, i, sig, batch);
    }
    wake_all(rt, s, batch);
}

static void count_batch(struct rusm_runtime *rt, struct sched *s, const struct batch *batch,
                        bool messages) {
    if (!s) {
        if (messages) {
            atomic_fetch_add_explicit(&rt->outside_messages, batch->delivered,
                                      memory_order_relaxed);
        }
        return;
    }
    if (messages) {
        counter_add(&s->counters.messages, batch->delivered);
    }
    if (batch->shed > 0) {
        counter_add(&s->counters.shed, batch->shed);
    }
}

/* Deliver to all members; how many got it. The caller has a reference of the group. flatten: see
 * rusm_send. */
static __attribute__((flatten)) size_t fan_out(struct rusm_group *group,
                                               const struct payload *payload) {
    struct rusm_runtime *rt = group->rt;
    struct sched *s = own_sched(rt);
    struct process *p = s ? s->current : NULL;
    size_t delivered = 0;
    const struct members *members = group_reader_enter(group);
    uint32_t used = members ? atomic_load_explicit(&members->used, memory_order_acquire) : 0;
    for (uint32_t at = 0; at < used;) {
        uint32_t end = used - at > BATCH ? at + BATCH : used;
        struct batch batch = {0}; /* collect fills what is used; the analyzer cannot see it */
        collect(rt, members, at, end, &batch);
        deliver_batch(rt, s, payload, &batch);
        count_batch(rt, s, &batch, payload->kind == SIGNAL_MESSAGE);
        delivered += batch.delivered;
        if (__builtin_expect(batch.dead_count > 0, 0)) {
            group_remove_dead(group, batch.dead, batch.dead_count);
        }
        if (p) {
            s = sched_spend(s, p, (int32_t)(end - at));
        }
        at = end;
    }
    group_reader_leave(group);
    return delivered;
}

/*
 * A fiber may suspend in fan_out, where it holds references. A kill waits until it has given them
 * back: these two go around all that.
 */
static struct process *begin_uninterrupted(void) {
    struct process *p = sched_tls ? sched_tls->current : NULL;
    if (!p || atomic_load_explicit(&p->kind, memory_order_relaxed) != RUSM_KIND_FIBER) {
        return NULL;
    }
    p->flags |= PROCESS_UNKILLABLE;
    return p;
}

static void end_uninterrupted(struct process *p) {
    if (!p) {
        return;
    }
    p->flags &= (uint8_t)~PROCESS_UNKILLABLE;
    if (__builtin_expect(p->flags & PROCESS_KILLED, 0)) {
        process_check_signals(sched_current(), p);
    }
}

/* To a group of which the caller has a reference. Gives up one reference of `payload->buf`. */
static enum rusm_err publish(struct rusm_group *group, struct payload *payload, size_t *delivered) {
    size_t count = group ? fan_out(group, payload) : 0;
    if (payload->buf) {
        rusm_buf_release(payload->buf);
    }
    if (delivered) {
        *delivered = count;
    }
    return RUSM_OK;
}

/* A payload of bytes: in the cells if short, else in a buffer made here. */
static enum rusm_err payload_of_bytes(const struct rusm_runtime *rt, const void *data, size_t len,
                                      struct payload *out) {
    if (len > rt->config.message_bytes_max) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    *out = (struct payload){SIGNAL_MESSAGE, (uint32_t)len, data, NULL};
    if (len <= SIGNAL_INLINE_BYTES) {
        return RUSM_OK;
    }
    enum rusm_err err = rusm_buf_create(len, &out->buf);
    if (err == RUSM_OK) {
        memcpy(rusm_buf_data(out->buf), data, len);
    }
    return err;
}

static enum rusm_err payload_of_buf(const struct rusm_runtime *rt, rusm_buf *buf,
                                    struct payload *out) {
    size_t len = rusm_buf_len(buf);
    if (len > rt->config.message_bytes_max) {
        rusm_buf_release(buf);
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    *out = (struct payload){SIGNAL_MESSAGE, (uint32_t)len, NULL, buf};
    return RUSM_OK;
}

static enum rusm_err publish_to_name(struct rusm_runtime *rt, const char *name,
                                     struct payload *payload, size_t *delivered) {
    struct process *p = begin_uninterrupted();
    struct rusm_group *group;
    enum rusm_err err = group_open(rt->groups, name, false, &group);
    if (err == RUSM_OK) {
        err = publish(group, payload, delivered);
        if (group) {
            group_release(group);
        }
    } else if (payload->buf) {
        rusm_buf_release(payload->buf);
    }
    end_uninterrupted(p);
    return err;
}

enum rusm_err rusm_publish(const char *group, const void *data, size_t len, size_t *delivered) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group && (data || len == 0));
    struct payload payload;
    enum rusm_err err = payload_of_bytes(s->rt, data, len, &payload);
    return err == RUSM_OK ? publish_to_name(s->rt, group, &payload, delivered) : err;
}

enum rusm_err rusm_publish_buf(const char *group, rusm_buf *buf, size_t *delivered) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && group && buf);
    struct payload payload;
    enum rusm_err err = payload_of_buf(s->rt, buf, &payload);
    return err == RUSM_OK ? publish_to_name(s->rt, group, &payload, delivered) : err;
}

enum rusm_err rusm_group_open(rusm_runtime *runtime, const char *name, rusm_group **out) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && name && out);
    struct rusm_group *group;
    enum rusm_err err = group_open(rt->groups, name, true, &group);
    if (err == RUSM_OK) {
        *out = group;
    }
    return err;
}

void rusm_group_close(rusm_group *group) {
    RUSM_ASSERT(group);
    group_release(group);
}

static enum rusm_err publish_to_handle(struct rusm_group *group, struct payload *payload,
                                       size_t *delivered) {
    struct process *p = begin_uninterrupted();
    enum rusm_err err = publish(group, payload, delivered);
    end_uninterrupted(p);
    return err;
}

enum rusm_err rusm_group_publish(rusm_group *group, const void *data, size_t len,
                                 size_t *delivered) {
    RUSM_ASSERT(group && (data || len == 0));
    struct payload payload;
    enum rusm_err err = payload_of_bytes(group->rt, data, len, &payload);
    return err == RUSM_OK ? publish_to_handle(group, &payload, delivered) : err;
}

enum rusm_err rusm_group_publish_buf(rusm_group *group, rusm_buf *buf, size_t *delivered) {
    RUSM_ASSERT(group && buf);
    struct payload payload;
    enum rusm_err err = payload_of_buf(group->rt, buf, &payload);
    return err == RUSM_OK ? publish_to_handle(group, &payload, delivered) : err;
}

size_t rusm_group_kill(rusm_runtime *runtime, const char *group) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && group);
    struct process *p = begin_uninterrupted();
    struct rusm_group *g;
    size_t count = 0;
    if (group_open(rt->groups, group, false, &g) == RUSM_OK && g) {
        const struct payload kill = {.kind = SIGNAL_KILL, .data = ""};
        count = fan_out(g, &kill);
        group_release(g);
    }
    end_uninterrupted(p);
    return count;
}
