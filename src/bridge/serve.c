/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The interface `serve`, for processes that serve no connection: as yet, all. */
#include "bridge/bridge_internal.h"

static enum rwt_status no_connection(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)guest;
    (void)args;
    ret->present = false; /* connection: none */
    ret->number = 0;      /* ws-send-text, sse-send: false, it is closed */
    return guest_done();
}

static const char interface[] = "rusm:runtime/serve@0.1.0";
static const struct rwt_component_func component_funcs[] = {
    {interface, "connection", ":c", no_connection, false},
    {interface, "ws-send-text", "b:f", no_connection, false},
    {interface, "ws-close", "hs:", no_connection, false},
    {interface, "sse-send", "bttv:f", no_connection, false},
};

const struct wasm_bridge bridge_serve = {
    .name = "serve",
    .component = component_funcs,
    .component_count = sizeof component_funcs / sizeof component_funcs[0],
};
