/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * An independent model of links, monitors, trap_exit and exit signals. It is told what processes
 * ask for and what they see, in rounds; after each round, when all signals have been handled, it
 * judges. What happens within a round is concurrent: the model knows what must, may and must not
 * follow from it.
 *
 *   - A process ends for a reason of its own, of a kill, of a signal sent to it, or of a link; no
 *     reason comes from nowhere. Who was killed, or hit by a signal it does not trap, has ended.
 *   - Two linked processes: the end of one is seen by the other exactly once, as a message if it
 *     traps, or it ends of it unless the reason is NORMAL. If they are not, it is not seen; who has
 *     called unlink does not end of it any more.
 *   - Each monitor is told of once, with the right reason, unless it was ended in time.
 *   - What one sends another, exit signals included, is seen in the order sent, and its end last.
 *
 * Pairs of which both ends link and unlink within one round are in doubt: linked or not.
 */
#ifndef TESTS_SIM_LINKS_MODEL_INTERNAL_H
#define TESTS_SIM_LINKS_MODEL_INTERNAL_H

#include <rusm/link.h>

#define LM_PROCS 12u
#define LM_REFS  256u
#define LM_SENT  512u

enum lm_link { LM_UNLINKED, LM_LINKED, LM_IN_DOUBT };

/* Why a process ended: `tag` stands for the payload, each used once; 0 = none. */
struct lm_reason {
    enum rusm_exit_kind kind;
    uint32_t tag;
};

/* Exit signals and kills of the round. */
struct lm_sent {
    uint32_t from;
    uint32_t to;
    struct lm_reason reason; /* KILLED: a kill */
    uint32_t seq;            /* of the pair */
    bool known;              /* `accepted` is set */
    bool accepted;
    bool received;
};

struct lm_ref {
    uint64_t v;
    uint32_t watcher;
    uint32_t watched;
    uint32_t round;  /* when it was made */
    bool from_spawn; /* before the watched could do anything */
    bool ended;      /* by demonitor: nothing may follow */
    bool waits;      /* demonitor without flush has said that the DOWN is there */
    bool told;
    struct lm_reason reason; /* if told */
};

/* What p has done and seen with regard to q in this round: pairs[p][q]. */
struct lm_pair {
    uint32_t links;
    uint32_t unlinks;
    bool linked_last;     /* of these two */
    uint32_t ends;        /* exit signals by link */
    uint32_t noprocs;     /* the same with NOPROC */
    struct lm_reason end; /* the reason of the first kind */
    uint32_t sent;        /* messages to q, of all rounds: accepted */
    uint32_t doubtful;    /* those of which that is not known */
    uint32_t seq;         /* number of the last message or exit signal to q */
    uint32_t got;         /* messages from q */
    uint32_t got_seq;     /* the last one seen from q */
    bool got_end;         /* of q: nothing may follow */
};

struct lm_proc {
    bool exists;
    bool dead;
    uint32_t died_in; /* round */
    bool traps;
    bool trapped; /* at some moment of the round it did; it did not */
    bool open;
    bool leaving;
    struct lm_reason leaving_as;
    struct lm_reason ended_as;
};

struct links_model {
    uint32_t round;
    struct lm_proc procs[LM_PROCS];
    struct lm_pair pairs[LM_PROCS][LM_PROCS];
    enum lm_link links[LM_PROCS][LM_PROCS]; /* symmetric; before this round */
    struct lm_sent sent[LM_SENT];
    uint32_t sent_len;
    struct lm_ref refs[LM_REFS];
    uint32_t ref_len;
    const char *wrong; /* the first thing that was wrong */
};

void lm_init(struct links_model *m);

/* What processes do; told before it is done, but for references (`v`) and results, told after. */
void lm_spawn(struct links_model *m, uint32_t p, uint32_t child, bool linked);
void lm_trap(struct links_model *m, uint32_t p, bool traps);
void lm_link(struct links_model *m, uint32_t p, uint32_t q);
void lm_unlink(struct links_model *m, uint32_t p, uint32_t q);
void lm_monitor(struct links_model *m, uint32_t p, uint32_t q, uint64_t v, bool from_spawn);
void lm_demonitor(struct links_model *m, uint64_t v, bool flush, bool result);
void lm_leave(struct links_model *m, uint32_t p, struct lm_reason reason);
/* Returns the index for lm_send_result. */
uint32_t lm_send_exit(struct links_model *m, uint32_t p, uint32_t q, struct lm_reason reason);
void lm_send_exit_result(struct links_model *m, uint32_t index, bool accepted);
/* Returns the number that the message must carry. */
uint32_t lm_send(struct links_model *m, uint32_t p, uint32_t q);
void lm_send_result(struct links_model *m, uint32_t p, uint32_t q, bool accepted);

/* What processes see. */
void lm_got_message(struct links_model *m, uint32_t p, uint32_t from, uint32_t seq);
void lm_got_exit(struct links_model *m, uint32_t p, uint32_t from, struct lm_reason reason);
void lm_got_down(struct links_model *m, uint32_t p, uint64_t v, uint32_t from,
                 struct lm_reason reason);
void lm_ended(struct links_model *m, uint32_t p, struct lm_reason reason);

/* All signals of the round have been handled. What was wrong so far, or NULL. */
const char *lm_judge(struct links_model *m);

/* After a judgement: how many links, monitors and watchers p must have. */
struct lm_counts {
    uint32_t links_min;
    uint32_t links_max;
    uint32_t monitors;
    uint32_t monitored_by;
};

struct lm_counts lm_count(const struct links_model *m, uint32_t p);

#endif
