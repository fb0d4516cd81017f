/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "wasm/ttl_map_internal.h"

#include "base/assert.h"
#include "base/random.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TTL 100u

/* Values are pointers to how often they have been destroyed. */
struct world {
    _Atomic uint64_t now_ns;
    struct ttl_map *map;
};

static uint64_t now_of(void *arg) {
    return atomic_load(&((struct world *)arg)->now_ns);
}

static void destroyed(void *arg, void *value) {
    (void)arg;
    atomic_fetch_add((_Atomic int *)value, 1);
}

static void start(struct world *world, uint32_t entries_max) {
    const struct ttl_map_config config = {.ttl_ns = TTL,
                                          .entries_max = entries_max,
                                          .destroy = destroyed,
                                          .now_ns = now_of,
                                          .arg = world};
    atomic_store(&world->now_ns, 5);
    world->map = ttl_map_create(&config);
    assert_non_null(world->map);
}

struct key {
    uint8_t bytes[TTL_MAP_KEY_BYTES];
};

static struct key key_of(uint8_t number) {
    struct key key = {{number}};
    return key;
}

static struct ttl_value *must_put(struct world *world, uint8_t number, _Atomic int *value) {
    struct ttl_value *held;
    assert_int_equal(ttl_map_put(world->map, key_of(number).bytes, value, &held), RUSM_OK);
    return held;
}

static void put(struct world *world, uint8_t number, _Atomic int *value) {
    ttl_map_release(world->map, must_put(world, number, value));
}

/* Whether it is there; that counts as a use. */
static bool touch(struct world *world, uint8_t number) {
    struct ttl_value *held = ttl_map_get(world->map, key_of(number).bytes);
    if (held) {
        ttl_map_release(world->map, held);
    }
    return held != NULL;
}

static void finds_what_was_put(void **state) {
    (void)state;
    struct world world;
    start(&world, 0);
    _Atomic int one = 0;
    _Atomic int two = 0;
    struct ttl_value *held = must_put(&world, 3, &one);
    assert_ptr_equal(ttl_value_get(held), &one);
    put(&world, 0, &two);
    struct ttl_value *again = ttl_map_get(world.map, key_of(3).bytes);
    assert_ptr_equal(again, held);
    ttl_map_release(world.map, held);
    ttl_map_release(world.map, again);
    assert_true(touch(&world, 0));
    assert_false(touch(&world, 4));
    ttl_map_destroy(world.map);
    assert_int_equal(one, 1);
    assert_int_equal(two, 1);
}

static void the_first_of_two_counts(void **state) {
    (void)state;
    struct world world;
    start(&world, 0);
    _Atomic int first = 0;
    _Atomic int second = 0;
    put(&world, 1, &first);
    struct ttl_value *held = must_put(&world, 1, &second);
    assert_ptr_equal(ttl_value_get(held), &first);
    assert_int_equal(second, 1);
    ttl_map_release(world.map, held);
    assert_int_equal(first, 0);
    ttl_map_destroy(world.map);
    assert_int_equal(first, 1);
}

static void time_runs_from_the_last_use(void **state) {
    (void)state;
    struct world world;
    start(&world, 0);
    _Atomic int one = 0;
    _Atomic int two = 0;
    put(&world, 1, &one);
    world.now_ns += TTL - 1;
    assert_true(touch(&world, 1));
    world.now_ns += TTL - 1;
    put(&world, 2, &two);
    assert_int_equal(one, 0);
    world.now_ns += 1;
    ttl_map_sweep(world.map);
    assert_int_equal(one, 1);
    assert_int_equal(two, 0);
    assert_false(touch(&world, 1));
    world.now_ns += TTL - 2;
    ttl_map_sweep(world.map);
    assert_int_equal(two, 0);
    world.now_ns += 1;
    assert_false(touch(&world, 2));
    assert_int_equal(two, 1);
    ttl_map_destroy(world.map);
}

static void what_is_held_stays(void **state) {
    (void)state;
    struct world world;
    start(&world, 0);
    _Atomic int one = 0;
    struct ttl_value *held = must_put(&world, 1, &one);
    world.now_ns += 10 * TTL;
    ttl_map_sweep(world.map);
    assert_true(touch(&world, 1));
    ttl_map_release(world.map, held);
    assert_int_equal(one, 0);
    world.now_ns += TTL;
    ttl_map_sweep(world.map);
    assert_int_equal(one, 1);
    ttl_map_destroy(world.map);
}

static void at_the_bound_the_one_unused_longest_goes(void **state) {
    (void)state;
    struct world world;
    start(&world, 2);
    _Atomic int values[5] = {0};
    put(&world, 1, &values[1]);
    put(&world, 2, &values[2]);
    assert_true(touch(&world, 1));
    put(&world, 3, &values[3]);
    assert_int_equal(values[2], 1);
    assert_int_equal(values[1], 0);
    /* All are held: a new one works, and is not kept. */
    struct ttl_value *first = ttl_map_get(world.map, key_of(1).bytes);
    struct ttl_value *third = ttl_map_get(world.map, key_of(3).bytes);
    struct ttl_value *fourth = must_put(&world, 4, &values[4]);
    assert_ptr_equal(ttl_value_get(fourth), &values[4]);
    assert_false(touch(&world, 4));
    ttl_map_release(world.map, fourth);
    assert_int_equal(values[4], 1);
    ttl_map_release(world.map, first);
    ttl_map_release(world.map, third);
    assert_true(touch(&world, 1) && touch(&world, 3));
    ttl_map_destroy(world.map);
}

static void keys_alike_at_their_heads_are_not_mixed_up(void **state) {
    (void)state;
    struct world world;
    start(&world, 0);
    _Atomic int one = 0;
    _Atomic int other = 0;
    put(&world, 1, &one);
    struct key alike = key_of(1);
    alike.bytes[TTL_MAP_KEY_BYTES - 1] = 1;
    assert_null(ttl_map_get(world.map, alike.bytes));
    struct ttl_value *held;
    assert_int_equal(ttl_map_put(world.map, alike.bytes, &other, &held), RUSM_OK);
    assert_ptr_equal(ttl_value_get(held), &other);
    ttl_map_release(world.map, held);
    assert_int_equal(other, 1);
    assert_true(touch(&world, 1));
    ttl_map_destroy(world.map);
}

#define THREADS 3u
#define KEYS    8u
#define STEPS   20000u

struct user {
    struct world *world;
    uint64_t seed;
    uint64_t put;
    _Atomic int (*values)[STEPS];
};

static void *uses(void *arg) {
    struct user *user = arg;
    struct random random = {user->seed};
    for (uint32_t i = 0; i < STEPS; i++) {
        struct key key = key_of((uint8_t)random_below(&random, KEYS));
        struct ttl_value *held = ttl_map_get(user->world->map, key.bytes);
        if (!held) {
            _Atomic int *value = &(*user->values)[user->put++];
            RUSM_ASSERT(ttl_map_put(user->world->map, key.bytes, value, &held) == RUSM_OK);
        }
        RUSM_ASSERT(atomic_load((_Atomic int *)ttl_value_get(held)) == 0);
        ttl_map_release(user->world->map, held);
        atomic_fetch_add(&user->world->now_ns, random_below(&random, TTL / 2));
    }
    return NULL;
}

/* No value is destroyed while it is held, and each is once. */
static void threads_share_it(void **state) {
    (void)state;
    static _Atomic int values[THREADS][STEPS];
    struct world world;
    start(&world, KEYS / 2);
    struct user users[THREADS];
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        users[i] = (struct user){&world, i + 1, 0, &values[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, uses, &users[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    ttl_map_destroy(world.map);
    for (uint32_t i = 0; i < THREADS; i++) {
        for (uint32_t n = 0; n < STEPS; n++) {
            assert_int_equal(values[i][n], n < users[i].put);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(the_first_of_two_counts),
        cmocka_unit_test(time_runs_from_the_last_use),
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(at_the_bound_the_one_unused_longest_goes),
        cmocka_unit_test(keys_alike_at_their_heads_are_not_mixed_up),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
