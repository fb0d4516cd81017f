/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The cache's folder: other processes, writers that die, files that others have changed, disks that
 * are full. write and fsync are wrapped at link time, to fail and to stop at the right moment.
 */
#include "base/assert.h"
#include "wasm/test_cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What the wrapped calls do, once a cache has its folder. */
static struct {
    int write_error; /* write fails with it after `write_bytes` more; 0 = it does not */
    size_t write_bytes;
    size_t write_most;           /* of one call; 0 = all */
    void (*at_fsync)(void *arg); /* NULL = nothing */
    void *arg;
    int fsync_error;
} faults;

ssize_t __real_write(int fd, const void *data, size_t bytes);
int __real_fsync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t bytes);
int __wrap_fsync(int fd);

ssize_t __wrap_write(int fd, const void *data, size_t bytes) {
    if (faults.write_most && bytes > faults.write_most) {
        bytes = faults.write_most;
    }
    if (faults.write_error) {
        if (faults.write_bytes == 0) {
            errno = faults.write_error;
            return -1;
        }
        bytes = bytes < faults.write_bytes ? bytes : faults.write_bytes;
        faults.write_bytes -= bytes;
    }
    return __real_write(fd, data, bytes);
}

int __wrap_fsync(int fd) {
    if (faults.at_fsync) {
        faults.at_fsync(faults.arg);
    }
    if (faults.fsync_error) {
        errno = faults.fsync_error;
        return -1;
    }
    return __real_fsync(fd);
}

static int setup(void **state) {
    static struct fixture fixture;
    fixture_init(&fixture);
    memset(&faults, 0, sizeof faults);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_deinit(*state);
    return 0;
}

static void must_read(int fd) {
    char byte;
    RUSM_ASSERT(read(fd, &byte, 1) == 1);
}

static void must_write(int fd) {
    RUSM_ASSERT(__real_write(fd, "x", 1) == 1);
}

/* The child ended by itself, without a report of a sanitizer. */
static void must_wait(pid_t child, int code) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static bool is_there(const struct fixture *fixture, const char *source) {
    char path[256];
    file_of(fixture, source, ".artefact", path);
    return file_exists(path);
}

/* ---- other processes ---- */

struct meeting {
    _Atomic uint32_t compiled; /* in both */
    _Atomic uint32_t arrived;
};

static void meet(struct fixture *fixture) {
    struct meeting *meeting = fixture->arg;
    atomic_fetch_add(&meeting->compiled, 1);
}

static void processes_that_want_the_same_compile_it_once(void **state) {
    struct fixture *fixture = *state;
    struct meeting *meeting =
        mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(meeting != MAP_FAILED);
    fixture->arg = meeting;
    fixture->while_compiling = meet;
    struct cache *cache = must_create(fixture);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            atomic_fetch_add(&meeting->arrived, 1);
            while (atomic_load(&meeting->arrived) < 4) {
            }
            for (int program = 0; program < 20; program++) {
                char source[16];
                (void)snprintf(source, sizeof source, "p%d", program);
                use(cache, source);
            }
            _exit(0);
        }
    }
    atomic_fetch_add(&meeting->arrived, 1);
    for (int i = 0; i < 3; i++) {
        must_wait(children[i], 0);
    }
    assert_int_equal(meeting->compiled, 20);
    assert_int_equal(files_with(fixture, ".artefact"), 20);
    cache_destroy(cache);
    assert_int_equal(munmap(meeting, sizeof *meeting), 0);
}

/* Lock every key, as a process that is suspended in its compiler. */
static int lock_all(const struct fixture *fixture) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/lock", fixture->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
    return fd;
}

static void a_lock_that_is_not_given_up_is_not_waited_for_for_ever(void **state) {
    struct fixture *fixture = *state;
    fixture->config.lock_wait_ms = 1;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    int fd = lock_all(fixture);
    use(cache, "two");
    assert_int_equal(fixture->compiled, 2);
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    /* It is kept in memory, and what is on disk is found without a lock. */
    use(cache, "two");
    use(cache, "one");
    assert_int_equal(fixture->compiled, 2);
    assert_int_equal(close(fd), 0);
    use(cache, "three");
    assert_int_equal(files_with(fixture, ".artefact"), 2);
    cache_destroy(cache);
    assert_int_equal(fixture->warnings, 0);
}

/* ---- writers that die ---- */

static void dies(void *arg) {
    (void)arg;
    _exit(7);
}

static void what_a_dead_writer_left_is_removed(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(must_create(fixture));
    pid_t child = fork();
    if (child == 0) {
        struct cache *cache = must_create(fixture);
        faults.at_fsync = dies;
        use(cache, "one");
        _exit(0);
    }
    must_wait(child, 7);
    assert_int_equal(files_with(fixture, ".tmp"), 1);
    assert_int_equal(files_with(fixture, ".artefact"), 0);
    struct cache *cache = must_create(fixture);
    assert_int_equal(files_with(fixture, ".tmp"), 0);
    use(cache, "one");
    assert_int_equal(fixture->compiled, 1);
    cache_destroy(cache);
}

static void a_leftover_is_overwritten_by_the_next_writer(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    /* What is in the way of its name, even a link to somewhere, is no matter. */
    char path[256];
    char victim[128];
    (void)snprintf(victim, sizeof victim, "%s/victim", fixture->root);
    file_of(fixture, "one", ".tmp", path);
    assert_int_equal(symlink(victim, path), 0);
    use(cache, "one");
    assert_false(file_exists(victim));
    assert_int_equal(files_with(fixture, ".tmp"), 0);
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    use(cache, "one");
    assert_int_equal(fixture->compiled, 1);
    cache_destroy(cache);
}

struct pipes {
    int writing[2]; /* the writer says that it is */
    int go[2];
};

static void says_so_and_waits(void *arg) {
    struct pipes *pipes = arg;
    must_write(pipes->writing[1]);
    must_read(pipes->go[0]);
}

static void what_a_live_writer_writes_is_left_alone(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(must_create(fixture));
    struct pipes pipes;
    assert_int_equal(pipe(pipes.writing), 0);
    assert_int_equal(pipe(pipes.go), 0);
    pid_t child = fork();
    if (child == 0) {
        struct cache *cache = must_create(fixture);
        faults.at_fsync = says_so_and_waits;
        faults.arg = &pipes;
        use(cache, "one");
        cache_destroy(cache);
        _exit(0);
    }
    must_read(pipes.writing[0]);
    struct cache *cache = must_create(fixture);
    use(cache, "two");
    assert_int_equal(files_with(fixture, ".tmp"), 1);
    must_write(pipes.go[1]);
    must_wait(child, 0);
    use(cache, "one");
    assert_int_equal(info_of(cache).compiled, 1);
    assert_int_equal(files_with(fixture, ".tmp"), 0);
    cache_destroy(cache);
    for (int i = 0; i < 2; i++) {
        (void)close(pipes.writing[i]);
        (void)close(pipes.go[i]);
    }
}

/* ---- files that others have changed ---- */

static void write_at(const char *path, off_t at, char byte) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    assert_int_equal(close(fd), 0);
}

static char byte_at(const char *path, off_t at) {
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    assert_int_equal(close(fd), 0);
    return byte;
}

static uint64_t head_of(const char *path) {
    uint64_t head = 0;
    for (off_t at = 0; at < 8; at++) {
        head = head << 8 | (unsigned char)byte_at(path, at);
    }
    return head;
}

static off_t bytes_of(const char *path) {
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    return is.st_size;
}

/* The file of "one" does not fit: a warning, it is gone, it is compiled again. */
static void must_reject(struct fixture *fixture, struct cache *cache, const char *why) {
    uint32_t warnings = fixture->warnings;
    uint32_t compiled = fixture->compiled;
    use(cache, "one");
    assert_int_equal(fixture->compiled, compiled + 1);
    assert_int_equal(fixture->warnings, warnings + 1);
    if (!strstr(fixture->warning, why)) {
        fail_msg("\"%s\" has no \"%s\" in it", fixture->warning, why);
    }
    assert_non_null(strstr(fixture->warning, ": it is compiled again"));
    use(cache, "one");
    assert_int_equal(fixture->compiled, compiled + 1);
    assert_int_equal(fixture->warnings, warnings + 1);
}

static void a_changed_bit_anywhere_is_seen(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    char path[256];
    file_of(fixture, "one", ".artefact", path);
    off_t bytes = bytes_of(path);
    assert_int_equal(bytes, 32 + strlen("code of one"));
    for (off_t at = 0; at < bytes; at++) {
        write_at(path, at, (char)(byte_at(path, at) ^ 1 << at % 8));
        must_reject(fixture, cache, "was not written by this user");
    }
    assert_int_equal(info_of(cache).rejected, bytes);
    cache_destroy(cache);
}

static void a_file_of_another_length_is_seen(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    char path[256];
    file_of(fixture, "one", ".artefact", path);
    off_t bytes = bytes_of(path);
    const struct {
        off_t bytes;
        const char *why;
    } lengths[] = {
        {0, "is cut off"},
        {1, "is cut off"},
        {32, "is cut off"},
        {33, "was not written"},
        {bytes - 1, "was not written"},
        {bytes + 1, "was not written"},
        {(off_t)2 << 30, "is larger than all may be together"},
    };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_int_equal(truncate(path, lengths[i].bytes), 0);
        must_reject(fixture, cache, lengths[i].why);
    }
    cache_destroy(cache);
}

static void what_is_no_file_is_seen(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    char path[256];
    char other[256];
    file_of(fixture, "one", ".artefact", path);
    file_of(fixture, "two", ".artefact", other);
    /* That of another key, a link to it, and what would block a reader. */
    assert_int_equal(rename(other, path), 0);
    must_reject(fixture, cache, "was not written by this user");
    use(cache, "two");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    must_reject(fixture, cache, "is no file of this user");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    must_reject(fixture, cache, "is cut off, or no file");
    cache_destroy(cache);
}

static void a_secret_that_others_may_know_is_replaced(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    char secret[256];
    (void)snprintf(secret, sizeof secret, "%s/secret", fixture->dir);
    struct stat is;
    assert_int_equal(stat(secret, &is), 0);
    assert_int_equal(is.st_mode & 07777, 0600);
    for (int round = 0; round < 2; round++) {
        uint64_t before = head_of(secret);
        if (round == 0) {
            assert_int_equal(chmod(secret, 0640), 0);
        } else {
            assert_int_equal(truncate(secret, 31), 0);
        }
        uint32_t warnings = fixture->warnings;
        uint32_t compiled = fixture->compiled;
        use(cache, "one");
        /* One for the secret, one for the file that does not fit any more. */
        assert_int_equal(fixture->warnings, warnings + 2);
        assert_int_equal(fixture->compiled, compiled + 1);
        assert_int_equal(stat(secret, &is), 0);
        assert_int_equal(is.st_mode & 07777, 0600);
        assert_int_equal(is.st_size, 32);
        assert_true(head_of(secret) != before);
        use(cache, "one");
        assert_int_equal(fixture->warnings, warnings + 2);
        assert_int_equal(fixture->compiled, compiled + 1);
    }
    cache_destroy(cache);
}

/* ---- folders that go, disks that are full ---- */

static void goes(struct fixture *fixture) {
    remove_tree(fixture->dir);
}

static void the_folder_may_go_at_any_time(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    struct cache_artefact *held = must_get(cache, "one");
    remove_tree(fixture->dir);
    use(cache, "two");
    cache_release(cache, held);
    use(cache, "two");
    assert_int_equal(fixture->compiled, 2);
    assert_int_equal(fixture->warnings, 0);
    use(cache, "one");
    assert_int_equal(fixture->compiled, 3);
    /* While it is being used, which is no more than a failure to write. */
    fixture->while_compiling = goes;
    use(cache, "three");
    fixture->while_compiling = NULL;
    use(cache, "three");
    assert_int_equal(fixture->compiled, 4);
    assert_int_equal(fixture->warnings, 1);
    cache_destroy(cache);
    /* And all is well again. */
    cache = must_create(fixture);
    use(cache, "one");
    use(cache, "one");
    assert_int_equal(info_of(cache).read, 1);
    cache_destroy(cache);
}

/* The folder cannot be had: one warning, and memory. */
static void must_fall_back(struct fixture *fixture, const char *why) {
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    use(cache, "one");
    use(cache, "two");
    assert_int_equal(fixture->compiled, 2);
    cache_destroy(cache);
    assert_int_equal(fixture->warnings, 1);
    if (!strstr(fixture->warning, why)) {
        fail_msg("\"%s\" has no \"%s\" in it", fixture->warning, why);
    }
    assert_non_null(strstr(fixture->warning, "; compiled programs are kept in memory"));
}

static void a_folder_that_cannot_be_made_is_done_without(void **state) {
    struct fixture *fixture = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/a", fixture->root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    must_fall_back(fixture, "cannot be opened: Not a directory");
}

static void a_full_disk_is_done_without(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(must_create(fixture));
    faults.write_error = ENOSPC;
    faults.write_bytes = 40; /* in the middle of the first file */
    must_fall_back(fixture, "cannot be written to: No space left on device");
    assert_int_equal(files_with(fixture, ".tmp") + files_with(fixture, ".artefact"), 0);
}

static void what_does_not_fit_goes_even_if_nothing_takes_its_place(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    char path[256];
    file_of(fixture, "one", ".artefact", path);
    write_at(path, 40, 'x');
    faults.write_error = ENOSPC;
    use(cache, "one");
    assert_int_equal(info_of(cache).rejected, 1);
    assert_false(is_there(fixture, "one"));
    cache_destroy(cache);
}

static void an_error_of_fsync_counts(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(must_create(fixture));
    faults.fsync_error = EIO;
    must_fall_back(fixture, "cannot be written to: Input/output error");
    assert_int_equal(files_with(fixture, ".tmp") + files_with(fixture, ".artefact"), 0);
}

static void no_secret_is_no_folder(void **state) {
    faults.write_error = ENOSPC;
    must_fall_back(*state, "no secret can be read or written");
}

/* As on a file system that is mounted for reading: the lock file cannot be opened for writing. */
static void a_folder_to_read_only_is_read(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    cache_destroy(cache);
    char path[256];
    (void)snprintf(path, sizeof path, "%s/lock", fixture->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    cache = must_create(fixture);
    use(cache, "one");
    assert_int_equal(info_of(cache).read, 1);
    assert_int_equal(fixture->warnings, 0);
    use(cache, "two");
    use(cache, "two");
    use(cache, "three");
    assert_int_equal(info_of(cache).compiled, 2);
    assert_int_equal(fixture->warnings, 1);
    assert_non_null(strstr(fixture->warning, "cannot be written to: Is a directory"));
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    cache_destroy(cache);
}

/* Whichever call is the one that gets no descriptor, nothing on disk is the worse for it. */
static void without_descriptors_nothing_is_lost(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(must_create(fixture));
    struct cache *writer = must_create(fixture);
    use(writer, "one");
    cache_destroy(writer);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(lowest >= 0);
    assert_int_equal(close(lowest), 0);
    char secret[256];
    (void)snprintf(secret, sizeof secret, "%s/secret", fixture->dir);
    uint64_t head = head_of(secret);
    uint32_t failed = 0;
    uint32_t read = 0;
    for (rlim_t more = 0; more < 8; more++) {
        struct cache *cache = must_create(fixture);
        const struct rlimit limit = {(rlim_t)lowest + more, before.rlim_max};
        struct cache_artefact *artefact;
        struct rusm_errinfo info;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        enum rusm_err err =
            cache_get(cache, (struct rwt_slice){(const uint8_t *)"one", 3}, &artefact, &info);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (err == RUSM_OK) {
            cache_release(cache, artefact);
        } else {
            assert_int_equal(err, RUSM_ERR_SYSTEM);
            assert_non_null(strstr(info.text, "Too many open files"));
        }
        failed += err != RUSM_OK;
        read += info_of(cache).read == 1;
        cache_destroy(cache);
        assert_true(head_of(secret) == head);
        assert_true(is_there(fixture, "one"));
    }
    assert_true(failed > 0);
    assert_true(read > 0);
}

static void short_writes_are_gone_on_with(void **state) {
    struct fixture *fixture = *state;
    faults.write_most = 3;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "one");
    assert_int_equal(info_of(cache).read, 1);
    cache_destroy(cache);
    assert_int_equal(fixture->warnings, 0);
}

/* ---- bounds ---- */

static void used_at(const struct fixture *fixture, const char *source, time_t seconds) {
    char path[256];
    file_of(fixture, source, ".artefact", path);
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void what_was_used_longest_ago_goes_first(void **state) {
    struct fixture *fixture = *state;
    fixture->config.disk_bytes_max = 3 * (32 + strlen("code of one"));
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    use(cache, "six");
    assert_int_equal(files_with(fixture, ".artefact"), 3);
    used_at(fixture, "one", 1000);
    used_at(fixture, "two", 2000);
    used_at(fixture, "six", 3000);
    use(cache, "one"); /* which makes it the newest */
    use(cache, "ten");
    assert_true(is_there(fixture, "one"));
    assert_false(is_there(fixture, "two"));
    assert_true(is_there(fixture, "six"));
    assert_true(is_there(fixture, "ten"));
    /* What was just written stays, whatever the clock says of the others. */
    used_at(fixture, "one", ((time_t)1 << 33) - 1);
    used_at(fixture, "six", (time_t)1 << 33);
    used_at(fixture, "ten", (time_t)1 << 33);
    use(cache, "new");
    assert_true(is_there(fixture, "new"));
    assert_false(is_there(fixture, "one"));
    cache_destroy(cache);
    /* A lower bound holds from the start. */
    fixture->config.disk_files_max = 1;
    cache_destroy(must_create(fixture));
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    assert_int_equal(fixture->warnings, 0);
}

static void files_are_bounded_and_others_are_left_alone(void **state) {
    struct fixture *fixture = *state;
    fixture->config.disk_files_max = 4;
    struct cache *cache = must_create(fixture);
    static const char *const others[] = {"notes.artefact", "0123.tmp", "readme"};
    for (size_t i = 0; i < 3; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", fixture->dir, others[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    for (int i = 0; i < 600; i++) {
        char source[16];
        (void)snprintf(source, sizeof source, "p%d", i);
        use(cache, source);
        assert_int_equal(files_with(fixture, ".artefact"), 1 + (i < 4 ? i + 1 : 4));
    }
    assert_int_equal(files_with(fixture, ".tmp"), 1);
    assert_int_equal(files_with(fixture, "readme"), 1);
    cache_destroy(cache);
}

static void one_that_is_larger_than_the_bound_is_not_written(void **state) {
    struct fixture *fixture = *state;
    fixture->config.disk_bytes_max = 100;
    struct cache *cache = must_create(fixture);
    char source[100];
    memset(source, 's', sizeof source);
    source[60] = 0; /* 32 + 8 + 60 = 100 */
    use(cache, source);
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    source[60] = 's';
    source[61] = 0;
    use(cache, source);
    use(cache, source);
    assert_int_equal(files_with(fixture, ".artefact"), 1);
    assert_int_equal(info_of(cache).compiled, 2);
    assert_int_equal(fixture->warnings, 0);
    cache_destroy(cache);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(processes_that_want_the_same_compile_it_once),
        TEST(a_lock_that_is_not_given_up_is_not_waited_for_for_ever),
        TEST(what_a_dead_writer_left_is_removed),
        TEST(a_leftover_is_overwritten_by_the_next_writer),
        TEST(what_a_live_writer_writes_is_left_alone),
        TEST(a_changed_bit_anywhere_is_seen),
        TEST(a_file_of_another_length_is_seen),
        TEST(what_is_no_file_is_seen),
        TEST(a_secret_that_others_may_know_is_replaced),
        TEST(the_folder_may_go_at_any_time),
        TEST(a_folder_that_cannot_be_made_is_done_without),
        TEST(a_full_disk_is_done_without),
        TEST(what_does_not_fit_goes_even_if_nothing_takes_its_place),
        TEST(an_error_of_fsync_counts),
        TEST(no_secret_is_no_folder),
        TEST(a_folder_to_read_only_is_read),
        TEST(without_descriptors_nothing_is_lost),
        TEST(short_writes_are_gone_on_with),
        TEST(what_was_used_longest_ago_goes_first),
        TEST(files_are_bounded_and_others_are_left_alone),
        TEST(one_that_is_larger_than_the_bound_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
