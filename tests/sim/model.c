/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "model_internal.h"

#include "base/assert.h"
#include <string.h>

static void add(struct model_list *list, struct model_item item) {
    RUSM_ASSERT(list->len < MODEL_ITEMS_MAX);
    list->items[list->len++] = item;
}

static void remove_at(struct model_list *list, uint32_t at) {
    list->len--;
    memmove(&list->items[at], &list->items[at + 1], (list->len - at) * sizeof list->items[0]);
}

/* `list->len` if it is not there. */
static uint32_t find(const struct model_list *list, uint32_t sender, uint32_t seq) {
    uint32_t at = 0;
    while (at < list->len && (list->items[at].sender != sender || list->items[at].seq != seq)) {
        at++;
    }
    return at;
}

static bool matches(const struct model_item *item, uint32_t class) {
    return class == MODEL_ANY_CLASS || item->class == class;
}

static uint32_t first_match(const struct model_list *list, uint32_t class) {
    uint32_t at = 0;
    while (at < list->len && !matches(&list->items[at], class)) {
        at++;
    }
    return at;
}

void model_send(struct model_mailbox *m, uint32_t sender, uint32_t seq, uint32_t class,
                uint64_t now) {
    add(&m->sent, (struct model_item){sender, seq, class, now, UINT64_MAX});
}

bool model_sent(struct model_mailbox *m, uint32_t sender, uint32_t seq, bool accepted,
                uint64_t now) {
    uint32_t at = find(&m->sent, sender, seq);
    if (at == m->sent.len) {
        return accepted; /* received already */
    }
    if (accepted) {
        m->sent.items[at].returned = now;
    } else {
        remove_at(&m->sent, at);
    }
    return true;
}

bool model_must_find(const struct model_mailbox *m, uint32_t class) {
    if (first_match(&m->front, class) < m->front.len) {
        return true;
    }
    for (uint32_t i = 0; i < m->sent.len; i++) {
        if (matches(&m->sent.items[i], class) && m->sent.items[i].returned != UINT64_MAX) {
            return true;
        }
    }
    return false;
}

const char *model_receive(struct model_mailbox *m, uint32_t class, struct model_item got) {
    if (!matches(&got, class)) {
        return "a message that does not match was received";
    }
    uint32_t front = first_match(&m->front, class);
    if (front < m->front.len) {
        bool same =
            m->front.items[front].sender == got.sender && m->front.items[front].seq == got.seq;
        remove_at(&m->front, front);
        return same ? NULL : "a message taken back was passed over";
    }
    uint32_t at = find(&m->sent, got.sender, got.seq);
    if (at == m->sent.len) {
        return "a message was received that was not sent, or twice";
    }
    uint64_t began = m->sent.items[at].began;
    for (uint32_t i = 0; i < at; i++) {
        const struct model_item *before = &m->sent.items[i];
        if (matches(before, class) && before->sender == got.sender) {
            return "two messages of one sender were received in the wrong order";
        }
        if (matches(before, class) && before->returned < began) {
            return "a message was received before one sent earlier";
        }
    }
    remove_at(&m->sent, at);
    return NULL;
}

void model_stash(struct model_mailbox *m, struct model_item got) {
    add(&m->aside, got);
}

void model_unstash(struct model_mailbox *m) {
    for (uint32_t i = 0; i < m->front.len; i++) {
        add(&m->aside, m->front.items[i]);
    }
    m->front = m->aside;
    m->aside.len = 0;
}
