/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/test_client_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HANG_MS 10000

struct test_client *test_client_connect(uint16_t port, int receive_bytes) {
    struct test_client *client = calloc(1, sizeof(*client));
    assert_non_null(client);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    if (receive_bytes > 0) {
        assert_int_equal(
            setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes)),
            0);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

void test_client_free(struct test_client *client) {
    close(client->fd);
    free(client);
}

bool test_client_write(struct test_client *client, const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        struct pollfd poller = {.fd = client->fd, .events = POLLOUT};
        assert_int_equal(poll(&poller, 1, HANG_MS), 1);
        ssize_t n = send(client->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Read some more; false at the end of the stream. */
static bool read_more(struct test_client *client) {
    assert_true(client->have < TEST_CLIENT_BUFFER_BYTES - 1);
    struct pollfd poller = {.fd = client->fd, .events = POLLIN};
    assert_int_equal(poll(&poller, 1, HANG_MS), 1);
    ssize_t n = recv(client->fd, client->buffer + client->have,
                     TEST_CLIENT_BUFFER_BYTES - 1 - client->have, 0);
    if (n <= 0) {
        return false;
    }
    client->have += (size_t)n;
    client->buffer[client->have] = 0;
    return true;
}

static void consume(struct test_client *client, size_t len) {
    memmove(client->buffer, client->buffer + len, client->have - len);
    client->have -= len;
    client->buffer[client->have] = 0;
}

const char *test_client_read_all(struct test_client *client) {
    while (read_more(client)) {
    }
    client->buffer[client->have] = 0;
    return client->buffer;
}

const char *test_client_read_head(struct test_client *client) {
    static char head[4096];
    const char *end;
    client->buffer[client->have] = 0;
    while (!(end = strstr(client->buffer, "\r\n\r\n"))) {
        if (!read_more(client)) {
            return "";
        }
    }
    size_t len = (size_t)(end - client->buffer) + 4;
    assert_true(len < sizeof(head));
    memcpy(head, client->buffer, len);
    head[len] = 0;
    consume(client, len);
    return head;
}

char *test_client_get(uint16_t port, const char *path) {
    struct test_client *client = test_client_connect(port, 0);
    char request[1024];
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
    assert_true(test_client_write(client, request, (size_t)len));
    char *response = strdup(test_client_read_all(client));
    assert_non_null(response);
    test_client_free(client);
    return response;
}

const char *test_client_upgrade(struct test_client *client, const char *path, const char *headers) {
    char request[1024];
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nUpgrade: websocket\r\n"
                       "Connection: keep-alive, Upgrade\r\n%s\r\n",
                       path, headers);
    assert_true(test_client_write(client, request, (size_t)len));
    return test_client_read_head(client);
}

struct test_client *test_client_websocket(uint16_t port, int receive_bytes) {
    struct test_client *client = test_client_connect(port, receive_bytes);
    const char *head = test_client_upgrade(client, "/ws",
                                           "Host: 127.0.0.1\r\nSec-WebSocket-Version: 13\r\n"
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert_memory_equal(head, "HTTP/1.1 101", 12);
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    return client;
}

bool test_client_send(struct test_client *client, unsigned first, const void *bytes, size_t len) {
    unsigned char header[14] = {(unsigned char)first};
    size_t header_len = 2;
    if (len < 126) {
        header[1] = (unsigned char)(0x80u | len);
    } else {
        header[1] = 0x80u | 127u;
        for (unsigned i = 0; i < 8; i++) {
            header[header_len++] = (unsigned char)((uint64_t)len >> (8 * (7 - i)));
        }
    }
    header_len += 4; /* a mask of zeroes */
    return test_client_write(client, header, header_len) && test_client_write(client, bytes, len);
}

bool test_client_send_text(struct test_client *client, const char *text) {
    return test_client_send(client, 0x81, text, strlen(text));
}

struct test_frame test_client_receive(struct test_client *client) {
    static char payload[TEST_CLIENT_BUFFER_BYTES];
    struct test_frame frame = {0};
    for (;;) {
        const unsigned char *at = (const unsigned char *)client->buffer;
        size_t header_len = 2;
        if (client->have >= 2) {
            frame.opcode = at[0] & 0x0fu;
            frame.len = at[1];
            unsigned extra = frame.len == 126 ? 2 : frame.len == 127 ? 8 : 0;
            header_len += extra;
            for (unsigned i = 0; extra > 0 && i < extra; i++) {
                frame.len = (i == 0 ? 0 : frame.len << 8) | at[2 + i];
            }
        }
        if (client->have >= header_len && client->have >= 2 &&
            client->have - header_len >= frame.len) {
            memcpy(payload, client->buffer + header_len, frame.len);
            payload[frame.len] = 0;
            frame.payload = payload;
            consume(client, header_len + frame.len);
            return frame;
        }
        if (!read_more(client)) {
            return (struct test_frame){.ended = true, .payload = ""};
        }
    }
}
