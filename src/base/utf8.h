/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing over U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at `at`, of `left` (at least 1); 0 if it is none. */
size_t utf8_length(const unsigned char *at, size_t left);

bool utf8_is_valid(const void *text, size_t len);

/* The most of the valid text `text` that has at most `max` bytes: how many of its `len` to keep. */
size_t utf8_cut(const void *text, size_t len, size_t max);

#endif
