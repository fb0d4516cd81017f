/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Byte streams: a ring that many writers and one reader share; docs/design/streams.md. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include "otp/stream_ring_internal.h"
#include "otp/streams_internal.h"

static inline struct stream *stream_of(const struct rusm_stream_reader *reader) {
    return LIST_ENTRY((uintptr_t)reader, struct stream, reader);
}

static inline struct sched *own(struct process **out) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    *out = s->current;
    return s;
}

static struct sched *own_writer(const struct rusm_stream_writer *w, struct process **out) {
    struct sched *s = own(out);
    RUSM_ASSERT(w->owner.v == process_pid(*out).v);
    return s;
}

static struct sched *own_reader(const struct rusm_stream_reader *reader, struct process **out) {
    struct sched *s = own(out);
    RUSM_ASSERT(stream_of(reader)->reader_pid.v == process_pid(*out).v);
    return s;
}

/* ---- the shared ring ---- */

static struct stream *stream_create(rusm_pid opener, rusm_pid reader, uint32_t chunks_max,
                                    uint64_t bytes_max) {
    uint32_t slots = 2;
    while (slots < chunks_max + 1) {
        slots *= 2;
    }
    struct stream *stream =
        rusm_zalloc_aligned(64, sizeof *stream + slots * sizeof stream->slots[0]);
    if (stream) {
        stream->reader_pid = reader;
        stream->opener_pid = opener;
        stream->chunks_max = chunks_max;
        stream->bytes_max = bytes_max;
        stream->mask = slots - 1;
        atomic_init(&stream->refs, 2);
        atomic_init(&stream->writers, 1);
    }
    return stream;
}

static void stream_hold(struct stream *stream) {
    atomic_fetch_add_explicit(&stream->refs, 1, memory_order_relaxed);
}

/* The last one frees the chunks that came after the reader had closed, too. */
static void stream_release(struct stream *stream) {
    SIM_POINT();
    /* acq_rel: all uses by other holders come before the free. */
    uint32_t before = atomic_fetch_sub_explicit(&stream->refs, 1, memory_order_acq_rel);
    RUSM_ASSERT(before > 0);
    if (before > 1) {
        return;
    }
    for (uint32_t i = 0; i <= stream->mask; i++) {
        rusm_buf *slot = atomic_load_explicit(&stream->slots[i], memory_order_relaxed);
        if (is_chunk(slot)) {
            rusm_buf_release(slot);
        }
    }
    rusm_free(stream);
}

static inline bool is_closed(const struct stream *stream) {
    return atomic_load_explicit(&stream->closed, memory_order_acquire);
}

/* A signal about a stream to the process at its other end. Without memory for 64 bytes that
 * process would wait for ever: the node stops. */
static __attribute__((noinline)) void tell(struct sched *s, rusm_pid to, enum signal_kind kind,
                                           const void *writer) {
    struct signal *sig = signal_create(s, kind);
    RUSM_ASSERT(sig);
    sig->stream.writer = writer;
    /* Gone, or too full to be waiting: then nobody needs to hear. */
    (void)signal_deliver(s->rt, s, to, sig);
}

/* ---- writers' side ---- */

/* Fill the slot at `at`, which is ours; whoever waits for it goes on. */
static inline void publish(struct sched *s, struct stream *stream, position at, rusm_buf *what) {
    _Atomic(rusm_buf *) *slot = &stream->slots[at & stream->mask];
    SIM_POINT();
    /* Release: pairs with slot_get. Acquire: what the reader did before it began to wait. */
    rusm_buf *before = atomic_exchange_explicit(slot, what, memory_order_acq_rel);
    if (__builtin_expect(before == SLOT_WAITING, 0)) {
        tell(s, stream->reader_pid, SIGNAL_STREAM_DATA, NULL);
    } else {
        RUSM_DASSERT(before == NULL);
    }
}

/* With other writers about: reserve a position for `len` bytes. */
static __attribute__((noinline)) bool reserve_shared(struct stream *stream, uint32_t len,
                                                     position *out) {
    SIM_POINT();
    position in = atomic_load_explicit(&stream->in, memory_order_relaxed);
    for (;;) {
        /* Acquire: the slots before `taken` are empty (take). */
        position taken = atomic_load_explicit(&stream->out, memory_order_acquire);
        if (!has_room(stream, in, taken, len)) {
            /* `taken` may be of a later moment than `in`; then `in` has changed. */
            position again = atomic_load_explicit(&stream->in, memory_order_relaxed);
            if (again == in) {
                return false;
            }
            in = again;
            continue;
        }
        SIM_POINT();
        /* Relaxed: it is the slot that publishes. */
        if (atomic_compare_exchange_weak_explicit(&stream->in, &in, position_after(in, len),
                                                  memory_order_relaxed, memory_order_relaxed)) {
            *out = in;
            return true;
        }
    }
}

/* The same for the only writer: no locked instruction, and the reader's line is read only when the
 * ring seems full. */
static inline bool reserve_alone(struct rusm_stream_writer *w, uint32_t len, position *out) {
    struct stream *stream = w->stream;
    position in = atomic_load_explicit(&stream->in, memory_order_relaxed);
    if (__builtin_expect(!w->alone || !has_room(stream, in, w->out_seen, len), 0)) {
        SIM_POINT();
        w->out_seen = atomic_load_explicit(&stream->out, memory_order_acquire);
        w->alone = true;
        if (!has_room(stream, in, w->out_seen, len)) {
            return false;
        }
    }
    atomic_store_explicit(&stream->in, position_after(in, len), memory_order_relaxed);
    *out = in;
    return true;
}

enum put_result { PUT_DONE, PUT_FULL, PUT_CLOSED };

static inline enum put_result put(struct sched *s, struct rusm_stream_writer *w, rusm_buf *chunk,
                                  uint32_t len) {
    struct stream *stream = w->stream;
    SIM_POINT();
    if (__builtin_expect(is_closed(stream), 0)) {
        return PUT_CLOSED;
    }
    position at;
    /* Acquire: the positions that writers reserved which are closed now (writer_leave). */
    if (__builtin_expect(atomic_load_explicit(&stream->writers, memory_order_acquire) == 1, 1)) {
        if (!reserve_alone(w, len, &at)) {
            return PUT_FULL;
        }
    } else {
        w->alone = false;
        if (!reserve_shared(stream, len, &at)) {
            return PUT_FULL;
        }
    }
    publish(s, stream, at, chunk);
    return PUT_DONE;
}

/* Tell the reader that `w` waits for room for `len` bytes; or, with `from` {0}, does no more. */
static enum rusm_err tell_hold(struct sched *s, struct rusm_stream_writer *w, rusm_pid from,
                               uint32_t len) {
    struct signal *sig = signal_create(s, SIGNAL_STREAM_HOLD);
    if (!sig) {
        return RUSM_ERR_NOMEM;
    }
    struct stream *stream = w->stream;
    sig->len = len;
    sig->stream.from = from;
    sig->stream.stream = stream;
    sig->stream.writer = w;
    stream_hold(stream);
    enum rusm_err err = signal_deliver(s->rt, s, stream->reader_pid, sig);
    if (err != RUSM_OK) {
        stream_release(stream);
    }
    return err == RUSM_ERR_NOPROC ? RUSM_ERR_STREAM_CLOSED : err;
}

static enum rusm_err hold(struct sched *s, struct rusm_stream_writer *w, uint32_t len) {
    enum rusm_err err = tell_hold(s, w, w->owner, len);
    if (err != RUSM_OK) {
        return err;
    }
    w->held = true;
    /* Last in the list is where ROOM looks first. */
    struct process *p = s->current;
    struct stream_ends *ends = atomic_load_explicit(&p->ext, memory_order_relaxed)->streams;
    list_remove(&w->node);
    list_push_back(&ends->writers, &w->node);
    return RUSM_OK;
}

/* The stream is full: wait until it is not, and write. */
static __attribute__((noinline)) enum rusm_err put_slowly(struct sched *s, struct process *p,
                                                          struct rusm_stream_writer *w,
                                                          rusm_buf *chunk, uint64_t timeout_ms) {
    uint32_t len = (uint32_t)rusm_buf_len(chunk);
    if (w->stream->reader_pid.v == w->owner.v) {
        timeout_ms = 0;
    }
    bool armed = false;
    enum rusm_err err = RUSM_OK;
    w->pending = chunk;
    s = sched_spend(s, p, 1);
    for (;;) {
        enum put_result result = put(s, w, chunk, len);
        if (result != PUT_FULL) {
            err = result == PUT_DONE ? RUSM_OK : RUSM_ERR_STREAM_CLOSED;
            break;
        }
        if (timeout_ms == 0 || (armed && (p->flags & PROCESS_TIMED_OUT))) {
            err = RUSM_ERR_TIMEOUT;
            break;
        }
        if (!w->held) {
            err = hold(s, w, len);
            if (err != RUSM_OK) {
                break;
            }
        }
        if (!armed) {
            process_arm_timeout(s, p, timeout_ms);
            armed = true;
        }
        s = process_wait(s, p, RUSM_WAIT_HELD);
    }
    w->pending = NULL;
    if (armed) {
        process_disarm_timeout(s, p);
    }
    if (err != RUSM_OK && err != RUSM_ERR_TIMEOUT) {
        rusm_buf_release(chunk);
    }
    return err;
}

enum rusm_err rusm_stream_write_timeout(rusm_stream_writer *writer, rusm_buf *chunk,
                                        uint64_t timeout_ms) {
    struct process *p;
    struct sched *s = own_writer(writer, &p);
    if (__builtin_expect(put(s, writer, chunk, (uint32_t)rusm_buf_len(chunk)) != PUT_DONE, 0)) {
        return put_slowly(s, p, writer, chunk, timeout_ms);
    }
    (void)sched_spend(s, p, 1);
    return RUSM_OK;
}

enum rusm_err rusm_stream_write(rusm_stream_writer *writer, rusm_buf *chunk) {
    enum rusm_err err = rusm_stream_write_timeout(writer, chunk, RUSM_FOREVER);
    if (__builtin_expect(err == RUSM_ERR_TIMEOUT, 0)) {
        rusm_buf_release(chunk);
    }
    return err;
}

/* One writer less; the last one puts the end, for which there is always a slot. */
static void writer_leave(struct sched *s, struct stream *stream) {
    SIM_POINT();
    /* acq_rel: what every writer wrote comes before the end (put reads it with acquire). */
    uint32_t before = atomic_fetch_sub_explicit(&stream->writers, 1, memory_order_acq_rel);
    RUSM_ASSERT(before > 0);
    if (before == 1) {
        publish(s, stream, atomic_load_explicit(&stream->in, memory_order_relaxed), SLOT_END);
    }
    stream_release(stream);
}

static void writer_close(struct sched *s, struct rusm_stream_writer *w) {
    if (w->pending) {
        rusm_buf_release(w->pending);
    }
    if (w->held && !is_closed(w->stream)) {
        /* Without it the reader keeps a note of 24 bytes until it reads: not worth an error. */
        (void)tell_hold(s, w, (rusm_pid){0}, 0);
    }
    list_remove(&w->node);
    writer_leave(s, w->stream);
    rusm_free(w);
}

void rusm_stream_close(rusm_stream_writer *writer) {
    struct process *p;
    writer_close(own_writer(writer, &p), writer);
}

/* ---- the reader's side ---- */

/* Whether a writer that waits with `len` bytes may go on: at half the bounds, so that many chunks
 * pass for each time it is woken. */
static bool may_go_on(const struct stream *stream, uint32_t len) {
    /* Acquire: not older than the HOLD or the chunk that made us look. */
    position in = atomic_load_explicit(&stream->in, memory_order_acquire);
    position out = atomic_load_explicit(&stream->out, memory_order_relaxed);
    uint32_t chunks = chunks_between(in, out);
    uint64_t bytes = bytes_between(in, out);
    return chunks == 0 || (chunks <= stream->chunks_max / 2 && bytes <= stream->bytes_max / 2 &&
                           bytes + len <= stream->bytes_max);
}

static __attribute__((noinline)) void resume_holders(struct sched *s, struct stream *stream) {
    struct rusm_stream_reader *reader = &stream->reader;
    bool closed = is_closed(stream);
    uint32_t left = 0;
    for (uint32_t i = 0; i < reader->holder_count; i++) {
        struct holder *holder = &reader->holders[i];
        if (closed || may_go_on(stream, holder->len)) {
            tell(s, holder->pid, SIGNAL_STREAM_ROOM, holder->writer);
        } else {
            reader->holders[left++] = *holder;
        }
    }
    reader->holder_count = left;
}

static void forget_holder(struct rusm_stream_reader *reader, const void *writer) {
    for (uint32_t i = 0; i < reader->holder_count; i++) {
        if (reader->holders[i].writer == writer) {
            reader->holders[i] = reader->holders[--reader->holder_count];
            return;
        }
    }
}

/* A writer waits. Without memory to note it, it tries again at once. */
static void note_holder(struct sched *s, struct stream *stream, const struct signal *sig) {
    struct rusm_stream_reader *reader = &stream->reader;
    struct holder holder = {sig->stream.from, sig->stream.writer, sig->len};
    bool noted = !is_closed(stream) && !may_go_on(stream, holder.len);
    if (noted && reader->holder_count == reader->holder_capacity) {
        uint32_t capacity = reader->holder_capacity ? 2 * reader->holder_capacity : 2;
        struct holder *holders = rusm_realloc(reader->holders, capacity * sizeof *holders);
        if (holders) {
            reader->holders = holders;
            reader->holder_capacity = capacity;
        }
        noted = holders != NULL;
    }
    if (noted) {
        reader->holders[reader->holder_count++] = holder;
    } else {
        tell(s, holder.pid, SIGNAL_STREAM_ROOM, holder.writer);
    }
}

static inline _Atomic(rusm_buf *) *next_slot(struct stream *stream) {
    position out = atomic_load_explicit(&stream->out, memory_order_relaxed);
    return &stream->slots[out & stream->mask];
}

static inline rusm_buf *slot_get(_Atomic(rusm_buf *) *slot) {
    SIM_POINT();
    return atomic_load_explicit(slot, memory_order_acquire); /* pairs with publish */
}

/* Take the chunk that is in the next slot. */
static inline void take(struct sched *s, struct stream *stream, _Atomic(rusm_buf *) *slot,
                        const rusm_buf *chunk) {
    position out = atomic_load_explicit(&stream->out, memory_order_relaxed);
    atomic_store_explicit(slot, NULL, memory_order_relaxed);
    SIM_POINT();
    /* Release: who sees the new position sees the slot empty (reserve_alone, reserve_shared). */
    atomic_store_explicit(&stream->out, position_after(out, rusm_buf_len(chunk)),
                          memory_order_release);
    if (__builtin_expect(stream->reader.holder_count > 0, 0)) {
        resume_holders(s, stream);
    }
}

/* Swap one mark for another in an empty slot. False if a chunk or the end has come. */
static bool slot_mark(_Atomic(rusm_buf *) *slot, rusm_buf *from, rusm_buf *to) {
    SIM_POINT();
    /* Release: the writer that finds the mark sees what the reader did before (publish). */
    return atomic_compare_exchange_strong_explicit(slot, &from, to, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

/* Nothing is there: wait. RUSM_OK with a chunk in the next slot, or STREAM_END, or TIMEOUT. */
static __attribute__((noinline)) enum rusm_err
await_chunk(struct sched *s, struct process *p, struct stream *stream, uint64_t timeout_ms) {
    _Atomic(rusm_buf *) *slot = next_slot(stream);
    bool armed = false;
    enum rusm_err err = RUSM_OK;
    for (;;) {
        rusm_buf *there = slot_get(slot);
        if (is_chunk(there) || there == SLOT_END) {
            err = there == SLOT_END ? RUSM_ERR_STREAM_END : RUSM_OK;
            break;
        }
        if (timeout_ms == 0 || (armed && (p->flags & PROCESS_TIMED_OUT))) {
            if (there == SLOT_WAITING && !slot_mark(slot, SLOT_WAITING, NULL)) {
                continue;
            }
            err = RUSM_ERR_TIMEOUT;
            break;
        }
        if (!armed) {
            process_arm_timeout(s, p, timeout_ms);
            armed = true;
        }
        if (there == NULL && !slot_mark(slot, NULL, SLOT_WAITING)) {
            continue;
        }
        s = process_wait(s, p, RUSM_WAIT_RECEIVE);
    }
    if (armed) {
        process_disarm_timeout(s, p);
    }
    return err;
}

enum rusm_err rusm_stream_read(rusm_stream_reader *reader, uint64_t timeout_ms, rusm_buf **chunk) {
    struct process *p;
    struct sched *s = own_reader(reader, &p);
    struct stream *stream = stream_of(reader);
    s = sched_spend(s, p, 1); /* before the chunk is ours: it may end the process */
    if (__builtin_expect(mailbox_has_new(p), 0)) {
        process_check_signals(s, p); /* writers that wait say so there */
    }
    _Atomic(rusm_buf *) *slot = next_slot(stream);
    rusm_buf *there = slot_get(slot);
    if (__builtin_expect(!is_chunk(there), 0)) {
        enum rusm_err err = await_chunk(s, p, stream, timeout_ms);
        if (err != RUSM_OK) {
            return err;
        }
        s = sched_current(); /* it may be another one now */
        there = slot_get(slot);
    }
    take(s, stream, slot, there);
    *chunk = there;
    return RUSM_OK;
}

/* From here on nobody writes: free what is there. What is put at this very moment is freed with
 * the stream. */
static void reader_close(struct sched *s, struct stream *stream) {
    SIM_POINT();
    /* Release: pairs with is_closed of writers that ROOM has told. */
    atomic_store_explicit(&stream->closed, true, memory_order_release);
    for (;;) {
        _Atomic(rusm_buf *) *slot = next_slot(stream);
        rusm_buf *chunk = slot_get(slot);
        if (!is_chunk(chunk)) {
            break;
        }
        take(s, stream, slot, chunk);
        rusm_buf_release(chunk);
    }
    resume_holders(s, stream);
    rusm_free(stream->reader.holders);
    stream->reader.holders = NULL;
    stream->reader.holder_capacity = 0;
    stream_release(stream);
}

void rusm_stream_reader_close(rusm_stream_reader *reader) {
    struct process *p;
    struct sched *s = own_reader(reader, &p);
    list_remove(&reader->node);
    reader_close(s, stream_of(reader));
}

rusm_pid rusm_stream_opener(const rusm_stream_reader *reader) {
    return stream_of(reader)->opener_pid;
}

/* ---- the ends of a process ---- */

static struct stream_ends *ends_ensure(struct sched *s, struct process *p) {
    struct process_ext *ext = process_ext_ensure(s, p);
    if (!ext || ext->streams) {
        return ext ? ext->streams : NULL;
    }
    struct stream_ends *ends = rusm_zalloc(sizeof *ends);
    if (ends) {
        list_init(&ends->readers);
        list_init(&ends->writers);
        list_init(&ends->new_readers);
        list_init(&ends->new_writers);
        ext->streams = ends;
    }
    return ends;
}

/* A handle for `owner`; NULL when out of memory. The reference is the caller's to give. */
static struct rusm_stream_writer *writer_create(struct stream *stream, rusm_pid owner) {
    struct rusm_stream_writer *w = rusm_zalloc(sizeof *w);
    if (w) {
        w->stream = stream;
        w->owner = owner;
    }
    return w;
}

/* Send a stream to a process; what it carries is the caller's to take back on failure. */
static enum rusm_err send_stream(struct sched *s, rusm_pid to, enum signal_kind kind,
                                 struct stream *stream) {
    struct signal *sig = signal_create(s, kind);
    if (!sig) {
        return RUSM_ERR_NOMEM;
    }
    sig->stream.stream = stream;
    return signal_deliver(s->rt, s, to, sig);
}

enum rusm_err rusm_stream_open(rusm_pid to, const struct rusm_stream_opts *opts,
                               rusm_stream_writer **out) {
    struct process *p;
    struct sched *s = own(&p);
    uint32_t chunks_max = opts && opts->chunks_max ? opts->chunks_max : RUSM_STREAM_CHUNKS_DEFAULT;
    uint64_t bytes_max = opts && opts->bytes_max ? opts->bytes_max : RUSM_STREAM_BYTES_DEFAULT;
    if (chunks_max > RUSM_STREAM_CHUNKS_LIMIT || bytes_max > RUSM_STREAM_BYTES_LIMIT) {
        return RUSM_ERR_INVALID;
    }
    rusm_pid self = process_pid(p);
    struct stream_ends *ends = ends_ensure(s, p);
    struct stream *stream = ends ? stream_create(self, to, chunks_max, bytes_max) : NULL;
    struct rusm_stream_writer *w = stream ? writer_create(stream, self) : NULL;
    enum rusm_err err = w ? send_stream(s, to, SIGNAL_STREAM_OPEN, stream) : RUSM_ERR_NOMEM;
    if (err != RUSM_OK) {
        rusm_free(w);
        rusm_free(stream);
        return err;
    }
    list_push_back(&ends->writers, &w->node);
    *out = w;
    return RUSM_OK;
}

enum rusm_err rusm_stream_writer_clone(rusm_stream_writer *writer, rusm_pid to) {
    struct process *p;
    struct sched *s = own_writer(writer, &p);
    struct stream *stream = writer->stream;
    writer->alone = false;
    stream_hold(stream);
    /* Relaxed: our own writer keeps the count above 0. */
    atomic_fetch_add_explicit(&stream->writers, 1, memory_order_relaxed);
    enum rusm_err err = send_stream(s, to, SIGNAL_STREAM_WRITER, stream);
    if (err != RUSM_OK) {
        writer_leave(s, stream);
    }
    return err;
}

/* Move the first of `from` to `to`, waiting for it; NULL when the time has passed. */
static struct list *accept_first(struct sched *s, struct process *p, struct list *from,
                                 struct list *to, uint64_t timeout_ms) {
    bool armed = false;
    s = sched_spend(s, p, 1);
    for (;;) {
        if (mailbox_has_new(p)) {
            process_check_signals(s, p);
        }
        if (!list_is_empty(from) || timeout_ms == 0 || (armed && (p->flags & PROCESS_TIMED_OUT))) {
            break;
        }
        if (!armed) {
            process_arm_timeout(s, p, timeout_ms);
            armed = true;
        }
        s = process_wait(s, p, RUSM_WAIT_RECEIVE);
    }
    if (armed) {
        process_disarm_timeout(s, p);
    }
    if (list_is_empty(from)) {
        return NULL;
    }
    struct list *node = from->next;
    list_remove(node);
    list_push_back(to, node);
    return node;
}

enum rusm_err rusm_stream_accept(uint64_t timeout_ms, rusm_stream_reader **out) {
    struct process *p;
    struct sched *s = own(&p);
    struct stream_ends *ends = ends_ensure(s, p);
    if (!ends) {
        return RUSM_ERR_NOMEM;
    }
    struct list *node = accept_first(s, p, &ends->new_readers, &ends->readers, timeout_ms);
    if (!node) {
        return RUSM_ERR_TIMEOUT;
    }
    ends->new_reader_count--;
    *out = LIST_ENTRY(node, struct rusm_stream_reader, node);
    return RUSM_OK;
}

enum rusm_err rusm_stream_accept_writer(uint64_t timeout_ms, rusm_stream_writer **out) {
    struct process *p;
    struct sched *s = own(&p);
    struct stream_ends *ends = ends_ensure(s, p);
    if (!ends) {
        return RUSM_ERR_NOMEM;
    }
    struct list *node = accept_first(s, p, &ends->new_writers, &ends->writers, timeout_ms);
    if (!node) {
        return RUSM_ERR_TIMEOUT;
    }
    ends->new_writer_count--;
    *out = LIST_ENTRY(node, struct rusm_stream_writer, node);
    return RUSM_OK;
}

/* ---- signals ---- */

static void handle_open(struct sched *s, struct process *p, struct stream *stream) {
    struct stream_ends *ends = ends_ensure(s, p);
    if (!ends || ends->new_reader_count == RUSM_STREAM_BACKLOG) {
        reader_close(s, stream);
        return;
    }
    ends->new_reader_count++;
    list_push_back(&ends->new_readers, &stream->reader.node);
}

static void handle_writer(struct sched *s, struct process *p, struct stream *stream) {
    struct stream_ends *ends = ends_ensure(s, p);
    struct rusm_stream_writer *w = NULL;
    if (ends && ends->new_writer_count < RUSM_STREAM_BACKLOG) {
        w = writer_create(stream, process_pid(p));
    }
    if (!w) {
        writer_leave(s, stream);
        return;
    }
    ends->new_writer_count++;
    list_push_back(&ends->new_writers, &w->node);
}

/* The handle may be closed by now: look for it, from the one that waited last. */
static void handle_room(struct process *p, const void *writer) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    struct stream_ends *ends = ext ? ext->streams : NULL;
    if (!ends) {
        return;
    }
    for (struct list *node = ends->writers.prev; node != &ends->writers; node = node->prev) {
        struct rusm_stream_writer *w = LIST_ENTRY(node, struct rusm_stream_writer, node);
        if (w == writer) {
            w->held = false;
            return;
        }
    }
}

void streams_handle(struct sched *s, struct process *p, const struct signal *sig) {
    struct stream *stream = sig->stream.stream;
    switch (sig->kind) {
    case SIGNAL_STREAM_OPEN:
        handle_open(s, p, stream);
        break;
    case SIGNAL_STREAM_WRITER:
        handle_writer(s, p, stream);
        break;
    case SIGNAL_STREAM_HOLD:
        if (sig->stream.from.v != 0) {
            note_holder(s, stream, sig);
        } else {
            forget_holder(&stream->reader, sig->stream.writer);
        }
        stream_release(stream);
        break;
    case SIGNAL_STREAM_ROOM:
        handle_room(p, sig->stream.writer);
        break;
    default: /* DATA: to be awake is all */
        break;
    }
}

void streams_refuse(struct sched *s, const struct signal *sig) {
    struct stream *stream = sig->stream.stream;
    if (sig->kind == SIGNAL_STREAM_OPEN) {
        reader_close(s, stream);
    } else if (sig->kind == SIGNAL_STREAM_WRITER) {
        writer_leave(s, stream);
    } else if (sig->kind == SIGNAL_STREAM_HOLD) {
        if (sig->stream.from.v != 0) {
            tell(s, sig->stream.from, SIGNAL_STREAM_ROOM, sig->stream.writer);
        }
        stream_release(stream);
    }
}

static void close_writers(struct sched *s, struct list *writers) {
    while (!list_is_empty(writers)) {
        writer_close(s, LIST_ENTRY(writers->next, struct rusm_stream_writer, node));
    }
}

static void close_readers(struct sched *s, struct list *readers) {
    while (!list_is_empty(readers)) {
        struct list *node = readers->next;
        list_remove(node);
        reader_close(s, stream_of(LIST_ENTRY(node, struct rusm_stream_reader, node)));
    }
}

void streams_release(struct sched *s, struct process_ext *ext) {
    struct stream_ends *ends = ext->streams;
    ext->streams = NULL;
    close_writers(s, &ends->writers);
    close_writers(s, &ends->new_writers);
    close_readers(s, &ends->readers);
    close_readers(s, &ends->new_readers);
    rusm_free(ends);
}
