/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * An independent model of mailboxes, as simple as can be: per receiver a list of what was sent, in
 * the order in which the sends began. What a receive yields is checked against it:
 *
 *   - it was sent to this receiver, and not received before;
 *   - nothing it should have taken was in front: of one sender, in the order sent; of several, a
 *     send that had returned before another began comes first;
 *   - "nothing there" is true only if no send had returned.
 *
 * Simulation is single-threaded, so the model needs no locks.
 */
#ifndef TESTS_SIM_MODEL_INTERNAL_H
#define TESTS_SIM_MODEL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_ITEMS_MAX 512u
#define MODEL_ANY_CLASS UINT32_MAX

struct model_item {
    uint32_t sender;
    uint32_t seq;
    uint32_t class;
    uint64_t began;    /* moments of the model's clock */
    uint64_t returned; /* UINT64_MAX: not yet */
};

struct model_list {
    struct model_item items[MODEL_ITEMS_MAX];
    uint32_t len;
};

struct model_mailbox {
    struct model_list sent;  /* not received */
    struct model_list aside; /* put aside */
    struct model_list front; /* taken back from there */
};

/* A send of message `seq` of `sender` begins at moment `now`. */
void model_send(struct model_mailbox *m, uint32_t sender, uint32_t seq, uint32_t class,
                uint64_t now);

/* That send has returned. False: refused, but the message was received. */
bool model_sent(struct model_mailbox *m, uint32_t sender, uint32_t seq, bool accepted,
                uint64_t now);

/* Whether a receive of this class must find something. */
bool model_must_find(const struct model_mailbox *m, uint32_t class);

/* A receive of `class` (or any) has yielded this message. NULL, or what is wrong with that. */
const char *model_receive(struct model_mailbox *m, uint32_t class, struct model_item got);

/* The message received last, which was `got`, is put aside; all that are aside come back. */
void model_stash(struct model_mailbox *m, struct model_item got);
void model_unstash(struct model_mailbox *m);

#endif
