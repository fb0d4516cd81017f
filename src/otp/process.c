/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Spawning and ending processes. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/log_internal.h"
#include "otp/mailbox_internal.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include "otp/streams_internal.h"
#include <string.h>

/* What a spawn and an end together cost beside a message; a spawner yields after some 120. */
#define SPAWN_REDUCTIONS 16

struct process_ext *process_ext_ensure(struct sched *s, struct process *p) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (!ext) {
        ext = ptab_take_ext(s->rt, s);
        /* Release: an observer that sees the pointer sees the texts emptied. */
        atomic_store_explicit(&p->ext, ext, memory_order_release);
    }
    return ext;
}

static bool opts_need_ext(const struct rusm_spawn_opts *opts) {
    return opts->name || opts->label || opts->on_exit;
}

/* Apply options to a slot that nobody else knows of yet. */
static enum rusm_err apply_opts(struct rusm_runtime *rt, struct sched *s, struct process *p,
                                const struct rusm_spawn_opts *opts) {
    if (!opts_need_ext(opts)) {
        return RUSM_OK;
    }
    struct process_ext *ext = ptab_take_ext(rt, s);
    if (!ext) {
        return RUSM_ERR_NOMEM;
    }
    atomic_store_explicit(&p->ext, ext, memory_order_release);
    ext->on_exit = opts->on_exit;
    ext->on_exit_arg = opts->on_exit_arg;
    if (opts->label) {
        text_set(&ext->label, opts->label);
    }
    if (opts->name) {
        return names_claim_own(rt->names, opts->name, process_pid(p), ext);
    }
    return RUSM_OK;
}

static bool opts_valid(const struct rusm_spawn_opts *opts) {
    return opts->mailbox_len_max <= RUSM_MAILBOX_LEN_LIMIT &&
           (!opts->mailbox_hold || opts->mailbox_len_max > 0);
}

/* Undo a spawn that failed after its slot was taken. */
static void give_back(struct rusm_runtime *rt, struct sched *s, struct process *p) {
    if (p->relations) {
        relations_free(s, p->relations);
        p->relations = NULL;
    }
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (ext && ext->name_count > 0) {
        names_release_own(rt->names, process_pid(p), ext);
    }
    atomic_store_explicit(&p->ext, NULL, memory_order_relaxed);
    mailbox_disown(p);
    if (s) {
        if (ext) {
            ptab_give_ext(s, ext);
        }
        ptab_give(rt, s, p);
    } else {
        ptab_give_outside(rt, p, ext);
    }
}

static inline void init_slot(struct process *p, const struct rusm_config *config,
                             const struct rusm_spawn_opts *opts) {
    uint32_t bound = config->mailbox_len_max;
    bool hold = config->mailbox_policy == RUSM_MAILBOX_HOLD;
    if (opts && opts->mailbox_len_max > 0) {
        bound = opts->mailbox_len_max;
        hold = opts->mailbox_hold;
    }
    mailbox_init(p, bound, hold);
    p->flags = 0;
    p->wait_seq = 0;
    p->link = NULL;
    p->current = NULL;
    p->timer.v = 0;
    p->idle_timeout_ms = RUSM_FOREVER;
    atomic_store_explicit(&p->state_bytes, 0, memory_order_relaxed);
    p->watched_fd = -1;
    atomic_store_explicit(&p->trap_exit, false, memory_order_relaxed);
    p->foreign = false;
    p->woken = false;
    p->relations = NULL;
    atomic_store_explicit(&p->link_count, 0, memory_order_relaxed);
    atomic_store_explicit(&p->watching_count, 0, memory_order_relaxed);
    atomic_store_explicit(&p->watched_by_count, 0, memory_order_relaxed);
    p->idle_fired = false;
    counter_set(&p->cpu_ticks, 0);
    counter_set(&p->reductions, 0);
    atomic_store_explicit(&p->wait, RUSM_WAIT_NONE, memory_order_relaxed);
    atomic_store_explicit(&p->sp, NULL, memory_order_relaxed);
    atomic_store_explicit(&p->ext, NULL, memory_order_relaxed);
}

/* Count the spawn before the process can run, so that `finished` never exceeds `spawned`. */
static void start(struct rusm_runtime *rt, struct sched *s, struct process *p) {
    if (s) {
        counter_add(&s->counters.spawned, 1);
        atomic_store_explicit(&p->sched, (uint16_t)s->index, memory_order_relaxed);
        /* Release: whoever finds the process alive sees it whole (rusm_process_each). */
        atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_release);
        runq_push(s, p);
        return;
    }
    atomic_fetch_add_explicit(&rt->outside_spawned, 1, memory_order_relaxed);
    uint32_t turn = atomic_fetch_add_explicit(&rt->spawn_turn, 1, memory_order_relaxed);
    struct sched *home = &rt->scheds[turn % rt->sched_count];
    atomic_store_explicit(&p->sched, (uint16_t)home->index, memory_order_relaxed);
    atomic_store_explicit(&p->state, PROCESS_RUNNABLE, memory_order_release);
    sched_inbox_push(home, p);
}

/* What to start, and how it is tied to the process that starts it. */
struct spawn {
    enum rusm_process_kind kind;
    const void *entry;
    void *arg;
    const struct rusm_spawn_opts *opts;
    bool link;
    rusm_ref *ref;    /* monitor it, and give the reference; NULL = do not */
    bool acknowledge; /* the parent waits for init */
};

static enum rusm_err tie_link(struct sched *s, struct process *parent, struct process *child,
                              bool starting) {
    enum rusm_err err = relations_add(s, child, RELATION_LINK, process_pid(parent).v, LINK_ACTIVE);
    return err == RUSM_OK ? relations_add(s, parent, RELATION_LINK, process_pid(child).v,
                                          starting ? LINK_STARTING : LINK_ACTIVE)
                          : err;
}

static enum rusm_err tie_monitor(struct sched *s, struct process *parent, struct process *child,
                                 rusm_ref *ref) {
    ref->v = links_new_ref(s);
    enum rusm_err err = relations_add(s, child, RELATION_WATCHED_BY, ref->v, process_pid(parent).v);
    return err == RUSM_OK
               ? relations_add(s, parent, RELATION_WATCHING, ref->v, process_pid(child).v)
               : err;
}

/* Tie parent and child together before the child can run: both tables are the caller's to change.
 */
static enum rusm_err tie(struct sched *s, struct process *parent, struct process *child,
                         const struct spawn *what) {
    RUSM_ASSERT(parent);
    if (what->acknowledge) {
        struct process_ext *ext = process_ext_ensure(s, child);
        if (!ext) {
            return RUSM_ERR_NOMEM;
        }
        ext->acknowledge_start = true;
    }
    enum rusm_err err = RUSM_OK;
    if (what->link) {
        err = tie_link(s, parent, child, what->acknowledge);
    }
    if (err == RUSM_OK && what->ref) {
        err = tie_monitor(s, parent, child, what->ref);
        if (err != RUSM_OK && what->link) {
            relations_remove(parent, relations_find(parent, RELATION_LINK, process_pid(child).v));
        }
    }
    return err;
}

static inline enum rusm_err spawn(struct rusm_runtime *runtime, const struct spawn *what,
                                  rusm_pid *out) {
    const struct rusm_spawn_opts *opts = what->opts;
    struct sched *s = sched_tls;
    struct rusm_runtime *rt = runtime ? runtime : (s ? s->rt : NULL);
    RUSM_ASSERT(rt);
    if (s && s->rt != rt) {
        s = NULL; /* a process of another runtime: an outsider here */
    }
    if (__builtin_expect(atomic_load_explicit(&rt->stopping, memory_order_relaxed), 0)) {
        return RUSM_ERR_STOPPING;
    }
    if (opts && !opts_valid(opts)) {
        return RUSM_ERR_INVALID;
    }
    struct process *p;
    enum rusm_err err = ptab_take(rt, s, &p);
    if (err != RUSM_OK) {
        return err;
    }
    init_slot(p, &rt->config, opts);
    atomic_store_explicit(&p->kind, (uint8_t)what->kind, memory_order_relaxed);
    atomic_store_explicit(&p->entry, what->entry, memory_order_relaxed);
    p->arg = what->arg;
    struct process *parent = s ? s->current : NULL;
    counter_set(&p->parent, parent ? process_pid(parent).v : 0);
    if (opts) {
        err = apply_opts(rt, s, p, opts);
        if (err != RUSM_OK) {
            give_back(rt, s, p);
            return err;
        }
    }
    if (what->link || what->ref) {
        err = tie(s, parent, p, what);
        if (err != RUSM_OK) {
            give_back(rt, s, p);
            return err;
        }
    }
    if (out) {
        *out = process_pid(p);
    }
    if (log_wants(rt, RUSM_LOG_INFO)) {
        log_spawn(rt, s, p);
    }
    start(rt, s, p);
    if (parent) {
        (void)sched_spend(s, parent, SPAWN_REDUCTIONS);
    }
    return RUSM_OK;
}

enum rusm_err rusm_spawn(rusm_runtime *runtime, rusm_fiber_fn fn, void *arg,
                         const struct rusm_spawn_opts *opts, rusm_pid *out) {
    RUSM_ASSERT(fn);
    const struct spawn what = {RUSM_KIND_FIBER, (const void *)fn, arg, opts, false, NULL, false};
    return spawn(runtime, &what, out);
}

enum rusm_err rusm_spawn_server(rusm_runtime *runtime, const struct rusm_server *server, void *arg,
                                const struct rusm_spawn_opts *opts, rusm_pid *out) {
    RUSM_ASSERT(server && server->message);
    const struct spawn what = {RUSM_KIND_SERVER, server, arg, opts, false, NULL, false};
    return spawn(runtime, &what, out);
}

enum rusm_err rusm_spawn_link(rusm_fiber_fn fn, void *arg, const struct rusm_spawn_opts *opts,
                              rusm_pid *out) {
    RUSM_ASSERT(fn);
    const struct spawn what = {RUSM_KIND_FIBER, (const void *)fn, arg, opts, true, NULL, false};
    return spawn(NULL, &what, out);
}

enum rusm_err rusm_spawn_monitor(rusm_fiber_fn fn, void *arg, const struct rusm_spawn_opts *opts,
                                 rusm_pid *out, rusm_ref *ref) {
    RUSM_ASSERT(fn && ref);
    const struct spawn what = {RUSM_KIND_FIBER, (const void *)fn, arg, opts, false, ref, false};
    return spawn(NULL, &what, out);
}

enum rusm_err process_spawn_server_link(const struct rusm_server *server, void *arg,
                                        const struct rusm_spawn_opts *opts, bool acknowledge,
                                        rusm_pid *out) {
    RUSM_ASSERT(server && server->message);
    const struct spawn what = {.kind = RUSM_KIND_SERVER,
                               .entry = server,
                               .arg = arg,
                               .opts = opts,
                               .link = true,
                               .acknowledge = acknowledge};
    return spawn(NULL, &what, out);
}

enum rusm_err rusm_spawn_server_link(const struct rusm_server *server, void *arg,
                                     const struct rusm_spawn_opts *opts, rusm_pid *out) {
    return process_spawn_server_link(server, arg, opts, false, out);
}

enum rusm_err otp_spawn_step(rusm_runtime *runtime, const struct step_body *body, void *arg,
                             const struct rusm_spawn_opts *opts, const struct otp_tie *with,
                             rusm_pid *out) {
    RUSM_ASSERT(body && body->step);
    const struct spawn what = {RUSM_KIND_STEP,          body, arg, opts, with && with->link,
                               with ? with->ref : NULL, false};
    return spawn(runtime, &what, out);
}

/* Let the body release what it holds. Its state is freed here. */
static void terminate(struct process *p, const struct rusm_exit_reason *reason) {
    if (!(p->flags & PROCESS_STARTED)) {
        return;
    }
    p->flags |= PROCESS_EXITING;
    bool is_server = atomic_load_explicit(&p->kind, memory_order_relaxed) == RUSM_KIND_SERVER;
    void (*callback)(void *, const struct rusm_exit_reason *) =
        is_server ? process_server(p)->terminate : process_step(p)->terminate;
    if (callback) {
        callback(p->arg, reason);
    }
    rusm_free(p->arg);
}

void process_end(struct sched *s, struct process *p, const struct rusm_exit_reason *reason) {
    static const struct rusm_exit_reason normal = {RUSM_EXIT_NORMAL, NULL, 0};
    if (!reason) {
        reason = &normal;
    }
    if (log_wants(s->rt, log_level_of_end(reason))) {
        log_end(s, p, reason);
    }
    if (__builtin_expect(atomic_load_explicit(&p->kind, memory_order_relaxed) != RUSM_KIND_FIBER,
                         0)) {
        terminate(p, reason);
    }
    process_release_current(s, p);
    if (__builtin_expect(p->timer.v != 0, 0)) {
        process_disarm_timeout(s, p);
    }
    if (__builtin_expect(p->watched_fd >= 0, 0)) {
        io_unwatch(s, p);
    }
    rusm_pid pid = process_pid(p);
    SIM_EVENT(s, SIM_EV_END, p->index);
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (ext && ext->name_count > 0) {
        names_release_own(s->rt->names, pid, ext);
    }
    if (ext && ext->groups) {
        groups_release_own(pid, ext);
    }
    if (ext && ext->streams) {
        streams_release(s, ext); /* before the news of the end */
    }
    if (p->relations) {
        links_notify(s, p, reason);
    }
    atomic_store_explicit(&p->state, PROCESS_FREE, memory_order_relaxed);
    bool reusable = mailbox_close(s, p);
    s->current = NULL;
    rusm_exit_fn on_exit = NULL;
    void *on_exit_arg = NULL;
    struct signal *cause = NULL;
    if (ext) {
        /* `reason` may be this signal's; off the mailbox's word since the close, it is ours. */
        cause = ext->exit_signal;
        on_exit = ext->on_exit;
        on_exit_arg = ext->on_exit_arg;
        atomic_store_explicit(&p->ext, NULL, memory_order_relaxed);
        ptab_give_ext(s, ext);
    }
    if (reusable) {
        ptab_give(s->rt, s, p);
    }
    if (on_exit) {
        on_exit(on_exit_arg, pid, reason);
    }
    if (reason->kind == RUSM_EXIT_ERROR || reason->kind == RUSM_EXIT_LIMIT) {
        counter_add(&s->counters.crashed, 1);
    }
    if (cause) {
        signal_destroy(s, cause);
    }
    /* Release, and last: who waits for the end of all sees what on_exit did. */
    atomic_store_explicit(&s->counters.finished, counter_get(&s->counters.finished) + 1,
                          memory_order_release);
}

__attribute__((noinline, cold)) void process_abandon(struct sched *s, struct process *p,
                                                     const struct rusm_exit_reason *reason) {
    sched_account_end(s, p);
    process_end(s, p, reason);
    sched_abandon_body(s);
}

/* The payload may be in the current message or a server's state, which are freed before on_exit. */
static __attribute__((noinline)) _Noreturn void
exit_with_payload(struct sched *s, struct process *p, const struct rusm_exit_reason *reason) {
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
    memcpy(payload, reason->payload, reason->payload_bytes);
    const struct rusm_exit_reason copy = {reason->kind, payload, reason->payload_bytes};
    process_abandon(s, p, &copy);
}

void rusm_exit(const struct rusm_exit_reason *reason) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process *p = s->current;
    RUSM_ASSERT(!(p->flags & PROCESS_EXITING));
    RUSM_ASSERT(!reason || reason->payload_bytes <= RUSM_EXIT_PAYLOAD_MAX);
    if (reason && reason->payload_bytes > 0) {
        exit_with_payload(s, p, reason);
    }
    process_abandon(s, p, reason);
}

rusm_pid rusm_self(void) {
    struct sched *s = sched_tls;
    return s && s->current ? process_pid(s->current) : (rusm_pid){0};
}

rusm_runtime *rusm_self_runtime(void) {
    struct sched *s = sched_tls;
    return s && s->current ? s->rt : NULL;
}

bool rusm_kill(rusm_runtime *runtime, rusm_pid pid) {
    struct sched *s = sched_tls;
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt);
    if (s && s->rt != rt) {
        s = NULL;
    }
    struct signal *sig = signal_create(s, SIGNAL_KILL);
    if (!sig) {
        return false;
    }
    return signal_deliver(rt, s, pid, sig) == RUSM_OK;
}

bool process_is_alive(struct rusm_runtime *rt, rusm_pid pid) {
    struct process *p = pid_is_valid(pid) ? ptab_slot(rt, pid_index(pid)) : NULL;
    return p && atomic_load_explicit(&p->mailbox.tag, memory_order_acquire) >> PID_INDEX_BITS ==
                    pid_generation(pid);
}

bool rusm_is_alive(rusm_runtime *runtime, rusm_pid pid) {
    struct rusm_runtime *rt = runtime_or_own(runtime);
    RUSM_ASSERT(rt);
    return process_is_alive(rt, pid);
}

void rusm_set_label(const char *label) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    struct process_ext *ext = process_ext_ensure(s, s->current);
    if (ext) {
        text_set(&ext->label, label ? label : "");
    }
}
