/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * otp_bench [--json] [COUNT] [ROUNDS]: what links, monitors and supervisors add to a spawn; how
 * names and groups scale from one scheduler to two; and how fast COUNT children of one dynamic
 * supervisor are started and ended. Prints parameters, then for each figure the median of ROUNDS
 * rounds and the lowest and highest; --json one object a figure.
 *
 * spawn      COUNT fibers that end at once, on one scheduler, from spawn to the news of the end, in
 *            processor time, which tells more where other programs run beside. `asked`:
 *            rusm_supervisor_start_child, a call, by one process; `asked by 64`: by so many at
 *            once, so that the supervisor's work shows and not the round trip
 * registry   each of as many processes as schedulers registers and unregisters, joins and leaves,
 *            or publishes to a group of eight, names and groups of its own: operations a second,
 *            and by how much an operation's processor time grows with the second scheduler
 * children   servers, which keep no stack: from the first request to the last answer; from the
 *            first kill to the last child forgotten; or until the supervisor has ended
 */
#include "base/clock.h"
#include <inttypes.h>
#include <rusm/rusm.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT  1000000u
#define ROUNDS_DEFAULT 5u
#define ROUNDS_MAX     101u
#define BATCH          64u
#define ASKERS         64u
#define MEMBERS        8u
#define SCHEDULERS_MAX 2u

struct options {
    uint32_t count;
    uint32_t rounds;
    bool json;
};

static void must(const char *what, enum rusm_err err) {
    if (err != RUSM_OK) {
        (void)fprintf(stderr, "otp_bench: %s: %s\n", what, rusm_err_text(err));
        abort();
    }
}

static rusm_runtime *start(uint32_t schedulers) {
    struct rusm_config config;
    rusm_runtime *rt;
    rusm_config_init(&config);
    config.schedulers = schedulers;
    config.processes_max = 4u << 20;
    must("start", rusm_runtime_create(&config, &rt));
    return rt;
}

/* Processor time of all threads. */
static uint64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Run fn(arg) and all it starts. */
static void run(uint32_t schedulers, rusm_fiber_fn fn, void *arg) {
    rusm_runtime *rt = start(schedulers);
    must("spawn", rusm_spawn(rt, fn, arg, NULL, NULL));
    rusm_runtime_wait_idle(rt);
    rusm_runtime_destroy(rt);
}

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Print the values of all rounds. */
static void tell(const struct options *options, const char *name, const char *unit,
                 double *values) {
    uint32_t n = options->rounds;
    qsort(values, n, sizeof values[0], compare_numbers);
    double median = values[n / 2];
    if (options->json) {
        (void)printf("{\"bench\":\"otp_bench\",\"count\":%u,\"name\":\"%s\",\"unit\":\"%s\","
                     "\"n\":%u,\"median\":%.4g,\"min\":%.4g,\"max\":%.4g}\n",
                     options->count, name, unit, n, median, values[0], values[n - 1]);
    } else {
        (void)printf("%-46s %10.4g %-5s (%.4g to %.4g, n = %u)\n", name, median, unit, values[0],
                     values[n - 1], n);
    }
    (void)fflush(stdout);
}

/* ---- spawn ---- */

enum way { BARE, MONITORED, LINKED, LINKED_MONITORED, ASKED, ASKED_BY_MANY, WAYS };
static const char *const way_names[WAYS] = {"spawn, bare",   "spawn, monitored",
                                            "spawn, linked", "spawn, linked and monitored",
                                            "spawn, asked",  "spawn, asked by 64"};

struct spawning {
    enum way way;
    uint32_t count;
    uint64_t ns;
    rusm_pid supervisor;
    uint32_t asking; /* askers that have not done; all on one scheduler */
};

static void end_at_once(void *arg) {
    ++*(uint32_t *)arg;
}

static void spawn_bare(uint32_t count) {
    uint32_t ended = 0;
    for (uint32_t i = 0; i < count; i++) {
        must("spawn", rusm_spawn(NULL, end_at_once, &ended, NULL, NULL));
    }
    while (ended < count) {
        rusm_yield();
    }
}

static void spawn_tied(enum way way, uint32_t count) {
    uint32_t ended = 0;
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < count; i += BATCH) {
        uint32_t news = 0;
        for (uint32_t k = i; k < i + BATCH && k < count; k++) {
            rusm_pid pid;
            rusm_ref ref;
            if (way == MONITORED) {
                must("spawn", rusm_spawn_monitor(end_at_once, &ended, NULL, &pid, &ref));
            } else {
                must("spawn", rusm_spawn_link(end_at_once, &ended, NULL, &pid));
            }
            news++;
            if (way == LINKED_MONITORED) {
                must("monitor", rusm_monitor(pid, &ref));
                news++;
            }
        }
        while (news-- > 0) {
            (void)rusm_receive();
        }
    }
}

static void ask(void *arg) {
    struct spawning *s = arg;
    uint32_t ended = 0;
    uint32_t count = s->way == ASKED ? s->count : s->count / ASKERS + 1;
    for (uint32_t i = 0; i < count; i++) {
        must("start", rusm_supervisor_start_child(s->supervisor, NULL, &ended, NULL));
    }
    while (ended < count) {
        rusm_yield();
    }
    s->asking--;
}

static void spawn_supervised(struct spawning *s) {
    static const struct rusm_child child = {.fiber = end_at_once, .restart = RUSM_TEMPORARY};
    static const struct rusm_supervisor spec = {
        .strategy = RUSM_DYNAMIC, .children = &child, .child_count = 1};
    must("start", rusm_supervisor_start(NULL, &spec, &s->supervisor));
    uint64_t start_ns = cpu_ns();
    s->asking = s->way == ASKED ? 1 : ASKERS;
    for (uint32_t i = s->asking; i > 0; i--) {
        must("spawn", rusm_spawn(NULL, ask, s, NULL, NULL));
    }
    while (s->asking > 0) {
        rusm_yield();
    }
    s->ns = cpu_ns() - start_ns;
    rusm_supervisor_stop(NULL, s->supervisor);
}

static void spawn_all(void *arg) {
    struct spawning *s = arg;
    uint64_t start_ns = cpu_ns();
    switch (s->way) {
    case BARE:
        spawn_bare(s->count);
        break;
    case MONITORED:
    case LINKED:
    case LINKED_MONITORED:
        spawn_tied(s->way, s->count);
        break;
    case ASKED:
    case ASKED_BY_MANY:
    case WAYS:
        (void)rusm_trap_exit(true);
        spawn_supervised(s);
        return;
    }
    s->ns = cpu_ns() - start_ns;
}

/* Round by round, so that noise hits all ways alike. */
static void measure_spawn(const struct options *options) {
    double values[WAYS][ROUNDS_MAX];
    double ratios[WAYS][ROUNDS_MAX];
    for (uint32_t round = 0; round < options->rounds; round++) {
        for (enum way way = BARE; way < WAYS; way++) {
            struct spawning s = {.way = way, .count = options->count};
            run(1, spawn_all, &s);
            values[way][round] = (double)s.ns / options->count;
            ratios[way][round] = values[way][round] / values[BARE][round];
        }
    }
    for (enum way way = BARE; way < WAYS; way++) {
        tell(options, way_names[way], "ns", values[way]);
    }
    for (enum way way = MONITORED; way < WAYS; way++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s / bare", way_names[way]);
        tell(options, name, "x", ratios[way]);
    }
}

/* ---- registry ---- */

enum deed { REGISTER, JOIN, PUBLISH, DEEDS };
static const char *const deed_names[DEEDS] = {"register and unregister", "join and leave",
                                              "publish to 8"};

struct worker {
    alignas(64) enum deed deed;
    uint32_t index;
    uint32_t count;
    _Atomic uint32_t *ready;
    uint32_t workers;
    _Atomic uint32_t *done;
};

static void drop_all(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_receive();
    }
}

static void join_members(const char *group, rusm_pid *out) {
    for (uint32_t i = 0; i < MEMBERS; i++) {
        must("spawn", rusm_spawn(NULL, drop_all, NULL, NULL, &out[i]));
        must("join", rusm_group_join(group, out[i]));
    }
}

static void do_one(enum deed deed, const char *name) {
    switch (deed) {
    case REGISTER:
        must("register", rusm_register(NULL, name, rusm_self()));
        must("unregister", rusm_unregister(NULL, name));
        break;
    case JOIN:
        must("join", rusm_group_join(name, rusm_self()));
        must("leave", rusm_group_leave(name, rusm_self()));
        break;
    case PUBLISH:
        must("publish", rusm_publish(name, "12345678", 8, NULL));
        break;
    case DEEDS:
        break;
    }
}

static void work(void *arg) {
    struct worker *w = arg;
    char name[32];
    rusm_pid members[MEMBERS];
    (void)snprintf(name, sizeof name, "worker %u", w->index);
    if (w->deed == PUBLISH) {
        join_members(name, members);
    }
    (void)atomic_fetch_add_explicit(w->ready, 1, memory_order_acq_rel);
    while (atomic_load_explicit(w->ready, memory_order_acquire) < w->workers) {
        rusm_yield();
    }
    for (uint32_t i = 0; i < w->count; i++) {
        do_one(w->deed, name);
        if (i % BATCH == 0) {
            rusm_yield();
        }
    }
    if (w->deed == PUBLISH) {
        for (uint32_t i = 0; i < MEMBERS; i++) {
            (void)rusm_kill(NULL, members[i]);
        }
    }
    (void)atomic_fetch_add_explicit(w->done, 1, memory_order_acq_rel);
}

/* Millions of operations a second of all workers together; into `*cpu` processor time of one. */
static double run_workers(enum deed deed, uint32_t schedulers, uint32_t count, double *cpu) {
    struct worker workers[SCHEDULERS_MAX];
    _Atomic uint32_t ready = 0;
    _Atomic uint32_t done = 0;
    rusm_runtime *rt = start(schedulers);
    uint64_t start_ns = clock_mono_ns();
    uint64_t start_cpu_ns = cpu_ns();
    for (uint32_t i = 0; i < schedulers; i++) {
        workers[i] = (struct worker){.deed = deed,
                                     .index = i,
                                     .count = count,
                                     .ready = &ready,
                                     .workers = schedulers,
                                     .done = &done};
        must("spawn", rusm_spawn(rt, work, &workers[i], NULL, NULL));
    }
    rusm_runtime_wait_idle(rt);
    double operations = (double)count * schedulers;
    double ns = (double)(clock_mono_ns() - start_ns);
    *cpu = (double)(cpu_ns() - start_cpu_ns) / operations;
    rusm_runtime_destroy(rt);
    return operations * 1e3 / ns;
}

static void measure_registry(const struct options *options) {
    for (enum deed deed = REGISTER; deed < DEEDS; deed++) {
        double one[ROUNDS_MAX];
        double two[ROUNDS_MAX];
        double ratio[ROUNDS_MAX];
        double cpu[ROUNDS_MAX];
        for (uint32_t round = 0; round < options->rounds; round++) {
            double cpu_one;
            double cpu_two;
            one[round] = run_workers(deed, 1, options->count, &cpu_one);
            two[round] = run_workers(deed, 2, options->count, &cpu_two);
            ratio[round] = two[round] / one[round];
            cpu[round] = cpu_two / cpu_one;
        }
        char name[64];
        (void)snprintf(name, sizeof name, "%s, 1 scheduler", deed_names[deed]);
        tell(options, name, "M/s", one);
        (void)snprintf(name, sizeof name, "%s, 2 schedulers", deed_names[deed]);
        tell(options, name, "M/s", two);
        (void)snprintf(name, sizeof name, "%s, 2 / 1", deed_names[deed]);
        tell(options, name, "x", ratio);
        (void)snprintf(name, sizeof name, "%s, processor time 2 / 1", deed_names[deed]);
        tell(options, name, "x", cpu);
    }
}

/* ---- children ---- */

static void ignore(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

struct family {
    uint32_t count;
    bool one_by_one;
    double start_s;
    double start_cpu_s; /* processor time */
    double end_s;
};

static size_t children_of(rusm_pid supervisor) {
    size_t count;
    must("children", rusm_supervisor_children(supervisor, NULL, 0, &count));
    return count;
}

static void end_family(const struct family *family, rusm_pid supervisor, const rusm_pid *pids) {
    if (!family->one_by_one) {
        rusm_ref ref;
        must("monitor", rusm_monitor(supervisor, &ref));
        rusm_supervisor_stop(NULL, supervisor);
        while (rusm_receive()->kind != RUSM_MSG_DOWN) {
        }
        return;
    }
    for (uint32_t i = 0; i < family->count; i++) {
        (void)rusm_kill(NULL, pids[i]);
        if (i % BATCH == 0) {
            rusm_yield();
        }
    }
    while (children_of(supervisor) > 0) {
        rusm_yield();
    }
    rusm_supervisor_stop(NULL, supervisor);
}

static void raise_family(void *arg) {
    static const struct rusm_server server = {.message = ignore};
    static const struct rusm_child child = {
        .server = &server, .restart = RUSM_TEMPORARY, .shutdown_ms = RUSM_SHUTDOWN_KILL};
    static const struct rusm_supervisor spec = {
        .strategy = RUSM_DYNAMIC, .children = &child, .child_count = 1};
    struct family *family = arg;
    rusm_pid supervisor;
    rusm_pid *pids = malloc(family->count * sizeof *pids);
    if (!pids) {
        must("room for pids", RUSM_ERR_NOMEM);
        return;
    }
    (void)rusm_trap_exit(true);
    must("start", rusm_supervisor_start(NULL, &spec, &supervisor));
    uint64_t begun_ns = clock_mono_ns();
    uint64_t begun_cpu_ns = cpu_ns();
    for (uint32_t i = 0; i < family->count; i++) {
        must("start a child", rusm_supervisor_start_child(supervisor, NULL, NULL, &pids[i]));
    }
    family->start_s = (double)(clock_mono_ns() - begun_ns) / 1e9;
    family->start_cpu_s = (double)(cpu_ns() - begun_cpu_ns) / 1e9;
    if (children_of(supervisor) != family->count) {
        must("children are missing", RUSM_ERR_NOPROC);
    }
    begun_ns = clock_mono_ns();
    end_family(family, supervisor, pids);
    family->end_s = (double)(clock_mono_ns() - begun_ns) / 1e9;
    free(pids);
}

static void measure_children(const struct options *options) {
    double started[ROUNDS_MAX];
    double started_cpu[ROUNDS_MAX];
    double killed[ROUNDS_MAX];
    double stopped[ROUNDS_MAX];
    for (uint32_t round = 0; round < options->rounds; round++) {
        struct family family = {.count = options->count, .one_by_one = true};
        run(2, raise_family, &family);
        started[round] = family.start_s;
        started_cpu[round] = family.start_cpu_s;
        killed[round] = family.end_s;
        family.one_by_one = false;
        run(2, raise_family, &family);
        stopped[round] = family.end_s;
    }
    tell(options, "children started", "s", started);
    tell(options, "children started, processor time", "s", started_cpu);
    tell(options, "children killed one by one and reaped", "s", killed);
    tell(options, "children ended by their supervisor's end", "s", stopped);
}

static bool read_number(const char *text, unsigned long most, uint32_t *out) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *out = (uint32_t)value;
    return *end == '\0' && value >= 1 && value <= most;
}

int main(int argc, char **argv) {
    struct options options = {.count = COUNT_DEFAULT, .rounds = ROUNDS_DEFAULT};
    int at = 1;
    if (at < argc && strcmp(argv[at], "--json") == 0) {
        options.json = true;
        at++;
    }
    bool valid = argc - at <= 2;
    valid = valid && (argc <= at || read_number(argv[at], 2000000, &options.count));
    valid = valid && (argc <= at + 1 || read_number(argv[at + 1], ROUNDS_MAX, &options.rounds));
    if (!valid) {
        (void)fprintf(stderr,
                      "usage: otp_bench [--json] [COUNT, at most 2000000] [ROUNDS, at most %u]\n",
                      ROUNDS_MAX);
        return 2;
    }
    if (!options.json) {
        (void)printf("%u of each, %u rounds, %ld processors\n", options.count, options.rounds,
                     sysconf(_SC_NPROCESSORS_ONLN));
    }
    measure_spawn(&options);
    measure_registry(&options);
    measure_children(&options);
    return 0;
}
