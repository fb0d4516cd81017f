/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* A guest as a process: a step body that polls its instance. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "wasm/program_internal.h"
#include <rusm/timer.h>
#include <stdio.h>
#include <string.h>

struct guest {
    struct rusm_program *program;
    struct program_lane *held; /* it holds the program */
    rwt_instance *instance;    /* owned; NULL until it has a slot */
    struct wasm_lane *home;    /* of the instance */
    rusm_pid pid;
    bool queued; /* for a slot */
    bool passed; /* a slot was left to it, and it has not yet taken it */
    bool has_slot;
    /* The cpu budget, where there is one: what it has used of the second that began then. */
    uint64_t budget_start_ns;
    uint64_t budget_used_ns;
    uint64_t budget_ticks; /* used and not settled */
    /* What a host function waits for: */
    bool waits_message;
    bool suspended; /* since it was polled last: it may have missed what it waits for */
    guest_op op;    /* NULL = nothing to be done outside */
    void *op_arg;
    rusm_buf *exit_payload; /* of guest_exit; owned or NULL */
    enum rusm_exit_kind exit_kind;
    _Atomic uint64_t memory_bytes; /* written by the instance */
    uint64_t memory_counted;       /* of it, in the lane's sum */
    void *bridge_states[WASM_BRIDGES_MAX];
};

/* ---- for bridges ---- */

rusm_wasm *guest_wasm(const struct guest *guest) {
    return guest->program->wasm;
}

rusm_program *guest_program(const struct guest *guest) {
    return guest->program;
}

const struct capability *guest_capability(const struct guest *guest) {
    return guest->program->capability;
}

const struct rusm_capability *guest_grant(const struct guest *guest) {
    return &guest->program->capability->grant;
}

bool guest_may_claim(const struct guest *guest, const char *name) {
    return capability_allows_name(guest->program->capability, name);
}

void *guest_bridge_state(const struct guest *guest, size_t index) {
    RUSM_DASSERT(index < WASM_BRIDGES_MAX);
    return guest->bridge_states[index];
}

void guest_set_bridge_state(struct guest *guest, size_t index, void *state) {
    RUSM_DASSERT(index < WASM_BRIDGES_MAX);
    guest->bridge_states[index] = state;
}

enum rwt_status guest_wait_message(struct guest *guest) {
    guest->waits_message = true;
    return RWT_BLOCK;
}

enum rwt_status guest_block(struct guest *guest, guest_op op, void *arg) {
    guest->op = op;
    guest->op_arg = arg;
    return RWT_BLOCK;
}

enum rwt_status guest_done(void) {
    return __builtin_expect(otp_foreign_is_spent(), 0) ? RWT_SPENT : RWT_DONE;
}

enum rwt_status guest_exit(struct guest *guest, const struct rusm_exit_reason *reason) {
    guest->exit_kind = reason->kind;
    if (reason->payload_bytes > 0 && !guest->exit_payload &&
        rusm_buf_create(reason->payload_bytes, &guest->exit_payload) == RUSM_OK) {
        memcpy(rusm_buf_data(guest->exit_payload), reason->payload, reason->payload_bytes);
    }
    return RWT_EXIT;
}

bool guest_memory(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
                  enum rwt_status *status) {
    uint64_t from = (uint32_t)ptr;
    uint64_t end = from + (uint32_t)len;
    if (end > call->memory_bytes) {
        static const char text[] = "a host function was given bytes outside of the guest's memory";
        call->error = (struct rwt_slice){(const uint8_t *)text, sizeof text - 1};
        *status = RWT_TRAP;
        return false;
    }
    const uint8_t *base = call->memory ? call->memory : (const uint8_t *)""; /* then `end` is 0 */
    *out = (struct rwt_slice){base + from, (uint32_t)len};
    return true;
}

static struct wasm_lane *this_lane(const struct wasm_pool *pool) {
    return &pool->lanes[otp_scheduler_index()];
}

void guest_notify(const struct guest *guest) {
    counter_add(&this_lane(&guest->program->wasm->pool)->notifies, 1);
}

/* ---- the body ---- */

static enum rusm_err guest_init(void *state, void *arg) {
    struct guest *guest = state;
    guest->held = arg; /* the spawn's hold passes to us */
    guest->program = guest->held->program;
    guest->pid = rusm_self();
    return RUSM_OK;
}

static void make_instance(struct guest *guest, struct wasm_lane *lane) {
    struct rusm_program *program = guest->program;
    struct wasm_pool *pool = &program->wasm->pool;
    const struct rwt_start start = {
        .guest = guest,
        .grant = program->grant,
        .waking = pool->waking,
        .wake_id = guest->pid.v,
        .memory_bytes_max = program->memory_bytes_max,
        .table_elements_max = pool->config.table_elements_max,
        .memory_bytes = &guest->memory_bytes,
    };
    guest->home = lane;
    guest->instance = rwt_start(program->lanes[lane - pool->lanes].prepared, &start);
}

static void drop_instance(struct guest *guest) {
    rwt_instance_delete(guest->instance);
    guest->instance = NULL;
}

/* The linear memory's size may have changed: tell the observer, by this lane's own counter. */
static void count_memory(struct guest *guest, struct wasm_lane *here) {
    uint64_t now = atomic_load_explicit(&guest->memory_bytes, memory_order_relaxed);
    if (__builtin_expect(now != guest->memory_counted, 0)) {
        counter_add(&here->memory_bytes, now - guest->memory_counted);
        guest->memory_counted = now;
        otp_set_memory_bytes(now + sizeof *guest);
    }
}

static _Noreturn void end_with(enum rusm_exit_kind kind, const void *payload, size_t bytes) {
    const struct rusm_exit_reason reason = {
        kind, bytes ? payload : NULL,
        (uint32_t)(bytes > RUSM_EXIT_PAYLOAD_MAX ? RUSM_EXIT_PAYLOAD_MAX : bytes)};
    rusm_exit(&reason);
}

/* ---- the cpu budget ---- */

#define NS_PER_MS     1000000u
#define NS_PER_SECOND 1000000000u

static bool has_budget(const struct guest *guest) {
    return guest->program->cpu_ms_max != RUSM_UNLIMITED;
}

/* A guest that has used its budget sleeps until the second is over. May suspend. */
static void settle_budget(struct guest *guest) {
    uint64_t now_ns = clock_mono_ns();
    guest->budget_used_ns += clock_ticks_to_ns(guest->budget_ticks);
    guest->budget_ticks = 0;
    if (now_ns - guest->budget_start_ns >= NS_PER_SECOND) {
        guest->budget_start_ns = now_ns;
        guest->budget_used_ns = 0;
    } else if (guest->budget_used_ns >= guest->program->cpu_ms_max * NS_PER_MS) {
        uint64_t left_ns = guest->budget_start_ns + NS_PER_SECOND - now_ns;
        rusm_sleep(left_ns / NS_PER_MS + 1);
        guest->suspended = true;
    }
}

/* Here, not after the poll: what was polled first may be killed there. */
static void note_first_poll(struct guest *guest, struct wasm_lane *lane, enum rwt_poll polled) {
    if (polled == RWT_NO_SLOT) {
        /* What was made of it before the slots ran out. */
        atomic_store_explicit(&guest->memory_bytes, 0, memory_order_relaxed);
    } else {
        guest->has_slot = true;
        counter_add(&lane->started, 1);
    }
}

static enum rwt_poll poll_once(struct guest *guest, struct wasm_pool *pool,
                               struct rwt_outcome *outcome) {
    struct wasm_lane *lane = this_lane(pool);
    otp_foreign_enter();
    pool_run_begin(pool, lane, guest->home->engine);
    uint64_t start = has_budget(guest) ? clock_ticks() : 0;
    enum rwt_poll polled = rwt_poll(guest->instance, outcome);
    pool_run_end(lane);
    if (__builtin_expect(has_budget(guest), 0)) {
        guest->budget_ticks += clock_ticks() - start;
    }
    if (__builtin_expect(!guest->has_slot, 0)) {
        note_first_poll(guest, lane, polled);
    }
    count_memory(guest, lane);
    if (polled == RWT_YIELDED) {
        counter_add(&lane->yields, 1);
    }
    guest->suspended = otp_foreign_leave();
    return polled;
}

/* ---- a slot ---- */

/* Poll a new instance on each engine in turn, this scheduler's first, until one has a slot. */
static enum rwt_poll try_engines(struct guest *guest, struct rwt_outcome *outcome) {
    struct wasm_pool *pool = &guest->program->wasm->pool;
    uint32_t first = otp_scheduler_index();
    enum rwt_poll polled = RWT_NO_SLOT;
    for (uint32_t i = 0; i < pool->lane_count && polled == RWT_NO_SLOT; i++) {
        if (guest->instance) {
            drop_instance(guest);
        }
        make_instance(guest, &pool->lanes[(first + i) % pool->lane_count]);
        polled = poll_once(guest, pool, outcome);
    }
    return polled;
}

static __attribute__((noinline, cold)) enum rwt_poll wait_for_slot(struct guest *guest,
                                                                   struct rwt_outcome *outcome) {
    struct wasm_pool *pool = &guest->program->wasm->pool;
    uint64_t deadline_ns = clock_mono_ns() + pool->config.spawn_wait_ms * 1000000;
    for (;;) {
        if (pool_wait_enter(pool, guest->pid) != RUSM_OK) {
            static const char text[] = "no instance is free, and too many guests wait for one "
                                       "(instances_max, spawn_queue_max)";
            end_with(RUSM_EXIT_LIMIT, text, sizeof text - 1);
        }
        guest->queued = true;
        /* One may have become free before we were in the queue. */
        enum rwt_poll polled = try_engines(guest, outcome);
        uint64_t now_ns = clock_mono_ns();
        if (polled == RWT_NO_SLOT && now_ns < deadline_ns) {
            (void)otp_wait((deadline_ns - now_ns) / 1000000 + 1);
        }
        guest->queued = false;
        guest->passed = !pool_wait_leave(pool, guest->pid);
        if (polled == RWT_NO_SLOT && guest->passed) {
            polled = try_engines(guest, outcome);
        } else if (guest->passed) {
            pool_slot_freed(pool); /* we have another one */
        } else if (polled == RWT_NO_SLOT && clock_mono_ns() >= deadline_ns) {
            static const char text[] = "no instance became free in time (instances_max, "
                                       "spawn_wait_ms)";
            end_with(RUSM_EXIT_LIMIT, text, sizeof text - 1);
        }
        guest->passed = false;
        if (polled != RWT_NO_SLOT) {
            return polled;
        }
    }
}

static enum rwt_poll first_poll(struct guest *guest, struct rwt_outcome *outcome) {
    enum rwt_poll polled = try_engines(guest, outcome);
    return __builtin_expect(polled == RWT_NO_SLOT, 0) ? wait_for_slot(guest, outcome) : polled;
}

/* ---- turns ---- */

static _Noreturn __attribute__((noinline, cold)) void
end_badly(const struct guest *guest, enum rwt_poll polled, const struct rwt_outcome *outcome) {
    char text[64];
    switch (polled) {
    case RWT_EXITED:
        end_with(guest->exit_kind, guest->exit_payload ? rusm_buf_data(guest->exit_payload) : NULL,
                 guest->exit_payload ? rusm_buf_len(guest->exit_payload) : 0);
    case RWT_STATUS:
        (void)snprintf(text, sizeof text, "exit status %d", outcome->status);
        end_with(RUSM_EXIT_ERROR, text, strlen(text));
    case RWT_LIMITED:
        end_with(RUSM_EXIT_LIMIT, outcome->text.data, outcome->text.len);
    default:
        end_with(RUSM_EXIT_ERROR, outcome->text.data, outcome->text.len);
    }
}

static enum step_result guest_step(void *state) {
    struct guest *guest = state;
    struct wasm_pool *pool = &guest->program->wasm->pool;
    struct rwt_outcome outcome;
    for (;;) {
        enum rwt_poll polled;
        if (!guest->instance) {
            polled = first_poll(guest, &outcome);
        } else {
            polled = poll_once(guest, pool, &outcome);
        }
        switch (polled) {
        case RWT_FINISHED:
            return STEP_EXIT;
        case RWT_YIELDED:
        case RWT_PENDING:
            break;
        default:
            end_badly(guest, polled, &outcome);
        }
        if (has_budget(guest)) {
            settle_budget(guest);
        }
        if (polled == RWT_YIELDED) {
            return STEP_YIELD;
        }
        bool message = guest->waits_message;
        guest->waits_message = false;
        if (guest->op) {
            guest_op op = guest->op;
            guest->op = NULL;
            op(guest, guest->op_arg);
        } else if (!guest->suspended) {
            return message ? STEP_WAIT : STEP_WAIT_OUTSIDE;
        }
    }
}

static void guest_terminate(void *state, const struct rusm_exit_reason *reason) {
    struct guest *guest = state;
    struct rusm_wasm *wasm = guest->program->wasm;
    (void)reason;
    for (size_t i = 0; i < wasm->bridge_count; i++) {
        if (guest->bridge_states[i] && wasm->bridges[i]->guest_end) {
            wasm->bridges[i]->guest_end(guest, guest->bridge_states[i]);
        }
    }
    struct wasm_lane *lane = this_lane(&wasm->pool);
    if (guest->instance) {
        drop_instance(guest);
    }
    if (guest->has_slot) {
        counter_add(&lane->ended, 1);
        pool_slot_freed(&wasm->pool);
    }
    if (guest->passed || (guest->queued && !pool_wait_leave(&wasm->pool, guest->pid))) {
        pool_slot_freed(&wasm->pool);
    }
    counter_add(&lane->memory_bytes, 0 - guest->memory_counted);
    if (guest->exit_payload) {
        rusm_buf_release(guest->exit_payload);
    }
    program_release_of_guest(guest->held);
}

/* Two, so that an observer can tell the kinds apart. */
static const struct step_body module_body = {
    .state_bytes = sizeof(struct guest),
    .init = guest_init,
    .step = guest_step,
    .terminate = guest_terminate,
};
static const struct step_body component_body = {
    .state_bytes = sizeof(struct guest),
    .init = guest_init,
    .step = guest_step,
    .terminate = guest_terminate,
};

enum rusm_guest_kind rusm_guest_kind(const void *entry) {
    if (entry == &module_body) {
        return RUSM_GUEST_MODULE;
    }
    return entry == &component_body ? RUSM_GUEST_COMPONENT : RUSM_GUEST_NONE;
}

enum rusm_err program_spawn(rusm_program *program, const struct rusm_spawn_opts *opts,
                            const struct otp_tie *tie, rusm_pid *out) {
    RUSM_ASSERT(program);
    if (program->is_template) {
        return RUSM_ERR_INVALID;
    }
    const struct step_body *body = program->kind == RWT_MODULE ? &module_body : &component_body;
    struct rusm_spawn_opts with_bound;
    if (program->mailbox_len_max > 0 && !(opts && opts->mailbox_len_max > 0)) {
        with_bound = opts ? *opts : (struct rusm_spawn_opts){0};
        with_bound.mailbox_len_max = program->mailbox_len_max;
        opts = &with_bound;
    }
    struct program_lane *lane = program_hold_for_guest(program);
    enum rusm_err err = otp_spawn_step(program->wasm->pool.runtime, body, lane, opts, tie, out);
    if (err != RUSM_OK) {
        program_release_of_guest(lane);
    }
    return err;
}

enum rusm_err rusm_spawn_guest(rusm_program *program, const struct rusm_spawn_opts *opts,
                               rusm_pid *out) {
    return program_spawn(program, opts, NULL, out);
}

enum rusm_err rusm_spawn_guest_link(rusm_program *program, const struct rusm_spawn_opts *opts,
                                    rusm_pid *out) {
    const struct otp_tie tie = {.link = true};
    return program_spawn(program, opts, &tie, out);
}

enum rusm_err rusm_spawn_guest_monitor(rusm_program *program, const struct rusm_spawn_opts *opts,
                                       rusm_pid *out, rusm_ref *ref) {
    const struct otp_tie tie = {.ref = ref};
    return program_spawn(program, opts, &tie, out);
}
