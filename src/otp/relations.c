/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/relations_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/runtime_internal.h"

/* The table takes the place of a cell of the signals' pool. */
_Static_assert(sizeof(struct relations) == sizeof(struct signal), "a table is one cell");

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

static uint32_t home_of(const struct relations *r, uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32) & (r->capacity - 1);
}

static bool is_hashed(const struct relations *r) {
    return r->capacity > RELATIONS_LINEAR;
}

static struct relation *find(struct relations *r, enum relation_kind kind, uint64_t key) {
    if (!is_hashed(r)) {
        for (uint32_t i = 0; i < r->count; i++) {
            if (r->items[i].key == key && r->items[i].kind == kind) {
                return &r->items[i];
            }
        }
        return NULL;
    }
    for (uint32_t i = home_of(r, key);; i = (i + 1) & (r->capacity - 1)) {
        struct relation *item = &r->items[i];
        if (item->kind == RELATION_NONE) {
            return NULL;
        }
        if (item->key == key && item->kind == kind) {
            return item;
        }
    }
}

struct relation *relations_find(struct process *p, enum relation_kind kind, uint64_t key) {
    return p->relations ? find(p->relations, kind, key) : NULL;
}

static void insert(struct relations *r, const struct relation *item) {
    uint32_t at = r->count;
    if (is_hashed(r)) {
        at = home_of(r, item->key);
        while (r->items[at].kind != RELATION_NONE) {
            at = (at + 1) & (r->capacity - 1);
        }
    }
    r->items[at] = *item;
    r->count++;
}

/* A hashed table is kept at most half full, a linear one may fill up. */
static bool is_full(const struct relations *r) {
    return is_hashed(r) ? r->count >= r->capacity / 2 : r->count == r->capacity;
}

static bool grow(struct relations *r) {
    struct relations old = *r;
    uint32_t capacity = 4 * r->capacity;
    struct relation *items = rusm_zalloc((size_t)capacity * sizeof *items);
    if (!items) {
        return false;
    }
    struct relation *from = old.items;
    r->items = items;
    r->capacity = capacity;
    r->count = 0;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (from[i].kind != RELATION_NONE) {
            insert(r, &from[i]);
        }
    }
    if (from != r->inline_items) {
        rusm_free(from);
    }
    return true;
}

enum rusm_err relations_add(struct sched *s, struct process *p, enum relation_kind kind,
                            uint64_t key, uint64_t value) {
    struct relations *r = p->relations;
    if (!r) {
        r = cell_take_raw(s);
        if (!r) {
            return RUSM_ERR_NOMEM;
        }
        *r = (struct relations){.capacity = RELATIONS_INLINE};
        r->items = r->inline_items;
        p->relations = r;
    }
    RUSM_DASSERT(!find(r, kind, key));
    if (is_full(r) && !grow(r)) {
        return RUSM_ERR_NOMEM;
    }
    const struct relation item = {key, value, kind};
    insert(r, &item);
    count(p, kind, 1);
    return RUSM_OK;
}

/* Linear probing: close the gap, so that every entry stays reachable from its home. */
static void remove_hashed(struct relations *r, uint32_t gap) {
    uint32_t mask = r->capacity - 1;
    for (uint32_t at = (gap + 1) & mask; r->items[at].kind != RELATION_NONE; at = (at + 1) & mask) {
        uint32_t home = home_of(r, r->items[at].key);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            r->items[gap] = r->items[at];
            gap = at;
        }
    }
    r->items[gap].kind = RELATION_NONE;
}

void relations_remove(struct process *p, struct relation *relation) {
    struct relations *r = p->relations;
    count(p, (enum relation_kind)relation->kind, -1);
    r->count--;
    if (is_hashed(r)) {
        remove_hashed(r, (uint32_t)(relation - r->items));
    } else {
        *relation = r->items[r->count];
        r->items[r->count].kind = RELATION_NONE;
    }
}
