/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Running a program under many seeds. The runs are made in a child process, so that an assertion of
 * the runtime, too, ends with the seed that broke it and the command that repeats it.
 */
#ifndef TESTS_SIM_SEEDS_INTERNAL_H
#define TESTS_SIM_SEEDS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* True if the run with this seed was right; else it has said on standard error what was wrong. */
typedef bool (*seeds_run)(uint64_t seed);

/*
 * Run seeds RUSM_SIM_SEED [1] and following, RUSM_SIM_SEEDS [`count`] of them, until one fails.
 * True if none did.
 */
bool seeds_pass(seeds_run run, uint64_t count);

/* The same with `factor` times RUSM_SIM_SEEDS, unless RUSM_SIM_SEED says where to begin. */
bool seeds_pass_times(seeds_run run, uint64_t count, uint64_t factor);

#endif
