/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Sleeps 20 ms, or as many as its second argument says. Exit code 0 if the monotonic clock has gone
 * on by as much, 1 if not, 2 if it could not sleep. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        exit(2);
    }
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
    long ms = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    int64_t before = now_ns();
    if (nanosleep(&time, NULL) != 0) {
        return 2;
    }
    return now_ns() - before >= ms * 1000000LL ? 0 : 1;
}
