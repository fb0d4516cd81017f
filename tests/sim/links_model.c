/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "links_model_internal.h"

#include "base/assert.h"
#include <string.h>

static void expect(struct links_model *m, bool right, const char *otherwise) {
    if (!right && !m->wrong) {
        m->wrong = otherwise;
    }
}

static bool same(struct lm_reason a, struct lm_reason b) {
    return a.kind == b.kind && a.tag == b.tag;
}

static bool died_now(const struct links_model *m, uint32_t p) {
    return m->procs[p].dead && m->procs[p].died_in == m->round;
}

static void set_link(struct links_model *m, uint32_t p, uint32_t q, enum lm_link link) {
    m->links[p][q] = link;
    m->links[q][p] = link;
}

void lm_init(struct links_model *m) {
    memset(m, 0, sizeof *m);
    m->round = 1;
}

/* ---- what is done ---- */

void lm_spawn(struct links_model *m, uint32_t p, uint32_t child, bool linked) {
    RUSM_ASSERT(child < LM_PROCS && !m->procs[child].exists);
    m->procs[child].exists = true;
    m->procs[child].open = true;
    if (linked) {
        set_link(m, p, child, LM_LINKED);
    }
}

void lm_trap(struct links_model *m, uint32_t p, bool traps) {
    m->procs[p].traps = traps;
    m->procs[p].trapped |= traps;
    m->procs[p].open |= !traps;
}

void lm_link(struct links_model *m, uint32_t p, uint32_t q) {
    if (p != q) {
        m->pairs[p][q].links++;
        m->pairs[p][q].linked_last = true;
    }
}

void lm_unlink(struct links_model *m, uint32_t p, uint32_t q) {
    if (p != q) {
        m->pairs[p][q].unlinks++;
        m->pairs[p][q].linked_last = false;
    }
}

void lm_monitor(struct links_model *m, uint32_t p, uint32_t q, uint64_t v, bool from_spawn) {
    RUSM_ASSERT(m->ref_len < LM_REFS);
    for (uint32_t i = 0; i < m->ref_len; i++) {
        expect(m, m->refs[i].v != v, "a reference was given out twice");
    }
    m->refs[m->ref_len++] = (struct lm_ref){
        .v = v, .watcher = p, .watched = q, .round = m->round, .from_spawn = from_spawn};
}

static struct lm_ref *find_ref(struct links_model *m, uint64_t v) {
    for (uint32_t i = 0; i < m->ref_len; i++) {
        if (m->refs[i].v == v) {
            return &m->refs[i];
        }
    }
    return NULL;
}

void lm_demonitor(struct links_model *m, uint64_t v, bool flush, bool result) {
    struct lm_ref *ref = find_ref(m, v);
    RUSM_ASSERT(ref);
    if (ref->told || ref->ended) {
        expect(m, !result, "a monitor that was over could be ended");
    } else if (flush) {
        expect(m, result, "demonitor with flush found neither the monitor nor its DOWN");
        ref->ended = true;
    } else if (result) {
        ref->ended = true;
    } else {
        ref->waits = true;
    }
}

void lm_leave(struct links_model *m, uint32_t p, struct lm_reason reason) {
    m->procs[p].leaving = true;
    m->procs[p].leaving_as = reason;
}

uint32_t lm_send_exit(struct links_model *m, uint32_t p, uint32_t q, struct lm_reason reason) {
    RUSM_ASSERT(m->sent_len < LM_SENT);
    m->sent[m->sent_len] =
        (struct lm_sent){.from = p, .to = q, .reason = reason, .seq = ++m->pairs[p][q].seq};
    return m->sent_len++;
}

void lm_send_exit_result(struct links_model *m, uint32_t index, bool accepted) {
    m->sent[index].known = true;
    m->sent[index].accepted = accepted;
}

uint32_t lm_send(struct links_model *m, uint32_t p, uint32_t q) {
    m->pairs[p][q].doubtful++;
    return ++m->pairs[p][q].seq;
}

void lm_send_result(struct links_model *m, uint32_t p, uint32_t q, bool accepted) {
    m->pairs[p][q].doubtful--;
    m->pairs[p][q].sent += accepted;
}

/* ---- what is seen ---- */

static void see(struct links_model *m, uint32_t p, uint32_t from, uint32_t seq) {
    struct lm_pair *pair = &m->pairs[p][from];
    expect(m, seq > pair->got_seq, "what one sent another was seen out of order, or twice");
    expect(m, seq <= m->pairs[from][p].seq, "something was seen that was never sent");
    expect(m, !pair->got_end, "something of a process was seen after its end");
    pair->got_seq = seq;
}

void lm_got_message(struct links_model *m, uint32_t p, uint32_t from, uint32_t seq) {
    see(m, p, from, seq);
    m->pairs[p][from].got++;
}

/* An exit signal that `from` sent `p` on purpose, if this is one. */
static struct lm_sent *find_sent(struct links_model *m, uint32_t p, uint32_t from,
                                 struct lm_reason reason) {
    for (uint32_t i = 0; i < m->sent_len; i++) {
        struct lm_sent *sent = &m->sent[i];
        if (sent->to == p && sent->from == from && same(sent->reason, reason) && reason.tag != 0) {
            return sent;
        }
    }
    return NULL;
}

void lm_got_exit(struct links_model *m, uint32_t p, uint32_t from, struct lm_reason reason) {
    expect(m, m->procs[p].trapped, "an exit signal became a message untrapped");
    struct lm_sent *sent = find_sent(m, p, from, reason);
    if (sent) {
        expect(m, !sent->received, "an exit signal was seen twice");
        sent->received = true;
        see(m, p, from, sent->seq);
    } else if (reason.kind == RUSM_EXIT_NOPROC) {
        m->pairs[p][from].noprocs++;
    } else {
        m->pairs[p][from].ends++;
        m->pairs[p][from].end = reason;
        m->pairs[p][from].got_end = true;
    }
}

void lm_got_down(struct links_model *m, uint32_t p, uint64_t v, uint32_t from,
                 struct lm_reason reason) {
    struct lm_ref *ref = find_ref(m, v);
    expect(m, ref && ref->watcher == p && ref->watched == from, "a DOWN of no monitor");
    if (!ref) {
        return;
    }
    expect(m, !ref->told, "a DOWN came twice");
    expect(m, !ref->ended, "a DOWN came after demonitor");
    ref->told = true;
    ref->reason = reason;
    if (reason.kind != RUSM_EXIT_NOPROC) {
        m->pairs[p][from].got_end = true;
    }
}

void lm_ended(struct links_model *m, uint32_t p, struct lm_reason reason) {
    struct lm_proc *proc = &m->procs[p];
    expect(m, !proc->dead, "a process ended twice");
    proc->dead = true;
    proc->died_in = m->round;
    proc->ended_as = reason;
    expect(m, !proc->leaving || same(proc->leaving_as, reason), "it ended for another reason");
}

/* ---- judging ---- */

/* Whether p may have been linked with q at some moment of the round. */
static bool may_link(const struct links_model *m, uint32_t p, uint32_t q) {
    return p != q &&
           (m->links[p][q] != LM_UNLINKED || m->pairs[p][q].links > 0 || m->pairs[q][p].links > 0);
}

/* Whether p must have heard of the end of q in this round. */
static bool must_hear(const struct links_model *m, uint32_t p, uint32_t q) {
    return p != q && m->pairs[p][q].unlinks == 0 && m->pairs[q][p].unlinks == 0 &&
           (m->links[p][q] == LM_LINKED || m->pairs[p][q].links > 0 || m->pairs[q][p].links > 0);
}

/* p's end has a cause that is no other's end. */
static bool has_root(const struct links_model *m, uint32_t p) {
    const struct lm_proc *proc = &m->procs[p];
    if (proc->leaving) {
        return true;
    }
    for (uint32_t i = 0; i < m->sent_len; i++) {
        const struct lm_sent *sent = &m->sent[i];
        if (sent->to != p || !same(sent->reason, proc->ended_as)) {
            continue;
        }
        if (sent->reason.kind == RUSM_EXIT_KILLED ||
            (proc->open && (sent->reason.kind != RUSM_EXIT_NORMAL || sent->from == p))) {
            return true;
        }
    }
    for (uint32_t q = 0; q < LM_PROCS; q++) {
        if (proc->ended_as.kind == RUSM_EXIT_NOPROC && proc->open && m->pairs[p][q].links > 0 &&
            m->procs[q].dead) {
            return true;
        }
    }
    return false;
}

/* p has ended the link itself, and it was not made again. */
static bool has_unlinked(const struct links_model *m, uint32_t p, uint32_t q) {
    const struct lm_pair *pair = &m->pairs[p][q];
    return pair->unlinks > 0 && !pair->linked_last && m->pairs[q][p].links == 0;
}

/* Every end of the round must have a root, or follow from one over links. */
static void judge_causes(struct links_model *m) {
    bool justified[LM_PROCS] = {false};
    for (uint32_t p = 0; p < LM_PROCS; p++) {
        justified[p] = died_now(m, p) && has_root(m, p);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t p = 0; p < LM_PROCS; p++) {
            for (uint32_t q = 0; q < LM_PROCS; q++) {
                if (!justified[p] && justified[q] && died_now(m, p) && m->procs[p].open &&
                    may_link(m, p, q) && !has_unlinked(m, p, q) &&
                    same(m->procs[p].ended_as, m->procs[q].ended_as) &&
                    m->procs[q].ended_as.kind != RUSM_EXIT_NORMAL) {
                    justified[p] = changed = true;
                }
            }
        }
    }
    for (uint32_t p = 0; p < LM_PROCS; p++) {
        expect(m, justified[p] || !died_now(m, p), "a process ended without a cause");
    }
}

/* p lives: it was not killed, nor hit by a signal it does not trap; those it traps it has seen. */
static void judge_sent(struct links_model *m, uint32_t p) {
    const struct lm_proc *proc = &m->procs[p];
    for (uint32_t i = 0; i < m->sent_len; i++) {
        const struct lm_sent *sent = &m->sent[i];
        if (sent->to != p || !sent->known || !sent->accepted) {
            continue;
        }
        if (sent->reason.kind == RUSM_EXIT_KILLED) {
            expect(m, false, "a killed process lives on");
        } else if (!proc->trapped) {
            expect(m, sent->reason.kind == RUSM_EXIT_NORMAL && sent->from != p,
                   "an exit signal did not end a process");
        } else if (!proc->open) {
            expect(m, sent->received, "a trapped exit signal was lost");
        }
    }
}

/* q has ended in this round: what p has seen, or must have died of. */
static void judge_end(struct links_model *m, uint32_t p, uint32_t q) {
    const struct lm_pair *pair = &m->pairs[p][q];
    const struct lm_proc *proc = &m->procs[p];
    /* It may itself have ended of NOPROC. */
    bool of_noproc = m->procs[q].ended_as.kind == RUSM_EXIT_NOPROC;
    bool before = m->links[p][q] == LM_LINKED && must_hear(m, p, q);
    uint32_t seen = pair->ends + pair->noprocs;
    expect(m, pair->ends <= !of_noproc, "an end was seen twice");
    expect(m, pair->ends == 0 || same(pair->end, m->procs[q].ended_as),
           "an exit signal has another reason");
    expect(m, may_link(m, p, q) || seen == 0, "an end was seen without a link");
    expect(m, pair->noprocs <= pair->links + of_noproc, "NOPROC was seen without a call of link");
    if (proc->dead || !must_hear(m, p, q)) {
        return;
    }
    if (!proc->open) {
        expect(m, seen >= 1, "the end of a linked process was not seen");
        expect(m, !before || of_noproc || pair->ends == 1, "a link's end has another reason");
    }
    if (!proc->trapped) {
        expect(m, m->procs[q].ended_as.kind == RUSM_EXIT_NORMAL,
               "a process survived the end of one that it was linked with");
    }
}

/* q was dead before: only p's own calls of link tell of it. */
static void judge_dead(struct links_model *m, uint32_t p, uint32_t q) {
    const struct lm_pair *pair = &m->pairs[p][q];
    const struct lm_proc *proc = &m->procs[p];
    expect(m, pair->ends == 0, "an old end was seen");
    expect(m, pair->noprocs <= pair->links, "NOPROC was seen more often than asked for");
    if (!proc->dead && pair->links > 0 && pair->unlinks == 0) {
        expect(m, proc->open || pair->noprocs == pair->links, "NOPROC was not seen");
        expect(m, proc->trapped, "a link with the dead was survived");
    }
}

static void judge_pair(struct links_model *m, uint32_t p, uint32_t q) {
    const struct lm_pair *pair = &m->pairs[p][q];
    if (died_now(m, q)) {
        judge_end(m, p, q);
    } else if (m->procs[q].dead) {
        judge_dead(m, p, q);
    } else {
        expect(m, pair->ends == 0 && pair->noprocs == 0, "the end of a living process was seen");
    }
    const struct lm_pair *to = &m->pairs[q][p];
    expect(m, m->procs[p].dead || pair->got >= to->sent, "messages were lost");
    expect(m, pair->got <= to->sent + to->doubtful, "messages were invented");
}

static void judge_refs(struct links_model *m) {
    for (uint32_t i = 0; i < m->ref_len; i++) {
        const struct lm_ref *ref = &m->refs[i];
        const struct lm_proc *watched = &m->procs[ref->watched];
        bool made_before = ref->from_spawn || watched->died_in > ref->round;
        if (!watched->dead) {
            expect(m, !ref->told && !ref->waits, "a DOWN of a living process");
        } else if (ref->told) {
            expect(m,
                   same(ref->reason, watched->ended_as) ||
                       (ref->reason.kind == RUSM_EXIT_NOPROC && !made_before),
                   "a DOWN has another reason");
            expect(m, watched->died_in >= ref->round || ref->reason.kind == RUSM_EXIT_NOPROC,
                   "a DOWN with the reason of an older end");
        } else if (!m->procs[ref->watcher].dead) {
            expect(m, ref->ended, "the end of a watched process was not told");
        }
    }
}

static void next_round(struct links_model *m) {
    for (uint32_t p = 0; p < LM_PROCS; p++) {
        for (uint32_t q = 0; q < p; q++) {
            struct lm_pair *a = &m->pairs[p][q];
            struct lm_pair *b = &m->pairs[q][p];
            bool by_a = a->links + a->unlinks > 0;
            bool by_b = b->links + b->unlinks > 0;
            if (m->procs[p].dead || m->procs[q].dead) {
                set_link(m, p, q, LM_UNLINKED);
            } else if (by_a && by_b && a->unlinks + b->unlinks > 0) {
                set_link(m, p, q, LM_IN_DOUBT);
            } else if (by_a || by_b) {
                bool linked = by_a ? a->linked_last : b->linked_last;
                set_link(m, p, q, linked ? LM_LINKED : LM_UNLINKED);
            }
        }
    }
    for (uint32_t p = 0; p < LM_PROCS; p++) {
        m->procs[p].trapped = m->procs[p].traps;
        m->procs[p].open = !m->procs[p].traps;
        for (uint32_t q = 0; q < LM_PROCS; q++) {
            struct lm_pair *pair = &m->pairs[p][q];
            pair->links = pair->unlinks = pair->ends = pair->noprocs = 0;
            pair->linked_last = false;
        }
    }
    m->sent_len = 0;
    m->round++;
}

const char *lm_judge(struct links_model *m) {
    judge_causes(m);
    judge_refs(m);
    for (uint32_t p = 0; p < LM_PROCS; p++) {
        if (!m->procs[p].exists) {
            continue;
        }
        if (!m->procs[p].dead) {
            judge_sent(m, p);
        }
        for (uint32_t q = 0; q < LM_PROCS; q++) {
            if (m->procs[q].exists && q != p) {
                judge_pair(m, p, q);
            }
        }
    }
    next_round(m);
    return m->wrong;
}

struct lm_counts lm_count(const struct links_model *m, uint32_t p) {
    struct lm_counts counts = {0};
    for (uint32_t q = 0; q < LM_PROCS; q++) {
        counts.links_min += m->links[p][q] == LM_LINKED;
        counts.links_max += m->links[p][q] != LM_UNLINKED;
    }
    for (uint32_t i = 0; i < m->ref_len; i++) {
        const struct lm_ref *ref = &m->refs[i];
        bool active = !ref->ended && !m->procs[ref->watched].dead && !m->procs[ref->watcher].dead;
        counts.monitors += active && ref->watcher == p;
        counts.monitored_by += active && ref->watched == p;
    }
    return counts;
}
