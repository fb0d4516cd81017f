/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Two processes send each other a number, up and up, and main prints how fast they were.
 *
 *     ping_pong [ROUNDS]      default 1000000
 *
 * Shown here: messages that carry the sender's pid for the answer, a reason for a process's end,
 * and on_exit, by which the program outside learns of it.
 */
#include <rusm/rusm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the two send each other. */
struct ball {
    rusm_pid from;
    uint64_t number;
};

/* Answers every ball with the next number, for ever. It ends when it is killed. */
static void pong(void *arg) {
    (void)arg;
    for (;;) {
        struct ball ball;
        memcpy(&ball, rusm_receive()->data, sizeof ball);
        const struct ball answer = {rusm_self(), ball.number + 1};
        (void)rusm_send(ball.from, &answer, sizeof answer);
    }
}

/* Plays `*rounds` rounds, then ends with the last number as its reason's payload. */
static void ping(void *arg) {
    const uint64_t *rounds = arg;
    rusm_pid other;
    enum rusm_err err = rusm_spawn(NULL, pong, NULL, NULL, &other);
    struct ball ball = {rusm_self(), 0};
    for (uint64_t i = 0; i < *rounds && err == RUSM_OK; i++) {
        ball.from = rusm_self();
        err = rusm_send(other, &ball, sizeof ball);
        if (err == RUSM_OK) {
            /* A message is borrowed until the next receive: copy what is to be kept. */
            memcpy(&ball, rusm_receive()->data, sizeof ball);
        }
    }
    if (err != RUSM_OK) {
        const char *why = rusm_err_text(err);
        rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, why, (uint32_t)strlen(why)});
    }
    (void)rusm_kill(NULL, other);
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_NORMAL, &ball.number, sizeof ball.number});
}

/* What main wants to know of ping's end. */
struct outcome {
    enum rusm_exit_kind kind;
    uint64_t number;
};

/* Called on a scheduler's thread when ping has ended; `reason` is gone when this returns. */
static void ping_ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct outcome *outcome = arg;
    (void)pid;
    outcome->kind = reason->kind;
    if (reason->kind == RUSM_EXIT_NORMAL) {
        memcpy(&outcome->number, reason->payload, sizeof outcome->number);
    } else {
        fprintf(stderr, "ping_pong: %.*s\n", (int)reason->payload_bytes,
                (const char *)reason->payload);
    }
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1; /* two processes that take turns need only one */
    rusm_runtime *rt;
    enum rusm_err err = rusm_runtime_create(&config, &rt);
    if (err != RUSM_OK) {
        fprintf(stderr, "ping_pong: %s\n", rusm_err_text(err));
        return 1;
    }
    struct outcome outcome = {.kind = RUSM_EXIT_ERROR};
    struct rusm_spawn_opts opts = {.label = "ping", .on_exit = ping_ended, .on_exit_arg = &outcome};
    double start = seconds_now();
    err = rusm_spawn(rt, ping, &rounds, &opts, NULL);
    rusm_runtime_wait_idle(rt); /* on_exit has returned by then */
    double seconds = seconds_now() - start;
    rusm_runtime_destroy(rt);
    if (err != RUSM_OK || outcome.kind != RUSM_EXIT_NORMAL) {
        return 1;
    }
    printf("%llu rounds, the last number is %llu\n", (unsigned long long)rounds,
           (unsigned long long)outcome.number);
    fprintf(stderr, "%.1f million messages a second\n", 2e-6 * (double)rounds / seconds);
    return outcome.number == rounds ? 0 : 1;
}
