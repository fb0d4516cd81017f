/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What the engines with WebAssembly guests share: loading the programs on a thread that may block,
 * then beginning in a process; counting what is alive; saying what went wrong.
 *
 * An engine's run begins with a struct guest_run. Thread rules: as engine.h; `begin` is called in a
 * process of the runtime once the programs are loaded.
 */
#ifndef ENGINES_GUEST_RUN_H
#define ENGINES_GUEST_RUN_H

#include "engines/engine.h"
#include "engines/sources.h"
#include <stdatomic.h>
#include <stdbool.h>

#define GUEST_PROGRAMS_MAX 4u

struct guest_run {
    struct engine_config config;
    rusm_wasm *wasm;        /* borrowed; set once the programs are loaded */
    const char *capability; /* of the programs; set before the start; NULL = nothing */
    const char *const *texts;
    uint32_t text_count;
    rusm_program *programs[GUEST_PROGRAMS_MAX]; /* held */
    void (*begin)(struct guest_run *run);
    rusm_pid root; /* the process that loads and begins */
    uint64_t population_before;
    uint64_t notifies_before; /* progress marks of guests, ever, when it began */
    _Atomic bool begun;
    _Atomic uint64_t load_ns; /* that the first program took: the cold compile */
    atomic_bool stopping;
    _Atomic uint32_t alive; /* processes of the run that guest_run_spawned has counted */
    _Atomic bool failed;    /* `problem` is written */
    struct rusm_errinfo problem;
};

/*
 * Load `texts`, static, and call `begin`. Errors: as rusm_spawn; UNSUPPORTED in a build without
 * WebAssembly. The run is not to be freed before guest_run_stopped.
 */
enum rusm_err guest_run_start(struct guest_run *run, const struct engine_config *config,
                              const char *const *texts, uint32_t text_count,
                              void (*begin)(struct guest_run *run));

/* For `begin`: spawn a guest of programs[which], or a fiber, linked to the calling process, so that
 * all end when the run is stopped. {0}: it could not be, and the run has failed. */
rusm_pid guest_run_spawn(struct guest_run *run, uint32_t which, const char *label);
rusm_pid guest_run_spawn_fiber(struct guest_run *run, rusm_fiber_fn fn, void *arg,
                               const char *label);
/* For the end of `begin`, where there are such: stay until the run is stopped. */
_Noreturn void guest_run_stay(void);
/* Progress marks (the import `notify`) of guests since the run began. */
uint64_t guest_run_notifies(struct guest_run *run);

/* Options that count a process as alive until it has been reaped. */
struct rusm_spawn_opts guest_run_opts(struct guest_run *run, const char *label);
/* It was not spawned after all. */
void guest_run_not_spawned(struct guest_run *run);

/* Remember what went wrong, the first time; the run does nothing more. Any thread. */
__attribute__((format(printf, 2, 3))) void guest_run_fail(struct guest_run *run, const char *format,
                                                          ...);
/* For engine.problem. */
const char *guest_run_problem(void *run);

void guest_run_stop(struct guest_run *run);
static inline bool guest_run_is_stopping(const struct guest_run *run) {
    return atomic_load_explicit(&run->stopping, memory_order_relaxed);
}
bool guest_run_stopped(struct guest_run *run);
/* Let go of the programs. Asserted: stopped. */
void guest_run_deinit(struct guest_run *run);

#endif
