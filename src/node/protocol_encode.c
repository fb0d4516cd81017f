/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/protocol_internal.h"

#include "base/alloc.h"
#include <ctype.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define JSON_FLAGS     (JSON_COMPACT | JSON_REAL_PRECISION(10))
#define UTF8_TAIL_MAX  3u /* bytes of a character that a cut may have left at the end */
#define TEXT_BYTES_MAX 512u
#define CURRENT_BYTES  128u

void protocol_init(void) {
    json_set_alloc_funcs(rusm_alloc, rusm_free);
}

/* --- values --- */

static json_t *replaced_text(const char *text, size_t len) {
    char copy[TEXT_BYTES_MAX];
    size_t n = len < sizeof(copy) ? len : sizeof(copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = isascii((unsigned char)text[i]) ? text[i] : '?';
    }
    return json_stringn(copy, n);
}

/* Any bytes as a JSON string. A character cut at the end is left out. */
static json_t *text_value(const char *text) {
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= UTF8_TAIL_MAX && cut <= len; cut++) {
        json_t *value = json_stringn(text, len - cut);
        if (value) {
            return value;
        }
    }
    return replaced_text(text, len);
}

static json_t *text_or_null(const char *text) {
    return text && text[0] != 0 ? text_value(text) : json_null();
}

/* Numbers over 2^63 - 1 do not occur; a figure that is none is 0. */
static json_t *count_value(uint64_t count) {
    return json_integer(count <= INT64_MAX ? (json_int_t)count : INT64_MAX);
}

static json_t *real_value(double value) {
    return json_real(isfinite(value) ? value : 0);
}

/* Rates keep one digit after the point: more would be noise, and bytes in every frame. */
static json_t *rate_value(double value) {
    return real_value(isfinite(value) ? round(value * 10) / 10 : 0);
}

/* Set a member; `value` is moved. A failed allocation leaves `*ok` false. */
static void put(json_t *object, const char *key, json_t *value, bool *ok) {
    if (json_object_set_new(object, key, value) != 0) {
        *ok = false;
    }
}

static void append(json_t *array, json_t *value, bool *ok) {
    if (json_array_append_new(array, value) != 0) {
        *ok = false;
    }
}

/* The text of `root`, which is freed. */
static char *finish(json_t *root, bool ok) {
    char *text = ok ? json_dumps(root, JSON_FLAGS) : NULL;
    json_decref(root);
    return text;
}

/* --- hello --- */

static json_t *scenario_value(const struct node_scenario *scenario, bool *ok) {
    json_t *object = json_object();
    json_t *details = json_array();
    for (const char *const *detail = scenario->details; detail && *detail; detail++) {
        append(details, text_value(*detail), ok);
    }
    put(object, "id", text_value(scenario->id), ok);
    put(object, "label", text_value(scenario->label), ok);
    put(object, "description", text_value(scenario->description), ok);
    put(object, "details", details, ok);
    put(object, "real_after_phase", count_value(scenario->real_after_phase), ok);
    put(object, "real", json_boolean(scenario->real), ok);
    put(object, "unit", json_string(scenario->unit == NODE_UNIT_BYTES ? "bytes" : "count"), ok);
    put(object, "ops_label", text_value(scenario->ops_label), ok);
    put(object, "latency_label", text_or_null(scenario->latency_label), ok);
    put(object, "source", text_value(scenario->source), ok);
    put(object, "source_file", text_value(scenario->source_file), ok);
    return object;
}

static json_t *profiles_value(uint32_t cores, bool *ok) {
    json_t *array = json_array();
    for (unsigned i = 0; i < NODE_PROFILE_COUNT; i++) {
        enum node_profile profile = (enum node_profile)i;
        const struct node_profile_info *info = node_profile_info(profile);
        json_t *object = json_object();
        put(object, "id", json_string(info->id), ok);
        put(object, "label", json_string(info->label), ok);
        put(object, "description", json_string(info->description), ok);
        put(object, "workers", count_value(node_profile_workers(profile, cores)), ok);
        append(array, object, ok);
    }
    return array;
}

static json_t *machine_value(const struct node_machine *machine, bool *ok) {
    json_t *object = json_object();
    put(object, "cpu", text_value(machine->cpu), ok);
    put(object, "cores", count_value(machine->cores), ok);
    put(object, "memory_bytes", count_value(machine->memory_bytes), ok);
    put(object, "kernel", text_value(machine->kernel), ok);
    return object;
}

static json_t *node_value(const struct protocol_hello *hello, bool *ok) {
    json_t *object = json_object();
    put(object, "name", text_value(hello->name), ok);
    put(object, "version", text_value(hello->version), ok);
    put(object, "schedulers", count_value(hello->schedulers), ok);
    put(object, "started_unix_ms", count_value(hello->started_unix_ms), ok);
    put(object, "machine", machine_value(hello->machine, ok), ok);
    put(object, "commit", text_value(hello->commit), ok);
    put(object, "dirty", json_boolean(hello->dirty), ok);
    put(object, "ticks_per_second", count_value(hello->ticks_per_second), ok);
    return object;
}

static json_t *peer_value(const struct node_peer *peer, bool *ok) {
    json_t *object = json_object();
    put(object, "scenario", text_value(peer->scenario), ok);
    put(object, "peer", text_value(peer->peer), ok);
    put(object, "workers", count_value(peer->workers), ok);
    put(object, "ops_per_sec", rate_value(peer->ops_per_sec), ok);
    put(object, "unit", text_value(peer->unit), ok);
    put(object, "date", text_value(peer->date), ok);
    put(object, "machine", text_value(peer->machine), ok);
    put(object, "version", text_value(peer->version), ok);
    return object;
}

char *protocol_encode_hello(const struct protocol_hello *hello) {
    bool ok = true;
    json_t *root = json_object();
    json_t *scenarios = json_array();
    json_t *peers = json_array();
    for (uint32_t i = 0; i < hello->scenario_count; i++) {
        append(scenarios, scenario_value(&hello->scenarios[i], &ok), &ok);
    }
    for (uint32_t i = 0; i < hello->peer_count; i++) {
        append(peers, peer_value(&hello->peers[i], &ok), &ok);
    }
    uint32_t cores = hello->machine->cores;
    put(root, "type", json_string("hello"), &ok);
    put(root, "scenarios", scenarios, &ok);
    put(root, "profiles", profiles_value(cores, &ok), &ok);
    put(root, "instance_capacity", count_value(0), &ok);
    put(root, "population_cap", count_value(node_population_cap(cores)), &ok);
    put(root, "node", node_value(hello, &ok), &ok);
    put(root, "peers", peers, &ok);
    return finish(root, ok);
}

char *protocol_encode_error(const char *message) {
    bool ok = true;
    json_t *root = json_object();
    put(root, "type", json_string("error"), &ok);
    put(root, "message", text_value(message), &ok);
    return finish(root, ok);
}

/* --- the run's part of a tick --- */

static json_t *latency_value(const struct node_latency *latency, bool *ok) {
    json_t *object = json_object();
    put(object, "count", count_value(latency->count), ok);
    put(object, "min_ns", count_value(latency->min_ns), ok);
    put(object, "max_ns", count_value(latency->max_ns), ok);
    put(object, "mean_ns", count_value(latency->mean_ns), ok);
    put(object, "p50_ns", count_value(latency->p50_ns), ok);
    put(object, "p95_ns", count_value(latency->p95_ns), ok);
    put(object, "p99_ns", count_value(latency->p99_ns), ok);
    put(object, "p999_ns", count_value(latency->p999_ns), ok);
    return object;
}

static json_t *throughput_value(const struct node_run *run, bool *ok) {
    json_t *object = json_object();
    json_t *points = json_array();
    for (uint32_t i = 0; i < run->point_count && i < NODE_POINTS_MAX; i++) {
        append(points, rate_value(run->points[i]), ok);
    }
    put(object, "points", points, ok);
    put(object, "capacity", count_value(NODE_POINTS_MAX), ok);
    return object;
}

static json_t *metrics_value(const struct node_run *run, bool *ok) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < run->metric_count && i < NODE_METRICS_MAX; i++) {
        json_t *object = json_object();
        put(object, "name", text_value(run->metrics[i].name), ok);
        put(object, "unit", text_value(run->metrics[i].unit), ok);
        put(object, "value", real_value(run->metrics[i].value), ok);
        append(array, object, ok);
    }
    return array;
}

char *protocol_encode_run(const struct node_run *run, uint64_t uptime_ms) {
    bool ok = true;
    json_t *root = json_object();
    json_t *warnings = json_array();
    for (uint32_t i = 0; i < run->warning_count && i < NODE_WARNINGS_MAX; i++) {
        append(warnings, text_value(run->warnings[i]), &ok);
    }
    put(root, "scenario", text_or_null(run->scenario), &ok);
    put(root, "running", json_boolean(run->running), &ok);
    put(root, "warming_up", json_boolean(run->warming_up), &ok);
    put(root, "stalled", json_boolean(run->stalled), &ok);
    put(root, "uptime_ms", count_value(uptime_ms), &ok);
    put(root, "elapsed_ms", count_value(run->elapsed_ms), &ok);
    put(root, "ops_per_sec", rate_value(run->ops_per_sec), &ok);
    put(root, "peak_concurrent", count_value(run->peak_concurrent), &ok);
    put(root, "profile", json_string(node_profile_info(run->profile)->id), &ok);
    put(root, "latency", latency_value(&run->latency, &ok), &ok);
    put(root, "throughput", throughput_value(run, &ok), &ok);
    put(root, "metrics", metrics_value(run, &ok), &ok);
    put(root, "warnings", warnings, &ok);
    return finish(root, ok);
}

/* --- the observer's part --- */

char *protocol_encode_observer(const struct observer_snapshot *snapshot) {
    bool ok = true;
    json_t *root = json_object();
    json_t *loads = json_array();
    json_t *queues = json_array();
    json_t *wasm = json_object();
    for (uint32_t i = 0; i < snapshot->schedulers; i++) {
        append(loads, real_value(round(snapshot->load[i] * 1000) / 1000), &ok);
        append(queues, count_value(snapshot->run_queue_lengths[i]), &ok);
    }
    put(wasm, "instances", count_value(snapshot->wasm.instances), &ok);
    put(wasm, "capacity", count_value(snapshot->wasm.instances_max), &ok);
    put(wasm, "waiting", count_value(snapshot->wasm.waiting), &ok);
    put(wasm, "started_total", count_value(snapshot->wasm.started), &ok);
    put(wasm, "yields_total", count_value(snapshot->wasm.yields), &ok);
    put(wasm, "memory_bytes", count_value(snapshot->wasm.memory_bytes), &ok);
    put(root, "uptime_ms", count_value(snapshot->uptime_ms), &ok);
    put(root, "process_count", count_value(snapshot->process_count), &ok);
    put(root, "running", count_value(snapshot->running), &ok);
    put(root, "waiting", count_value(snapshot->waiting), &ok);
    put(root, "scheduler_load", loads, &ok);
    put(root, "run_queue_lengths", queues, &ok);
    put(root, "total_memory_bytes", count_value(snapshot->total_memory_bytes), &ok);
    put(root, "runtime_memory_bytes", count_value(snapshot->runtime_memory_bytes), &ok);
    put(root, "spawned_total", count_value(snapshot->spawned_total), &ok);
    put(root, "finished_total", count_value(snapshot->finished_total), &ok);
    put(root, "messages_total", count_value(snapshot->messages_total), &ok);
    put(root, "wasm", wasm, &ok);
    return finish(root, ok);
}

static const char *status_id(enum rusm_process_status status) {
    switch (status) {
    case RUSM_PROCESS_RUNNING:
        return "running";
    case RUSM_PROCESS_RUNNABLE:
        return "runnable";
    case RUSM_PROCESS_WAITING:
        break;
    }
    return "waiting";
}

/* The symbol of a process's code, exactly; its place in the program if it has none. */
static void entry_symbol(const void *entry, char out[CURRENT_BYTES]) {
    Dl_info info;
    if (!entry || dladdr(entry, &info) == 0) {
        (void)snprintf(out, CURRENT_BYTES, "%s", entry ? "?" : "");
    } else if (info.dli_sname && info.dli_saddr == entry) {
        (void)snprintf(out, CURRENT_BYTES, "%s", info.dli_sname);
    } else {
        const char *slash = strrchr(info.dli_fname, '/');
        (void)snprintf(out, CURRENT_BYTES, "%.90s+0x%" PRIxPTR, slash ? slash + 1 : info.dli_fname,
                       (uintptr_t)entry - (uintptr_t)info.dli_fbase);
    }
}

static void current_of(const struct rusm_process_info *info, char out[CURRENT_BYTES]) {
    const char *waits = NULL;
    switch (info->wait) {
    case RUSM_WAIT_RECEIVE:
        waits = "receive";
        break;
    case RUSM_WAIT_SLEEP:
        waits = "sleep";
        break;
    case RUSM_WAIT_FD:
        waits = "fd";
        break;
    case RUSM_WAIT_BLOCKING:
        waits = "blocking";
        break;
    case RUSM_WAIT_HELD:
        waits = "held";
        break;
    case RUSM_WAIT_OUTSIDE:
        waits = "outside";
        break;
    case RUSM_WAIT_NONE:
        break;
    }
    if (waits) {
        (void)snprintf(out, CURRENT_BYTES, "%s", waits);
    } else {
        entry_symbol(info->entry, out);
    }
}

/* A text, since it may exceed what a client's numbers hold exactly; null for none. */
static json_t *pid_value(rusm_pid pid) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, pid.v);
    return pid.v != 0 ? json_string(text) : json_null();
}

static const char *kind_id(const struct observer_view *view, const void *entry) {
    switch (view->guest_kind ? view->guest_kind(entry) : RUSM_GUEST_NONE) {
    case RUSM_GUEST_MODULE:
        return "module";
    case RUSM_GUEST_COMPONENT:
        return "component";
    case RUSM_GUEST_NONE:
        break;
    }
    return "native";
}

static json_t *row_value(const struct observer_view *view, const struct rusm_process_info *info,
                         bool *ok) {
    char current[CURRENT_BYTES];
    current_of(info, current);
    json_t *object = json_object();
    put(object, "id", pid_value(info->pid), ok);
    put(object, "name", text_or_null(info->name), ok);
    put(object, "label", text_or_null(info->label), ok);
    put(object, "kind", json_string(kind_id(view, info->entry)), ok);
    put(object, "status", json_string(status_id(info->status)), ok);
    put(object, "mailbox_depth", count_value(info->mailbox_depth), ok);
    put(object, "memory_bytes", count_value(info->memory_bytes), ok);
    put(object, "cpu_ns", count_value(info->cpu_ns), ok);
    put(object, "reductions", count_value(info->reductions), ok);
    put(object, "links", count_value(info->links), ok);
    put(object, "monitors", count_value(info->monitors), ok);
    put(object, "monitored_by", count_value(info->monitored_by), ok);
    put(object, "parent", pid_value(info->parent), ok);
    put(object, "scheduler", count_value(info->scheduler), ok);
    put(object, "supervisor", json_boolean(info->is_supervisor), ok);
    put(object, "current", text_value(current), ok);
    return object;
}

char *protocol_encode_rows(const struct observer_view *view) {
    bool ok = true;
    json_t *root = json_array();
    for (uint32_t i = 0; i < view->count; i++) {
        append(root, row_value(view, &view->rows[i], &ok), &ok);
    }
    return finish(root, ok);
}

/* --- the whole tick --- */

char *protocol_encode_tick(const char *run, const char *observer, const char *rows,
                           uint64_t dropped_ticks, size_t *len) {
    static const char format[] = "{\"type\":\"tick\",\"frame\":%.*s,\"dropped_ticks\":%" PRIu64
                                 ",\"observer\":%.*s,\"detail\":%s,\"processes\":%s}}}";
    /* Both parts are objects: their closing brace makes room for further members. */
    size_t run_len = strlen(run) - 1;
    size_t observer_len = strlen(observer) - 1;
    size_t room = sizeof(format) + 32 + run_len + observer_len + (rows ? strlen(rows) : 2);
    char *text = rusm_alloc(room);
    if (text) {
        int written =
            snprintf(text, room, format, (int)run_len, run, dropped_ticks, (int)observer_len,
                     observer, rows ? "true" : "false", rows ? rows : "[]");
        *len = (size_t)written;
    }
    return text;
}
