/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Snapshots of a runtime. A snapshot costs a few loads a scheduler; the rows of the process table
 * cost one visit of every process, so they are made only for a client that asks, and for all the
 * clients' sort keys in one walk. Nothing here allocates: a walk keeps the best NODE_ROWS_MAX
 * of each view in a heap. One thread at a time.
 */
#ifndef NODE_OBSERVER_INTERNAL_H
#define NODE_OBSERVER_INTERNAL_H

#include "node/node.h"

#define OBSERVER_SCHEDULERS_MAX 64u

struct observer_snapshot {
    uint64_t uptime_ms;
    uint64_t process_count;
    uint64_t running; /* running or in a run queue */
    uint64_t waiting;
    uint32_t schedulers;
    double load[OBSERVER_SCHEDULERS_MAX]; /* 0..1 since the snapshot before */
    uint32_t run_queue_lengths[OBSERVER_SCHEDULERS_MAX];
    uint64_t total_memory_bytes;   /* resident, of the whole node */
    uint64_t runtime_memory_bytes; /* of it: the runtime's slots, messages and stacks */
    uint64_t spawned_total;
    uint64_t finished_total;
    uint64_t messages_total;
    struct rusm_wasm_info wasm; /* zeros while there is none */
};

struct observer {
    rusm_runtime *runtime; /* borrowed */
    uint64_t last_ns;      /* uptime of the snapshot before; 0 = none yet */
    uint64_t last_idle_ns[OBSERVER_SCHEDULERS_MAX];
};

enum observer_key {
    OBSERVER_KEY_MEMORY,
    OBSERVER_KEY_CPU,
    OBSERVER_KEY_REDUCTIONS,
    OBSERVER_KEY_MAILBOX,
    OBSERVER_KEY_ID,
    OBSERVER_KEY_NAME, /* processes without a name come last either way */
};
#define OBSERVER_KEY_COUNT 6u

/* The first rows of the process table in one order. */
struct observer_view {
    enum observer_key key;
    bool descending;
    enum rusm_guest_kind (*guest_kind)(const void *entry); /* as node_driver has it */
    uint32_t count;
    struct rusm_process_info rows[NODE_ROWS_MAX];
};

/* "memory", "cpu", "reductions", "mailbox", "id", "name". */
const char *observer_key_id(enum observer_key key);
bool observer_key_parse(const char *id, enum observer_key *out);

void observer_init(struct observer *observer, rusm_runtime *runtime);
void observer_sample(struct observer *observer, struct observer_snapshot *out);

/* Fill the rows of `count` views, whose key and direction are set, in one walk. */
void observer_walk(rusm_runtime *runtime, struct observer_view *const *views, uint32_t count);

/* The parts of a walk, for tests: offer a process to a view, then put the rows in order. */
void observer_view_offer(struct observer_view *view, const struct rusm_process_info *info);
void observer_view_finish(struct observer_view *view);

#endif
