/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The WebSocket codec over byte buffers: no sockets, no clock. */
#include "net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGE_BYTES_MAX 1000u
#define WIRE_BYTES_MAX    300000u

/* The other side: what it sends, what it got, and how much it accepts. */
struct wire {
    struct websocket *websocket;
    unsigned char in[WIRE_BYTES_MAX];
    size_t in_len;
    size_t in_at;
    bool in_ended;
    unsigned char out[WIRE_BYTES_MAX];
    size_t out_len;
    size_t out_room;
    char text[MESSAGE_BYTES_MAX + 1];
    unsigned texts;
    bool answer;
};

static ssize_t wire_read(void *arg, void *into, size_t len) {
    struct wire *wire = arg;
    size_t left = wire->in_len - wire->in_at;
    if (left == 0) {
        return wire->in_ended ? -1 : 0;
    }
    size_t n = len < left ? len : left;
    memcpy(into, wire->in + wire->in_at, n);
    wire->in_at += n;
    return (ssize_t)n;
}

static ssize_t wire_write(void *arg, const void *from, size_t len) {
    struct wire *wire = arg;
    size_t n = len < wire->out_room ? len : wire->out_room;
    assert_true(wire->out_len + n <= WIRE_BYTES_MAX);
    memcpy(wire->out + wire->out_len, from, n);
    wire->out_len += n;
    wire->out_room -= n;
    return (ssize_t)n;
}

static void wire_text(void *arg, const char *text, size_t len) {
    struct wire *wire = arg;
    assert_true(len <= MESSAGE_BYTES_MAX);
    memcpy(wire->text, text, len);
    wire->text[len] = 0;
    wire->texts++;
    if (wire->answer) {
        assert_true(websocket_send_text(wire->websocket, "answer", 6));
    }
}

static struct wire *wire_make(void) {
    const struct websocket_io io = {.read = wire_read, .write = wire_write, .text = wire_text};
    struct wire *wire = calloc(1, sizeof(*wire));
    assert_non_null(wire);
    wire->out_room = WIRE_BYTES_MAX;
    assert_int_equal(websocket_create(&io, wire, MESSAGE_BYTES_MAX, &wire->websocket), RUSM_OK);
    return wire;
}

static void wire_free(struct wire *wire) {
    websocket_destroy(wire->websocket);
    free(wire);
}

#define FIN    0x80u
#define TEXT   0x1u
#define BINARY 0x2u
#define CLOSE  0x8u
#define PING   0x9u
#define PONG   0xau

/* Append a frame as a client sends it: masked. `declared` may differ from what is there. */
static void put_header(struct wire *wire, unsigned first, uint64_t declared, bool masked) {
    unsigned char *at = wire->in + wire->in_len;
    unsigned mask_bit = masked ? 0x80u : 0;
    size_t len = 2;
    at[0] = (unsigned char)first;
    if (declared < 126) {
        at[1] = (unsigned char)(mask_bit | declared);
    } else {
        unsigned bytes = declared < 65536 ? 2 : 8;
        at[1] = (unsigned char)(mask_bit | (bytes == 2 ? 126u : 127u));
        for (unsigned i = 0; i < bytes; i++) {
            at[len++] = (unsigned char)(declared >> (8 * (bytes - 1 - i)));
        }
    }
    if (masked) {
        memset(at + len, 0, 4); /* a mask of zeroes leaves the payload as it is */
        len += 4;
    }
    wire->in_len += len;
}

static void put_frame(struct wire *wire, unsigned first, const char *payload) {
    size_t len = strlen(payload);
    put_header(wire, first, len, true);
    memcpy(wire->in + wire->in_len, payload, len);
    wire->in_len += len;
}

/* A frame that declares more than may come, and the first byte of it. */
static void put_too_long(struct wire *wire, unsigned first, uint64_t declared) {
    put_header(wire, first, declared, true);
    wire->in[wire->in_len++] = 'x';
}

/* What was sent back is exactly one close frame with `code`. */
static void assert_closed_with(struct wire *wire, unsigned code) {
    websocket_flush(wire->websocket);
    assert_true(wire->out_len >= 4);
    assert_int_equal(wire->out[0], FIN | CLOSE);
    assert_int_equal((unsigned)wire->out[2] << 8 | wire->out[3], code);
    assert_int_equal(websocket_state(wire->websocket), WEBSOCKET_CLOSING);
    assert_false(websocket_send_text(wire->websocket, "x", 1));
}

static void accept_key_is_that_of_the_rfc(void **state) {
    (void)state;
    char accept[WEBSOCKET_ACCEPT_BYTES];
    assert_int_equal(websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept), RUSM_OK);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(websocket_accept_key("", accept), RUSM_ERR_INVALID);
    assert_int_equal(websocket_accept_key("short", accept), RUSM_ERR_INVALID);
    assert_int_equal(websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==x", accept), RUSM_ERR_INVALID);
    assert_int_equal(websocket_accept_key("dGhlIHNhbXBsZSBub25jZ!==", accept), RUSM_ERR_INVALID);
    assert_int_equal(websocket_accept_key("dGhlIHNhbXBsZSBub25jZQA=", accept), RUSM_ERR_INVALID);
}

static void text_goes_both_ways(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_frame(wire, FIN | TEXT, "hello");
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_OPEN);
    assert_string_equal(wire->text, "hello");
    assert_true(websocket_send_text(wire->websocket, "world", 5));
    assert_true(websocket_wants_write(wire->websocket));
    assert_int_equal(websocket_flush(wire->websocket), WEBSOCKET_OPEN);
    assert_false(websocket_wants_write(wire->websocket));
    assert_int_equal(wire->out_len, 7);
    assert_memory_equal(wire->out, "\x81\x05world", 7);
    wire_free(wire);
}

static void every_split_of_the_input_gives_the_same_message(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_frame(wire, TEXT, "frag");
    put_frame(wire, FIN | PING, "in between");
    put_frame(wire, 0, "");
    put_frame(wire, FIN, "mented");
    size_t whole = wire->in_len;
    for (size_t end = 1; end <= whole; end++) {
        wire->in_len = end;
        assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_OPEN);
    }
    assert_int_equal(wire->texts, 1);
    assert_string_equal(wire->text, "fragmented");
    websocket_flush(wire->websocket);
    assert_memory_equal(wire->out, "\x8a\x0ain between", 12);
    wire_free(wire);
}

static void limits_and_kinds_of_messages(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_header(wire, FIN | TEXT, MESSAGE_BYTES_MAX, true);
    memset(wire->in + wire->in_len, 'x', MESSAGE_BYTES_MAX);
    wire->in_len += MESSAGE_BYTES_MAX;
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_OPEN);
    assert_int_equal(wire->texts, 1);
    put_too_long(wire, FIN | TEXT, MESSAGE_BYTES_MAX + 1);
    websocket_receive(wire->websocket);
    assert_closed_with(wire, WEBSOCKET_CLOSE_TOO_BIG);
    wire_free(wire);

    wire = wire_make();
    put_too_long(wire, FIN | TEXT, (uint64_t)1 << 62);
    websocket_receive(wire->websocket);
    assert_closed_with(wire, WEBSOCKET_CLOSE_TOO_BIG);
    wire_free(wire);

    wire = wire_make();
    put_header(wire, TEXT, 600, true);
    memset(wire->in + wire->in_len, 'x', 600);
    wire->in_len += 600;
    put_too_long(wire, FIN, 600);
    websocket_receive(wire->websocket);
    assert_closed_with(wire, WEBSOCKET_CLOSE_TOO_BIG);
    wire_free(wire);

    wire = wire_make();
    put_frame(wire, FIN | BINARY, "bytes");
    put_frame(wire, FIN | TEXT, "after");
    websocket_receive(wire->websocket);
    assert_int_equal(wire->texts, 0);
    assert_closed_with(wire, WEBSOCKET_CLOSE_UNSUPPORTED);
    wire_free(wire);
}

static void broken_frames_close(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_header(wire, FIN | TEXT, 0, false);
    websocket_receive(wire->websocket);
    assert_closed_with(wire, WEBSOCKET_CLOSE_PROTOCOL);
    wire_free(wire);

    wire = wire_make();
    put_frame(wire, FIN, "continues nothing");
    websocket_receive(wire->websocket);
    assert_closed_with(wire, WEBSOCKET_CLOSE_PROTOCOL);
    wire_free(wire);

    wire = wire_make();
    put_frame(wire, FIN | TEXT, "\xff\xfe");
    websocket_receive(wire->websocket);
    assert_int_equal(wire->texts, 0);
    assert_closed_with(wire, 1007);
    wire_free(wire);

    wire = wire_make();
    memset(wire->in, 0xff, 100);
    wire->in_len = 100;
    websocket_receive(wire->websocket);
    websocket_flush(wire->websocket);
    assert_int_equal(websocket_state(wire->websocket), WEBSOCKET_CLOSING);
    assert_int_equal(wire->out[0], FIN | CLOSE);
    wire_free(wire);
}

static void close_is_answered_and_the_rest_is_discarded(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_frame(wire, FIN | CLOSE, "\x03\xe8");
    websocket_receive(wire->websocket);
    assert_int_equal(websocket_flush(wire->websocket), WEBSOCKET_CLOSED);
    assert_memory_equal(wire->out, "\x88\x02\x03\xe8", 4);
    wire_free(wire);

    wire = wire_make();
    websocket_close(wire->websocket, WEBSOCKET_CLOSE_GOING_AWAY, "bye");
    websocket_close(wire->websocket, WEBSOCKET_CLOSE_NORMAL, "again");
    assert_closed_with(wire, WEBSOCKET_CLOSE_GOING_AWAY);
    assert_int_equal(wire->out_len, 7);
    wire->in_len = WIRE_BYTES_MAX;
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_CLOSING);
    assert_in_range(wire->in_at, 1, WIRE_BYTES_MAX - 1);
    wire->in_ended = true;
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_CLOSED);
    assert_int_equal(wire->texts, 0);
    wire_free(wire);
}

static void a_client_that_does_not_read_is_not_read(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    wire->answer = true;
    wire->out_room = 0;
    for (unsigned i = 0; i < 20000; i++) {
        put_frame(wire, FIN | TEXT, "question");
    }
    for (unsigned round = 0; round < 100; round++) {
        assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_OPEN);
        assert_int_equal(websocket_flush(wire->websocket), WEBSOCKET_OPEN);
    }
    /* One read may bring 4 KiB of them more than the bound. */
    assert_in_range(websocket_queued(wire->websocket), WEBSOCKET_QUEUE_MAX, 4096 / 14 + 1);
    assert_false(websocket_wants_read(wire->websocket));
    assert_true(wire->in_at < 10000);
    while (wire->texts < 20000) {
        wire->out_room = WIRE_BYTES_MAX;
        wire->out_len = 0;
        websocket_flush(wire->websocket);
        assert_true(websocket_wants_read(wire->websocket));
        websocket_receive(wire->websocket);
    }
    wire_free(wire);
}

static void the_end_of_the_stream_is_seen(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    put_header(wire, FIN | TEXT, 100, true);
    wire->in_ended = true;
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_CLOSED);
    assert_false(websocket_wants_read(wire->websocket));
    assert_false(websocket_wants_write(wire->websocket));
    websocket_ping(wire->websocket);
    assert_int_equal(websocket_flush(wire->websocket), WEBSOCKET_CLOSED);
    assert_int_equal(wire->out_len, 0);
    wire_free(wire);
}

static void pings_are_sent_and_pongs_ignored(void **state) {
    (void)state;
    struct wire *wire = wire_make();
    websocket_ping(wire->websocket);
    assert_int_equal(websocket_flush(wire->websocket), WEBSOCKET_OPEN);
    assert_memory_equal(wire->out, "\x89\x00", 2);
    put_frame(wire, FIN | PONG, "");
    assert_int_equal(websocket_receive(wire->websocket), WEBSOCKET_OPEN);
    assert_int_equal(wire->texts, 0);
    wire_free(wire);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_key_is_that_of_the_rfc),
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(every_split_of_the_input_gives_the_same_message),
        cmocka_unit_test(limits_and_kinds_of_messages),
        cmocka_unit_test(broken_frames_close),
        cmocka_unit_test(close_is_answered_and_the_rest_is_discarded),
        cmocka_unit_test(a_client_that_does_not_read_is_not_read),
        cmocka_unit_test(the_end_of_the_stream_is_seen),
        cmocka_unit_test(pings_are_sent_and_pongs_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
