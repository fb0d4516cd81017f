/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Links, monitors and exit signals; relations_internal.h has the protocol. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include <rusm/link.h>
#include <string.h>

/* The `ref` of an EXIT that rusm_send_exit sent, and that no link has to admit. */
#define REF_SENT ((rusm_ref){1})

/* References and unlink ids, of which the schedulers each have their own: never the same twice in a
 * runtime, never 0 or 1. */
uint64_t links_new_ref(struct sched *s) {
    return ++s->ref_count << 8 | (s->index + 2);
}

static struct sched *own(struct process **out) {
    struct sched *s = sched_tls;
    RUSM_ASSERT(s && s->current);
    *out = s->current;
    return s;
}

/* A signal about the pair (from, to). False if `to` does not exist. Without 64 bytes the two ends
 * of a link would disagree for ever: the node stops. */
static bool tell_from(struct sched *s, rusm_pid from, rusm_pid to, enum signal_kind kind,
                      uint64_t id) {
    struct signal *sig = signal_create(s, kind);
    RUSM_ASSERT(sig);
    sig->peer.from = from;
    sig->peer.id = id;
    return signal_deliver(s->rt, s, to, sig) == RUSM_OK;
}

static bool tell(struct sched *s, struct process *p, rusm_pid to, enum signal_kind kind,
                 uint64_t id) {
    return tell_from(s, process_pid(p), to, kind, id);
}

/* Deliver the news of an end to `to`, who may be the caller itself. */
static bool tell_end(struct sched *s, rusm_pid to, enum signal_kind kind, rusm_pid about,
                     rusm_ref ref, enum rusm_exit_kind why, rusm_buf *payload) {
    struct signal *sig = signal_create_down(s, kind, about, ref, why, payload);
    RUSM_ASSERT(sig); /* as in tell */
    return signal_deliver(s->rt, s, to, sig) == RUSM_OK;
}

const struct rusm_down *rusm_msg_down(const struct rusm_msg *msg) {
    RUSM_ASSERT(msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN);
    return msg->data;
}

/* Whether the number is fit for a link's key; others were never given out. */
static bool is_pid(rusm_pid pid) {
    return pid_is_valid(pid) && pid.v >> 63 == 0;
}

enum rusm_err rusm_link(rusm_pid pid) {
    struct process *p;
    struct sched *s = own(&p);
    if (pid.v == process_pid(p).v) {
        return RUSM_OK;
    }
    if (!is_pid(pid)) {
        (void)tell_end(s, process_pid(p), SIGNAL_EXIT, pid, REF_SENT, RUSM_EXIT_NOPROC, NULL);
        process_check_signals(s, p);
        return RUSM_OK;
    }
    struct map64_entry *relation = relations_find(p, RELATION_LINK, pid.v);
    if (relation && link_is_active(relation)) {
        return RUSM_OK;
    }
    if (relation) {
        relation->value = LINK_ACTIVE;
    } else {
        enum rusm_err err = relations_add(s, p, RELATION_LINK, pid.v, LINK_ACTIVE);
        if (err != RUSM_OK) {
            return err;
        }
    }
    if (!tell(s, p, pid, SIGNAL_LINK, 0)) {
        (void)tell_end(s, process_pid(p), SIGNAL_EXIT, pid, (rusm_ref){0}, RUSM_EXIT_NOPROC, NULL);
        process_check_signals(s, p);
    }
    return RUSM_OK;
}

bool rusm_unlink(rusm_pid pid) {
    struct process *p;
    struct sched *s = own(&p);
    struct map64_entry *relation = is_pid(pid) ? relations_find(p, RELATION_LINK, pid.v) : NULL;
    if (!relation || !link_is_active(relation)) {
        return false;
    }
    uint64_t id = links_new_ref(s);
    relation->value = id;
    if (!tell(s, p, pid, SIGNAL_UNLINK, id)) {
        relations_remove(p, relation);
    }
    return true;
}

enum rusm_err links_watch(struct sched *s, struct process *p, rusm_pid pid, rusm_ref *out) {
    *out = (rusm_ref){links_new_ref(s)};
    return relations_add(s, p, RELATION_WATCHING, out->v, pid.v);
}

enum rusm_err rusm_monitor(rusm_pid pid, rusm_ref *out) {
    struct process *p;
    struct sched *s = own(&p);
    RUSM_ASSERT(out);
    rusm_ref ref;
    enum rusm_err err = links_watch(s, p, pid, &ref);
    if (err != RUSM_OK) {
        return err;
    }
    *out = ref;
    if (!tell(s, p, pid, SIGNAL_MONITOR, ref.v)) {
        (void)tell_end(s, process_pid(p), SIGNAL_DOWN, pid, ref, RUSM_EXIT_NOPROC, NULL);
    }
    return RUSM_OK;
}

/* Where the DOWN of `ref` is in this list; its end if it is not. */
static struct signal **find_down(struct signal **at, rusm_ref ref) {
    while (*at && ((*at)->kind != SIGNAL_DOWN || (*at)->down.ref.v != ref.v)) {
        at = &(*at)->next;
    }
    return at;
}

/* Remove a DOWN of `ref` that waits in the mailbox, or was put aside. */
static bool flush_down(struct sched *s, struct process *p, rusm_ref ref) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    struct signal **at = find_down(&p->head, ref);
    struct signal *sig = NULL;
    if (*at) {
        sig = mailbox_take(p, at);
    } else if (ext) {
        at = find_down(&ext->stash_head, ref);
        sig = *at;
        *at = sig ? sig->next : NULL;
        if (sig && ext->stash_tail == &sig->next) {
            ext->stash_tail = at;
        }
    }
    if (!sig) {
        return false;
    }
    mailbox_consumed(s, p);
    mailbox_release(s, p, sig);
    return true;
}

bool rusm_demonitor(rusm_ref ref, bool flush) {
    struct process *p;
    struct sched *s = own(&p);
    struct map64_entry *relation = relations_find(p, RELATION_WATCHING, ref.v);
    if (!relation) {
        return flush && flush_down(s, p, ref);
    }
    rusm_pid watched = {relation->value};
    relations_remove(p, relation);
    (void)tell(s, p, watched, SIGNAL_DEMONITOR, ref.v);
    return true;
}

static bool traps_exits(const struct process *p) {
    return atomic_load_explicit(&p->trap_exit, memory_order_relaxed);
}

bool rusm_trap_exit(bool trap) {
    struct process *p;
    (void)own(&p);
    bool before = traps_exits(p);
    atomic_store_explicit(&p->trap_exit, trap, memory_order_relaxed);
    return before;
}

/* A buffer with a copy of the reason's payload; NULL if it has none or there is no memory for it:
 * the news matters more than its details. */
static rusm_buf *copy_payload(const struct rusm_exit_reason *reason) {
    rusm_buf *buf = NULL;
    if (reason->payload_bytes > 0 && rusm_buf_create(reason->payload_bytes, &buf) == RUSM_OK) {
        memcpy(rusm_buf_data(buf), reason->payload, reason->payload_bytes);
    }
    return buf;
}

bool rusm_send_exit(rusm_pid pid, const struct rusm_exit_reason *reason) {
    static const struct rusm_exit_reason normal = {RUSM_EXIT_NORMAL, NULL, 0};
    struct process *p;
    struct sched *s = own(&p);
    if (!reason) {
        reason = &normal;
    }
    RUSM_ASSERT(reason->payload_bytes <= RUSM_EXIT_PAYLOAD_MAX);
    if (reason->kind == RUSM_EXIT_KILLED) {
        return rusm_kill(NULL, pid);
    }
    rusm_buf *payload = copy_payload(reason);
    bool alive = tell_end(s, pid, SIGNAL_EXIT, process_pid(p), REF_SENT, reason->kind, payload);
    if (payload) {
        rusm_buf_release(payload);
    }
    if (pid.v == process_pid(p).v) {
        process_check_signals(s, p);
    }
    return alive;
}

/* An exit signal that counts: a message if trapped, else the end, or nothing. */
static bool handle_exit(struct sched *s, struct process *p, struct signal *sig) {
    bool sent = sig->down.ref.v == REF_SENT.v;
    rusm_pid from = sig->down.pid;
    bool starting = false;
    if (!sent) {
        struct map64_entry *relation = relations_find(p, RELATION_LINK, from.v);
        if (!relation || !link_is_active(relation)) {
            mailbox_release(s, p, sig);
            return false;
        }
        starting = relation->value == LINK_STARTING;
        relations_remove(p, relation);
    }
    sig->down.ref.v = 0;
    if (traps_exits(p) || starting) {
        return true;
    }
    bool from_self = sent && from.v == process_pid(p).v;
    if ((sig->down.reason.kind == RUSM_EXIT_NORMAL && !from_self) || (p->flags & PROCESS_KILLED)) {
        mailbox_release(s, p, sig);
        return false;
    }
    struct process_ext *ext = process_ext_ensure(s, p);
    p->flags |= PROCESS_KILLED;
    if (ext) {
        ext->exit_signal = sig; /* released when the process ends */
    } else {
        mailbox_release(s, p, sig);
    }
    return false;
}

static bool handle_down(struct sched *s, struct process *p, struct signal *sig) {
    struct map64_entry *relation = relations_find(p, RELATION_WATCHING, sig->down.ref.v);
    if (!relation) {
        mailbox_release(s, p, sig);
        return false;
    }
    relations_remove(p, relation);
    return true;
}

static void handle_unlink(struct sched *s, struct process *p, const struct signal *sig) {
    rusm_pid from = sig->peer.from;
    struct map64_entry *relation = relations_find(p, RELATION_LINK, from.v);
    if (relation && link_is_active(relation)) {
        relations_remove(p, relation);
    }
    (void)tell(s, p, from, SIGNAL_UNLINK_ACK, sig->peer.id);
}

/* No memory to note a link or a watcher: as if this process had ended of it just now. */
static void refuse(struct sched *s, struct process *p, const struct signal *sig) {
    bool is_link = sig->kind == SIGNAL_LINK;
    (void)tell_end(s, sig->peer.from, is_link ? SIGNAL_EXIT : SIGNAL_DOWN, process_pid(p),
                   (rusm_ref){is_link ? 0 : sig->peer.id}, RUSM_EXIT_LIMIT, NULL);
}

/* A call is also a monitor: who called hears of the end, as long as there was no reply. */
static bool handle_call(struct sched *s, struct process *p, struct signal *sig) {
    if (relations_add(s, p, RELATION_WATCHED_BY, sig->peer.id, sig->peer.from.v) == RUSM_OK) {
        return true;
    }
    refuse(s, p, sig);
    mailbox_release(s, p, sig);
    return false;
}

void links_forget_watcher(struct process *p, rusm_ref ref) {
    struct map64_entry *relation = relations_find(p, RELATION_WATCHED_BY, ref.v);
    if (relation) {
        relations_remove(p, relation);
    }
}

/* A reply counts while its call's monitor, which it ends, or the link to the process being started
 * is there. So there is one, and nothing of the call comes after it. The called, if it replies
 * itself, has ended its half already. */
static bool handle_reply(struct sched *s, struct process *p, const struct signal *sig) {
    struct map64_entry *relation;
    if (sig->peer.id == REF_START) {
        relation = relations_find(p, RELATION_LINK, sig->peer.from.v);
        bool starting = relation && relation->value == LINK_STARTING;
        if (starting) {
            relation->value = LINK_ACTIVE;
        }
        return starting;
    }
    relation = relations_find(p, RELATION_WATCHING, sig->peer.id);
    if (!relation) {
        return false;
    }
    rusm_pid watched = {relation->value};
    relations_remove(p, relation);
    if (watched.v != sig->peer.from.v) {
        (void)tell(s, p, watched, SIGNAL_DEMONITOR, sig->peer.id);
    }
    return true;
}

bool links_handle(struct sched *s, struct process *p, struct signal *sig) {
    struct map64_entry *relation;
    switch (sig->kind) {
    case SIGNAL_CALL:
        return handle_call(s, p, sig);
    case SIGNAL_EXIT:
        return handle_exit(s, p, sig);
    case SIGNAL_DOWN:
        return handle_down(s, p, sig);
    case SIGNAL_REPLY:
        if (handle_reply(s, p, sig)) {
            return true;
        }
        break;
    case SIGNAL_LINK:
        relation = relations_find(p, RELATION_LINK, sig->peer.from.v);
        if (!relation &&
            relations_add(s, p, RELATION_LINK, sig->peer.from.v, LINK_ACTIVE) != RUSM_OK) {
            refuse(s, p, sig);
        }
        break;
    case SIGNAL_UNLINK:
        handle_unlink(s, p, sig);
        break;
    case SIGNAL_UNLINK_ACK:
        relation = relations_find(p, RELATION_LINK, sig->peer.from.v);
        if (relation && relation->value == sig->peer.id) {
            relations_remove(p, relation);
        }
        break;
    case SIGNAL_MONITOR:
        if (relations_add(s, p, RELATION_WATCHED_BY, sig->peer.id, sig->peer.from.v) != RUSM_OK) {
            refuse(s, p, sig);
        }
        break;
    case SIGNAL_DEMONITOR:
        links_forget_watcher(p, (rusm_ref){sig->peer.id});
        break;
    default:
        RUSM_ASSERT(false);
    }
    mailbox_release(s, p, sig);
    return false;
}

void links_refuse(struct sched *s, rusm_pid self, const struct signal *sig) {
    if (sig->kind == SIGNAL_LINK) {
        (void)tell_end(s, sig->peer.from, SIGNAL_EXIT, self, (rusm_ref){0}, RUSM_EXIT_NOPROC, NULL);
    } else if (sig->kind == SIGNAL_MONITOR || sig->kind == SIGNAL_CALL) {
        (void)tell_end(s, sig->peer.from, SIGNAL_DOWN, self, (rusm_ref){sig->peer.id},
                       RUSM_EXIT_NOPROC, NULL);
    } else if (sig->kind == SIGNAL_UNLINK) {
        (void)tell_from(s, self, sig->peer.from, SIGNAL_UNLINK_ACK, sig->peer.id);
    }
}

static void notify_one(struct sched *s, struct process *p, const struct map64_entry *relation,
                       enum rusm_exit_kind why, rusm_buf *payload) {
    rusm_pid self = process_pid(p);
    uint64_t id = relation_id(relation->key);
    rusm_pid other = {relation->value};
    switch (relation_kind(relation->key)) {
    case RELATION_LINK:
        if (link_is_active(relation)) {
            (void)tell_end(s, (rusm_pid){id}, SIGNAL_EXIT, self, (rusm_ref){0}, why, payload);
        }
        break;
    case RELATION_WATCHED_BY:
        (void)tell_end(s, other, SIGNAL_DOWN, self, (rusm_ref){id}, why, payload);
        break;
    case RELATION_WATCHING:
        (void)tell(s, p, other, SIGNAL_DEMONITOR, id);
        break;
    case RELATION_NONE:
        break;
    }
}

void links_notify(struct sched *s, struct process *p, const struct rusm_exit_reason *reason) {
    struct map64 *relations = p->relations;
    p->relations = NULL;
    rusm_buf *payload = copy_payload(reason);
    for (uint32_t i = 0; i < relations->capacity; i++) {
        if (relations->entries[i].key != 0) {
            notify_one(s, p, &relations->entries[i], reason->kind, payload);
        }
    }
    if (payload) {
        rusm_buf_release(payload);
    }
    relations_free(s, relations);
}
