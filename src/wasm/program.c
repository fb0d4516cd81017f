/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "wasm/program_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <stdio.h>
#include <string.h>

/* `text` says why; it is freed. */
static enum rusm_err refuse(struct rusm_errinfo *error, const struct rusm_program_spec *spec,
                            struct rwt_text text) {
    enum rusm_err err = errinfo_set(error, RUSM_ERR_INVALID, "program %s: %.*s",
                                    spec->name ? spec->name : "(no name)", (int)text.len,
                                    text.data ? text.data : "");
    rwt_text_delete(text);
    return err;
}

static void free_program(struct rusm_program *program) {
    for (uint32_t i = 0; i < program->wasm->pool.lane_count; i++) {
        if (program->lanes[i].prepared) {
            rwt_prepared_delete(program->lanes[i].prepared);
        }
    }
    if (program->grant) {
        rwt_grant_delete(program->grant);
    }
    if (program->capability) {
        capability_release(program->capability);
    }
    rusm_free(program);
}

rusm_program *rusm_program_hold(rusm_program *program) {
    atomic_fetch_add_explicit(&program->holds, 1, memory_order_relaxed);
    return program;
}

void rusm_program_release(rusm_program *program) {
    /* Release and acquire: the last one sees what all others did with it. */
    if (atomic_fetch_sub_explicit(&program->holds, 1, memory_order_acq_rel) == 1) {
        free_program(program);
    }
}

struct program_lane *program_hold_for_guest(struct rusm_program *program) {
    /* Of another runtime it may be a scheduler that has no lane here; any lane will do. */
    uint32_t index = rusm_self().v != 0 ? otp_scheduler_index() : 0;
    struct program_lane *lane = &program->lanes[index % program->wasm->pool.lane_count];
    if (atomic_fetch_add_explicit(&lane->guests, 1, memory_order_relaxed) == 0) {
        (void)rusm_program_hold(program);
    }
    return lane;
}

void program_release_of_guest(struct program_lane *lane) {
    /* As in rusm_program_release. A spawn that comes in between takes a hold of its own. */
    if (atomic_fetch_sub_explicit(&lane->guests, 1, memory_order_acq_rel) == 1) {
        rusm_program_release(lane->program);
    }
}

/* Load the artefact on every engine and resolve its imports there. */
static enum rusm_err prepare(struct rusm_program *program, const struct rusm_program_spec *spec,
                             const char *artefact_path, struct rusm_errinfo *error) {
    const struct wasm_pool *pool = &program->wasm->pool;
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        struct rwt_text text = {NULL, 0};
        rwt_program *loaded = rwt_load_file(pool->lanes[i].engine, artefact_path, &text);
        if (!loaded) {
            return refuse(error, spec, text);
        }
        program->kind = rwt_program_kind(loaded);
        pthread_rwlock_rdlock(&program->wasm->customs_lock);
        enum rusm_err err = customs_check(program, loaded, error);
        if (err == RUSM_OK) {
            program->lanes[i].prepared =
                rwt_prepare(pool->lanes[i].linker, loaded, program->entry, &text);
        }
        pthread_rwlock_unlock(&program->wasm->customs_lock);
        rwt_program_delete(loaded);
        if (!program->lanes[i].prepared) {
            return err == RUSM_OK ? refuse(error, spec, text) : err;
        }
    }
    return RUSM_OK;
}

/* Find its capability, and settle what that means for its guests. */
static enum rusm_err grant(struct rusm_program *program, const struct rusm_program_spec *spec,
                           struct rusm_errinfo *error) {
    struct rusm_wasm *wasm = program->wasm;
    const char *name = spec->capability ? spec->capability : "sandboxed";
    enum rusm_err err = capabilities_get(wasm->capabilities, name, &program->capability, error);
    if (err != RUSM_OK) {
        return err == RUSM_ERR_NAME_UNKNOWN ? RUSM_ERR_INVALID : err;
    }
    const struct rusm_capability *limits = &program->capability->grant;
    if (limits->memory_bytes_max < program->memory_bytes_max) {
        program->memory_bytes_max = limits->memory_bytes_max;
    }
    program->cpu_ms_max = limits->cpu_ms_max;
    if (limits->mailbox_len_max < RUSM_MAILBOX_LEN_LIMIT) {
        program->mailbox_len_max = (uint32_t)limits->mailbox_len_max;
    }
    struct rwt_grant_config config;
    memset(&config, 0, sizeof config);
    capability_grant_config(program->capability, &config);
    struct rwt_text text = {NULL, 0};
    program->grant = rwt_grant_new(&config, &text);
    return program->grant ? RUSM_OK : refuse(error, spec, text);
}

static enum rusm_err check_spec(const struct rusm_program_spec *spec, struct rusm_errinfo *error) {
    if (spec->is_template && (spec->wasm || !spec->name)) {
        return errinfo_set(error, RUSM_ERR_INVALID, "a template has a name, and no code");
    }
    if (!spec->is_template &&
        (!spec->wasm || spec->wasm_bytes == 0 || spec->wasm_bytes > RUSM_PROGRAM_BYTES_MAX)) {
        return errinfo_set(error, RUSM_ERR_INVALID, "a program has 1 to %zu bytes, not %zu",
                           RUSM_PROGRAM_BYTES_MAX, spec->wasm_bytes);
    }
    if (spec->name && (spec->name[0] == '\0' || strlen(spec->name) > RUSM_NAME_BYTES_MAX)) {
        return errinfo_set(error, RUSM_ERR_INVALID, "a program's name has 1 to %u bytes",
                           RUSM_NAME_BYTES_MAX);
    }
    if (spec->entry && (spec->entry[0] == '\0' || strlen(spec->entry) > RUSM_NAME_BYTES_MAX)) {
        return errinfo_set(error, RUSM_ERR_INVALID, "a program's entry has 1 to %u bytes",
                           RUSM_NAME_BYTES_MAX);
    }
    return RUSM_OK;
}

static enum rusm_err compile(struct rusm_program *program, const struct rusm_program_spec *spec,
                             struct rusm_errinfo *error) {
    struct cache *cache = program->wasm->cache;
    const struct rwt_slice code = {spec->wasm, spec->wasm_bytes};
    struct cache_artefact *artefact;
    struct rusm_errinfo why = {""};
    enum rusm_err err = cache_get(cache, code, &artefact, &why);
    if (err != RUSM_OK) {
        return errinfo_set(error, err, "program %s: %s", spec->name ? spec->name : "(no name)",
                           why.text);
    }
    err = prepare(program, spec, cache_artefact_path(artefact), error);
    cache_release(cache, artefact);
    return err;
}

static struct rusm_program *find(const struct program_names *names, const char *name) {
    struct rusm_program *at = names->first;
    while (at && strcmp(at->name, name) != 0) {
        at = at->next;
    }
    return at;
}

/* The name holds the program. */
static enum rusm_err claim_name(struct program_names *names, struct rusm_program *program,
                                struct rusm_errinfo *error) {
    enum rusm_err err = RUSM_OK;
    pthread_mutex_lock(&names->lock);
    if (find(names, program->name)) {
        err =
            errinfo_set(error, RUSM_ERR_NAME_TAKEN, "there is a program %s already", program->name);
    } else if (names->count == PROGRAM_NAMES_MAX) {
        err = errinfo_set(error, RUSM_ERR_NAME_LIMIT, "there are %u programs with names already",
                          names->count);
    } else {
        names->count++;
        program->next = names->first;
        names->first = rusm_program_hold(program);
    }
    pthread_mutex_unlock(&names->lock);
    return err;
}

rusm_program *rusm_program_find(rusm_wasm *wasm, const char *name) {
    pthread_mutex_lock(&wasm->names.lock);
    struct rusm_program *program = find(&wasm->names, name);
    if (program) {
        rusm_program_hold(program);
    }
    pthread_mutex_unlock(&wasm->names.lock);
    return program;
}

static struct rusm_program *new_program(struct rusm_wasm *wasm,
                                        const struct rusm_program_spec *spec) {
    uint32_t lanes = wasm->pool.lane_count;
    struct rusm_program *program =
        rusm_zalloc_aligned(64, sizeof *program + lanes * sizeof program->lanes[0]);
    if (program) {
        program->wasm = wasm;
        program->holds = 1;
        program->memory_bytes_max = wasm->pool.config.memory_bytes_max;
        (void)snprintf(program->name, sizeof program->name, "%s", spec->name ? spec->name : "");
        (void)snprintf(program->entry, sizeof program->entry, "%s",
                       spec->entry ? spec->entry : "run");
        program->is_template = spec->is_template;
        for (uint32_t i = 0; i < lanes; i++) {
            program->lanes[i].program = program;
        }
    }
    return program;
}

enum rusm_err rusm_program_load(rusm_wasm *wasm, const struct rusm_program_spec *spec,
                                rusm_program **out, struct rusm_errinfo *error) {
    RUSM_ASSERT(wasm && spec && out);
    RUSM_ASSERT(spec->is_template || rusm_self().v == 0); /* a process's stack is too small */
    enum rusm_err err = check_spec(spec, error);
    if (err != RUSM_OK) {
        return err;
    }
    struct rusm_program *program = new_program(wasm, spec);
    if (!program) {
        return errinfo_set(error, RUSM_ERR_NOMEM, "no memory for a program");
    }
    err = grant(program, spec, error);
    if (err == RUSM_OK && !spec->is_template) {
        err = compile(program, spec, error);
    }
    if (err == RUSM_OK && spec->name) {
        err = claim_name(&wasm->names, program, error);
    }
    if (err != RUSM_OK) {
        free_program(program);
        return err;
    }
    *out = program;
    return RUSM_OK;
}

const char *program_name(const rusm_program *program) {
    return program->name;
}

bool program_is_template(const rusm_program *program) {
    return program->is_template;
}

/* ---- code given at run time ---- */

/* What decides the program: the template's capability and entry, and the code. */
static void dynamic_key(const rusm_program *template, struct rwt_slice code,
                        uint8_t key[TTL_MAP_KEY_BYTES]) {
    uint8_t parts[2 * TTL_MAP_KEY_BYTES + sizeof template->capability];
    const struct rwt_slice entry = {(const uint8_t *)template->entry, strlen(template->entry)};
    rwt_sha256(code, parts);
    rwt_sha256(entry, parts + TTL_MAP_KEY_BYTES);
    /* Programs keep their capability, so no other one can be at its address meanwhile. */
    memcpy(parts + 2 * TTL_MAP_KEY_BYTES, &template->capability, sizeof template->capability);
    rwt_sha256((struct rwt_slice){parts, sizeof parts}, key);
}

static rusm_program *find_by_key(struct rusm_wasm *wasm, const uint8_t key[TTL_MAP_KEY_BYTES]) {
    struct ttl_value *held = ttl_map_get(wasm->dynamic, key);
    if (!held) {
        return NULL;
    }
    rusm_program *program = rusm_program_hold(ttl_value_get(held));
    ttl_map_release(wasm->dynamic, held);
    return program;
}

rusm_program *rusm_program_find_from(const rusm_program *template, const void *wasm,
                                     size_t wasm_bytes) {
    uint8_t key[TTL_MAP_KEY_BYTES];
    dynamic_key(template, (struct rwt_slice){wasm, wasm_bytes}, key);
    return find_by_key(template->wasm, key);
}

enum rusm_err rusm_program_load_from(const rusm_program *template, const void *wasm,
                                     size_t wasm_bytes, rusm_program **out,
                                     struct rusm_errinfo *error) {
    const struct rusm_program_spec spec = {.wasm = wasm,
                                           .wasm_bytes = wasm_bytes,
                                           .entry = template->entry,
                                           .capability = template->capability->name};
    uint8_t key[TTL_MAP_KEY_BYTES];
    enum rusm_err err = check_spec(&spec, error);
    if (err != RUSM_OK) {
        return err;
    }
    dynamic_key(template, (struct rwt_slice){wasm, wasm_bytes}, key);
    rusm_program *program = find_by_key(template->wasm, key);
    if (!program) {
        err = rusm_program_load(template->wasm, &spec, &program, error);
        struct ttl_value *held;
        if (err == RUSM_OK && ttl_map_put(template->wasm->dynamic, key, rusm_program_hold(program),
                                          &held) == RUSM_OK) {
            ttl_map_release(template->wasm->dynamic, held);
        }
    }
    if (err == RUSM_OK) {
        *out = program;
    }
    return err;
}
