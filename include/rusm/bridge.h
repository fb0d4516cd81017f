/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Custom bridges: interfaces of the embedding program that WebAssembly components import. The
 * component's WIT says what types a function has; its C side gets and gives values of any type as
 * trees. A component may import a bridge only if its capability lists the bridge's name.
 *
 * A function is called on a scheduler's thread, on several at once, in the guest's process
 * (rusm_self). It may call what does not wait: rusm_send, rusm_spawn, rusm_whereis and the like. It
 * must not block nor suspend: asserted where the runtime can see it. A guest that needs something
 * slow sends a message to a native process and receives the answer.
 */
#ifndef RUSM_BRIDGE_H
#define RUSM_BRIDGE_H

#include <rusm/wasm.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Types of the component model. BYTES is list<u8>, LIST every other list; one without items, in
 * arguments of functions that are not list<u8> -> list<u8>, is a LIST whatever its type. */
enum rusm_value_kind {
    RUSM_VALUE_BOOL,
    RUSM_VALUE_S8,
    RUSM_VALUE_U8,
    RUSM_VALUE_S16,
    RUSM_VALUE_U16,
    RUSM_VALUE_S32,
    RUSM_VALUE_U32,
    RUSM_VALUE_S64,
    RUSM_VALUE_U64,
    RUSM_VALUE_F32,
    RUSM_VALUE_F64,
    RUSM_VALUE_CHAR,
    RUSM_VALUE_STRING,
    RUSM_VALUE_BYTES,
    RUSM_VALUE_LIST,
    RUSM_VALUE_RECORD,
    RUSM_VALUE_TUPLE,
    RUSM_VALUE_VARIANT,
    RUSM_VALUE_ENUM,
    RUSM_VALUE_OPTION,
    RUSM_VALUE_RESULT,
    RUSM_VALUE_FLAGS,
};

/* One value. Zero-initialise what you give; what is not named for its kind is not looked at. */
struct rusm_value {
    uint32_t kind; /* enum rusm_value_kind */
    bool present;  /* BOOL: the value. OPTION: some. RESULT: ok */
    union {
        int64_t s;
        uint64_t u; /* CHAR: the code point */
        double f;
    } number;
    struct {
        const uint8_t *data;
        size_t len;
    } text;                         /* STRING (UTF-8), BYTES; of a VARIANT or ENUM its case */
    const struct rusm_value *items; /* LIST, TUPLE; RECORD in the order of its fields; FLAGS that
                                       are set, as STRING; the payload of VARIANT, OPTION, RESULT,
                                       if there is one */
    size_t item_count;
};

struct rusm_bridge_call {
    void *arg; /* the function's own */
    const struct rusm_value *args;
    size_t arg_count;
    struct rusm_value result; /* what the function answers; not looked at if it has no result */
    const char *error;        /* why it failed, static; NULL = the error's name */
};

/*
 * What is not RUSM_OK traps: the guest ends with ERROR. `args` are borrowed for the call. What
 * `result` points to must stay until this guest calls this bridge again or ends: static memory or
 * rusm_bridge_alloc, but not `args`. A result of another type than the component wants traps.
 */
typedef enum rusm_err (*rusm_bridge_fn)(struct rusm_bridge_call *call);

/* Memory for a result, aligned to 16, that is freed in time; NULL without memory. From a bridge's
 * function only. */
void *rusm_bridge_alloc(struct rusm_bridge_call *call, size_t bytes);

struct rusm_bridge_func {
    const char *name; /* as in the WIT: "greet" */
    rusm_bridge_fn fn;
    void *arg; /* borrowed until the rusm_wasm is destroyed */
};

#define RUSM_BRIDGES_MAX      64u
#define RUSM_BRIDGE_FUNCS_MAX 256u
#define RUSM_BRIDGE_NAME_MAX  127u /* bytes of each name */

struct rusm_bridge {
    const char *name;      /* what capabilities list: "greeter" */
    const char *interface; /* "example:greeter/greeter@1.0.0" */
    const struct rusm_bridge_func *funcs;
    size_t func_count;
};

/*
 * Define a bridge, for programs that are loaded from now on; copied. A component that imports a
 * function which the bridge does not have is not loaded, nor one whose capability does not list
 * the bridge. Errors, `error` (NULL = not wanted) says more: INVALID (a name is missing or too
 * long, too many functions or bridges, an interface of the runtime's own), NAME_TAKEN (the bridge,
 * its interface, or a function twice), NOMEM. Any thread; waits for programs that are being loaded.
 *
 * Cost of a call: string -> string and list<u8> -> list<u8> pass without an allocation, what is
 * inside others costs one for each value. docs/design/bridges.md has figures.
 */
enum rusm_err rusm_wasm_define_bridge(rusm_wasm *wasm, const struct rusm_bridge *bridge,
                                      struct rusm_errinfo *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
