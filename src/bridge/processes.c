/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* A guest and other processes: who there is, what they do, names. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "bridge/bridge_internal.h"
#include <rusm/introspect.h>

#define NO_LABEL UINT32_MAX

static bool do_is_alive(const struct guest *guest, rusm_pid pid) {
    return may_touch(guest, pid) && rusm_is_alive(NULL, pid);
}

/* Its own end comes at once: nothing of it runs any more. */
static enum rwt_status do_kill(struct guest *guest, rusm_pid pid, bool *killed) {
    if (pid.v == rusm_self().v) {
        static const struct rusm_exit_reason reason = {RUSM_EXIT_KILLED, NULL, 0};
        return guest_exit(guest, &reason);
    }
    *killed = may_control(guest) && rusm_kill(NULL, pid);
    return guest_done();
}

/* ---- all ---- */

struct listing {
    struct pids pids;
    bool complete;
};

static bool list_one(void *arg, rusm_pid pid) {
    struct listing *listing = arg;
    listing->complete = pids_add(&listing->pids, pid);
    return listing->complete;
}

/* False without memory; nothing is to be freed then. */
static bool do_list(const struct guest *guest, struct pids *out) {
    struct listing listing = {.complete = true};
    if (may_control(guest)) {
        rusm_process_each(rusm_self_runtime(), list_one, &listing);
    } else {
        (void)list_one(&listing, rusm_self());
    }
    if (!listing.complete) {
        rusm_free(listing.pids.items);
        return false;
    }
    *out = listing.pids;
    return true;
}

/* ---- one ---- */

/* What there is to tell of a process; owned, one block. */
struct description {
    struct rusm_process_info info;
    uint32_t name_count;
    struct rwt_process_info shown;
    struct rwt_slice *slices; /* behind `names` */
    char names[][RUSM_NAME_BYTES_MAX + 1];
};

/* Of itself all names, of others the one registered last. NULL: gone, not allowed, or no memory. */
static struct description *describe(const struct guest *guest, rusm_pid pid) {
    struct rusm_process_info info;
    if (!may_touch(guest, pid) || rusm_process_info(NULL, pid, &info) != RUSM_OK) {
        return NULL;
    }
    bool own = pid.v == rusm_self().v;
    uint32_t count = own ? otp_own_names(NULL, 0) : info.name[0] != '\0';
    struct description *d =
        rusm_zalloc(sizeof *d + count * (sizeof d->names[0] + sizeof(struct rwt_slice)));
    if (!d) {
        return NULL;
    }
    d->info = info;
    d->slices = (struct rwt_slice *)(void *)d->names[count];
    if (own) {
        d->name_count = otp_own_names(d->names, count);
    } else if (count > 0) {
        memcpy(d->names[0], info.name, sizeof info.name);
        d->name_count = 1;
    }
    for (uint32_t i = 0; i < d->name_count; i++) {
        d->slices[i] = (struct rwt_slice){(const uint8_t *)d->names[i], strlen(d->names[i])};
    }
    d->shown = (struct rwt_process_info){
        .pid = pid.v,
        .links = info.links,
        .monitors = info.monitors,
        .names = d->slices,
        .name_count = d->name_count,
        .has_label = info.label[0] != '\0',
        .label = {(const uint8_t *)d->info.label, strlen(d->info.label)},
        .mailbox_depth = info.mailbox_depth,
        .trap_exit = info.trap_exit,
    };
    return d;
}

/* Writes what fits and counts all. */
struct writer {
    uint8_t *at;
    size_t room;
    size_t len;
};

static void put(struct writer *w, const void *bytes, size_t len) {
    size_t fits = len < w->room ? len : w->room;
    if (fits > 0) {
        memcpy(w->at, bytes, fits);
        w->at += fits;
        w->room -= fits;
    }
    w->len += len;
}

static void put_u32(struct writer *w, uint64_t value) {
    uint32_t cut = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    put(w, &cut, sizeof cut); /* little-endian, as WebAssembly and all that we run on */
}

static size_t encode(const struct rwt_process_info *info, uint8_t *out, size_t cap) {
    struct writer w = {out, cap, 0};
    put(&w, &info->pid, sizeof info->pid);
    put_u32(&w, info->links);
    put_u32(&w, info->monitors);
    put_u32(&w, info->mailbox_depth);
    put_u32(&w, info->trap_exit);
    put_u32(&w, info->has_label ? info->label.len : NO_LABEL);
    put_u32(&w, info->name_count);
    put(&w, info->label.data, info->label.len);
    for (size_t i = 0; i < info->name_count; i++) {
        put(&w, info->names[i].data, info->names[i].len + 1); /* with the 0 behind it */
    }
    return w.len;
}

/* ---- names ---- */

static bool do_register(const struct guest *guest, struct rwt_slice text) {
    char name[RUSM_NAME_BYTES_MAX + 1];
    return bridge_name(text, name) && guest_may_claim(guest, name) &&
           rusm_register(NULL, name, rusm_self()) == RUSM_OK;
}

static bool do_unregister(const struct guest *guest, struct rwt_slice text) {
    char name[RUSM_NAME_BYTES_MAX + 1];
    return bridge_name(text, name) && may_touch(guest, rusm_whereis(NULL, name)) &&
           rusm_unregister(NULL, name) == RUSM_OK;
}

static rusm_pid do_whereis(struct rwt_slice text) {
    char name[RUSM_NAME_BYTES_MAX + 1];
    return bridge_name(text, name) ? rusm_whereis(NULL, name) : (rusm_pid){0};
}

static void do_set_label(struct rwt_slice text) {
    char label[RUSM_LABEL_BYTES_MAX + 1];
    size_t len = utf8_cut(text.data, text.len, RUSM_LABEL_BYTES_MAX);
    memcpy(label, text.data, len);
    label[len] = '\0';
    rusm_set_label(label);
}

/* ---- core modules ---- */

static rusm_pid pid_arg(const struct rwt_core_call *call) {
    return (rusm_pid){(uint64_t)call->values[0].i64};
}

static enum rwt_status core_own_pid(struct rwt_core_call *call) {
    return core_answer_i64(call, (int64_t)rusm_self().v);
}

static enum rwt_status core_notify(struct rwt_core_call *call) {
    guest_notify(call->guest);
    return guest_done();
}

static enum rwt_status core_list_processes(struct rwt_core_call *call) {
    struct pids pids;
    if (!do_list(call->guest, &pids)) {
        return core_answer_i32(call, CODE_LIMIT);
    }
    return core_answer_pids(call, &pids, call->values[0].i32, call->values[1].i32);
}

static enum rwt_status core_is_alive(struct rwt_core_call *call) {
    return core_answer_i32(call, do_is_alive(call->guest, pid_arg(call)));
}

static enum rwt_status core_kill(struct rwt_core_call *call) {
    bool killed = false;
    enum rwt_status status = do_kill(call->guest, pid_arg(call), &killed);
    call->values[0].i32 = killed;
    return status;
}

static enum rwt_status core_info(struct rwt_core_call *call) {
    struct rwt_slice out;
    enum rwt_status status;
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &out, &status)) {
        return status;
    }
    struct description *d = describe(call->guest, pid_arg(call));
    int32_t len = d ? (int32_t)encode(&d->shown, core_out(out), out.len) : CODE_NONE;
    rusm_free(d);
    return core_answer_i32(call, len);
}

/* The two parameters that every function about a name has. */
static bool text_args(struct rwt_core_call *call, struct rwt_slice *text, enum rwt_status *status) {
    return core_text(call, call->values[0].i32, call->values[1].i32, text, status);
}

static enum rwt_status core_register(struct rwt_core_call *call) {
    struct rwt_slice text;
    enum rwt_status status;
    return text_args(call, &text, &status) ? core_answer_i32(call, do_register(call->guest, text))
                                           : status;
}

static enum rwt_status core_unregister(struct rwt_core_call *call) {
    struct rwt_slice text;
    enum rwt_status status;
    return text_args(call, &text, &status) ? core_answer_i32(call, do_unregister(call->guest, text))
                                           : status;
}

static enum rwt_status core_whereis(struct rwt_core_call *call) {
    struct rwt_slice text;
    enum rwt_status status;
    if (!text_args(call, &text, &status)) {
        return status;
    }
    rusm_pid pid = do_whereis(text);
    return core_answer_i64(call, pid.v != 0 ? (int64_t)pid.v : CODE_NONE);
}

static enum rwt_status core_set_label(struct rwt_core_call *call) {
    struct rwt_slice text;
    enum rwt_status status;
    if (!text_args(call, &text, &status)) {
        return status;
    }
    do_set_label(text);
    return guest_done();
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "own_pid", ":I", core_own_pid, false},
    {"rusm", "notify", ":", core_notify, false},
    {"rusm", "list_processes", "ii:i", core_list_processes, false},
    {"rusm", "is_alive", "I:i", core_is_alive, false},
    {"rusm", "kill", "I:i", core_kill, false},
    {"rusm", "info", "Iii:i", core_info, false},
    {"rusm", "register", "ii:i", core_register, false},
    {"rusm", "unregister", "ii:i", core_unregister, false},
    {"rusm", "whereis", "ii:I", core_whereis, false},
    {"rusm", "set_label", "ii:", core_set_label, false},
};

/* ---- components ---- */

static enum rwt_status component_own_pid(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    (void)guest;
    (void)args;
    ret->number = rusm_self().v;
    return guest_done();
}

static enum rwt_status component_list(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    struct pids pids;
    (void)args;
    if (!do_list(guest, &pids)) {
        return guest_end_by_limit(guest, "list-processes: out of memory");
    }
    return ret_pids(&pids, ret);
}

static enum rwt_status component_is_alive(void *guest, const union rwt_arg *args,
                                          struct rwt_ret *ret) {
    ret->number = do_is_alive(guest, (rusm_pid){args[0].number});
    return guest_done();
}

static enum rwt_status component_kill(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    bool killed = false;
    enum rwt_status status = do_kill(guest, (rusm_pid){args[0].number}, &killed);
    ret->number = killed;
    return status;
}

static enum rwt_status component_info(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    struct description *d = describe(guest, (rusm_pid){args[0].number});
    if (d) {
        ret->present = true;
        ret->info = &d->shown;
        ret->owner = d;
        ret->release = rusm_free;
    }
    return guest_done();
}

static enum rwt_status component_register(void *guest, const union rwt_arg *args,
                                          struct rwt_ret *ret) {
    ret->number = do_register(guest, args[0].bytes);
    return guest_done();
}

static enum rwt_status component_unregister(void *guest, const union rwt_arg *args,
                                            struct rwt_ret *ret) {
    ret->number = do_unregister(guest, args[0].bytes);
    return guest_done();
}

static enum rwt_status component_whereis(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    (void)guest;
    ret->number = do_whereis(args[0].bytes).v;
    ret->present = ret->number != 0;
    return guest_done();
}

static enum rwt_status component_set_label(void *guest, const union rwt_arg *args,
                                           struct rwt_ret *ret) {
    (void)guest;
    (void)ret;
    do_set_label(args[0].bytes);
    return guest_done();
}

static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "own-pid", ":u", component_own_pid, false},
    {ACTOR, "list-processes", ":U", component_list, false},
    {ACTOR, "is-alive", "u:f", component_is_alive, false},
    {ACTOR, "kill", "u:f", component_kill, false},
    {ACTOR, "info", "u:p", component_info, false},
    {ACTOR, "register", "s:f", component_register, false},
    {ACTOR, "unregister", "s:f", component_unregister, false},
    {ACTOR, "whereis", "s:ou", component_whereis, false},
    {ACTOR, "set-label", "s:", component_set_label, false},
};

const struct wasm_bridge bridge_processes = {
    .name = "processes",
    BRIDGE_FUNCS(core_funcs, component_funcs),
};
