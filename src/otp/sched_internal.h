/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A scheduler: one thread that runs processes, and all that it keeps for itself so that the hot
 * paths share nothing: run queue, free lists, timer wheel, epoll set, counters.
 *
 * Stacks: the scheduler's loop has no stack of its own. It runs at the bottom of whatever stack is
 * current, and calls the bodies of processes as plain functions. A process that suspends keeps the
 * stack it is on, loop frame and all, and the scheduler goes on with another stack: that of the
 * process to run next (a direct hand-over), or a spare one with a loop of its own. A process that
 * never suspends thus costs no stack and no switch.
 */
#ifndef OTP_SCHED_INTERNAL_H
#define OTP_SCHED_INTERNAL_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/random.h"
#include "otp/blocks_internal.h"
#include "otp/process_internal.h"
#include "otp/sim_internal.h"
#include "otp/stack_internal.h"
#include "otp/timer_internal.h"
#include <pthread.h>

#define SCHEDULERS_MAX 64u
#ifdef RUSM_SIM
/* So small that the few processes of a simulated program pass through the overflow, too. */
#define RUNQ_RING  4u
#define RUNQ_BATCH 2u
#else
#define RUNQ_RING  256u /* a power of two */
#define RUNQ_BATCH 128u /* moved at once between ring and overflow, or by a thief */
#endif

/*
 * Run queue, first in first out: a ring that its owner pushes to and that owner and thieves pop
 * from, and a locked list for what does not fit. While the list holds something, pushes go there.
 */
struct runq {
    alignas(64) _Atomic uint32_t head; /* owner and thieves, by compare-and-swap */
    alignas(64) _Atomic uint32_t tail; /* owner */
    _Atomic uint32_t overflow_len;     /* written under `lock` */
    /* When the queue was last seen to become non-empty, in ticks; 0 while empty. Owner; thieves
     * leave young queues alone, since moving a process costs more than a short wait. */
    counter backlog_since;
    _Atomic(struct process *) ring[RUNQ_RING];
    pthread_spinlock_t lock; /* guards the overflow list */
    struct process *overflow_head;
    struct process **overflow_tail;
};

/* How the process that was switched away from goes on; done after the switch, off its stack. */
enum suspend_how { SUSPEND_WAIT, SUSPEND_YIELD };

/* Runs measured together for cpu time while they are short: see sched_account. */
#define ACCOUNT_WINDOW 16u

/* One run in the window. */
struct account {
    struct process *process; /* NULL: it has ended */
    uint32_t weight;         /* its reductions, and one for the switch */
};

struct sched_counters {
    counter spawned;
    counter finished;
    counter crashed;
    counter messages;
    counter shed;
    counter reductions;
    counter switches;
    counter steals;
    counter parks;
    counter idle_ticks;
    counter parked_at; /* ticks; 0 = not parked */
    counter log_dropped;
};

struct sched {
    /* immutable after init */
    alignas(64) struct rusm_runtime *rt;
    uint32_t index;
    int epoll_fd;
    int wake_fd;
    pthread_t thread;
    bool started;
    void *alternate_stack; /* for the handler of stack overflows */

    /* owner thread */
    alignas(64) struct process *next; /* woken last; runs next, in the waker's time slice */
    struct process *current;
    struct process *handoff; /* picked by suspend for the loop on the spare stack */
    struct process *prev;    /* suspended last, not yet put where it belongs */
    enum suspend_how prev_how;
    int32_t reds;         /* left in this slice */
    int32_t slice_reds;   /* `reds` when the slice began */
    int32_t run_reds;     /* `reds` when the current process began to run */
    struct stack *stack;  /* the current one */
    struct stack *spares; /* free stacks, some with a parked loop */
    uint32_t spare_count;
    uint32_t account_exact; /* runs left to be measured one by one */
    uint32_t window_len;
    uint32_t window_weight; /* the sum of the weights */
    struct account window[ACCOUNT_WINDOW];
    uint64_t last_ticks;    /* the clock when it was last read */
    counter duty_ticks;     /* when to look at timers, descriptors and the inbox again */
    uint64_t balance_ticks; /* when to compare run queues again */
    struct cell_pool cells;
    struct block_cache blocks;
    struct process *free_slots;
    uint32_t free_slot_count;
    struct process_ext *free_exts;
    uint32_t free_ext_count;
    struct random random;
    uint64_t ref_count;     /* references of monitors made here */
    void *thread_sp;        /* the thread's own stack, to return to at the end */
    char *thread_stack_low; /* its bounds and context, for sanitizers */
    size_t thread_stack_bytes;
    void *thread_context;
    struct timer_wheel wheel;

    alignas(64) struct sched_counters counters;

    /* any thread */
    alignas(64) _Atomic(struct process *) inbox; /* runnable processes from outside */
    _Atomic uint32_t parked;                     /* 1: asleep or about to be */
    _Atomic uint32_t fds_watched;                /* in the epoll set, besides wake_fd */
    struct runq runq;

#ifdef RUSM_SIM
    void *sim_sp; /* where this virtual thread goes on */
    bool sim_runnable;
    bool sim_woken;       /* unparked before it slept */
    uint64_t sim_wake_ms; /* while parked; UINT64_MAX = never */
#endif
};

/* The scheduler whose thread this is; NULL elsewhere. Written once a thread, in current.c. */
extern _Thread_local struct sched *sched_tls __attribute__((tls_model("initial-exec")));

/* The same, read anew: for use after a switch, when the thread may be another. */
struct sched *sched_current(void);

/* The clock that scheduling decisions see: the processor's, or in simulation a logical one. */
static inline uint64_t sched_ticks(struct sched *s) {
#ifdef RUSM_SIM
    return sim_ticks(s->rt);
#else
    (void)s;
    return clock_ticks();
#endif
}

/* ---- scheduler.c ---- */
/* The thread's main function; returns when the runtime halts. */
void sched_main(struct sched *s);
/* Suspend the current process. Returns on the scheduler that resumes it. */
struct sched *sched_suspend(struct sched *s, struct process *p, enum suspend_how how);
/* Spend reductions in a fiber; yields when none are left. Returns the scheduler now running it. */
struct sched *sched_spend(struct sched *s, struct process *p, int32_t reductions);
/* `p` is owned by the caller, and runnable now. Run it after the current one, in its slice. */
void sched_wake(struct sched *s, struct process *p);
/* The current process is about to end: charge its run. */
void sched_account_end(struct sched *s, struct process *p);
/* Leave the current body for the scheduler, for good: its stack starts over. */
_Noreturn void sched_abandon_body(struct sched *s);
/* What the stack's first frame runs. */
_Noreturn void sched_stack_entry(void);

/* ---- park.c ---- */
/* Sleep until there may be something to do. */
void sched_park(struct sched *s);
/* Make a scheduler look at its inbox. Any thread. */
void sched_unpark(struct sched *s);
/* Wake one parked scheduler so that it can steal from `s`. */
void sched_wake_thief(struct sched *s);
/* Timers, descriptors, inbox. `wait_ms`: how long epoll may wait, -1 for ever. */
void sched_duties(struct sched *s, int64_t wait_ms);
/* Whether processes wait in an inbox whose scheduler is in a long run. Any thread. */
bool sched_inbox_is_stuck(struct sched *s, uint64_t now_ticks);
/* Move what is in the inbox of `from`, which may be `s`, to the run queue of `s`. */
void sched_take_inbox(struct sched *s, struct sched *from);
/* Put a runnable process into a scheduler's inbox. Any thread. */
void sched_inbox_push(struct sched *s, struct process *p);

/* ---- runq.c ---- */
enum rusm_err runq_init(struct runq *q);
void runq_deinit(struct runq *q);
void runq_push(struct sched *s, struct process *p);
/* The same for several, in their order. */
void runq_push_many(struct sched *s, struct process *const *processes, uint32_t count);
struct process *runq_pop(struct sched *s);
/* Take up to half of another scheduler's queue; the first is returned, the rest queued at `s`. */
struct process *runq_steal(struct sched *s, struct sched *victim);
/* The oldest process of the victim's queue; NULL if there is none. */
struct process *runq_steal_one(struct sched *victim);
uint32_t runq_len(const struct runq *q);

/* ---- send.c ---- */
/*
 * Deliver a cell to `to` and wake it if it waits. The cell is moved, also on failure. `s` NULL:
 * from outside. Nobody is held by a full mailbox.
 */
enum rusm_err signal_deliver(struct rusm_runtime *rt, struct sched *s, rusm_pid to,
                             struct signal *sig);

/* Send a message or call from the current process, which may be held for it. The cell is moved. */
enum rusm_err process_send(struct sched *s, struct process *p, rusm_pid to, struct signal *sig);
/* The mailbox of `to` is over its bound: suspend until it has room; where nothing may suspend,
 * remember to. */
void process_wait_for_room(struct sched *s, struct process *p, rusm_pid to);

/* ---- receive.c ---- */
/* Suspend until something new is in the mailbox and handle it; ends the process if it was killed.
 */
struct sched *process_wait(struct sched *s, struct process *p, enum rusm_process_wait why);
/* Take over what is new; ends the process if it was killed. */
void process_check_signals(struct sched *s, struct process *p);
/* The second half: end the process if it was killed by a signal taken in before. */
void process_check_killed(struct sched *s, struct process *p);
/* Arm or disarm the timer of a wait. */
void process_arm_timeout(struct sched *s, struct process *p, uint64_t timeout_ms);
void process_disarm_timeout(struct sched *s, struct process *p);
/* Take the oldest message, which there is, off the mailbox; it becomes the current one. */
struct rusm_msg *process_next_message(struct sched *s, struct process *p);
/* Free the message that user code borrowed last. */
void process_release_current(struct sched *s, struct process *p);

/* ---- io.c ---- */
/* Create the epoll set and the descriptor that wakes it. Error: SYSTEM. */
enum rusm_err io_init(struct sched *s);
void io_deinit(struct sched *s);
/* Tell the processes whose descriptors are ready; wait for that up to `wait_ms`, -1 = for ever. */
void io_poll(struct sched *s, int64_t wait_ms);
/* Take the descriptor of the wait under way out of its epoll set. */
void io_unwatch(struct sched *s, struct process *p);

#endif
