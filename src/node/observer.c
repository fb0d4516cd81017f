/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/observer_internal.h"

#include <stdio.h>
#include <unistd.h>

void observer_init(struct observer *observer, rusm_runtime *runtime) {
    *observer = (struct observer){.runtime = runtime};
}

static uint64_t resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) {
        return 0;
    }
    unsigned long long total;
    unsigned long long resident;
    int fields = fscanf(file, "%llu %llu", &total, &resident);
    (void)fclose(file);
    return fields == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* The share of `span_ns` that was not idle. */
static double load_of(uint64_t span_ns, uint64_t idle_ns) {
    if (span_ns == 0 || idle_ns >= span_ns) {
        return 0;
    }
    return 1.0 - (double)idle_ns / (double)span_ns;
}

void observer_sample(struct observer *observer, struct observer_snapshot *out) {
    struct rusm_runtime_info runtime;
    rusm_runtime_info(observer->runtime, &runtime);
    *out = (struct observer_snapshot){
        .uptime_ms = runtime.uptime_ns / 1000000,
        .process_count = runtime.process_count,
        .total_memory_bytes = resident_bytes(),
        .runtime_memory_bytes = runtime.memory_bytes,
        .spawned_total = runtime.spawned_outside,
        .messages_total = runtime.messages_outside,
        .schedulers = runtime.schedulers < OBSERVER_SCHEDULERS_MAX ? runtime.schedulers
                                                                   : OBSERVER_SCHEDULERS_MAX,
    };
    uint64_t span_ns = observer->last_ns != 0 ? runtime.uptime_ns - observer->last_ns : 0;
    for (uint32_t i = 0; i < out->schedulers; i++) {
        struct rusm_scheduler_info info;
        if (rusm_scheduler_info(observer->runtime, i, &info) != RUSM_OK) {
            continue;
        }
        /* Figures of different moments: an idle time a little ahead of the uptime is no news. */
        uint64_t idle_ns =
            info.idle_ns > observer->last_idle_ns[i] ? info.idle_ns - observer->last_idle_ns[i] : 0;
        out->load[i] = load_of(span_ns, idle_ns);
        out->run_queue_lengths[i] = info.run_queue_len;
        out->running += info.run_queue_len + (info.parked ? 0u : 1u);
        out->spawned_total += info.spawned;
        out->finished_total += info.finished;
        out->messages_total += info.messages;
        observer->last_idle_ns[i] = info.idle_ns;
    }
    observer->last_ns = runtime.uptime_ns;
    if (out->running > out->process_count) {
        out->running = out->process_count;
    }
    out->waiting = out->process_count - out->running;
}
