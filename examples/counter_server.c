/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A counter that many clients use at once, as a server: a process made of callbacks, which holds no
 * stack while it waits. No locks: the server takes one message at a time, so its state is its own.
 *
 *     counter_server [CLIENTS [ADDS]]      default 1000 clients, 1000 adds each
 *
 * Shown here:
 *   - a server with a state, found by name;
 *   - requests without an answer (add), and with one (read), told apart by a tag in the message;
 *   - a bounded mailbox that holds its senders: clients that add faster than the server counts are
 *     suspended for a while, and memory stays small however many they are;
 *   - the end: the last client asks for the total, which must be the sum of all, and stops the
 * server.
 */
#include <rusm/rusm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NAME "counter"

enum request_kind { ADD, READ, DONE, STOP };

struct request {
    enum request_kind kind;
    uint64_t amount;   /* ADD */
    rusm_pid reply_to; /* READ */
};

/* What the program was asked to do. */
struct job {
    uint64_t clients;
    uint64_t adds;
    uint64_t total; /* written by the reader, read by main when all have ended */
};

/* ---- the server ---- */

struct counter {
    uint64_t total;
    uint64_t clients_left; /* not DONE yet */
    rusm_pid reader;       /* who waits for them, or {0} */
};

static enum rusm_err counter_init(void *state, void *arg) {
    struct counter *counter = state; /* zeroed */
    const struct job *job = arg;
    counter->clients_left = job->clients;
    return RUSM_OK;
}

/* Answer whoever asked for the total, once all clients are done. */
static void answer_if_done(struct counter *counter) {
    if (counter->reader.v != 0 && counter->clients_left == 0) {
        (void)rusm_send(counter->reader, &counter->total, sizeof counter->total);
        counter->reader.v = 0;
    }
}

static void counter_message(void *state, struct rusm_msg *msg) {
    struct counter *counter = state;
    struct request request;
    memcpy(&request, msg->data, sizeof request);
    switch (request.kind) {
    case ADD:
        counter->total += request.amount;
        break;
    case READ:
        counter->reader = request.reply_to;
        answer_if_done(counter);
        break;
    case DONE:
        counter->clients_left--;
        answer_if_done(counter);
        break;
    case STOP:
        rusm_exit(NULL);
    }
}

static const struct rusm_server counter_server = {
    .state_bytes = sizeof(struct counter),
    .init = counter_init,
    .message = counter_message,
};

/* ---- the clients ---- */

static void client(void *arg) {
    const struct job *job = arg;
    rusm_pid server = rusm_whereis(NULL, SERVER_NAME);
    struct request request = {.kind = ADD};
    for (uint64_t i = 1; i <= job->adds; i++) {
        request.amount = i;
        (void)rusm_send(server, &request, sizeof request);
    }
    request.kind = DONE;
    (void)rusm_send(server, &request, sizeof request);
}

/* Starts the server and its clients, waits for the total, and stops the server. */
static void reader(void *arg) {
    struct job *job = arg;
    const struct rusm_spawn_opts opts = {
        .name = SERVER_NAME,
        .mailbox_len_max = 1000,
        .mailbox_hold = true,
    };
    rusm_pid server;
    if (rusm_spawn_server(NULL, &counter_server, job, &opts, &server) != RUSM_OK) {
        return;
    }
    for (uint64_t i = 0; i < job->clients; i++) {
        if (rusm_spawn(NULL, client, job, NULL, NULL) != RUSM_OK) {
            (void)rusm_kill(NULL, server);
            return;
        }
    }
    struct request request = {.kind = READ, .reply_to = rusm_self()};
    (void)rusm_send(server, &request, sizeof request);
    memcpy(&job->total, rusm_receive()->data, sizeof job->total);
    request.kind = STOP;
    (void)rusm_send(server, &request, sizeof request);
}

int main(int argc, char **argv) {
    struct job job = {
        .clients = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000,
        .adds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000,
    };
    rusm_runtime *rt;
    enum rusm_err err = rusm_runtime_create(NULL, &rt);
    if (err == RUSM_OK) {
        err = rusm_spawn(rt, reader, &job, NULL, NULL);
        rusm_runtime_wait_idle(rt);
        rusm_runtime_destroy(rt);
    }
    if (err != RUSM_OK) {
        fprintf(stderr, "counter_server: %s\n", rusm_err_text(err));
        return 1;
    }
    uint64_t expected = job.clients * (job.adds * (job.adds + 1) / 2);
    printf("%llu clients added up to %llu: %s\n", (unsigned long long)job.clients,
           (unsigned long long)job.total, job.total == expected ? "right" : "wrong");
    return job.total == expected ? 0 : 1;
}
