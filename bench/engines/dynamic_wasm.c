/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Dynamic wasm: W spawners keep 100 guests each on their way, each spawned from the bytes of
 * bench/guests/module_storm.wat, given anew with every spawn: the program is found by its content.
 * One operation is one guest spawned, run and reaped; the cold compile, which happens once, is
 * reported apart. Latency is from before the lookup until the guest has been reaped.
 */
#include "engines/catalog.h"

#include "engines/guest_storm.h"
#include <rusm/timer.h>
#include <string.h>

static const char *const guest = engine_source_module_storm_wat;

struct job {
    rusm_program *like;
    rusm_program *program;
    enum rusm_err err;
    struct rusm_errinfo *error;
};

/* On a thread that may block. */
static void load(void *arg) {
    struct job *job = arg;
    job->err = rusm_program_load_from(job->like, guest, strlen(guest), &job->program, job->error);
}

/* The program of the bytes at hand, under the capability of `like`. */
static enum rusm_err find_or_load(rusm_program *like, rusm_program **out,
                                  struct rusm_errinfo *error) {
    *out = rusm_program_find_from(like, guest, strlen(guest));
    if (*out) {
        return RUSM_OK;
    }
    struct job job = {.like = like, .error = error};
    enum rusm_err err = rusm_blocking(load, &job);
    *out = job.program;
    return err == RUSM_OK ? job.err : err;
}

static enum rusm_err start(const struct engine_config *config, void **out) {
    return guest_storm_start(config, &guest, find_or_load, out);
}

const struct engine engine_dynamic_wasm = {
    .id = "dynamic-wasm",
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
