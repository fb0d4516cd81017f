/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The registry of names. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void name_leads_to_its_process(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    assert_int_equal(rusm_whereis(rt, "a").v, 0);
    assert_int_equal(rusm_register(rt, "a", pid), RUSM_OK);
    assert_int_equal(rusm_register(rt, "b", pid), RUSM_OK); /* many names a process */
    assert_int_equal(rusm_whereis(rt, "a").v, pid.v);
    assert_int_equal(rusm_whereis(rt, "b").v, pid.v);
    rusm_runtime_destroy(rt);
}

static void name_belongs_to_one_process(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid first = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    rusm_pid second = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    assert_int_equal(rusm_register(rt, "a", first), RUSM_OK);
    assert_int_equal(rusm_register(rt, "a", second), RUSM_ERR_NAME_TAKEN);
    assert_int_equal(rusm_register(rt, "a", first), RUSM_ERR_NAME_TAKEN);
    assert_int_equal(rusm_whereis(rt, "a").v, first.v);
    rusm_runtime_destroy(rt);
}

static void unregistered_name_is_free(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid first = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    rusm_pid second = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    assert_int_equal(rusm_unregister(rt, "a"), RUSM_ERR_NAME_UNKNOWN);
    assert_int_equal(rusm_register(rt, "a", first), RUSM_OK);
    assert_int_equal(rusm_unregister(rt, "a"), RUSM_OK);
    assert_int_equal(rusm_unregister(rt, "a"), RUSM_ERR_NAME_UNKNOWN);
    assert_int_equal(rusm_whereis(rt, "a").v, 0);
    assert_int_equal(rusm_register(rt, "a", second), RUSM_OK);
    assert_int_equal(rusm_whereis(rt, "a").v, second.v);
    rusm_runtime_destroy(rt);
}

static void name_of_an_ended_process_is_free(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    struct rusm_spawn_opts opts = {.name = "own"};
    rusm_pid first = spawn_fiber(rt, wait_for_ever, NULL, &opts);
    assert_int_equal(rusm_register(rt, "given", first), RUSM_OK);
    assert_true(rusm_kill(rt, first));
    AWAIT(!rusm_is_alive(rt, first));
    assert_int_equal(rusm_whereis(rt, "own").v, 0);
    assert_int_equal(rusm_whereis(rt, "given").v, 0);
    assert_int_equal(rusm_unregister(rt, "given"), RUSM_ERR_NAME_UNKNOWN);
    rusm_pid second = spawn_fiber(rt, wait_for_ever, NULL, &opts);
    assert_int_equal(rusm_register(rt, "given", second), RUSM_OK);
    assert_int_equal(rusm_whereis(rt, "own").v, second.v);
    assert_int_equal(rusm_register(rt, "x", first), RUSM_ERR_NOPROC);
    rusm_runtime_destroy(rt);
}

static void names_out_of_range_are_refused(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    char name[RUSM_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(rusm_register(rt, "", pid), RUSM_ERR_INVALID);
    assert_int_equal(rusm_register(rt, name, pid), RUSM_ERR_INVALID);
    assert_int_equal(rusm_unregister(rt, ""), RUSM_ERR_INVALID);
    assert_int_equal(rusm_unregister(rt, name), RUSM_ERR_INVALID);
    assert_int_equal(rusm_whereis(rt, name).v, 0);
    name[RUSM_NAME_BYTES_MAX] = '\0';
    assert_int_equal(rusm_register(rt, name, pid), RUSM_OK);
    assert_int_equal(rusm_whereis(rt, name).v, pid.v);
    rusm_runtime_destroy(rt);
}

static void full_registry_refuses_names(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.names_max = 2;
    rusm_runtime *rt = start_configured(&config);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    assert_int_equal(rusm_register(rt, "a", pid), RUSM_OK);
    assert_int_equal(rusm_register(rt, "b", pid), RUSM_OK);
    assert_int_equal(rusm_register(rt, "c", pid), RUSM_ERR_NAME_LIMIT);
    struct rusm_spawn_opts opts = {.name = "d"};
    assert_int_equal(rusm_spawn(rt, end_at_once, NULL, &opts, NULL), RUSM_ERR_NAME_LIMIT);
    assert_int_equal(rusm_unregister(rt, "a"), RUSM_OK);
    assert_int_equal(rusm_register(rt, "c", pid), RUSM_OK);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.names, 2);
    rusm_runtime_destroy(rt);
}

#define MANY 5000u

static void register_many(void *arg) {
    char name[32];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many-%u", i);
        RUSM_ASSERT(rusm_register(NULL, name, rusm_self()) == RUSM_OK);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many-%u", i);
        RUSM_ASSERT(rusm_whereis(NULL, name).v == rusm_self().v);
        if (i % 2) {
            RUSM_ASSERT(rusm_unregister(NULL, name) == RUSM_OK);
        }
    }
    *(bool *)arg = true;
}

static void many_names_are_found_and_all_are_released(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(1);
    bool done = false;
    (void)spawn_fiber(rt, register_many, &done, NULL);
    rusm_runtime_wait_idle(rt);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.names, 0);
    rusm_runtime_destroy(rt);
    assert_true(done);
}

/* ---- races between schedulers ---- */

#define RACERS 50u
#define ROUNDS 100u

struct race {
    _Atomic uint32_t holders[ROUNDS];
    _Atomic uint32_t wins;
    _Atomic uint32_t arrived;
};

/* All at once try to get each name; who gets it keeps it until all have tried. */
static void race_for_names(void *arg) {
    struct race *race = arg;
    char name[32];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "race-%u", i);
        enum rusm_err err = rusm_register(NULL, name, rusm_self());
        RUSM_ASSERT(err == RUSM_OK || err == RUSM_ERR_NAME_TAKEN);
        if (err == RUSM_OK) {
            RUSM_ASSERT(atomic_fetch_add(&race->holders[i], 1) == 0);
            atomic_fetch_add(&race->wins, 1);
        }
        rusm_yield();
    }
    atomic_fetch_add(&race->arrived, 1);
    while (atomic_load(&race->arrived) < RACERS) {
        rusm_yield();
    }
}

static void one_of_many_gets_a_name(void **state) {
    (void)state;
    struct race race = {.wins = 0};
    rusm_runtime *rt = start_runtime(4);
    for (uint32_t i = 0; i < RACERS; i++) {
        (void)spawn_fiber(rt, race_for_names, &race, NULL);
    }
    finish_runtime(rt);
    assert_int_equal(atomic_load(&race.wins), ROUNDS);
}

static enum rusm_err silent_init(void *state, void *arg) {
    (void)state;
    (void)arg;
    return RUSM_OK;
}

static void silent_message(void *state, struct rusm_msg *msg) {
    (void)state;
    (void)msg;
}

static void a_name_is_found_or_spawned(void **state) {
    (void)state;
    static const struct rusm_server server = {.init = silent_init, .message = silent_message};
    rusm_runtime *rt = start_runtime(1);
    rusm_pid first, again, other;
    bool spawned = false;
    assert_int_equal(rusm_whereis_or_spawn(rt, "a", wait_for_ever, NULL, NULL, &first, &spawned),
                     RUSM_OK);
    assert_true(spawned && rusm_whereis(rt, "a").v == first.v);
    assert_int_equal(rusm_whereis_or_spawn_server(rt, "a", &server, NULL, NULL, &again, &spawned),
                     RUSM_OK);
    assert_true(!spawned && again.v == first.v);
    const struct rusm_spawn_opts opts = {.label = "of b"};
    assert_int_equal(rusm_whereis_or_spawn_server(rt, "b", &server, NULL, &opts, &other, NULL),
                     RUSM_OK);
    struct rusm_process_info info;
    assert_int_equal(rusm_process_info(rt, other, &info), RUSM_OK);
    assert_string_equal(info.label, "of b");
    assert_string_equal(info.name, "b");
    const struct rusm_spawn_opts named = {.name = "c"};
    assert_int_equal(rusm_whereis_or_spawn(rt, "c", wait_for_ever, NULL, &named, NULL, NULL),
                     RUSM_ERR_INVALID);
    assert_int_equal(rusm_whereis_or_spawn(rt, "", wait_for_ever, NULL, NULL, NULL, NULL),
                     RUSM_ERR_INVALID);
    assert_int_equal(rusm_whereis(rt, "c").v, 0);
    rusm_runtime_destroy(rt);
}

struct singles {
    _Atomic uint64_t pids[ROUNDS]; /* what the first of the racers found */
    _Atomic uint32_t spawns;
    _Atomic uint32_t wrong;
};

static void race_to_spawn(void *arg) {
    struct singles *singles = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%u", i);
        rusm_pid pid = {0};
        bool spawned = false;
        enum rusm_err err =
            rusm_whereis_or_spawn(NULL, name, wait_for_ever, NULL, NULL, &pid, &spawned);
        atomic_fetch_add(&singles->spawns, err == RUSM_OK && spawned);
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&singles->pids[i], &none, pid.v)) {
            atomic_fetch_add(&singles->wrong, none != pid.v);
        }
        atomic_fetch_add(&singles->wrong, err != RUSM_OK);
    }
}

static void of_many_one_spawns(void **state) {
    (void)state;
    static struct singles singles;
    rusm_runtime *rt = start_runtime(4);
    rusm_pid racers[RACERS];
    for (uint32_t i = 0; i < RACERS; i++) {
        racers[i] = spawn_fiber(rt, race_to_spawn, &singles, NULL);
    }
    for (uint32_t i = 0; i < RACERS; i++) {
        AWAIT(!rusm_is_alive(rt, racers[i]));
    }
    rusm_runtime_destroy(rt);
    assert_int_equal(atomic_load(&singles.spawns), ROUNDS);
    assert_int_equal(atomic_load(&singles.wrong), 0);
}

/* Register names for `pid` until one is refused; how many. */
static uint32_t fill(rusm_runtime *rt, rusm_pid pid) {
    char name[16];
    uint32_t count = 0;
    enum rusm_err err;
    do {
        (void)snprintf(name, sizeof name, "n%u", count);
        err = rusm_register(rt, name, pid);
        count += err == RUSM_OK;
    } while (err == RUSM_OK);
    assert_int_equal(err, RUSM_ERR_NAME_LIMIT);
    return count;
}

static void a_large_limit_is_nearly_exact(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.names_max = 8192;
    rusm_runtime *rt = start_configured(&config);
    rusm_pid pid = spawn_fiber(rt, wait_for_ever, NULL, NULL);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t count = fill(rt, pid);
        assert_in_range(count, 8192 - 8192 / 32, 8192);
        struct rusm_runtime_info info;
        rusm_runtime_info(rt, &info);
        assert_int_equal(info.names, count);
        while (count-- > 0) {
            char name[16];
            (void)snprintf(name, sizeof name, "n%u", count);
            assert_int_equal(rusm_unregister(rt, name), RUSM_OK);
        }
        rusm_runtime_info(rt, &info);
        assert_int_equal(info.names, 0);
    }
    rusm_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_leads_to_its_process),
        cmocka_unit_test(name_belongs_to_one_process),
        cmocka_unit_test(unregistered_name_is_free),
        cmocka_unit_test(name_of_an_ended_process_is_free),
        cmocka_unit_test(names_out_of_range_are_refused),
        cmocka_unit_test(full_registry_refuses_names),
        cmocka_unit_test(many_names_are_found_and_all_are_released),
        cmocka_unit_test(one_of_many_gets_a_name),
        cmocka_unit_test(a_name_is_found_or_spawned),
        cmocka_unit_test(of_many_one_spawns),
        cmocka_unit_test(a_large_limit_is_nearly_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
