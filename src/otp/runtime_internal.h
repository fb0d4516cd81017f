/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The runtime and what its schedulers share: the process table, the registry, the threads beside
 * the schedulers. None of it is touched on the path of a message or of a spawn. */
#ifndef OTP_RUNTIME_INTERNAL_H
#define OTP_RUNTIME_INTERNAL_H

#include "otp/sched_internal.h"

struct blocking_pool;
struct names;
struct groups;
struct sim;

/* Chunks of the process table. */
#define PTAB_CHUNK_BITS 12u
#define PTAB_CHUNK_LEN  (1u << PTAB_CHUNK_BITS)
#define PTAB_CHUNKS     (1u << (PID_INDEX_BITS - PTAB_CHUNK_BITS))

struct ptab {
    _Atomic(struct process *)
        chunks[PTAB_CHUNKS]; /* each mapped once, never unmapped before the end */
    _Atomic uint32_t used;   /* slots carved so far */
    pthread_mutex_t lock;    /* guards what follows, and growth */
    struct process *depot;   /* chains of free slots, linked by `link` within, `arg` between */
    struct process_ext *free_exts;
    void *ext_slabs;
};

struct rusm_runtime {
    /* immutable after init */
    struct rusm_config config;
    uint32_t sched_count;
    struct sched *scheds;
    uint64_t start_ns;
    uint64_t duty_interval_ticks;
    uint64_t backlog_age_ticks; /* a run queue older than this may be stolen from */
    uint64_t exact_ticks;       /* a window slower than this turns exact accounting on */
    struct cell_depot *cell_depot;
    struct stack_depot *stack_depot;
    struct blocking_pool *blocking;
    struct names *names;
    struct groups *groups;
    _Atomic(struct watch *) watch; /* set once the schedulers run */
    struct sim *sim;
    struct sched *sim_resume; /* which virtual scheduler the driver goes on with */

    /* any thread */
    alignas(64) _Atomic uint32_t parked_count;
    _Atomic uint32_t stopping;        /* no new processes */
    _Atomic uint32_t halt;            /* schedulers return */
    _Atomic uint32_t spawn_turn;      /* round robin for spawns from outside */
    _Atomic uint64_t outside_spawned; /* spawns from threads that are no scheduler */
    _Atomic uint64_t outside_messages;
    _Atomic uint32_t idle_waiters;
    _Atomic uint64_t log_window; /* log.c */
    _Atomic uint64_t log_dropped_outside;
    _Atomic uint64_t log_dropped_told;
    pthread_mutex_t idle_lock; /* guards the list, and the condition's wait */
    pthread_cond_t idle_cond;
    struct otp_at_end *at_end; /* borrowed */

    struct ptab ptab;
};

/* ---- ptab.c ---- */
enum rusm_err ptab_init(struct rusm_runtime *rt);
void ptab_deinit(struct rusm_runtime *rt);
/* A free slot, taken; `s` NULL: from outside. Errors: PROCESS_LIMIT, NOMEM. */
enum rusm_err ptab_take(struct rusm_runtime *rt, struct sched *s, struct process **out);
void ptab_give(struct rusm_runtime *rt, struct sched *s, struct process *p);
/* The same from outside, with the slot's extension (may be NULL). */
void ptab_give_outside(struct rusm_runtime *rt, struct process *p, struct process_ext *ext);
/* The slot a pid names; NULL if there never was one. The caller checks the generation. Any thread.
 */
struct process *ptab_slot(struct rusm_runtime *rt, uint32_t index);
struct process_ext *ptab_take_ext(struct rusm_runtime *rt, struct sched *s);
void ptab_give_ext(struct sched *s, struct process_ext *ext);
uint64_t ptab_bytes(struct rusm_runtime *rt);

/* ---- blocking.c ---- */
enum rusm_err blocking_create(struct rusm_runtime *rt, struct blocking_pool **out);
/* Finishes what is under way. */
void blocking_destroy(struct blocking_pool *pool);
void blocking_info(struct blocking_pool *pool, uint32_t *threads, uint32_t *jobs);

/* ---- names.c ---- */
enum rusm_err names_create(struct rusm_runtime *rt, struct names **out);
void names_destroy(struct names *names);
uint64_t names_count(struct names *names);
/* Claim `name` for the process that `ext` belongs to, by that process or its spawner. */
enum rusm_err names_claim_own(struct names *names, const char *name, rusm_pid pid,
                              struct process_ext *ext);
/* Give up the names that a process has claimed itself. */
void names_release_own(struct names *names, rusm_pid pid, struct process_ext *ext);

/* ---- groups.c ---- */
enum rusm_err groups_create(struct rusm_runtime *rt, struct groups **out);
void groups_destroy(struct groups *groups);
uint64_t groups_count(struct groups *groups);
/* The process ends: leave the groups it has joined, end its watches. ext->groups is not NULL. */
void groups_release_own(rusm_pid pid, struct process_ext *ext);

/* ---- process.c ---- */
bool process_is_alive(struct rusm_runtime *rt, rusm_pid pid);

/* ---- watch.c ---- */
enum rusm_err watch_create(struct rusm_runtime *rt, struct watch **out);
/* End its thread, which looks at the schedulers' threads, before those are joined. */
void watch_stop(struct watch *watch);
/* Free it, once no scheduler can call watch_notice any more. */
void watch_destroy(struct watch *watch);
/* A scheduler has work again: let the watch tick. Any thread. */
void watch_notice(struct watch *watch);

/* ---- introspect.c ---- */
uint64_t runtime_process_count(struct rusm_runtime *rt);

/* ---- runtime.c ---- */
/* rusm_runtime_create; in a simulation build only with a simulation. */
enum rusm_err runtime_create(const struct rusm_config *config, struct sim *sim, rusm_runtime **out);
/* The runtime a call with `runtime` (may be NULL) is about. */
static inline struct rusm_runtime *runtime_or_own(struct rusm_runtime *runtime) {
    return runtime ? runtime : rusm_self_runtime();
}

#endif
