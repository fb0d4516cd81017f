/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What runs guests in a runtime: the pool, the bridges, the capabilities, the caches. */
#include "wasm/program_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <rusm/timer.h>
#include <stdio.h>
#include <string.h>

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
        .dynamic_ttl_ms = 300000,
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
    } else if (c->dynamic_ttl_ms == 0 || c->dynamic_ttl_ms > RUSM_TIMER_MS_MAX) {
        wrong = "dynamic_ttl_ms is 1 to RUSM_TIMER_MS_MAX";
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

static void release_dynamic(void *arg, void *value) {
    (void)arg;
    rusm_program_release(value);
}

static enum rusm_err make_parts(struct rusm_wasm *wasm, struct rusm_errinfo *error) {
    const struct rusm_wasm_config *config = &wasm->pool.config;
    const struct cache_config cache = {
        .compiler = {.engine = wasm->pool.lanes[0].engine,
                     .artefact_key = rwt_artefact_key,
                     .compile = rwt_compile,
                     .artefact_bytes = rwt_artefact_bytes,
                     .artefact_delete = rwt_artefact_delete,
                     .text_delete = rwt_text_delete,
                     .hmac_sha256 = rwt_hmac_sha256},
        .dir = config->cache_dir,
        .disk_bytes_max = config->cache_bytes_max,
    };
    const struct ttl_map_config dynamic = {.ttl_ns = config->dynamic_ttl_ms * 1000000,
                                           .destroy = release_dynamic};
    wasm->capabilities = capabilities_create();
    wasm->dynamic = ttl_map_create(&dynamic);
    if (!wasm->capabilities || !wasm->dynamic) {
        return errinfo_set(error, RUSM_ERR_NOMEM, "no memory");
    }
    return cache_create(&cache, &wasm->cache, error);
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
    pthread_mutex_init(&wasm->names.lock, NULL);
    pthread_rwlock_init(&wasm->customs_lock, NULL);
    for (size_t i = 0; i < bridge_count; i++) {
        wasm->bridges[wasm->bridge_count++] = bridges[i];
    }
    err = pool_init(&wasm->pool, runtime, config, error);
    if (err == RUSM_OK) {
        err = make_parts(wasm, error);
    }
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
    ttl_map_destroy(wasm->dynamic);
    capabilities_destroy(wasm->capabilities);
    cache_destroy(wasm->cache);
    pool_deinit(&wasm->pool);
    customs_free(wasm);
    pthread_rwlock_destroy(&wasm->customs_lock);
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
