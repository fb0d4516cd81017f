/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Exit code 0 if the monotonic clock never goes back in 1,000 readings and the wall clock is past
 * 2020. */
#include <time.h>

int main(void) {
    struct timespec before = {0};
    for (int i = 0; i < 1000; i++) {
        struct timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
            return 1;
        }
        if (now.tv_sec < before.tv_sec ||
            (now.tv_sec == before.tv_sec && now.tv_nsec < before.tv_nsec)) {
            return 2;
        }
        before = now;
    }
    struct timespec wall;
    if (clock_gettime(CLOCK_REALTIME, &wall) != 0) {
        return 1;
    }
    return wall.tv_sec > 1577836800 ? 0 : 3;
}
