/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Idle processes: a crowd to have beside a run, and what one of them costs.
 *
 * Model. One process spawns the crowd and ends. The crowd has started when every process of it
 * waits for a message, so that every scheduler rests; it is killed from outside.
 * Thread rules: one thread, no scheduler's. Nothing else may run on the runtime while a crowd
 * starts: it would never be at rest.
 * Ownership: the runtime is borrowed until idle_stop returns.
 */
#ifndef RUNNER_IDLE_H
#define RUNNER_IDLE_H

#include "runner/result.h"

#define IDLE_MAX           16000000u /* the process table has 16 Mi slots; some are for others */
#define IDLE_CPU_SECONDS   1u
#define IDLE_PROBLEM_BYTES 256u

enum idle_end { IDLE_DONE, IDLE_FAILED, IDLE_INTERRUPTED };

/* Wait that long; false when the user wants to end. */
typedef bool (*idle_pause_fn)(uint64_t duration_ns);

struct idle_crowd;

/* Make room in the process table for `count` besides what the defaults allow for. */
void idle_make_room(struct rusm_config *config, uint32_t count);

/*
 * Have `count` idle servers, 1 to IDLE_MAX. Blocks until they wait. `problem` says why it FAILED.
 * After anything but DONE there is no crowd and none of its processes is left.
 */
enum idle_end idle_start(rusm_runtime *runtime, uint32_t count, idle_pause_fn pause,
                         struct idle_crowd **out, char problem[IDLE_PROBLEM_BYTES]);
/* Kill them, wait until all are gone, free the crowd. */
void idle_stop(struct idle_crowd *crowd);

/*
 * What `count` idle servers cost in a fresh runtime, then as many fibers in another; the time of
 * the processor over IDLE_CPU_SECONDS with the servers. The first runtime of a program takes some
 * milliseconds longer to make. Blocks for some seconds a million. `problem` says why it FAILED.
 */
enum idle_end idle_measure(uint32_t count, idle_pause_fn pause, struct result *out,
                           char problem[IDLE_PROBLEM_BYTES]);

#endif
