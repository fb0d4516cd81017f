/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Byte streams between processes: chunks pass from writers to one reader through a bounded ring.
 *
 * A process opens a stream to another one and has its first writer; the other accepts the reader.
 * Chunks are moved, not copied: what is written is the caller's no more, what is read is the
 * caller's own. Chunks of one writer are read in the order written. A stream is full when it holds
 * `chunks_max` chunks or the next one would bring it over `bytes_max`; a chunk longer than that is
 * taken when the stream is empty. Who writes to a full stream suspends, and goes on when at most
 * half of both bounds is in use.
 *
 * The end: once every writer is closed, the reader gets what is left and then STREAM_END. Once the
 * reader is closed, writers get STREAM_CLOSED; what was not read is freed. A process that ends,
 * however it ends, closes all it has; the streams' news comes before that of links and monitors.
 *
 * A handle belongs to the process that got it: other processes must not use it (asserted), and it
 * is invalid once closed. All calls are from processes. Messages that arrive during any wait here
 * stay in the mailbox. A terminate callback cannot wait: it may only call with timeout 0. Limits:
 * the bounds of each stream, and RUSM_STREAM_BACKLOG streams not accepted yet a process.
 */
#ifndef RUSM_STREAM_H
#define RUSM_STREAM_H

#include <rusm/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define RUSM_STREAM_CHUNKS_DEFAULT 64u
#define RUSM_STREAM_CHUNKS_LIMIT   (1u << 20)
#define RUSM_STREAM_BYTES_DEFAULT  ((uint64_t)1 << 20)
#define RUSM_STREAM_BYTES_LIMIT    ((uint64_t)1 << 38)
/* Readers, and likewise writers, that wait to be accepted by one process; more are closed unseen.
 */
#define RUSM_STREAM_BACKLOG 1024u

/* Bounds of a stream; zero-initialise. Borrowed for the call. */
struct rusm_stream_opts {
    uint32_t chunks_max; /* 0 = the default; at most RUSM_STREAM_CHUNKS_LIMIT */
    uint64_t bytes_max;  /* 0 = the default; at most RUSM_STREAM_BYTES_LIMIT */
};

typedef struct rusm_stream_writer rusm_stream_writer;
typedef struct rusm_stream_reader rusm_stream_reader;

/*
 * Open a stream to `to`, which may be written to at once. The ring takes 8 bytes a chunk. `opts`
 * NULL = the defaults. Errors: INVALID (a bound out of its range), NOPROC, NOMEM, MAILBOX_FULL.
 */
enum rusm_err rusm_stream_open(rusm_pid to, const struct rusm_stream_opts *opts,
                               rusm_stream_writer **out);

/* The reader of the stream that was opened to the caller first and is not accepted yet; suspends
 * until there is one. Errors: TIMEOUT, NOMEM. */
enum rusm_err rusm_stream_accept(uint64_t timeout_ms, rusm_stream_reader **out);

/* Who opened the stream; it may have ended. */
rusm_pid rusm_stream_opener(const rusm_stream_reader *reader);

/*
 * Write a chunk, of any length, also 0. Suspends while the stream is full. One reference of `chunk`
 * is moved, also on failure; its bytes must not change while anybody else may hold it. Errors:
 * STREAM_CLOSED; TIMEOUT (a process does not wait for itself to read); NOMEM, MAILBOX_FULL (the
 * reader could not be told that somebody waits).
 */
enum rusm_err rusm_stream_write(rusm_stream_writer *writer, rusm_buf *chunk);

/* The same for a limited time; 0 = do not wait. After TIMEOUT, and only then, the chunk is still
 * the caller's. */
enum rusm_err rusm_stream_write_timeout(rusm_stream_writer *writer, rusm_buf *chunk,
                                        uint64_t timeout_ms);

/*
 * Give `to`, which may be the caller, a writer of its own of the same stream: it gets it by
 * rusm_stream_accept_writer. It counts from now on: the stream does not end before it is closed,
 * which happens also if `to` ends without having accepted. Errors: NOPROC, NOMEM, MAILBOX_FULL.
 */
enum rusm_err rusm_stream_writer_clone(rusm_stream_writer *writer, rusm_pid to);

/* The writer that was given to the caller first and is not accepted yet; suspends until there is
 * one. Errors: TIMEOUT, NOMEM. */
enum rusm_err rusm_stream_accept_writer(uint64_t timeout_ms, rusm_stream_writer **out);

/* Close a writer. That of the last one ends the stream. Never suspends. */
void rusm_stream_close(rusm_stream_writer *writer);

/*
 * The next chunk, which becomes the caller's (rusm_buf_release); suspends until there is one.
 * Errors: TIMEOUT; STREAM_END (and every time after).
 */
enum rusm_err rusm_stream_read(rusm_stream_reader *reader, uint64_t timeout_ms, rusm_buf **chunk);

/* Close the reader; what was not read is freed. Never suspends. */
void rusm_stream_reader_close(rusm_stream_reader *reader);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
