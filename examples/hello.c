/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The smallest program: one process that says hello to another.
 *
 * A process is plain C on a stack of its own. It shares nothing with others; it receives messages,
 * which are strings of bytes, from a mailbox of its own.
 *
 * Build against an installed library:  cc hello.c $(pkg-config --cflags --libs rusm)
 */
#include <rusm/rusm.h>
#include <stdio.h>
#include <string.h>

/* Waits for one message, prints it, and ends by returning. */
static void greeter(void *arg) {
    (void)arg;
    struct rusm_msg *msg = rusm_receive(); /* suspends until there is one */
    printf("Hello, %.*s!\n", (int)msg->len, (const char *)msg->data);
}

/* Starts the greeter and sends it a name. */
static void hello(void *arg) {
    const char *name = arg;
    rusm_pid pid;
    /* NULL: in the runtime of the calling process, and without options. */
    if (rusm_spawn(NULL, greeter, NULL, NULL, &pid) == RUSM_OK) {
        /* The bytes are copied: nothing stays shared. */
        (void)rusm_send(pid, name, strlen(name));
    }
}

int main(void) {
    rusm_runtime *rt;
    enum rusm_err err = rusm_runtime_create(NULL, &rt); /* NULL: the defaults */
    if (err == RUSM_OK) {
        err = rusm_spawn(rt, hello, "world", NULL, NULL);
        rusm_runtime_wait_idle(rt); /* until no process is left */
        rusm_runtime_destroy(rt);
    }
    if (err != RUSM_OK) {
        fprintf(stderr, "hello: %s\n", rusm_err_text(err));
        return 1;
    }
    return 0;
}
