/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The result of a headless run: one immutable JSON line, and the comparison of two files of such
 * lines. One thread. */
#ifndef RUNNER_RESULT_H
#define RUNNER_RESULT_H

#include "runner/runner.h"
#include <stdio.h>

#define RESULT_SCHEMA      1
#define RESULT_REPEATS_MAX 100u

struct result {
    const struct node_scenario *scenario;
    enum node_profile profile;
    uint32_t workers;
    uint32_t schedulers;
    uint32_t idle;  /* processes that were alive beside the run and did nothing */
    double seconds; /* measured in each repeat */
    uint32_t repeats;
    struct runner_summary summaries[RESULT_REPEATS_MAX];
};

/* Median, least and greatest value of metric `index` over the repeats. */
struct result_spread {
    double median;
    double min;
    double max;
};
struct result_spread result_spread(const struct result *result, uint32_t index);

/* For people. */
void result_print(const struct result *result, FILE *file);
/* The JSON line. False if memory is out or the file cannot be written. */
bool result_print_json(const struct result *result, FILE *file);

/*
 * Print, for every scenario and metric that both files have, the ratio of the medians (b to a) and
 * the spread of each. Several lines of one scenario count as repeats. NULL, or what is wrong
 * (static).
 */
const char *result_compare(const char *path_a, const char *path_b, FILE *file);

#endif
