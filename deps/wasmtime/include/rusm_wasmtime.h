/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Wasmtime as src/wasm needs it: engines, artefacts, linkers over C functions, and instances whose
 * run is a future that is polled. Plumbing only; what a function does is decided in C.
 *
 * The model. An `rwt_engine` owns a pool of slots for instances. Bytes are compiled to an artefact,
 * which every engine loads by itself; `rwt_prepare` resolves a loaded program's imports once.
 * `rwt_start` makes an instance's future and `rwt_poll` drives it, on any thread, one at a time.
 * While a host function answers RWT_BLOCK the future is pending, and the function is called again,
 * with the same arguments, by the next poll.
 *
 * Threads: engines, artefacts and prepared programs are for any thread. An instance is used by one
 * thread at a time. Host functions are called inside rwt_poll, on the guest's stack: they must
 * return, and must not switch stacks.
 * Ownership: `*_new`, `_load`, `_prepare`, `_start` give what `*_delete` takes. Texts of errors are
 * owned, `rwt_text_delete`.
 * Source of what it wraps: the documentation of crate wasmtime 48.
 */
#ifndef RUSM_WASMTIME_H
#define RUSM_WASMTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef struct rwt_engine rwt_engine;
typedef struct rwt_artefact rwt_artefact;
typedef struct rwt_program rwt_program;
typedef struct rwt_linker rwt_linker;
typedef struct rwt_prepared rwt_prepared;
typedef struct rwt_grant rwt_grant;
typedef struct rwt_instance rwt_instance;
typedef struct rwt_waking rwt_waking;

/* Borrowed bytes; `data` may be NULL if `len` is 0. */
struct rwt_slice {
    const uint8_t *data;
    size_t len;
};

/* UTF-8, owned, not terminated by 0. {NULL, 0} = none. */
struct rwt_text {
    char *data;
    size_t len;
};
void rwt_text_delete(struct rwt_text text);

/* ---- engines ---- */

struct rwt_engine_config {
    uint32_t instances;            /* slots */
    uint32_t tables_per_instance;  /* of a core module */
    uint32_t table_elements;       /* a table's most */
    uint64_t memory_bytes_max;     /* a linear memory's most */
    uint64_t memory_reservation;   /* address space a memory; under 4 GiB guests check bounds */
    uint64_t memory_keep_resident; /* bytes reset in place rather than given back */
    uint64_t stack_bytes;          /* of a guest, the host functions it calls included */
    uint64_t guest_stack_bytes;    /* of these, the guest's own */
    bool pagemap_scan;             /* find touched pages by PAGEMAP_SCAN where the kernel has it */
};

/* NULL with a text: the pool could not be held. */
rwt_engine *rwt_engine_new(const struct rwt_engine_config *config, struct rwt_text *error);
/* Programs and instances keep what they need of it. */
void rwt_engine_delete(rwt_engine *engine);
/* Advance the engine's epoch: guests that run yield at their next loop or call. Any thread, any
 * time; one atomic addition. */
void rwt_engine_tick(const rwt_engine *engine);

/* ---- programs ---- */

enum rwt_kind { RWT_MODULE, RWT_COMPONENT };

/* SHA-256 of what decides an artefact: the bytes, the engine's settings and version. */
void rwt_artefact_key(const rwt_engine *engine, struct rwt_slice wasm, uint8_t key[32]);
void rwt_sha256(struct rwt_slice data, uint8_t digest[32]);
void rwt_hmac_sha256(struct rwt_slice key, struct rwt_slice data, uint8_t digest[32]);

/* Compile a module or component, binary or text. Takes milliseconds and more. */
rwt_artefact *rwt_compile(const rwt_engine *engine, struct rwt_slice wasm, struct rwt_text *error);
/* Its bytes, for a cache; borrowed. */
struct rwt_slice rwt_artefact_bytes(const rwt_artefact *artefact);
void rwt_artefact_delete(rwt_artefact *artefact);

/* Load what rwt_compile made, on an engine of the same settings. It is machine code: the bytes must
 * be trusted. By file, pages are shared between engines. */
rwt_program *rwt_load(const rwt_engine *engine, struct rwt_slice artefact, struct rwt_text *error);
rwt_program *rwt_load_file(const rwt_engine *engine, const char *path, struct rwt_text *error);
void rwt_program_delete(rwt_program *program);
enum rwt_kind rwt_program_kind(const rwt_program *program);
/* Visit the modules or interfaces that it imports from, those of modules once for each import,
 * until `visit` returns false; then false. `name` is borrowed for the call. */
bool rwt_program_imports(const rwt_program *program,
                         bool (*visit)(void *arg, struct rwt_slice name), void *arg);

/* ---- host functions ---- */

enum rwt_status {
    RWT_DONE,  /* results are written */
    RWT_BLOCK, /* not yet: pending; call again */
    RWT_TRAP,  /* end the instance: `error` says why */
    RWT_EXIT,  /* end the instance; the caller knows why */
    RWT_SPENT, /* as DONE, and the guest yields at its next loop or call */
};

/* A value of a core function: the low bytes, as the architecture lays them out. */
union rwt_raw {
    int32_t i32;
    int64_t i64;
    uint64_t bits[2];
};

struct rwt_core_call {
    void *guest;     /* as given to rwt_start */
    uint8_t *memory; /* the guest's, NULL if it exports none; valid during the call */
    size_t memory_bytes;
    union rwt_raw *values;  /* parameters; the result takes the place of the first */
    struct rwt_slice error; /* with RWT_TRAP; static or the guest's */
};
typedef enum rwt_status (*rwt_core_fn)(struct rwt_core_call *call);

struct rwt_core_func {
    const char *module;
    const char *name;
    const char *type; /* parameters and result, 'i' = i32, 'I' = i64: "iI:i", "i:" */
    rwt_core_fn fn;
    bool may_block; /* only such may answer RWT_BLOCK */
};

/* A parameter of a component's function. */
union rwt_arg {
    uint64_t number;        /* u64, u32, u16, bool, the case of an enum */
    struct rwt_slice bytes; /* string (UTF-8), list<u8>; of an option: data NULL = none */
    struct {
        const struct rwt_slice *items;
        size_t count;
    } strings; /* list<string> */
};

struct rwt_process_info {
    uint64_t pid;
    uint32_t links;
    uint32_t monitors;
    const struct rwt_slice *names;
    size_t name_count;
    bool has_label;
    struct rwt_slice label;
    uint64_t mailbox_depth; /* over 32 bits it is shown as their largest */
    bool trap_exit;
};

struct rwt_connection_info {
    struct rwt_slice method, path, query, remote_addr, subprotocol;
    bool has_subprotocol;
    const struct rwt_slice *params;   /* name, value, name, value */
    const struct rwt_slice *headers;  /* the same */
    size_t param_count, header_count; /* pairs */
};

/* What a component's function answers; zeroed before the call. */
struct rwt_ret {
    uint64_t number;        /* a number, or that inside an option or result */
    bool present;           /* option: some; result: ok */
    struct rwt_slice bytes; /* string, list<u8>, list<u64>; an option's or result's; an error's
                               text; borrowed until `release` */
    const struct rwt_slice *strings; /* list<string> */
    size_t string_count;
    const struct rwt_process_info *info;
    const struct rwt_connection_info *connection;
    void (*release)(void *owner); /* called once the answer has been copied; NULL = none */
    void *owner;
    struct rwt_slice error; /* with RWT_TRAP */
};
typedef enum rwt_status (*rwt_component_fn)(void *guest, const union rwt_arg *args,
                                            struct rwt_ret *ret);

struct rwt_component_func {
    const char *interface; /* "rusm:runtime/actor@0.1.0" */
    const char *name;
    const char *type; /* "params:result" in the letters of rwt_types below */
    rwt_component_fn fn;
    bool may_block;
};

/*
 * Letters of a component function's type. Parameters: w u32, h u16, u u64, f bool, s string, b
 * list<u8>, S list<string>, t option<string>, v option<u32>, g l x the enums of supervise, log,
 * exit. Results: nothing, u, w, f, b, U list<u64>, ob ou option<...>, rn ru rf rS rob result<...,
 * string> (rn: no payload), p option<process-info>, c option<connection-info>. Which combinations
 * there are: src/component.rs. A function of another type is called with dynamic values:
 * rwt_linker_dynamic.
 */

/* A value of any type, for custom interfaces. Trees are borrowed during the call. */
enum rwt_value_kind {
    RWT_V_BOOL,
    RWT_V_S8,
    RWT_V_U8,
    RWT_V_S16,
    RWT_V_U16,
    RWT_V_S32,
    RWT_V_U32,
    RWT_V_S64,
    RWT_V_U64,
    RWT_V_F32,
    RWT_V_F64,
    RWT_V_CHAR,
    RWT_V_STRING,
    RWT_V_BYTES,
    RWT_V_LIST,
    RWT_V_RECORD,
    RWT_V_TUPLE,
    RWT_V_VARIANT,
    RWT_V_ENUM,
    RWT_V_OPTION,
    RWT_V_RESULT,
    RWT_V_FLAGS
};
struct rwt_value {
    uint32_t kind; /* enum rwt_value_kind; BYTES is list<u8>, but LIST if it is empty */
    bool present;  /* OPTION: some; RESULT: ok; BOOL: the value */
    union {
        int64_t s;
        uint64_t u;
        double f;
    } number;
    struct rwt_slice text; /* STRING, BYTES; the case of VARIANT, ENUM */
    const struct rwt_value
        *items; /* LIST, RECORD, TUPLE, FLAGS (as STRING); payload of VARIANT, OPTION, RESULT */
    size_t item_count;
};
typedef enum rwt_status (*rwt_dynamic_fn)(void *guest, void *arg, const struct rwt_value *args,
                                          size_t arg_count, struct rwt_value *result,
                                          struct rwt_slice *error);

rwt_linker *rwt_linker_new(const rwt_engine *engine);
void rwt_linker_delete(rwt_linker *linker);
/* False with a text: the name is taken, or the type is none. */
bool rwt_linker_core(rwt_linker *linker, const struct rwt_core_func *func, struct rwt_text *error);
bool rwt_linker_component(rwt_linker *linker, const struct rwt_component_func *func,
                          struct rwt_text *error);
/* A function `name` of a custom `interface`, of whatever type the component imports it with. `fn`
 * must not answer RWT_BLOCK; what it answers with it keeps until it is called for this guest again.
 * `arg` is borrowed for the linker's and its programs' life. Not while a program is prepared.
 * string -> string and list<u8> -> list<u8> pass without an allocation. */
bool rwt_linker_dynamic(rwt_linker *linker, const char *interface, const char *name,
                        rwt_dynamic_fn fn, void *arg, struct rwt_text *error);
/* WASI preview 1 and 2, under the grant of each instance. */
bool rwt_linker_wasi(rwt_linker *linker, struct rwt_text *error);

/* Resolve imports. `entry`: the exported function without parameters that is the guest's body. A
 * component without it, but with wasi:cli/run, is run by that; one that only answers HTTP requests
 * (wasi:http/incoming-handler) is instantiated and has nothing to run. NULL with a text that names
 * what is missing or does not fit. */
rwt_prepared *rwt_prepare(const rwt_linker *linker, const rwt_program *program, const char *entry,
                          struct rwt_text *error);
void rwt_prepared_delete(rwt_prepared *prepared);

/* ---- WASI grants ---- */

struct rwt_preopen {
    const char *host;
    const char *guest;
    bool read_only;
};

struct rwt_grant_config {
    bool stdio;
    bool network;
    const char *const *network_hosts; /* "host:port", "host:*"; count 0 = all, if `network` */
    size_t network_host_count;
    const char *const *env; /* name, value, name, value */
    size_t env_count;       /* pairs */
    const char *const *args;
    size_t arg_count;
    const struct rwt_preopen *preopens;
    size_t preopen_count;
};
/* A grant shared by instances; copied. NULL with a text: a folder cannot be opened. */
rwt_grant *rwt_grant_new(const struct rwt_grant_config *config, struct rwt_text *error);
void rwt_grant_delete(rwt_grant *grant);

/* ---- instances ---- */

/* How futures that wait for the outside (WASI) wake their process: `wake(arg, id)` on any thread.
 * After rwt_waking_close has returned it is not called any more. */
rwt_waking *rwt_waking_new(void (*wake)(void *arg, uint64_t id), void *arg);
void rwt_waking_close(rwt_waking *waking);

struct rwt_start {
    void *guest;
    const rwt_grant *grant; /* borrowed; outlives the instance */
    const rwt_waking *waking;
    uint64_t wake_id;
    uint64_t memory_bytes_max; /* of all its linear memories */
    uint32_t table_elements_max;
    _Atomic uint64_t *memory_bytes; /* kept up to date: bytes of its linear memories; may be NULL */
};

/* Costs an allocation; the slot is taken by the first poll. */
rwt_instance *rwt_start(const rwt_prepared *prepared, const struct rwt_start *start);

enum rwt_poll {
    RWT_PENDING,  /* a host function said RWT_BLOCK, or WASI waits and will wake */
    RWT_YIELDED,  /* poll again when others had their turn */
    RWT_FINISHED, /* the entry has returned */
    RWT_EXITED,   /* a host function said RWT_EXIT */
    RWT_STATUS,   /* proc_exit, or wasi:cli/run failed: `status` */
    RWT_TRAPPED,  /* `text` says why */
    RWT_LIMITED,  /* a limit was passed: `text` */
    RWT_NO_SLOT,  /* the pool is full; it has not run; start another one later */
};
struct rwt_outcome {
    int32_t status;
    struct rwt_slice text; /* borrowed until the instance is deleted */
};
enum rwt_poll rwt_poll(rwt_instance *instance, struct rwt_outcome *outcome);
/* At any time between polls; a suspended guest is unwound. */
void rwt_instance_delete(rwt_instance *instance);

#endif
