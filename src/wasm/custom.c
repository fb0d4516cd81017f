/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Interfaces of the embedding program: their register, and who may import them. */
#include "wasm/program_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <stdio.h>
#include <string.h>

struct custom {
    struct custom *next;
    char name[RUSM_BRIDGE_NAME_MAX + 1];
    char interface[RUSM_BRIDGE_NAME_MAX + 1];
    size_t func_count;
    struct rusm_bridge_func funcs[]; /* their names behind them */
};

static bool is_name(const char *name) {
    return name && name[0] != '\0' && strlen(name) <= RUSM_BRIDGE_NAME_MAX;
}

static enum rusm_err check(const struct rusm_wasm *wasm, const struct rusm_bridge *bridge,
                           struct rusm_errinfo *error) {
    if (!is_name(bridge->name) || !is_name(bridge->interface)) {
        return errinfo_set(error, RUSM_ERR_INVALID,
                           "a bridge's name and interface have 1 to %u bytes",
                           RUSM_BRIDGE_NAME_MAX);
    }
    if (strncmp(bridge->interface, "rusm:", 5) == 0 ||
        strncmp(bridge->interface, "wasi:", 5) == 0) {
        return errinfo_set(error, RUSM_ERR_INVALID, "bridge %s: %s belongs to the runtime",
                           bridge->name, bridge->interface);
    }
    if (bridge->func_count == 0 || bridge->func_count > RUSM_BRIDGE_FUNCS_MAX) {
        return errinfo_set(error, RUSM_ERR_INVALID, "bridge %s: it has 1 to %u functions, not %zu",
                           bridge->name, RUSM_BRIDGE_FUNCS_MAX, bridge->func_count);
    }
    for (size_t i = 0; i < bridge->func_count; i++) {
        if (!is_name(bridge->funcs[i].name) || !bridge->funcs[i].fn) {
            return errinfo_set(error, RUSM_ERR_INVALID,
                               "bridge %s: function %zu has no name of 1 "
                               "to %u bytes, or no code",
                               bridge->name, i, RUSM_BRIDGE_NAME_MAX);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(bridge->funcs[i].name, bridge->funcs[j].name) == 0) {
                return errinfo_set(error, RUSM_ERR_NAME_TAKEN, "bridge %s: %s is there twice",
                                   bridge->name, bridge->funcs[i].name);
            }
        }
    }
    size_t count = 0;
    for (const struct custom *at = wasm->customs; at; at = at->next, count++) {
        if (strcmp(at->name, bridge->name) == 0 || strcmp(at->interface, bridge->interface) == 0) {
            return errinfo_set(error, RUSM_ERR_NAME_TAKEN, "there is a bridge %s for %s already",
                               at->name, at->interface);
        }
    }
    return count < RUSM_BRIDGES_MAX
               ? RUSM_OK
               : errinfo_set(error, RUSM_ERR_INVALID, "bridge %s: there are %u bridges already",
                             bridge->name, RUSM_BRIDGES_MAX);
}

static struct custom *copy(const struct rusm_bridge *bridge) {
    size_t bytes = sizeof(struct custom) + bridge->func_count * sizeof bridge->funcs[0];
    size_t at = bytes;
    for (size_t i = 0; i < bridge->func_count; i++) {
        bytes += strlen(bridge->funcs[i].name) + 1;
    }
    struct custom *custom = rusm_zalloc(bytes);
    if (!custom) {
        return NULL;
    }
    (void)snprintf(custom->name, sizeof custom->name, "%s", bridge->name);
    (void)snprintf(custom->interface, sizeof custom->interface, "%s", bridge->interface);
    custom->func_count = bridge->func_count;
    for (size_t i = 0; i < bridge->func_count; i++) {
        size_t len = strlen(bridge->funcs[i].name) + 1;
        custom->funcs[i] = bridge->funcs[i];
        custom->funcs[i].name = memcpy((char *)custom + at, bridge->funcs[i].name, len);
        at += len;
    }
    return custom;
}

static void link_custom(struct rusm_wasm *wasm, struct custom *custom, rwt_dynamic_fn call) {
    for (uint32_t lane = 0; lane < wasm->pool.lane_count; lane++) {
        for (size_t i = 0; i < custom->func_count; i++) {
            struct rwt_text text = {NULL, 0};
            bool linked = rwt_linker_dynamic(wasm->pool.lanes[lane].linker, custom->interface,
                                             custom->funcs[i].name, call, &custom->funcs[i], &text);
            RUSM_ASSERT(linked); /* its names are new, as was checked */
        }
    }
}

enum rusm_err wasm_define_custom(rusm_wasm *wasm, const struct rusm_bridge *bridge,
                                 rwt_dynamic_fn call, struct rusm_errinfo *error) {
    pthread_rwlock_wrlock(&wasm->customs_lock);
    enum rusm_err err = check(wasm, bridge, error);
    struct custom *custom = err == RUSM_OK ? copy(bridge) : NULL;
    if (custom) {
        link_custom(wasm, custom, call);
        custom->next = wasm->customs;
        wasm->customs = custom;
    } else if (err == RUSM_OK) {
        err = errinfo_set(error, RUSM_ERR_NOMEM, "no memory for a bridge");
    }
    pthread_rwlock_unlock(&wasm->customs_lock);
    return err;
}

void customs_free(struct rusm_wasm *wasm) {
    while (wasm->customs) {
        struct custom *custom = wasm->customs;
        wasm->customs = custom->next;
        rusm_free(custom);
    }
}

/* ---- who may import what ---- */

struct search {
    const struct rusm_program *program;
    const struct custom *denied;
};

static bool is_allowed(void *arg, struct rwt_slice import) {
    struct search *search = arg;
    for (const struct custom *at = search->program->wasm->customs; at; at = at->next) {
        if (strlen(at->interface) == import.len &&
            memcmp(at->interface, import.data, import.len) == 0 &&
            !capability_allows_bridge(search->program->capability, at->name)) {
            search->denied = at;
            return false;
        }
    }
    return true;
}

enum rusm_err customs_check(const struct rusm_program *program, const rwt_program *loaded,
                            struct rusm_errinfo *error) {
    struct search search = {program, NULL};
    if (rwt_program_imports(loaded, is_allowed, &search)) {
        return RUSM_OK;
    }
    return errinfo_set(error, RUSM_ERR_INVALID,
                       "program %s: it imports %s, and its capability \"%s\" does not list the "
                       "bridge \"%s\"",
                       program->name[0] ? program->name : "(no name)", search.denied->interface,
                       program->capability->name, search.denied->name);
}
