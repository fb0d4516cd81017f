/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The process table. Slots are carved in order from chunks that are mapped once; free slots wait in
 * per-scheduler lists, last in first out so that their lines are still in the cache, and move
 * between schedulers by way of the depot. A slot whose generations are used up is never given
 * again: at 20 million spawns a second, all in one slot, that costs 192 bytes every four hours.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include <string.h>

#ifdef RUSM_SIM
#define SLOT_BATCH 2u /* so that few processes pass through the depot, too */
#else
#define SLOT_BATCH 64u
#endif
#define EXT_SLAB  64u
#define EXT_BATCH 32u

struct ext_slab {
    struct ext_slab *next;
    struct process_ext exts[EXT_SLAB];
};

enum rusm_err ptab_init(struct rusm_runtime *rt) {
    return pthread_mutex_init(&rt->ptab.lock, NULL) == 0 ? RUSM_OK : RUSM_ERR_SYSTEM;
}

void ptab_deinit(struct rusm_runtime *rt) {
    struct ptab *t = &rt->ptab;
    for (uint32_t i = 0; i < PTAB_CHUNKS; i++) {
        struct process *chunk = atomic_load_explicit(&t->chunks[i], memory_order_relaxed);
        if (!chunk) {
            break;
        }
        rusm_unmap_pages(chunk, sizeof(struct process) * PTAB_CHUNK_LEN);
    }
    struct ext_slab *slab = t->ext_slabs;
    while (slab) {
        struct ext_slab *next = slab->next;
        rusm_free(slab);
        slab = next;
    }
    pthread_mutex_destroy(&t->lock);
}

uint64_t ptab_bytes(struct rusm_runtime *rt) {
    return (uint64_t)atomic_load_explicit(&rt->ptab.used, memory_order_relaxed) *
           sizeof(struct process);
}

struct process *ptab_slot(struct rusm_runtime *rt, uint32_t index) {
    /* Acquire: whoever learned of the chunk sees it zeroed (carve). */
    struct process *chunk =
        atomic_load_explicit(&rt->ptab.chunks[index >> PTAB_CHUNK_BITS], memory_order_acquire);
    return chunk ? &chunk[index & (PTAB_CHUNK_LEN - 1)] : NULL;
}

/* Up to SLOT_BATCH new slots as a chain by `link`; `*count` of them. Under the lock. */
static enum rusm_err carve(struct rusm_runtime *rt, struct process **out, uint32_t *count) {
    struct ptab *t = &rt->ptab;
    uint32_t used = atomic_load_explicit(&t->used, memory_order_relaxed);
    uint32_t left = rt->config.processes_max - used;
    if (left == 0) {
        return RUSM_ERR_PROCESS_LIMIT;
    }
    uint32_t batch = left < SLOT_BATCH ? left : SLOT_BATCH;
    uint32_t chunk_index = used >> PTAB_CHUNK_BITS;
    struct process *chunk = atomic_load_explicit(&t->chunks[chunk_index], memory_order_relaxed);
    if (!chunk) {
        chunk = rusm_map_pages(sizeof(struct process) * PTAB_CHUNK_LEN);
        if (!chunk) {
            return RUSM_ERR_NOMEM;
        }
        atomic_store_explicit(&t->chunks[chunk_index], chunk, memory_order_release);
    }
    for (uint32_t i = 0; i < batch; i++) {
        struct process *p = &chunk[(used + i) & (PTAB_CHUNK_LEN - 1)];
        p->index = used + i;
        p->link = i + 1 < batch ? p + 1 : NULL;
        atomic_store_explicit(&p->mailbox.tag, (uint64_t)1 << PID_INDEX_BITS, memory_order_relaxed);
    }
    atomic_store_explicit(&t->used, used + batch, memory_order_release);
    *out = &chunk[used & (PTAB_CHUNK_LEN - 1)];
    *count = batch;
    return RUSM_OK;
}

/* A chain of free slots from the depot or new ones. */
static enum rusm_err take_chain(struct rusm_runtime *rt, struct process **out, uint32_t *count) {
    struct ptab *t = &rt->ptab;
    enum rusm_err err = RUSM_OK;
    pthread_mutex_lock(&t->lock);
    struct process *chain = t->depot;
    if (chain) {
        t->depot = chain->arg;
        uint32_t n = 0;
        for (struct process *p = chain; p; p = p->link) {
            n++;
        }
        *out = chain;
        *count = n;
    } else {
        err = carve(rt, out, count);
    }
    pthread_mutex_unlock(&t->lock);
    return err;
}

static void give_chain(struct rusm_runtime *rt, struct process *chain) {
    pthread_mutex_lock(&rt->ptab.lock);
    chain->arg = rt->ptab.depot;
    rt->ptab.depot = chain;
    pthread_mutex_unlock(&rt->ptab.lock);
}

static enum rusm_err take_from_outside(struct rusm_runtime *rt, struct process **out) {
    struct process *chain;
    uint32_t count;
    enum rusm_err err = take_chain(rt, &chain, &count);
    if (err != RUSM_OK) {
        return err;
    }
    if (chain->link) {
        give_chain(rt, chain->link);
    }
    *out = chain;
    return RUSM_OK;
}

enum rusm_err ptab_take(struct rusm_runtime *rt, struct sched *s, struct process **out) {
    if (__builtin_expect(!s, 0)) {
        return take_from_outside(rt, out);
    }
    struct process *p = s->free_slots;
    if (__builtin_expect(!p, 0)) {
        enum rusm_err err = take_chain(rt, &p, &s->free_slot_count);
        if (err != RUSM_OK) {
            return err;
        }
    }
    s->free_slots = p->link;
    s->free_slot_count--;
    *out = p;
    return RUSM_OK;
}

/* Hand a batch of surplus slots to whoever runs out. */
static void spill(struct rusm_runtime *rt, struct sched *s) {
    struct process *chain = s->free_slots;
    struct process *last = chain;
    for (uint32_t i = 1; i < SLOT_BATCH; i++) {
        last = last->link;
    }
    s->free_slots = last->link;
    s->free_slot_count -= SLOT_BATCH;
    last->link = NULL;
    give_chain(rt, chain);
}

void ptab_give(struct rusm_runtime *rt, struct sched *s, struct process *p) {
    p->link = s->free_slots;
    s->free_slots = p;
    if (__builtin_expect(++s->free_slot_count > 4 * SLOT_BATCH, 0)) {
        spill(rt, s);
    }
}

void ptab_give_outside(struct rusm_runtime *rt, struct process *p, struct process_ext *ext) {
    p->link = NULL;
    give_chain(rt, p);
    if (ext) {
        pthread_mutex_lock(&rt->ptab.lock);
        ext->next_free = rt->ptab.free_exts;
        rt->ptab.free_exts = ext;
        pthread_mutex_unlock(&rt->ptab.lock);
    }
}

/* Up to `*count` extensions as a chain by `next_free`; NULL when out of memory. */
static struct process_ext *take_exts(struct rusm_runtime *rt, uint32_t *count) {
    struct ptab *t = &rt->ptab;
    pthread_mutex_lock(&t->lock);
    if (!t->free_exts) {
        struct ext_slab *slab = rusm_zalloc(sizeof *slab);
        if (slab) {
            slab->next = t->ext_slabs;
            t->ext_slabs = slab;
            for (uint32_t i = 0; i + 1 < EXT_SLAB; i++) {
                slab->exts[i].next_free = &slab->exts[i + 1];
            }
            t->free_exts = slab->exts;
        }
    }
    struct process_ext *first = t->free_exts;
    struct process_ext **end = &t->free_exts;
    uint32_t taken = 0;
    while (*end && taken < *count) {
        end = &(*end)->next_free;
        taken++;
    }
    t->free_exts = *end;
    *end = NULL;
    pthread_mutex_unlock(&t->lock);
    *count = taken;
    return taken > 0 ? first : NULL;
}

struct process_ext *ptab_take_ext(struct rusm_runtime *rt, struct sched *s) {
    struct process_ext *ext;
    if (!s) {
        uint32_t one = 1;
        ext = take_exts(rt, &one);
    } else {
        if (!s->free_exts) {
            s->free_ext_count = EXT_BATCH;
            s->free_exts = take_exts(rt, &s->free_ext_count);
        }
        ext = s->free_exts;
        if (ext) {
            s->free_exts = ext->next_free;
            s->free_ext_count--;
        }
    }
    if (ext) {
        ext->name_count = 0;
        ext->on_exit = NULL;
        ext->exit_signal = NULL;
        ext->acknowledge_start = false;
        ext->stash_head = NULL;
        ext->stash_tail = &ext->stash_head;
        ext->streams = NULL;
        ext->held_by = (rusm_pid){0};
        ext->holder_count = 0;
        text_set(&ext->name, "");
        text_set(&ext->label, "");
    }
    return ext;
}

static void spill_exts(struct rusm_runtime *rt, struct sched *s) {
    struct process_ext *first = s->free_exts;
    struct process_ext *last = first;
    for (uint32_t i = 1; i < EXT_BATCH; i++) {
        last = last->next_free;
    }
    s->free_exts = last->next_free;
    s->free_ext_count -= EXT_BATCH;
    pthread_mutex_lock(&rt->ptab.lock);
    last->next_free = rt->ptab.free_exts;
    rt->ptab.free_exts = first;
    pthread_mutex_unlock(&rt->ptab.lock);
}

void ptab_give_ext(struct sched *s, struct process_ext *ext) {
    rusm_free(ext->holders);
    ext->holders = NULL;
    ext->holder_capacity = 0;
    rusm_free(ext->name_hashes);
    ext->name_hashes = NULL;
    ext->name_capacity = 0;
    ext->next_free = s->free_exts;
    s->free_exts = ext;
    if (++s->free_ext_count > 4 * EXT_BATCH) {
        spill_exts(s->rt, s);
    }
}

void text_set(struct text *text, const char *value) {
    char bytes[TEXT_WORDS * 8] = {0};
    memcpy(bytes, value, strnlen(value, sizeof bytes - 1));
    for (int i = 0; i < TEXT_WORDS; i++) {
        uint64_t word;
        memcpy(&word, bytes + i * 8, 8);
        atomic_store_explicit(&text->words[i], word, memory_order_relaxed);
    }
}

void text_get(const struct text *text, char *out) {
    for (int i = 0; i < TEXT_WORDS; i++) {
        uint64_t word = atomic_load_explicit(&text->words[i], memory_order_relaxed);
        memcpy(out + i * 8, &word, 8);
    }
    out[TEXT_WORDS * 8 - 1] = '\0';
}
