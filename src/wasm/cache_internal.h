/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Compiled programs, kept on disk by what they are made of. Whoever asks for the same program at
 * the same time, in this process or another one, waits for one compilation.
 *
 * An artefact is machine code, so it is loaded only if a code over it (HMAC-SHA256 with a secret of
 * this user) fits. What is handed out is a private copy, a sealed file in memory: the bytes that
 * were verified are the bytes that are loaded, whatever becomes of the file or its folder.
 *
 * Without a folder, or when it cannot be used, artefacts are kept in memory. Failures to compile
 * are not kept. The folder may be deleted at any time. Limits: struct cache_config.
 *
 * Threads: all calls that wait say so, and are for threads that may block, never a scheduler's.
 * See docs/design/wasm.md, "Compile cache".
 */
#ifndef WASM_CACHE_INTERNAL_H
#define WASM_CACHE_INTERNAL_H

#include <rusm/err.h>
#include <rusm/runtime.h>
#include <rusm_wasmtime.h>

#define CACHE_KEY_BYTES 32u

struct cache;
struct cache_artefact;

/* What compiles: the functions of rusm_wasmtime.h of these names. Any thread, several at once. */
struct cache_compiler {
    const rwt_engine *engine; /* borrowed until the cache is destroyed */
    void (*artefact_key)(const rwt_engine *engine, struct rwt_slice wasm, uint8_t key[32]);
    rwt_artefact *(*compile)(const rwt_engine *engine, struct rwt_slice wasm,
                             struct rwt_text *error);
    struct rwt_slice (*artefact_bytes)(const rwt_artefact *artefact);
    void (*artefact_delete)(rwt_artefact *artefact);
    void (*text_delete)(struct rwt_text text);
    void (*hmac_sha256)(struct rwt_slice key, struct rwt_slice data, uint8_t digest[32]);
};

/* Borrowed for the call. Zero in a number = the default in brackets. */
struct cache_config {
    struct cache_compiler compiler;
    const char *dir;             /* absolute; NULL = ${XDG_CACHE_HOME:-$HOME/.cache}/rusm/wasm,
                                    "" = none */
    uint64_t disk_bytes_max;     /* of all files [1 GiB]: those used longest ago go first */
    uint32_t disk_files_max;     /* [4096], at most CACHE_FILES_LIMIT; the same */
    uint64_t memory_bytes_max;   /* of what is kept in memory and not in use [256 MiB] */
    uint32_t memory_entries_max; /* of the same [256] */
    uint32_t lock_wait_ms;       /* for another process that compiles the same [60000]; then it is
                                    compiled here too, and not written */
    rusm_log_fn log;             /* warnings; NULL = standard error. Any thread */
    void *log_arg;               /* borrowed until the cache is destroyed */
};
#define CACHE_FILES_LIMIT 65536u

/*
 * Make a cache; leftovers of writers that died are removed. Errors, `info` says more: INVALID (the
 * folder's path is relative or too long; the folder belongs to another user, or others may write to
 * it; a number out of its range), NOMEM. A folder that cannot be made or written to is a warning.
 * May wait for the disk.
 */
enum rusm_err cache_create(const struct cache_config *config, struct cache **out,
                           struct rusm_errinfo *info);
/* Asserted: no artefact is held. NULL is allowed. */
void cache_destroy(struct cache *cache);

/*
 * The artefact of `wasm` (binary or text), held, compiled if need be. Errors, `info` says more:
 * INVALID (it does not compile), SYSTEM (no file in memory can be had), NOMEM. Waits for the disk,
 * for the compiler, and for others that compile the same.
 */
enum rusm_err cache_get(struct cache *cache, struct rwt_slice wasm, struct cache_artefact **out,
                        struct rusm_errinfo *info);
/* Where rwt_load_file finds it, as long as it is held; programs loaded from there may outlive it.
 * Borrowed from `artefact`. Needs /proc. */
const char *cache_artefact_path(const struct cache_artefact *artefact);
void cache_release(struct cache *cache, struct cache_artefact *artefact);

struct cache_info {
    uint64_t compiled;     /* ever, as the next three */
    uint64_t read;         /* from disk */
    uint64_t shared;       /* found in memory, or waited for */
    uint64_t rejected;     /* files whose code did not fit */
    uint64_t waiting;      /* threads that wait for another one of this process */
    uint64_t kept_bytes;   /* in memory and not in use */
    uint32_t kept_entries; /* the same */
};
/* Any thread. Takes a lock. */
void cache_info(struct cache *cache, struct cache_info *out);

#endif
