/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Fairness: one guest a scheduler that loops for ever, and bystanders that must get their share: W
 * guests that work and mark their progress, a native process that does the same work, and W guests
 * that wait for a timer. One operation is one progress mark, of 4,096 rounds of an empty loop, by a
 * guest or by the native bystander. bystander_share is their part of the machine's processor time.
 * Latency is from the time a timer was set for, from when its guest could run, to when it ran.
 */
#include "engines/catalog.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "engines/guest_run.h"
#include <rusm/timer.h>
#include <string.h>
#include <time.h>

#define ROUNDS_PER_MARK 4096u
#define NATIVE_SLICE_NS 2000000u /* what a guest gets between two interruptions */
#define TIMER_MS        2u

static const char *const guests[] = {engine_source_fairness_spinner_wat,
                                     engine_source_fairness_bystander_wat,
                                     engine_source_fairness_waker_wat};
enum { SPINNER, BYSTANDER, WAKER };

struct waker {
    struct histogram *latency; /* owned; written by its collector */
    rusm_pid guest;
};

struct fairness {
    struct guest_run run;
    struct waker *wakers;         /* owned, one a worker */
    _Atomic uint64_t *bystanders; /* pids, one a worker and the native one; owned */
    uint64_t started_ns;
    uint32_t schedulers;
    _Atomic uint64_t native_marks; /* written by the native bystander */
};

/* --- inside --- */

static int64_t real_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sets the timer of its waker, again and again, and records how late it reports to have run. */
static void collector_body(void *arg) {
    const struct waker *waker = arg;
    for (;;) {
        int64_t due_ns = real_ns() + (int64_t)TIMER_MS * 1000000;
        if (rusm_send_after(waker->guest, TIMER_MS, &due_ns, sizeof due_ns, NULL) != RUSM_OK) {
            return;
        }
        const struct rusm_msg *report = rusm_receive();
        int64_t late_ns;
        if (report->len == sizeof late_ns) {
            memcpy(&late_ns, report->data, sizeof late_ns);
            histogram_record(waker->latency, late_ns > 0 ? (uint64_t)late_ns : 0);
        }
    }
}

static void work(void) {
    for (uint32_t left = ROUNDS_PER_MARK; left > 0; left--) {
        __asm__ volatile("" : "+r"(left)); /* the rounds are the work */
    }
}

/* Native code is not interrupted: it yields by itself, as often as a guest is made to. */
static void native_body(void *arg) {
    struct fairness *fairness = arg;
    uint64_t slice = clock_ns_to_ticks(NATIVE_SLICE_NS);
    uint64_t marks = 0;
    for (;;) {
        uint64_t start = clock_ticks();
        while (clock_ticks() - start < slice) {
            work();
            atomic_store_explicit(&fairness->native_marks, ++marks, memory_order_relaxed);
        }
        rusm_yield();
    }
}

static void note(struct fairness *fairness, uint32_t place, rusm_pid pid) {
    atomic_store_explicit(&fairness->bystanders[place], pid.v, memory_order_relaxed);
}

static void begin(struct guest_run *run) {
    struct fairness *fairness = (struct fairness *)(void *)run;
    uint32_t workers = run->config.workers;
    for (uint32_t i = 0; i < fairness->schedulers; i++) {
        (void)guest_run_spawn(run, SPINNER, "endless loop");
    }
    for (uint32_t i = 0; i < workers; i++) {
        note(fairness, i, guest_run_spawn(run, BYSTANDER, "bystander"));
        struct waker *waker = &fairness->wakers[i];
        waker->guest = guest_run_spawn(run, WAKER, "bystander that waits");
        rusm_pid collector =
            guest_run_spawn_fiber(run, collector_body, waker, "fairness collector");
        (void)rusm_send(waker->guest, &collector, sizeof collector);
    }
    note(fairness, workers, guest_run_spawn_fiber(run, native_body, fairness, "native bystander"));
    guest_run_stay();
}

/* --- outside --- */

static void fairness_free(struct fairness *fairness, uint32_t workers) {
    for (uint32_t i = 0; fairness->wakers && i < workers; i++) {
        histogram_destroy(fairness->wakers[i].latency);
    }
    rusm_free(fairness->wakers);
    rusm_free(fairness->bystanders);
    rusm_free(fairness);
}

static struct fairness *fairness_create(const struct engine_config *config) {
    struct rusm_runtime_info info;
    struct fairness *fairness = rusm_zalloc(sizeof *fairness);
    if (!fairness) {
        return NULL;
    }
    rusm_runtime_info(config->runtime, &info);
    fairness->schedulers = info.schedulers;
    fairness->started_ns = clock_mono_ns();
    fairness->wakers = rusm_zalloc(config->workers * sizeof *fairness->wakers);
    fairness->bystanders = rusm_zalloc((config->workers + 1) * sizeof *fairness->bystanders);
    bool complete = fairness->wakers && fairness->bystanders;
    for (uint32_t i = 0; complete && i < config->workers; i++) {
        fairness->wakers[i].latency = histogram_create();
        complete = fairness->wakers[i].latency != NULL;
    }
    if (!complete) {
        fairness_free(fairness, config->workers);
        return NULL;
    }
    return fairness;
}

static enum rusm_err fairness_start(const struct engine_config *config, void **out) {
    struct fairness *fairness = fairness_create(config);
    if (!fairness) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = guest_run_start(&fairness->run, config, guests, 3, begin);
    if (err != RUSM_OK) {
        fairness_free(fairness, config->workers);
        return err;
    }
    *out = fairness;
    return RUSM_OK;
}

static uint64_t fairness_ops(void *run) {
    struct fairness *fairness = run;
    return guest_run_notifies(&fairness->run) +
           atomic_load_explicit(&fairness->native_marks, memory_order_relaxed);
}

static void fairness_latency(void *run, uint32_t which, struct histogram *into) {
    const struct fairness *fairness = run;
    (void)which;
    for (uint32_t i = 0; i < fairness->run.config.workers; i++) {
        histogram_add(into, fairness->wakers[i].latency);
    }
}

static uint64_t cpu_ns_of(const struct fairness *fairness, uint32_t place) {
    struct rusm_process_info info;
    rusm_pid pid = {atomic_load_explicit(&fairness->bystanders[place], memory_order_relaxed)};
    return rusm_process_info(fairness->run.config.runtime, pid, &info) == RUSM_OK ? info.cpu_ns : 0;
}

static uint32_t fairness_metrics(void *run, struct engine_metric out[ENGINE_METRICS_MAX]) {
    const struct fairness *fairness = run;
    uint32_t workers = fairness->run.config.workers;
    double all = (double)(clock_mono_ns() - fairness->started_ns) * fairness->schedulers;
    double guests_ns = 0;
    for (uint32_t i = 0; i < workers; i++) {
        guests_ns += (double)cpu_ns_of(fairness, i);
    }
    double native_ns = (double)cpu_ns_of(fairness, workers);
    out[0] = (struct engine_metric){"bystander_share", "ratio", (guests_ns + native_ns) / all};
    out[1] = (struct engine_metric){"native_share", "ratio", native_ns / all};
    return 2;
}

static void fairness_stop(void *run) {
    struct fairness *fairness = run;
    guest_run_stop(&fairness->run);
}

static bool fairness_stopped(void *run) {
    struct fairness *fairness = run;
    return guest_run_stopped(&fairness->run);
}

static void fairness_destroy(void *run) {
    struct fairness *fairness = run;
    guest_run_deinit(&fairness->run);
    fairness_free(fairness, fairness->run.config.workers);
}

const struct engine engine_fairness = {
    .id = "fairness",
    .latencies = {"runnable to running", NULL},
    .start = fairness_start,
    .ops = fairness_ops,
    .latency = fairness_latency,
    .metrics = fairness_metrics,
    .problem = guest_run_problem,
    .stop = fairness_stop,
    .stopped = fairness_stopped,
    .destroy = fairness_destroy,
};
