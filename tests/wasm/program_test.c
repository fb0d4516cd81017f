/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Programs: what is refused, and with which words; names; how long they live. */
#include "base/alloc.h"
#include "base/assert.h"
#include "test_guests_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY "(module (func (export \"run\")))"

struct program_world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    struct board board;
};

static int start(void **state) {
    struct program_world *world = rusm_zalloc(sizeof *world);
    RUSM_ASSERT(world);
    world->rt = start_runtime(2);
    world->wasm = start_guests(world->rt, NULL, &world->board);
    *state = world;
    return 0;
}

/* The node lives, whatever it was given. */
static int finish(void **state) {
    struct program_world *world = *state;
    struct exit_record record = {.count = 0};
    (void)run_text(world->wasm, EMPTY, &record);
    finish_guests(world->rt, world->wasm);
    rusm_free(world);
    return record.kind == RUSM_EXIT_NORMAL ? 0 : -1;
}

/* Refused as INVALID, with a text that has `first` and `second` in it. */
static void refuse(struct program_world *world, const struct rusm_program_spec *spec,
                   const char *first, const char *second) {
    rusm_program *program = NULL;
    struct rusm_errinfo error = {""};
    assert_int_equal(rusm_program_load(world->wasm, spec, &program, &error), RUSM_ERR_INVALID);
    print_message("%s\n", error.text);
    assert_null(program);
    assert_non_null(strstr(error.text, first));
    assert_non_null(strstr(error.text, second));
}

static void refuse_text(struct program_world *world, const char *text, const char *first,
                        const char *second) {
    const struct rusm_program_spec spec = {
        .name = "victim", .wasm = text, .wasm_bytes = strlen(text)};
    refuse(world, &spec, first, second);
}

static void what_is_no_program_is_refused(void **state) {
    static const char *const texts[] = {
        "x",     "(module",          "(modul)",
        "\0asm", "(module (func $f", "(component (core module $m (func (export 1))))"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuse_text(*state,
                    texts[i][0] ? texts[i]
                                : "\x7f"
                                  "ELF",
                    "program victim: ", "");
    }
}

static const uint8_t good_binary[] = {0,  'a', 's',  'm', 1,   0,   0,   0, 1,
                                      4,  1,   0x60, 0,   0,                   /* type: func () */
                                      3,  2,   1,    0,                        /* one function */
                                      7,  7,   1,    3,   'r', 'u', 'n', 0, 0, /* export "run" */
                                      10, 4,   1,    2,   0,   0x0b};          /* its body */

/* Cut anywhere, and with each byte changed to each of some others: an error or a program, never
 * anything else. */
static void broken_binaries_are_refused(void **state) {
    struct program_world *world = *state;
    uint8_t bytes[sizeof good_binary];
    struct rusm_program_spec spec = {.name = "victim", .wasm = good_binary};
    for (size_t len = 1; len < sizeof good_binary; len++) {
        rusm_program *program = NULL;
        spec.wasm_bytes = len;
        assert_int_equal(rusm_program_load(world->wasm, &spec, &program, NULL), RUSM_ERR_INVALID);
    }
    static const uint8_t others[] = {0, 1, 0x40, 0x7f, 0x80, 0xff};
    spec.name = NULL;
    spec.wasm = bytes;
    spec.wasm_bytes = sizeof bytes;
    for (size_t at = 0; at < sizeof good_binary; at++) {
        for (size_t i = 0; i < sizeof others; i++) {
            rusm_program *program = NULL;
            memcpy(bytes, good_binary, sizeof bytes);
            bytes[at] = others[i];
            enum rusm_err err = rusm_program_load(world->wasm, &spec, &program, NULL);
            assert_true(err == RUSM_OK || err == RUSM_ERR_INVALID);
            if (program) {
                rusm_program_release(program);
            }
        }
    }
}

static void binaries_are_programs(void **state) {
    struct program_world *world = *state;
    struct exit_record record = {.count = 0};
    const struct rusm_program_spec spec = {.wasm = good_binary, .wasm_bytes = sizeof good_binary};
    rusm_program *program = NULL;
    assert_int_equal(rusm_program_load(world->wasm, &spec, &program, NULL), RUSM_OK);
    (void)spawn_guest(program, &record);
    rusm_program_release(program);
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

static void sizes_are_checked(void **state) {
    static const char byte[1] = {0};
    const struct rusm_program_spec none = {.name = "victim", .wasm = byte, .wasm_bytes = 0};
    const struct rusm_program_spec null = {.name = "victim", .wasm = NULL, .wasm_bytes = 9};
    const struct rusm_program_spec large = {
        .name = "victim", .wasm = byte, .wasm_bytes = RUSM_PROGRAM_BYTES_MAX + 1};
    refuse(*state, &none, "1 to 268435456 bytes", "not 0");
    refuse(*state, &null, "1 to 268435456 bytes", "");
    refuse(*state, &large, "1 to 268435456 bytes", "not 268435457");
}

static void wrong_imports_are_named(void **state) {
    struct program_world *world = *state;
    refuse_text(world, "(module (import \"nowhere\" \"f\" (func)) (func (export \"run\")))",
                "nowhere", "unknown import");
    refuse_text(world, "(module (import \"test\" \"marc\" (func)) (func (export \"run\")))",
                "test::marc", "unknown import");
    refuse_text(world,
                "(module (import \"test\" \"mark\" (func (param i64))) (func (export \"run\")))",
                "test::mark", "incompatible import type");
    refuse_text(world, "(module (import \"test\" \"mark\" (memory 1)) (func (export \"run\")))",
                "test::mark", "incompatible import type");
    refuse_text(world, "(module (import \"env\" \"memory\" (memory 1)) (func (export \"run\")))",
                "env::memory", "unknown import");
    refuse_text(world,
                "(component (import \"a:b/c@1.0.0\" (instance (export \"f\" (func))))"
                " (core module $m (func (export \"run\"))) (core instance $i (instantiate $m))"
                " (func (export \"run\") (canon lift (core func $i \"run\"))))",
                "a:b/c@1.0.0", "");
}

static void entries_are_checked(void **state) {
    struct program_world *world = *state;
    refuse_text(world, "(module)", "no function `run`", "");
    refuse_text(world, "(module (memory (export \"run\") 1))", "`run` is not a function", "");
    refuse_text(world, "(module (func (export \"run\") (param i32)))", "`run`", "no parameters");
    refuse_text(world, "(module (func (export \"run\") (result i32) (i32.const 1)))", "`run`",
                "no results");
    refuse_text(world, "(module (memory (export \"memory\") i64 1) (func (export \"run\")))",
                "`memory`", "32-bit");
    refuse_text(world, "(component)", "`run`", "wasi:cli/run");
    const struct rusm_program_spec other = {
        .name = "victim", .wasm = EMPTY, .wasm_bytes = strlen(EMPTY), .entry = "main"};
    refuse(world, &other, "no function `main`", "");
}

static void what_the_pool_cannot_hold_is_refused(void **state) {
    struct program_world *world = *state;
    refuse_text(world, "(module (memory 1) (memory 1) (func (export \"run\")))", "memor", "");
    refuse_text(world, "(module (table 70000 funcref) (func (export \"run\")))", "table", "65536");
    refuse_text(world,
                "(module (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)"
                "(table 1 funcref) (func (export \"run\")))",
                "table", "");
}

static void unknown_capabilities_are_named(void **state) {
    const struct rusm_program_spec spec = {
        .name = "victim", .wasm = EMPTY, .wasm_bytes = strlen(EMPTY), .capability = "almighty"};
    refuse(*state, &spec, "almighty", "sandboxed");
}

static void names_are_given_once(void **state) {
    struct program_world *world = *state;
    char long_name[RUSM_NAME_BYTES_MAX + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    struct rusm_program_spec spec = {.name = "one", .wasm = EMPTY, .wasm_bytes = strlen(EMPTY)};
    rusm_program *one = NULL;
    rusm_program *again = NULL;
    struct rusm_errinfo error;
    assert_null(rusm_program_find(world->wasm, "one"));
    assert_int_equal(rusm_program_load(world->wasm, &spec, &one, &error), RUSM_OK);
    assert_int_equal(rusm_program_load(world->wasm, &spec, &again, &error), RUSM_ERR_NAME_TAKEN);
    assert_non_null(strstr(error.text, "one"));
    rusm_program_release(one);
    /* The name holds it. */
    rusm_program *found = rusm_program_find(world->wasm, "one");
    assert_ptr_equal(found, one);
    struct exit_record record = {.count = 0};
    (void)spawn_guest(found, &record);
    rusm_program_release(found);
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    spec.name = "";
    refuse(world, &spec, "name", "1 to 63");
    spec.name = long_name;
    refuse(world, &spec, "name", "1 to 63");
}

static void guests_keep_their_program(void **state) {
    struct program_world *world = *state;
    struct exit_record record = {.count = 0};
    rusm_pid pid =
        run_text(world->wasm,
                 "(module " TEST_IMPORTS "(func (export \"run\") (call $mark) (call $wait)"
                 " (call $mark)))",
                 &record); /* releases the program at once */
    AWAIT(world->board.marks == 1);
    assert_int_equal(rusm_post(world->rt, pid, "x", 1), RUSM_OK);
    await_exit(&record);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(world->board.marks, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_program_is_refused),
        TEST(broken_binaries_are_refused),
        TEST(binaries_are_programs),
        TEST(sizes_are_checked),
        TEST(wrong_imports_are_named),
        TEST(entries_are_checked),
        TEST(what_the_pool_cannot_hold_is_refused),
        TEST(unknown_capabilities_are_named),
        TEST(names_are_given_once),
        TEST(guests_keep_their_program),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
