/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Timers: a hierarchical wheel per scheduler (Varghese & Lauck, SOSP 1987): LEVELS of 64 slots,
 * 1 ms ticks; arming and cancelling are O(1), a timer moves down at most LEVELS times.
 *
 * A timer lives in the wheel of the scheduler that armed it; its slot in that scheduler's table is
 * never unmapped, and a word in it carries generation and state, so that any scheduler can cancel
 * by one compare-and-swap. What another scheduler cancelled, the owner unlinks when it finds it in
 * its remote list.
 */
#ifndef OTP_TIMER_INTERNAL_H
#define OTP_TIMER_INTERNAL_H

#include "base/list.h"
#include "otp/signal_internal.h"
#include <rusm/timer.h>
#include <stdatomic.h>

struct process;
struct sched;

#define WHEEL_LEVELS    8u
#define WHEEL_SLOT_BITS 6u
#define WHEEL_SLOTS     (1u << WHEEL_SLOT_BITS)

/* rusm_timer = generation << 30 | scheduler << 24 | index. */
#define TIMER_INDEX_BITS 24u
#define TIMER_SCHED_BITS 6u
#define TIMER_GEN_SHIFT  (TIMER_INDEX_BITS + TIMER_SCHED_BITS)
#define TIMER_GEN_MAX    (((uint64_t)1 << (64 - TIMER_GEN_SHIFT)) - 1)
#define TIMER_CHUNK_BITS 10u
#define TIMER_CHUNK_LEN  (1u << TIMER_CHUNK_BITS)
#define TIMER_CHUNKS     (1u << (TIMER_INDEX_BITS - TIMER_CHUNK_BITS))

enum timer_state {
    TIMER_FREE,
    TIMER_ARMED,
    TIMER_CANCELLED,
    TIMER_TICKING, /* an interval's message is being sent: who cancels waits for that moment */
};

struct timer {
    struct list link;
    /* generation << 2 | enum timer_state; any thread */
    _Atomic uint64_t word;
    _Atomic uint64_t deadline_ms; /* written by the owner before the word says ARMED */
    uint64_t interval_ms;         /* 0 = once */
    rusm_pid to;
    struct signal *message; /* owned; NULL: a TIMEOUT for wait `wait_seq` of `to` */
    uint32_t wait_seq;
    uint32_t index;
    struct timer *next; /* free list, or the remote list */
};

struct timer_wheel {
    /* owner thread */
    uint64_t now_ms; /* every timer up to here has fired */
    uint64_t occupied[WHEEL_LEVELS];
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    struct timer *free;
    uint32_t carved;
    uint32_t limit;
    _Atomic uint32_t armed;
    /* any thread */
    _Atomic(struct timer *) remote;  /* cancelled elsewhere, to be unlinked */
    _Atomic(struct timer *) *chunks; /* TIMER_CHUNKS of them */
};

enum rusm_err timer_wheel_init(struct timer_wheel *wheel, uint32_t limit, uint64_t now_ms);
void timer_wheel_deinit(struct sched *s);

/* Arm; `message` is moved on success only. Errors: TIMER_LIMIT, NOMEM. */
enum rusm_err timer_arm(struct sched *s, rusm_pid to, uint64_t delay_ms, uint64_t interval_ms,
                        struct signal *message, uint32_t wait_seq, rusm_timer *out);
/* Cancel from any scheduler. Error: NO_TIMER. */
enum rusm_err timer_cancel(struct sched *s, rusm_timer timer, uint64_t *left_ms);
/* Fire what is due. */
void timer_run(struct sched *s);
/* Milliseconds until timer_run has something to do: a lower bound; UINT64_MAX if never. */
uint64_t timer_next_ms(struct sched *s);
/* The wheel's clock: milliseconds since the runtime started; logical in simulation. */
uint64_t timer_clock_ms(struct sched *s);

#endif
