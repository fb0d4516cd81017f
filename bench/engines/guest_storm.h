/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Guests spawned, run and reaped: what module-storm, component-storm and dynamic-wasm share. */
#ifndef ENGINES_GUEST_STORM_H
#define ENGINES_GUEST_STORM_H

#include "engines/guest_run.h"

/*
 * How a spawner gets the program of its next guest, held; `own` is the run's, which NULL uses. An
 * error ends the run. Called in a fiber.
 */
typedef enum rusm_err (*guest_storm_program_fn)(rusm_program *own, rusm_program **out,
                                                struct rusm_errinfo *error);

/* For engine.start: `text` is the guest's, static. */
enum rusm_err guest_storm_start(const struct engine_config *config, const char *const *text,
                                guest_storm_program_fn program, void **out);
/* For the fields of struct engine of these names. */
uint64_t guest_storm_ops(void *run);
void guest_storm_latency(void *run, uint32_t which, struct histogram *into);
uint32_t guest_storm_metrics(void *run, struct engine_metric out[ENGINE_METRICS_MAX]);
void guest_storm_stop(void *run);
bool guest_storm_stopped(void *run);
void guest_storm_destroy(void *run);

#endif
