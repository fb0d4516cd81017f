/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The folder itself, its locks and its secret. */
#include "wasm/cache_disk_internal.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/errinfo.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Keys are bytes 0 to 2^62 - 1 of the lock file. */
#define KEY_MASK    (((uint64_t)1 << 62) - 1)
#define SECRET_BYTE ((off_t)1 << 62)
#define POLL_NS     (10 * 1000 * 1000)

bool disk_write_all(int fd, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t done = write(fd, at, bytes);
        if (done == 0) {
            errno = ENOSPC;
            return false;
        }
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            at += done;
            bytes -= (size_t)done;
        }
    }
    return true;
}

bool disk_read_all(int fd, void *data, size_t bytes) {
    char *at = data;
    while (bytes > 0) {
        ssize_t done = read(fd, at, bytes);
        if (done == 0) {
            errno = 0;
            return false;
        }
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            at += done;
            bytes -= (size_t)done;
        }
    }
    return true;
}

/* ---- locks ---- */

static bool lock_byte(int fd, off_t at, short type) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

/* Polled, since a lock cannot be waited for with a limit: whoever holds it may be suspended, and
 * everybody else must not be because of that. */
static bool wait_for_byte(const struct disk *disk, off_t at) {
    uint64_t deadline = clock_mono_ns() + (uint64_t)disk->lock_wait_ms * 1000000;
    while (!lock_byte(disk->lock, at, F_WRLCK)) {
        if ((errno != EAGAIN && errno != EACCES) || clock_mono_ns() >= deadline) {
            return false;
        }
        const struct timespec pause = {.tv_nsec = POLL_NS};
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static off_t byte_of(const uint8_t key[CACHE_KEY_BYTES]) {
    uint64_t head;
    memcpy(&head, key, sizeof head);
    return (off_t)(head & KEY_MASK);
}

void disk_lock(struct disk *disk, const uint8_t key[CACHE_KEY_BYTES]) {
    RUSM_ASSERT(!disk->locked);
    memcpy(disk->key, key, sizeof disk->key);
    disk->locked = disk->lock >= 0 && wait_for_byte(disk, byte_of(key));
}

void disk_remove_dead(const struct disk *disk, const uint8_t key[CACHE_KEY_BYTES],
                      const char *name) {
    off_t at = byte_of(key);
    /* Locks of one holder do not exclude each other: ours would be lost. */
    if (disk->lock < 0 || (disk->locked && at == byte_of(disk->key)) ||
        !lock_byte(disk->lock, at, F_WRLCK)) {
        return;
    }
    (void)unlinkat(disk->dir, name, 0);
    (void)lock_byte(disk->lock, at, F_UNLCK);
}

/* ---- the folder ---- */

/* As mkdir -p, for this user only. What is there already is looked at once it is open. */
static void make_path(const char *path) {
    char part[PATH_MAX];
    size_t bytes = strlen(path) + 1;
    RUSM_ASSERT(bytes <= sizeof part);
    memcpy(part, path, bytes);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(part, 0700);
        *slash = '/';
    }
    (void)mkdir(part, 0700);
}

static enum rusm_err open_folder(struct disk *disk, struct rusm_errinfo *info) {
    make_path(disk->path);
    disk->dir = open(disk->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat is;
    if (disk->dir < 0 || fstat(disk->dir, &is) != 0) {
        return errinfo_set(info, RUSM_ERR_SYSTEM, "the cache folder %s cannot be opened: %s",
                           disk->path, strerror(errno));
    }
    if (is.st_uid != geteuid()) {
        return errinfo_set(info, RUSM_ERR_INVALID,
                           "the cache folder %s belongs to user %u, and this is user %u: machine "
                           "code is only taken from a folder of one's own",
                           disk->path, is.st_uid, geteuid());
    }
    if (is.st_mode & (S_IWGRP | S_IWOTH)) {
        return errinfo_set(info, RUSM_ERR_INVALID,
                           "others may write to the cache folder %s (mode %04o): chmod go-w it",
                           disk->path, is.st_mode & 07777);
    }
    disk->lock = openat(disk->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    disk->lock_errno = disk->lock < 0 ? errno : 0;
    return RUSM_OK;
}

/* ---- the secret ---- */

/* FAILED: it may be all right, and only this attempt is not. */
enum secret { SECRET_READ, SECRET_ABSENT, SECRET_UNFIT, SECRET_FAILED };

static enum secret read_secret(struct disk *disk) {
    int fd = openat(disk->dir, "secret", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT                                       ? SECRET_ABSENT
               : errno == ELOOP || errno == ENXIO || errno == EACCES ? SECRET_UNFIT
                                                                     : SECRET_FAILED;
    }
    struct stat is;
    bool fit = fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_uid == geteuid() &&
               (is.st_mode & 077) == 0 && is.st_size == CACHE_SECRET_BYTES &&
               disk_read_all(fd, disk->secret, sizeof disk->secret);
    (void)close(fd);
    return fit ? SECRET_READ : SECRET_UNFIT;
}

/* Under the lock of the secret. */
static bool write_secret(struct disk *disk) {
    if (getrandom(disk->secret, sizeof disk->secret, 0) != (ssize_t)sizeof disk->secret) {
        return false;
    }
    /* Another mode than 0600 on a leftover would stay. */
    (void)unlinkat(disk->dir, "secret.tmp", 0);
    int fd = openat(disk->dir, "secret.tmp", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool written = disk_write_all(fd, disk->secret, sizeof disk->secret) && fsync(fd) == 0;
    return close(fd) == 0 && written && renameat(disk->dir, "secret.tmp", disk->dir, "secret") == 0;
}

static enum rusm_err find_secret(struct disk *disk, bool *replaced, struct rusm_errinfo *info) {
    *replaced = false;
    if (read_secret(disk) == SECRET_READ) {
        return RUSM_OK;
    }
    errno = disk->lock_errno;
    bool found = false;
    if (disk->lock >= 0 && wait_for_byte(disk, SECRET_BYTE)) {
        /* Somebody else may have made it meanwhile. */
        enum secret now = read_secret(disk);
        bool write = now == SECRET_ABSENT || now == SECRET_UNFIT;
        found = now == SECRET_READ || (write && write_secret(disk));
        *replaced = found && now == SECRET_UNFIT;
        int error = errno;
        (void)lock_byte(disk->lock, SECRET_BYTE, F_UNLCK);
        errno = error;
    }
    return found ? RUSM_OK
                 : errinfo_set(info, RUSM_ERR_SYSTEM,
                               "no secret can be read or written in the cache folder %s: %s",
                               disk->path, strerror(errno));
}

enum rusm_err disk_open(struct disk *disk, bool *replaced, struct rusm_errinfo *info) {
    disk->dir = -1;
    disk->lock = -1;
    disk->locked = false;
    enum rusm_err err = open_folder(disk, info);
    if (err == RUSM_OK) {
        err = find_secret(disk, replaced, info);
    }
    if (err != RUSM_OK) {
        disk_close(disk);
    }
    return err;
}

void disk_close(struct disk *disk) {
    if (disk->lock >= 0) {
        (void)close(disk->lock);
    }
    if (disk->dir >= 0) {
        (void)close(disk->dir);
    }
    disk->lock = -1;
    disk->dir = -1;
    disk->locked = false;
    explicit_bzero(disk->secret, sizeof disk->secret);
}
