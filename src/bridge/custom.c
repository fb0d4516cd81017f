/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Bridges of the embedding program: calls of its functions, and memory for what they answer. */
#include "base/alloc.h"
#include "base/assert.h"
#include "bridge/bridge_internal.h"
#include <rusm/bridge.h>
#include <stdalign.h>
#include <stddef.h>

/* A guest's own; what its last answer was made of. */
struct block {
    struct block *next;
    alignas(16) uint8_t bytes[];
};
struct answers {
    /* Most fit in here, which stays for the next call. */
    alignas(16) uint8_t first[2048];
    size_t first_used;
    struct block *blocks; /* owned */
};

struct call {
    struct rusm_bridge_call public; /* first: the functions give it back to us */
    struct guest *guest;
};

/* The values are passed as they are. */
_Static_assert(sizeof(struct rusm_value) == sizeof(struct rwt_value), "one layout");
_Static_assert(offsetof(struct rusm_value, kind) == offsetof(struct rwt_value, kind), "");
_Static_assert(offsetof(struct rusm_value, present) == offsetof(struct rwt_value, present), "");
_Static_assert(offsetof(struct rusm_value, number) == offsetof(struct rwt_value, number), "");
_Static_assert(offsetof(struct rusm_value, text) == offsetof(struct rwt_value, text), "");
_Static_assert(offsetof(struct rusm_value, items) == offsetof(struct rwt_value, items), "");
_Static_assert(offsetof(struct rusm_value, item_count) == offsetof(struct rwt_value, item_count),
               "");
_Static_assert((int)RUSM_VALUE_BOOL == RWT_V_BOOL && (int)RUSM_VALUE_FLAGS == RWT_V_FLAGS &&
                   (int)RUSM_VALUE_STRING == RWT_V_STRING && (int)RUSM_VALUE_LIST == RWT_V_LIST,
               "one order of the kinds");

static void free_blocks(struct answers *answers) {
    while (answers->blocks) {
        struct block *block = answers->blocks;
        answers->blocks = block->next;
        rusm_free(block);
    }
    answers->first_used = 0;
}

static void end_answers(struct guest *guest, void *state) {
    (void)guest;
    free_blocks(state);
    rusm_free(state);
}

void *rusm_bridge_alloc(struct rusm_bridge_call *call, size_t bytes) {
    struct guest *guest = ((struct call *)call)->guest;
    struct answers *answers = guest_bridge_state(guest, BRIDGE_CUSTOM);
    if (!answers) {
        answers = rusm_zalloc_aligned(16, sizeof *answers);
        if (!answers) {
            return NULL;
        }
        guest_set_bridge_state(guest, BRIDGE_CUSTOM, answers);
    }
    size_t room = sizeof answers->first - answers->first_used;
    if (bytes <= room) {
        void *place = answers->first + answers->first_used;
        answers->first_used += bytes > room - 15 ? room : (bytes + 15) & ~(size_t)15;
        return place;
    }
    if (bytes > SIZE_MAX - sizeof(struct block)) {
        return NULL;
    }
    struct block *block = rusm_zalloc_aligned(16, sizeof *block + bytes);
    if (!block) {
        return NULL;
    }
    block->next = answers->blocks;
    answers->blocks = block;
    return block->bytes;
}

static enum rwt_status call_custom(void *guest, void *arg, const struct rwt_value *args,
                                   size_t arg_count, struct rwt_value *result,
                                   struct rwt_slice *error) {
    const struct rusm_bridge_func *func = arg;
    struct answers *answers = guest_bridge_state(guest, BRIDGE_CUSTOM);
    if (answers) {
        free_blocks(answers);
    }
    struct call call = {
        .public = {.arg = func->arg,
                   .args = (const struct rusm_value *)args,
                   .arg_count = arg_count,
                   .result = {.kind = RUSM_VALUE_TUPLE}},
        .guest = guest,
    };
    enum rusm_err err = func->fn(&call.public);
    if (err != RUSM_OK) {
        const char *why = call.public.error ? call.public.error : rusm_err_name(err);
        *error = (struct rwt_slice){(const uint8_t *)why, strlen(why)};
        return RWT_TRAP;
    }
    memcpy(result, &call.public.result, sizeof *result);
    return guest_done();
}

enum rusm_err rusm_wasm_define_bridge(rusm_wasm *wasm, const struct rusm_bridge *bridge,
                                      struct rusm_errinfo *error) {
    RUSM_ASSERT(wasm && bridge && (bridge->funcs || bridge->func_count == 0));
    return wasm_define_custom(wasm, bridge, call_custom, error);
}

const struct wasm_bridge bridge_custom = {
    .name = "custom",
    .guest_end = end_answers,
};
