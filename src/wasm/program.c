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
        if (program->prepared[i]) {
            rwt_prepared_delete(program->prepared[i]);
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

/* Load the artefact on every engine and resolve its imports there. */
static enum rusm_err prepare(struct rusm_program *program, const struct rusm_program_spec *spec,
                             struct rwt_slice artefact, struct rusm_errinfo *error) {
    const struct wasm_pool *pool = &program->wasm->pool;
    for (uint32_t i = 0; i < pool->lane_count; i++) {
        struct rwt_text text = {NULL, 0};
        rwt_program *loaded = rwt_load(pool->lanes[i].engine, artefact, &text);
        if (!loaded) {
            return refuse(error, spec, text);
        }
        program->kind = rwt_program_kind(loaded);
        program->prepared[i] = rwt_prepare(pool->lanes[i].linker, loaded, program->entry, &text);
        rwt_program_delete(loaded);
        if (!program->prepared[i]) {
            return refuse(error, spec, text);
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
    struct rwt_text text = {NULL, 0};
    const struct rwt_slice code = {spec->wasm, spec->wasm_bytes};
    rwt_artefact *artefact = rwt_compile(program->wasm->pool.lanes[0].engine, code, &text);
    if (!artefact) {
        return refuse(error, spec, text);
    }
    enum rusm_err err = prepare(program, spec, rwt_artefact_bytes(artefact), error);
    rwt_artefact_delete(artefact);
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
    struct rusm_program *program =
        rusm_zalloc(sizeof *program + wasm->pool.lane_count * sizeof program->prepared[0]);
    if (program) {
        program->wasm = wasm;
        program->holds = 1;
        program->memory_bytes_max = wasm->pool.config.memory_bytes_max;
        (void)snprintf(program->name, sizeof program->name, "%s", spec->name ? spec->name : "");
        (void)snprintf(program->entry, sizeof program->entry, "%s",
                       spec->entry ? spec->entry : "run");
        program->is_template = spec->is_template;
    }
    return program;
}

enum rusm_err rusm_program_load(rusm_wasm *wasm, const struct rusm_program_spec *spec,
                                rusm_program **out, struct rusm_errinfo *error) {
    RUSM_ASSERT(wasm && spec && out);
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

enum rusm_err program_load_from(const rusm_program *template, const void *wasm, size_t wasm_bytes,
                                rusm_program **out, struct rusm_errinfo *error) {
    const struct rusm_program_spec spec = {.wasm = wasm,
                                           .wasm_bytes = wasm_bytes,
                                           .entry = template->entry,
                                           .capability = template->capability->name};
    return rusm_program_load(template->wasm, &spec, out, error);
}

/* ---- the whole ---- */

void rusm_wasm_config_init(struct rusm_wasm_config *config) {
    *config = (struct rusm_wasm_config){
        .instances_max = 4096,
        .spawn_queue_max = 65536,
        .spawn_wait_ms = 30000,
        .memory_bytes_max = (uint64_t)4 << 30,
        .memory_reservation = (uint64_t)4 << 30,
        .stack_bytes = 512 * 1024,
        .table_elements_max = 65536,
        .epoch_ms = 2,
        .cache_bytes_max = (uint64_t)1 << 30,
        .log_level = RUSM_LOG_INFO,
    };
}

static enum rusm_err check_config(const struct rusm_wasm_config *c, struct rusm_errinfo *error) {
    const char *wrong = NULL;
    if (c->instances_max == 0 || c->instances_max > 1u << 20) {
        wrong = "instances_max is 1 to 1048576";
    } else if (c->spawn_queue_max == 0 || c->spawn_queue_max > 1u << 24) {
        wrong = "spawn_queue_max is 1 to 16777216";
    } else if (c->memory_reservation < 65536 || c->memory_reservation > (uint64_t)1 << 36) {
        wrong = "memory_reservation is 64 KiB to 64 GiB";
    } else if (c->memory_bytes_max == 0 || c->memory_bytes_max > c->memory_reservation) {
        wrong = "memory_bytes_max is 1 to memory_reservation";
    } else if (c->stack_bytes < 65536 || c->stack_bytes > 16u << 20) {
        wrong = "stack_bytes is 64 KiB to 16 MiB";
    } else if (c->epoch_ms == 0 || c->epoch_ms > 1000) {
        wrong = "epoch_ms is 1 to 1000";
    } else if (c->table_elements_max == 0 || c->table_elements_max > 1u << 24) {
        wrong = "table_elements_max is 1 to 16777216";
    } else if ((uint32_t)c->log_level > RUSM_LOG_DEBUG) {
        wrong = "log_level is one of enum rusm_log_level";
    }
    return wrong ? errinfo_set(error, RUSM_ERR_INVALID, "rusm_wasm_config: %s", wrong) : RUSM_OK;
}

static bool link_bridge(rwt_linker *linker, const struct wasm_bridge *bridge,
                        struct rwt_text *text) {
    for (size_t i = 0; i < bridge->core_count; i++) {
        if (!rwt_linker_core(linker, &bridge->core[i], text)) {
            return false;
        }
    }
    for (size_t i = 0; i < bridge->component_count; i++) {
        if (!rwt_linker_component(linker, &bridge->component[i], text)) {
            return false;
        }
    }
    return true;
}

/* The bridges are ours and fit, or this is not the library that was built. */
static void link_bridges(struct rusm_wasm *wasm) {
    for (uint32_t lane = 0; lane < wasm->pool.lane_count; lane++) {
        rwt_linker *linker = wasm->pool.lanes[lane].linker;
        struct rwt_text text = {NULL, 0};
        bool linked = rwt_linker_wasi(linker, &text);
        for (size_t i = 0; linked && i < wasm->bridge_count; i++) {
            linked = link_bridge(linker, wasm->bridges[i], &text);
        }
        if (!linked) {
            (void)fprintf(stderr, "rusm: %.*s\n", (int)text.len, text.data);
        }
        RUSM_ASSERT(linked);
    }
}

enum rusm_err wasm_create(rusm_runtime *runtime, const struct rusm_wasm_config *config,
                          const struct wasm_bridge *const *bridges, size_t bridge_count,
                          rusm_wasm **out, struct rusm_errinfo *error) {
    RUSM_ASSERT(runtime && out && bridge_count <= WASM_BRIDGES_MAX);
    struct rusm_wasm_config defaults;
    if (!config) {
        rusm_wasm_config_init(&defaults);
        config = &defaults;
    }
    enum rusm_err err = check_config(config, error);
    if (err != RUSM_OK) {
        return err;
    }
    struct rusm_wasm *wasm = rusm_zalloc_aligned(64, sizeof *wasm);
    if (!wasm) {
        return errinfo_set(error, RUSM_ERR_NOMEM, "no memory");
    }
    wasm->capabilities = capabilities_create();
    if (!wasm->capabilities) {
        rusm_free(wasm);
        return errinfo_set(error, RUSM_ERR_NOMEM, "no memory");
    }
    pthread_mutex_init(&wasm->names.lock, NULL);
    for (size_t i = 0; i < bridge_count; i++) {
        wasm->bridges[wasm->bridge_count++] = bridges[i];
    }
    err = pool_init(&wasm->pool, runtime, config, error);
    if (err != RUSM_OK) {
        rusm_wasm_destroy(wasm);
        return err;
    }
    link_bridges(wasm);
    *out = wasm;
    return RUSM_OK;
}

void rusm_wasm_destroy(rusm_wasm *wasm) {
    while (wasm->names.first) {
        struct rusm_program *program = wasm->names.first;
        wasm->names.first = program->next;
        rusm_program_release(program);
    }
    pthread_mutex_destroy(&wasm->names.lock);
    capabilities_destroy(wasm->capabilities);
    pool_deinit(&wasm->pool);
    rusm_free(wasm);
}

const struct rusm_wasm_config *wasm_config(const rusm_wasm *wasm) {
    return &wasm->pool.config;
}

enum rusm_err rusm_wasm_define_capability(rusm_wasm *wasm, const char *name,
                                          const struct rusm_capability *capability,
                                          struct rusm_errinfo *error) {
    return capabilities_define(wasm->capabilities, name, capability, error);
}

void rusm_wasm_info(rusm_wasm *wasm, struct rusm_wasm_info *out) {
    pool_info(&wasm->pool, out);
}
