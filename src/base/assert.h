/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Assertions for programmer errors. RUSM_ASSERT is on in every build: a node with a broken
 * invariant must stop, not go on with other people's data. RUSM_DASSERT is for checks too costly
 * for a hot path; it is compiled in debug and simulation builds only. Depends on nothing.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Print what failed and where to standard error, then abort. */
_Noreturn void assert_failed(const char *condition, const char *file, int line, const char *func);

#define RUSM_ASSERT(cond)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0)) {                                                        \
            assert_failed(#cond, __FILE__, __LINE__, __func__);                                    \
        }                                                                                          \
    } while (0)

#ifdef NDEBUG
#define RUSM_DASSERT(cond) ((void)sizeof((cond) ? 1 : 0))
#else
#define RUSM_DASSERT(cond) RUSM_ASSERT(cond)
#endif

#endif
