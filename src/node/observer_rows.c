/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The best rows of the process table: a bounded heap with the worst row kept at its root. */
#include "node/observer_internal.h"

#include "base/assert.h"
#include <string.h>

static const char *const key_ids[OBSERVER_KEY_COUNT] = {
    [OBSERVER_KEY_MEMORY] = "memory",
    [OBSERVER_KEY_CPU] = "cpu",
    [OBSERVER_KEY_REDUCTIONS] = "reductions",
    [OBSERVER_KEY_MAILBOX] = "mailbox",
    [OBSERVER_KEY_ID] = "id",
    [OBSERVER_KEY_NAME] = "name",
};

const char *observer_key_id(enum observer_key key) {
    RUSM_ASSERT((unsigned)key < OBSERVER_KEY_COUNT);
    return key_ids[key];
}

bool observer_key_parse(const char *id, enum observer_key *out) {
    for (unsigned i = 0; i < OBSERVER_KEY_COUNT; i++) {
        if (strcmp(id, key_ids[i]) == 0) {
            *out = (enum observer_key)i;
            return true;
        }
    }
    return false;
}

static uint64_t number_of(enum observer_key key, const struct rusm_process_info *info) {
    switch (key) {
    case OBSERVER_KEY_MEMORY:
        return info->memory_bytes;
    case OBSERVER_KEY_CPU:
        return info->cpu_ns;
    case OBSERVER_KEY_REDUCTIONS:
        return info->reductions;
    case OBSERVER_KEY_MAILBOX:
        return info->mailbox_depth;
    case OBSERVER_KEY_ID:
    case OBSERVER_KEY_NAME:
        break;
    }
    return info->pid.v;
}

/* Whether `a` is shown before `b`; equal keys are ordered by id, so that rows keep their places. */
static bool is_before(const struct observer_view *view, const struct rusm_process_info *a,
                      const struct rusm_process_info *b) {
    if (view->key == OBSERVER_KEY_NAME) {
        bool a_named = a->name[0] != 0;
        bool b_named = b->name[0] != 0;
        if (a_named != b_named) {
            return a_named;
        }
        int order = strcmp(a->name, b->name);
        if (order != 0) {
            return view->descending ? order > 0 : order < 0;
        }
        return a->pid.v < b->pid.v;
    }
    uint64_t a_number = number_of(view->key, a);
    uint64_t b_number = number_of(view->key, b);
    if (a_number != b_number) {
        return view->descending ? a_number > b_number : a_number < b_number;
    }
    return a->pid.v < b->pid.v;
}

static void swap_rows(struct observer_view *view, uint32_t a, uint32_t b) {
    struct rusm_process_info row = view->rows[a];
    view->rows[a] = view->rows[b];
    view->rows[b] = row;
}

/* Move the row at `at` down until both rows below it are shown before it. */
static void sift_down(struct observer_view *view, uint32_t at, uint32_t count) {
    for (;;) {
        uint32_t worst = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_before(view, &view->rows[worst], &view->rows[child])) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        swap_rows(view, at, worst);
        at = worst;
    }
}

void observer_view_offer(struct observer_view *view, const struct rusm_process_info *info) {
    RUSM_ASSERT(view->count <= NODE_ROWS_MAX);
    if (view->count == NODE_ROWS_MAX) {
        if (is_before(view, info, &view->rows[0])) {
            view->rows[0] = *info;
            sift_down(view, 0, view->count);
        }
        return;
    }
    uint32_t at = view->count++;
    view->rows[at] = *info;
    while (at > 0 && is_before(view, &view->rows[(at - 1) / 2], &view->rows[at])) {
        swap_rows(view, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

void observer_view_finish(struct observer_view *view) {
    for (uint32_t count = view->count; count > 1; count--) {
        swap_rows(view, 0, count - 1);
        sift_down(view, 0, count - 1);
    }
}

struct walk {
    rusm_runtime *runtime;
    struct observer_view *const *views;
    uint32_t count;
};

static bool visit(void *arg, rusm_pid pid) {
    struct walk *walk = arg;
    struct rusm_process_info info;
    if (rusm_process_info(walk->runtime, pid, &info) == RUSM_OK) {
        for (uint32_t i = 0; i < walk->count; i++) {
            observer_view_offer(walk->views[i], &info);
        }
    }
    return true;
}

void observer_walk(rusm_runtime *runtime, struct observer_view *const *views, uint32_t count) {
    struct walk walk = {.runtime = runtime, .views = views, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        views[i]->count = 0;
    }
    rusm_process_each(runtime, visit, &walk);
    for (uint32_t i = 0; i < count; i++) {
        observer_view_finish(views[i]);
    }
}
