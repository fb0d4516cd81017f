/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/errinfo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t continuation_bytes(unsigned char lead) {
    return lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
}

/* `text` was cut after `len` bytes: drop a character that lost its end. */
static void drop_partial_character(char *text, size_t len) {
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start > 0 && len - start < continuation_bytes((unsigned char)text[start - 1])) {
        text[start - 1] = 0;
    }
}

enum rusm_err errinfo_set(struct rusm_errinfo *info, enum rusm_err err, const char *format, ...) {
    if (!info) {
        return err;
    }
    va_list args;
    va_start(args, format);
    int len = vsnprintf(info->text, sizeof info->text, format, args);
    va_end(args);
    if (len < 0) {
        info->text[0] = 0;
    } else if ((size_t)len >= sizeof info->text) {
        drop_partial_character(info->text, sizeof info->text - 1);
    }
    return err;
}
