/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The watch: a thread that ticks while schedulers work and sleeps while all are parked. It catches
 * what a scheduler cannot see while it is stuck in one long run: work that waits behind it while
 * another scheduler sleeps; and the long run itself, which it reports by name. What such a
 * scheduler has in its next-slot, its timers and its descriptors still wait for the run to end.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/log_internal.h"
#include <errno.h>
#include <time.h>

#define TICK_NS 5000000u
/* A run longer than this is reported. */
#define LONG_RUN_MS 100u
/* Ticks without work before the watch goes to sleep, so that it is not woken for every message. */
#define IDLE_TICKS 100u

/* A run that goes on: since the duties that are due, and the thread's processor time then. */
struct run {
    uint64_t due;
    uint64_t cpu_ns;
    bool reported;
};

struct watch {
    struct rusm_runtime *rt; /* immutable */
    pthread_t thread;
    _Atomic uint32_t asleep; /* 1: watch_notice must wake it */
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t wake;
    bool closing;
    struct run runs[SCHEDULERS_MAX]; /* watch thread */
};

/* What runs on a scheduler that is stuck. */
struct culprit {
    struct rusm_runtime *rt;
    uint32_t sched;
    struct rusm_process_info info; /* pid {0}: not found */
};

static bool is_culprit(void *arg, rusm_pid pid) {
    struct culprit *culprit = arg;
    struct rusm_process_info info;
    if (rusm_process_info(culprit->rt, pid, &info) != RUSM_OK ||
        info.status != RUSM_PROCESS_RUNNING || info.scheduler != culprit->sched) {
        return true;
    }
    culprit->info = info;
    return false;
}

/* Processor time of the scheduler's thread: what the system gave to others is nobody's fault. */
static uint64_t thread_cpu_ns(struct sched *s) {
    clockid_t clock;
    struct timespec time;
    if (pthread_getcpuclockid(s->thread, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Whether one run has used up LONG_RUN_MS, told once for each run. */
static bool is_long_run(struct watch *watch, struct sched *s, uint64_t now) {
    struct run *run = &watch->runs[s->index];
    uint64_t due = counter_get(&s->duty_ticks);
    if (atomic_load_explicit(&s->parked, memory_order_relaxed) || due == 0 || now < due) {
        return false;
    }
    if (run->due != due) {
        *run = (struct run){.due = due, .cpu_ns = thread_cpu_ns(s)};
        return false;
    }
    return !run->reported && thread_cpu_ns(s) - run->cpu_ns > (uint64_t)LONG_RUN_MS * 1000000u;
}

/* Name the process that has held its scheduler for long. */
static void report_long_run(struct watch *watch, struct sched *s, uint64_t now) {
    if (!is_long_run(watch, s, now)) {
        return;
    }
    struct culprit culprit = {.rt = watch->rt, .sched = s->index};
    rusm_process_each(watch->rt, is_culprit, &culprit);
    if (culprit.info.pid.v != 0) {
        watch->runs[s->index].reported = true;
        log_long_run(watch->rt, &culprit.info, LONG_RUN_MS);
    }
}

static bool all_parked(struct rusm_runtime *rt) {
    return atomic_load_explicit(&rt->parked_count, memory_order_seq_cst) == rt->sched_count;
}

static void look_around(struct watch *watch) {
    struct rusm_runtime *rt = watch->rt;
    uint64_t now = clock_ticks();
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        struct sched *s = &rt->scheds[i];
        report_long_run(watch, s, now);
        uint64_t since = counter_get(&s->runq.backlog_since);
        bool queue_waits = since != 0 && now > since && now - since > rt->backlog_age_ticks &&
                           runq_len(&s->runq) > 0;
        if ((queue_waits || sched_inbox_is_stuck(s, now)) &&
            atomic_load_explicit(&rt->parked_count, memory_order_relaxed) > 0) {
            sched_wake_thief(s);
        }
    }
}

/* Under the lock. */
static void sleep_until_noticed(struct watch *watch) {
    atomic_store_explicit(&watch->asleep, 1, memory_order_seq_cst);
    /* A scheduler that unparked before it could see `asleep` is seen here: watch_notice. */
    while (!watch->closing && all_parked(watch->rt) &&
           atomic_load_explicit(&watch->asleep, memory_order_relaxed)) {
        pthread_cond_wait(&watch->wake, &watch->lock);
    }
    atomic_store_explicit(&watch->asleep, 0, memory_order_relaxed);
}

static void tick(struct watch *watch) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    int rc = pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
    RUSM_ASSERT(rc == 0 || rc == ETIMEDOUT);
}

static void *run(void *arg) {
    struct watch *watch = arg;
    uint32_t idle = 0;
    pthread_mutex_lock(&watch->lock);
    while (!watch->closing) {
        idle = all_parked(watch->rt) ? idle + 1 : 0;
        if (idle > IDLE_TICKS) {
            sleep_until_noticed(watch);
            idle = 0;
        } else {
            tick(watch);
        }
        look_around(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

enum rusm_err watch_create(struct rusm_runtime *rt, struct watch **out) {
    struct watch *watch = rusm_zalloc(sizeof *watch);
    if (!watch) {
        return RUSM_ERR_NOMEM;
    }
    watch->rt = rt;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        pthread_cond_destroy(&watch->wake);
        pthread_mutex_destroy(&watch->lock);
        rusm_free(watch);
        return RUSM_ERR_SYSTEM;
    }
    *out = watch;
    return RUSM_OK;
}

void watch_stop(struct watch *watch) {
    if (!watch) {
        return;
    }
    pthread_mutex_lock(&watch->lock);
    watch->closing = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
}

void watch_destroy(struct watch *watch) {
    if (!watch) {
        return;
    }
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    rusm_free(watch);
}

void watch_notice(struct watch *watch) {
    if (watch && atomic_load_explicit(&watch->asleep, memory_order_seq_cst)) {
        pthread_mutex_lock(&watch->lock);
        atomic_store_explicit(&watch->asleep, 0, memory_order_relaxed);
        pthread_cond_signal(&watch->wake);
        pthread_mutex_unlock(&watch->lock);
    }
}
