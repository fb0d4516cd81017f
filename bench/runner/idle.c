/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/idle.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000u
#define NS_PER_MS     1e6
#define POLL_NS       200000u
#define CHECK_EVERY   1024u
#define RESERVE_BYTES (1024u * 1024u)
#define LINE_BYTES    128u
#define SETTLE_NS     NS_PER_SECOND
#define BYTES_PER_KIB 1024u
/* Slots for the spawner, for a run, and for the spares that schedulers keep to themselves. */
#define OTHERS_MAX ((1u << 24) - 1 - IDLE_MAX)

enum kind { KIND_SERVERS, KIND_FIBERS };

struct idle_crowd {
    /* Immutable after creation. */
    rusm_runtime *runtime; /* borrowed */
    enum kind kind;
    uint32_t count;
    uint64_t population_before;
    uint64_t crashes_before;
    /* The thread that starts and stops. */
    void *reserve;      /* owned: memory to end with, when the crowd has taken all there was */
    uint64_t rested_ns; /* from before the spawner was spawned until all waited */
    atomic_bool cancelled;
    /* The spawner, until complete. */
    rusm_pid *pids; /* owned, `count` of them */
    uint32_t spawned;
    enum rusm_err err;
    atomic_bool complete; /* the spawner has ended */
};

/* --- inside --- */

static void on_message(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

static const struct rusm_server idle_server = {.message = on_message};

static void idle_fiber(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_receive();
    }
}

static enum rusm_err spawn_one(const struct idle_crowd *crowd, rusm_pid *out) {
    if (crowd->kind == KIND_SERVERS) {
        return rusm_spawn_server(NULL, &idle_server, NULL, NULL, out);
    }
    return rusm_spawn(NULL, idle_fiber, NULL, NULL, out);
}

static uint64_t crash_count(rusm_runtime *runtime) {
    struct rusm_scheduler_info info;
    uint64_t crashed = 0;
    for (uint32_t i = 0; rusm_scheduler_info(runtime, i, &info) == RUSM_OK; i++) {
        crashed += info.crashed;
    }
    return crashed;
}

/* A fiber ends by a limit if there is no memory for a stack when it is to wait. */
static uint64_t crashes_since(const struct idle_crowd *crowd) {
    return crash_count(crowd->runtime) - crowd->crashes_before;
}

static bool is_cancelled(const struct idle_crowd *crowd) {
    return atomic_load_explicit(&crowd->cancelled, memory_order_relaxed);
}

static void spawner_body(void *arg) {
    struct idle_crowd *crowd = arg;
    while (crowd->spawned < crowd->count && !is_cancelled(crowd)) {
        if (crowd->spawned % CHECK_EVERY == 0 && crashes_since(crowd) > 0) {
            return;
        }
        crowd->err = spawn_one(crowd, &crowd->pids[crowd->spawned]);
        if (crowd->err != RUSM_OK) {
            return;
        }
        crowd->spawned++;
    }
}

static void on_spawner_exit(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    (void)pid;
    (void)reason;
    struct idle_crowd *crowd = arg;
    /* Release: pairs with wait_for_rest. */
    atomic_store_explicit(&crowd->complete, true, memory_order_release);
}

/* --- outside --- */

void idle_make_room(struct rusm_config *config, uint32_t count) {
    RUSM_ASSERT(count <= IDLE_MAX);
    uint32_t wanted = count + OTHERS_MAX;
    config->processes_max = config->processes_max < wanted ? wanted : config->processes_max;
}

static uint64_t process_count(rusm_runtime *runtime) {
    struct rusm_runtime_info info;
    rusm_runtime_info(runtime, &info);
    return info.process_count;
}

static void give_up_reserve(struct idle_crowd *crowd) {
    if (crowd->reserve) {
        rusm_unmap_pages(crowd->reserve, RESERVE_BYTES);
        crowd->reserve = NULL;
    }
}

static void crowd_free(struct idle_crowd *crowd) {
    give_up_reserve(crowd);
    rusm_free(crowd->pids);
    rusm_free(crowd);
}

static struct idle_crowd *crowd_create(rusm_runtime *runtime, enum kind kind, uint32_t count) {
    RUSM_ASSERT(count > 0 && count <= IDLE_MAX);
    struct idle_crowd *crowd = rusm_zalloc(sizeof(*crowd));
    if (!crowd) {
        return NULL;
    }
    crowd->runtime = runtime;
    crowd->kind = kind;
    crowd->count = count;
    crowd->population_before = process_count(runtime);
    crowd->crashes_before = crash_count(runtime);
    crowd->pids = rusm_alloc(count * sizeof(rusm_pid));
    crowd->reserve = rusm_map_pages(RESERVE_BYTES);
    if (!crowd->pids || !crowd->reserve) {
        crowd_free(crowd);
        return NULL;
    }
    /* Touched now: the growth of memory that is measured later is the processes'. */
    memset(crowd->pids, 0xff, count * sizeof(rusm_pid));
    return crowd;
}

/* How often the schedulers have parked, if all are parked now. */
static bool all_parked(rusm_runtime *runtime, uint64_t *parks) {
    struct rusm_scheduler_info info;
    *parks = 0;
    for (uint32_t i = 0; rusm_scheduler_info(runtime, i, &info) == RUSM_OK; i++) {
        if (!info.parked) {
            return false;
        }
        *parks += info.parks;
    }
    return true;
}

/* Who looks at one scheduler after the other may find each parked although one always ran. None ran
 * between two such looks if none has parked again since. */
static bool is_at_rest(rusm_runtime *runtime) {
    uint64_t before;
    uint64_t after;
    return all_parked(runtime, &before) && all_parked(runtime, &after) && before == after;
}

/* False when interrupted. */
static bool wait_for_rest(struct idle_crowd *crowd, idle_pause_fn pause) {
    while (!atomic_load_explicit(&crowd->complete, memory_order_acquire) ||
           !is_at_rest(crowd->runtime)) {
        if (!pause(POLL_NS)) {
            atomic_store_explicit(&crowd->cancelled, true, memory_order_relaxed);
            return false;
        }
    }
    return true;
}

void idle_stop(struct idle_crowd *crowd) {
    const struct timespec poll = {.tv_nsec = POLL_NS};
    give_up_reserve(crowd);
    for (uint32_t i = 0; i < crowd->spawned; i++) {
        /* Without memory for the signal: when one that was killed has given back some. */
        while (!rusm_kill(crowd->runtime, crowd->pids[i]) &&
               rusm_is_alive(crowd->runtime, crowd->pids[i])) {
            (void)nanosleep(&poll, NULL);
        }
    }
    while (process_count(crowd->runtime) > crowd->population_before) {
        (void)nanosleep(&poll, NULL);
    }
    crowd_free(crowd);
}

static enum idle_end fail(char problem[IDLE_PROBLEM_BYTES], const char *why) {
    (void)snprintf(problem, IDLE_PROBLEM_BYTES, "%s", why);
    return IDLE_FAILED;
}

/* What kept the crowd from being whole; false if it is. */
static bool explain(const struct idle_crowd *crowd, char problem[IDLE_PROBLEM_BYTES]) {
    static const char *const names[] = {[KIND_SERVERS] = "servers", [KIND_FIBERS] = "fibers"};
    uint64_t crashes = crashes_since(crowd);
    if (crowd->err != RUSM_OK) {
        (void)snprintf(problem, IDLE_PROBLEM_BYTES, "%u %s are too many: after %u, %s",
                       crowd->count, names[crowd->kind], crowd->spawned, rusm_err_text(crowd->err));
    } else if (crashes > 0) {
        (void)snprintf(problem, IDLE_PROBLEM_BYTES,
                       "%u %s are too many: after %u, there was no memory for a stack",
                       crowd->count, names[crowd->kind], crowd->spawned);
    }
    return crowd->err != RUSM_OK || crashes > 0;
}

/* After anything but DONE the crowd is no more. */
static enum idle_end crowd_start(struct idle_crowd *crowd, idle_pause_fn pause,
                                 char problem[IDLE_PROBLEM_BYTES]) {
    const struct rusm_spawn_opts opts = {
        .label = "spawner of idle processes", .on_exit = on_spawner_exit, .on_exit_arg = crowd};
    uint64_t start_ns = clock_mono_ns();
    enum rusm_err err = rusm_spawn(crowd->runtime, spawner_body, crowd, &opts, NULL);
    if (err != RUSM_OK) {
        crowd_free(crowd);
        return fail(problem, rusm_err_text(err));
    }
    if (!wait_for_rest(crowd, pause)) {
        while (!atomic_load_explicit(&crowd->complete, memory_order_acquire)) {
            (void)sched_yield();
        }
        idle_stop(crowd);
        return IDLE_INTERRUPTED;
    }
    crowd->rested_ns = clock_mono_ns() - start_ns;
    if (explain(crowd, problem)) {
        idle_stop(crowd);
        return IDLE_FAILED;
    }
    return IDLE_DONE;
}

enum idle_end idle_start(rusm_runtime *runtime, uint32_t count, idle_pause_fn pause,
                         struct idle_crowd **out, char problem[IDLE_PROBLEM_BYTES]) {
    struct idle_crowd *crowd = crowd_create(runtime, KIND_SERVERS, count);
    if (!crowd) {
        return fail(problem, "out of memory");
    }
    enum idle_end end = crowd_start(crowd, pause, problem);
    if (end == IDLE_DONE) {
        *out = crowd;
    }
    return end;
}

/* --- what they cost --- */

struct memory {
    uint64_t resident_bytes;
    uint64_t page_table_bytes;
};

/* One kind of process in a runtime of its own. */
struct trial {
    rusm_runtime *runtime;    /* owned; NULL = none */
    struct idle_crowd *crowd; /* owned; NULL = none */
    uint32_t schedulers;
    uint64_t create_ns;   /* making the runtime took */
    double runtime_bytes; /* and added to the resident memory */
    double bytes_per_process;
    double page_table_bytes_per_process;
    double spawned_per_sec;
    double cpu_percent;
};

/* The file's first line that begins with `start`, without it. False if there is none. */
static bool read_line(const char *path, const char *start, char line[LINE_BYTES]) {
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, LINE_BYTES, file)) {
        found = strncmp(line, start, strlen(start)) == 0;
    }
    if (file) {
        (void)fclose(file);
    }
    if (found) {
        memmove(line, line + strlen(start), strlen(line + strlen(start)) + 1);
    }
    return found;
}

/* Sizes of this program: "pages resident ..." and "VmPTE: kibibytes kB". */
static bool read_memory(struct memory *out) {
    char line[LINE_BYTES];
    char *second;
    if (!read_line("/proc/self/statm", "", line)) {
        return false;
    }
    (void)strtoull(line, &second, 10);
    out->resident_bytes = strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (!read_line("/proc/self/status", "VmPTE:", line)) {
        return false;
    }
    out->page_table_bytes = strtoull(line, NULL, 10) * BYTES_PER_KIB;
    return true;
}

/* 0 if it shrank: with few processes the noise is greater than they are. */
static double growth(uint64_t before, uint64_t after) {
    return after > before ? (double)(after - before) : 0;
}

static enum rusm_err trial_create_runtime(struct trial *trial, uint32_t count) {
    struct rusm_config config;
    rusm_config_init(&config);
    idle_make_room(&config, count);
    /* Each process without room for its stack would be a line; explain says it once. */
    config.log_level = RUSM_LOG_OFF;
    uint64_t start_ns = clock_mono_ns();
    enum rusm_err err = rusm_runtime_create(&config, &trial->runtime);
    trial->create_ns = clock_mono_ns() - start_ns;
    return err;
}

static enum idle_end trial_open(struct trial *trial, uint32_t count,
                                char problem[IDLE_PROBLEM_BYTES]) {
    struct memory before;
    struct memory after;
    /* What the heap has kept of an earlier trial would be counted for nothing in this one. */
    (void)malloc_trim(0);
    if (!read_memory(&before)) {
        return fail(problem, "cannot read /proc/self");
    }
    enum rusm_err err = trial_create_runtime(trial, count);
    if (err != RUSM_OK) {
        return fail(problem, err == RUSM_ERR_SYSTEM ? strerror(errno) : rusm_err_text(err));
    }
    if (!read_memory(&after)) {
        return fail(problem, "cannot read /proc/self");
    }
    trial->runtime_bytes = growth(before.resident_bytes, after.resident_bytes);
    struct rusm_runtime_info info;
    rusm_runtime_info(trial->runtime, &info);
    trial->schedulers = info.schedulers;
    return IDLE_DONE;
}

static enum idle_end trial_spawn(struct trial *trial, enum kind kind, uint32_t count,
                                 idle_pause_fn pause, char problem[IDLE_PROBLEM_BYTES]) {
    struct memory before;
    struct memory after;
    struct idle_crowd *crowd = crowd_create(trial->runtime, kind, count);
    if (!crowd) {
        return fail(problem, "out of memory");
    }
    bool is_read = read_memory(&before);
    enum idle_end end = crowd_start(crowd, pause, problem);
    if (end != IDLE_DONE) {
        return end;
    }
    trial->crowd = crowd;
    if (!is_read || !read_memory(&after)) {
        return fail(problem, "cannot read /proc/self");
    }
    trial->bytes_per_process = growth(before.resident_bytes, after.resident_bytes) / count;
    trial->page_table_bytes_per_process =
        growth(before.page_table_bytes, after.page_table_bytes) / count;
    trial->spawned_per_sec = count * (double)NS_PER_SECOND / (double)crowd->rested_ns;
    return IDLE_DONE;
}

static uint64_t cpu_ns(void) {
    struct timespec used;
    int rc = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    RUSM_ASSERT(rc == 0);
    return (uint64_t)used.tv_sec * NS_PER_SECOND + (uint64_t)used.tv_nsec;
}

/* Of one processor, while the crowd is idle. */
static enum idle_end trial_measure_cpu(struct trial *trial, idle_pause_fn pause) {
    /* The runtime's own thread still looks around for half a second after the last work. */
    if (!pause(SETTLE_NS)) {
        return IDLE_INTERRUPTED;
    }
    uint64_t start_ns = clock_mono_ns();
    uint64_t before_ns = cpu_ns();
    if (!pause(IDLE_CPU_SECONDS * NS_PER_SECOND)) {
        return IDLE_INTERRUPTED;
    }
    uint64_t used_ns = cpu_ns() - before_ns;
    trial->cpu_percent = (double)used_ns * 100 / (double)(clock_mono_ns() - start_ns);
    return IDLE_DONE;
}

static void trial_close(struct trial *trial) {
    if (trial->crowd) {
        idle_stop(trial->crowd);
    }
    if (trial->runtime) {
        rusm_runtime_destroy(trial->runtime);
    }
}

static enum idle_end trial_run(struct trial *trial, enum kind kind, uint32_t count,
                               idle_pause_fn pause, char problem[IDLE_PROBLEM_BYTES]) {
    enum idle_end end = trial_open(trial, count, problem);
    if (end == IDLE_DONE) {
        end = trial_spawn(trial, kind, count, pause, problem);
    }
    if (end == IDLE_DONE && kind == KIND_SERVERS) {
        end = trial_measure_cpu(trial, pause);
    }
    trial_close(trial);
    return end;
}

static void add_metric(struct runner_summary *out, const char *name, const char *unit,
                       double value) {
    RUSM_ASSERT(out->metric_count < RUNNER_METRICS_MAX);
    struct runner_metric *metric = &out->metrics[out->metric_count++];
    (void)snprintf(metric->name, sizeof(metric->name), "%s", name);
    metric->unit = unit;
    metric->value = value;
}

static void fill_summary(const struct trial *servers, const struct trial *fibers,
                         struct runner_summary *out) {
    *out = (struct runner_summary){.elapsed_ns = IDLE_CPU_SECONDS * (uint64_t)NS_PER_SECOND};
    add_metric(out, "bytes_per_process", "B", servers->bytes_per_process);
    add_metric(out, "bytes_per_fiber", "B", fibers->bytes_per_process);
    add_metric(out, "page_table_bytes_per_fiber", "B", fibers->page_table_bytes_per_process);
    add_metric(out, "servers_spawned_per_sec", "1/s", servers->spawned_per_sec);
    add_metric(out, "fibers_spawned_per_sec", "1/s", fibers->spawned_per_sec);
    add_metric(out, "idle_cpu_percent", "%", servers->cpu_percent);
    add_metric(out, "start_ms", "ms", (double)servers->create_ns / NS_PER_MS);
    add_metric(out, "runtime_rss_bytes", "B", servers->runtime_bytes);
}

enum idle_end idle_measure(uint32_t count, idle_pause_fn pause, struct result *out,
                           char problem[IDLE_PROBLEM_BYTES]) {
    static const struct node_scenario scenario = {.id = "idle", .label = "Idle processes"};
    struct trial servers = {0};
    struct trial fibers = {0};
    enum idle_end end = trial_run(&servers, KIND_SERVERS, count, pause, problem);
    if (end == IDLE_DONE) {
        end = trial_run(&fibers, KIND_FIBERS, count, pause, problem);
    }
    if (end != IDLE_DONE) {
        return end;
    }
    out->scenario = &scenario;
    out->profile = NODE_PROFILE_MAX;
    out->workers = count;
    out->schedulers = servers.schedulers;
    out->seconds = IDLE_CPU_SECONDS;
    out->repeats = 1;
    fill_summary(&servers, &fibers, &out->summaries[0]);
    return IDLE_DONE;
}
