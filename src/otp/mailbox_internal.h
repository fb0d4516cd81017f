/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The mailbox: one 16-byte word {top, tag} that any thread pushes to with one compare-and-swap.
 *
 *   top  the newest signal, a chain through `next` back to `seen`; NULL when nothing was ever
 *        pushed since the last wait; MAILBOX_WAITING when the process is suspended.
 *   tag  generation of the slot (40 bits) and the number of pushes modulo 2^24. The generation is
 *        even while a process lives in the slot and odd while it is free; pids are even, so that
 *        not even a made-up pid can reach a free slot.
 *
 * Because the word carries the generation, a push with a stale pid fails whatever happened to the
 * slot meanwhile: a signal can never reach the successor of the process it was sent to, and slots
 * can be reused at once, without epochs or hazard pointers. Because it carries the waiting mark,
 * the push that finds it is the one, and the only one, that makes the process runnable.
 *
 * The owner reads `top` and takes over what is newer than `seen`, without a locked instruction: the
 * newest cell stays the chain's end (`seen`) and is freed only when it is off the word. A message
 * thus costs two locked instructions: the push, and the receiver's step to waiting.
 * docs/design/mailbox.md has the states and what was measured.
 */
#ifndef OTP_MAILBOX_INTERNAL_H
#define OTP_MAILBOX_INTERNAL_H

#include "otp/process_internal.h"

#define MAILBOX_WAITING ((struct signal *)(uintptr_t)1)
#define TAG_COUNT_MASK  ((uint64_t)PID_INDEX_MAX)
/* Signals other than messages are refused only here, so that a full mailbox can still be killed. */
#define MAILBOX_SIGNAL_LIMIT (RUSM_MAILBOX_LEN_LIMIT + 4u * 1024 * 1024)

enum push_result {
    PUSH_OK,
    PUSH_WAKE,      /* delivered, and the caller now owns the waiting process: make it runnable */
    PUSH_NOPROC,    /* refused: the cell is still the caller's */
    PUSH_FULL,      /* refused: at the bound; the cell is still the caller's */
    PUSH_HOLD,      /* delivered beyond the bound; the sender must suspend */
    PUSH_HOLD_WAKE, /* both of the above */
};

/* Prepare the mailbox of a free slot for a new process, under a new generation. Owner only. */
void mailbox_init(struct process *p, uint32_t bound, bool hold);

/* Undo mailbox_init for a process that nobody was told of. Owner only. */
void mailbox_disown(struct process *p);

/* Push from any thread. `sender`: the process that may be held, NULL if none. */
enum push_result mailbox_push(struct process *p, rusm_pid pid, struct signal *sig,
                              const struct process *sender);

/*
 * Close: no push with the current generation succeeds from here on. Frees all that was queued,
 * answers HOLDs. False if the slot has no generation left and must not be used again.
 */
bool mailbox_close(struct sched *s, struct process *p);

/* Whether anything was pushed that mailbox_fetch has not taken over. Owner only. */
static inline bool mailbox_has_new(const struct process *p) {
    return atomic_load_explicit(&p->mailbox.top, memory_order_relaxed) != p->seen;
}

/* Take over what is new: messages go to the private list, other signals are handled. Owner only. */
void mailbox_fetch(struct sched *s, struct process *p);

/*
 * The last step of suspending: mark the mailbox as waiting. False if something new is there; the
 * process is then still the caller's. On true it may already run elsewhere: hands off.
 */
bool mailbox_commit_wait(struct sched *s, struct process *p);

/* Take the cell that `*at` points to out of the private list. Owner only. */
struct signal *mailbox_take(struct process *p, struct signal **at);

/* Free a cell that was taken, or keep it until it is off the word. Owner only. */
void mailbox_release(struct sched *s, struct process *p, struct signal *sig);

/* The message put aside last is no longer waiting: count it, and let held senders go on. */
void mailbox_consumed(struct sched *s, struct process *p);

/* Sizes of the oldest messages that wait, up to MAILBOX_SIZES_MAX, fetched or not; how many.
 * Changes nothing. O(n) in what was not fetched. Owner only. */
#define MAILBOX_SIZES_MAX 8u
uint32_t mailbox_sizes(struct process *p, uint32_t out[MAILBOX_SIZES_MAX]);

/* Messages and signals that wait. Any thread; exact for the owner. */
static inline uint32_t mailbox_depth(const struct process *p) {
    uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    uint32_t consumed = atomic_load_explicit(&p->consumed, memory_order_relaxed);
    return ((uint32_t)tag - consumed) & (uint32_t)TAG_COUNT_MASK;
}

#endif
