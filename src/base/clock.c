/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/clock.h"

#include <pthread.h>
#include <time.h>

#define CALIBRATION_NS 2000000u
#define NS_PER_SECOND  1000000000u

/* A property of the machine, the same for every runtime of the program. Written once. */
static uint64_t ticks_per_second;
static pthread_once_t calibrated = PTHREAD_ONCE_INIT;

uint64_t clock_mono_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

#if !defined(__aarch64__)
static uint64_t measure(void) {
    uint64_t ns0 = clock_mono_ns();
    uint64_t ticks0 = clock_ticks();
    uint64_t ns1;
    do {
        ns1 = clock_mono_ns();
    } while (ns1 - ns0 < CALIBRATION_NS);
    uint64_t ticks1 = clock_ticks();
    return (ticks1 - ticks0) * NS_PER_SECOND / (ns1 - ns0);
}
#endif

static void calibrate(void) {
#if defined(__aarch64__)
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(ticks_per_second));
#else
    ticks_per_second = measure();
#endif
}

uint64_t clock_ticks_per_second(void) {
    pthread_once(&calibrated, calibrate);
    return ticks_per_second;
}

uint64_t clock_ticks_to_ns(uint64_t ticks) {
    return (uint64_t)((unsigned __int128)ticks * NS_PER_SECOND / clock_ticks_per_second());
}

uint64_t clock_ns_to_ticks(uint64_t ns) {
    return (uint64_t)((unsigned __int128)ns * clock_ticks_per_second() / NS_PER_SECOND);
}
