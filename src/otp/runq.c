/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/assert.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"

#define RING_MASK (RUNQ_RING - 1)

enum rusm_err runq_init(struct runq *q) {
    q->overflow_tail = &q->overflow_head;
    return pthread_spin_init(&q->lock, PTHREAD_PROCESS_PRIVATE) == 0 ? RUSM_OK : RUSM_ERR_SYSTEM;
}

void runq_deinit(struct runq *q) {
    pthread_spin_destroy(&q->lock);
}

uint32_t runq_len(const struct runq *q) {
    uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    uint32_t ring = tail - head;
    /* The two are read at different moments; a length beyond the ring is only that. */
    ring = ring > RUNQ_RING ? 0 : ring;
    return ring + atomic_load_explicit(&q->overflow_len, memory_order_relaxed);
}

static __attribute__((noinline, cold)) void push_overflow(struct runq *q, struct process *p) {
    p->link = NULL;
    pthread_spin_lock(&q->lock);
    *q->overflow_tail = p;
    q->overflow_tail = &p->link;
    uint32_t len = atomic_load_explicit(&q->overflow_len, memory_order_relaxed);
    atomic_store_explicit(&q->overflow_len, len + 1, memory_order_relaxed);
    pthread_spin_unlock(&q->lock);
}

/* Detach up to `max` from the overflow's front; a chain by `link`. */
static struct process *pop_overflow(struct runq *q, uint32_t max) {
    pthread_spin_lock(&q->lock);
    struct process *first = q->overflow_head;
    struct process **end = &q->overflow_head;
    uint32_t count = 0;
    while (*end && count < max) {
        end = &(*end)->link;
        count++;
    }
    q->overflow_head = *end;
    if (!q->overflow_head) {
        q->overflow_tail = &q->overflow_head;
    }
    if (count > 0) {
        *end = NULL;
    } else {
        first = NULL;
    }
    uint32_t len = atomic_load_explicit(&q->overflow_len, memory_order_relaxed);
    atomic_store_explicit(&q->overflow_len, len - count, memory_order_relaxed);
    pthread_spin_unlock(&q->lock);
    return first;
}

/* Owner only; the caller knows that there is room. */
static void ring_push(struct runq *q, struct process *p) {
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    atomic_store_explicit(&q->ring[tail & RING_MASK], p, memory_order_relaxed);
    /* Release: a thief that sees the new tail sees the process (ring_take). */
    atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
}

static uint32_t ring_room(const struct runq *q) {
    uint32_t head = atomic_load_explicit(&q->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    return RUNQ_RING - (tail - head);
}

__attribute__((noinline)) void runq_push(struct sched *s, struct process *p) {
    struct runq *q = &s->runq;
    RUSM_DASSERT(p->state == PROCESS_RUNNABLE);
    SIM_POINT();
    if (counter_get(&q->backlog_since) == 0) {
        counter_set(&q->backlog_since, s->last_ticks | 1);
    }
    if (__builtin_expect(atomic_load_explicit(&q->overflow_len, memory_order_relaxed) == 0 &&
                             ring_room(q) > 0,
                         1)) {
        ring_push(q, p);
    } else {
        push_overflow(q, p);
    }
}

/* Append to the overflow under one lock. */
static __attribute__((noinline, cold)) void
push_overflow_many(struct runq *q, struct process *const *processes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        processes[i]->link = i + 1 < count ? processes[i + 1] : NULL;
    }
    pthread_spin_lock(&q->lock);
    *q->overflow_tail = processes[0];
    q->overflow_tail = &processes[count - 1]->link;
    uint32_t len = atomic_load_explicit(&q->overflow_len, memory_order_relaxed);
    atomic_store_explicit(&q->overflow_len, len + count, memory_order_relaxed);
    pthread_spin_unlock(&q->lock);
}

void runq_push_many(struct sched *s, struct process *const *processes, uint32_t count) {
    struct runq *q = &s->runq;
    if (count == 0) {
        return;
    }
    SIM_POINT();
    if (counter_get(&q->backlog_since) == 0) {
        counter_set(&q->backlog_since, s->last_ticks | 1);
    }
    uint32_t room =
        atomic_load_explicit(&q->overflow_len, memory_order_relaxed) == 0 ? ring_room(q) : 0;
    room = room < count ? room : count;
    for (uint32_t i = 0; i < room; i++) {
        ring_push(q, processes[i]);
    }
    if (room < count) {
        push_overflow_many(q, processes + room, count - room);
    }
}

/* The ring is empty: fill it from the overflow. */
static __attribute__((noinline, cold)) void refill(struct runq *q) {
    struct process *p = pop_overflow(q, RUNQ_BATCH);
    while (p) {
        struct process *next = p->link;
        ring_push(q, p);
        p = next;
    }
}

/* `*last`: the ring is empty now. */
static struct process *ring_pop(struct runq *q, bool *last) {
    uint32_t head = atomic_load_explicit(&q->head, memory_order_acquire);
    for (;;) {
        uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
        if (head == tail) {
            return NULL;
        }
        struct process *p = atomic_load_explicit(&q->ring[head & RING_MASK], memory_order_relaxed);
        SIM_POINT();
        if (atomic_compare_exchange_weak_explicit(&q->head, &head, head + 1, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            *last = head + 1 == tail;
            return p;
        }
    }
}

__attribute__((noinline)) struct process *runq_pop(struct sched *s) {
    struct runq *q = &s->runq;
    bool last = true;
    struct process *p = ring_pop(q, &last);
    while (!p && atomic_load_explicit(&q->overflow_len, memory_order_relaxed) > 0) {
        /* Thieves may empty the ring again before we look; what is left is still ours to find,
         * since a scheduler that sees an empty queue goes to sleep. */
        refill(q);
        p = ring_pop(q, &last);
    }
    /* Emptied, if only for a moment, the queue starts to age anew. */
    if (last && counter_get(&q->backlog_since) != 0 &&
        atomic_load_explicit(&q->overflow_len, memory_order_relaxed) == 0) {
        counter_set(&q->backlog_since, 0);
    }
    return p;
}

/* Move half of the victim's ring to `s`, whose ring is empty. Returns how many. */
static uint32_t ring_steal(struct sched *s, struct runq *from) {
    struct runq *to = &s->runq;
    uint32_t head = atomic_load_explicit(&from->head, memory_order_acquire);
    for (;;) {
        uint32_t tail = atomic_load_explicit(&from->tail, memory_order_acquire);
        uint32_t len = tail - head;
        uint32_t count = len - len / 2;
        if (len == 0 || len > RUNQ_RING) {
            return 0;
        }
        count = count > RUNQ_BATCH ? RUNQ_BATCH : count;
        uint32_t at = atomic_load_explicit(&to->tail, memory_order_relaxed);
        for (uint32_t i = 0; i < count; i++) {
            struct process *p =
                atomic_load_explicit(&from->ring[(head + i) & RING_MASK], memory_order_relaxed);
            atomic_store_explicit(&to->ring[(at + i) & RING_MASK], p, memory_order_relaxed);
        }
        SIM_POINT();
        if (atomic_compare_exchange_strong_explicit(&from->head, &head, head + count,
                                                    memory_order_acq_rel, memory_order_acquire)) {
            atomic_store_explicit(&to->tail, at + count, memory_order_release);
            return count;
        }
    }
}

struct process *runq_steal_one(struct sched *victim) {
    struct runq *from = &victim->runq;
    uint32_t head = atomic_load_explicit(&from->head, memory_order_acquire);
    for (;;) {
        /* Acquire: pairs with the owner's push; what it wrote to the process is seen. */
        uint32_t tail = atomic_load_explicit(&from->tail, memory_order_acquire);
        if (tail - head == 0 || tail - head > RUNQ_RING) {
            return NULL;
        }
        struct process *p =
            atomic_load_explicit(&from->ring[head & RING_MASK], memory_order_relaxed);
        SIM_POINT();
        if (atomic_compare_exchange_strong_explicit(&from->head, &head, head + 1,
                                                    memory_order_acq_rel, memory_order_acquire)) {
            return p;
        }
    }
}

struct process *runq_steal(struct sched *s, struct sched *victim) {
    uint32_t count = ring_steal(s, &victim->runq);
    if (count == 0 && atomic_load_explicit(&victim->runq.overflow_len, memory_order_relaxed) > 0) {
        struct process *p = pop_overflow(&victim->runq, RUNQ_BATCH);
        while (p) {
            struct process *next = p->link;
            ring_push(&s->runq, p);
            p = next;
            count++;
        }
    }
    if (count == 0) {
        return NULL;
    }
    counter_add(&s->counters.steals, count);
    /* It may be stolen on, from here: see worth_stealing. */
    counter_set(&s->runq.backlog_since, s->last_ticks | 1);
    return runq_pop(s);
}
