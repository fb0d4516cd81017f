/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * One latency of a run, from the cumulative histograms that the engine's workers write: what the
 * last second brought (for the live view, moved on every quarter of a second) and what all of the
 * time since the warm-up brought (for the summary). One thread.
 */
#ifndef RUNNER_LATENCY_H
#define RUNNER_LATENCY_H

#include "engines/engine.h"

#define LATENCY_STEPS   4u         /* of a window */
#define LATENCY_STEP_NS 250000000u /* a step */

struct latency {
    struct histogram *now;                  /* owned; all since the start, at the latest reading */
    struct histogram *base;                 /* owned; all that the warm-up brought */
    struct histogram *work;                 /* owned; for differences */
    struct histogram *steps[LATENCY_STEPS]; /* owned; `now` as it was at each of the last steps */
    uint32_t step;                          /* the oldest of them */
    uint64_t next_ns;                       /* when the next step is due */
    struct histogram_summary window;
};

/* Errors: NOMEM; nothing is left behind. */
enum rusm_err latency_init(struct latency *latency);
void latency_deinit(struct latency *latency);

/* Look at the engine's latency `which` if a step is due. */
void latency_update(struct latency *latency, const struct engine *engine, void *run, uint32_t which,
                    uint64_t now_ns);
/* The warm-up ends now. */
void latency_mark(struct latency *latency, const struct engine *engine, void *run, uint32_t which);
/* All since the mark. */
void latency_total(struct latency *latency, const struct engine *engine, void *run, uint32_t which,
                   struct histogram_summary *out);

#endif
