/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* For tests: a blocking HTTP and WebSocket client on loopback. Every wait has a limit of ten
 * seconds, which only a hang reaches, and fails the test then. */
#ifndef NODE_TEST_CLIENT_INTERNAL_H
#define NODE_TEST_CLIENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_CLIENT_BUFFER_BYTES (512u * 1024)

struct test_client {
    int fd;
    size_t have; /* bytes read and not consumed */
    char buffer[TEST_CLIENT_BUFFER_BYTES];
};

/* One frame of the server, its payload ended by a zero. */
struct test_frame {
    unsigned opcode;
    bool ended; /* the connection ended instead */
    size_t len;
    const char *payload; /* borrowed until the next read */
};

/* `receive_bytes` 0 = the system's default. */
struct test_client *test_client_connect(uint16_t port, int receive_bytes);
void test_client_free(struct test_client *client);

/* Write all; false if the other side is gone. */
bool test_client_write(struct test_client *client, const void *bytes, size_t len);
/* Read up to the end of the stream; the text of it. */
const char *test_client_read_all(struct test_client *client);
/* The head of a response, up to the empty line; "" if the stream ended. */
const char *test_client_read_head(struct test_client *client);

/* A GET on a new connection that closes after; the whole response, to be freed by free(). */
char *test_client_get(uint16_t port, const char *path);

/* Ask for the upgrade with these further headers, each ended by CR LF; the response's head. */
const char *test_client_upgrade(struct test_client *client, const char *path, const char *headers);
/* Connect and upgrade; asserted to succeed. */
struct test_client *test_client_websocket(uint16_t port, int receive_bytes);

/* Send a masked frame; `first` is its first byte. */
bool test_client_send(struct test_client *client, unsigned first, const void *bytes, size_t len);
bool test_client_send_text(struct test_client *client, const char *text);
struct test_frame test_client_receive(struct test_client *client);

#endif
