/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "bridge/bridge_internal.h"

static const struct wasm_bridge *const all_bridges[] = {
    [BRIDGE_LOG] = &bridge_log,
    [BRIDGE_STREAMS] = &bridge_streams,
    [BRIDGE_CUSTOM] = &bridge_custom,
};
_Static_assert(sizeof all_bridges / sizeof all_bridges[0] == BRIDGE_COUNT, "one line a bridge");
_Static_assert((int)BRIDGE_COUNT <= (int)WASM_BRIDGES_MAX, "guests keep a state for each");

enum rusm_err rusm_wasm_create(rusm_runtime *runtime, const struct rusm_wasm_config *config,
                               rusm_wasm **out, struct rusm_errinfo *error) {
    return wasm_create(runtime, config, all_bridges, BRIDGE_COUNT, out, error);
}

/* ---- texts ---- */

/* How many bytes the character at `at` has; 0 if it is none. */
static size_t character_bytes(const uint8_t *at, size_t left) {
    uint8_t first = at[0];
    if (first < 0x80) {
        return 1;
    }
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || left < len) {
        return 0;
    }
    /* The second byte's range leaves out overlong forms, surrogates, and what is over U+10FFFF. */
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool bridge_is_utf8(struct rwt_slice text) {
    size_t at = 0;
    while (at < text.len) {
        size_t len = character_bytes(text.data + at, text.len - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

bool core_text(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
               enum rwt_status *status) {
    if (!guest_memory(call, ptr, len, out, status)) {
        return false;
    }
    if (!bridge_is_utf8(*out)) {
        *status =
            core_trap(call, BRIDGE_TEXT("a host function was given a text that is not UTF-8"));
        return false;
    }
    return true;
}
