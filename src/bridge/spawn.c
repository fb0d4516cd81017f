/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Components started by their name, under their own capabilities. */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"
#include <stdatomic.h>

/* ---- how many are alive ---- */

struct children {
    _Atomic uint64_t refs;
    _Atomic uint64_t alive;
};

struct children *children_hold(struct children *children) {
    if (children) {
        atomic_fetch_add_explicit(&children->refs, 1, memory_order_relaxed);
    }
    return children;
}

void children_release(struct children *children) {
    /* acq_rel: all uses by other holders come before the free. */
    if (children && atomic_fetch_sub_explicit(&children->refs, 1, memory_order_acq_rel) == 1) {
        rusm_free(children);
    }
}

static void release_children(struct guest *guest, void *state) {
    (void)guest;
    children_release(state);
}

bool children_of(struct guest *guest, struct children **out) {
    struct children *children = guest_bridge_state(guest, BRIDGE_SPAWN);
    if (!children && guest_grant(guest)->processes_max != RUSM_UNLIMITED) {
        children = rusm_zalloc(sizeof *children);
        if (!children) {
            return false;
        }
        atomic_init(&children->refs, 1);
        guest_set_bridge_state(guest, BRIDGE_SPAWN, children);
    }
    *out = children;
    return true;
}

bool children_have_room(const struct guest *guest, const struct children *children,
                        uint64_t count) {
    if (!children) {
        return true;
    }
    uint64_t max = guest_grant(guest)->processes_max;
    uint64_t alive = atomic_load_explicit(&children->alive, memory_order_relaxed);
    return alive <= max && count <= max - alive;
}

static void child_ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct children *children = arg;
    (void)pid;
    (void)reason;
    atomic_fetch_sub_explicit(&children->alive, 1, memory_order_relaxed);
    children_release(children);
}

enum rusm_err children_spawn(struct children *children, rusm_program *program,
                             const struct rusm_spawn_opts *opts, const struct otp_tie *tie,
                             rusm_pid *out) {
    struct rusm_spawn_opts counted = *opts;
    if (children) {
        counted.on_exit = child_ended;
        counted.on_exit_arg = children_hold(children);
        atomic_fetch_add_explicit(&children->alive, 1, memory_order_relaxed);
    }
    enum rusm_err err = program_spawn(program, &counted, tie, out);
    if (err != RUSM_OK && children) {
        atomic_fetch_sub_explicit(&children->alive, 1, memory_order_relaxed);
        children_release(children);
    }
    return err;
}

int64_t spawn_code(enum rusm_err err) {
    switch (err) {
    case RUSM_ERR_PROCESS_LIMIT:
    case RUSM_ERR_NOMEM:
    case RUSM_ERR_QUEUE_FULL:
        return CODE_LIMIT;
    default:
        return CODE_FAILED;
    }
}

rusm_program *component_find(const struct guest *guest, struct rwt_slice text, bool is_template,
                             struct rusm_errinfo *error) {
    char name[RUSM_NAME_BYTES_MAX + 1];
    rusm_program *program =
        bridge_name(text, name) ? rusm_program_find(guest_wasm(guest), name) : NULL;
    if (program && program_is_template(program) == is_template) {
        return program;
    }
    const char *why = "";
    if (program) {
        why = is_template ? " that is a template" : " that is not a template";
        rusm_program_release(program);
    }
    (void)errinfo_set(error, RUSM_ERR_INVALID, "there is no component %.*s%s", (int)text.len,
                      (const char *)text.data, why);
    return NULL;
}

/* ---- a spawn ---- */

enum { LINK = 1, MONITOR = 2 };

static enum rusm_err start(struct guest *guest, struct children *children, rusm_program *program,
                           uint32_t flags, rusm_pid *out) {
    const struct rusm_spawn_opts opts = {.label = program_name(program)};
    rusm_ref ref;
    const struct otp_tie tie = {.link = flags & LINK, .ref = flags & MONITOR ? &ref : NULL};
    enum rusm_err err = children_spawn(children, program, &opts, flags ? &tie : NULL, out);
    if (err == RUSM_OK && (flags & MONITOR) && !watch_note(guest, *out, ref)) {
        /* It cannot be told apart from others of that process later: as if it had not begun. */
        (void)rusm_demonitor(ref, true);
        (void)rusm_unlink(*out);
        (void)rusm_kill(NULL, *out);
        err = RUSM_ERR_NOMEM;
    }
    return err;
}

/* The pid, or a code and a text. */
static int64_t do_spawn(struct guest *guest, struct rwt_slice name, uint32_t flags,
                        struct rusm_errinfo *error) {
    struct children *children;
    if (!may_spawn(guest)) {
        (void)errinfo_set(error, RUSM_ERR_INVALID, "this process has no capability to spawn");
        return CODE_DENIED;
    }
    rusm_program *program = component_find(guest, name, false, error);
    if (!program) {
        return CODE_NONE;
    }
    rusm_pid pid;
    enum rusm_err err = RUSM_ERR_PROCESS_LIMIT;
    if (children_of(guest, &children) && children_have_room(guest, children, 1)) {
        err = start(guest, children, program, flags, &pid);
    }
    rusm_program_release(program);
    if (err != RUSM_OK) {
        (void)errinfo_set(error, err, "cannot spawn %.*s: %s", (int)name.len,
                          (const char *)name.data, rusm_err_text(err));
        return spawn_code(err);
    }
    return (int64_t)pid.v;
}

static enum rwt_status core_spawn(struct rwt_core_call *call) {
    struct rwt_slice name;
    enum rwt_status status;
    struct rusm_errinfo error;
    uint32_t flags = (uint32_t)call->values[2].i32;
    if (!core_text(call, call->values[0].i32, call->values[1].i32, &name, &status)) {
        return status;
    }
    return core_answer_i64(call, flags & ~(uint32_t)(LINK | MONITOR)
                                     ? CODE_INVALID
                                     : do_spawn(call->guest, name, flags, &error));
}

static enum rwt_status component_start(struct guest *guest, const union rwt_arg *args,
                                       uint32_t flags, struct rwt_ret *ret) {
    struct rusm_errinfo error;
    int64_t pid = do_spawn(guest, args[0].bytes, flags, &error);
    if (pid < 0) {
        ret_error(ret, error.text);
    } else {
        ret->present = true;
        ret->number = (uint64_t)pid;
    }
    return guest_done();
}

static enum rwt_status component_spawn(void *guest, const union rwt_arg *args,
                                       struct rwt_ret *ret) {
    return component_start(guest, args, 0, ret);
}

static enum rwt_status component_spawn_link(void *guest, const union rwt_arg *args,
                                            struct rwt_ret *ret) {
    return component_start(guest, args, LINK, ret);
}

static enum rwt_status component_spawn_monitor(void *guest, const union rwt_arg *args,
                                               struct rwt_ret *ret) {
    return component_start(guest, args, MONITOR, ret);
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "spawn", "iii:I", core_spawn, false},
};
static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "spawn", "s:ru", component_spawn, false},
    {LINKS, "spawn-link", "s:ru", component_spawn_link, false},
    {LINKS, "spawn-monitor", "s:ru", component_spawn_monitor, false},
};

const struct wasm_bridge bridge_spawn = {
    .name = "spawn",
    BRIDGE_FUNCS(core_funcs, component_funcs),
    .guest_end = release_children,
};
