/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/protocol_fixture_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "node/protocol_internal.h"
#include <stdio.h>

static const char *const details[] = {"One worker a core.", "An empty body.", NULL};

static const struct node_scenario scenarios[] = {
    {.id = "spawn-storm",
     .label = "Spawn storm",
     .description = "Processes created, run and reaped.",
     .details = details,
     .real_after_phase = 1,
     .real = true,
     .unit = NODE_UNIT_COUNT,
     .ops_label = "spawns",
     .latency_label = "spawn to reaped",
     .source = "int \"quoted\" = 1;\n\t/* caf\xc3\xa9 */\n",
     .source_file = "bench/engines/spawn_storm.c"},
    {.id = "stream-pipe",
     .label = "Stream pipe",
     .description = "Bytes between processes.",
     .real_after_phase = 7,
     .unit = NODE_UNIT_BYTES,
     .ops_label = "bytes",
     .source = "",
     .source_file = ""},
};

static char *hello_text(void) {
    const struct node_machine machine = {
        .cpu = "Test CPU", .cores = 8, .memory_bytes = 17179869184, .kernel = "Linux 6.1.0"};
    char scenario[] = "spawn-storm", peer[] = "beam", unit[] = "1/s", version[] = "OTP 25";
    char date[] = "2026-01-02T03:04:05Z", on[] = "Test CPU";
    const struct node_peer peers[] = {{.scenario = scenario,
                                       .peer = peer,
                                       .unit = unit,
                                       .date = date,
                                       .machine = on,
                                       .version = version,
                                       .workers = 4,
                                       .ops_per_sec = 1234567.8}};
    const struct protocol_hello hello = {
        .scenarios = scenarios,
        .scenario_count = 2,
        .schedulers = 8,
        .started_unix_ms = 1767323045000,
        .machine = &machine,
        .name = "rusm",
        .version = "0.1.0",
        .commit = "0123456789ab",
        .dirty = true,
        .ticks_per_second = 20,
        .peers = peers,
        .peer_count = 1,
    };
    return protocol_encode_hello(&hello);
}

static char *tick_text(const struct node_run *run, const struct observer_snapshot *snapshot,
                       const struct observer_view *view, uint64_t dropped_ticks) {
    char *run_text = protocol_encode_run(run, snapshot->uptime_ms);
    char *observer_text = protocol_encode_observer(snapshot);
    char *rows = view ? protocol_encode_rows(view) : NULL;
    RUSM_ASSERT(run_text && observer_text && (rows || !view));
    size_t len;
    char *text = protocol_encode_tick(run_text, observer_text, rows, dropped_ticks, &len);
    rusm_free(run_text);
    rusm_free(observer_text);
    rusm_free(rows);
    return text;
}

static const struct observer_snapshot snapshot_base = {
    .uptime_ms = 61500,
    .process_count = 12,
    .running = 3,
    .waiting = 9,
    .schedulers = 2,
    .load = {0.5, 1.0},
    .run_queue_lengths = {0, 2},
    .total_memory_bytes = 10485760,
    .runtime_memory_bytes = 65536,
    .spawned_total = 12345678901,
    .finished_total = 12345678889,
    .messages_total = 42,
};

static char *idle_text(void) {
    const struct node_run run = {.profile = NODE_PROFILE_BALANCED};
    return tick_text(&run, &snapshot_base, NULL, 0);
}

static void fill_view(struct observer_view *view) {
    *view = (struct observer_view){.key = OBSERVER_KEY_MEMORY, .descending = true, .count = 3};
    view->rows[0] = (struct rusm_process_info){
        .pid = {9007199254740993},
        .status = RUSM_PROCESS_WAITING,
        .wait = RUSM_WAIT_RECEIVE,
        .mailbox_depth = 7,
        .memory_bytes = 8192,
        .cpu_ns = 1500000,
        .reductions = 123456,
        .scheduler = 1,
        .links = 2,
        .monitors = 1,
        .monitored_by = 3,
        .is_supervisor = true,
        .name = "registry",
        .label = "caf\xc3\xa9",
    };
    view->rows[1] = (struct rusm_process_info){.pid = {2},
                                               .parent = {9007199254740993},
                                               .status = RUSM_PROCESS_RUNNING,
                                               .memory_bytes = 4096,
                                               .name = "bad\xff"};
    view->rows[2] = (struct rusm_process_info){
        .pid = {3}, .status = RUSM_PROCESS_RUNNABLE, .memory_bytes = 512, .label = "cut\xc3"};
}

static char *running_text(void) {
    static struct observer_view view;
    fill_view(&view);
    struct node_run run = {
        .scenario = "spawn-storm",
        .running = true,
        .stalled = true,
        .profile = NODE_PROFILE_MAX,
        .elapsed_ms = 4250,
        .ops_per_sec = 2812345.678,
        .peak_concurrent = 340,
        .latency = {.count = 1000,
                    .min_ns = 210,
                    .max_ns = 98000,
                    .mean_ns = 900,
                    .p50_ns = 812,
                    .p95_ns = 2100,
                    .p99_ns = 8700,
                    .p999_ns = 61000},
        .point_count = 4,
        .points = {0, 2800000.04, 2812345.678, 1e12},
        .metric_count = 2,
        .metrics = {{"descriptor_bytes", "bytes", 320}, {"spawn_call_p50_ns", "ns", 62.5}},
        .warning_count = 1,
        .warnings = {"no operation for 2 s"},
    };
    return tick_text(&run, &snapshot_base, &view, 3);
}

const char *protocol_fixture_file(unsigned fixture) {
    static const char *const files[PROTOCOL_FIXTURES] = {"hello.json", "tick-idle.json",
                                                         "tick-running.json", "error.json"};
    RUSM_ASSERT(fixture < PROTOCOL_FIXTURES);
    return files[fixture];
}

char *protocol_fixture_text(unsigned fixture) {
    switch (fixture) {
    case 0:
        return hello_text();
    case 1:
        return idle_text();
    case 2:
        return running_text();
    default:
        return protocol_encode_error("unknown message type \"fly\"");
    }
}
