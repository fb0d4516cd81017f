/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What was built; made by bench/build_info.cmake. */
#ifndef RUNNER_BUILD_INFO_H
#define RUNNER_BUILD_INFO_H

#include <stdbool.h>

extern const char build_commit[]; /* twelve digits, or "unknown" */
extern const bool build_dirty;    /* the tree differed from it */

#endif
