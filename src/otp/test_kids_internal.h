/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Kids: servers to be supervised, which write down their starts and ends in one history, and end as
 * they are told. A kid of letter 'a' writes "+a" in init and "-a" in terminate.
 */
#ifndef OTP_TEST_KIDS_INTERNAL_H
#define OTP_TEST_KIDS_INTERNAL_H

#include "otp/test_puppet_internal.h"

#define HISTORY_MAX 4096u

struct history {
    _Atomic uint32_t len;
    char text[HISTORY_MAX];
};

/* The argument of a kid; outlives it. */
struct kid {
    struct history *history;
    char letter;
    enum rusm_err init_err;
    bool crashes;      /* in init */
    bool ignores;      /* exit signals other than a kill */
    const char *kills; /* the name of a process that it takes along, in terminate; or NULL */
    _Atomic uint32_t starts;
    _Atomic uint32_t ends;
    _Atomic uint32_t ended_as; /* enum rusm_exit_kind */
};

extern const struct rusm_server kid_server;

/* A child `id` that is this kid; the rest of its specification is zero. */
struct rusm_child kid_child(const char *id, struct kid *kid);

/* From a process: end a kid, or any process that it is, with this reason (KILLED: by a kill). */
void kid_end(rusm_pid pid, enum rusm_exit_kind kind);

/* The pid a supervisor has for the child `id`; {0} if it does not run or does not exist. */
rusm_pid kid_pid(rusm_pid supervisor, const char *id);

/* Wait until the supervisor has another pid, not {0}, for the child `id` than `before`. */
rusm_pid kid_await(rusm_pid supervisor, const char *id, rusm_pid before);

/* How many children the supervisor has. */
size_t kid_count(rusm_pid supervisor);

/* Whether the history is `expected`; says on standard error what it is if not. */
bool history_is(const struct history *history, const char *expected);

#endif
