/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The bench as the page's endpoint sees it: the catalogue's scenarios, driven by a runner. */
#ifndef RUNNER_DRIVER_H
#define RUNNER_DRIVER_H

#include "node/node.h"
#include "runner/runner.h"
#include "runner/wasm_host.h"

/* The profile is left at its first value. Both are borrowed, and outlive the
 * endpoint. */
struct node_driver driver_of(struct runner *runner, struct wasm_host *host);
/* The same host for a runner's configuration. */
void driver_config_guests(struct runner_config *config, struct wasm_host *host);

#endif
