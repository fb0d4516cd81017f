/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Keeps one worker alive, by hand: it spawns the component "worker" with a monitor, and again when
 * it ends, at most RESTARTS_MAX times; then it ends with reason shutdown. Needs the capability
 * spawn. A message of 8 bytes is somebody's pid: it is sent the worker's. rusm_supervise has the
 * node do the restarting, as the supervisors in the other languages do.
 */
#include <string.h>

#include "rusm.h"

#define RESTARTS_MAX 3

static const char worker[] = "worker";
static const char down[] = "{\"__down\":";

static rusm_pid start(void) {
    rusm_pid pid = rusm_spawn(worker, sizeof worker - 1, RUSM_SPAWN_MONITOR);
    if (pid < 0) {
        static const char text[] = "the worker cannot be started";
        rusm_exit(RUSM_EXIT_CRASHED, text, sizeof text - 1);
    }
    return pid;
}

static void answer(const char *message, rusm_pid child) {
    rusm_pid from;
    memcpy(&from, message, sizeof from);
    rusm_send(from, &child, sizeof child);
}

RUSM_EXPORT(run) void run(void) {
    char message[256];
    int restarts = 0;
    rusm_pid child = start();
    while (restarts <= RESTARTS_MAX) {
        int32_t len = rusm_receive(message, sizeof message);
        if (len >= (int32_t)sizeof down - 1 && memcmp(message, down, sizeof down - 1) == 0) {
            restarts++;
            child = restarts <= RESTARTS_MAX ? start() : 0;
        } else if (len == sizeof child) {
            answer(message, child);
        }
    }
    rusm_exit(RUSM_EXIT_SHUTDOWN, NULL, 0);
}
