/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A process's own table of links and monitors: what it knows, changed by itself alone. Two entries
 * fit the first 64 bytes (most children have one link and one watcher); up to RELATIONS_LINEAR are
 * searched in order, more by hashing.
 *
 * The protocol, per pair of processes (OTP, "Communication in Erlang", and its link protocol):
 *
 *   LINK received        no entry: add it. Any entry, active or being unlinked: nothing.
 *   UNLINK(id) received  active entry: remove it. Always answer UNLINK_ACK(id).
 *   UNLINK_ACK(id)       entry being unlinked with this id: remove it. Else nothing.
 *   EXIT by link         active entry: remove it and act. Else nothing.
 *   link() by itself     no entry: add, send LINK. Being unlinked: active again, send LINK.
 *   unlink() by itself   active entry: mark with a new id, send UNLINK(id).
 *
 *   MONITOR(ref)         add a watched-by entry.   DEMONITOR(ref)  remove it.
 *   DOWN(ref)            watching entry: remove it and deliver. Else nothing.
 */
#ifndef OTP_RELATIONS_INTERNAL_H
#define OTP_RELATIONS_INTERNAL_H

#include "otp/process_internal.h"

enum relation_kind {
    RELATION_NONE,
    RELATION_LINK,       /* key: the other's pid; value: 0, or the id of the unlink under way */
    RELATION_WATCHING,   /* key: the reference; value: the watched pid */
    RELATION_WATCHED_BY, /* key: the reference; value: the watcher's pid */
};

struct relation {
    uint64_t key;
    uint64_t value;
    uint64_t kind; /* enum relation_kind */
};

#define RELATIONS_INLINE 2u
#define RELATIONS_LINEAR 8u

struct relations {
    struct relation *items;
    uint32_t count;
    uint32_t capacity;
    struct relation inline_items[RELATIONS_INLINE];
};

/* The entry, or NULL. Valid until the table changes. */
struct relation *relations_find(struct process *p, enum relation_kind kind, uint64_t key);
/* Add an entry that is not there. Error: NOMEM. */
enum rusm_err relations_add(struct sched *s, struct process *p, enum relation_kind kind,
                            uint64_t key, uint64_t value);
/* Remove an entry that relations_find gave. */
void relations_remove(struct process *p, struct relation *relation);

/* ---- links.c ---- */
/* Handle a signal of links and monitors. True if `sig` is now a message to be received; else the
 * cell is done with. */
bool links_handle(struct sched *s, struct process *p, struct signal *sig);
/* A number for a monitor or an unlink: never the same twice in a runtime, never 0 or 1. */
uint64_t links_new_ref(struct sched *s);
/* Answer a signal that reached the mailbox of `self` too late to be handled. */
void links_refuse(struct sched *s, rusm_pid self, const struct signal *sig);
/* Tell everybody that `p`, which is ending, has ended; frees its table. */
void links_notify(struct sched *s, struct process *p, const struct rusm_exit_reason *reason);

#endif
