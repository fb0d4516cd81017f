/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Streams as the rest of the core sees them: four signals, and the ends that a process has.
 *
 *   STREAM_OPEN    to the reader's process: carries the stream, with the reader's reference
 *   STREAM_WRITER  to a process: carries the stream, with one more writer's reference
 *   STREAM_HOLD    writer to reader: this writer waits for room; carries a reference
 *   STREAM_ROOM    answers HOLD: look again. Also sent when the reader is closed
 *   STREAM_DATA    writer to reader, who waits: look again
 *
 * docs/design/streams.md has the protocol.
 */
#ifndef OTP_STREAMS_INTERNAL_H
#define OTP_STREAMS_INTERNAL_H

#include "otp/process_internal.h"
#include "otp/sched_internal.h"

static inline bool signal_is_streams(const struct signal *sig) {
    return sig->kind >= SIGNAL_STREAM_OPEN && sig->kind <= SIGNAL_STREAM_ROOM;
}

/* Handle a signal of streams that reached `p`. The cell stays the caller's. */
void streams_handle(struct sched *s, struct process *p, const struct signal *sig);
/* Answer a signal that reached a mailbox too late to be handled. */
void streams_refuse(struct sched *s, const struct signal *sig);
/* Close and free all ends of a process that is ending. */
void streams_release(struct sched *s, struct process_ext *ext);

#endif
