/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/utf8.h"

size_t utf8_length(const unsigned char *at, size_t left) {
    unsigned char first = at[0];
    if (first < 0x80) {
        return 1;
    }
    size_t len = first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || left < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool surrogate = first == 0xed && at[1] >= 0xa0;
    bool too_large = first == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : len;
}

bool utf8_is_valid(const void *text, size_t len) {
    const unsigned char *at = text;
    size_t char_len = 1;
    for (; len > 0 && char_len > 0; at += char_len, len -= char_len) {
        char_len = utf8_length(at, len);
    }
    return char_len > 0;
}

size_t utf8_cut(const void *text, size_t len, size_t max) {
    const unsigned char *bytes = text;
    if (len <= max) {
        return len;
    }
    while (max > 0 && (bytes[max] & 0xc0) == 0x80) {
        max--;
    }
    return max;
}
