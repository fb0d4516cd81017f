/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Simulation mode (builds with RUSM_SIM): the real scheduler, mailbox, timer and process code on
 * virtual schedulers that take turns on one thread. At every access to shared memory the next to go
 * on is chosen by a seed (sim_run) or by exhaustive search (sim_explore). Time is logical: it
 * advances when all are parked, or as one more choice. Same seed, same history; the hash says so.
 *
 * The model is sequentially consistent: it finds wrong protocols, not missing fences, for which
 * there is ThreadSanitizer.
 * Limits: descriptors and rusm_blocking's threads are not simulated (a job runs inline).
 */
#ifndef OTP_SIM_H
#define OTP_SIM_H

#include <rusm/rusm.h>

/* Bugs that can be planted, to test that they would be found. */
enum sim_bug {
    SIM_BUG_NONE,
    SIM_BUG_LOST_WAKEUP, /* the step to waiting is not atomic */
};

/* Starts the program's first processes, from outside. */
typedef void (*sim_program)(rusm_runtime *rt, void *arg);

struct sim_options {
    uint64_t seed;
    uint32_t schedulers;      /* 1 to 8; 0 = 2 */
    uint32_t preempt_percent; /* chance of a switch at each point; 0 = 25 */
    uint64_t steps_max;       /* points before the run is called stuck; 0 = 1,000,000 */
    enum sim_bug bug;
    uint32_t preemptions_max; /* sim_explore: unforced switches in one run; 0 = 2 */
    uint64_t runs_max;        /* sim_explore: 0 = no limit */
};

struct sim_result {
    uint64_t hash;          /* of the history */
    uint64_t steps;         /* points passed */
    uint64_t time_ms;       /* logical, at the end */
    uint64_t process_count; /* alive when nothing could go on any more */
    bool stuck;             /* steps_max reached */
};

/* Run `program` until nothing can go on. Processes still waiting then are counted, and killed. */
void sim_run(const struct sim_options *options, sim_program program, void *arg,
             struct sim_result *out);

/* The logical time of a run under way; for the program's own checks. */
uint64_t sim_now_ms(rusm_runtime *rt);

struct sim_exploration {
    uint64_t runs;
    bool complete; /* every schedule within preemptions_max was run */
    bool failed;   /* `check` refused a run; `result` is that run's */
    struct sim_result result;
};

/* True if the run was right. Called after each run with the program's `arg`. */
typedef bool (*sim_check)(void *arg, const struct sim_result *result);

/* Run `program` under every schedule with at most `preemptions_max` unforced switches (the bound of
 * CHESS, Musuvathi & Qadeer, PLDI 2007), until `check` refuses one. */
void sim_explore(const struct sim_options *options, sim_program program, sim_check check, void *arg,
                 struct sim_exploration *out);

#endif
