/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The custom bridge of the scenario custom-bridge: greet(name) -> "Hello, name!". It belongs to
 * what runs the guests, which cannot forget a bridge, so it outlives the runs; a run takes
 * differences.
 */
#ifndef ENGINES_GREETER_H
#define ENGINES_GREETER_H

#include "base/histogram.h"
#include <rusm/bridge.h>

#define GREETER_CAPABILITY "bench-greeter"

struct greeter;

/* NULL: out of memory. */
struct greeter *greeter_create(void);
/* After the rusm_wasm that it was defined in has been destroyed. NULL is allowed. */
void greeter_destroy(struct greeter *greeter);

/* Define the bridge, and a capability that may import it. */
enum rusm_err greeter_define(struct greeter *greeter, rusm_wasm *wasm, struct rusm_errinfo *error);

/* Calls ever. Any thread. */
uint64_t greeter_calls(const struct greeter *greeter);
/* Add the times from one call of a guest to its next, of one call in 64, ever. Any thread. */
void greeter_latency(const struct greeter *greeter, struct histogram *into);

#endif
