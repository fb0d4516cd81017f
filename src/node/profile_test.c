/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void workers_grow_with_cores_and_profile(void **state) {
    (void)state;
    const struct {
        uint32_t cores, light, balanced, max;
    } table[] = {
        {0, 1, 1, 1},     {1, 1, 1, 1},
        {2, 1, 1, 1},     {3, 1, 1, 1},
        {4, 1, 1, 2},     {5, 1, 2, 2},
        {8, 2, 3, 4},     {10, 2, 4, 5},
        {64, 16, 25, 32}, {UINT32_MAX, 1073741823, 1717986918, 2147483647},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(node_profile_workers(NODE_PROFILE_LIGHT, table[i].cores), table[i].light);
        assert_int_equal(node_profile_workers(NODE_PROFILE_BALANCED, table[i].cores),
                         table[i].balanced);
        assert_int_equal(node_profile_workers(NODE_PROFILE_MAX, table[i].cores), table[i].max);
    }
}

static void population_cap_is_per_core(void **state) {
    (void)state;
    assert_int_equal(node_population_cap(0), 5000);
    assert_int_equal(node_population_cap(2), 10000);
    assert_int_equal(node_population_cap(UINT32_MAX), UINT32_MAX);
}

static void names_are_understood_both_ways(void **state) {
    (void)state;
    enum node_profile profile = NODE_PROFILE_MAX;
    assert_false(node_profile_parse("", &profile));
    assert_false(node_profile_parse("MAX", &profile));
    assert_int_equal(profile, NODE_PROFILE_MAX);
    for (unsigned i = 0; i < NODE_PROFILE_COUNT; i++) {
        assert_true(node_profile_parse(node_profile_info((enum node_profile)i)->id, &profile));
        assert_int_equal(profile, i);
        assert_true(strlen(node_profile_info(profile)->description) > 0);
    }
}

static void this_machine_is_described(void **state) {
    (void)state;
    struct node_machine machine;
    node_machine_read(&machine);
    assert_true(machine.cores >= 1);
    assert_true(machine.memory_bytes > 1024 * 1024);
    assert_true(strlen(machine.kernel) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_grow_with_cores_and_profile),
        cmocka_unit_test(population_cap_is_per_core),
        cmocka_unit_test(names_are_understood_both_ways),
        cmocka_unit_test(this_machine_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
