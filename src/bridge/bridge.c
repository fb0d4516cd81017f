/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/alloc.h"
#include "base/utf8.h"
#include "bridge/bridge_internal.h"

static const struct wasm_bridge *const all_bridges[] = {
    [BRIDGE_LOG] = &bridge_log,
    [BRIDGE_PROCESSES] = &bridge_processes,
    [BRIDGE_MAILBOX] = &bridge_mailbox,
    [BRIDGE_TIMERS] = &bridge_timers,
    [BRIDGE_WATCH] = &bridge_watch,
    [BRIDGE_SPAWN] = &bridge_spawn,
    [BRIDGE_SUPERVISE] = &bridge_supervise,
    [BRIDGE_DYNAMIC] = &bridge_dynamic,
    [BRIDGE_PG] = &bridge_pg,
    [BRIDGE_STREAMS] = &bridge_streams,
    [BRIDGE_CUSTOM] = &bridge_custom,
    [BRIDGE_KV] = &bridge_kv,
    [BRIDGE_SERVE] = &bridge_serve,
};
_Static_assert(sizeof all_bridges / sizeof all_bridges[0] == BRIDGE_COUNT, "one line a bridge");
_Static_assert((int)BRIDGE_COUNT <= (int)WASM_BRIDGES_MAX, "guests keep a state for each");

enum rusm_err rusm_wasm_create(rusm_runtime *runtime, const struct rusm_wasm_config *config,
                               rusm_wasm **out, struct rusm_errinfo *error) {
    return wasm_create(runtime, config, all_bridges, BRIDGE_COUNT, out, error);
}

/* ---- texts and bytes ---- */

bool core_text(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
               enum rwt_status *status) {
    if (!guest_memory(call, ptr, len, out, status)) {
        return false;
    }
    if (!utf8_is_valid(out->data, out->len)) {
        *status =
            core_trap(call, BRIDGE_TEXT("a host function was given a text that is not UTF-8"));
        return false;
    }
    return true;
}

bool bridge_name(struct rwt_slice text, char out[RUSM_NAME_BYTES_MAX + 1]) {
    if (text.len == 0 || text.len > RUSM_NAME_BYTES_MAX || memchr(text.data, 0, text.len)) {
        return false;
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

void ret_error(struct rwt_ret *ret, const char *text) {
    size_t len = strlen(text);
    char *copy = rusm_alloc(len + 1);
    ret->present = false;
    if (!copy) {
        ret->bytes = BRIDGE_TEXT("out of memory");
        return;
    }
    memcpy(copy, text, len + 1);
    ret->bytes = (struct rwt_slice){(const uint8_t *)copy, len};
    ret->owner = copy;
    ret->release = rusm_free;
}

enum rwt_status guest_end_by_limit(struct guest *guest, const char *text) {
    const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, text, (uint32_t)strlen(text)};
    return guest_exit(guest, &reason);
}

/* ---- lists of processes ---- */

bool pids_add(struct pids *pids, rusm_pid pid) {
    if (pids->count == pids->capacity) {
        size_t capacity = pids->capacity ? 2 * pids->capacity : 64;
        uint64_t *items = rusm_realloc(pids->items, capacity * sizeof *items);
        if (!items) {
            return false;
        }
        pids->items = items;
        pids->capacity = capacity;
    }
    pids->items[pids->count++] = pid.v;
    return true;
}

enum rwt_status core_answer_pids(struct rwt_core_call *call, struct pids *pids, int32_t out,
                                 int32_t cap) {
    struct rwt_slice memory;
    enum rwt_status status;
    /* A length that does not fit its 32 bits is outside of any memory, but for the very largest. */
    uint64_t bytes = (uint64_t)(uint32_t)cap * sizeof(uint64_t);
    int32_t len = bytes > UINT32_MAX ? -1 : (int32_t)(uint32_t)bytes;
    if (guest_memory(call, out, len, &memory, &status)) {
        size_t count = memory.len / sizeof(uint64_t);
        count = count < pids->count ? count : pids->count;
        if (count > 0) {
            memcpy(core_out(memory), pids->items, count * sizeof(uint64_t));
        }
        status = core_answer_i32(call, (int32_t)pids->count);
    }
    rusm_free(pids->items);
    return status;
}

enum rwt_status ret_pids(struct pids *pids, struct rwt_ret *ret) {
    ret->bytes = (struct rwt_slice){(const uint8_t *)pids->items, pids->count * sizeof(uint64_t)};
    ret->owner = pids->items;
    ret->release = rusm_free;
    return guest_done();
}
