/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/driver.h"

static const char *drive_run(void *arg, const char *scenario) {
    return runner_run(arg, scenario);
}

static void drive_stop(void *arg) {
    runner_stop(arg);
}

static void drive_set_profile(void *arg, enum node_profile profile) {
    runner_set_profile(arg, profile);
}

static bool drive_active(void *arg) {
    return runner_is_active(arg);
}

static void drive_tick(void *arg, struct node_run *out) {
    runner_tick(arg);
    runner_fill(arg, out);
}

struct node_driver driver_of(struct runner *runner, struct wasm_host *host) {
    struct node_driver driver = {
        .arg = runner,
        .run = drive_run,
        .stop = drive_stop,
        .set_profile = drive_set_profile,
        .active = drive_active,
        .tick = drive_tick,
#ifdef RUSM_WASM
        .wasm_info = wasm_host_info,
        .wasm_arg = host,
        .guest_kind = rusm_guest_kind,
#endif
    };
    (void)host;
    driver.scenarios = catalog_scenarios(&driver.scenario_count);
    return driver;
}

void driver_config_guests(struct runner_config *config, struct wasm_host *host) {
#ifdef RUSM_WASM
    config->wasm = wasm_host_get;
    config->wasm_arg = host;
    config->greeter = host->greeter;
#else
    (void)config;
    (void)host;
#endif
}
