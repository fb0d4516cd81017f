/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/signal_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/runtime_internal.h"
#include <string.h>

/* Cells that move between a scheduler and the depot at once. */
#define CELL_BATCH 256u
/* Free cells that a scheduler keeps: the messages of a publish to a thousand, four times over. */
#define CELLS_KEPT 4096u
#define SLAB_BYTES (64u * 1024)

struct slab {
    struct slab *next;
    unsigned char pad[64 - sizeof(struct slab *)];
    struct signal cells[];
};

struct cell_depot {
    pthread_mutex_t lock;  /* guards all below */
    struct signal *chains; /* linked by `data`; each chain by `next`, its length in `len` */
    struct slab *slabs;
    counter bytes;
};

struct rusm_buf {
    _Atomic uint32_t refs;
    uint32_t block_class; /* see blocks_internal.h */
    size_t len;
    alignas(16) unsigned char bytes[];
};

enum rusm_err cell_depot_create(struct cell_depot **out) {
    struct cell_depot *depot = rusm_zalloc(sizeof *depot);
    if (!depot) {
        return RUSM_ERR_NOMEM;
    }
    pthread_mutex_init(&depot->lock, NULL);
    *out = depot;
    return RUSM_OK;
}

void cell_depot_destroy(struct cell_depot *depot) {
    if (!depot) {
        return;
    }
    while (depot->slabs) {
        struct slab *slab = depot->slabs;
        depot->slabs = slab->next;
        rusm_free(slab);
    }
    pthread_mutex_destroy(&depot->lock);
    rusm_free(depot);
}

uint64_t cell_depot_bytes(struct cell_depot *depot) {
    return counter_get(&depot->bytes);
}

/* All cells of a new slab as one chain. */
static struct signal *carve(struct cell_depot *depot) {
    struct slab *slab = rusm_zalloc_aligned(64, SLAB_BYTES);
    if (!slab) {
        return NULL;
    }
    slab->next = depot->slabs;
    depot->slabs = slab;
    counter_add(&depot->bytes, SLAB_BYTES);
    size_t count = (SLAB_BYTES - sizeof *slab) / sizeof(struct signal);
    for (size_t i = 0; i + 1 < count; i++) {
        slab->cells[i].next = &slab->cells[i + 1];
    }
    slab->cells[count - 1].next = NULL;
    slab->cells[0].len = (uint32_t)count;
    return slab->cells;
}

static __attribute__((noinline, cold)) bool refill(struct sched *s) {
    struct cell_depot *depot = s->rt->cell_depot;
    pthread_mutex_lock(&depot->lock);
    struct signal *chain = depot->chains;
    if (chain) {
        depot->chains = (struct signal *)chain->data;
    } else {
        chain = carve(depot);
    }
    pthread_mutex_unlock(&depot->lock);
    s->cells.free = chain;
    s->cells.count = chain ? chain->len : 0;
    return chain != NULL;
}

/* Give a batch of surplus cells to whoever runs out. */
static __attribute__((noinline, cold)) void spill(struct sched *s) {
    struct signal *chain = s->cells.free;
    struct signal *last = chain;
    for (uint32_t i = 1; i < CELL_BATCH; i++) {
        last = last->next;
    }
    s->cells.free = last->next;
    s->cells.count -= CELL_BATCH;
    last->next = NULL;
    chain->len = CELL_BATCH;
    struct cell_depot *depot = s->rt->cell_depot;
    pthread_mutex_lock(&depot->lock);
    chain->data = depot->chains;
    depot->chains = chain;
    pthread_mutex_unlock(&depot->lock);
}

static __attribute__((noinline)) struct signal *cell_from_heap(size_t payload_bytes) {
    size_t bytes = offsetof(struct signal, bytes) + payload_bytes;
    struct signal *sig = rusm_alloc(bytes < sizeof *sig ? sizeof *sig : bytes);
    if (sig) {
        sig->pooled = 0;
    }
    return sig;
}

static inline struct signal *cell_take(struct sched *s) {
    if (__builtin_expect(!s, 0)) {
        return cell_from_heap(0);
    }
    struct signal *sig = s->cells.free;
    if (__builtin_expect(!sig, 0)) {
        if (!refill(s)) {
            return NULL;
        }
        sig = s->cells.free;
    }
    s->cells.free = sig->next;
    s->cells.count--;
    sig->pooled = 1;
    return sig;
}

void cell_give_raw(struct sched *s, void *cell) {
    RUSM_DASSERT(s);
    struct signal *sig = cell;
    sig->next = s->cells.free;
    s->cells.free = sig;
    if (__builtin_expect(++s->cells.count > CELLS_KEPT, 0)) {
        spill(s);
    }
}

void *cell_take_raw(struct sched *s) {
    return cell_take(s);
}

struct signal *signal_create(struct sched *s, enum signal_kind kind) {
    struct signal *sig = cell_take(s);
    if (sig) {
        sig->data = sig->bytes;
        sig->len = 0;
        sig->kind = (uint8_t)kind;
        sig->storage = STORAGE_POOL;
    }
    return sig;
}

struct signal *signal_create_message(struct sched *s, const void *data, uint32_t len) {
    bool fits = len <= SIGNAL_INLINE_BYTES;
    struct signal *sig = fits ? cell_take(s) : cell_from_heap(len);
    if (!sig) {
        return NULL;
    }
    sig->data = sig->bytes;
    sig->len = len;
    sig->kind = SIGNAL_MESSAGE;
    sig->storage = fits ? STORAGE_POOL : STORAGE_HEAP;
    if (len == 8) { /* by far the most common: a pid, a number, a pointer */
        memcpy(sig->bytes, data, 8);
    } else if (len > 0) {
        memcpy(sig->bytes, data, len);
    }
    return sig;
}

struct signal *signal_copy(struct sched *s, const struct signal *sig) {
    if (sig->storage == STORAGE_DOWN) {
        const struct rusm_down *down = &sig->down;
        return signal_create_down(s, (enum signal_kind)sig->kind, down->pid, down->ref,
                                  down->reason.kind, signal_payload(&down->reason));
    }
    if (sig->kind == SIGNAL_CALL || sig->kind == SIGNAL_REPLY) {
        return signal_create_tagged(s, (enum signal_kind)sig->kind, sig->peer.from, sig->peer.id,
                                    sig->data, sig->len);
    }
    if (sig->storage != STORAGE_BUF) {
        return signal_create_message(s, sig->data, sig->len);
    }
    struct signal *copy = signal_create(s, SIGNAL_MESSAGE);
    if (copy) {
        copy->storage = STORAGE_BUF;
        copy->data = sig->data;
        copy->len = sig->len;
        copy->buf = rusm_buf_hold(sig->buf);
    }
    return copy;
}

static __attribute__((noinline, cold)) void release_payload(struct signal *sig) {
    if (sig->storage == STORAGE_BUF) {
        rusm_buf_release(sig->buf);
    } else if (sig->storage == STORAGE_OWNED) {
        sig->owned.release((void *)(uintptr_t)sig->data);
    } else if (sig->storage == STORAGE_DOWN && sig->down.reason.payload) {
        rusm_buf_release(signal_payload(&sig->down.reason));
    }
}

rusm_buf *signal_payload(const struct rusm_exit_reason *reason) {
    return reason->payload ? (rusm_buf *)(void *)((char *)(uintptr_t)reason->payload -
                                                  offsetof(struct rusm_buf, bytes))
                           : NULL;
}

struct signal *signal_create_down(struct sched *s, enum signal_kind kind, rusm_pid pid,
                                  rusm_ref ref, enum rusm_exit_kind why, rusm_buf *payload) {
    struct signal *sig = signal_create(s, kind);
    if (sig) {
        sig->storage = STORAGE_DOWN;
        sig->len = sizeof sig->down;
        sig->down = (struct rusm_down){.pid = pid, .ref = ref, .reason = {.kind = why}};
        if (payload) {
            sig->down.reason.payload = rusm_buf_data(rusm_buf_hold(payload));
            sig->down.reason.payload_bytes = (uint32_t)rusm_buf_len(payload);
        }
    }
    return sig;
}

struct signal *signal_create_tagged(struct sched *s, enum signal_kind kind, rusm_pid from,
                                    uint64_t id, const void *data, uint32_t len) {
    const uint32_t before = sizeof(((struct signal *)0)->peer);
    bool fits = len <= SIGNAL_INLINE_BYTES - before;
    struct signal *sig = fits ? cell_take(s) : cell_from_heap((size_t)before + len);
    if (!sig) {
        return NULL;
    }
    sig->peer.from = from;
    sig->peer.id = id;
    sig->data = sig->bytes + before;
    sig->len = len;
    sig->kind = (uint8_t)kind;
    sig->storage = fits ? STORAGE_POOL : STORAGE_HEAP;
    if (len > 0) {
        memcpy(sig->bytes + before, data, len);
    }
    return sig;
}

struct signal *signal_create_owned(struct sched *s, rusm_pid from, uint64_t id, void *data,
                                   uint32_t len, void (*release)(void *data)) {
    struct signal *sig = signal_create(s, SIGNAL_CALL);
    if (sig) {
        sig->owned.from = from;
        sig->owned.id = id;
        sig->owned.release = release;
        sig->data = data;
        sig->len = len;
        sig->storage = STORAGE_OWNED;
    }
    return sig;
}

void signal_destroy(struct sched *s, struct signal *sig) {
    if (__builtin_expect(sig->storage >= STORAGE_BUF, 0)) {
        release_payload(sig);
    }
    if (__builtin_expect(!sig->pooled, 0)) {
        rusm_free(sig);
        return;
    }
    cell_give_raw(s, sig);
}

enum rusm_err rusm_buf_create(size_t len, rusm_buf **out) {
    if (len > UINT32_MAX) {
        return RUSM_ERR_MESSAGE_TOO_LARGE;
    }
    uint32_t class;
    rusm_buf *buf = block_take(sched_tls, sizeof *buf + len, &class);
    if (!buf) {
        return RUSM_ERR_NOMEM;
    }
    buf->block_class = class;
    atomic_init(&buf->refs, 1);
    buf->len = len;
    *out = buf;
    return RUSM_OK;
}

void *rusm_buf_data(rusm_buf *buf) {
    return buf->bytes;
}

size_t rusm_buf_len(const rusm_buf *buf) {
    return buf->len;
}

rusm_buf *rusm_buf_hold(rusm_buf *buf) {
    atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
    return buf;
}

void rusm_buf_release(rusm_buf *buf) {
    /* acq_rel: all uses by other holders come before the free. */
    uint32_t before = atomic_fetch_sub_explicit(&buf->refs, 1, memory_order_acq_rel);
    RUSM_ASSERT(before > 0);
    if (before == 1) {
        block_give(sched_tls, buf, buf->block_class);
    }
}
