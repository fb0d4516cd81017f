/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The host interfaces that WebAssembly guests import. rusm_wasm_create (<rusm/wasm.h>) is the way
 * to all of them; nothing else is for other components yet.
 *
 * The model. A bridge is a table of functions (struct wasm_bridge). Each function is written once,
 * over plain values and bytes of the guest, and imported in two ways: by core modules, where the
 * glue checks ranges and converts numbers, and by components, where Wasmtime has lifted the values
 * already. sdk/README.md and sdk/wit say what each does; docs/design/bridges.md how.
 *
 * Threads: the functions run on the scheduler that runs the guest. Ownership: what a bridge keeps
 * for a guest is freed when the guest ends.
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "wasm/wasm.h"

#endif
