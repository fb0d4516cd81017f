/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The one thread-local variable of the library. */
#include "otp/runtime_internal.h"

_Thread_local struct sched *sched_tls;

__attribute__((noinline)) struct sched *sched_current(void) {
    /* The barrier keeps the compiler from moving this read, or its address, across a switch. */
    __asm__ volatile("" ::: "memory");
    return sched_tls;
}
