/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * wasm_bench guest-ping-pong [SECONDS] [--workers N] [--schedulers N] [--components] [--json]
 * wasm_bench waiting [COUNT] [--json]
 *
 * guest-ping-pong: N pairs of guests, one message of 8 bytes in flight each; messages a second, and
 *                  between core modules the round trip, which they measure themselves, one in 64.
 * waiting:         what each of COUNT guests costs that waits for a message with one page touched:
 *                  resident memory, page tables, mappings; and how many are spawned a second.
 * --json prints one line in the form of rusm-bench.
 */
#include "base/clock.h"
#include "base/histogram.h"
#include "engines/sources.h"
#include "runner/build_info.h"
#include <errno.h>
#include <inttypes.h>
#include <rusm/rusm.h>
#include <rusm/wasm.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_DEFAULT 5.0
#define SECONDS_MAX     3600.0
#define WARM_UP_SECONDS 2.0
#define WORKERS_MAX     1024u
#define WAITING_DEFAULT 10000u
#define WAITING_MAX     1000000u
#define TRIPS_A_REPORT  64u

struct options {
    const char *what;
    double seconds;
    uint32_t count; /* pairs, or guests that wait */
    uint32_t schedulers;
    bool components;
    bool json;
};

struct metric {
    const char *name;
    const char *unit;
    double value;
};

static _Noreturn void fail(const char *what, const char *why) {
    (void)fprintf(stderr, "wasm_bench: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, enum rusm_err err) {
    if (err != RUSM_OK) {
        fail(what, rusm_err_text(err));
    }
}

static void sleep_seconds(double seconds) {
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void print_metrics(const struct options *options, const struct metric *metrics,
                          size_t count) {
    if (!options->json) {
        for (size_t i = 0; i < count; i++) {
            (void)printf("%-24s %16.1f %s\n", metrics[i].name, metrics[i].value, metrics[i].unit);
        }
        return;
    }
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    (void)strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    (void)printf("{\"schema\":1,\"time\":\"%s\",\"commit\":\"%s\",\"dirty\":%s,\"scenario\":\"%s\","
                 "\"workers\":%u,\"components\":%s,\"metrics\":[",
                 now, build_commit, build_dirty ? "true" : "false", options->what, options->count,
                 options->components ? "true" : "false");
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s{\"name\":\"%s\",\"unit\":\"%s\",\"value\":%.4f}", i ? "," : "",
                     metrics[i].name, metrics[i].unit, metrics[i].value);
    }
    (void)printf("]}\n");
}

/* ---- the runtime ---- */

struct bench {
    rusm_runtime *runtime;
    rusm_wasm *wasm;
    rusm_program *programs[2];
};

static void start(struct bench *bench, const struct options *options, uint32_t instances,
                  const char *const *texts, uint32_t text_count) {
    struct rusm_config config;
    struct rusm_wasm_config wasm;
    struct rusm_errinfo error = {""};
    rusm_config_init(&config);
    rusm_wasm_config_init(&wasm);
    config.schedulers = options->schedulers;
    wasm.instances_max = instances;
    must("start", rusm_runtime_create(&config, &bench->runtime));
    if (rusm_wasm_create(bench->runtime, &wasm, &bench->wasm, &error) != RUSM_OK) {
        fail("start", error.text);
    }
    for (uint32_t i = 0; i < text_count; i++) {
        const struct rusm_program_spec spec = {.wasm = texts[i], .wasm_bytes = strlen(texts[i])};
        if (rusm_program_load(bench->wasm, &spec, &bench->programs[i], &error) != RUSM_OK) {
            fail("load", error.text);
        }
    }
}

static void finish(struct bench *bench) {
    rusm_runtime_destroy(bench->runtime);
    for (uint32_t i = 0; i < 2; i++) {
        if (bench->programs[i]) {
            rusm_program_release(bench->programs[i]);
        }
    }
    rusm_wasm_destroy(bench->wasm);
}

/* ---- ping-pong ---- */

struct pairs {
    struct bench bench;
    _Atomic uint64_t reports;
    _Atomic bool measuring;
    struct histogram *latency; /* written by the collector */
    uint32_t count;
};

/* A guest that fails takes the collector along, with its reason. */
static void on_collector_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)arg;
    (void)pid;
    if (reason->kind != RUSM_EXIT_KILLED) {
        (void)fprintf(stderr, "wasm_bench: a guest has failed: %.*s\n", (int)reason->payload_bytes,
                      reason->payload ? (const char *)reason->payload : "");
        _exit(1);
    }
}

/* Starts the pairs, then counts what they report. */
static void collector_body(void *arg) {
    struct pairs *pairs = arg;
    rusm_pid self = rusm_self();
    for (uint32_t i = 0; i < pairs->count; i++) {
        rusm_pid ping;
        rusm_pid pong;
        must("spawn", rusm_spawn_guest_link(pairs->bench.programs[1], NULL, &pong));
        must("spawn", rusm_spawn_guest_link(pairs->bench.programs[0], NULL, &ping));
        const rusm_pid both[2] = {pong, self};
        must("send", rusm_send(ping, both, sizeof both));
    }
    for (;;) {
        const struct rusm_msg *report = rusm_receive();
        int64_t trip_ns;
        memcpy(&trip_ns, report->data, sizeof trip_ns);
        if (atomic_load_explicit(&pairs->measuring, memory_order_relaxed) && trip_ns >= 0) {
            histogram_record(pairs->latency, (uint64_t)trip_ns);
        }
        atomic_fetch_add_explicit(&pairs->reports, 1, memory_order_relaxed);
    }
}

static int ping_pong(const struct options *options) {
    static const char *const modules[] = {engine_source_ping_wat, engine_source_pong_wat};
    static const char *const components[] = {engine_source_ping_component_wat,
                                             engine_source_pong_component_wat};
    struct pairs pairs = {.count = options->count, .latency = histogram_create()};
    if (!pairs.latency) {
        fail("start", "out of memory");
    }
    start(&pairs.bench, options, 2 * options->count, options->components ? components : modules, 2);
    const struct rusm_spawn_opts opts = {.on_exit = on_collector_exit};
    must("spawn", rusm_spawn(pairs.bench.runtime, collector_body, &pairs, &opts, NULL));
    sleep_seconds(WARM_UP_SECONDS);
    atomic_store_explicit(&pairs.measuring, true, memory_order_relaxed);
    uint64_t start_ns = clock_mono_ns();
    uint64_t before = atomic_load_explicit(&pairs.reports, memory_order_relaxed);
    sleep_seconds(options->seconds);
    uint64_t trips =
        (atomic_load_explicit(&pairs.reports, memory_order_relaxed) - before) * TRIPS_A_REPORT;
    double elapsed = (double)(clock_mono_ns() - start_ns) / 1e9;
    finish(&pairs.bench);
    struct histogram_summary latency;
    histogram_summarize(pairs.latency, &latency);
    histogram_destroy(pairs.latency);
    const struct metric metrics[] = {
        {"ops_per_sec", "1/s", (double)(2 * trips) / elapsed},
        {"p50_ns", "ns", (double)latency.p50_ns},
        {"p99_ns", "ns", (double)latency.p99_ns},
    };
    print_metrics(options, metrics, options->components ? 1 : 3);
    return trips > 0 ? 0 : 1;
}

/* ---- waiting ---- */

/* A number of kB from /proc/self/status. */
static uint64_t status_bytes(const char *key) {
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    unsigned long long kib = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            (void)sscanf(line + strlen(key), ": %llu", &kib);
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return kib * 1024;
}

static uint64_t mappings(void) {
    FILE *file = fopen("/proc/self/maps", "re");
    uint64_t count = 0;
    for (int c; file && (c = getc(file)) != EOF;) {
        count += c == '\n';
    }
    if (file) {
        (void)fclose(file);
    }
    return count;
}

struct count {
    rusm_runtime *runtime;
    uint64_t waiting;
};

static bool count_waiting(void *arg, rusm_pid pid) {
    struct count *count = arg;
    struct rusm_process_info info;
    count->waiting += rusm_process_info(count->runtime, pid, &info) == RUSM_OK &&
                      info.status == RUSM_PROCESS_WAITING && info.wait == RUSM_WAIT_RECEIVE;
    return true;
}

static void await_waiting(rusm_runtime *runtime, uint32_t wanted) {
    struct count count = {.runtime = runtime};
    while (count.waiting != wanted) {
        sleep_seconds(0.002);
        count.waiting = 0;
        rusm_process_each(runtime, count_waiting, &count);
    }
}

static int waiting(const struct options *options) {
    static const char *const texts[] = {engine_source_waiting_wat};
    struct bench bench = {.runtime = NULL};
    start(&bench, options, options->count, texts, 1);
    uint64_t resident = status_bytes("VmRSS");
    uint64_t tables = status_bytes("VmPTE");
    uint64_t maps = mappings();
    uint64_t start_ns = clock_mono_ns();
    for (uint32_t i = 0; i < options->count; i++) {
        must("spawn", rusm_spawn_guest(bench.programs[0], NULL, NULL));
    }
    await_waiting(bench.runtime, options->count);
    double elapsed = (double)(clock_mono_ns() - start_ns) / 1e9;
    double n = options->count;
    const struct metric metrics[] = {
        {"bytes_per_guest", "B", (double)(status_bytes("VmRSS") - resident) / n},
        {"page_tables_per_guest", "B", (double)(status_bytes("VmPTE") - tables) / n},
        {"mappings_per_guest", "1", (double)(mappings() - maps) / n},
        {"mappings", "1", (double)mappings()},
        {"spawned_per_sec", "1/s", n / elapsed},
    };
    finish(&bench);
    print_metrics(options, metrics, sizeof metrics / sizeof metrics[0]);
    return 0;
}

/* ---- arguments ---- */

static int usage(void) {
    (void)fprintf(stderr,
                  "usage: wasm_bench guest-ping-pong [SECONDS] [--workers N, up to %u] "
                  "[--schedulers N] [--components] [--json]\n"
                  "       wasm_bench waiting [COUNT, up to %u] [--schedulers N] [--json]\n",
                  WORKERS_MAX, WAITING_MAX);
    return 2;
}

static bool parse_count(const char *text, uint32_t max, uint32_t *out) {
    char *end = NULL;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    *out = (uint32_t)value;
    return text && *text >= '0' && *text <= '9' && *end == 0 && value > 0 && value <= max;
}

static bool parse(int argc, char **argv, struct options *out) {
    bool pings = argc > 1 && strcmp(argv[1], "guest-ping-pong") == 0;
    if (!pings && (argc < 2 || strcmp(argv[1], "waiting") != 0)) {
        return false;
    }
    *out = (struct options){
        .what = argv[1], .seconds = SECONDS_DEFAULT, .count = pings ? 1 : WAITING_DEFAULT};
    for (int i = 2; i < argc; i++) {
        bool good = true;
        if (strcmp(argv[i], "--json") == 0) {
            out->json = true;
        } else if (pings && strcmp(argv[i], "--components") == 0) {
            out->components = true;
        } else if (pings && strcmp(argv[i], "--workers") == 0) {
            good = parse_count(argv[++i], WORKERS_MAX, &out->count);
        } else if (strcmp(argv[i], "--schedulers") == 0) {
            good = parse_count(argv[++i], 64, &out->schedulers);
        } else if (pings) {
            char *end;
            out->seconds = strtod(argv[i], &end);
            good = *end == 0 && out->seconds > 0 && out->seconds <= SECONDS_MAX;
        } else {
            good = parse_count(argv[i], WAITING_MAX, &out->count);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    struct options options;
    if (!parse(argc, argv, &options)) {
        return usage();
    }
    return strcmp(options.what, "waiting") == 0 ? waiting(&options) : ping_pong(&options);
}
