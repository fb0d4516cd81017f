/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Time. `ticks` are the processor's constant-rate counter: about 10 ns to read here, comparable
 * between cores. `mono` is CLOCK_MONOTONIC in nanoseconds: about 25 ns to read.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

static inline uint64_t clock_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
#error "no cycle counter known for this processor"
#endif
}

/* Ticks a second; measured once a program for 2 ms against the monotonic clock where the processor
 * does not tell. Exact to about 1 in 20,000. Any thread. */
uint64_t clock_ticks_per_second(void);

/* Convert a difference of ticks to nanoseconds. Any thread. */
uint64_t clock_ticks_to_ns(uint64_t ticks);

/* Convert nanoseconds to ticks. Any thread. */
uint64_t clock_ns_to_ticks(uint64_t ns);

/* CLOCK_MONOTONIC in nanoseconds. Any thread. */
uint64_t clock_mono_ns(void);

#endif
