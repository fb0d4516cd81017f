/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/timer_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "otp/otp.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include <sched.h>

#define SLOT_MASK  (WHEEL_SLOTS - 1)
#define STATE_MASK 3u
#define NS_PER_MS  1000000u

uint64_t timer_clock_ms(struct sched *s) {
#ifdef RUSM_SIM
    return sim_now_ms(s->rt);
#else
    return (clock_mono_ns() - s->rt->start_ns) / NS_PER_MS;
#endif
}

enum rusm_err timer_wheel_init(struct timer_wheel *wheel, uint32_t limit, uint64_t now_ms) {
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        for (uint32_t slot = 0; slot < WHEEL_SLOTS; slot++) {
            list_init(&wheel->slots[level][slot]);
        }
    }
    wheel->now_ms = now_ms;
    wheel->limit = limit;
    wheel->chunks = rusm_map_pages(TIMER_CHUNKS * sizeof *wheel->chunks);
    return wheel->chunks ? RUSM_OK : RUSM_ERR_NOMEM;
}

static struct timer *timer_at(struct timer_wheel *wheel, uint32_t index) {
    /* Acquire: another scheduler that cancels sees the chunk as it was made (carve). */
    struct timer *chunk =
        atomic_load_explicit(&wheel->chunks[index >> TIMER_CHUNK_BITS], memory_order_acquire);
    return chunk ? &chunk[index & (TIMER_CHUNK_LEN - 1)] : NULL;
}

void timer_wheel_deinit(struct sched *s) {
    struct timer_wheel *wheel = &s->wheel;
    if (!wheel->chunks) {
        return;
    }
    for (uint32_t i = 0; i < wheel->carved; i++) {
        struct timer *t = timer_at(wheel, i);
        uint64_t word = atomic_load_explicit(&t->word, memory_order_relaxed);
        if ((word & STATE_MASK) != TIMER_FREE && t->message) {
            signal_destroy(s, t->message);
        }
    }
    for (uint32_t i = 0; i < TIMER_CHUNKS && wheel->carved > i << TIMER_CHUNK_BITS; i++) {
        rusm_unmap_pages(atomic_load_explicit(&wheel->chunks[i], memory_order_relaxed),
                         TIMER_CHUNK_LEN * sizeof(struct timer));
    }
    rusm_unmap_pages((void *)wheel->chunks, TIMER_CHUNKS * sizeof *wheel->chunks);
}

static struct timer *carve(struct timer_wheel *wheel) {
    uint32_t index = wheel->carved;
    if ((index & (TIMER_CHUNK_LEN - 1)) == 0) {
        struct timer *chunk = rusm_map_pages(TIMER_CHUNK_LEN * sizeof *chunk);
        if (!chunk) {
            return NULL;
        }
        atomic_store_explicit(&wheel->chunks[index >> TIMER_CHUNK_BITS], chunk,
                              memory_order_release);
    }
    struct timer *t = timer_at(wheel, index);
    wheel->carved++;
    t->index = index;
    list_init(&t->link);
    atomic_store_explicit(&t->word, (uint64_t)1 << 2 | TIMER_FREE, memory_order_relaxed);
    return t;
}

static void count_armed(struct timer_wheel *wheel, int change) {
    uint32_t armed = atomic_load_explicit(&wheel->armed, memory_order_relaxed);
    atomic_store_explicit(&wheel->armed, armed + (uint32_t)change, memory_order_relaxed);
}

/* Free an unlinked timer under a new generation; one without generations left is retired. */
static void recycle(struct timer_wheel *wheel, struct timer *t) {
    uint64_t generation = atomic_load_explicit(&t->word, memory_order_relaxed) >> 2;
    count_armed(wheel, -1);
    if (generation == TIMER_GEN_MAX) {
        atomic_store_explicit(&t->word, TIMER_FREE, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&t->word, (generation + 1) << 2 | TIMER_FREE, memory_order_relaxed);
    t->next = wheel->free;
    wheel->free = t;
}

/* The slot for a deadline: the level at which it differs from now, so that it moves down in time.
 */
static void place(struct timer_wheel *wheel, struct timer *t) {
    uint64_t deadline = atomic_load_explicit(&t->deadline_ms, memory_order_relaxed);
    uint64_t differing = (deadline ^ wheel->now_ms) | SLOT_MASK;
    uint32_t level = (63u - (uint32_t)__builtin_clzll(differing)) / WHEEL_SLOT_BITS;
    RUSM_DASSERT(level < WHEEL_LEVELS && deadline > wheel->now_ms);
    uint32_t slot = (uint32_t)(deadline >> (level * WHEEL_SLOT_BITS)) & SLOT_MASK;
    list_push_back(&wheel->slots[level][slot], &t->link);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

/* Unlink what other schedulers have cancelled. */
static void take_remote(struct sched *s) {
    struct timer_wheel *wheel = &s->wheel;
    if (!atomic_load_explicit(&wheel->remote, memory_order_relaxed)) {
        return;
    }
    struct timer *t = atomic_exchange_explicit(&wheel->remote, NULL, memory_order_acquire);
    while (t) {
        struct timer *next = t->next;
        list_remove(&t->link);
        if (t->message) {
            signal_destroy(s, t->message);
        }
        recycle(wheel, t);
        t = next;
    }
}

enum rusm_err timer_arm(struct sched *s, rusm_pid to, uint64_t delay_ms, uint64_t interval_ms,
                        struct signal *message, uint32_t wait_seq, rusm_timer *out) {
    struct timer_wheel *wheel = &s->wheel;
    take_remote(s);
    if (atomic_load_explicit(&wheel->armed, memory_order_relaxed) >= wheel->limit) {
        return RUSM_ERR_TIMER_LIMIT;
    }
    struct timer *t = wheel->free;
    if (t) {
        wheel->free = t->next;
    } else {
        if (wheel->carved >> TIMER_INDEX_BITS) {
            return RUSM_ERR_TIMER_LIMIT;
        }
        t = carve(wheel);
        if (!t) {
            return RUSM_ERR_NOMEM;
        }
    }
    /* The clock stands somewhere within its millisecond: one more, so as never to fire early. */
    uint64_t deadline = timer_clock_ms(s) + delay_ms + (delay_ms > 0);
    if (deadline <= wheel->now_ms) {
        deadline = wheel->now_ms + 1;
    }
    atomic_store_explicit(&t->deadline_ms, deadline, memory_order_relaxed);
    t->interval_ms = interval_ms;
    t->to = to;
    t->message = message;
    t->wait_seq = wait_seq;
    place(wheel, t);
    count_armed(wheel, 1);
    uint64_t generation = atomic_load_explicit(&t->word, memory_order_relaxed) >> 2;
    /* Release: who cancels reads the deadline of this generation. */
    atomic_store_explicit(&t->word, generation << 2 | TIMER_ARMED, memory_order_release);
    if (out) {
        out->v = generation << TIMER_GEN_SHIFT | (uint64_t)s->index << TIMER_INDEX_BITS | t->index;
    }
    return RUSM_OK;
}

/* Leave a cancelled timer to the scheduler whose wheel it is in. */
static void hand_to_owner(struct sched *owner, struct timer *t) {
    struct timer *head = atomic_load_explicit(&owner->wheel.remote, memory_order_relaxed);
    do {
        t->next = head;
        SIM_POINT();
    } while (!atomic_compare_exchange_weak_explicit(&owner->wheel.remote, &head, t,
                                                    memory_order_release, memory_order_relaxed));
}

/* Take an armed timer over; false if it is not, or no longer, armed. */
static bool disarm(struct timer *t, uint64_t generation) {
    for (;;) {
        SIM_POINT();
        uint64_t seen = atomic_load_explicit(&t->word, memory_order_acquire);
        if (seen == (generation << 2 | TIMER_TICKING)) {
            /* Its owner is between two instructions of sending; it goes on, whatever we do. */
            SIM_SPIN();
            sched_yield();
            continue;
        }
        if (seen != (generation << 2 | TIMER_ARMED)) {
            return false;
        }
        SIM_POINT();
        if (atomic_compare_exchange_strong_explicit(&t->word, &seen,
                                                    generation << 2 | TIMER_CANCELLED,
                                                    memory_order_acq_rel, memory_order_relaxed)) {
            return true;
        }
    }
}

/* What the number names; NULL if there never was such a timer. */
static struct timer *find(struct rusm_runtime *rt, rusm_timer timer, struct sched **owner,
                          uint64_t *generation) {
    uint32_t index = (uint32_t)timer.v & ((1u << TIMER_INDEX_BITS) - 1);
    uint32_t sched = (uint32_t)(timer.v >> TIMER_INDEX_BITS) & ((1u << TIMER_SCHED_BITS) - 1);
    *generation = timer.v >> TIMER_GEN_SHIFT;
    if (sched >= rt->sched_count || *generation == 0) {
        return NULL;
    }
    *owner = &rt->scheds[sched];
    return timer_at(&(*owner)->wheel, index);
}

enum rusm_err timer_cancel(struct sched *s, rusm_timer timer, uint64_t *left_ms) {
    uint64_t generation;
    struct sched *owner;
    struct timer *t = find(s->rt, timer, &owner, &generation);
    if (!t || !disarm(t, generation)) {
        return RUSM_ERR_NO_TIMER;
    }
    uint64_t deadline = atomic_load_explicit(&t->deadline_ms, memory_order_relaxed);
    if (left_ms) {
        uint64_t now = timer_clock_ms(s);
        *left_ms = deadline > now ? deadline - now : 0;
    }
    if (owner == s) {
        list_remove(&t->link);
        if (t->message) {
            signal_destroy(s, t->message);
        }
        recycle(&s->wheel, t);
    } else {
        hand_to_owner(owner, t);
    }
    return RUSM_OK;
}

/* Send what an interval timer sends; false if the receiver has ended. Without memory this tick is
 * left out. */
static bool send_copy(struct sched *s, struct timer *t) {
    struct signal *copy = signal_create_message(s, t->message->data, t->message->len);
    return !copy || signal_deliver(s->rt, s, t->to, copy) != RUSM_ERR_NOPROC;
}

static void again(struct sched *s, struct timer *t) {
    uint64_t deadline =
        atomic_load_explicit(&t->deadline_ms, memory_order_relaxed) + t->interval_ms;
    uint64_t now = s->wheel.now_ms;
    if (deadline <= now) {
        deadline += (now - deadline) / t->interval_ms * t->interval_ms + t->interval_ms;
    }
    atomic_store_explicit(&t->deadline_ms, deadline, memory_order_relaxed);
    place(&s->wheel, t);
}

static void send_timeout(struct sched *s, struct timer *t) {
    struct signal *sig = signal_create(s, SIGNAL_TIMEOUT);
    /* A wait whose end cannot be told for want of 64 bytes would hang: stop instead. */
    RUSM_ASSERT(sig);
    sig->value = t->wait_seq;
    (void)signal_deliver(s->rt, s, t->to, sig);
}

/* `t` is unlinked and due. */
static void fire(struct sched *s, struct timer *t) {
    uint64_t armed = atomic_load_explicit(&t->word, memory_order_relaxed);
    uint64_t generation = armed >> 2;
    if ((armed & STATE_MASK) != TIMER_ARMED) {
        return; /* cancelled elsewhere; it is in the remote list, or will be in a moment */
    }
    SIM_EVENT(s, SIM_EV_TIMER, t->index);
    bool repeats = t->interval_ms > 0;
    uint64_t next = generation << 2 | (repeats ? TIMER_TICKING : TIMER_FREE);
    SIM_POINT();
    /* From here on it cannot be cancelled, or not before this tick is sent. */
    if (!atomic_compare_exchange_strong_explicit(&t->word, &armed, next, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        return;
    }
    if (repeats && send_copy(s, t)) {
        again(s, t);
        /* Release: who cancels reads the new deadline (disarm). */
        atomic_store_explicit(&t->word, generation << 2 | TIMER_ARMED, memory_order_release);
        return;
    }
    if (repeats) {
        signal_destroy(s, t->message);
    } else if (t->message) {
        (void)signal_deliver(s->rt, s, t->to, t->message);
    } else {
        send_timeout(s, t);
    }
    recycle(&s->wheel, t);
}

/* Deal with one slot of a level: fire what is due, move the rest down. */
static void run_slot(struct sched *s, uint32_t level, uint32_t slot) {
    struct timer_wheel *wheel = &s->wheel;
    struct list due;
    list_init(&due);
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    list_splice(&due, &wheel->slots[level][slot]);
    while (!list_is_empty(&due)) {
        struct timer *t = LIST_ENTRY(due.next, struct timer, link);
        list_remove(&t->link);
        if (atomic_load_explicit(&t->deadline_ms, memory_order_relaxed) <= wheel->now_ms) {
            fire(s, t);
        } else {
            place(wheel, t);
        }
    }
}

/* The next moment, after now, at which some slot must be looked at; UINT64_MAX if none. */
static uint64_t next_event(const struct timer_wheel *wheel) {
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        uint32_t shift = level * WHEEL_SLOT_BITS;
        uint64_t position = wheel->now_ms >> shift;
        uint32_t at = (uint32_t)position & SLOT_MASK;
        /* Slots at or behind the current one of a level are empty or of the next round, which a
         * higher level holds; only those ahead count. */
        uint64_t ahead = at == SLOT_MASK ? 0 : wheel->occupied[level] & (~(uint64_t)0 << (at + 1));
        if (ahead) {
            uint64_t slot = (uint64_t)__builtin_ctzll(ahead);
            return ((position & ~(uint64_t)SLOT_MASK) | slot) << shift;
        }
    }
    return UINT64_MAX;
}

void timer_run(struct sched *s) {
    struct timer_wheel *wheel = &s->wheel;
    take_remote(s);
    if (atomic_load_explicit(&wheel->armed, memory_order_relaxed) == 0) {
        wheel->now_ms = timer_clock_ms(s);
        return;
    }
    uint64_t now = timer_clock_ms(s);
    while (wheel->now_ms < now) {
        uint64_t event = next_event(wheel);
        if (event > now) {
            wheel->now_ms = now;
            return;
        }
        wheel->now_ms = event;
        for (uint32_t level = WHEEL_LEVELS; level-- > 0;) {
            uint32_t shift = level * WHEEL_SLOT_BITS;
            uint32_t slot = (uint32_t)(event >> shift) & SLOT_MASK;
            bool boundary = (event & (((uint64_t)1 << shift) - 1)) == 0;
            if (boundary && (wheel->occupied[level] >> slot & 1)) {
                run_slot(s, level, slot);
            }
        }
    }
}

uint64_t timer_next_ms(struct sched *s) {
    if (atomic_load_explicit(&s->wheel.armed, memory_order_relaxed) == 0) {
        return UINT64_MAX;
    }
    uint64_t event = next_event(&s->wheel);
    uint64_t now = timer_clock_ms(s);
    if (event == UINT64_MAX) {
        return event;
    }
    return event > now ? event - now : 0;
}

static uint64_t capped(uint64_t delay_ms) {
    return delay_ms > RUSM_TIMER_MS_MAX ? RUSM_TIMER_MS_MAX : delay_ms;
}

static enum rusm_err send_later(rusm_pid to, uint64_t delay_ms, uint64_t interval_ms,
                                const void *data, size_t len, rusm_timer *out) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    if (len > s->rt->config.message_bytes_max) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    struct signal *message = signal_create_message(s, data, (uint32_t)len);
    if (!message) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = timer_arm(s, to, capped(delay_ms), capped(interval_ms), message, 0, out);
    if (err != RUSM_OK) {
        signal_destroy(s, message);
    }
    return err;
}

enum rusm_err rusm_send_after(rusm_pid to, uint64_t delay_ms, const void *data, size_t len,
                              rusm_timer *out) {
    return send_later(to, delay_ms, 0, data, len, out);
}

enum rusm_err rusm_send_interval(rusm_pid to, uint64_t interval_ms, const void *data, size_t len,
                                 rusm_timer *out) {
    RUSM_ASSERT(interval_ms > 0);
    return send_later(to, interval_ms, interval_ms, data, len, out);
}

enum rusm_err rusm_cancel_timer(rusm_timer timer, uint64_t *left_ms) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    return timer_cancel(s, timer, left_ms);
}

bool otp_timer_is_armed(rusm_timer timer) {
    const struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    uint64_t generation;
    struct sched *owner;
    const struct timer *t = find(s->rt, timer, &owner, &generation);
    if (!t) {
        return false;
    }
    uint64_t word = atomic_load_explicit(&t->word, memory_order_relaxed);
    return word == (generation << 2 | TIMER_ARMED) || word == (generation << 2 | TIMER_TICKING);
}

void rusm_sleep(uint64_t duration_ms) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    process_arm_timeout(s, p, duration_ms);
    while (!(p->flags & PROCESS_TIMED_OUT)) {
        s = process_wait(s, p, RUSM_WAIT_SLEEP);
    }
    process_disarm_timeout(s, p);
}
