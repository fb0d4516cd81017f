/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "engines/catalog.h"

#include "engines/sources.h"
#include <string.h>

#define SCENARIOS 21u

static const struct engine *const engines[] = {
    &engine_spawn_storm,  &engine_ping_pong,       &engine_fault_recovery, &engine_pubsub_fanout,
#ifdef RUSM_WASM
    &engine_module_storm, &engine_component_storm, &engine_dynamic_wasm,   &engine_fairness,
    &engine_stream_pipe,  &engine_custom_bridge,
#endif
};

#ifdef RUSM_WASM
#define REAL_WITH_WASM(name)                                                                       \
    .real = true, .source = engine_source_##name, .source_file = "bench/engines/" #name ".c"
#else
#define REAL_WITH_WASM(name) .source = "", .source_file = ""
#endif

static const char *const spawn_storm_details[] = {
    "W spawner processes spawn processes with an empty body; one operation is one process reaped.",
    "Latency is end to end: from before the spawn call until the process has been reaped. The call "
    "alone is spawn_call.",
    "Native processes have no linear memory; what one holds is its descriptor.",
    "Spawners pause at 5,000 live processes a core, a safety net that is not reached in practice.",
    NULL};
static const char *const ping_pong_details[] = {
    "W pairs; ping sends its 8-byte pid, pong answers with an empty message.",
    "One operation is one message delivered: a round trip is two.", NULL};
static const char *const fault_recovery_details[] = {
    "W supervisors, one-for-one, four permanent children each; a child crashes as soon as it runs.",
    "Latency runs from just before the crash to the first instruction of the replacement.",
    "The supervisors restart without limit. windowed_ops_per_sec is the same with restarts counted "
    "within 5 s, run by itself.",
    NULL};
static const char *const connection_storm_details[] = {
    "One listener a scheduler on one port; every connection is served by its own process.",
    "Latency runs from connect() to the first byte echoed.", NULL};
static const char *const connection_scale_details[] = {
    "Every held connection is a process and answers a ping at random times.", NULL};
static const char *const fairness_details[] = {
    "One endless-loop guest a core; W guests and one native process that work and mark their "
    "progress; W guests that wait for a timer.",
    "A mark is 4,096 rounds of an empty loop. bystander_share: of the machine's processor time.",
    "Latency runs from the time a timer was set for to when its guest ran.", NULL};
static const char *const module_storm_details[] = {
    "A fresh instance with one page of memory in a process of its own; the guest touches the page "
    "once and returns.",
    "100 in flight for each of W spawners. cold_compile_ns: what compiling the program took.",
    NULL};
static const char *const component_storm_details[] = {
    "The same guest as a component, resolved once.",
    "100 in flight for each of W spawners. cold_compile_ns: what compiling the program took.",
    NULL};
static const char *const stream_pipe_details[] = {
    "W pairs of guests, chunks of 4 KiB, default depth.",
    "The guests themselves measure one chunk in 64, from before the write to after the read.",
    NULL};
static const char *const distributed_fanout_details[] = {
    "A hub and further nodes as separate processes of the system, over real loopback sockets.",
    NULL};
static const char *const http_throughput_details[] = {
    "Client and server share this node: a live demonstration. Compare rusm-loadtest for figures.",
    NULL};
static const char *const http_throughput_ts_details[] = {
    "Client and server share this node: a live demonstration. Compare rusm-loadtest for figures.",
    NULL};
static const char *const ws_echo_details[] = {
    "A wasm process for each connection, one message in flight each.", NULL};
static const char *const ws_echo_ts_details[] = {
    "A guest for each connection, one message in flight each.", NULL};
static const char *const sse_fanout_details[] = {"The publish time travels in the event.", NULL};
static const char *const sse_fanout_ts_details[] = {"The publish time travels in the event.", NULL};
static const char *const kv_storm_details[] = {
    "One shared bucket, a key for each process; commits are grouped and on disk before they are "
    "acknowledged.",
    NULL};
static const char *const pubsub_fanout_details[] = {
    "W publishers with eight subscribers each; one publisher with 1,000 as a second figure.",
    "A publisher keeps at most four rounds ahead of a subscriber; each round it looks at another.",
    NULL};
static const char *const crypto_ops_details[] = {
    "W guests, one request of 256 bytes in flight each.", NULL};
static const char *const custom_bridge_details[] = {"One answered call of greet is one operation.",
                                                    NULL};
static const char *const dynamic_wasm_details[] = {
    "The bytes are given with every spawn; the program is found by its content.",
    "100 in flight for each of W spawners. cold_compile_ns: what compiling took, once.", NULL};

static const struct node_scenario scenarios[] = {
    {.id = "spawn-storm",
     .label = "Spawn storm",
     .description = "Native processes created, run and reaped, as fast as the schedulers can.",
     .details = spawn_storm_details,
     .real_after_phase = 1,
     .real = true,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "spawns",
     .latency_label = "spawn to reaped",
     .source = engine_source_spawn_storm,
     .source_file = "bench/engines/spawn_storm.c"},
    {.id = "ping-pong",
     .label = "Message ping-pong",
     .description = "Messages delivered between pairs of processes, one in flight in each pair.",
     .details = ping_pong_details,
     .real_after_phase = 2,
     .real = true,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "messages",
     .latency_label = "round trip",
     .source = engine_source_ping_pong,
     .source_file = "bench/engines/ping_pong.c"},
    {.id = "fault-recovery",
     .label = "Fault recovery",
     .description = "Supervised children that crash at once and are started again.",
     .details = fault_recovery_details,
     .real_after_phase = 3,
     .real = true,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "restarts",
     .latency_label = "crash to running",
     .source = engine_source_fault_recovery,
     .source_file = "bench/engines/fault_recovery.c"},
    {.id = "connection-storm",
     .label = "Connection storm",
     .description = "TCP connections accepted, echoed once, closed and made again.",
     .details = connection_storm_details,
     .real_after_phase = 5,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "connections",
     .latency_label = "connect to echo",
     .source = "",
     .source_file = ""},
    {.id = "connection-scale",
     .label = "Connection scale",
     .description = "Connections held open up to the descriptor ceiling.",
     .details = connection_scale_details,
     .real_after_phase = 5,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "connections held",
     .latency_label = "connect",
     .source = "",
     .source_file = ""},
    {.id = "fairness",
     .label = "Fairness under tight loop",
     .description = "Bystanders keep their progress beside guests that never yield.",
     .details = fairness_details,
     .real_after_phase = 6,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "marks",
     .latency_label = "runnable to running",
     REAL_WITH_WASM(fairness)},
    {.id = "module-storm",
     .label = "Module storm",
     .description = "Core-module processes spawned, run and reaped.",
     .details = module_storm_details,
     .real_after_phase = 6,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "spawns",
     .latency_label = "spawn to reaped",
     REAL_WITH_WASM(module_storm)},
    {.id = "component-storm",
     .label = "Component storm",
     .description = "Component processes spawned, run and reaped.",
     .details = component_storm_details,
     .real_after_phase = 7,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "spawns",
     .latency_label = "spawn to reaped",
     REAL_WITH_WASM(component_storm)},
    {.id = "stream-pipe",
     .label = "Stream pipe",
     .description = "Bytes that flow from producer to consumer guests.",
     .details = stream_pipe_details,
     .real_after_phase = 7,
     .unit = NODE_UNIT_BYTES,
     .ops_label = "bytes",
     .latency_label = "chunk write to read",
     REAL_WITH_WASM(stream_pipe)},
    {.id = "distributed-fanout",
     .label = "Distributed fan-out",
     .description = "Messages answered across nodes over mutual TLS.",
     .details = distributed_fanout_details,
     .real_after_phase = 9,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "round trips",
     .latency_label = "round trip",
     .source = "",
     .source_file = ""},
    {.id = "http-throughput",
     .label = "HTTP throughput",
     .description = "Responses by a fresh wasm instance for each request.",
     .details = http_throughput_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "responses",
     .latency_label = "request to last byte",
     .source = "",
     .source_file = ""},
    {.id = "http-throughput-ts",
     .label = "HTTP throughput (TS)",
     .description = "The same, served by a TypeScript guest.",
     .details = http_throughput_ts_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "responses",
     .latency_label = "request to last byte",
     .source = "",
     .source_file = ""},
    {.id = "ws-echo",
     .label = "WebSocket echo",
     .description = "Echo round trips on held WebSocket connections.",
     .details = ws_echo_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "round trips",
     .latency_label = "round trip",
     .source = "",
     .source_file = ""},
    {.id = "ws-echo-ts",
     .label = "WebSocket echo (TS)",
     .description = "The same, served by a TypeScript guest.",
     .details = ws_echo_ts_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "round trips",
     .latency_label = "round trip",
     .source = "",
     .source_file = ""},
    {.id = "sse-fanout",
     .label = "SSE fan-out",
     .description = "Events received by clients that hold a stream open.",
     .details = sse_fanout_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "events",
     .latency_label = "publish to received",
     .source = "",
     .source_file = ""},
    {.id = "sse-fanout-ts",
     .label = "SSE fan-out (TS)",
     .description = "The same, served by a TypeScript guest.",
     .details = sse_fanout_ts_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "events",
     .latency_label = "publish to received",
     .source = "",
     .source_file = ""},
    {.id = "kv-storm",
     .label = "KV storm",
     .description = "Durable read-modify-writes in the embedded store.",
     .details = kv_storm_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "writes",
     .latency_label = "start to durable",
     .source = "",
     .source_file = ""},
    {.id = "pubsub-fanout",
     .label = "Pub/sub fan-out",
     .description = "Deliveries to the subscribers of a topic.",
     .details = pubsub_fanout_details,
     .real_after_phase = 11,
     .real = true,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "deliveries",
     .latency_label = "publish to delivery",
     .source = engine_source_pubsub_fanout,
     .source_file = "bench/engines/pubsub_fanout.c"},
    {.id = "crypto-ops",
     .label = "Crypto ops (TS)",
     .description = "SHA-256 digests in TypeScript guests through crypto.subtle.",
     .details = crypto_ops_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "digests",
     .latency_label = "round trip",
     .source = "",
     .source_file = ""},
    {.id = "custom-bridge",
     .label = "Custom bridge",
     .description = "Typed host calls made by component guests.",
     .details = custom_bridge_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "calls",
     .latency_label = "call",
     REAL_WITH_WASM(custom_bridge)},
    {.id = "dynamic-wasm",
     .label = "Dynamic wasm",
     .description = "Processes spawned from module bytes given at run time.",
     .details = dynamic_wasm_details,
     .real_after_phase = 11,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "spawns",
     .latency_label = "spawn to reaped",
     REAL_WITH_WASM(dynamic_wasm)},
};

_Static_assert(sizeof(scenarios) / sizeof(scenarios[0]) == SCENARIOS, "all scenarios are listed");

const struct node_scenario *catalog_scenarios(uint32_t *count) {
    *count = SCENARIOS;
    return scenarios;
}

const struct engine *catalog_engine(const char *id) {
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (strcmp(engines[i]->id, id) == 0) {
            return engines[i];
        }
    }
    return NULL;
}

const struct engine *catalog_second_engine(const char *id) {
    const struct engine *engine = catalog_engine(id);
    return engine ? engine->second : NULL;
}

const struct node_scenario *catalog_scenario(const char *id) {
    for (uint32_t i = 0; i < SCENARIOS; i++) {
        if (strcmp(scenarios[i].id, id) == 0) {
            return &scenarios[i];
        }
    }
    return NULL;
}
