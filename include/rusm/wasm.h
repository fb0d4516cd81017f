/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * WebAssembly processes. A program is a core module or a component, compiled once; a guest is a
 * process that runs one instance of it, in a sandbox of its own: it is spawned, linked, monitored,
 * supervised and observed like any other process, and can do only what its capability allows.
 *
 * A guest suspends in its imports and is interrupted in its loops, so that it never keeps a
 * scheduler. It ends with NORMAL when its entry returns; with ERROR and a text when it traps or
 * exits with a status; with LIMIT and a text when it passes a limit of its capability.
 *
 * Nothing of this costs anything in a runtime that does not call rusm_wasm_create.
 */
#ifndef RUSM_WASM_H
#define RUSM_WASM_H

#include <rusm/link.h>
#include <rusm/process.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct rusm_capability;
typedef struct rusm_wasm rusm_wasm;
typedef struct rusm_program rusm_program;

/* What a guest logs. */
struct rusm_guest_line {
    rusm_pid pid;
    enum rusm_log_level level;
    const char *label; /* of the process, or "" */
    const char *text;  /* UTF-8, as the guest gave it: without a terminator, perhaps many lines */
    size_t text_bytes;
};
/* Called on a scheduler thread, on several at once: it must neither block nor suspend. `line` is
 * borrowed for the call. */
typedef void (*rusm_guest_log_fn)(void *arg, const struct rusm_guest_line *line);

/* Limits and sizes. rusm_wasm_config_init fills in the defaults given in brackets. */
struct rusm_wasm_config {
    /* Guests that hold an instance at once [4096]. Each takes address space (memory_reservation)
     * and about 4 mappings of the 65,530 that Linux allows a program by default
     * (vm.max_map_count): creation fails, and says so, where they cannot be had. */
    uint32_t instances_max;
    /* Spawned guests that wait for an instance to become free [65536]; further ones end with LIMIT
     * at once, and a waiting one after spawn_wait_ms [30000]. */
    uint32_t spawn_queue_max;
    uint64_t spawn_wait_ms;
    uint64_t memory_bytes_max;   /* of a guest, whatever its capability says [4 GiB] */
    uint64_t memory_reservation; /* address space for a memory [4 GiB]; under 4 GiB guests check
                                    each access, and run slower */
    uint64_t
        memory_keep_resident;    /* bytes a slot keeps between guests; 0 = what suits the kernel */
    uint32_t stack_bytes;        /* of a guest [512 KiB], 64 KiB..16 MiB */
    uint32_t table_elements_max; /* of a guest's table [65536] */
    uint32_t epoch_ms;           /* a guest's slice: longer runs are interrupted [2], 1..1000 */
    const char *cache_dir;       /* compiled programs; NULL = the user's cache, "" = none */
    uint64_t cache_bytes_max;    /* of that [1 GiB] */
    uint64_t dynamic_ttl_ms;     /* how long code of rusm_program_load_from that is not used is kept
                                    ready [300000] */
    enum rusm_log_level log_level; /* lines of higher levels are dropped [RUSM_LOG_INFO] */
    rusm_guest_log_fn log;         /* NULL: a line on standard error, cut at 8 KiB */
    void *log_arg;
};

void rusm_wasm_config_init(struct rusm_wasm_config *config);

/*
 * Make `runtime` able to run guests. `config` is borrowed for the call, NULL = the defaults.
 * Errors, `error` (NULL = not wanted) says more: INVALID (a field is out of its range), SYSTEM (the
 * pool cannot be held here), NOMEM. Any thread that is not a scheduler's. Takes some milliseconds.
 */
enum rusm_err rusm_wasm_create(rusm_runtime *runtime, const struct rusm_wasm_config *config,
                               rusm_wasm **out, struct rusm_errinfo *error);

/* After rusm_runtime_destroy, or once all guests have ended (asserted). Programs end with it. */
void rusm_wasm_destroy(rusm_wasm *wasm);

/* Define a capability by name; see <rusm/capability.h>. Errors: INVALID, NAME_TAKEN. Any thread. */
enum rusm_err rusm_wasm_define_capability(rusm_wasm *wasm, const char *name,
                                          const struct rusm_capability *capability,
                                          struct rusm_errinfo *error);

/* What a program is made of. Zero-initialise. Borrowed for the call. */
struct rusm_program_spec {
    const char *name;  /* guests spawn it by this; NULL = it has none */
    const void *wasm;  /* a module or component, binary or text */
    size_t wasm_bytes; /* at most RUSM_PROGRAM_BYTES_MAX */
    const char *entry; /* the exported function without parameters to call; NULL = "run"; at most
                          RUSM_NAME_BYTES_MAX bytes */
    const char *capability; /* NULL = "sandboxed" */
    bool is_template; /* without `wasm`: it has a name, and guests that may spawn run code of their
                         own under its capability (spawn-from). It cannot be spawned itself */
};
#define RUSM_PROGRAM_BYTES_MAX ((size_t)256 << 20)

/*
 * Compile, or find it compiled, and resolve its imports. Owned: rusm_program_release.
 * Errors, `error` says more: INVALID (not WebAssembly, an import that does not exist or is not
 * granted, no such entry or capability), NAME_TAKEN, NOMEM, SYSTEM. Compiling takes a while, and
 * more stack than a process has: a thread that may block; in a process, by rusm_blocking only.
 */
enum rusm_err rusm_program_load(rusm_wasm *wasm, const struct rusm_program_spec *spec,
                                rusm_program **out, struct rusm_errinfo *error);
/*
 * The same for code given at run time, under the capability and entry of `code_template`: the
 * program made of these bytes is kept ready for dynamic_ttl_ms after its last use, 1,024 of them,
 * and found by content. Errors as rusm_program_load.
 */
enum rusm_err rusm_program_load_from(const rusm_program *code_template, const void *wasm,
                                     size_t wasm_bytes, rusm_program **out,
                                     struct rusm_errinfo *error);
/* That program, held, if it is ready; else NULL. Any thread: hashes the bytes, takes a lock. */
rusm_program *rusm_program_find_from(const rusm_program *code_template, const void *wasm,
                                     size_t wasm_bytes);
rusm_program *rusm_program_hold(rusm_program *program);
void rusm_program_release(rusm_program *program);
/* The program of that name, held; NULL if there is none. Any thread. Takes a lock. */
rusm_program *rusm_program_find(rusm_wasm *wasm, const char *name);

/*
 * Start a guest. As rusm_spawn; opts->mailbox_len_max 0 is the capability's. Any thread. The
 * instance is made when the guest first runs. Error: INVALID also for a template.
 */
enum rusm_err rusm_spawn_guest(rusm_program *program, const struct rusm_spawn_opts *opts,
                               rusm_pid *out);
/* As rusm_spawn_link, rusm_spawn_monitor. From a process. */
enum rusm_err rusm_spawn_guest_link(rusm_program *program, const struct rusm_spawn_opts *opts,
                                    rusm_pid *out);
enum rusm_err rusm_spawn_guest_monitor(rusm_program *program, const struct rusm_spawn_opts *opts,
                                       rusm_pid *out, rusm_ref *ref);

/* How the pool of instances is used. */
struct rusm_wasm_info {
    uint32_t instances_max;
    uint64_t instances;    /* guests that hold one */
    uint64_t waiting;      /* spawned guests that wait for one */
    uint64_t started;      /* ever */
    uint64_t yields;       /* runs interrupted at the end of their slice, ever */
    uint64_t notifies;     /* calls of the import `notify`, a guest's mark of progress, ever */
    uint64_t memory_bytes; /* of linear memories now */
};
/* Any thread; reads counters. */
void rusm_wasm_info(rusm_wasm *wasm, struct rusm_wasm_info *out);

enum rusm_guest_kind { RUSM_GUEST_NONE, RUSM_GUEST_MODULE, RUSM_GUEST_COMPONENT };
/* What kind of guest a process is, from what rusm_process_info tells of it. Any thread. */
enum rusm_guest_kind rusm_guest_kind(const void *entry);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
