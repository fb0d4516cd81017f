/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/supervisor_internal.h"
#include <rusm/introspect.h>
#include <string.h>

uint64_t runtime_process_count(struct rusm_runtime *rt) {
    /* Finished first: a process that ends meanwhile then counts as alive, never as negative. */
    uint64_t finished = 0;
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        finished += atomic_load_explicit(&rt->scheds[i].counters.finished, memory_order_acquire);
    }
    uint64_t spawned = atomic_load_explicit(&rt->outside_spawned, memory_order_acquire);
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        spawned += counter_get(&rt->scheds[i].counters.spawned);
    }
    return spawned > finished ? spawned - finished : 0;
}

void rusm_runtime_info(rusm_runtime *runtime, struct rusm_runtime_info *out) {
    RUSM_ASSERT(runtime && out);
    memset(out, 0, sizeof *out);
    out->schedulers = runtime->sched_count;
    out->processes_max = runtime->config.processes_max;
    out->process_count = runtime_process_count(runtime);
    out->uptime_ns = clock_mono_ns() - runtime->start_ns;
    /* Of a stack, one page is always there; what more is in use shows per process. */
    out->memory_bytes = ptab_bytes(runtime) + cell_depot_bytes(runtime->cell_depot) +
                        stack_depot_count(runtime->stack_depot) * 4096u;
    out->names = names_count(runtime->names);
    out->groups = groups_count(runtime->groups);
    out->spawned_outside = atomic_load_explicit(&runtime->outside_spawned, memory_order_relaxed);
    out->messages_outside = atomic_load_explicit(&runtime->outside_messages, memory_order_relaxed);
    blocking_info(runtime->blocking, &out->blocking_threads, &out->blocking_jobs);
}

enum rusm_err rusm_scheduler_info(rusm_runtime *runtime, uint32_t scheduler,
                                  struct rusm_scheduler_info *out) {
    RUSM_ASSERT(runtime && out);
    if (scheduler >= runtime->sched_count) {
        return RUSM_ERR_INVALID;
    }
    struct sched *s = &runtime->scheds[scheduler];
    const struct sched_counters *c = &s->counters;
    memset(out, 0, sizeof *out);
    uint64_t idle = counter_get(&c->idle_ticks);
    uint64_t parked_at = counter_get(&c->parked_at);
    if (parked_at != 0) {
        uint64_t now = clock_ticks();
        idle += now > parked_at ? now - parked_at : 0;
    }
    out->spawned = counter_get(&c->spawned);
    out->finished = counter_get(&c->finished);
    out->crashed = counter_get(&c->crashed);
    out->messages = counter_get(&c->messages);
    out->shed = counter_get(&c->shed);
    out->reductions = counter_get(&c->reductions);
    out->switches = counter_get(&c->switches);
    out->steals = counter_get(&c->steals);
    out->parks = counter_get(&c->parks);
    out->idle_ns = clock_ticks_to_ns(idle);
    out->run_queue_len = runq_len(&s->runq);
    out->timers = atomic_load_explicit(&s->wheel.armed, memory_order_relaxed);
    out->parked = parked_at != 0;
    return RUSM_OK;
}

static enum rusm_process_status status_of(const struct process *p) {
    switch (atomic_load_explicit(&p->state, memory_order_relaxed)) {
    case PROCESS_RUNNING:
        return RUSM_PROCESS_RUNNING;
    case PROCESS_WAITING:
        return RUSM_PROCESS_WAITING;
    default:
        return RUSM_PROCESS_RUNNABLE;
    }
}

static uint64_t memory_of(const struct process *p) {
    uint64_t bytes = sizeof *p + atomic_load_explicit(&p->state_bytes, memory_order_relaxed);
    void *sp = atomic_load_explicit(&p->sp, memory_order_relaxed);
    struct stack *stack = atomic_load_explicit(&p->stack, memory_order_relaxed);
    if (sp && stack) {
        bytes += stack_used_bytes(stack, sp);
    }
    return bytes;
}

enum rusm_err rusm_process_info(rusm_runtime *runtime, rusm_pid pid,
                                struct rusm_process_info *out) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && out);
    struct process *p = pid_is_valid(pid) ? ptab_slot(rt, pid_index(pid)) : NULL;
    if (!p || !process_is_alive(rt, pid)) {
        return RUSM_ERR_NOPROC;
    }
    struct rusm_process_info info;
    memset(&info, 0, sizeof info);
    info.pid = pid;
    info.parent.v = counter_get(&p->parent);
    info.kind = (enum rusm_process_kind)atomic_load_explicit(&p->kind, memory_order_relaxed);
    info.status = status_of(p);
    info.wait = info.status == RUSM_PROCESS_WAITING
                    ? (enum rusm_process_wait)atomic_load_explicit(&p->wait, memory_order_relaxed)
                    : RUSM_WAIT_NONE;
    info.trap_exit = atomic_load_explicit(&p->trap_exit, memory_order_relaxed);
    info.is_supervisor = process_entry(p) == &supervisor_server;
    info.scheduler = atomic_load_explicit(&p->sched, memory_order_relaxed);
    info.links = atomic_load_explicit(&p->link_count, memory_order_relaxed);
    info.monitors = atomic_load_explicit(&p->watching_count, memory_order_relaxed);
    info.monitored_by = atomic_load_explicit(&p->watched_by_count, memory_order_relaxed);
    info.mailbox_depth = mailbox_depth(p);
    info.memory_bytes = memory_of(p);
    info.cpu_ns = clock_ticks_to_ns(counter_get(&p->cpu_ticks));
    info.reductions = counter_get(&p->reductions);
    info.entry = atomic_load_explicit(&p->entry, memory_order_relaxed);
    /* Acquire: the texts are emptied before the extension is shown (process_ext_ensure). */
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_acquire);
    if (ext) {
        text_get(&ext->name, info.name);
        text_get(&ext->label, info.label);
    }
    /* The slot may have changed hands while it was read. */
    atomic_thread_fence(memory_order_acquire);
    if (!process_is_alive(rt, pid)) {
        return RUSM_ERR_NOPROC;
    }
    *out = info;
    return RUSM_OK;
}

void rusm_process_each(rusm_runtime *runtime, rusm_visit_fn visit, void *arg) {
    RUSM_ASSERT(runtime && visit);
    uint32_t used = atomic_load_explicit(&runtime->ptab.used, memory_order_acquire);
    for (uint32_t i = 0; i < used; i++) {
        struct process *p = ptab_slot(runtime, i);
        uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
        rusm_pid pid = {(tag & ~(uint64_t)PID_INDEX_MAX) | i};
        if (pid_is_valid(pid) && !visit(arg, pid)) {
            return;
        }
    }
}
