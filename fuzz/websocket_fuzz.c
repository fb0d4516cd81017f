/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The input of a WebSocket. The first byte says in which pieces the others arrive and how much of
 * the answers is read. Whatever comes: no message over the limit, a bounded queue, and an end.
 */
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "net/net.h"
#include <string.h>

#define MESSAGE_BYTES_MAX 1024u
/* One read of 4 KiB may bring so many pings beyond the bound. */
#define QUEUE_BOUND (WEBSOCKET_QUEUE_MAX + 4096u / 6u + 1u)

struct wire {
    struct websocket *websocket;
    const uint8_t *data;
    size_t size;
    size_t at;
    size_t piece;
    size_t available; /* may be read before the next round */
    bool reads_answers;
};

static ssize_t wire_read(void *arg, void *into, size_t len) {
    struct wire *wire = arg;
    size_t left = wire->size - wire->at;
    size_t n = len < left ? len : left;
    n = n < wire->available ? n : wire->available;
    if (n == 0) {
        return left == 0 ? -1 : 0;
    }
    memcpy(into, wire->data + wire->at, n);
    wire->at += n;
    wire->available -= n;
    return (ssize_t)n;
}

static ssize_t wire_write(void *arg, const void *from, size_t len) {
    (void)from;
    const struct wire *wire = arg;
    return wire->reads_answers ? (ssize_t)len : 0;
}

static void wire_text(void *arg, const char *text, size_t len) {
    struct wire *wire = arg;
    RUSM_ASSERT(text && len <= MESSAGE_BYTES_MAX);
    RUSM_ASSERT(websocket_state(wire->websocket) == WEBSOCKET_OPEN);
    (void)websocket_send_text(wire->websocket, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct websocket_io io = {.read = wire_read, .write = wire_write, .text = wire_text};
    if (size == 0) {
        return 0;
    }
    struct wire wire = {
        .data = data + 1,
        .size = size - 1,
        .piece = (size_t)(data[0] & 0x7fu) + 1,
        .reads_answers = (data[0] & 0x80u) == 0,
    };
    if (websocket_create(&io, &wire, MESSAGE_BYTES_MAX, &wire.websocket) != RUSM_OK) {
        return 0;
    }
    for (size_t round = 0; round <= size; round++) {
        wire.available = wire.piece;
        enum websocket_state state = websocket_receive(wire.websocket);
        RUSM_ASSERT(websocket_queued(wire.websocket) <= QUEUE_BOUND);
        if (state == WEBSOCKET_CLOSED || websocket_flush(wire.websocket) == WEBSOCKET_CLOSED) {
            break;
        }
    }
    websocket_destroy(wire.websocket);
    return 0;
}
