/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "seeds_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    if (!text || !*text) {
        return otherwise;
    }
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || *end) {
        fprintf(stderr, "%s=%s is not a number\n", name, text);
        exit(2);
    }
    return value;
}

static _Noreturn void run_all(seeds_run run, uint64_t first, uint64_t count,
                              volatile uint64_t *current) {
    for (uint64_t i = 0; i < count; i++) {
        *current = first + i;
        if (!run(first + i)) {
            _exit(1);
        }
    }
    exit(0); /* not _exit: the leak checker runs at exit */
}

bool seeds_pass(seeds_run run, uint64_t count) {
    return seeds_pass_times(run, count, 1);
}

bool seeds_pass_times(seeds_run run, uint64_t count, uint64_t factor) {
    uint64_t first = from_environment("RUSM_SIM_SEED", 0);
    uint64_t asked = from_environment("RUSM_SIM_SEEDS", 0);
    if (asked > 0) {
        count = first > 0 ? asked : asked * factor;
    }
    first = first > 0 ? first : 1;
    volatile uint64_t *current =
        mmap(NULL, sizeof *current, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (current == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_all(run, first, count, current);
    }
    int status = -1;
    bool passed = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                  WEXITSTATUS(status) == 0;
    if (!passed) {
        fprintf(stderr, "seed=%" PRIu64 " rerun: RUSM_SIM_SEED=%" PRIu64 " RUSM_SIM_SEEDS=1 %s\n",
                *current, *current, program_invocation_name);
    }
    munmap((void *)(uintptr_t)current, sizeof *current);
    return passed;
}
