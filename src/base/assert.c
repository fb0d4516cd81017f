/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *condition, const char *file, int line, const char *func) {
    fprintf(stderr, "rusm: assertion failed: %s at %s:%d in %s\n", condition, file, line, func);
    abort();
}
