/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/relations_internal.h"

#include "otp/runtime_internal.h"

_Static_assert(sizeof(struct map64) == sizeof(struct signal), "a small table is one cell");

static void count(struct process *p, enum relation_kind kind, int change) {
    if (kind == RELATION_LINK) {
        uint32_t links = atomic_load_explicit(&p->link_count, memory_order_relaxed);
        atomic_store_explicit(&p->link_count, links + (uint32_t)change, memory_order_relaxed);
        return;
    }
    _Atomic uint16_t *tally = kind == RELATION_WATCHING ? &p->watching_count : &p->watched_by_count;
    uint16_t value = atomic_load_explicit(tally, memory_order_relaxed);
    /* For the observer only: beyond 65,535 it stays there. */
    if (value < UINT16_MAX) {
        atomic_store_explicit(tally, (uint16_t)(value + change), memory_order_relaxed);
    }
}

struct map64_entry *relations_find(struct process *p, enum relation_kind kind, uint64_t id) {
    return p->relations ? map64_find(p->relations, relation_key(kind, id)) : NULL;
}

enum rusm_err relations_add(struct sched *s, struct process *p, enum relation_kind kind,
                            uint64_t id, uint64_t value) {
    if (!p->relations) {
        p->relations = cell_take_raw(s);
        if (!p->relations) {
            return RUSM_ERR_NOMEM;
        }
        map64_init(p->relations);
    }
    enum rusm_err err = map64_add(p->relations, relation_key(kind, id), value);
    if (err == RUSM_OK) {
        count(p, kind, 1);
    }
    return err;
}

void relations_remove(struct process *p, struct map64_entry *relation) {
    count(p, relation_kind(relation->key), -1);
    map64_remove(p->relations, relation);
}

void relations_free(struct sched *s, struct map64 *relations) {
    map64_deinit(relations);
    cell_give_raw(s, relations);
}
