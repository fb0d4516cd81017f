/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What a cache keeps, shares and forgets, within one process; its folder: cache_disk_test.c. */
#include "base/assert.h"
#include "wasm/test_cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state) {
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_deinit(*state);
    return 0;
}

static void compiles_once_and_finds_it_on_disk(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    use(cache, "one");
    assert_int_equal(info_of(cache).compiled, 2);
    assert_int_equal(info_of(cache).read, 1);
    assert_int_equal(info_of(cache).kept_entries, 0);
    cache_destroy(cache);
    cache = must_create(fixture);
    use(cache, "two");
    assert_int_equal(info_of(cache).compiled, 0);
    assert_int_equal(info_of(cache).read, 1);
    cache_destroy(cache);
    assert_int_equal(fixture->compiled, 2);
    assert_int_equal(fixture->warnings, 0);
    struct stat is;
    assert_int_equal(stat(fixture->dir, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0700);
}

static void what_is_held_is_shared(void **state) {
    struct cache *cache = must_create(*state);
    struct cache_artefact *first = must_get(cache, "one");
    struct cache_artefact *second = must_get(cache, "one");
    assert_ptr_equal(first, second);
    assert_int_equal(info_of(cache).shared, 1);
    cache_release(cache, first);
    use(cache, "one");
    cache_release(cache, second);
    assert_int_equal(info_of(cache).compiled, 1);
    cache_destroy(cache);
}

static void nobody_can_change_an_artefact(void **state) {
    struct cache *cache = must_create(*state);
    struct cache_artefact *artefact = must_get(cache, "one");
    int fd = open(cache_artefact_path(artefact), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(close(fd), 0);
    cache_release(cache, artefact);
    cache_destroy(cache);
}

/* ---- one flight ---- */

#define THREADS 6u

struct flight {
    struct cache *cache;
    const char *source;
    enum rusm_err errs[THREADS];
    struct rusm_errinfo infos[THREADS];
    _Atomic uint32_t next;
};

/* The compiler waits until all other threads wait for it. */
static void until_all_wait(struct fixture *fixture) {
    struct flight *flight = fixture->arg;
    while (info_of(flight->cache).waiting < THREADS - 1) {
        sched_yield();
    }
}

static void *flies(void *arg) {
    struct flight *flight = arg;
    uint32_t i = atomic_fetch_add(&flight->next, 1);
    struct rwt_slice wasm = {(const uint8_t *)flight->source, strlen(flight->source)};
    struct cache_artefact *artefact;
    flight->errs[i] = cache_get(flight->cache, wasm, &artefact, &flight->infos[i]);
    if (flight->errs[i] == RUSM_OK) {
        cache_release(flight->cache, artefact);
    }
    return NULL;
}

static void fly(struct fixture *fixture, struct flight *flight) {
    fixture->arg = flight;
    fixture->while_compiling = until_all_wait;
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, flies, flight), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    fixture->while_compiling = NULL;
}

static void threads_that_want_the_same_compile_it_once(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    struct flight flight = {.cache = cache, .source = "one"};
    fly(fixture, &flight);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(flight.errs[i], RUSM_OK);
    }
    assert_int_equal(fixture->compiled, 1);
    assert_int_equal(info_of(cache).shared, THREADS - 1);
    assert_int_equal(info_of(cache).waiting, 0);
    cache_destroy(cache);
}

static void threads_that_wait_share_a_failure(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    struct flight flight = {.cache = cache, .source = "bad"};
    fly(fixture, &flight);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(flight.errs[i], RUSM_ERR_INVALID);
        assert_string_equal(flight.infos[i].text, "expected `(`");
    }
    assert_int_equal(fixture->compiled, 1);
    cache_destroy(cache);
}

static void failures_are_not_kept(void **state) {
    struct fixture *fixture = *state;
    struct cache *cache = must_create(fixture);
    struct rwt_slice wasm = {(const uint8_t *)"bad", 3};
    struct cache_artefact *artefact;
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(cache_get(cache, wasm, &artefact, NULL), RUSM_ERR_INVALID);
        assert_int_equal(fixture->compiled, i);
    }
    assert_int_equal(files_with(fixture, ".artefact") + files_with(fixture, ".tmp"), 0);
    assert_int_equal(info_of(cache).compiled, 0);
    cache_destroy(cache);
}

static void *hammers(void *arg) {
    struct cache *cache = arg;
    for (uint32_t i = 0; i < 300; i++) {
        char source[16];
        (void)snprintf(source, sizeof source, "p%u", i * 7 % 5);
        use(cache, source);
    }
    return NULL;
}

/* Every release races with a get of the same key: on disk, or kept in memory and pushed out. */
static void many_threads_may_come_and_go(void **state) {
    struct fixture *fixture = *state;
    for (int round = 0; round < 2; round++) {
        fixture->config.dir = round == 0 ? fixture->dir : "";
        fixture->config.memory_entries_max = 3;
        struct cache *cache = must_create(fixture);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, hammers, cache), 0);
        }
        for (int i = 0; i < 4; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        struct cache_info info = info_of(cache);
        assert_int_equal(info.compiled + info.read + info.shared, 4 * 300);
        assert_int_equal(info.kept_entries, round == 0 ? 0 : 3);
        cache_destroy(cache);
    }
    assert_int_equal(fixture->warnings, 0);
}

/* ---- in memory ---- */

static void without_a_folder_memory_keeps_what_was_used_last(void **state) {
    struct fixture *fixture = *state;
    fixture->config.dir = "";
    fixture->config.memory_entries_max = 2;
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    use(cache, "one");
    use(cache, "three"); /* pushes out "two" */
    assert_int_equal(fixture->compiled, 3);
    use(cache, "one");
    assert_int_equal(fixture->compiled, 3);
    use(cache, "two");
    assert_int_equal(fixture->compiled, 4);
    assert_int_equal(info_of(cache).kept_entries, 2);
    cache_destroy(cache);
    assert_int_equal(fixture->warnings, 0);
}

static void memory_is_bounded_in_bytes(void **state) {
    struct fixture *fixture = *state;
    fixture->config.dir = "";
    fixture->config.memory_bytes_max = 2 * strlen("code of one");
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    use(cache, "two");
    assert_int_equal(info_of(cache).kept_bytes, fixture->config.memory_bytes_max);
    use(cache, "six"); /* pushes out "one" */
    assert_int_equal(info_of(cache).kept_entries, 2);
    use(cache, "larger than what may be kept");
    assert_int_equal(info_of(cache).kept_entries, 0);
    assert_int_equal(info_of(cache).kept_bytes, 0);
    cache_destroy(cache);
}

/* ---- where it is ---- */

static void the_users_cache_is_the_default(void **state) {
    struct fixture *fixture = *state;
    fixture->config.dir = NULL;
    char path[128];
    assert_int_equal(setenv("XDG_CACHE_HOME", fixture->root, 1), 0);
    struct cache *cache = must_create(fixture);
    use(cache, "one");
    cache_destroy(cache);
    (void)snprintf(path, sizeof path, "%s/rusm/wasm/secret", fixture->root);
    assert_true(file_exists(path));
    /* A relative one does not count. */
    assert_int_equal(setenv("XDG_CACHE_HOME", "relative", 1), 0);
    assert_int_equal(setenv("HOME", fixture->root, 1), 0);
    cache = must_create(fixture);
    cache_destroy(cache);
    (void)snprintf(path, sizeof path, "%s/.cache/rusm/wasm/secret", fixture->root);
    assert_true(file_exists(path));
    assert_int_equal(fixture->warnings, 0);
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    cache = must_create(fixture);
    use(cache, "one");
    use(cache, "one");
    assert_int_equal(info_of(cache).compiled, 1);
    cache_destroy(cache);
    assert_int_equal(fixture->warnings, 1);
    assert_string_equal(fixture->warning,
                        "neither XDG_CACHE_HOME nor HOME says where the cache is; compiled "
                        "programs are kept in memory");
}

static void must_refuse(struct fixture *fixture, const char *dir, const char *text) {
    struct cache *cache;
    struct rusm_errinfo info;
    fixture->config.dir = dir;
    assert_int_equal(cache_create(&fixture->config, &cache, &info), RUSM_ERR_INVALID);
    if (!strstr(info.text, text)) {
        fail_msg("\"%s\" has no \"%s\" in it", info.text, text);
    }
}

static void folders_that_are_not_safe_are_refused(void **state) {
    struct fixture *fixture = *state;
    must_refuse(fixture, "relative/path", "is not an absolute path");
    static char lengthy[5000];
    memset(lengthy, 'x', sizeof lengthy - 1);
    lengthy[0] = '/';
    must_refuse(fixture, lengthy, "is too long");
    char open_to_all[128];
    (void)snprintf(open_to_all, sizeof open_to_all, "%s/open", fixture->root);
    assert_int_equal(mkdir(open_to_all, 0700), 0);
    assert_int_equal(chmod(open_to_all, 0770), 0);
    must_refuse(fixture, open_to_all, "(mode 0770): chmod go-w it");
    assert_int_equal(chmod(open_to_all, 0702), 0);
    must_refuse(fixture, open_to_all, "(mode 0702): chmod go-w it");
    assert_int_equal(chmod(open_to_all, 0755), 0);
    fixture->config.dir = open_to_all;
    cache_destroy(must_create(fixture));
    /* A folder of somebody else: for root one is made, for others the root folder is one. */
    const char *foreign = "/";
    if (geteuid() == 0) {
        assert_int_equal(chown(open_to_all, 1, 1), 0);
        foreign = open_to_all;
    }
    must_refuse(fixture, foreign, "belongs to user");
    fixture->config.disk_files_max = CACHE_FILES_LIMIT + 1;
    must_refuse(fixture, "", "a cache has at most 65536 files, not 65537");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(compiles_once_and_finds_it_on_disk),
        TEST(what_is_held_is_shared),
        TEST(nobody_can_change_an_artefact),
        TEST(threads_that_want_the_same_compile_it_once),
        TEST(threads_that_wait_share_a_failure),
        TEST(failures_are_not_kept),
        TEST(many_threads_may_come_and_go),
        TEST(without_a_folder_memory_keeps_what_was_used_last),
        TEST(memory_is_bounded_in_bytes),
        TEST(the_users_cache_is_the_default),
        TEST(folders_that_are_not_safe_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
