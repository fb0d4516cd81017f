/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Stacks for fibers and for the scheduler's loop: fixed size, below each a guard region that faults
 * (MADV_GUARD_INSTALL where the kernel has it, mprotect otherwise). Pooled per scheduler, surplus
 * goes to a depot where all but the top page is given back to the kernel. `struct stack` lives at
 * the top of its own memory, so an idle stack costs one page in all.
 */
#ifndef OTP_STACK_INTERNAL_H
#define OTP_STACK_INTERNAL_H

#include <rusm/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched;
struct stack_depot;

struct stack {
    void *sp; /* where to go on; NULL: start over at sched_stack_entry */
    struct stack *next;
    char *low;     /* first usable byte; the guard is below */
    void *context; /* ThreadSanitizer's view of this stack; NULL elsewhere */
};

/* Below every stack; larger than a page so that a frame of some kilobytes cannot step over it. */
#define STACK_GUARD_BYTES (16u * 1024)

enum rusm_err stack_depot_create(size_t stack_bytes, struct stack_depot **out);
void stack_depot_destroy(struct stack_depot *depot);
/* Stacks ever made; they are pooled, never unmapped before the end. Any thread. */
uint64_t stack_depot_count(struct stack_depot *depot);

/* A stack to run on: one of the scheduler's spares, or a new one; NULL when there is no memory. */
struct stack *stack_take(struct sched *s);
/* Give back a stack; it may still be the current one until the next switch. */
void stack_give(struct sched *s, struct stack *stack);

/* Bytes between `sp` and the stack's top, by whole pages. */
size_t stack_used_bytes(const struct stack *stack, const void *sp);

/*
 * Save the caller's context to *save and go on at `to`. `from` and `dest` are the stacks (NULL: the
 * thread's own); only sanitizers look at them.
 */
void stack_switch(void **save, void *to, struct stack *from, struct stack *dest);
/* Forget the current frames and start over at sched_stack_entry on the same stack. */
_Noreturn void stack_restart(struct stack *stack);
/* The stack pointer that starts `stack` over. */
void *stack_fresh_sp(struct stack *stack);
/* Let the sanitizers know that the switch to a fresh stack is done. First thing on it. */
void stack_arrived(void);

/* Name the process and stop the node when a guard is hit. Process-wide, installed once. */
void stack_overflow_handler_install(void);
/* This thread's alternate stack for that handler; free with rusm_free after the thread's end. */
enum rusm_err stack_overflow_thread_init(void **alternate_stack);
void stack_overflow_thread_deinit(void);

#endif
