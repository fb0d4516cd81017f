/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/test_puppet_internal.h"

#include "base/assert.h"
#include <string.h>

struct order {
    enum puppet_op op;
    rusm_pid about;
    enum rusm_exit_kind kind;
    uint32_t payload_bytes;
    unsigned char payload[RUSM_EXIT_PAYLOAD_MAX];
};

static void obey(const struct order *order) {
    rusm_ref ref;
    const struct rusm_exit_reason reason = {
        order->kind, order->payload_bytes ? order->payload : NULL, order->payload_bytes};
    switch (order->op) {
    case PUPPET_LINK:
        RUSM_ASSERT(rusm_link(order->about) == RUSM_OK);
        break;
    case PUPPET_UNLINK:
        rusm_unlink(order->about);
        break;
    case PUPPET_TRAP:
        (void)rusm_trap_exit(true);
        break;
    case PUPPET_MONITOR:
        RUSM_ASSERT(rusm_monitor(order->about, &ref) == RUSM_OK);
        break;
    case PUPPET_EXIT:
        rusm_exit(&reason);
    case PUPPET_HEARD:
        break;
    }
}

void puppet(void *arg) {
    (void)arg;
    struct puppet_heard heard = {.exits = 0};
    for (;;) {
        struct rusm_msg *msg = rusm_receive();
        if (msg->kind == RUSM_MSG_CALL) {
            struct rusm_from from = rusm_msg_from(msg);
            obey(msg->data);
            (void)rusm_reply(from, &heard, sizeof heard);
            continue;
        }
        RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN);
        heard.exits += msg->kind == RUSM_MSG_EXIT;
        heard.downs += msg->kind == RUSM_MSG_DOWN;
        heard.pid = rusm_msg_down(msg)->pid;
        heard.kind = rusm_msg_down(msg)->reason.kind;
        heard.payload_bytes = rusm_msg_down(msg)->reason.payload_bytes;
    }
}

rusm_pid puppet_spawn(struct exit_record *record) {
    const struct rusm_spawn_opts opts = {.on_exit = record ? record_exit : NULL,
                                         .on_exit_arg = record};
    return spawn_fiber(NULL, puppet, NULL, &opts);
}

enum rusm_err puppet_order(rusm_pid pid, enum puppet_op op, rusm_pid about) {
    const struct order order = {.op = op, .about = about};
    return rusm_call(pid, &order, sizeof order, RUSM_FOREVER, NULL);
}

void puppet_exit(rusm_pid pid, enum rusm_exit_kind kind, const void *payload, uint32_t bytes) {
    struct order order = {.op = PUPPET_EXIT, .kind = kind, .payload_bytes = bytes};
    if (bytes > 0) {
        memcpy(order.payload, payload, bytes);
    }
    RUSM_ASSERT(rusm_call(pid, &order, sizeof order, RUSM_FOREVER, NULL) == RUSM_ERR_NOPROC);
    await_end(pid);
}

struct puppet_heard puppet_heard(rusm_pid pid) {
    const struct order order = {.op = PUPPET_HEARD};
    struct rusm_msg *reply;
    RUSM_ASSERT(rusm_call(pid, &order, sizeof order, RUSM_FOREVER, &reply) == RUSM_OK);
    struct puppet_heard heard;
    memcpy(&heard, reply->data, sizeof heard);
    return heard;
}

bool puppet_lives(rusm_pid pid) {
    return puppet_order(pid, PUPPET_HEARD, (rusm_pid){0}) == RUSM_OK;
}

void await_end(rusm_pid pid) {
    while (rusm_is_alive(NULL, pid)) {
        rusm_yield();
    }
}

void await_record(const struct exit_record *record) {
    /* Acquire: the rest of the record was written before. */
    while (atomic_load_explicit(&record->count, memory_order_acquire) == 0) {
        rusm_yield();
    }
}

const struct rusm_down *expect_news(enum rusm_msg_kind kind, rusm_pid pid,
                                    enum rusm_exit_kind why) {
    const struct rusm_msg *msg = rusm_receive();
    RUSM_ASSERT(msg->kind == kind && msg->len == sizeof(struct rusm_down));
    const struct rusm_down *down = rusm_msg_down(msg);
    RUSM_ASSERT(down->pid.v == pid.v);
    RUSM_ASSERT(down->reason.kind == why);
    return down;
}

void expect_silence(void) {
    RUSM_ASSERT(rusm_receive_timeout(0) == NULL);
}
