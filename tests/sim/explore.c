/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "explore_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define PREEMPTIONS_MAX 3u
#define STEPS_MAX       10000u

bool explore_passes(const char *name, sim_program program, sim_check check, void *world) {
    return explore_passes_within(name, program, check, world, PREEMPTIONS_MAX);
}

bool explore_passes_within(const char *name, sim_program program, sim_check check, void *world,
                           uint32_t preemptions_max) {
    for (uint32_t preemptions = 1; preemptions <= preemptions_max; preemptions++) {
        struct sim_options options = {.preemptions_max = preemptions, .steps_max = STEPS_MAX};
        struct sim_exploration exploration;
        sim_explore(&options, program, check, world, &exploration);
        printf("%s: %u preemptions, %" PRIu64 " runs\n", name, preemptions, exploration.runs);
        if (exploration.failed || !exploration.complete) {
            fprintf(stderr,
                    "%s: run %" PRIu64 " with %u preemptions is wrong: %" PRIu64
                    " processes left%s, hash=%016" PRIx64 "\n",
                    name, exploration.runs, preemptions, exploration.result.process_count,
                    exploration.result.stuck ? ", no end" : "", exploration.result.hash);
            return false;
        }
    }
    return true;
}
