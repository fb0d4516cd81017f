/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Creating and destroying runtimes. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/log_internal.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define VERSION "0.1.0"

#ifdef RUSM_SIM
/* Logical ticks: some dozens of scheduling decisions. */
#define DUTY_INTERVAL_TICKS() 32u
#define BACKLOG_AGE_TICKS()   0u
#define EXACT_TICKS()         1000u
#else
#define DUTY_INTERVAL_TICKS() clock_ns_to_ticks(100000)
#define BACKLOG_AGE_TICKS()   clock_ns_to_ticks(20000)
#define EXACT_TICKS()         clock_ns_to_ticks(4000)
#endif

#define DESTROY_POLL_NS 10000000

const char *rusm_version(void) {
    return VERSION;
}

void rusm_config_init(struct rusm_config *config) {
    *config = (struct rusm_config){
        .schedulers = 0,
        .processes_max = 4u * 1024 * 1024,
        .stack_bytes = 64u << 10,
        .reductions = 2000,
        .mailbox_len_max = RUSM_MAILBOX_LEN_LIMIT,
        .mailbox_policy = RUSM_MAILBOX_SHED,
        .log_level = RUSM_LOG_WARN,
        .log_format = RUSM_LOG_TEXT,
        .log_events_max = 500,
        .message_bytes_max = 64u * 1024 * 1024,
        .names_max = 1024u * 1024,
        .groups_max = 1024u * 1024,
        .group_members_max = PID_INDEX_MAX,
        .timers_max = 4u * 1024 * 1024,
        .blocking_threads_max = 4,
        .blocking_jobs_max = 1024,
    };
}

static bool within(uint64_t value, uint64_t low, uint64_t high) {
    return value >= low && value <= high;
}

static bool config_valid(const struct rusm_config *c) {
    return c->schedulers <= SCHEDULERS_MAX && within(c->processes_max, 1, PID_INDEX_MAX) &&
           within(c->stack_bytes, 16 * 1024, 16 * 1024 * 1024) && c->stack_bytes % 4096 == 0 &&
           within(c->reductions, 64, 1000000) &&
           within(c->mailbox_len_max, 1, RUSM_MAILBOX_LEN_LIMIT) && c->names_max >= 1 &&
           c->groups_max >= 1 && within(c->group_members_max, 1, PID_INDEX_MAX) &&
           within(c->timers_max, 1, (1u << TIMER_INDEX_BITS) - 1) &&
           within(c->blocking_threads_max, 1, 1024) && c->blocking_jobs_max >= 1 &&
           (c->mailbox_policy == RUSM_MAILBOX_SHED || c->mailbox_policy == RUSM_MAILBOX_HOLD) &&
           c->log_level <= RUSM_LOG_DEBUG && c->log_format <= RUSM_LOG_JSON &&
           within(c->log_events_max, 1, 1000000);
}

static uint32_t usable_cores(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > (int)SCHEDULERS_MAX ? SCHEDULERS_MAX : (uint32_t)count;
}

static enum rusm_err sched_init(struct rusm_runtime *rt, struct sched *s, uint32_t index) {
    s->rt = rt;
    s->index = index;
    s->random.state = index + 1;
    enum rusm_err err = runq_init(&s->runq);
    if (err == RUSM_OK) {
        err = io_init(s);
    }
    if (err == RUSM_OK) {
        err = timer_wheel_init(&s->wheel, rt->config.timers_max, 0);
    }
    if (err == RUSM_OK) {
        struct stack *first = stack_take(s);
        if (!first) {
            return RUSM_ERR_NOMEM;
        }
        stack_give(s, first);
    }
    return err;
}

/* Not the threads: they have ended, or never started. */
static void sched_deinit(struct sched *s) {
    if (!s->rt) {
        return;
    }
    timer_wheel_deinit(s);
    io_deinit(s);
    runq_deinit(&s->runq);
    rusm_free(s->alternate_stack);
    block_cache_deinit(&s->blocks);
}

#ifdef RUSM_SIM

static enum rusm_err start_schedulers(struct rusm_runtime *rt) {
    return rt->sim ? sim_attach(rt) : RUSM_ERR_UNSUPPORTED;
}

static void stop_schedulers(struct rusm_runtime *rt) {
    sim_detach(rt);
}

static void wait_some(struct rusm_runtime *rt) {
    sim_run_to_rest(rt);
}

#else

static void *thread_main(void *arg) {
    struct sched *s = arg;
    pthread_attr_t attributes;
    void *low = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstack(&attributes, &low, &s->thread_stack_bytes);
        pthread_attr_destroy(&attributes);
    }
    s->thread_stack_low = low;
    RUSM_ASSERT(stack_overflow_thread_init(&s->alternate_stack) == RUSM_OK);
    sched_main(s);
    stack_overflow_thread_deinit();
    return NULL;
}

static void stop_schedulers(struct rusm_runtime *rt) {
    struct watch *watch = atomic_load_explicit(&rt->watch, memory_order_acquire);
    watch_stop(watch);
    atomic_store_explicit(&rt->halt, 1, memory_order_seq_cst);
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        if (rt->scheds[i].started) {
            sched_unpark(&rt->scheds[i]);
            pthread_join(rt->scheds[i].thread, NULL);
        }
    }
    watch_destroy(watch);
}

static enum rusm_err start_schedulers(struct rusm_runtime *rt) {
    enum rusm_err err = RUSM_OK;
    for (uint32_t i = 0; i < rt->sched_count && err == RUSM_OK; i++) {
        struct sched *s = &rt->scheds[i];
        s->started = pthread_create(&s->thread, NULL, thread_main, s) == 0;
        err = s->started ? RUSM_OK : RUSM_ERR_SYSTEM;
    }
    /* Set up last, since only a running scheduler tells it of work; see watch_notice. */
    struct watch *watch = NULL;
    if (err == RUSM_OK) {
        err = watch_create(rt, &watch);
    }
    atomic_store_explicit(&rt->watch, watch, memory_order_release);
    if (err != RUSM_OK) {
        stop_schedulers(rt);
    }
    return err;
}

/* Until no process is left, or some time has passed. */
static void wait_some(struct rusm_runtime *rt) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += DESTROY_POLL_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&rt->idle_lock);
    atomic_fetch_add_explicit(&rt->idle_waiters, 1, memory_order_relaxed);
    if (runtime_process_count(rt) > 0) {
        (void)pthread_cond_timedwait(&rt->idle_cond, &rt->idle_lock, &until);
    }
    atomic_fetch_sub_explicit(&rt->idle_waiters, 1, memory_order_relaxed);
    pthread_mutex_unlock(&rt->idle_lock);
}

#endif

static void free_runtime(struct rusm_runtime *rt) {
    if (rt->blocking) {
        /* First: a thread of the pool may still be waking the scheduler of its last job. */
        blocking_destroy(rt->blocking);
    }
    for (uint32_t i = 0; rt->scheds && i < rt->sched_count; i++) {
        sched_deinit(&rt->scheds[i]);
    }
    names_destroy(rt->names);
    groups_destroy(rt->groups);
    stack_depot_destroy(rt->stack_depot);
    cell_depot_destroy(rt->cell_depot);
    ptab_deinit(rt);
    pthread_mutex_destroy(&rt->idle_lock);
    pthread_cond_destroy(&rt->idle_cond);
    rusm_free(rt->scheds);
    rusm_free(rt);
}

static enum rusm_err init_runtime(struct rusm_runtime *rt, const struct rusm_config *config) {
    rt->config = *config;
    rt->sched_count = config->schedulers ? config->schedulers : usable_cores();
    rt->start_ns = clock_mono_ns();
    rt->duty_interval_ticks = DUTY_INTERVAL_TICKS();
    rt->backlog_age_ticks = BACKLOG_AGE_TICKS();
    rt->exact_ticks = EXACT_TICKS();
    pthread_mutex_init(&rt->idle_lock, NULL);
    pthread_cond_init(&rt->idle_cond, NULL);
    enum rusm_err err = ptab_init(rt);
    if (err == RUSM_OK) {
        err = cell_depot_create(&rt->cell_depot);
    }
    if (err == RUSM_OK) {
        err = stack_depot_create(config->stack_bytes, &rt->stack_depot);
    }
    if (err == RUSM_OK) {
        err = names_create(rt, &rt->names);
    }
    if (err == RUSM_OK) {
        err = groups_create(rt, &rt->groups);
    }
    if (err == RUSM_OK) {
        err = blocking_create(rt, &rt->blocking);
    }
    if (err == RUSM_OK) {
        rt->scheds = rusm_zalloc_aligned(64, rt->sched_count * sizeof *rt->scheds);
        err = rt->scheds ? RUSM_OK : RUSM_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < rt->sched_count && err == RUSM_OK; i++) {
        err = sched_init(rt, &rt->scheds[i], i);
    }
    return err;
}

enum rusm_err runtime_create(const struct rusm_config *config, struct sim *sim,
                             rusm_runtime **out) {
    RUSM_ASSERT(out);
    struct rusm_config defaults;
    if (!config) {
        rusm_config_init(&defaults);
        config = &defaults;
    }
    if (!config_valid(config)) {
        return RUSM_ERR_INVALID;
    }
    struct rusm_runtime *rt = rusm_zalloc_aligned(64, sizeof *rt);
    if (!rt) {
        return RUSM_ERR_NOMEM;
    }
    rt->sim = sim;
    stack_overflow_handler_install();
    enum rusm_err err = init_runtime(rt, config);
    if (err == RUSM_OK) {
        err = start_schedulers(rt);
    }
    if (err != RUSM_OK) {
        free_runtime(rt);
        return err;
    }
    *out = rt;
    return RUSM_OK;
}

enum rusm_err rusm_runtime_create(const struct rusm_config *config, rusm_runtime **out) {
    return runtime_create(config, NULL, out);
}

static bool kill_one(void *arg, rusm_pid pid) {
    (void)rusm_kill(arg, pid);
    return true;
}

void rusm_runtime_wait_idle(rusm_runtime *runtime) {
    RUSM_ASSERT(runtime && !(sched_tls && sched_tls->rt == runtime));
    while (runtime_process_count(runtime) > 0) {
        wait_some(runtime);
    }
}

void otp_at_end(rusm_runtime *runtime, struct otp_at_end *entry) {
    pthread_mutex_lock(&runtime->idle_lock);
    entry->next = runtime->at_end;
    runtime->at_end = entry;
    pthread_mutex_unlock(&runtime->idle_lock);
}

void otp_at_end_cancel(rusm_runtime *runtime, struct otp_at_end *entry) {
    pthread_mutex_lock(&runtime->idle_lock);
    struct otp_at_end **at = &runtime->at_end;
    while (*at && *at != entry) {
        at = &(*at)->next;
    }
    RUSM_ASSERT(*at);
    *at = entry->next;
    pthread_mutex_unlock(&runtime->idle_lock);
}

static void call_at_end(struct rusm_runtime *rt) {
    for (;;) {
        pthread_mutex_lock(&rt->idle_lock);
        struct otp_at_end *entry = rt->at_end;
        rt->at_end = entry ? entry->next : NULL;
        pthread_mutex_unlock(&rt->idle_lock);
        if (!entry) {
            return;
        }
        entry->fn(entry->arg);
    }
}

void rusm_runtime_destroy(rusm_runtime *runtime) {
    if (!runtime) {
        return;
    }
    RUSM_ASSERT(!(sched_tls && sched_tls->rt == runtime));
    atomic_store_explicit(&runtime->stopping, 1, memory_order_seq_cst);
    while (runtime_process_count(runtime) > 0) {
        rusm_process_each(runtime, kill_one, runtime);
        wait_some(runtime);
    }
    call_at_end(runtime);
    stop_schedulers(runtime);
    log_dropped(runtime, NULL);
    free_runtime(runtime);
}
