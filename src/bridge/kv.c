/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The interface `kv`, on a node that has no store: what a component that imports it gets to know.
 * It may still be started, and do without.
 */
#include "bridge/bridge_internal.h"

static enum rwt_status refuse(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)args;
    ret->present = false;
    ret->bytes = guest_grant(guest)->storage == RUSM_ALLOW
                     ? BRIDGE_TEXT("this node has no store")
                     : BRIDGE_TEXT("storage is not allowed: capability allow-storage");
    return guest_done();
}

static const char interface[] = "rusm:runtime/kv@0.1.0";
static const struct rwt_component_func component_funcs[] = {
    {interface, "get", "ss:rob", refuse, false},   {interface, "set", "ssb:rn", refuse, false},
    {interface, "delete", "ss:rf", refuse, false}, {interface, "exists", "ss:rf", refuse, false},
    {interface, "list", "s:rS", refuse, false},
};

const struct wasm_bridge bridge_kv = {
    .name = "kv",
    .component = component_funcs,
    .component_count = sizeof component_funcs / sizeof component_funcs[0],
};
