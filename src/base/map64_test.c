/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/map64.h"

#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#define KEYS  600u
#define STEPS 200000u

/* The model: a value for each small number, 0 = not there. Keys are spread so that some collide. */
static uint64_t key_of(uint32_t number) {
    return ((uint64_t)(number % 7) << 56) + number + 1;
}

static void agrees_with_a_plain_array(void **state) {
    (void)state;
    struct random random = {42};
    uint64_t model[KEYS] = {0};
    uint32_t live = 0;
    struct map64 map;
    map64_init(&map);
    for (uint32_t step = 0; step < STEPS; step++) {
        /* The number of keys in play grows with time, through all three forms of the map. */
        uint32_t number = random_below(&random, 2 + step / (STEPS / (KEYS - 2) + 1));
        struct map64_entry *entry = map64_find(&map, key_of(number));
        assert_int_equal(entry != NULL, model[number] != 0);
        if (entry) {
            assert_true(entry->value == model[number]);
        }
        if (entry && random_below(&random, 2)) {
            map64_remove(&map, entry);
            model[number] = 0;
            live--;
        } else if (!entry) {
            model[number] = random_next(&random) | 1;
            assert_int_equal(map64_add(&map, key_of(number), model[number]), RUSM_OK);
            live++;
        }
        assert_int_equal(map.count, live);
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < map.capacity; i++) {
        seen += map.entries[i].key != 0;
    }
    assert_int_equal(seen, live);
    map64_deinit(&map);
}

static void a_value_can_be_changed_in_place(void **state) {
    (void)state;
    struct map64 map;
    map64_init(&map);
    assert_int_equal(map64_add(&map, 5, 1), RUSM_OK);
    map64_find(&map, 5)->value = 9;
    assert_int_equal(map64_find(&map, 5)->value, 9);
    assert_null(map64_find(&map, 6));
    map64_deinit(&map);
}

/* The longest row of entries without a gap: at most so many are looked at. */
static uint32_t longest_row(const struct map64 *map) {
    uint32_t longest = 0;
    for (uint32_t i = 0, row = 0; i < 2 * map->capacity; i++) {
        row = map->entries[i % map->capacity].key ? row + 1 : 0;
        longest = row > longest ? row : longest;
    }
    return longest;
}

/* References count up by 256, slots by 1 or more: such keys must not gather in rows. */
static void keys_that_count_up_spread(void **state) {
    (void)state;
    for (uint64_t first = 1; first < 1000000; first += 9973) {
        for (uint64_t step = 1; step <= 256; step *= 2) {
            struct map64 map;
            map64_init(&map);
            for (uint64_t i = 0; i < 62; i++) {
                uint64_t key = (uint64_t)1 << 63 | (first + i) * step;
                assert_int_equal(map64_add(&map, key, i), RUSM_OK);
            }
            assert_in_range(longest_row(&map), 1, 8);
            map64_deinit(&map);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_array),
        cmocka_unit_test(a_value_can_be_changed_in_place),
        cmocka_unit_test(keys_that_count_up_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
