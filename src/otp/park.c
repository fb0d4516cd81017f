/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What a scheduler does besides running processes: timers, descriptors, inbox, sleep. */
#include "base/assert.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include <unistd.h>

void sched_inbox_push(struct sched *s, struct process *p) {
    struct process *head = atomic_load_explicit(&s->inbox, memory_order_relaxed);
    do {
        p->link = head;
        SIM_POINT();
        /* seq_cst: either the parking scheduler sees this push, or we see that it is parked. */
    } while (!atomic_compare_exchange_weak_explicit(&s->inbox, &head, p, memory_order_seq_cst,
                                                    memory_order_relaxed));
    sched_unpark(s);
}

bool sched_inbox_is_stuck(struct sched *s, uint64_t now_ticks) {
    return atomic_load_explicit(&s->inbox, memory_order_relaxed) &&
           !atomic_load_explicit(&s->parked, memory_order_relaxed) &&
           now_ticks > counter_get(&s->duty_ticks) + s->rt->backlog_age_ticks;
}

void sched_take_inbox(struct sched *s, struct sched *from) {
    if (!atomic_load_explicit(&from->inbox, memory_order_relaxed)) {
        return;
    }
    struct process *p = atomic_exchange_explicit(&from->inbox, NULL, memory_order_acquire);
    struct process *oldest = NULL;
    while (p) {
        struct process *next = p->link;
        p->link = oldest;
        oldest = p;
        p = next;
    }
    while (oldest) {
        struct process *next = oldest->link;
        runq_push(s, oldest);
        oldest = next;
    }
}

void sched_unpark(struct sched *s) {
    uint32_t parked = 1;
    SIM_POINT();
    if (atomic_compare_exchange_strong_explicit(&s->parked, &parked, 0, memory_order_seq_cst,
                                                memory_order_relaxed)) {
#ifdef RUSM_SIM
        sim_unpark(s);
#else
        uint64_t one = 1;
        ssize_t written = write(s->wake_fd, &one, sizeof one);
        RUSM_ASSERT(written == sizeof one);
#endif
    }
}

void sched_wake_thief(struct sched *s) {
    struct rusm_runtime *rt = s->rt;
    for (uint32_t i = 1; i < rt->sched_count; i++) {
        struct sched *other = &rt->scheds[(s->index + i) % rt->sched_count];
        if (atomic_load_explicit(&other->parked, memory_order_relaxed)) {
            sched_unpark(other);
            return;
        }
    }
}

__attribute__((noinline)) void sched_duties(struct sched *s, int64_t wait_ms) {
    timer_run(s);
    io_poll(s, wait_ms);
    sched_take_inbox(s, s);
    s->last_ticks = sched_ticks(s);
    counter_set(&s->duty_ticks, s->last_ticks + s->rt->duty_interval_ticks);
    uint64_t since = counter_get(&s->runq.backlog_since);
    if (since != 0 && s->last_ticks - since > s->rt->backlog_age_ticks && runq_len(&s->runq) > 0 &&
        atomic_load_explicit(&s->rt->parked_count, memory_order_relaxed) > 0) {
        sched_wake_thief(s);
    }
}

/* Tell rusm_runtime_wait_idle; the last scheduler to park sees everybody's counters. */
static void notice_idle(struct rusm_runtime *rt) {
    if (atomic_load_explicit(&rt->idle_waiters, memory_order_relaxed) > 0 &&
        runtime_process_count(rt) == 0) {
        pthread_mutex_lock(&rt->idle_lock);
        pthread_cond_broadcast(&rt->idle_cond);
        pthread_mutex_unlock(&rt->idle_lock);
    }
}

static void sleep_until_woken(struct sched *s) {
    uint64_t next_ms = timer_next_ms(s);
#ifdef RUSM_SIM
    sim_park(s, next_ms == UINT64_MAX ? UINT64_MAX : sim_now_ms(s->rt) + next_ms);
#else
    /* epoll takes 24 days at most; after those it is asked again. */
    int64_t finite_ms = next_ms > INT32_MAX ? INT32_MAX : (int64_t)next_ms;
    int64_t wait_ms = next_ms == UINT64_MAX ? -1 : finite_ms;
    io_poll(s, wait_ms);
#endif
}

void sched_park(struct sched *s) {
    struct rusm_runtime *rt = s->rt;
    /* Reductions are counted when a slice ends; the last before a rest would be left out. */
    counter_add(&s->counters.reductions, (uint64_t)(s->slice_reds - s->reds));
    s->slice_reds = s->reds;
    counter_add(&s->counters.parks, 1);
    counter_set(&s->counters.parked_at, s->last_ticks);
    SIM_POINT();
    /* seq_cst, both: see sched_inbox_push. */
    atomic_store_explicit(&s->parked, 1, memory_order_seq_cst);
    atomic_fetch_add_explicit(&rt->parked_count, 1, memory_order_seq_cst);
    SIM_POINT();
    if (!atomic_load_explicit(&s->inbox, memory_order_seq_cst) &&
        !atomic_load_explicit(&rt->halt, memory_order_seq_cst)) {
        notice_idle(rt);
        sleep_until_woken(s);
    }
    atomic_store_explicit(&s->parked, 0, memory_order_seq_cst);
    atomic_fetch_sub_explicit(&rt->parked_count, 1, memory_order_relaxed);
    uint64_t now = sched_ticks(s);
    counter_add(&s->counters.idle_ticks, now - counter_get(&s->counters.parked_at));
    counter_set(&s->counters.parked_at, 0);
    s->last_ticks = now;
    watch_notice(atomic_load_explicit(&rt->watch, memory_order_acquire));
}
