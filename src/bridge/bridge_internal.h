/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What the bridges share. */
#ifndef BRIDGE_BRIDGE_INTERNAL_H
#define BRIDGE_BRIDGE_INTERNAL_H

#include "bridge/bridge.h"
#include <string.h>

/* ---- the bridges, at their index of wasm_create: that of their state ---- */

enum bridge_index {
    BRIDGE_LOG,
    BRIDGE_PROCESSES,
    BRIDGE_MAILBOX,
    BRIDGE_TIMERS,
    BRIDGE_WATCH,
    BRIDGE_SPAWN,
    BRIDGE_SUPERVISE,
    BRIDGE_DYNAMIC,
    BRIDGE_PG,
    BRIDGE_STREAMS,
    BRIDGE_CUSTOM,
    BRIDGE_KV,
    BRIDGE_SERVE,
    BRIDGE_COUNT
};

extern const struct wasm_bridge bridge_log;
extern const struct wasm_bridge bridge_processes; /* itself, others, names */
extern const struct wasm_bridge bridge_mailbox;   /* send, receive, stash */
extern const struct wasm_bridge bridge_timers;    /* send_after */
extern const struct wasm_bridge bridge_watch;     /* monitors, links, exits */
extern const struct wasm_bridge bridge_spawn;     /* components by their names */
extern const struct wasm_bridge bridge_supervise; /* supervisors of components */
extern const struct wasm_bridge bridge_dynamic;   /* code under a template */
extern const struct wasm_bridge bridge_pg;        /* groups */
extern const struct wasm_bridge bridge_streams;
extern const struct wasm_bridge bridge_custom;
extern const struct wasm_bridge bridge_kv;
extern const struct wasm_bridge bridge_serve;

/* The tables of a bridge. */
#define BRIDGE_FUNCS(core_table, component_table)                                                  \
    .core = (core_table), .core_count = sizeof(core_table) / sizeof(core_table)[0],                \
    .component = (component_table),                                                                \
    .component_count = sizeof(component_table) / sizeof(component_table)[0]

#define ACTOR "rusm:runtime/actor@0.1.0"
#define LINKS "rusm:runtime/links@0.2.0"

/* ---- answers of core functions, as in sdk/README.md ---- */

enum bridge_code {
    CODE_NONE = -1,
    CODE_DENIED = -2,
    CODE_LIMIT = -3,
    CODE_INVALID = -4,
    CODE_FAILED = -5,
};

static inline enum rwt_status core_answer_i32(struct rwt_core_call *call, int32_t value) {
    call->values[0].i32 = value;
    return guest_done();
}

static inline enum rwt_status core_answer_i64(struct rwt_core_call *call, int64_t value) {
    call->values[0].i64 = value;
    return guest_done();
}

/* ---- rights ---- */

static inline bool may_spawn(const struct guest *guest) {
    return guest_grant(guest)->spawn == RUSM_ALLOW;
}

static inline bool may_control(const struct guest *guest) {
    return guest_grant(guest)->process_control == RUSM_ALLOW;
}

/* Whether the guest may see and end `pid`. */
static inline bool may_touch(const struct guest *guest, rusm_pid pid) {
    return pid.v == rusm_self().v || may_control(guest);
}

/* ---- texts and bytes ---- */

/* The bytes of a literal. */
#define BRIDGE_TEXT(literal) ((struct rwt_slice){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Trap; `text` is static. */
static inline enum rwt_status core_trap(struct rwt_core_call *call, struct rwt_slice text) {
    call->error = text;
    return RWT_TRAP;
}

/* As guest_memory for a text: what is not UTF-8 traps. */
bool core_text(struct rwt_core_call *call, int32_t ptr, int32_t len, struct rwt_slice *out,
               enum rwt_status *status);

/* The guest's memory to be written to. */
static inline uint8_t *core_out(struct rwt_slice memory) {
    return (uint8_t *)(uintptr_t)memory.data;
}

/* A name or tag as a C string; false if it has none of 1 to RUSM_NAME_BYTES_MAX bytes, or has one
 * that is 0. */
bool bridge_name(struct rwt_slice text, char out[RUSM_NAME_BYTES_MAX + 1]);

/* An error of a component's function: a copy of `text`. */
void ret_error(struct rwt_ret *ret, const char *text);

/* End the guest with LIMIT. */
enum rwt_status guest_end_by_limit(struct guest *guest, const char *text);

/* ---- lists of processes ---- */

/* Owned by the caller (rusm_free of `items`). */
struct pids {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

/* False without memory. */
bool pids_add(struct pids *pids, rusm_pid pid);
/* As many as fit into `cap` pids at `out` in the guest's memory; answers how many there are. Frees
 * `pids`. */
enum rwt_status core_answer_pids(struct rwt_core_call *call, struct pids *pids, int32_t out,
                                 int32_t cap);
/* The same for a component. */
enum rwt_status ret_pids(struct pids *pids, struct rwt_ret *ret);

/* ---- watch.c ---- */

/* The news of a monitor's end have been given to the guest. */
void watch_heard(struct guest *guest, const struct rusm_down *down);
/* Note a monitor that was made with a spawn; false if there are too many, or without memory. */
bool watch_note(struct guest *guest, rusm_pid pid, rusm_ref ref);

/* ---- spawn.c ---- */

/* How many of the processes that a guest has spawned are alive; counted only where its capability
 * sets a limit. Shared by the guest and its children. */
struct children;

/* Those of the guest. False without memory; `*out` NULL = they are not counted. */
bool children_of(struct guest *guest, struct children **out);
/* Whether `count` more may be spawned. `children` may be NULL in all of these. */
bool children_have_room(const struct guest *guest, const struct children *children, uint64_t count);
struct children *children_hold(struct children *children);
void children_release(struct children *children);
/* program_spawn, counted, under the component's name as label. */
enum rusm_err children_spawn(struct children *children, rusm_program *program,
                             const struct rusm_spawn_opts *opts, const struct otp_tie *tie,
                             rusm_pid *out);

/* The program of that name, held; NULL and a text if there is none that is, or is not, a template.
 */
rusm_program *component_find(const struct guest *guest, struct rwt_slice text, bool is_template,
                             struct rusm_errinfo *error);

/* What a start that failed answers: an enum bridge_code. */
int64_t spawn_code(enum rusm_err err);

#endif
