/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A program of someone who installed the library: two processes exchange a message and end. It uses
 * nothing but the public headers and what pkg-config says.
 */
#include <rusm/rusm.h>
#include <stdio.h>
#include <string.h>

struct round {
    rusm_pid asker;
    char answer[16];
};

static void answer(void *arg) {
    struct round *round = arg;
    struct rusm_msg *msg = rusm_receive();
    if (msg->len == 4 && memcmp(msg->data, "ping", 4) == 0) {
        (void)rusm_send(round->asker, "pong", 4);
    }
}

static void ask(void *arg) {
    struct round *round = arg;
    rusm_pid other;
    round->asker = rusm_self();
    if (rusm_spawn(NULL, answer, round, NULL, &other) != RUSM_OK ||
        rusm_send(other, "ping", 4) != RUSM_OK) {
        return;
    }
    struct rusm_msg *msg = rusm_receive_timeout(10000);
    if (msg != NULL && msg->len < sizeof(round->answer)) {
        memcpy(round->answer, msg->data, msg->len);
    }
}

int main(void) {
    struct round round = {{0}, ""};
    rusm_runtime *runtime;
    enum rusm_err err = rusm_runtime_create(NULL, &runtime);
    if (err == RUSM_OK) {
        err = rusm_spawn(runtime, ask, &round, NULL, NULL);
        rusm_runtime_wait_idle(runtime);
        rusm_runtime_destroy(runtime);
    }
    if (err != RUSM_OK) {
        fprintf(stderr, "%s: %s\n", rusm_err_name(err), rusm_err_text(err));
        return 1;
    }
    printf("%s %s\n", rusm_version(), round.answer);
    return strcmp(round.answer, "pong") != 0;
}
