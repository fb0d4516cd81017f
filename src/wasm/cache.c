/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Artefacts in memory: those being made, those in use, and those kept because they are nowhere
 * else. What is on disk is dropped with its last holder.
 */
#include "wasm/cache_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/errinfo.h"
#include "base/list.h"
#include "wasm/cache_disk_internal.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { MAKING, READY, FAILED };

struct cache_artefact {
    uint8_t key[CACHE_KEY_BYTES]; /* immutable */
    char path[32];                /* immutable once READY; as `sealed`, `on_disk` */
    struct sealed sealed;         /* owned */
    bool on_disk;
    /* under the cache's lock */
    struct list node; /* in `used` or `kept`; in none once FAILED */
    uint32_t refs;
    enum state state;
    enum rusm_err err; /* why FAILED, with `error` */
    struct rusm_errinfo error;
};

struct cache {
    struct cache_config config; /* immutable; `dir` is not used */
    char dir[PATH_MAX];         /* immutable; "" = none */
    _Atomic bool warned;        /* that the folder cannot be used */
    pthread_mutex_t lock;       /* guards all below */
    pthread_cond_t made;
    struct list used; /* held, or being made */
    struct list kept; /* held by nobody; used longest ago first */
    struct cache_info info;
};

static void warn(const struct cache *cache, const struct rusm_errinfo *line) {
    if (cache->config.log) {
        cache->config.log(cache->config.log_arg, RUSM_LOG_WARN, line->text);
    } else {
        (void)fprintf(stderr, "rusm: %s\n", line->text);
    }
}

/* Once: a full disk stays full for many programs. */
static void warn_of_folder(struct cache *cache, const char *text) {
    if (!atomic_exchange_explicit(&cache->warned, true, memory_order_relaxed)) {
        struct rusm_errinfo line;
        (void)errinfo_set(&line, RUSM_ERR_SYSTEM, "%s; compiled programs are kept in memory", text);
        warn(cache, &line);
    }
}

/* ---- making one ---- */

static struct disk disk_of(const struct cache *cache) {
    return (struct disk){
        .path = cache->dir,
        .hmac = cache->config.compiler.hmac_sha256,
        .bytes_max = cache->config.disk_bytes_max,
        .files_max = cache->config.disk_files_max,
        .lock_wait_ms = cache->config.lock_wait_ms,
    };
}

static enum rusm_err open_disk(struct cache *cache, struct disk *disk, struct rusm_errinfo *info) {
    *disk = disk_of(cache);
    bool replaced = false;
    enum rusm_err err = disk_open(disk, &replaced, info);
    if (err == RUSM_OK && replaced) {
        struct rusm_errinfo line;
        (void)errinfo_set(&line, RUSM_ERR_INVALID,
                          "the secret of the cache folder %s was cut off, or open to others: it is "
                          "a new one now, and all is compiled again",
                          cache->dir);
        warn(cache, &line);
    }
    return err;
}

static void count(struct cache *cache, uint64_t *counter) {
    pthread_mutex_lock(&cache->lock);
    ++*counter;
    pthread_mutex_unlock(&cache->lock);
}

/* Look on disk; if it is not there the key is locked, unless that took too long, and nobody who
 * came before has written it. */
static bool find_on_disk(struct cache *cache, struct disk *disk, struct cache_artefact *artefact) {
    struct rusm_errinfo info;
    enum disk_found found = disk_read(disk, artefact->key, &artefact->sealed, &info);
    if (found != DISK_FOUND) {
        disk_lock(disk, artefact->key);
        if (disk->locked) {
            found = disk_read(disk, artefact->key, &artefact->sealed, &info);
        }
    }
    if (found == DISK_REJECTED) {
        count(cache, &cache->info.rejected);
        struct rusm_errinfo line;
        (void)errinfo_set(&line, RUSM_ERR_INVALID, "%s/%s: it is compiled again", cache->dir,
                          info.text);
        warn(cache, &line);
    }
    if (found == DISK_FOUND) {
        artefact->on_disk = true;
        count(cache, &cache->info.read);
    }
    return artefact->on_disk;
}

static void store(struct cache *cache, const struct disk *disk, struct rwt_slice bytes,
                  struct cache_artefact *artefact) {
    struct rusm_errinfo info;
    if (disk->lock < 0) {
        (void)errinfo_set(&info, RUSM_ERR_SYSTEM, "the cache folder %s cannot be written to: %s",
                          disk->path, strerror(disk->lock_errno));
        warn_of_folder(cache, info.text);
        return;
    }
    if (!disk->locked || bytes.len + CACHE_CODE_BYTES > disk->bytes_max) {
        return;
    }
    if (disk_write(disk, bytes, &info) != RUSM_OK) {
        warn_of_folder(cache, info.text);
        return;
    }
    artefact->on_disk = true;
    disk_sweep(disk);
}

static enum rusm_err compile(struct cache *cache, struct rwt_slice wasm, const struct disk *disk,
                             struct cache_artefact *artefact, struct rusm_errinfo *info) {
    const struct cache_compiler *compiler = &cache->config.compiler;
    struct rwt_text text = {NULL, 0};
    rwt_artefact *compiled = compiler->compile(compiler->engine, wasm, &text);
    if (!compiled) {
        enum rusm_err err =
            errinfo_set(info, RUSM_ERR_INVALID, "%.*s", (int)text.len, text.data ? text.data : "");
        compiler->text_delete(text);
        return err;
    }
    count(cache, &cache->info.compiled);
    struct rwt_slice bytes = compiler->artefact_bytes(compiled);
    enum rusm_err err = sealed_begin(&artefact->sealed, bytes.len, info);
    if (err == RUSM_OK) {
        memcpy(artefact->sealed.memory, bytes.data, bytes.len);
        err = sealed_end(&artefact->sealed, info);
    }
    if (err == RUSM_OK && disk) {
        store(cache, disk, bytes, artefact);
    }
    compiler->artefact_delete(compiled);
    return err;
}

static enum rusm_err make(struct cache *cache, struct rwt_slice wasm,
                          struct cache_artefact *artefact, struct rusm_errinfo *info) {
    struct disk disk;
    struct disk *open = NULL;
    if (cache->dir[0]) {
        struct rusm_errinfo why;
        if (open_disk(cache, &disk, &why) == RUSM_OK) {
            open = &disk;
        } else {
            warn_of_folder(cache, why.text);
        }
    }
    enum rusm_err err = open && find_on_disk(cache, open, artefact)
                            ? RUSM_OK
                            : compile(cache, wasm, open, artefact, info);
    if (open) {
        disk_close(open);
    }
    if (err == RUSM_OK) {
        (void)snprintf(artefact->path, sizeof artefact->path, "/proc/self/fd/%d",
                       artefact->sealed.fd);
    }
    return err;
}

/* ---- one flight a key ---- */

static void delete (struct cache_artefact *artefact) {
    sealed_discard(&artefact->sealed);
    rusm_free(artefact);
}

static struct cache_artefact *find(struct list *head, const uint8_t key[CACHE_KEY_BYTES]) {
    for (struct list *node = head->next; node != head; node = node->next) {
        struct cache_artefact *artefact = LIST_ENTRY(node, struct cache_artefact, node);
        if (memcmp(artefact->key, key, CACHE_KEY_BYTES) == 0) {
            return artefact;
        }
    }
    return NULL;
}

/* Under the lock, as those below. */
static void forget_kept(struct cache *cache, struct cache_artefact *artefact) {
    list_remove(&artefact->node);
    cache->info.kept_bytes -= artefact->sealed.bytes;
    cache->info.kept_entries--;
}

static void keep(struct cache *cache, struct cache_artefact *artefact) {
    list_push_back(&cache->kept, &artefact->node);
    cache->info.kept_bytes += artefact->sealed.bytes;
    cache->info.kept_entries++;
    while (cache->info.kept_bytes > cache->config.memory_bytes_max ||
           cache->info.kept_entries > cache->config.memory_entries_max) {
        struct cache_artefact *oldest = LIST_ENTRY(cache->kept.next, struct cache_artefact, node);
        forget_kept(cache, oldest);
        delete (oldest);
    }
}

static void drop(struct cache *cache, struct cache_artefact *artefact) {
    RUSM_ASSERT(artefact->refs > 0);
    if (--artefact->refs > 0) {
        return;
    }
    list_remove(&artefact->node);
    if (artefact->state == READY && !artefact->on_disk) {
        keep(cache, artefact);
    } else {
        delete (artefact);
    }
}

/* The artefact that there is or will be, held; NULL: there is none. */
static struct cache_artefact *join(struct cache *cache, const uint8_t key[CACHE_KEY_BYTES]) {
    struct cache_artefact *artefact = find(&cache->used, key);
    if (artefact) {
        artefact->refs++;
        return artefact;
    }
    artefact = find(&cache->kept, key);
    if (artefact) {
        forget_kept(cache, artefact);
        list_push_back(&cache->used, &artefact->node);
        artefact->refs = 1;
    }
    return artefact;
}

static enum rusm_err await(struct cache *cache, struct cache_artefact *artefact,
                           struct rusm_errinfo *info) {
    cache->info.waiting++;
    while (artefact->state == MAKING) {
        pthread_cond_wait(&cache->made, &cache->lock);
    }
    cache->info.waiting--;
    if (artefact->state == READY) {
        cache->info.shared++;
        return RUSM_OK;
    }
    enum rusm_err err = errinfo_set(info, artefact->err, "%s", artefact->error.text);
    drop(cache, artefact);
    return err;
}

static struct cache_artefact *start(struct cache *cache, const uint8_t key[CACHE_KEY_BYTES]) {
    struct cache_artefact *artefact = rusm_zalloc(sizeof *artefact);
    if (artefact) {
        memcpy(artefact->key, key, CACHE_KEY_BYTES);
        artefact->sealed.fd = -1;
        artefact->refs = 1;
        artefact->state = MAKING;
        list_push_back(&cache->used, &artefact->node);
    }
    return artefact;
}

/* `artefact` is made, or `err` with artefact->error says why not. */
static void finish(struct cache *cache, struct cache_artefact *artefact, enum rusm_err err) {
    artefact->state = err == RUSM_OK ? READY : FAILED;
    artefact->err = err;
    if (err != RUSM_OK) {
        /* Who asks from now on tries anew. */
        list_remove(&artefact->node);
    }
    pthread_cond_broadcast(&cache->made);
}

enum rusm_err cache_get(struct cache *cache, struct rwt_slice wasm, struct cache_artefact **out,
                        struct rusm_errinfo *info) {
    const struct cache_compiler *compiler = &cache->config.compiler;
    uint8_t key[CACHE_KEY_BYTES];
    compiler->artefact_key(compiler->engine, wasm, key);
    enum rusm_err err;
    pthread_mutex_lock(&cache->lock);
    struct cache_artefact *artefact = join(cache, key);
    if (artefact) {
        err = await(cache, artefact, info);
    } else if (!(artefact = start(cache, key))) {
        err = errinfo_set(info, RUSM_ERR_NOMEM, "out of memory");
    } else {
        pthread_mutex_unlock(&cache->lock);
        err = make(cache, wasm, artefact, &artefact->error);
        pthread_mutex_lock(&cache->lock);
        finish(cache, artefact, err);
        if (err != RUSM_OK) {
            (void)errinfo_set(info, err, "%s", artefact->error.text);
            drop(cache, artefact);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    if (err == RUSM_OK) {
        *out = artefact;
    }
    return err;
}

const char *cache_artefact_path(const struct cache_artefact *artefact) {
    return artefact->path;
}

void cache_release(struct cache *cache, struct cache_artefact *artefact) {
    pthread_mutex_lock(&cache->lock);
    drop(cache, artefact);
    pthread_mutex_unlock(&cache->lock);
}

void cache_info(struct cache *cache, struct cache_info *out) {
    pthread_mutex_lock(&cache->lock);
    *out = cache->info;
    pthread_mutex_unlock(&cache->lock);
}

/* ---- the whole ---- */

/* The folder's path into cache->dir, "" if there is none to be had. */
static enum rusm_err choose_folder(struct cache *cache, const char *dir,
                                   struct rusm_errinfo *info) {
    const char *base = dir;
    const char *rest = "";
    if (!dir) {
        const char *xdg = getenv("XDG_CACHE_HOME");
        const char *home = getenv("HOME");
        /* A path there that is relative is to be ignored. XDG Base Directory Specification 0.8. */
        bool has_xdg = xdg && xdg[0] == '/';
        base = has_xdg ? xdg : home;
        rest = has_xdg ? "/rusm/wasm" : "/.cache/rusm/wasm";
        if (!base || base[0] != '/') {
            warn_of_folder(cache, "neither XDG_CACHE_HOME nor HOME says where the cache is");
            base = rest = "";
        }
    } else if (dir[0] && dir[0] != '/') {
        return errinfo_set(info, RUSM_ERR_INVALID, "the cache folder %s is not an absolute path",
                           dir);
    }
    int bytes = snprintf(cache->dir, sizeof cache->dir, "%s%s", base, rest);
    return bytes >= 0 && (size_t)bytes < sizeof cache->dir
               ? RUSM_OK
               : errinfo_set(info, RUSM_ERR_INVALID, "the path of the cache folder is too long");
}

static enum rusm_err check_numbers(const struct cache_config *config, struct rusm_errinfo *info) {
    return config->disk_files_max <= CACHE_FILES_LIMIT
               ? RUSM_OK
               : errinfo_set(info, RUSM_ERR_INVALID, "a cache has at most %u files, not %u",
                             CACHE_FILES_LIMIT, config->disk_files_max);
}

static struct cache_config with_defaults(const struct cache_config *config) {
    struct cache_config full = *config;
    full.disk_bytes_max = full.disk_bytes_max ? full.disk_bytes_max : (uint64_t)1 << 30;
    full.disk_files_max = full.disk_files_max ? full.disk_files_max : 4096;
    full.memory_bytes_max = full.memory_bytes_max ? full.memory_bytes_max : (uint64_t)256 << 20;
    full.memory_entries_max = full.memory_entries_max ? full.memory_entries_max : 256;
    full.lock_wait_ms = full.lock_wait_ms ? full.lock_wait_ms : 60000;
    return full;
}

/* Look at the folder once, so that one that is refused is heard of now. */
static enum rusm_err try_folder(struct cache *cache, struct rusm_errinfo *info) {
    struct disk disk;
    struct rusm_errinfo why;
    enum rusm_err err = open_disk(cache, &disk, &why);
    if (err == RUSM_OK) {
        disk_sweep(&disk);
        disk_close(&disk);
    } else if (err == RUSM_ERR_INVALID) {
        return errinfo_set(info, err, "%s", why.text);
    } else {
        warn_of_folder(cache, why.text);
    }
    return RUSM_OK;
}

enum rusm_err cache_create(const struct cache_config *config, struct cache **out,
                           struct rusm_errinfo *info) {
    const struct cache_compiler *c = &config->compiler;
    RUSM_ASSERT(c->artefact_key && c->compile && c->artefact_bytes && c->artefact_delete);
    RUSM_ASSERT(c->text_delete && c->hmac_sha256);
    struct cache *cache = rusm_zalloc(sizeof *cache);
    if (!cache) {
        return errinfo_set(info, RUSM_ERR_NOMEM, "no memory for the cache");
    }
    cache->config = with_defaults(config);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->made, NULL);
    list_init(&cache->used);
    list_init(&cache->kept);
    enum rusm_err err = check_numbers(config, info);
    if (err == RUSM_OK) {
        err = choose_folder(cache, config->dir, info);
    }
    if (err == RUSM_OK && cache->dir[0]) {
        err = try_folder(cache, info);
    }
    if (err != RUSM_OK) {
        cache_destroy(cache);
        return err;
    }
    *out = cache;
    return RUSM_OK;
}

void cache_destroy(struct cache *cache) {
    if (!cache) {
        return;
    }
    RUSM_ASSERT(list_is_empty(&cache->used));
    while (!list_is_empty(&cache->kept)) {
        struct cache_artefact *artefact = LIST_ENTRY(cache->kept.next, struct cache_artefact, node);
        forget_kept(cache, artefact);
        delete (artefact);
    }
    pthread_cond_destroy(&cache->made);
    pthread_mutex_destroy(&cache->lock);
    rusm_free(cache);
}
