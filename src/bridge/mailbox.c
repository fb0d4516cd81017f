/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Messages: send, receive, put aside. A receive looks for a message without taking it, copies what
 * fits into the guest's memory, and takes it only if all of it did: so one that is too long stays
 * in its place. News of ends are messages of JSON, made when they are looked at.
 */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"
#include <stdio.h>

#define PREFIX_BYTES_MAX 256u
/* The longest news: "__down", 20 digits, "shutdown". */
#define NEWS_BYTES_MAX 80u

/* A wait with a limit or a prefix goes on outside of the guest. */
struct waiting {
    uint64_t timeout_ms;
    bool over; /* it has ended: */
    bool timed_out;
    size_t prefix_len;
    uint8_t prefix[PREFIX_BYTES_MAX];
    char news[NEWS_BYTES_MAX]; /* what a component was given last, if it was news */
};

static void free_waiting(struct guest *guest, void *state) {
    (void)guest;
    rusm_free(state);
}

/* NULL without memory. */
static struct waiting *waiting_of(struct guest *guest) {
    struct waiting *waiting = guest_bridge_state(guest, BRIDGE_MAILBOX);
    if (!waiting) {
        waiting = rusm_zalloc(sizeof *waiting);
        guest_set_bridge_state(guest, BRIDGE_MAILBOX, waiting);
    }
    return waiting;
}

static enum rwt_status end_without_memory(struct guest *guest) {
    return guest_end_by_limit(guest, "receive: out of memory");
}

/* ---- what a message is to a guest ---- */

static bool is_news(const struct rusm_msg *msg) {
    return msg->kind == RUSM_MSG_DOWN || msg->kind == RUSM_MSG_EXIT;
}

static const char *reason_text(enum rusm_exit_kind kind) {
    switch (kind) {
    case RUSM_EXIT_NORMAL:
        return "normal";
    case RUSM_EXIT_KILLED:
        return "killed";
    case RUSM_EXIT_SHUTDOWN:
        return "shutdown";
    case RUSM_EXIT_LIMIT:
        return "limit";
    case RUSM_EXIT_NOPROC:
        return "noproc";
    case RUSM_EXIT_ERROR:
        break;
    }
    return "crashed";
}

static struct rwt_slice bytes_of(const struct rusm_msg *msg, char news[NEWS_BYTES_MAX]) {
    if (!is_news(msg)) {
        return (struct rwt_slice){msg->data, msg->len};
    }
    const struct rusm_down *down = rusm_msg_down(msg);
    int len = snprintf(news, NEWS_BYTES_MAX, "{\"%s\":\"%llu\",\"reason\":\"%s\"}",
                       msg->kind == RUSM_MSG_DOWN ? "__down" : "__exit",
                       (unsigned long long)down->pid.v, reason_text(down->reason.kind));
    return (struct rwt_slice){(const uint8_t *)news, (size_t)len};
}

static bool begins_with(const struct rusm_msg *msg, struct rwt_slice prefix) {
    char news[NEWS_BYTES_MAX];
    if (prefix.len == 0) {
        return true;
    }
    struct rwt_slice bytes = bytes_of(msg, news);
    return bytes.len >= prefix.len && memcmp(bytes.data, prefix.data, prefix.len) == 0;
}

/* The message is the guest's now. */
static void taken(struct guest *guest, const struct rusm_msg *msg) {
    if (msg->kind == RUSM_MSG_DOWN) {
        watch_heard(guest, rusm_msg_down(msg));
    }
}

/* ---- waiting ---- */

static bool is_awaited(void *arg, const struct rusm_msg *msg) {
    const struct waiting *waiting = arg;
    return begins_with(msg, (struct rwt_slice){waiting->prefix, waiting->prefix_len});
}

static void wait_outside(struct guest *guest, void *arg) {
    struct waiting *waiting = arg;
    (void)guest;
    waiting->timed_out = !otp_await_match(is_awaited, waiting, waiting->timeout_ms);
    waiting->over = true;
}

/* Nothing is there: BLOCK, or DONE because the time has passed. */
static enum rwt_status wait_for(struct guest *guest, struct rwt_slice prefix, uint64_t timeout_ms) {
    struct waiting *waiting = guest_bridge_state(guest, BRIDGE_MAILBOX);
    bool timed_out = waiting && waiting->over && waiting->timed_out;
    if (waiting) {
        waiting->over = false;
    }
    if (timeout_ms == 0 || timed_out) {
        return RWT_DONE;
    }
    if (timeout_ms == RUSM_FOREVER && prefix.len == 0) {
        return guest_wait_message(guest); /* holds no stack */
    }
    waiting = waiting_of(guest);
    if (!waiting) {
        return end_without_memory(guest);
    }
    waiting->timeout_ms = timeout_ms;
    waiting->prefix_len = prefix.len;
    memcpy(waiting->prefix, prefix.data, prefix.len);
    return guest_block(guest, wait_outside, waiting);
}

static void wait_is_over(struct guest *guest) {
    struct waiting *waiting = guest_bridge_state(guest, BRIDGE_MAILBOX);
    if (waiting) {
        waiting->over = false;
    }
}

/* ---- core modules ---- */

/* What is looked for, and what was found. */
struct search {
    struct rwt_slice prefix;
    struct rwt_slice out;
    bool found;
    size_t len;
};

/* The first that is found is the one; it is taken if all of it has been copied. */
static bool copy_found(void *arg, const struct rusm_msg *msg) {
    struct search *search = arg;
    if (search->found || !begins_with(msg, search->prefix)) {
        return false;
    }
    char news[NEWS_BYTES_MAX];
    struct rwt_slice bytes = bytes_of(msg, news);
    size_t fits = bytes.len < search->out.len ? bytes.len : search->out.len;
    memcpy(core_out(search->out), bytes.data, fits);
    search->found = true;
    search->len = bytes.len;
    return bytes.len <= search->out.len;
}

static enum rwt_status core_take(struct rwt_core_call *call, struct rwt_slice prefix, int32_t out,
                                 int32_t cap, uint64_t timeout_ms) {
    struct guest *guest = call->guest;
    struct search search = {.prefix = prefix};
    enum rwt_status status;
    if (!guest_memory(call, out, cap, &search.out, &status)) {
        return status;
    }
    const struct rusm_msg *msg = rusm_receive_match(copy_found, &search, 0);
    if (msg) {
        taken(guest, msg);
    }
    if (search.found) {
        wait_is_over(guest);
        return core_answer_i32(call, (int32_t)search.len);
    }
    status = wait_for(guest, prefix, timeout_ms);
    return status == RWT_DONE ? core_answer_i32(call, CODE_NONE) : status;
}

static enum rwt_status core_receive(struct rwt_core_call *call) {
    return core_take(call, BRIDGE_TEXT(""), call->values[0].i32, call->values[1].i32, RUSM_FOREVER);
}

static enum rwt_status core_receive_timeout(struct rwt_core_call *call) {
    return core_take(call, BRIDGE_TEXT(""), call->values[0].i32, call->values[1].i32,
                     (uint64_t)call->values[2].i64);
}

static enum rwt_status core_receive_match(struct rwt_core_call *call) {
    const union rwt_raw *v = call->values;
    struct rwt_slice prefix;
    enum rwt_status status;
    if (!guest_memory(call, v[0].i32, v[1].i32, &prefix, &status)) {
        return status;
    }
    if (prefix.len > PREFIX_BYTES_MAX) {
        return core_answer_i32(call, CODE_INVALID);
    }
    return core_take(call, prefix, v[2].i32, v[3].i32, (uint64_t)v[4].i64);
}

/* True if it has gone, or is dropped; false if it must trap. */
static bool do_send(rusm_pid to, struct rwt_slice message) {
    return rusm_send(to, message.data, message.len) != RUSM_ERR_MESSAGE_TOO_LARGE;
}

#define TOO_LARGE BRIDGE_TEXT("send: the message is longer than the node allows")

static enum rwt_status core_send(struct rwt_core_call *call) {
    struct rwt_slice message;
    enum rwt_status status;
    rusm_pid to = {(uint64_t)call->values[0].i64};
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &message, &status)) {
        return status;
    }
    return do_send(to, message) ? guest_done() : core_trap(call, TOO_LARGE);
}

static enum rwt_status core_stash(struct rwt_core_call *call) {
    enum rusm_err err = otp_stash_last();
    return err == RUSM_ERR_NOMEM ? guest_end_by_limit(call->guest, "stash: out of memory")
                                 : core_answer_i32(call, err == RUSM_OK);
}

static enum rwt_status core_unstash(struct rwt_core_call *call) {
    (void)call;
    rusm_unstash();
    return guest_done();
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "send", "Iii:", core_send, false},
    {"rusm", "receive", "ii:i", core_receive, true},
    {"rusm", "receive_timeout", "iiI:i", core_receive_timeout, true},
    {"rusm", "receive_match", "iiiiI:i", core_receive_match, true},
    {"rusm", "stash", ":i", core_stash, false},
    {"rusm", "unstash", ":", core_unstash, false},
};

/* ---- components ---- */

static bool is_found(void *arg, const struct rusm_msg *msg) {
    const struct rwt_slice *prefix = arg;
    return begins_with(msg, *prefix);
}

static enum rwt_status component_take(struct guest *guest, struct rwt_slice prefix,
                                      uint64_t timeout_ms, struct rwt_ret *ret) {
    struct rusm_msg *msg = rusm_receive_match(is_found, &prefix, 0);
    if (!msg) {
        return wait_for(guest, prefix, timeout_ms); /* what is not present is none */
    }
    struct waiting *waiting = waiting_of(guest);
    if (!waiting) {
        return end_without_memory(guest);
    }
    waiting->over = false;
    taken(guest, msg);
    ret->present = true;
    ret->bytes = bytes_of(msg, waiting->news); /* borrowed until the next receive */
    return guest_done();
}

static enum rwt_status component_receive(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    (void)args;
    return component_take(guest, BRIDGE_TEXT(""), RUSM_FOREVER, ret);
}

static enum rwt_status component_receive_timeout(void *guest, const union rwt_arg *args,
                                                 struct rwt_ret *ret) {
    return component_take(guest, BRIDGE_TEXT(""), args[0].number, ret);
}

static enum rwt_status component_receive_match(void *guest, const union rwt_arg *args,
                                               struct rwt_ret *ret) {
    if (args[0].bytes.len > PREFIX_BYTES_MAX) {
        ret->error = BRIDGE_TEXT("receive-match: the prefix has more than 256 bytes");
        return RWT_TRAP;
    }
    return component_take(guest, args[0].bytes, args[1].number, ret);
}

static enum rwt_status component_send(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)guest;
    if (!do_send((rusm_pid){args[0].number}, args[1].bytes)) {
        ret->error = TOO_LARGE;
        return RWT_TRAP;
    }
    return guest_done();
}

/* The bytes are those of the message received last, which is then put aside as it is. Others are
 * put aside as a message of their own. */
static enum rwt_status component_stash(void *guest, const union rwt_arg *args,
                                       struct rwt_ret *ret) {
    char news[NEWS_BYTES_MAX];
    struct rwt_slice given = args[0].bytes;
    const struct rusm_msg *last = otp_last_message();
    struct rwt_slice bytes = last ? bytes_of(last, news) : BRIDGE_TEXT("");
    bool same = last && bytes.len == given.len && memcmp(bytes.data, given.data, given.len) == 0;
    if (!same && given.len > UINT32_MAX) {
        ret->error = BRIDGE_TEXT("stash: too many bytes");
        return RWT_TRAP;
    }
    enum rusm_err err = same ? otp_stash_last() : otp_stash_copy(given.data, (uint32_t)given.len);
    if (err != RUSM_OK) {
        return guest_end_by_limit(guest, err == RUSM_ERR_MAILBOX_FULL ? "stash: the mailbox is full"
                                                                      : "stash: out of memory");
    }
    return guest_done();
}

static enum rwt_status component_unstash(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    (void)guest;
    (void)args;
    (void)ret;
    rusm_unstash();
    return guest_done();
}

static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "send", "ub:", component_send, false},
    {ACTOR, "receive", ":b", component_receive, true},
    {ACTOR, "receive-timeout", "u:ob", component_receive_timeout, true},
    {ACTOR, "stash", "b:", component_stash, false},
    {ACTOR, "unstash", ":", component_unstash, false},
    {"rusm:runtime/mailbox@0.2.0", "receive-match", "bu:ob", component_receive_match, true},
};

const struct wasm_bridge bridge_mailbox = {
    .name = "mailbox",
    BRIDGE_FUNCS(core_funcs, component_funcs),
    .guest_end = free_waiting,
};
