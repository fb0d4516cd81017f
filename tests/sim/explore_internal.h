/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Running a small program under every schedule with up to three unforced switches. */
#ifndef TESTS_SIM_EXPLORE_INTERNAL_H
#define TESTS_SIM_EXPLORE_INTERNAL_H

#include "otp/sim.h"

/* True if `check` accepts every run of `program`; both get `world`. Else says which one it was;
 * explorations repeat exactly. */
bool explore_passes(const char *name, sim_program program, sim_check check, void *world);

/* The same with up to `preemptions_max` unforced switches, for programs with more steps. */
bool explore_passes_within(const char *name, sim_program program, sim_check check, void *world,
                           uint32_t preemptions_max);

#endif
