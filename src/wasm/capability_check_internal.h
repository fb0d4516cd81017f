/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#ifndef WASM_CAPABILITY_CHECK_INTERNAL_H
#define WASM_CAPABILITY_CHECK_INTERNAL_H

#include <rusm/capability.h>
#include <rusm/err.h>

/* Whether name and specification are well formed by themselves. Error: INVALID; `info` names the
 * capability, the key of rusm.toml and the value. Any thread. */
enum rusm_err capability_check(const char *name, const struct rusm_capability *spec,
                               struct rusm_errinfo *info);

#endif
