/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Artefacts in the folder: read, write, and what has to go. */
#include "wasm/cache_disk_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/errinfo.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char artefact_suffix[] = ".artefact";
static const char temporary_suffix[] = ".tmp";

static void name_of(const uint8_t key[CACHE_KEY_BYTES], const char *suffix,
                    char name[CACHE_NAME_BYTES]) {
    for (size_t i = 0; i < CACHE_KEY_BYTES; i++) {
        (void)snprintf(name + 2 * i, 3, "%02x", key[i]);
    }
    (void)snprintf(name + 2 * (size_t)CACHE_KEY_BYTES, CACHE_NAME_BYTES - 2 * CACHE_KEY_BYTES, "%s",
                   suffix);
}

/* The key in a file's name; false: it is none of ours. */
static bool key_of(const char *name, const char *suffix, uint8_t key[CACHE_KEY_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    if (strspn(name, digits) != 2 * (size_t)CACHE_KEY_BYTES ||
        strcmp(name + 2 * (size_t)CACHE_KEY_BYTES, suffix) != 0) {
        return false;
    }
    for (size_t i = 0; i < CACHE_KEY_BYTES; i++) {
        size_t high = (size_t)(strchr(digits, name[2 * i]) - digits);
        size_t low = (size_t)(strchr(digits, name[2 * i + 1]) - digits);
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The code over key and content. The key goes into the code's own key, so that the content need not
 * be copied behind it: HMAC(HMAC(secret, key), content). */
static void code_of(const struct disk *disk, const uint8_t key[CACHE_KEY_BYTES],
                    struct rwt_slice content, uint8_t code[CACHE_CODE_BYTES]) {
    uint8_t own[CACHE_CODE_BYTES];
    disk->hmac((struct rwt_slice){disk->secret, sizeof disk->secret},
               (struct rwt_slice){key, CACHE_KEY_BYTES}, own);
    disk->hmac((struct rwt_slice){own, sizeof own}, content, code);
}

/* In time that does not tell where they differ. */
static bool codes_equal(const uint8_t a[CACHE_CODE_BYTES], const uint8_t b[CACHE_CODE_BYTES]) {
    uint8_t different = 0;
    for (size_t i = 0; i < CACHE_CODE_BYTES; i++) {
        different |= a[i] ^ b[i];
    }
    return different == 0;
}

/* ---- read ---- */

static enum disk_found reject(struct rusm_errinfo *info, const char *name, const char *wrong) {
    (void)errinfo_set(info, RUSM_ERR_INVALID, "%s %s", name, wrong);
    return DISK_REJECTED;
}

/* What is wrong with the file makes it unfit; what is wrong with us does not. */
static enum disk_found not_opened(const char *name, struct rusm_errinfo *info) {
    switch (errno) {
    case ENOENT:
        return DISK_ABSENT;
    case ELOOP:
    case ENXIO:
    case EACCES:
        return reject(info, name, "is no file of this user");
    default:
        (void)errinfo_set(info, RUSM_ERR_SYSTEM, "%s: %s", name, strerror(errno));
        return DISK_FAILED;
    }
}

/* Copy first, verify the copy. */
static enum disk_found read_file(const struct disk *disk, int fd, const char *name,
                                 const uint8_t key[CACHE_KEY_BYTES], struct sealed *out,
                                 struct rusm_errinfo *info) {
    struct stat is;
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || is.st_size <= (off_t)CACHE_CODE_BYTES) {
        return reject(info, name, "is cut off, or no file");
    }
    /* Before memory is taken for it. */
    if ((uint64_t)is.st_size > disk->bytes_max) {
        return reject(info, name, "is larger than all may be together");
    }
    struct sealed copy;
    if (sealed_begin(&copy, (size_t)is.st_size - CACHE_CODE_BYTES, info) != RUSM_OK) {
        return DISK_FAILED;
    }
    uint8_t code[CACHE_CODE_BYTES];
    uint8_t expected[CACHE_CODE_BYTES];
    bool whole = disk_read_all(fd, code, sizeof code) && disk_read_all(fd, copy.memory, copy.bytes);
    if (whole) {
        code_of(disk, key, (struct rwt_slice){copy.memory, copy.bytes}, expected);
    }
    if (!whole || !codes_equal(code, expected)) {
        sealed_discard(&copy);
        return reject(info, name, whole ? "was not written by this user" : "cannot be read whole");
    }
    if (sealed_end(&copy, info) != RUSM_OK) {
        return DISK_FAILED;
    }
    *out = copy;
    return DISK_FOUND;
}

enum disk_found disk_read(const struct disk *disk, const uint8_t key[CACHE_KEY_BYTES],
                          struct sealed *out, struct rusm_errinfo *info) {
    char name[CACHE_NAME_BYTES];
    name_of(key, artefact_suffix, name);
    int fd = openat(disk->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum disk_found found =
        fd < 0 ? not_opened(name, info) : read_file(disk, fd, name, key, out, info);
    if (found == DISK_FOUND) {
        /* The order of eviction. Where it cannot be kept nothing can be evicted either. */
        (void)futimens(fd, NULL);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (found == DISK_REJECTED && disk->locked) {
        (void)unlinkat(disk->dir, name, 0);
    }
    return found;
}

/* ---- write ---- */

static bool write_file(const struct disk *disk, const char *name, struct rwt_slice content) {
    /* A leftover goes first: it might not be a file. */
    (void)unlinkat(disk->dir, name, 0);
    int fd = openat(disk->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    uint8_t code[CACHE_CODE_BYTES];
    code_of(disk, disk->key, content, code);
    bool written = disk_write_all(fd, code, sizeof code) &&
                   disk_write_all(fd, content.data, content.len) && fsync(fd) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return written;
}

enum rusm_err disk_write(const struct disk *disk, struct rwt_slice content,
                         struct rusm_errinfo *info) {
    RUSM_ASSERT(disk->locked);
    char temporary[CACHE_NAME_BYTES];
    char name[CACHE_NAME_BYTES];
    name_of(disk->key, temporary_suffix, temporary);
    name_of(disk->key, artefact_suffix, name);
    /* The folder is not synchronised: a name lost with the power is compiled again. */
    if (write_file(disk, temporary, content) &&
        renameat(disk->dir, temporary, disk->dir, name) == 0) {
        return RUSM_OK;
    }
    int error = errno;
    (void)unlinkat(disk->dir, temporary, 0);
    return errinfo_set(info, RUSM_ERR_SYSTEM, "the cache folder %s cannot be written to: %s",
                       disk->path, strerror(error));
}

/* ---- what has to go ---- */

struct file {
    struct timespec used;
    uint64_t bytes;
    uint8_t key[CACHE_KEY_BYTES];
};

struct files {
    struct file *all; /* owned */
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes;
};

/* Those that find no room are seen when others have gone. */
static void note(struct files *files, const uint8_t key[CACHE_KEY_BYTES], const struct stat *is) {
    if (files->count == files->capacity) {
        uint32_t capacity = files->capacity ? 2 * files->capacity : 256;
        struct file *all = capacity <= 2 * CACHE_FILES_LIMIT
                               ? rusm_realloc(files->all, capacity * sizeof *all)
                               : NULL;
        if (!all) {
            return;
        }
        files->all = all;
        files->capacity = capacity;
    }
    struct file *file = &files->all[files->count++];
    *file = (struct file){.used = is->st_mtim, .bytes = (uint64_t)is->st_size};
    memcpy(file->key, key, sizeof file->key);
    files->bytes += file->bytes;
}

static void look_at(const struct disk *disk, const char *name, struct files *files) {
    uint8_t key[CACHE_KEY_BYTES];
    struct stat is;
    if (key_of(name, temporary_suffix, key)) {
        disk_remove_dead(disk, key, name);
    } else if (key_of(name, artefact_suffix, key) &&
               fstatat(disk->dir, name, &is, AT_SYMLINK_NOFOLLOW) == 0) {
        note(files, key, &is);
    }
}

static int by_use(const void *left, const void *right) {
    const struct file *a = left;
    const struct file *b = right;
    if (a->used.tv_sec != b->used.tv_sec) {
        return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
    }
    if (a->used.tv_nsec != b->used.tv_nsec) {
        return a->used.tv_nsec < b->used.tv_nsec ? -1 : 1;
    }
    return memcmp(a->key, b->key, sizeof a->key);
}

void disk_sweep(const struct disk *disk) {
    int fd = disk->lock >= 0 ? openat(disk->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    struct files files = {0};
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        look_at(disk, entry->d_name, &files);
    }
    (void)closedir(folder);
    if (files.count > 0) {
        qsort(files.all, files.count, sizeof files.all[0], by_use);
    }
    uint32_t left = files.count;
    for (uint32_t i = 0; i < files.count; i++) {
        if (files.bytes <= disk->bytes_max && left <= disk->files_max) {
            break;
        }
        const struct file *file = &files.all[i];
        if (disk->locked && memcmp(file->key, disk->key, sizeof file->key) == 0) {
            continue;
        }
        char name[CACHE_NAME_BYTES];
        name_of(file->key, artefact_suffix, name);
        if (unlinkat(disk->dir, name, 0) == 0 || errno == ENOENT) {
            files.bytes -= file->bytes;
            left--;
        }
    }
    rusm_free(files.all);
}
