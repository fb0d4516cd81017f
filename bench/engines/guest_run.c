/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "engines/guest_run.h"

#include "base/assert.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void guest_run_fail(struct guest_run *run, const char *format, ...) {
    struct rusm_errinfo text;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text.text, sizeof text.text, format, args);
    va_end(args);
    bool before = false;
    if (!guest_run_is_stopping(run) &&
        atomic_compare_exchange_strong_explicit(&run->stopping, &before, true, memory_order_relaxed,
                                                memory_order_relaxed)) {
        run->problem = text;
        /* Release: pairs with guest_run_problem. */
        atomic_store_explicit(&run->failed, true, memory_order_release);
    }
}

const char *guest_run_problem(void *run) {
    struct guest_run *self = run;
    return atomic_load_explicit(&self->failed, memory_order_acquire) ? self->problem.text : NULL;
}

static void on_exit_of_one(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct guest_run *run = arg;
    (void)pid;
    if (reason->kind == RUSM_EXIT_ERROR || reason->kind == RUSM_EXIT_LIMIT) {
        guest_run_fail(run, "a process of the scenario has failed: %.*s",
                       (int)reason->payload_bytes, (const char *)reason->payload);
    }
    /* Release: pairs with guest_run_stopped. */
    atomic_fetch_sub_explicit(&run->alive, 1, memory_order_release);
}

struct rusm_spawn_opts guest_run_opts(struct guest_run *run, const char *label) {
    atomic_fetch_add_explicit(&run->alive, 1, memory_order_relaxed);
    return (struct rusm_spawn_opts){.label = label, .on_exit = on_exit_of_one, .on_exit_arg = run};
}

void guest_run_not_spawned(struct guest_run *run) {
    atomic_fetch_sub_explicit(&run->alive, 1, memory_order_release);
}

rusm_pid guest_run_spawn(struct guest_run *run, uint32_t which, const char *label) {
    const struct rusm_spawn_opts opts = guest_run_opts(run, label);
    rusm_pid pid = {0};
    enum rusm_err err = rusm_spawn_guest_link(run->programs[which], &opts, &pid);
    if (err != RUSM_OK) {
        guest_run_not_spawned(run);
        guest_run_fail(run, "%s could not be spawned: %s", label, rusm_err_text(err));
    }
    return pid;
}

rusm_pid guest_run_spawn_fiber(struct guest_run *run, rusm_fiber_fn fn, void *arg,
                               const char *label) {
    const struct rusm_spawn_opts opts = guest_run_opts(run, label);
    rusm_pid pid = {0};
    enum rusm_err err = rusm_spawn_link(fn, arg, &opts, &pid);
    if (err != RUSM_OK) {
        guest_run_not_spawned(run);
        guest_run_fail(run, "%s could not be spawned: %s", label, rusm_err_text(err));
    }
    return pid;
}

void guest_run_stay(void) {
    for (;;) {
        (void)rusm_receive();
    }
}

static uint64_t notifies_ever(struct guest_run *run) {
    struct rusm_wasm_info info;
    rusm_wasm_info(run->wasm, &info);
    return info.notifies;
}

uint64_t guest_run_notifies(struct guest_run *run) {
    return atomic_load_explicit(&run->begun, memory_order_acquire)
               ? notifies_ever(run) - run->notifies_before
               : 0;
}

/* On a thread that may block. */
static void load(void *arg) {
    struct guest_run *run = arg;
    struct rusm_errinfo error = {""};
    run->wasm = run->config.wasm(run->config.wasm_arg, &error);
    if (!run->wasm) {
        guest_run_fail(run, "%s", error.text);
        return;
    }
    for (uint32_t i = 0; i < run->text_count; i++) {
        const struct rusm_program_spec spec = {.wasm = run->texts[i],
                                               .wasm_bytes = strlen(run->texts[i]),
                                               .capability = run->capability};
        uint64_t start = clock_mono_ns();
        if (rusm_program_load(run->wasm, &spec, &run->programs[i], &error) != RUSM_OK) {
            guest_run_fail(run, "%s", error.text);
            return;
        }
        if (i == 0) {
            atomic_store_explicit(&run->load_ns, clock_mono_ns() - start, memory_order_relaxed);
        }
    }
}

static void loader_body(void *arg) {
    struct guest_run *run = arg;
    if (rusm_blocking(load, run) != RUSM_OK) {
        guest_run_fail(run, "no thread to load the guests on");
    }
    if (!guest_run_is_stopping(run)) {
        run->notifies_before = notifies_ever(run);
        /* Release: pairs with guest_run_notifies. */
        atomic_store_explicit(&run->begun, true, memory_order_release);
        run->begin(run);
    }
}

enum rusm_err guest_run_start(struct guest_run *run, const struct engine_config *config,
                              const char *const *texts, uint32_t text_count,
                              void (*begin)(struct guest_run *run)) {
    RUSM_ASSERT(text_count <= GUEST_PROGRAMS_MAX && config->workers > 0);
    if (!config->wasm) {
        return RUSM_ERR_UNSUPPORTED;
    }
    struct rusm_runtime_info info;
    rusm_runtime_info(config->runtime, &info);
    run->config = *config;
    run->texts = texts;
    run->text_count = text_count;
    run->begin = begin;
    run->population_before = info.process_count;
    const struct rusm_spawn_opts opts = guest_run_opts(run, "loads guests");
    enum rusm_err err = rusm_spawn(config->runtime, loader_body, run, &opts, &run->root);
    if (err != RUSM_OK) {
        guest_run_not_spawned(run);
    }
    return err;
}

void guest_run_stop(struct guest_run *run) {
    atomic_store_explicit(&run->stopping, true, memory_order_relaxed);
    (void)rusm_kill(run->config.runtime, run->root);
}

bool guest_run_stopped(struct guest_run *run) {
    struct rusm_runtime_info info;
    if (atomic_load_explicit(&run->alive, memory_order_acquire) != 0) {
        return false;
    }
    rusm_runtime_info(run->config.runtime, &info);
    return info.process_count <= run->population_before;
}

void guest_run_deinit(struct guest_run *run) {
    RUSM_ASSERT(guest_run_stopped(run));
    for (uint32_t i = 0; i < run->text_count; i++) {
        if (run->programs[i]) {
            rusm_program_release(run->programs[i]);
        }
    }
}
