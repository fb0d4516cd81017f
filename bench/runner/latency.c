/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/latency.h"

enum rusm_err latency_init(struct latency *latency) {
    *latency = (struct latency){
        .now = histogram_create(), .base = histogram_create(), .work = histogram_create()};
    bool complete = latency->now && latency->base && latency->work;
    for (uint32_t i = 0; i < LATENCY_STEPS; i++) {
        latency->steps[i] = histogram_create();
        complete = complete && latency->steps[i];
    }
    if (!complete) {
        latency_deinit(latency);
        return RUSM_ERR_NOMEM;
    }
    return RUSM_OK;
}

void latency_deinit(struct latency *latency) {
    histogram_destroy(latency->now);
    histogram_destroy(latency->base);
    histogram_destroy(latency->work);
    for (uint32_t i = 0; i < LATENCY_STEPS; i++) {
        histogram_destroy(latency->steps[i]);
    }
    *latency = (struct latency){0};
}

static void copy(struct histogram *into, const struct histogram *from) {
    histogram_clear(into);
    histogram_add(into, from);
}

static void read_now(struct latency *latency, const struct engine *engine, void *run,
                     uint32_t which) {
    histogram_clear(latency->now);
    engine->latency(run, which, latency->now);
}

void latency_update(struct latency *latency, const struct engine *engine, void *run, uint32_t which,
                    uint64_t now_ns) {
    if (now_ns < latency->next_ns) {
        return;
    }
    latency->next_ns = now_ns + LATENCY_STEP_NS;
    read_now(latency, engine, run, which);
    copy(latency->work, latency->now);
    histogram_subtract(latency->work, latency->steps[latency->step]);
    histogram_summarize(latency->work, &latency->window);
    copy(latency->steps[latency->step], latency->now);
    latency->step = (latency->step + 1) % LATENCY_STEPS;
}

void latency_mark(struct latency *latency, const struct engine *engine, void *run, uint32_t which) {
    read_now(latency, engine, run, which);
    copy(latency->base, latency->now);
}

void latency_total(struct latency *latency, const struct engine *engine, void *run, uint32_t which,
                   struct histogram_summary *out) {
    read_now(latency, engine, run, which);
    copy(latency->work, latency->now);
    histogram_subtract(latency->work, latency->base);
    histogram_summarize(latency->work, out);
}
