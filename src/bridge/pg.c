/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Groups: tags that many processes share. Nobody is in a group whose name is impossible. */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"
#include <rusm/group.h>

#define PG "rusm:runtime/pg@0.1.0"

static int32_t do_join(const struct guest *guest, struct rwt_slice text) {
    char tag[RUSM_NAME_BYTES_MAX + 1];
    if (!bridge_name(text, tag)) {
        return CODE_INVALID;
    }
    if (!guest_may_claim(guest, tag)) {
        return CODE_DENIED;
    }
    return rusm_group_join(tag, rusm_self()) == RUSM_OK ? 0 : CODE_LIMIT;
}

static bool do_leave(struct rwt_slice text) {
    char tag[RUSM_NAME_BYTES_MAX + 1];
    return bridge_name(text, tag) && rusm_group_leave(tag, rusm_self()) == RUSM_OK;
}

/* False without memory; nothing is to be freed then. */
static bool do_members(struct rwt_slice text, struct pids *out) {
    char tag[RUSM_NAME_BYTES_MAX + 1];
    memset(out, 0, sizeof *out);
    if (!bridge_name(text, tag)) {
        return true;
    }
    /* Others may join meanwhile: once more if there are more than there is room for. */
    for (;;) {
        rusm_pid *members = (rusm_pid *)(void *)out->items;
        (void)rusm_group_members(NULL, tag, members, out->capacity, &out->count);
        if (out->count <= out->capacity) {
            return true;
        }
        rusm_free(out->items);
        out->capacity = out->count;
        out->items = rusm_alloc(out->capacity * sizeof *out->items);
        if (!out->items) {
            return false;
        }
    }
}
_Static_assert(sizeof(rusm_pid) == sizeof(uint64_t), "a list of pids is one of numbers");

static size_t do_kill(const struct guest *guest, struct rwt_slice text) {
    char tag[RUSM_NAME_BYTES_MAX + 1];
    return may_control(guest) && bridge_name(text, tag) ? rusm_group_kill(NULL, tag) : 0;
}

/* False if the message is too long for this node. */
static bool do_publish(struct rwt_slice text, struct rwt_slice message, size_t *delivered) {
    char tag[RUSM_NAME_BYTES_MAX + 1];
    *delivered = 0;
    return !bridge_name(text, tag) ||
           rusm_publish(tag, message.data, message.len, delivered) != RUSM_ERR_MESSAGE_TOO_LARGE;
}

#define TOO_LARGE BRIDGE_TEXT("publish: the message is longer than the node allows")

/* ---- core modules ---- */

/* The two parameters that every function here begins with. */
static bool tag_args(struct rwt_core_call *call, struct rwt_slice *tag, enum rwt_status *status) {
    return core_text(call, call->values[0].i32, call->values[1].i32, tag, status);
}

static enum rwt_status core_register_tag(struct rwt_core_call *call) {
    struct rwt_slice tag;
    enum rwt_status status;
    return tag_args(call, &tag, &status) ? core_answer_i32(call, do_join(call->guest, tag))
                                         : status;
}

static enum rwt_status core_unregister_tag(struct rwt_core_call *call) {
    struct rwt_slice tag;
    enum rwt_status status;
    return tag_args(call, &tag, &status) ? core_answer_i32(call, do_leave(tag)) : status;
}

static enum rwt_status core_whereis_tag(struct rwt_core_call *call) {
    struct rwt_slice tag;
    struct pids pids;
    enum rwt_status status;
    if (!tag_args(call, &tag, &status)) {
        return status;
    }
    if (!do_members(tag, &pids)) {
        return core_answer_i32(call, CODE_LIMIT);
    }
    return core_answer_pids(call, &pids, call->values[2].i32, call->values[3].i32);
}

/* The guest may be among those killed: it ends at its next loop. */
static enum rwt_status core_kill_tag(struct rwt_core_call *call) {
    struct rwt_slice tag;
    enum rwt_status status;
    if (!tag_args(call, &tag, &status)) {
        return status;
    }
    call->values[0].i32 = (int32_t)do_kill(call->guest, tag);
    return RWT_SPENT;
}

static enum rwt_status core_publish(struct rwt_core_call *call) {
    struct rwt_slice tag;
    struct rwt_slice message;
    enum rwt_status status;
    size_t delivered;
    if (!tag_args(call, &tag, &status) ||
        !guest_memory(call, call->values[2].i32, call->values[3].i32, &message, &status)) {
        return status;
    }
    return do_publish(tag, message, &delivered) ? core_answer_i32(call, (int32_t)delivered)
                                                : core_trap(call, TOO_LARGE);
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "register_tag", "ii:i", core_register_tag, false},
    {"rusm", "unregister_tag", "ii:i", core_unregister_tag, false},
    {"rusm", "whereis_tag", "iiii:i", core_whereis_tag, false},
    {"rusm", "kill_tag", "ii:i", core_kill_tag, false},
    {"rusm", "publish", "iiii:i", core_publish, false},
};

/* ---- components ---- */

static enum rwt_status component_register_tag(void *guest, const union rwt_arg *args,
                                              struct rwt_ret *ret) {
    switch (do_join(guest, args[0].bytes)) {
    case 0:
        return guest_done();
    case CODE_DENIED:
        ret->error = BRIDGE_TEXT("register-tag: this tag is not among its allow-names");
        break;
    case CODE_INVALID:
        ret->error = BRIDGE_TEXT("register-tag: a tag has 1 to 63 bytes");
        break;
    default:
        ret->error = BRIDGE_TEXT("register-tag: no room for a group or a member");
    }
    return RWT_TRAP;
}

static enum rwt_status component_unregister_tag(void *guest, const union rwt_arg *args,
                                                struct rwt_ret *ret) {
    (void)guest;
    (void)ret;
    (void)do_leave(args[0].bytes);
    return guest_done();
}

static enum rwt_status component_whereis_tag(void *guest, const union rwt_arg *args,
                                             struct rwt_ret *ret) {
    struct pids pids;
    if (!do_members(args[0].bytes, &pids)) {
        return guest_end_by_limit(guest, "whereis-tag: out of memory");
    }
    return ret_pids(&pids, ret);
}

static enum rwt_status component_kill_tag(void *guest, const union rwt_arg *args,
                                          struct rwt_ret *ret) {
    ret->number = do_kill(guest, args[0].bytes);
    return RWT_SPENT;
}

static enum rwt_status component_publish(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    size_t delivered;
    (void)guest;
    if (!do_publish(args[0].bytes, args[1].bytes, &delivered)) {
        ret->error = TOO_LARGE;
        return RWT_TRAP;
    }
    ret->number = delivered;
    return guest_done();
}

static const struct rwt_component_func component_funcs[] = {
    {PG, "register-tag", "s:", component_register_tag, false},
    {PG, "unregister-tag", "s:", component_unregister_tag, false},
    {PG, "whereis-tag", "s:U", component_whereis_tag, false},
    {PG, "kill-tag", "s:w", component_kill_tag, false},
    {"rusm:runtime/groups@0.2.0", "publish", "sb:w", component_publish, false},
};

const struct wasm_bridge bridge_pg = {
    .name = "pg",
    BRIDGE_FUNCS(core_funcs, component_funcs),
};
