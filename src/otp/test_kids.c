/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/test_kids_internal.h"

#include "base/assert.h"
#include <stdio.h>
#include <string.h>

static void note(struct history *history, char what, char letter) {
    if (history) {
        uint32_t at = atomic_fetch_add(&history->len, 2);
        RUSM_ASSERT(at + 2 < HISTORY_MAX);
        history->text[at] = what;
        history->text[at + 1] = letter;
    }
}

static enum rusm_err kid_init(void *state, void *arg) {
    struct kid *kid = arg;
    *(struct kid **)state = kid;
    atomic_fetch_add(&kid->starts, 1);
    note(kid->history, '+', kid->letter);
    (void)rusm_trap_exit(kid->ignores);
    if (kid->crashes) {
        rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "init", 4});
    }
    return kid->init_err;
}

static void kid_message(void *state, struct rusm_msg *msg) {
    (void)state;
    if (msg->kind != RUSM_MSG_EXIT) {
        rusm_exit(&(struct rusm_exit_reason){*(const enum rusm_exit_kind *)msg->data, NULL, 0});
    }
}

static void kid_terminate(void *state, const struct rusm_exit_reason *reason) {
    struct kid *kid = *(struct kid **)state;
    note(kid->history, '-', kid->letter);
    atomic_store(&kid->ended_as, reason->kind);
    atomic_fetch_add(&kid->ends, 1);
    if (kid->kills) {
        rusm_pid other = rusm_whereis(NULL, kid->kills);
        kid->kills = NULL;
        (void)rusm_kill(NULL, other);
    }
}

const struct rusm_server kid_server = {.state_bytes = sizeof(struct kid *),
                                       .init = kid_init,
                                       .message = kid_message,
                                       .terminate = kid_terminate};

struct rusm_child kid_child(const char *id, struct kid *kid) {
    return (struct rusm_child){.id = id, .server = &kid_server, .arg = kid};
}

void kid_end(rusm_pid pid, enum rusm_exit_kind kind) {
    if (kind == RUSM_EXIT_KILLED) {
        (void)rusm_kill(NULL, pid);
    } else {
        (void)rusm_send(pid, &kind, sizeof kind);
    }
    await_end(pid);
}

#define KIDS_MAX 64u

rusm_pid kid_pid(rusm_pid supervisor, const char *id) {
    struct rusm_child_info infos[KIDS_MAX];
    size_t count = 0;
    enum rusm_err err = rusm_supervisor_children(supervisor, infos, KIDS_MAX, &count);
    RUSM_ASSERT(err == RUSM_OK && count <= KIDS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(infos[i].id, id) == 0) {
            return infos[i].pid;
        }
    }
    return (rusm_pid){0};
}

rusm_pid kid_await(rusm_pid supervisor, const char *id, rusm_pid before) {
    rusm_pid pid = kid_pid(supervisor, id);
    while (pid.v == before.v || pid.v == 0) {
        rusm_yield();
        pid = kid_pid(supervisor, id);
    }
    return pid;
}

size_t kid_count(rusm_pid supervisor) {
    size_t count = 0;
    enum rusm_err err = rusm_supervisor_children(supervisor, NULL, 0, &count);
    RUSM_ASSERT(err == RUSM_OK);
    return count;
}

bool history_is(const struct history *history, const char *expected) {
    bool same = strcmp(history->text, expected) == 0;
    if (!same) {
        fprintf(stderr, "history: %s, not %s\n", history->text, expected);
    }
    return same;
}
