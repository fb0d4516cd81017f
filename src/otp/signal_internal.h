/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Signals: everything that passes between processes is one cell in the receiver's one queue, so
 * signals from A to B are handled in the order sent. A message is a signal that carries bytes.
 *
 * Cells of 64 bytes (one cache line) come from a pool per scheduler; payloads up to
 * SIGNAL_INLINE_BYTES live in the cell, longer ones in the same allocation (STORAGE_HEAP) or in a
 * shared buffer (STORAGE_BUF). A cell is owned by whoever holds it: the sender until the push
 * succeeds, the receiving process after.
 */
#ifndef OTP_SIGNAL_INTERNAL_H
#define OTP_SIGNAL_INTERNAL_H

#include <rusm/link.h>
#include <rusm/message.h>
#include <stdatomic.h>

struct sched;
struct stream;

enum signal_kind {
    /* these a process can receive; values as enum rusm_msg_kind. The first always is. */
    SIGNAL_MESSAGE,
    SIGNAL_CALL, /* if there is memory to note who calls */
    SIGNAL_EXIT, /* of a link, or (ref 1) sent by rusm_send_exit */
    SIGNAL_DOWN,
    SIGNAL_REPLY, /* if it is still waited for */
    SIGNAL_KILL,
    SIGNAL_TIMEOUT, /* the timer of a wait has fired; stale unless wait_seq matches */
    SIGNAL_IO,      /* the descriptor waited for is ready */
    SIGNAL_DONE,    /* the blocking job has returned */
    SIGNAL_HOLD,    /* the sender is suspended until this mailbox has room */
    SIGNAL_RESUME,  /* answers HOLD */
    SIGNAL_WAKE,    /* of otp_wake */
    /* these five: streams_internal.h */
    SIGNAL_STREAM_OPEN,
    SIGNAL_STREAM_WRITER,
    SIGNAL_STREAM_DATA,
    SIGNAL_STREAM_HOLD,
    SIGNAL_STREAM_ROOM,
    SIGNAL_LINK,
    SIGNAL_UNLINK,
    SIGNAL_UNLINK_ACK,
    SIGNAL_MONITOR,
    SIGNAL_DEMONITOR,
};

enum signal_storage {
    STORAGE_POOL,  /* a pooled cell, payload inside */
    STORAGE_HEAP,  /* one block of rusm_alloc, payload inside */
    STORAGE_BUF,   /* a pooled cell or heap block whose payload is a rusm_buf */
    STORAGE_OWNED, /* a pooled cell, payload elsewhere, with a function to free it */
    STORAGE_DOWN,  /* a struct rusm_down inside, its reason's payload is a rusm_buf or NULL */
};

#define SIGNAL_INLINE_BYTES 40u

struct signal {
    struct signal *next;
    union {
        struct rusm_msg msg;
        struct {
            const void *data;
            uint32_t len;
            uint8_t kind;    /* enum signal_kind */
            uint8_t storage; /* enum signal_storage */
            uint8_t pooled;  /* the cell itself is from a pool */
            uint8_t spare;
        };
    };
    union {
        unsigned char bytes[SIGNAL_INLINE_BYTES];
        rusm_buf *buf;         /* STORAGE_BUF: one reference, owned */
        rusm_pid from;         /* HOLD */
        struct rusm_down down; /* EXIT, DOWN */
        struct {
            rusm_pid from;
            uint64_t id; /* (UN)MONITOR: the reference; UNLINK and its ACK: the unlink's number */
        } peer;          /* LINK to DEMONITOR; CALL and REPLY, before their bytes */
        struct {
            rusm_pid from;
            uint64_t id;
            void (*release)(void *data);
        } owned; /* STORAGE_OWNED: as peer */
        struct {
            rusm_pid from;
            struct stream *stream;
            const void *writer;
        } stream;       /* STREAM_OPEN to STREAM_ROOM */
        uint32_t value; /* TIMEOUT: the wait it belongs to; IO: events */
    };
};
_Static_assert(sizeof(struct rusm_down) <= SIGNAL_INLINE_BYTES, "a reason fits a cell");
_Static_assert((int)SIGNAL_CALL == RUSM_MSG_CALL && (int)SIGNAL_EXIT == RUSM_MSG_EXIT &&
                   (int)SIGNAL_DOWN == RUSM_MSG_DOWN && (int)SIGNAL_REPLY == RUSM_MSG_REPLY,
               "what a process can receive has the public value");
_Static_assert(sizeof(struct signal) == 64, "a signal is one cache line");
_Static_assert(offsetof(struct signal, bytes) % 8 == 0, "payloads are aligned to 8");

/* Free cells of one scheduler; owner thread only. */
struct cell_pool {
    struct signal *free;
    uint32_t count;
};

/* Cells on their way between schedulers, in chains of CELL_BATCH; and all slabs ever made. */
struct cell_depot;

enum rusm_err cell_depot_create(struct cell_depot **out);
void cell_depot_destroy(struct cell_depot *depot);
/* Bytes of all slabs. Any thread. */
uint64_t cell_depot_bytes(struct cell_depot *depot);

/* 64 bytes of the cells' pool for something else, undefined; NULL when out of memory. */
void *cell_take_raw(struct sched *s);
void cell_give_raw(struct sched *s, void *cell);
/* A cell with kind set and no payload; NULL when out of memory. `s` NULL: not on a scheduler. */
struct signal *signal_create(struct sched *s, enum signal_kind kind);
/* A message with a copy of `len` bytes; NULL when out of memory. */
struct signal *signal_create_message(struct sched *s, const void *data, uint32_t len);
/* The same of another kind, preceded by peer {from, id}. */
struct signal *signal_create_tagged(struct sched *s, enum signal_kind kind, rusm_pid from,
                                    uint64_t id, const void *data, uint32_t len);
/* A CALL of `data` itself, which `release` frees with the cell, on whatever scheduler that is; NULL
 * when out of memory: `data` is still the caller's. */
struct signal *signal_create_owned(struct sched *s, rusm_pid from, uint64_t id, void *data,
                                   uint32_t len, void (*release)(void *data));
/* The news of an end. `payload` (may be NULL) gets one more reference. NULL when out of memory. */
struct signal *signal_create_down(struct sched *s, enum signal_kind kind, rusm_pid pid,
                                  rusm_ref ref, enum rusm_exit_kind why, rusm_buf *payload);
/* The same message in another cell; NULL when out of memory. */
struct signal *signal_copy(struct sched *s, const struct signal *sig);
/* The buffer that holds a reason's payload; NULL if it has none. */
rusm_buf *signal_payload(const struct rusm_exit_reason *reason);
/* Free a cell and its payload. */
void signal_destroy(struct sched *s, struct signal *sig);

static inline struct signal *signal_of_msg(struct rusm_msg *msg) {
    return (struct signal *)(void *)((char *)msg - offsetof(struct signal, msg));
}

#endif
