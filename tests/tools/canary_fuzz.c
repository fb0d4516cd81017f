/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A fault that fuzzing must find: a read behind the input if that begins with "FUZZ". tools/ci runs
 * this beside the real targets; if it comes back clean, so would they whatever was wrong in them.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4 || data[0] != 'F' || data[1] != 'U' || data[2] != 'Z' || data[3] != 'Z') {
        return 0;
    }
    uint8_t *copy = malloc(size);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, size);
    volatile uint8_t behind = copy[size];
    (void)behind;
    free(copy);
    return 0;
}
