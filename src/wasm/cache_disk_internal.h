/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The folder of a cache. It is opened anew for each use, so that it may be deleted at any time.
 *
 *   lock             nothing in it; ranges of it are locked (OFD locks, fcntl(2)): a byte for each
 *                    key, and one for the secret. A lock goes with its holder, however that ends.
 *   secret           32 random bytes, mode 0600
 *   <key>.artefact   the code over key and content, then the content
 *   <key>.tmp        what the holder of the key's lock is writing
 *
 * Only who holds a key's lock writes or removes as not fitting, so a temporary file whose key can
 * be locked is a dead writer's.
 */
#ifndef WASM_CACHE_DISK_INTERNAL_H
#define WASM_CACHE_DISK_INTERNAL_H

#include "wasm/cache_internal.h"
#include "wasm/cache_sealed_internal.h"

#define CACHE_CODE_BYTES   32u
#define CACHE_SECRET_BYTES 32u
#define CACHE_NAME_BYTES   (2 * CACHE_KEY_BYTES + sizeof ".artefact")

typedef void (*cache_hmac_fn)(struct rwt_slice key, struct rwt_slice data, uint8_t digest[32]);

/* A folder that is open, perhaps with one key locked. One thread. */
struct disk {
    const char *path; /* borrowed; for messages */
    cache_hmac_fn hmac;
    uint64_t bytes_max;
    uint32_t files_max;
    uint32_t lock_wait_ms;
    int dir;  /* owned */
    int lock; /* owned; -1 = nothing can be written here, `lock_errno` says why */
    int lock_errno;
    bool locked; /* `key` is */
    uint8_t key[CACHE_KEY_BYTES];
    uint8_t secret[CACHE_SECRET_BYTES];
};

/*
 * Open the folder, `disk` having its first five fields; make it and its secret if need be. Errors:
 * INVALID (it is not ours alone to write; `info` says what to do), SYSTEM (it cannot be had). If OK
 * and `*replaced`, the secret was not fit for use and is a new one: what there is will not fit.
 */
enum rusm_err disk_open(struct disk *disk, bool *replaced, struct rusm_errinfo *info);
/* Gives up the lock. */
void disk_close(struct disk *disk);

/* Lock `key`, waiting for others; once. disk->locked says whether that went well. */
void disk_lock(struct disk *disk, const uint8_t key[CACHE_KEY_BYTES]);

enum disk_found { DISK_FOUND, DISK_ABSENT, DISK_REJECTED, DISK_FAILED };
/* Read and verify the artefact of `key`, and mark it as used now. REJECTED: it did not fit, `info`
 * says how; it is removed if the key is locked. FAILED: `info` says why. */
enum disk_found disk_read(const struct disk *disk, const uint8_t key[CACHE_KEY_BYTES],
                          struct sealed *out, struct rusm_errinfo *info);

/* Write the artefact of the key that is locked. Error: SYSTEM, and nothing is left. */
enum rusm_err disk_write(const struct disk *disk, struct rwt_slice content,
                         struct rusm_errinfo *info);

/* Remove what dead writers left, and artefacts used longest ago until the bounds hold, that of the
 * locked key last. */
void disk_sweep(const struct disk *disk);

/* ---- cache_folder.c, for cache_disk.c ---- */

/* All of `bytes`, however many system calls that takes; false: errno. */
bool disk_write_all(int fd, const void *data, size_t bytes);
/* False: end of file before (errno 0), or errno. */
bool disk_read_all(int fd, void *data, size_t bytes);
/* Remove the file `name` if nobody holds the lock of `key`, which makes it a dead writer's. */
void disk_remove_dead(const struct disk *disk, const uint8_t key[CACHE_KEY_BYTES],
                      const char *name);

#endif
