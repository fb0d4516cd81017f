/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Network codecs. So far: the server's side of a WebSocket connection (RFC 6455), framing by wslay.
 *
 * Model. A websocket is a codec between two functions that the owner gives (read bytes, write
 * bytes, neither may block) and a callback for each text message. It opens no descriptor and knows
 * no event loop: the owner calls websocket_receive when there may be input, websocket_flush when
 * there may be room for output, and asks what to wait for next.
 *
 * What it answers by itself: pings; a binary message with close 1003; a message over the limit with
 * 1009; text that is not UTF-8 with 1007; frames without a mask, or out of order, with 1002; bytes
 * that are no frame at all with a close that gives no code. After a close has been sent and
 * received, or the other side is gone, the state is WEBSOCKET_CLOSED for good.
 *
 * Limits: one message has at most message_bytes_max bytes, fragments together. Input is not read
 * while WEBSOCKET_QUEUE_MAX or more messages wait to be sent, so a client that asks without
 * reading answers cannot make the queue grow (past what one read of 4 KiB may still add).
 *
 * Thread rules: one thread at a time for each websocket. Not here: extensions (compression),
 * the client's side, HTTP.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <rusm/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- handshake --- */

#define WEBSOCKET_ACCEPT_BYTES 29u /* 28 characters and the final zero */

/*
 * The Sec-WebSocket-Accept value that answers `key`, the client's Sec-WebSocket-Key.
 * Errors: INVALID (not 16 bytes in base64), SYSTEM (no SHA-1). Source: RFC 6455, section 4.2.2.
 */
enum rusm_err websocket_accept_key(const char *key, char accept[WEBSOCKET_ACCEPT_BYTES]);

/* --- connection --- */

#define WEBSOCKET_QUEUE_MAX 16u

#define WEBSOCKET_CLOSE_NORMAL      1000u
#define WEBSOCKET_CLOSE_GOING_AWAY  1001u
#define WEBSOCKET_CLOSE_PROTOCOL    1002u
#define WEBSOCKET_CLOSE_UNSUPPORTED 1003u
#define WEBSOCKET_CLOSE_TOO_BIG     1009u

enum websocket_state {
    WEBSOCKET_OPEN,
    WEBSOCKET_CLOSING, /* a close was sent or is queued: only flush, then wait for the other side */
    WEBSOCKET_CLOSED,  /* nothing more to do but to close the descriptor */
};

struct websocket_io {
    /* Read up to `len` bytes. Returns the number, 0 = none now, -1 = no more will come. */
    ssize_t (*read)(void *arg, void *into, size_t len);
    /* Write up to `len` bytes. Returns the number, 0 = no room now, -1 = the other side is gone. */
    ssize_t (*write)(void *arg, const void *from, size_t len);
    /* A whole message arrived; `text` is borrowed for the call and not ended by a zero. It may
     * send, and close, but not destroy the websocket. */
    void (*text)(void *arg, const char *text, size_t len);
};

struct websocket;

/* `io` is copied, `arg` is handed to its functions. Errors: NOMEM. */
enum rusm_err websocket_create(const struct websocket_io *io, void *arg, uint32_t message_bytes_max,
                               struct websocket **out);
/* `websocket` may be NULL. */
void websocket_destroy(struct websocket *websocket);

/* Read and handle what there is, until read() says none now. Returns the state after it. */
enum websocket_state websocket_receive(struct websocket *websocket);

/* Write what is queued until write() says no room. Returns the state after it. */
enum websocket_state websocket_flush(struct websocket *websocket);

enum websocket_state websocket_state(const struct websocket *websocket);

/* Queue a text message, copied. False (and nothing queued) if not open or out of memory. */
bool websocket_send_text(struct websocket *websocket, const char *text, size_t len);

/* Queue a ping without payload, if open. */
void websocket_ping(struct websocket *websocket);

/* Queue a close with `code` and a reason of at most 120 bytes; what is queued before it still goes
 * out. Input is ignored from here on. Does nothing if one is queued already. */
void websocket_close(struct websocket *websocket, uint16_t code, const char *reason);

/* Whether to call websocket_receive once there is input: open, and not too much waits for output.
 */
bool websocket_wants_read(const struct websocket *websocket);
/* Whether to call websocket_flush once there is room. */
bool websocket_wants_write(const struct websocket *websocket);
/* Messages that wait to be sent, the one partly sent included. */
size_t websocket_queued(const struct websocket *websocket);

#endif
