/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Module storm: W spawners keep 100 guests each on their way, every one a fresh instance of
 * bench/guests/module_storm.wat in a process of its own: one page of memory, touched once. One
 * operation is one guest spawned, run and reaped. Latency is from before the spawn until the guest
 * has been reaped, for one guest in 32.
 */
#include "engines/catalog.h"

#include "engines/guest_storm.h"

static const char *const guest = engine_source_module_storm_wat;

static enum rusm_err start(const struct engine_config *config, void **out) {
    return guest_storm_start(config, &guest, NULL, out);
}

const struct engine engine_module_storm = {
    .id = "module-storm",
    .latencies = {"spawn to reaped", NULL},
    .start = start,
    .ops = guest_storm_ops,
    .latency = guest_storm_latency,
    .metrics = guest_storm_metrics,
    .problem = guest_run_problem,
    .stop = guest_storm_stop,
    .stopped = guest_storm_stopped,
    .destroy = guest_storm_destroy,
};
