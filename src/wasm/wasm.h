/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * WebAssembly guests as processes, for the components above: what a host interface (a bridge) needs
 * to be imported by guests. Programs that embed the runtime use <rusm/wasm.h>.
 *
 * The model. Each scheduler has an engine with its own pool of instances; a guest is made on the
 * engine of the scheduler that first runs it, and may be run by any. A guest is a step process:
 * its step polls the instance until that ends, blocks in an import, or has used its slice.
 *
 * Host functions run inside the poll, on the guest's stack, between otp_foreign_enter and _leave:
 * they may call whatever does not wait. One that has to wait answers RWT_BLOCK by
 * guest_wait_message or guest_block and is called again once that is over, with the same arguments.
 *
 * Threads: a guest's functions run on the scheduler that runs the guest. Ownership: `struct guest`
 * belongs to its process. It does not know what the bridges do, rusm.toml, or protocols.
 */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include "base/errinfo.h"
#include "otp/otp.h"
#include <rusm/bridge.h>
#include <rusm/capability.h>
#include <rusm/wasm.h>
#include <rusm_wasmtime.h>

struct capability;
struct guest;

/* ---- what a bridge is ---- */

struct wasm_bridge {
    const char *name; /* for messages */
    const struct rwt_core_func *core;
    size_t core_count;
    const struct rwt_component_func *component;
    size_t component_count;
    /* Free what guest_set_bridge_state has stored; NULL = nothing. Called when the guest ends. */
    void (*guest_end)(struct guest *guest, void *state);
};

#define WASM_BRIDGES_MAX 16u

/* As rusm_wasm_create, with these bridges, which are static. */
enum rusm_err wasm_create(rusm_runtime *runtime, const struct rusm_wasm_config *config,
                          const struct wasm_bridge *const *bridges, size_t bridge_count,
                          rusm_wasm **out, struct rusm_errinfo *error);

/* As rusm_wasm_define_bridge; `call` is called with a struct rusm_bridge_func as `arg`. */
enum rusm_err wasm_define_custom(rusm_wasm *wasm, const struct rusm_bridge *bridge,
                                 rwt_dynamic_fn call, struct rusm_errinfo *error);

/* As given to wasm_create, with the defaults. */
const struct rusm_wasm_config *wasm_config(const rusm_wasm *wasm);

/* Its name, "" = none. Lives as long as the program. */
const char *program_name(const rusm_program *program);
bool program_is_template(const rusm_program *program);
/* As rusm_spawn_guest, tied to the calling process. */
enum rusm_err program_spawn(rusm_program *program, const struct rusm_spawn_opts *opts,
                            const struct otp_tie *tie, rusm_pid *out);

/* ---- for host functions: the guest that calls ---- */

rusm_wasm *guest_wasm(const struct guest *guest);
rusm_program *guest_program(const struct guest *guest);
const struct capability *guest_capability(const struct guest *guest);
/* What it may do, resolved: no RUSM_INHERIT, no number 0. */
const struct rusm_capability *guest_grant(const struct guest *guest);
/* Whether it may register `name`, or be in the group of that name. */
bool guest_may_claim(const struct guest *guest, const char *name);

/* What the bridge at `index` of wasm_create keeps for this guest; NULL until set. */
void *guest_bridge_state(const struct guest *guest, size_t index);
void guest_set_bridge_state(struct guest *guest, size_t index, void *state);

/* Block until the process has a message or is woken; the function is then called again. */
enum rwt_status guest_wait_message(struct guest *guest);

/*
 * Block while op(guest, arg) runs on the process's own stack, where it may wait; the function is
 * called again after it has returned. `arg` must live until then: keep it in the bridge's state.
 */
typedef void (*guest_op)(struct guest *guest, void *arg);
enum rwt_status guest_block(struct guest *guest, guest_op op, void *arg);

/* Count one mark of progress: rusm_wasm_info.notifies. */
void guest_notify(const struct guest *guest);

/* DONE, or SPENT if the guest should let others run. */
enum rwt_status guest_done(void);

/* End the guest with `reason` (copied). */
enum rwt_status guest_exit(struct guest *guest, const struct rusm_exit_reason *reason);

/* The core function's bytes at `ptr`, `len` of them, or a trap that names the function: then false
 * and `*status` is what to answer. */
bool guest_memory(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
                  enum rwt_status *status);

#endif
