/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include <rusm/call.h>

struct rusm_from rusm_msg_from(const struct rusm_msg *msg) {
    RUSM_ASSERT(msg->kind == RUSM_MSG_CALL || msg->kind == RUSM_MSG_REPLY);
    const struct signal *sig = signal_of_msg((struct rusm_msg *)(uintptr_t)msg);
    return (struct rusm_from){sig->peer.from, {sig->peer.id}};
}

/* What ends a call: the reply, or the news that there will be none. */
static bool ends_call(void *arg, const struct rusm_msg *msg) {
    const rusm_ref *ref = arg;
    return (msg->kind == RUSM_MSG_REPLY && rusm_msg_from(msg).ref.v == ref->v) ||
           (msg->kind == RUSM_MSG_DOWN && rusm_msg_down(msg)->ref.v == ref->v);
}

static enum rusm_err await(rusm_ref ref, uint64_t timeout_ms, struct rusm_msg **reply) {
    struct rusm_msg *msg = rusm_receive_match(ends_call, &ref, timeout_ms);
    if (msg && msg->kind == RUSM_MSG_DOWN) {
        return RUSM_ERR_NOPROC;
    }
    if (!msg) {
        /* Nothing of this call comes after: not its DOWN, and no late reply (links.c). */
        (void)rusm_demonitor(ref, true);
        return RUSM_ERR_TIMEOUT;
    }
    if (reply) {
        *reply = msg;
    }
    return RUSM_OK;
}

/* Send the cell, NULL = there was no memory for it; wait. */
static enum rusm_err carry_out(struct sched *s, rusm_pid to, rusm_ref ref, struct signal *sig,
                               uint64_t timeout_ms, struct rusm_msg **reply) {
    struct process *p = s->current;
    enum rusm_err err = sig ? process_send(s, p, to, sig) : RUSM_ERR_NOMEM;
    if (err != RUSM_OK) {
        relations_remove(p, relations_find(p, RELATION_WATCHING, ref.v)); /* it never got there */
        return err;
    }
    return await(ref, timeout_ms, reply);
}

enum rusm_err rusm_call(rusm_pid to, const void *data, size_t len, uint64_t timeout_ms,
                        struct rusm_msg **reply) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    if (len > s->rt->config.message_bytes_max) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    rusm_ref ref;
    enum rusm_err err = links_watch(s, s->current, to, &ref);
    if (err != RUSM_OK) {
        return err;
    }
    struct signal *sig =
        signal_create_tagged(s, SIGNAL_CALL, process_pid(s->current), ref.v, data, (uint32_t)len);
    return carry_out(s, to, ref, sig, timeout_ms, reply);
}

enum rusm_err call_owned(rusm_pid to, void *data, uint32_t len, void (*release)(void *data),
                         struct rusm_msg **reply) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    rusm_ref ref;
    enum rusm_err err = links_watch(s, s->current, to, &ref);
    struct signal *sig =
        err == RUSM_OK ? signal_create_owned(s, process_pid(s->current), ref.v, data, len, release)
                       : NULL;
    if (!sig) {
        release(data);
    }
    return err == RUSM_OK ? carry_out(s, to, ref, sig, RUSM_FOREVER, reply) : err;
}

enum rusm_err rusm_reply(struct rusm_from from, const void *data, size_t len) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    if (len > s->rt->config.message_bytes_max) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    struct process *p = s->current;
    struct signal *sig =
        signal_create_tagged(s, SIGNAL_REPLY, process_pid(p), from.ref.v, data, (uint32_t)len);
    enum rusm_err err = sig ? process_send(s, p, from.pid, sig) : RUSM_ERR_NOMEM;
    if (err == RUSM_OK) {
        links_forget_watcher(p, from.ref);
    }
    return err;
}

void call_acknowledge_start(struct sched *s, struct process *p) {
    rusm_pid parent = {counter_get(&p->parent)};
    struct signal *sig = signal_create_tagged(s, SIGNAL_REPLY, process_pid(p), REF_START, NULL, 0);
    RUSM_ASSERT(sig); /* the parent would wait for ever */
    (void)signal_deliver(s->rt, s, parent, sig);
}

static bool ends_start(void *arg, const struct rusm_msg *msg) {
    const rusm_pid *child = arg;
    if (msg->kind == RUSM_MSG_REPLY) {
        struct rusm_from from = rusm_msg_from(msg);
        return from.ref.v == REF_START && from.pid.v == child->v;
    }
    return msg->kind == RUSM_MSG_EXIT && rusm_msg_down(msg)->pid.v == child->v;
}

/* While init runs its death is what this returns, not the caller's end (LINK_STARTING). */
enum rusm_err call_await_start(rusm_pid child) {
    struct rusm_msg *msg = rusm_receive_match(ends_start, &child, RUSM_FOREVER);
    return msg->kind == RUSM_MSG_REPLY ? RUSM_OK : RUSM_ERR_START_FAILED;
}

enum rusm_err rusm_start_link(const struct rusm_server *server, void *arg,
                              const struct rusm_spawn_opts *opts, rusm_pid *out) {
    rusm_pid child;
    enum rusm_err err = process_spawn_server_link(server, arg, opts, true, &child);
    if (err == RUSM_OK) {
        err = call_await_start(child);
    }
    if (err == RUSM_OK && out) {
        *out = child;
    }
    return err;
}
