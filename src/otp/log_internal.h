/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Making events. Each place asks log_wants first: a branch on the level, which lies beside what a
 * spawn reads of the configuration anyway. All else is out of line.
 */
#ifndef OTP_LOG_INTERNAL_H
#define OTP_LOG_INTERNAL_H

#include "otp/runtime_internal.h"
#include <rusm/log.h>

static inline bool log_wants(const struct rusm_runtime *rt, enum rusm_log_level level) {
    return __builtin_expect(rt->config.log_level >= level, 0);
}

/* The level at which the end of a process with this reason may be an event. */
static inline enum rusm_log_level log_level_of_end(const struct rusm_exit_reason *reason) {
    return reason->kind == RUSM_EXIT_ERROR || reason->kind == RUSM_EXIT_LIMIT ? RUSM_LOG_ERROR
                                                                              : RUSM_LOG_INFO;
}

/* `p` is about to be started by `s` (NULL: from outside). */
void log_spawn(struct rusm_runtime *rt, struct sched *s, struct process *p);
/* `p`, which runs on `s`, ends and has released nothing yet. */
void log_end(struct sched *s, struct process *p, const struct rusm_exit_reason *reason);
void log_register(struct rusm_runtime *rt, rusm_pid pid, const char *name);
/* The calling process, a supervisor, restarts a child or gives up. */
void log_restart(enum rusm_event_kind kind, const char *child_id, rusm_pid child,
                 enum rusm_exit_kind why, uint32_t restarts);
void log_long_run(struct rusm_runtime *rt, const struct rusm_process_info *info, uint32_t over_ms);
/* Report what was dropped since the last time. `s` NULL: on no scheduler. */
void log_dropped(struct rusm_runtime *rt, struct sched *s);

#endif
