/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The pool of instances: its limits, who waits for a slot, the clock. */
#include "base/assert.h"
#include "test_guests_internal.h"
#include "wasm/program_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- configuration ---- */

static void configuration_is_checked(void **state) {
    (void)state;
    struct rusm_wasm_config good;
    rusm_wasm_config_init(&good);
    struct rusm_wasm_config bad[12];
    static const char *const says[] = {
        "instances_max", "instances_max",    "spawn_queue_max",  "spawn_queue_max",
        "memory_reserv", "memory_bytes_max", "memory_bytes_max", "stack_bytes",
        "stack_bytes",   "epoch_ms",         "epoch_ms",         "table_elements_max",
    };
    for (size_t i = 0; i < 12; i++) {
        bad[i] = good;
    }
    bad[0].instances_max = 0;
    bad[1].instances_max = (1u << 20) + 1;
    bad[2].spawn_queue_max = 0;
    bad[3].spawn_queue_max = (1u << 24) + 1;
    bad[4].memory_reservation = 65535;
    bad[5].memory_bytes_max = 0;
    bad[6].memory_bytes_max = bad[6].memory_reservation + 1;
    bad[7].stack_bytes = 65535;
    bad[8].stack_bytes = (16u << 20) + 1;
    bad[9].epoch_ms = 0;
    bad[10].epoch_ms = 1001;
    bad[11].table_elements_max = 0;
    rusm_runtime *rt = start_runtime(1);
    for (size_t i = 0; i < 12; i++) {
        struct rusm_errinfo error = {""};
        rusm_wasm *wasm = NULL;
        assert_int_equal(wasm_create(rt, &bad[i], NULL, 0, &wasm, &error), RUSM_ERR_INVALID);
        assert_non_null(strstr(error.text, says[i]));
        assert_null(wasm);
    }
    rusm_runtime_destroy(rt);
}

static void too_much_address_space_is_refused_with_what_to_change(void **state) {
    (void)state;
    struct rusm_wasm_config config;
    struct rusm_errinfo error;
    rusm_wasm_config_init(&config);
    config.instances_max = 1u << 20;
    assert_int_equal(pool_check_room(&config, &error), RUSM_ERR_SYSTEM);
    assert_non_null(strstr(error.text, "1048576 instances need 4227072 GiB"));
    assert_non_null(strstr(error.text, "there is room for 31497"));
    assert_non_null(strstr(error.text, "memory_reservation (4096 MiB each)"));
}

static void too_many_mappings_are_refused_with_what_to_change(void **state) {
    (void)state;
    struct rusm_wasm_config config;
    struct rusm_errinfo error;
    unsigned long long allowed = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%llu", &allowed), 1);
    (void)fclose(file);
    rusm_wasm_config_init(&config);
    config.memory_reservation = 1 << 20;
    config.instances_max = (uint32_t)((allowed - 4096) * 10 / 42);
    assert_int_equal(pool_check_room(&config, &error), RUSM_OK);
    config.instances_max += 10;
    assert_int_equal(pool_check_room(&config, &error), RUSM_ERR_SYSTEM);
    assert_non_null(strstr(error.text, "vm.max_map_count"));
}

/* ---- waiting for a slot ---- */

static const char marks_and_waits[] = "(module " TEST_IMPORTS "(memory (export \"memory\") 3)"
                                      "(func (export \"run\") (call $mark) (call $wait)))";

struct pool_world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    rusm_program *program;
    struct board board;
};

static void start(struct pool_world *world, uint32_t schedulers, uint32_t slots, uint32_t queue,
                  uint64_t wait_ms) {
    struct rusm_wasm_config config;
    guests_config(&config);
    config.instances_max = slots;
    config.spawn_queue_max = queue;
    config.spawn_wait_ms = wait_ms;
    memset(world, 0, sizeof *world);
    world->rt = start_runtime(schedulers);
    world->wasm = start_guests(world->rt, &config, &world->board);
    world->program = load_text(world->wasm, marks_and_waits);
}

static void finish(struct pool_world *world) {
    rusm_program_release(world->program);
    finish_guests(world->rt, world->wasm);
}

static void tell(struct pool_world *world, rusm_pid pid) {
    assert_int_equal(rusm_post(world->rt, pid, "x", 1), RUSM_OK);
}

static void guests_wait_for_a_slot_in_order(void **state) {
    (void)state;
    enum { GUESTS = 5 };
    struct pool_world world;
    struct exit_record records[GUESTS] = {{.count = 0}};
    rusm_pid pids[GUESTS];
    start(&world, 1, 1, 8, 60000);
    for (uint32_t i = 0; i < GUESTS; i++) {
        pids[i] = spawn_guest(world.program, &records[i]);
        AWAIT(guests_running(world.wasm) == 1 && guests_waiting(world.wasm) == i);
    }
    /* Those that wait hold nothing. */
    struct rusm_wasm_info info;
    rusm_wasm_info(world.wasm, &info);
    assert_int_equal(info.memory_bytes, 3 * 65536);
    assert_int_equal(info.started, 1);
    for (uint32_t i = 0; i < GUESTS; i++) {
        AWAIT(world.board.marks == i + 1);
        assert_int_equal(world.board.order[i].v, pids[i].v);
        tell(&world, pids[i]);
        await_exit(&records[i]);
    }
    finish(&world);
    for (uint32_t i = 0; i < GUESTS; i++) {
        assert_int_equal(records[i].kind, RUSM_EXIT_NORMAL);
    }
}

static void full_queue_ends_the_guest_with_what_to_change(void **state) {
    (void)state;
    struct pool_world world;
    struct exit_record records[4] = {{.count = 0}};
    rusm_pid pids[4];
    start(&world, 1, 1, 2, 60000);
    for (uint32_t i = 0; i < 3; i++) {
        pids[i] = spawn_guest(world.program, &records[i]);
        AWAIT(guests_running(world.wasm) == 1 && guests_waiting(world.wasm) == i);
    }
    (void)spawn_guest(world.program, &records[3]);
    await_exit(&records[3]);
    assert_int_equal(records[3].kind, RUSM_EXIT_LIMIT);
    assert_true(says(&records[3], "spawn_queue_max"));
    /* The others keep their places. */
    for (uint32_t i = 0; i < 3; i++) {
        AWAIT(world.board.marks == i + 1);
        assert_int_equal(world.board.order[i].v, pids[i].v);
        tell(&world, pids[i]);
        await_exit(&records[i]);
    }
    finish(&world);
}

static void who_waits_too_long_ends_with_what_to_change(void **state) {
    (void)state;
    struct pool_world world;
    struct exit_record first = {.count = 0};
    struct exit_record second = {.count = 0};
    start(&world, 1, 1, 8, 1);
    rusm_pid pid = spawn_guest(world.program, &first);
    AWAIT(world.board.marks == 1);
    (void)spawn_guest(world.program, &second);
    await_exit(&second);
    assert_int_equal(second.kind, RUSM_EXIT_LIMIT);
    assert_true(says(&second, "spawn_wait_ms"));
    assert_int_equal(guests_waiting(world.wasm), 0);
    tell(&world, pid);
    finish(&world);
    assert_int_equal(first.kind, RUSM_EXIT_NORMAL);
}

/* Those behind it keep their order. */
static void who_is_killed_in_the_queue_gives_way(void **state) {
    (void)state;
    enum { GUESTS = 6 };
    struct pool_world world;
    struct exit_record records[GUESTS] = {{.count = 0}};
    rusm_pid pids[GUESTS];
    start(&world, 2, 2, 8, 60000); /* one slot on each engine */
    for (uint32_t i = 0; i < GUESTS; i++) {
        pids[i] = spawn_guest(world.program, &records[i]);
        AWAIT(guests_running(world.wasm) + guests_waiting(world.wasm) == i + 1);
        await_wait(world.rt, pids[i], i < 2 ? RUSM_WAIT_RECEIVE : RUSM_WAIT_OUTSIDE);
    }
    assert_true(rusm_kill(world.rt, pids[2]));
    await_exit(&records[2]);
    assert_int_equal(records[2].kind, RUSM_EXIT_KILLED);
    assert_int_equal(guests_waiting(world.wasm), 3);
    for (uint32_t i = 3; i < GUESTS; i++) {
        tell(&world, i == 3 ? pids[0] : pids[i - 1]);
        AWAIT(world.board.marks == i);
        assert_int_equal(world.board.order[i - 1].v, pids[i].v);
    }
    tell(&world, pids[1]);
    tell(&world, pids[GUESTS - 1]);
    finish(&world);
    assert_int_equal(records[3].kind, RUSM_EXIT_NORMAL);
}

/* ---- engines ---- */

struct spinner {
    _Atomic bool running;
    _Atomic bool stop;
};

/* Keeps its scheduler to itself. */
static void spin(void *arg) {
    struct spinner *spinner = arg;
    spinner->running = true;
    while (!spinner->stop) {
    }
}

/* With one scheduler kept busy the other runs both guests, and its engine has one slot. */
static void guests_overflow_to_other_engines(void **state) {
    (void)state;
    struct pool_world world;
    struct spinner spinner = {.running = false};
    start(&world, 2, 2, 8, 60000);
    (void)spawn_fiber(world.rt, spin, &spinner, NULL);
    AWAIT(spinner.running);
    rusm_pid first = spawn_guest(world.program, NULL);
    rusm_pid second = spawn_guest(world.program, NULL);
    AWAIT(world.board.marks == 2);
    assert_int_equal(guests_waiting(world.wasm), 0);
    spinner.stop = true;
    tell(&world, first);
    tell(&world, second);
    finish(&world);
}

static void slots_are_used_again(void **state) {
    (void)state;
    struct pool_world world;
    start(&world, 2, 4, 256, 60000);
    rusm_program *program = load_text(world.wasm, "(module (memory (export \"memory\") 1)"
                                                  "(func (export \"run\")"
                                                  "  (if (i32.load (i32.const 8))"
                                                  "    (then unreachable))"
                                                  "  (i32.store (i32.const 8) (i32.const 1))))");
    struct exit_record records[200];
    memset(records, 0, sizeof records);
    for (size_t i = 0; i < 200; i++) {
        (void)spawn_guest(program, &records[i]);
    }
    rusm_program_release(program);
    finish(&world);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(records[i].kind, RUSM_EXIT_NORMAL);
    }
}

/* ---- the clock ---- */

static void await_asleep(rusm_wasm *wasm) {
    AWAIT(atomic_load_explicit(&wasm->pool.clock_asleep, memory_order_relaxed));
}

static uint64_t yields(rusm_wasm *wasm) {
    struct rusm_wasm_info info;
    rusm_wasm_info(wasm, &info);
    return info.yields;
}

static void clock_sleeps_while_no_guest_runs(void **state) {
    (void)state;
    struct pool_world world;
    start(&world, 1, 4, 8, 60000);
    await_asleep(world.wasm);
    for (int round = 0; round < 3; round++) {
        uint64_t before = yields(world.wasm);
        rusm_pid pid = run_text(world.wasm, "(module (func (export \"run\") (loop (br 0))))", NULL);
        AWAIT(yields(world.wasm) > before + 1);
        assert_true(rusm_kill(world.rt, pid));
        await_asleep(world.wasm);
    }
    /* One that waits does not keep it awake. */
    rusm_pid pid = spawn_guest(world.program, NULL);
    AWAIT(world.board.marks == 1);
    await_asleep(world.wasm);
    tell(&world, pid);
    finish(&world);
}

static void runtimes_do_not_share_pools(void **state) {
    (void)state;
    struct pool_world one;
    struct pool_world two;
    start(&one, 1, 1, 8, 60000);
    start(&two, 2, 1, 8, 60000);
    rusm_pid first = spawn_guest(one.program, NULL);
    rusm_pid second = spawn_guest(two.program, NULL);
    AWAIT(one.board.marks == 1 && two.board.marks == 1);
    tell(&one, first);
    finish(&one);
    assert_int_equal(guests_running(two.wasm), 1);
    tell(&two, second);
    finish(&two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_is_checked),
        cmocka_unit_test(too_much_address_space_is_refused_with_what_to_change),
        cmocka_unit_test(too_many_mappings_are_refused_with_what_to_change),
        cmocka_unit_test(guests_wait_for_a_slot_in_order),
        cmocka_unit_test(full_queue_ends_the_guest_with_what_to_change),
        cmocka_unit_test(who_waits_too_long_ends_with_what_to_change),
        cmocka_unit_test(who_is_killed_in_the_queue_gives_way),
        cmocka_unit_test(guests_overflow_to_other_engines),
        cmocka_unit_test(slots_are_used_again),
        cmocka_unit_test(clock_sleeps_while_no_guest_runs),
        cmocka_unit_test(runtimes_do_not_share_pools),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
