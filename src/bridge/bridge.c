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

bool core_text(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
               enum rwt_status *status) {
    if (!guest_memory(call, ptr, len, out, status)) {
        return false;
    }
    if (!utf8_is_valid(out->data, out->len)) {
        *status =
            core_trap(call, BRIDGE_TEXT("a host function was given a text that is not UTF-8"));
        return false;
    }
    return true;
}
