/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What the bridges share. */
#ifndef BRIDGE_BRIDGE_INTERNAL_H
#define BRIDGE_BRIDGE_INTERNAL_H

#include "base/utf8.h"
#include "bridge/bridge.h"
#include <string.h>

/* ---- the bridges, at their index of wasm_create: that of their state ---- */

enum bridge_index { BRIDGE_LOG, BRIDGE_STREAMS, BRIDGE_CUSTOM, BRIDGE_COUNT };

extern const struct wasm_bridge bridge_log;
extern const struct wasm_bridge bridge_streams;
extern const struct wasm_bridge bridge_custom;

/* ---- answers of core functions, as in sdk/README.md ---- */

enum bridge_code {
    CODE_NONE = -1,
    CODE_DENIED = -2,
    CODE_LIMIT = -3,
    CODE_INVALID = -4,
    CODE_FAILED = -5,
};

/* ---- glue ---- */

/* The bytes of a literal. */
#define BRIDGE_TEXT(literal) ((struct rwt_slice){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Trap; `text` is static. */
static inline enum rwt_status core_trap(struct rwt_core_call *call, struct rwt_slice text) {
    call->error = text;
    return RWT_TRAP;
}

/* As guest_memory for a text: what is not UTF-8 traps. */
bool core_text(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
               enum rwt_status *status);

#endif
