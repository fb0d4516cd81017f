/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The texts of the engines, for the page; made from their files by bench/embed.cmake. */
#ifndef ENGINES_SOURCES_H
#define ENGINES_SOURCES_H

extern const char engine_source_spawn_storm[];
extern const char engine_source_ping_pong[];
extern const char engine_source_fault_recovery[];
extern const char engine_source_pubsub_fanout[];
extern const char engine_source_module_storm[];
extern const char engine_source_component_storm[];
extern const char engine_source_dynamic_wasm[];
extern const char engine_source_custom_bridge[];
extern const char engine_source_fairness[];
extern const char engine_source_stream_pipe[];

/* The guests of bench/guests. */
extern const char engine_source_module_storm_wat[];
extern const char engine_source_component_storm_wat[];
extern const char engine_source_custom_bridge_wat[];
extern const char engine_source_fairness_spinner_wat[];
extern const char engine_source_fairness_bystander_wat[];
extern const char engine_source_fairness_waker_wat[];
extern const char engine_source_stream_producer_wat[];
extern const char engine_source_ping_wat[];
extern const char engine_source_pong_wat[];
extern const char engine_source_ping_component_wat[];
extern const char engine_source_pong_component_wat[];
extern const char engine_source_waiting_wat[];
extern const char engine_source_stream_consumer_wat[];

#endif
