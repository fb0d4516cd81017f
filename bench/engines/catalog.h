/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* All scenarios, and the engines there are. */
#ifndef ENGINES_CATALOG_H
#define ENGINES_CATALOG_H

#include "engines/engine.h"
#include "node/node.h"

/* Fibers on the runtime, phase by phase; each in the file of its name. */
extern const struct engine engine_spawn_storm;
extern const struct engine engine_ping_pong;
extern const struct engine engine_fault_recovery;
extern const struct engine engine_pubsub_fanout;

/* WebAssembly guests. */
extern const struct engine engine_module_storm;
extern const struct engine engine_component_storm;
extern const struct engine engine_dynamic_wasm;
extern const struct engine engine_custom_bridge;
extern const struct engine engine_fairness;
extern const struct engine engine_stream_pipe;

/* The scenarios in the order of the menu. Static. */
const struct node_scenario *catalog_scenarios(uint32_t *count);

/* The scenario's engine; NULL if it is not real yet, or unknown. */
const struct engine *catalog_engine(const char *id);

/* The second shape of the scenario's engine; NULL if it has none. */
const struct engine *catalog_second_engine(const char *id);

/* NULL if unknown. */
const struct node_scenario *catalog_scenario(const char *id);

#endif
