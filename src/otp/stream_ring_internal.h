/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The ring that a stream's writers and its reader share, and the handles; streams.c alone changes
 * them. docs/design/streams.md has the protocol.
 */
#ifndef OTP_STREAM_RING_INTERNAL_H
#define OTP_STREAM_RING_INTERNAL_H

#include "base/list.h"
#include <rusm/stream.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What a slot of the ring holds when it is no chunk. NULL: nothing yet. */
#define SLOT_WAITING ((rusm_buf *)(uintptr_t)1) /* nothing, and the reader is suspended for it */
#define SLOT_END     ((rusm_buf *)(uintptr_t)2) /* no writer is left */

/*
 * A position in the stream: how many chunks (modulo 2^24) and bytes (modulo 2^40) came before. The
 * distance of two is what lies between; it never comes near the moduli.
 */
typedef uint64_t position;
#define POSITION_COUNT_BITS 24u
#define POSITION_COUNT_MASK (((position)1 << POSITION_COUNT_BITS) - 1)
#define POSITION_BYTES_MASK (((position)1 << (64 - POSITION_COUNT_BITS)) - 1)

/* A writer that waits for room. */
struct holder {
    rusm_pid pid;
    const void *writer; /* its handle, to compare only */
    uint32_t len;       /* of the chunk it wants to write */
};

/* The reader's own part. */
struct rusm_stream_reader {
    struct list node; /* in its process's list of ends */
    struct holder *holders;
    uint32_t holder_count;
    uint32_t holder_capacity;
};

struct stream {
    /* immutable */
    alignas(64) rusm_pid reader_pid;
    rusm_pid opener_pid;
    uint64_t bytes_max;
    uint32_t chunks_max;
    uint32_t mask; /* slots - 1; there is always one more slot than chunks, for the end */
    /* any thread */
    _Atomic uint32_t refs; /* of the reader, each writer, each HOLD under way */

    /* writers; `closed` is set once, by the reader */
    alignas(64) _Atomic position in; /* where the next chunk goes */
    _Atomic uint32_t writers;
    _Atomic bool closed;

    /* the reader */
    alignas(64) _Atomic position out; /* where the next chunk is taken */
    struct rusm_stream_reader reader;

    alignas(64) _Atomic(rusm_buf *) slots[];
};

struct rusm_stream_writer {
    struct stream *stream;
    struct list node; /* in its process's list of ends */
    rusm_pid owner;
    rusm_buf *pending; /* what a suspended write holds, so that a kill does not lose it; owned */
    position out_seen; /* `out` when it was read last; meaningful while `alone` */
    bool alone;        /* this was the only writer at the last write */
    bool held;         /* a HOLD is not answered yet */
};

/* What a process has of streams. */
struct stream_ends {
    struct list readers;
    struct list writers;
    struct list new_readers; /* not accepted yet */
    struct list new_writers;
    uint32_t new_reader_count;
    uint32_t new_writer_count;
};

static inline position position_after(position at, uint64_t len) {
    return ((at & ~POSITION_COUNT_MASK) + (len << POSITION_COUNT_BITS)) |
           ((at + 1) & POSITION_COUNT_MASK);
}

static inline uint32_t chunks_between(position in, position out) {
    return (uint32_t)((in - out) & POSITION_COUNT_MASK);
}

static inline uint64_t bytes_between(position in, position out) {
    return ((in >> POSITION_COUNT_BITS) - (out >> POSITION_COUNT_BITS)) & POSITION_BYTES_MASK;
}

static inline bool is_chunk(const rusm_buf *slot) {
    return (uintptr_t)slot > (uintptr_t)SLOT_END;
}

/* Whether a chunk of `len` bytes may be put at `in`. */
static inline bool has_room(const struct stream *stream, position in, position out, uint32_t len) {
    uint32_t chunks = chunks_between(in, out);
    return chunks < stream->chunks_max &&
           (bytes_between(in, out) + len <= stream->bytes_max || chunks == 0);
}

#endif
