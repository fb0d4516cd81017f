/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "wasm/test_cache_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/random.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rwt_artefact {
    size_t bytes;
    char text[];
};

/* `engine` of the fake compiler is the fixture. */
static struct fixture *fixture_of(const rwt_engine *engine) {
    return (struct fixture *)(void *)(uintptr_t)engine;
}

static void digest_of(uint64_t seed, struct rwt_slice data, uint8_t digest[32]) {
    for (size_t lane = 0; lane < 4; lane++) {
        struct random random = {seed + lane};
        for (size_t i = 0; i < data.len; i++) {
            random.state = random_next(&random) ^ data.data[i];
        }
        uint64_t value = random_next(&random);
        memcpy(digest + 8 * lane, &value, sizeof value);
    }
}

static void fake_key(const rwt_engine *engine, struct rwt_slice wasm, uint8_t key[32]) {
    (void)engine;
    digest_of(1, wasm, key);
}

static void fake_hmac(struct rwt_slice key, struct rwt_slice data, uint8_t digest[32]) {
    uint8_t seed[32];
    digest_of(2, key, seed);
    uint64_t head;
    memcpy(&head, seed, sizeof head);
    digest_of(head, data, digest);
}

static rwt_artefact *fake_compile(const rwt_engine *engine, struct rwt_slice wasm,
                                  struct rwt_text *error) {
    struct fixture *fixture = fixture_of(engine);
    if (fixture->while_compiling) {
        fixture->while_compiling(fixture);
    }
    atomic_fetch_add(&fixture->compiled, 1);
    if (wasm.len >= 3 && memcmp(wasm.data, "bad", 3) == 0) {
        *error = (struct rwt_text){rusm_strdup("expected `(`"), strlen("expected `(`")};
        return NULL;
    }
    size_t bytes = wasm.len + strlen("code of ");
    rwt_artefact *artefact = rusm_alloc(sizeof *artefact + bytes + 1);
    RUSM_ASSERT(artefact);
    artefact->bytes = bytes;
    (void)snprintf(artefact->text, bytes + 1, "code of %.*s", (int)wasm.len,
                   (const char *)wasm.data);
    return artefact;
}

static struct rwt_slice fake_bytes(const rwt_artefact *artefact) {
    return (struct rwt_slice){(const uint8_t *)artefact->text, artefact->bytes};
}

static void fake_delete(rwt_artefact *artefact) {
    rusm_free(artefact);
}

static void fake_text_delete(struct rwt_text text) {
    rusm_free(text.data);
}

static void note_warning(void *arg, enum rusm_log_level level, const char *text) {
    struct fixture *fixture = arg;
    RUSM_ASSERT(level == RUSM_LOG_WARN);
    (void)snprintf(fixture->warning, sizeof fixture->warning, "%s", text);
    atomic_fetch_add(&fixture->warnings, 1);
}

void fixture_init(struct fixture *fixture) {
    *fixture = (struct fixture){.config = {
                                    .compiler = {.engine = (const rwt_engine *)(void *)fixture,
                                                 .artefact_key = fake_key,
                                                 .compile = fake_compile,
                                                 .artefact_bytes = fake_bytes,
                                                 .artefact_delete = fake_delete,
                                                 .text_delete = fake_text_delete,
                                                 .hmac_sha256 = fake_hmac},
                                    .log = note_warning,
                                    .log_arg = fixture,
                                }};
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(fixture->root, sizeof fixture->root, "%.40s/rusm-cache.XXXXXX",
                   tmp ? tmp : "/tmp");
    RUSM_ASSERT(mkdtemp(fixture->root));
    (void)snprintf(fixture->dir, sizeof fixture->dir, "%s/a/cache", fixture->root);
    fixture->config.dir = fixture->dir;
}

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *at) {
    (void)is;
    (void)type;
    (void)at;
    return remove(path);
}

void remove_tree(const char *path) {
    RUSM_ASSERT(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

void fixture_deinit(struct fixture *fixture) {
    remove_tree(fixture->root);
}

struct cache *must_create(const struct fixture *fixture) {
    struct cache *cache;
    struct rusm_errinfo info = {""};
    enum rusm_err err = cache_create(&fixture->config, &cache, &info);
    if (err != RUSM_OK) {
        fprintf(stderr, "cache_create: %s\n", info.text);
    }
    RUSM_ASSERT(err == RUSM_OK);
    return cache;
}

struct cache_artefact *must_get(struct cache *cache, const char *source) {
    struct cache_artefact *artefact;
    struct rusm_errinfo info = {""};
    struct rwt_slice wasm = {(const uint8_t *)source, strlen(source)};
    enum rusm_err err = cache_get(cache, wasm, &artefact, &info);
    if (err != RUSM_OK) {
        fprintf(stderr, "cache_get: %s\n", info.text);
    }
    RUSM_ASSERT(err == RUSM_OK);
    char expected[4096];
    char text[4096];
    (void)snprintf(expected, sizeof expected, "code of %s", source);
    int fd = open(cache_artefact_path(artefact), O_RDONLY | O_CLOEXEC);
    RUSM_ASSERT(fd >= 0);
    ssize_t bytes = read(fd, text, sizeof text);
    RUSM_ASSERT(bytes == (ssize_t)strlen(expected));
    RUSM_ASSERT(memcmp(text, expected, (size_t)bytes) == 0);
    RUSM_ASSERT(close(fd) == 0);
    return artefact;
}

void use(struct cache *cache, const char *source) {
    cache_release(cache, must_get(cache, source));
}

struct cache_info info_of(struct cache *cache) {
    struct cache_info info;
    cache_info(cache, &info);
    return info;
}

void file_of(const struct fixture *fixture, const char *source, const char *suffix,
             char path[256]) {
    uint8_t key[32];
    fake_key(NULL, (struct rwt_slice){(const uint8_t *)source, strlen(source)}, key);
    int at = snprintf(path, 256, "%s/", fixture->dir);
    for (size_t i = 0; i < sizeof key; i++) {
        at += snprintf(path + at, 256 - (size_t)at, "%02x", key[i]);
    }
    (void)snprintf(path + at, 256 - (size_t)at, "%s", suffix);
}

uint32_t files_with(const struct fixture *fixture, const char *suffix) {
    DIR *folder = opendir(fixture->dir);
    uint32_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t len = strlen(entry->d_name);
        size_t end = strlen(suffix);
        count += len >= end && strcmp(entry->d_name + len - end, suffix) == 0;
    }
    if (folder) {
        (void)closedir(folder);
    }
    return count;
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}
