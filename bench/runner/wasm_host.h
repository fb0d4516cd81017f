/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What runs guests in the bench's runtime: made when a scenario first asks for it, so that runs of
 * native processes never pay for it. In a build without WebAssembly it is empty. */
#ifndef RUNNER_WASM_HOST_H
#define RUNNER_WASM_HOST_H

#include <pthread.h>
#include <rusm/wasm.h>
#include <stdbool.h>

struct greeter;

struct wasm_host {
    rusm_runtime *runtime; /* borrowed */
    pthread_mutex_t lock;
    _Atomic(rusm_wasm *) wasm; /* written under the lock; owned */
    struct greeter *greeter;   /* owned; defined in it */
};

/* False: out of memory. */
bool wasm_host_init(struct wasm_host *host, rusm_runtime *runtime);
/* For engine_config.wasm: `arg` is the host. NULL with a text. Any thread. */
rusm_wasm *wasm_host_get(void *arg, struct rusm_errinfo *error);
/* For node_driver.wasm_info: false while there is none. Any thread. */
bool wasm_host_info(void *arg, struct rusm_wasm_info *out);
/* After the runtime has been destroyed. */
void wasm_host_deinit(struct wasm_host *host);

#endif
