/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The scheduler's loop, switching between processes, and accounting. docs/design/scheduler.md. */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"

/* Runs measured one by one after a slow window, before windows are tried again. */
#define EXACT_RUNS 512u

static void refill_slice(struct sched *s) {
    counter_add(&s->counters.reductions, (uint64_t)(s->slice_reds - s->reds));
    s->reds = (int32_t)s->rt->config.reductions;
    s->slice_reds = s->reds;
    s->run_reds = s->reds;
}

/* Share the ticks of a window among its runs, in proportion to their weights. */
static void charge(struct sched *s, uint64_t spent) {
    uint64_t scale = (spent << 16) / s->window_weight;
    for (uint32_t i = 0; i < s->window_len; i++) {
        struct process *p = s->window[i].process;
        uint64_t share = scale * s->window[i].weight >> 16;
        if (!p) {
            continue; /* it has ended: nobody will ask */
        }
        if (atomic_load_explicit(&p->sched, memory_order_relaxed) == s->index) {
            counter_add(&p->cpu_ticks, share);
        } else {
            /* It runs elsewhere by now, and is charged there too. */
            atomic_fetch_add_explicit(&p->cpu_ticks, share, memory_order_relaxed);
        }
    }
}

/*
 * Reading the clock costs 10 ns, as much as a whole switch. So runs are measured in windows of
 * sixteen, the time shared by the reductions they spent, as long as a window takes less than 4
 * microseconds together; the first slower one turns on exact measuring for the next EXACT_RUNS
 * runs. A long run is thus shared out wrongly at most once in that many.
 */
static __attribute__((noinline)) void close_window(struct sched *s) {
    uint64_t now = sched_ticks(s);
    uint64_t spent = now - s->last_ticks;
    s->last_ticks = now;
    if (s->window_len == 0) {
        return;
    }
    counter_add(&s->counters.switches, s->window_len);
    charge(s, spent);
    s->window_len = 0;
    s->window_weight = 0;
    if (spent > s->rt->exact_ticks) {
        s->account_exact = EXACT_RUNS;
    } else if (s->account_exact > 0) {
        s->account_exact--;
    }
}

static void account(struct sched *s, struct process *p, bool ended) {
    uint32_t reds = (uint32_t)(s->run_reds - s->reds);
    s->run_reds = s->reds;
    if (!ended) {
        counter_add(&p->reductions, reds);
    }
    s->window[s->window_len++] = (struct account){ended ? NULL : p, reds + 1};
    s->window_weight += reds + 1;
    if (s->account_exact > 0 || s->window_len == ACCOUNT_WINDOW) {
        close_window(s);
    }
}

void sched_account_end(struct sched *s, struct process *p) {
    account(s, p, true);
}

static inline bool duties_due(const struct sched *s) {
    return s->last_ticks >= counter_get(&s->duty_ticks);
}

/* The process woken last goes on in its waker's slice; when that is spent it queues like others. */
static struct process *pick_ready(struct sched *s) {
    struct process *p = s->next;
    if (p) {
        s->next = NULL;
        if (s->reds > 0) {
            return p;
        }
        runq_push(s, p);
    }
    p = runq_pop(s);
    if (p) {
        refill_slice(s);
    }
    return p;
}

/* Moving processes between cores costs more than a short wait: young queues are left alone. */
static bool worth_stealing(const struct sched *s, const struct sched *victim) {
#ifdef RUSM_SIM
    (void)s;
    return counter_get(&victim->runq.backlog_since) != 0 && runq_len(&victim->runq) > 0;
#else
    uint64_t since = counter_get(&victim->runq.backlog_since);
    uint64_t now = s->last_ticks;
    return since != 0 && now > since && now - since > s->rt->backlog_age_ticks &&
           runq_len(&victim->runq) > 0;
#endif
}

static struct process *steal(struct sched *s) {
    uint32_t count = s->rt->sched_count;
    uint32_t first = random_below(&s->random, count);
    for (uint32_t i = 0; i < count; i++) {
        struct sched *victim = &s->rt->scheds[(first + i) % count];
        if (victim == s) {
            continue;
        }
        if (sched_inbox_is_stuck(victim, s->last_ticks)) {
            sched_take_inbox(s, victim);
            return pick_ready(s);
        }
        if (!worth_stealing(s, victim)) {
            continue;
        }
        struct process *p = runq_steal(s, victim);
        if (p) {
            refill_slice(s);
            return p;
        }
    }
    return NULL;
}

/*
 * Take a process from a scheduler whose queue is longer by two or more. One that always has work
 * never steals, and queues that do not drain would stay as uneven as they are. Ten times rarer than
 * the other duties: a process that is moved costs more than it gains where queues are short-lived.
 */
static void balance(struct sched *s) {
    if (s->last_ticks < s->balance_ticks) {
        return;
    }
    s->balance_ticks = s->last_ticks + 10 * s->rt->duty_interval_ticks;
    for (uint32_t i = 1; i < s->rt->sched_count; i++) {
        struct sched *victim = &s->rt->scheds[(s->index + i) % s->rt->sched_count];
        if (runq_len(&victim->runq) < runq_len(&s->runq) + 2 || !worth_stealing(s, victim)) {
            continue;
        }
        struct process *p = runq_steal_one(victim);
        if (p) {
            counter_add(&s->counters.steals, 1);
            runq_push(s, p);
            return;
        }
    }
}

/* Between two processes; a scheduler without work steals instead of balancing. */
static void do_duties(struct sched *s) {
    if (duties_due(s)) {
        sched_duties(s, 0);
        balance(s);
    }
}

/* Nothing is ready here: look everywhere, then sleep. NULL when the runtime halts. */
static struct process *find_work(struct sched *s) {
    for (;;) {
        close_window(s);
        sched_duties(s, 0);
        struct process *p = pick_ready(s);
        if (p) {
            return p;
        }
        if (atomic_load_explicit(&s->rt->halt, memory_order_acquire)) {
            return NULL;
        }
        p = steal(s);
        if (p) {
            return p;
        }
        sched_park(s);
    }
}

/* Put the process that was just switched away from where it belongs. */
static void finish_switch(struct sched *s) {
    struct process *p = s->prev;
    if (!p) {
        return;
    }
    s->prev = NULL;
    if (s->prev_how == SUSPEND_WAIT && mailbox_commit_wait(s, p)) {
        return;
    }
    atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_relaxed);
    runq_push(s, p);
}

static void begin_run(struct sched *s, struct process *p) {
    RUSM_DASSERT(p->state == PROCESS_RUNNABLE);
    SIM_EVENT(s, SIM_EV_RUN, p->index);
    s->current = p;
    atomic_store_explicit(&p->state, PROCESS_RUNNING, memory_order_relaxed);
    atomic_store_explicit(&p->sched, (uint16_t)s->index, memory_order_relaxed);
}

/* The context to continue `p` at; it has a stack, which becomes the current one. */
static void *take_context(struct sched *s, struct process *p) {
    void *sp = atomic_load_explicit(&p->sp, memory_order_relaxed);
    s->stack = atomic_load_explicit(&p->stack, memory_order_relaxed);
    atomic_store_explicit(&p->sp, NULL, memory_order_relaxed);
    return sp;
}

static bool has_context(const struct process *p) {
    return atomic_load_explicit(&p->sp, memory_order_relaxed) != NULL;
}

/* Switch to the suspended `p`; this stack becomes a spare whose loop goes on when it is next used.
 */
static void resume(struct sched *s, struct process *p) {
    struct stack *mine = s->stack;
    begin_run(s, p);
    void *sp = take_context(s, p);
    stack_give(s, mine);
    stack_switch(&mine->sp, sp, mine, s->stack);
    finish_switch(sched_current());
}

static void after_turn(struct sched *s, struct process *p, enum step_result result) {
    if (result == STEP_EXIT) {
        account(s, p, true);
        process_end(s, p, NULL);
        return;
    }
    account(s, p, false);
    s->current = NULL;
    if (result != STEP_YIELD) {
        uint8_t why = result == STEP_WAIT ? RUSM_WAIT_RECEIVE : RUSM_WAIT_OUTSIDE;
        atomic_store_explicit(&p->wait, why, memory_order_relaxed);
        atomic_store_explicit(&p->state, PROCESS_WAITING, memory_order_relaxed);
        if (mailbox_commit_wait(s, p)) {
            return;
        }
    }
    atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_relaxed);
    runq_push(s, p);
}

/* Call the body of `p` on this stack. It may come back on another scheduler. */
static void call_body(struct sched *s, struct process *p) {
    begin_run(s, p);
    if (atomic_load_explicit(&p->kind, memory_order_relaxed) == RUSM_KIND_FIBER) {
        rusm_fiber_fn fn = (rusm_fiber_fn)process_entry(p);
        fn(p->arg);
        after_turn(sched_current(), p, STEP_EXIT);
    } else {
        atomic_store_explicit(&p->wait, RUSM_WAIT_NONE, memory_order_relaxed);
        enum step_result result = process_turn(p);
        after_turn(sched_current(), p, result);
    }
}

static struct process *next_process(struct sched *s) {
    struct process *p = s->handoff;
    s->handoff = NULL;
    if (p) {
        return p;
    }
    do_duties(s);
    p = pick_ready(s);
    return p ? p : find_work(s);
}

static _Noreturn void leave(struct sched *s) {
    void *unused;
    struct stack *mine = s->stack;
    s->stack = NULL;
    stack_switch(&unused, s->thread_sp, mine, NULL);
    __builtin_unreachable();
}

void sched_stack_entry(void) {
    stack_arrived();
    finish_switch(sched_current());
    for (;;) {
        struct sched *s = sched_current();
        struct process *p = next_process(s);
        if (!p) {
            leave(s);
        }
        if (has_context(p)) {
            resume(s, p);
        } else {
            call_body(s, p);
        }
    }
}

/* Where the current process's stack is left for: the next process, or a loop on a spare stack. */
static void *choose_destination(struct sched *s, struct process *next, struct stack *spare) {
    if (next && !spare) {
        begin_run(s, next);
        return take_context(s, next);
    }
    s->handoff = next;
    s->current = NULL;
    s->stack = spare;
    return spare->sp ? spare->sp : stack_fresh_sp(spare);
}

struct sched *sched_suspend(struct sched *s, struct process *p, enum suspend_how how) {
    RUSM_DASSERT(s->current == p);
    account(s, p, false);
    do_duties(s);
    struct process *next = pick_ready(s);
    if (!next && how == SUSPEND_YIELD) {
        refill_slice(s);
        return s;
    }
    struct stack *spare = NULL;
    if (!next || !has_context(next)) {
        spare = stack_take(s);
        if (!spare) {
            if (next) {
                runq_push(s, next);
            }
            static const char why[] = "no memory for a stack";
            const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
            process_abandon(s, p, &reason);
        }
    }
    struct stack *mine = s->stack;
    atomic_store_explicit(&p->stack, mine, memory_order_relaxed);
    /* From here to the switch nothing may fail; p->sp is set by the switch itself. */
    uint8_t state = how == SUSPEND_WAIT ? PROCESS_WAITING : PROCESS_RUNNABLE;
    atomic_store_explicit(&p->state, state, memory_order_relaxed);
    s->prev = p;
    s->prev_how = how;
    void *to = choose_destination(s, next, spare);
    stack_switch((void **)&p->sp, to, mine, s->stack);
    s = sched_current();
    finish_switch(s);
    return s;
}

static __attribute__((noinline)) struct sched *yield_now(struct sched *s, struct process *p) {
    s = sched_suspend(s, p, SUSPEND_YIELD);
    if (mailbox_has_new(p)) {
        process_check_signals(s, p);
    }
    return s;
}

struct sched *sched_spend(struct sched *s, struct process *p, int32_t reductions) {
    s->reds -= reductions;
    if (__builtin_expect(s->reds > 0, 1) ||
        atomic_load_explicit(&p->kind, memory_order_relaxed) != RUSM_KIND_FIBER) {
        return s;
    }
    return yield_now(s, p);
}

void rusm_yield(void) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    RUSM_ASSERT(!p->foreign);
    (void)yield_now(s, p);
}

void sched_wake(struct sched *s, struct process *p) {
    atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_relaxed);
    struct process *displaced = s->next;
    s->next = p;
    if (displaced) {
        runq_push(s, displaced);
    }
}

void sched_abandon_body(struct sched *s) {
    stack_restart(s->stack);
}

void sched_main(struct sched *s) {
    sched_tls = s;
    s->last_ticks = sched_ticks(s);
    refill_slice(s);
    struct stack *first = stack_take(s);
    RUSM_ASSERT(first); /* runtime creation has put it there */
    s->stack = first;
    stack_switch(&s->thread_sp, stack_fresh_sp(first), NULL, first);
    sched_tls = NULL;
}
