/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/map64.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/supervisor_internal.h"
#include <rusm/introspect.h>
#include <stdlib.h>
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

/* ---- census ---- */

_Static_assert(RUSM_KIND_STEP + 1 == RUSM_KINDS && RUSM_WAIT_OUTSIDE + 1 == RUSM_WAITS &&
                   RUSM_PROCESS_WAITING + 1 == RUSM_PROCESS_STATUSES,
               "as many as there are");

struct census {
    enum rusm_census_by by;
    struct rusm_census *totals;
    struct rusm_census_group *groups;
    uint32_t capacity; /* of `groups` */
    uint32_t count;
    struct map64 index; /* entry, or hash of the label -> place in `groups` */
};

/* What a census reads of one process. */
struct person {
    uint32_t kind;
    uint32_t status;
    uint32_t wait;
    bool is_supervisor;
    uint64_t mailbox_depth;
    const void *entry;
    char label[RUSM_LABEL_BYTES_MAX + 1];
};

/* False if nobody lives in the slot, or not throughout. */
static bool read_person(const struct process *p, bool with_label, struct person *out) {
    /* Acquire: a process that is found is seen whole (start in process.c). */
    uint64_t before = atomic_load_explicit(&p->mailbox.tag, memory_order_acquire);
    if (!pid_is_valid((rusm_pid){before}) ||
        atomic_load_explicit(&p->state, memory_order_acquire) == PROCESS_FREE) {
        return false;
    }
    out->kind = atomic_load_explicit(&p->kind, memory_order_relaxed);
    out->status = status_of(p);
    out->wait = out->status == RUSM_PROCESS_WAITING
                    ? atomic_load_explicit(&p->wait, memory_order_relaxed)
                    : RUSM_WAIT_NONE;
    out->entry = process_entry(p);
    out->is_supervisor = out->entry == &supervisor_server;
    out->mailbox_depth = mailbox_depth(p);
    out->label[0] = '\0';
    struct process_ext *ext =
        with_label ? atomic_load_explicit(&p->ext, memory_order_acquire) : NULL;
    if (ext) {
        text_get(&ext->label, out->label);
    }
    atomic_thread_fence(memory_order_acquire);
    uint64_t after = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    return before >> PID_INDEX_BITS == after >> PID_INDEX_BITS;
}

/* FNV-1a. */
static uint64_t hash_of_label(const char *label) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *label; label++) {
        hash = (hash ^ (unsigned char)*label) * 0x100000001b3u;
    }
    return hash;
}

static enum rusm_err add_group(struct census *census, uint64_t key, const struct person *person) {
    if (census->count == census->capacity) {
        uint32_t capacity = census->capacity ? 2 * census->capacity : 16;
        struct rusm_census_group *groups =
            rusm_realloc(census->groups, capacity * sizeof *census->groups);
        if (!groups) {
            return RUSM_ERR_NOMEM;
        }
        census->groups = groups;
        census->capacity = capacity;
    }
    enum rusm_err err = map64_add(&census->index, key, census->count);
    if (err == RUSM_OK) {
        struct rusm_census_group *group = &census->groups[census->count++];
        memset(group, 0, sizeof *group);
        group->entry = census->by == RUSM_CENSUS_BY_ENTRY ? person->entry : NULL;
        memcpy(group->label, person->label, sizeof group->label);
    }
    return err;
}

/* The group of a person; NULL in `*out` if there is no place for another one. */
static enum rusm_err find_group(struct census *census, const struct person *person,
                                struct rusm_census_group **out) {
    uint64_t key = census->by == RUSM_CENSUS_BY_ENTRY ? (uint64_t)(uintptr_t)person->entry
                                                      : hash_of_label(person->label);
    struct map64_entry *entry;
    /* Labels of one hash stand behind each other; 0 is no key. */
    while (key == 0 || ((entry = map64_find(&census->index, key)) != NULL &&
                        strcmp(census->groups[entry->value].label, person->label) != 0)) {
        key++;
    }
    *out = NULL;
    if (entry) {
        *out = &census->groups[entry->value];
    } else if (census->count < RUSM_CENSUS_GROUPS_MAX) {
        enum rusm_err err = add_group(census, key, person);
        *out = err == RUSM_OK ? &census->groups[census->count - 1] : NULL;
        return err;
    }
    return RUSM_OK;
}

static enum rusm_err count_person(struct census *census, const struct person *person) {
    struct rusm_census *totals = census->totals;
    totals->processes++;
    totals->by_kind[person->kind]++;
    totals->by_status[person->status]++;
    totals->by_wait[person->wait]++;
    totals->supervisors += person->is_supervisor;
    totals->mailbox_depth += person->mailbox_depth;
    struct rusm_census_group *group;
    enum rusm_err err = find_group(census, person, &group);
    if (group) {
        group->processes++;
        group->mailbox_depth += person->mailbox_depth;
    }
    return err;
}

static int compare_groups(const void *left, const void *right) {
    const struct rusm_census_group *a = left;
    const struct rusm_census_group *b = right;
    return (a->processes < b->processes) - (a->processes > b->processes);
}

/* Write the largest groups. */
static void publish_groups(struct census *census, struct rusm_census_group *out,
                           uint32_t capacity) {
    struct rusm_census *totals = census->totals;
    if (census->count > 0) {
        qsort(census->groups, census->count, sizeof *census->groups, compare_groups);
    }
    totals->group_count = census->count < capacity ? census->count : capacity;
    totals->in_others = totals->processes;
    for (uint32_t i = 0; i < totals->group_count; i++) {
        out[i] = census->groups[i];
        totals->in_others -= out[i].processes;
    }
}

enum rusm_err rusm_census(rusm_runtime *runtime, enum rusm_census_by by, struct rusm_census *out,
                          struct rusm_census_group *groups, uint32_t capacity) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt && out && (groups || capacity == 0));
    if (by > RUSM_CENSUS_BY_LABEL) {
        return RUSM_ERR_INVALID;
    }
    struct rusm_census totals;
    memset(&totals, 0, sizeof totals);
    struct census census = {.by = by, .totals = &totals};
    map64_init(&census.index);
    uint32_t used = atomic_load_explicit(&rt->ptab.used, memory_order_acquire);
    enum rusm_err err = RUSM_OK;
    for (uint32_t i = 0; i < used && err == RUSM_OK; i++) {
        struct person person;
        if (read_person(ptab_slot(rt, i), by == RUSM_CENSUS_BY_LABEL, &person)) {
            err = count_person(&census, &person);
        }
    }
    if (err == RUSM_OK) {
        publish_groups(&census, groups, capacity);
        *out = totals;
    }
    map64_deinit(&census.index);
    rusm_free(census.groups);
    return err;
}
