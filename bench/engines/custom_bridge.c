/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Custom bridge: W component guests (bench/guests/custom_bridge.wat) call greet("World"), a typed
 * function of an interface that the embedding program provides, for ever. One operation is one
 * call answered. Latency is from one call of a guest to its next, of one call in 64: the call, its
 * answer, and the guest's check of it.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "engines/greeter.h"
#include "engines/guest_run.h"

static const char *const guests[] = {engine_source_custom_bridge_wat};

struct greetings {
    struct guest_run run;
    uint64_t calls_before;
};

static void begin(struct guest_run *run) {
    for (uint32_t i = 0; i < run->config.workers; i++) {
        (void)guest_run_spawn(run, 0, "greeted guest");
    }
    guest_run_stay();
}

static enum rusm_err greetings_start(const struct engine_config *config, void **out) {
    struct greetings *greetings = rusm_zalloc(sizeof *greetings);
    if (!greetings) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = RUSM_ERR_UNSUPPORTED;
    if (config->greeter) {
        greetings->calls_before = greeter_calls(config->greeter);
        greetings->run.capability = GREETER_CAPABILITY;
        err = guest_run_start(&greetings->run, config, guests, 1, begin);
    }
    if (err != RUSM_OK) {
        rusm_free(greetings);
        return err;
    }
    *out = greetings;
    return RUSM_OK;
}

static uint64_t greetings_ops(void *run) {
    const struct greetings *greetings = run;
    return greeter_calls(greetings->run.config.greeter) - greetings->calls_before;
}

/* The runner takes differences, so that what earlier runs have left in it is no matter. */
static void greetings_latency(void *run, uint32_t which, struct histogram *into) {
    const struct greetings *greetings = run;
    (void)which;
    greeter_latency(greetings->run.config.greeter, into);
}

static void greetings_stop(void *run) {
    struct greetings *greetings = run;
    guest_run_stop(&greetings->run);
}

static bool greetings_stopped(void *run) {
    struct greetings *greetings = run;
    return guest_run_stopped(&greetings->run);
}

static void greetings_destroy(void *run) {
    struct greetings *greetings = run;
    guest_run_deinit(&greetings->run);
    rusm_free(greetings);
}

const struct engine engine_custom_bridge = {
    .id = "custom-bridge",
    .latencies = {"call", NULL},
    .start = greetings_start,
    .ops = greetings_ops,
    .latency = greetings_latency,
    .problem = guest_run_problem,
    .stop = greetings_stop,
    .stopped = greetings_stopped,
    .destroy = greetings_destroy,
};
