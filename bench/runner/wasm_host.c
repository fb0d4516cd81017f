/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/wasm_host.h"

#include "engines/greeter.h"
#include <stdatomic.h>

bool wasm_host_init(struct wasm_host *host, rusm_runtime *runtime) {
    host->runtime = runtime;
    host->greeter = NULL;
#ifdef RUSM_WASM
    host->greeter = greeter_create();
    if (!host->greeter) {
        return false;
    }
#endif
    atomic_store_explicit(&host->wasm, NULL, memory_order_relaxed);
    pthread_mutex_init(&host->lock, NULL);
    return true;
}

#ifdef RUSM_WASM
/* Fewer slots do, where there is no address space for the usual number: under a limit of the
 * system's, or with ThreadSanitizer, which takes most of it. */
#define FEWEST_INSTANCES 256u

static enum rusm_err create(rusm_runtime *runtime, rusm_wasm **out, struct rusm_errinfo *error) {
    struct rusm_wasm_config config;
    rusm_wasm_config_init(&config);
    enum rusm_err err = rusm_wasm_create(runtime, &config, out, error);
    while (err == RUSM_ERR_SYSTEM && config.instances_max > FEWEST_INSTANCES) {
        config.instances_max /= 2;
        err = rusm_wasm_create(runtime, &config, out, error);
    }
    return err;
}

static rusm_wasm *make(const struct wasm_host *host, struct rusm_errinfo *error) {
    rusm_wasm *wasm;
    if (create(host->runtime, &wasm, error) != RUSM_OK) {
        return NULL;
    }
    if (greeter_define(host->greeter, wasm, error) != RUSM_OK) {
        rusm_wasm_destroy(wasm);
        return NULL;
    }
    return wasm;
}

rusm_wasm *wasm_host_get(void *arg, struct rusm_errinfo *error) {
    struct wasm_host *host = arg;
    pthread_mutex_lock(&host->lock);
    rusm_wasm *wasm = atomic_load_explicit(&host->wasm, memory_order_relaxed);
    if (!wasm) {
        wasm = make(host, error);
        /* Release: pairs with wasm_host_info. */
        atomic_store_explicit(&host->wasm, wasm, memory_order_release);
    }
    pthread_mutex_unlock(&host->lock);
    return wasm;
}

bool wasm_host_info(void *arg, struct rusm_wasm_info *out) {
    struct wasm_host *host = arg;
    rusm_wasm *wasm = atomic_load_explicit(&host->wasm, memory_order_acquire);
    if (wasm) {
        rusm_wasm_info(wasm, out);
    }
    return wasm != NULL;
}
#endif

void wasm_host_deinit(struct wasm_host *host) {
#ifdef RUSM_WASM
    rusm_wasm *wasm = atomic_load_explicit(&host->wasm, memory_order_relaxed);
    if (wasm) {
        rusm_wasm_destroy(wasm);
    }
    greeter_destroy(host->greeter);
#endif
    pthread_mutex_destroy(&host->lock);
}
