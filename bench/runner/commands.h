/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What rusm-bench does once its arguments are understood. Each returns the exit code. */
#ifndef RUNNER_COMMANDS_H
#define RUNNER_COMMANDS_H

#include "runner/idle.h"

struct start_options {
    const char *host;
    uint16_t port;
    enum node_profile profile;
    uint32_t ticks_per_second;
    uint32_t schedulers; /* 0 = one a core */
    const char *dashboard_dir;
    const char *peers_file;
    const char *const *origins; /* ended by NULL; NULL = the defaults */
};

struct run_options {
    const struct node_scenario *scenario;
    double seconds;
    enum node_profile profile;
    uint32_t workers;    /* 0 = by the profile */
    uint32_t schedulers; /* 0 = one a core */
    uint32_t repeats;
    uint32_t idle; /* servers alive beside it, 0 to IDLE_MAX */
    bool json;
};

struct idle_options {
    uint32_t count; /* 1 to IDLE_MAX */
    bool json;
};

/* Block the signals that end the program, in the calling thread and those it starts after. */
void command_block_signals(void);

/* Serve until SIGINT or SIGTERM. */
int command_start(const struct start_options *options);
/* Run a scenario and print what it brought; 130 when interrupted. */
int command_run(const struct run_options *options);
/* Measure what idle processes cost and print it; 130 when interrupted. */
int command_idle(const struct idle_options *options);
int command_list(void);
int command_compare(const char *path_a, const char *path_b);

#endif
