/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Servers and steps: bodies that are called for what there is to do and hold no stack between. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include <string.h>

static bool is_server(const struct process *p) {
    return atomic_load_explicit(&p->kind, memory_order_relaxed) == RUSM_KIND_SERVER;
}

static _Noreturn void start_failed(struct process *p, enum rusm_exit_kind kind, enum rusm_err err) {
    const char *name = rusm_err_name(err);
    const struct rusm_exit_reason reason = {kind, name, (uint32_t)strlen(name)};
    process_abandon(sched_current(), p, &reason);
}

/* Make the state and run init. The process's `arg` is the state from here on. */
static void start(struct process *p) {
    size_t bytes = is_server(p) ? process_server(p)->state_bytes : process_step(p)->state_bytes;
    enum rusm_err (*init)(void *, void *) =
        is_server(p) ? process_server(p)->init : process_step(p)->init;
    void *arg = p->arg;
    void *state = NULL;
    if (bytes > 0) {
        state = rusm_zalloc(bytes);
        if (!state) {
            start_failed(p, RUSM_EXIT_LIMIT, RUSM_ERR_NOMEM);
        }
    }
    p->arg = state;
    atomic_store_explicit(&p->state_bytes, bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes,
                          memory_order_relaxed);
    p->flags |= PROCESS_STARTED;
    enum rusm_err err = init ? init(state, arg) : RUSM_OK;
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (err != RUSM_OK) {
        start_failed(p, RUSM_EXIT_ERROR, err);
    }
    if (ext && ext->acknowledge_start) {
        call_acknowledge_start(sched_current(), p);
    }
}

/* No message: fire or arm the idle timeout. True if the timeout callback was called. */
static bool idle_timeout(struct sched *s, struct process *p) {
    if (p->timer.v != 0 && (p->flags & PROCESS_TIMED_OUT)) {
        p->timer.v = 0;
        p->flags &= (uint8_t)~PROCESS_TIMED_OUT;
        p->idle_fired = true;
        if (process_server(p)->timeout) {
            process_server(p)->timeout(p->arg);
        }
        return true;
    }
    if (p->timer.v == 0 && p->idle_timeout_ms != RUSM_FOREVER && !p->idle_fired) {
        process_arm_timeout(s, p, p->idle_timeout_ms);
    }
    return false;
}

static void call_message(struct process *p, struct rusm_msg *msg) {
    const struct rusm_server *server = process_server(p);
    bool is_end = msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN;
    if (is_end && server->down) {
        server->down(p->arg, msg);
    } else {
        server->message(p->arg, msg);
    }
}

static enum step_result server_turn(struct process *p) {
    for (;;) {
        struct sched *s = sched_current();
        process_release_current(s, p);
        if (!p->head && mailbox_has_new(p)) {
            process_check_signals(s, p);
        }
        if (!p->head) {
            if (idle_timeout(s, p)) {
                continue;
            }
            return STEP_WAIT;
        }
        if (p->timer.v != 0) {
            process_disarm_timeout(s, p);
        }
        p->idle_fired = false;
        call_message(p, process_next_message(s, p));
        s = sched_current();
        if (--s->reds <= 0) {
            process_release_current(s, p);
            return STEP_YIELD;
        }
    }
}

enum step_result process_turn(struct process *p) {
    if (!(p->flags & PROCESS_STARTED)) {
        start(p); /* even if killed already, so that init and terminate always come in pairs */
    }
    process_check_signals(sched_current(), p);
    if (is_server(p)) {
        return server_turn(p);
    }
    enum step_result result = process_step(p)->step(p->arg);
    struct sched *s = sched_current();
    process_release_current(s, p);
    s->reds--;
    return result;
}

void rusm_server_timeout(uint64_t timeout_ms) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current && is_server(s->current));
    struct process *p = s->current;
    process_disarm_timeout(s, p);
    p->idle_fired = false;
    p->idle_timeout_ms = timeout_ms;
}
