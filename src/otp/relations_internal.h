/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A process's own table of links and monitors: what it knows, changed by itself alone. The table
 * takes the place of a cell of the signals' pool, which holds three entries; most children have one
 * link and perhaps a watcher.
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
 *   CALL(ref)            add a watched-by entry and deliver.
 *   REPLY(ref)           whoever was called removes its entry when it sends it; the caller its own
 *                        and delivers, with a DEMONITOR if another than the called has replied.
 */
#ifndef OTP_RELATIONS_INTERNAL_H
#define OTP_RELATIONS_INTERNAL_H

#include "base/map64.h"
#include "otp/process_internal.h"

enum relation_kind {
    RELATION_LINK,       /* id: the other's pid; value: a LINK_, or the unlink under way's number */
    RELATION_WATCHING,   /* id: the reference; value: the watched pid */
    RELATION_WATCHED_BY, /* id: the reference; value: the watcher's pid */
    RELATION_NONE,
};

/* Values of an active link. While a child starts, its end is its parent's to read even if the
 * parent does not trap exits; until it has acknowledged its start. */
#define LINK_ACTIVE   0u
#define LINK_STARTING 1u

static inline bool link_is_active(const struct map64_entry *link) {
    return link->value <= LINK_STARTING;
}

/* The kind is the key's two top bits: pids have 63, with the top one 0, references fewer. */
static inline uint64_t relation_key(enum relation_kind kind, uint64_t id) {
    static const uint64_t marks[] = {0, (uint64_t)1 << 63, (uint64_t)3 << 62};
    return id | marks[kind];
}

static inline enum relation_kind relation_kind(uint64_t key) {
    return key >> 63 == 0   ? RELATION_LINK
           : key >> 62 == 2 ? RELATION_WATCHING
                            : RELATION_WATCHED_BY;
}

static inline uint64_t relation_id(uint64_t key) {
    return relation_kind(key) == RELATION_LINK ? key : key & ~((uint64_t)3 << 62);
}

/* The entry, or NULL. Valid until the table changes. */
struct map64_entry *relations_find(struct process *p, enum relation_kind kind, uint64_t id);
/* Add an entry that is not there. Error: NOMEM. */
enum rusm_err relations_add(struct sched *s, struct process *p, enum relation_kind kind,
                            uint64_t id, uint64_t value);
/* Remove an entry that relations_find gave. */
void relations_remove(struct process *p, struct map64_entry *relation);
/* Free a table taken off its process. */
void relations_free(struct sched *s, struct map64 *relations);

/* The reference of a start's acknowledgement; see links_new_ref. */
#define REF_START 1u

/* ---- call.c ---- */
/* rusm_call without end, of `data` itself. It is moved, also on failure, and freed by `release`
 * with the message, read or not: a caller or receiver that ends meanwhile leaves nothing behind. */
enum rusm_err call_owned(rusm_pid to, void *data, uint32_t len, void (*release)(void *data),
                         struct rusm_msg **reply);
/* Tell the parent that init has returned without an error. Else the end itself tells it: when the
 * parent hears of it, terminate was called and the names are free. */
void call_acknowledge_start(struct sched *s, struct process *p);
/* Wait until `child`, linked, has acknowledged or ended. Error: START_FAILED. */
enum rusm_err call_await_start(rusm_pid child);

/* ---- links.c ---- */
/* Handle a signal of links and monitors. True if `sig` is now a message to be received; else the
 * cell is done with. */
bool links_handle(struct sched *s, struct process *p, struct signal *sig);
/* The watcher's half of a monitor, with a new reference; the watched is not told. Error: NOMEM. */
enum rusm_err links_watch(struct sched *s, struct process *p, rusm_pid pid, rusm_ref *out);
/* The watched's half, which came with a MONITOR or a CALL, is over; nothing if it is not there. */
void links_forget_watcher(struct process *p, rusm_ref ref);
/* A number for a monitor or an unlink: never the same twice in a runtime, never 0 or 1. */
uint64_t links_new_ref(struct sched *s);
/* Answer a signal that reached the mailbox of `self` too late to be handled. */
void links_refuse(struct sched *s, rusm_pid self, const struct signal *sig);
/* Tell everybody that `p`, which is ending, has ended; frees its table. */
void links_notify(struct sched *s, struct process *p, const struct rusm_exit_reason *reason);

#endif
