/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Steps that run code of others, and waiting to be woken. See otp.h. */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"

static struct process *own_process(struct sched **s) {
    *s = sched_tls;
    RUSM_ASSERT(*s && (*s)->current);
    return (*s)->current;
}

void otp_foreign_enter(void) {
    struct sched *s;
    struct process *p = own_process(&s);
    RUSM_DASSERT(!p->foreign && !(p->flags & PROCESS_UNKILLABLE));
    p->foreign = true;
    p->flags |= PROCESS_UNKILLABLE;
}

static rusm_pid take_held_by(struct process *p) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    rusm_pid by = {0};
    if (ext) {
        by = ext->held_by;
        ext->held_by = (rusm_pid){0};
    }
    return by;
}

bool otp_foreign_leave(void) {
    struct sched *s;
    struct process *p = own_process(&s);
    RUSM_DASSERT(p->foreign);
    p->foreign = false;
    p->flags &= (uint8_t)~PROCESS_UNKILLABLE;
    /* No signals are taken in here: one that came after the foreign code had looked would not keep
     * the step from waiting. */
    process_check_killed(s, p);
    rusm_pid by = take_held_by(p);
    if (__builtin_expect(by.v != 0, 0)) {
        process_wait_for_room(s, p, by);
        return true;
    }
    return false;
}

bool otp_foreign_is_spent(void) {
    struct sched *s;
    const struct process *p = own_process(&s);
    const struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    return s->reds <= 0 || (ext && ext->held_by.v != 0);
}

bool otp_wake(rusm_runtime *runtime, rusm_pid pid) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt);
    struct sched *s = sched_tls && sched_tls->rt == rt ? sched_tls : NULL;
    struct signal *sig = signal_create(s, SIGNAL_WAKE);
    return sig && signal_deliver(rt, s, pid, sig) == RUSM_OK;
}

bool otp_wait(uint64_t timeout_ms) {
    struct sched *s;
    struct process *p = own_process(&s);
    process_check_signals(s, p);
    process_arm_timeout(s, p, timeout_ms);
    while (!p->woken && !(p->flags & PROCESS_TIMED_OUT)) {
        s = process_wait(s, p, RUSM_WAIT_OUTSIDE);
    }
    process_disarm_timeout(s, p);
    bool woken = p->woken;
    p->woken = false;
    return woken;
}

uint32_t otp_scheduler_index(void) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s);
    return s->index;
}

void otp_set_memory_bytes(uint64_t bytes) {
    struct sched *s;
    struct process *p = own_process(&s);
    atomic_store_explicit(&p->state_bytes, bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes,
                          memory_order_relaxed);
}
