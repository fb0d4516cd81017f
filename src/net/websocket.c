/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The only file that includes wslay. */
#include "net/net.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <string.h>
#include <wslay/wslay.h>

/* One call of websocket_receive discards at most this much after a close. */
#define DISCARD_BYTES_MAX (256u * 1024)
#define DISCARD_CHUNK     4096u
#define REASON_BYTES_MAX  120u

struct websocket {
    struct websocket_io io;
    void *arg;
    wslay_event_context_ptr wslay; /* owned */
    bool close_queued;
    bool gone; /* the other side reads or writes no more, or the codec gave up */
};

static ssize_t on_read(wslay_event_context_ptr wslay, uint8_t *into, size_t len, int flags,
                       void *arg) {
    (void)flags;
    struct websocket *websocket = arg;
    /* A client that does not read its answers is not asked for more questions. */
    if (wslay_event_get_queued_msg_count(wslay) >= WEBSOCKET_QUEUE_MAX) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    ssize_t got = websocket->io.read(websocket->arg, into, len);
    if (got > 0) {
        return got;
    }
    if (got < 0) {
        websocket->gone = true;
    }
    wslay_event_set_error(wslay, got == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr wslay, const uint8_t *from, size_t len, int flags,
                        void *arg) {
    (void)flags;
    struct websocket *websocket = arg;
    ssize_t put = websocket->io.write(websocket->arg, from, len);
    if (put > 0) {
        return put;
    }
    if (put < 0) {
        websocket->gone = true;
    }
    wslay_event_set_error(wslay, put == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void on_frame_start(wslay_event_context_ptr wslay,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *arg) {
    (void)wslay;
    if (frame->opcode == WSLAY_BINARY_FRAME) {
        websocket_close(arg, WEBSOCKET_CLOSE_UNSUPPORTED, "only text messages are understood");
    }
}

static void on_message(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_msg_recv_arg *message, void *arg) {
    (void)wslay;
    struct websocket *websocket = arg;
    if (message->opcode == WSLAY_TEXT_FRAME && !websocket->close_queued) {
        websocket->io.text(websocket->arg, message->msg ? (const char *)message->msg : "",
                           message->msg_length);
    }
}

enum rusm_err websocket_create(const struct websocket_io *io, void *arg, uint32_t message_bytes_max,
                               struct websocket **out) {
    RUSM_ASSERT(io->read && io->write && io->text);
    const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_read,
        .send_callback = on_write,
        .on_frame_recv_start_callback = on_frame_start,
        .on_msg_recv_callback = on_message,
    };
    struct websocket *websocket = rusm_zalloc(sizeof(*websocket));
    if (!websocket) {
        return RUSM_ERR_NOMEM;
    }
    websocket->io = *io;
    websocket->arg = arg;
    if (wslay_event_context_server_init(&websocket->wslay, &callbacks, websocket) != 0) {
        rusm_free(websocket);
        return RUSM_ERR_NOMEM;
    }
    wslay_event_config_set_max_recv_msg_length(websocket->wslay, message_bytes_max);
    *out = websocket;
    return RUSM_OK;
}

void websocket_destroy(struct websocket *websocket) {
    if (websocket) {
        wslay_event_context_free(websocket->wslay);
        rusm_free(websocket);
    }
}

enum websocket_state websocket_state(const struct websocket *websocket) {
    wslay_event_context_ptr wslay = websocket->wslay;
    if (websocket->gone ||
        (wslay_event_get_close_received(wslay) && wslay_event_get_close_sent(wslay))) {
        return WEBSOCKET_CLOSED;
    }
    bool closing = websocket->close_queued || !wslay_event_get_read_enabled(wslay);
    return closing ? WEBSOCKET_CLOSING : WEBSOCKET_OPEN;
}

/* After a close, what still arrives is thrown away, so that the other side gets to read the close
 * instead of a connection reset. */
static void discard(struct websocket *websocket) {
    uint8_t chunk[DISCARD_CHUNK];
    for (size_t done = 0; done < DISCARD_BYTES_MAX;) {
        ssize_t got = websocket->io.read(websocket->arg, chunk, sizeof(chunk));
        if (got < 0) {
            websocket->gone = true;
        }
        if (got <= 0) {
            return;
        }
        done += (size_t)got;
    }
}

enum websocket_state websocket_receive(struct websocket *websocket) {
    enum websocket_state state = websocket_state(websocket);
    if (state == WEBSOCKET_OPEN) {
        if (wslay_event_recv(websocket->wslay) != 0 && !wslay_event_want_write(websocket->wslay)) {
            websocket->gone = true;
        }
    } else if (state == WEBSOCKET_CLOSING) {
        discard(websocket);
    }
    return websocket_state(websocket);
}

enum websocket_state websocket_flush(struct websocket *websocket) {
    if (!websocket->gone && wslay_event_want_write(websocket->wslay) &&
        wslay_event_send(websocket->wslay) != 0) {
        websocket->gone = true;
    }
    return websocket_state(websocket);
}

bool websocket_send_text(struct websocket *websocket, const char *text, size_t len) {
    if (websocket_state(websocket) != WEBSOCKET_OPEN) {
        return false;
    }
    const struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text, .msg_length = len};
    return wslay_event_queue_msg(websocket->wslay, &message) == 0;
}

void websocket_ping(struct websocket *websocket) {
    if (websocket_state(websocket) == WEBSOCKET_OPEN) {
        const struct wslay_event_msg message = {.opcode = WSLAY_PING};
        /* Without memory for a ping the client stays silent and is closed for that. */
        (void)wslay_event_queue_msg(websocket->wslay, &message);
    }
}

void websocket_close(struct websocket *websocket, uint16_t code, const char *reason) {
    if (websocket_state(websocket) != WEBSOCKET_OPEN) {
        return;
    }
    size_t len = strnlen(reason, REASON_BYTES_MAX);
    if (wslay_event_queue_close(websocket->wslay, code, (const uint8_t *)reason, len) != 0) {
        websocket->gone = true;
    }
    websocket->close_queued = true;
    wslay_event_shutdown_read(websocket->wslay);
}

bool websocket_wants_read(const struct websocket *websocket) {
    switch (websocket_state(websocket)) {
    case WEBSOCKET_OPEN:
        return wslay_event_get_queued_msg_count(websocket->wslay) < WEBSOCKET_QUEUE_MAX;
    case WEBSOCKET_CLOSING:
        return true;
    case WEBSOCKET_CLOSED:
        break;
    }
    return false;
}

bool websocket_wants_write(const struct websocket *websocket) {
    return !websocket->gone && wslay_event_want_write(websocket->wslay);
}

size_t websocket_queued(const struct websocket *websocket) {
    return wslay_event_get_queued_msg_count(websocket->wslay);
}
