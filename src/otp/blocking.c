/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Threads for work that blocks. Started one by one while jobs wait and the limit allows, kept until
 * the runtime ends. A job lives on the stack of the process that waits for it, which therefore
 * cannot be killed before the job is done.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/runtime_internal.h"

struct job {
    struct job *next;
    void (*fn)(void *);
    void *arg;
    rusm_pid pid;
};

struct blocking_pool {
    struct rusm_runtime *rt; /* immutable */
    pthread_mutex_t lock;    /* guards all below */
    pthread_cond_t work;
    struct job *head;
    struct job **tail;
    uint32_t queued;
    uint32_t idle;
    uint32_t thread_count;
    bool closing;
    pthread_t threads[];
};

enum rusm_err blocking_create(struct rusm_runtime *rt, struct blocking_pool **out) {
    struct blocking_pool *pool =
        rusm_zalloc(sizeof *pool + rt->config.blocking_threads_max * sizeof pool->threads[0]);
    if (!pool) {
        return RUSM_ERR_NOMEM;
    }
    pool->rt = rt;
    pool->tail = &pool->head;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    *out = pool;
    return RUSM_OK;
}

/* Under the lock: the next job, or NULL when the pool closes. */
static struct job *next_job(struct blocking_pool *pool) {
    while (!pool->head && !pool->closing) {
        pool->idle++;
        pthread_cond_wait(&pool->work, &pool->lock);
        pool->idle--;
    }
    struct job *job = pool->head;
    if (job) {
        pool->head = job->next;
        if (!pool->head) {
            pool->tail = &pool->head;
        }
        pool->queued--;
    }
    return job;
}

static void tell_done(struct rusm_runtime *rt, rusm_pid pid) {
    struct signal *sig = signal_create(NULL, SIGNAL_DONE);
    RUSM_ASSERT(sig); /* the process would wait for ever */
    (void)signal_deliver(rt, NULL, pid, sig);
}

static void *run(void *arg) {
    struct blocking_pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct job *job = next_job(pool);
        if (!job) {
            break;
        }
        pthread_mutex_unlock(&pool->lock);
        rusm_pid pid = job->pid; /* the job is gone once its process hears */
        job->fn(job->arg);
        tell_done(pool->rt, pid);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock. With no thread at all the job could never run. */
static bool ensure_thread(struct blocking_pool *pool) {
    if (pool->idle > pool->queued || pool->thread_count == pool->rt->config.blocking_threads_max) {
        return true;
    }
    if (pthread_create(&pool->threads[pool->thread_count], NULL, run, pool) == 0) {
        pool->thread_count++;
    }
    return pool->thread_count > 0;
}

static bool submit(struct blocking_pool *pool, struct job *job) {
    pthread_mutex_lock(&pool->lock);
    bool accepted =
        !pool->closing && pool->queued < pool->rt->config.blocking_jobs_max && ensure_thread(pool);
    if (accepted) {
        *pool->tail = job;
        pool->tail = &job->next;
        pool->queued++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return accepted;
}

void blocking_destroy(struct blocking_pool *pool) {
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    rusm_free(pool);
}

void blocking_info(struct blocking_pool *pool, uint32_t *threads, uint32_t *jobs) {
    pthread_mutex_lock(&pool->lock);
    *threads = pool->thread_count;
    *jobs = pool->queued;
    pthread_mutex_unlock(&pool->lock);
}

enum rusm_err rusm_blocking(void (*fn)(void *arg), void *arg) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && fn);
    struct process *p = s->current;
#ifdef RUSM_SIM
    fn(arg);
    (void)p;
    rusm_yield();
    return RUSM_OK;
#endif
    struct job job = {.fn = fn, .arg = arg, .pid = process_pid(p)};
    p->flags &= (uint8_t)~PROCESS_DONE;
    p->flags |= PROCESS_UNKILLABLE;
    if (!submit(s->rt->blocking, &job)) {
        p->flags &= (uint8_t)~PROCESS_UNKILLABLE;
        return RUSM_ERR_QUEUE_FULL;
    }
    while (!(p->flags & PROCESS_DONE)) {
        s = process_wait(s, p, RUSM_WAIT_BLOCKING);
    }
    p->flags &= (uint8_t)~PROCESS_UNKILLABLE;
    process_check_signals(s, p);
    return RUSM_OK;
}
