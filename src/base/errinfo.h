/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Filling in a struct rusm_errinfo. Any thread. */
#ifndef BASE_ERRINFO_H
#define BASE_ERRINFO_H

#include <rusm/err.h>

/* Write a line to `info`, NULL = nobody wants it; returns `err`. A text that is too long is cut
 * between characters, so that it stays UTF-8. */
enum rusm_err errinfo_set(struct rusm_errinfo *info, enum rusm_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
