/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Bridges of the embedding program: values of every kind, and who may import them. */
#include "base/assert.h"
#include "test_guests_internal.h"
#include <rusm/bridge.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define INTERFACE "test:custom/custom@1.0.0"

struct world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    _Atomic uint32_t calls;
};

/* ---- the embedder's functions ---- */

static void set_text(struct rusm_value *value, uint32_t kind, const void *data, size_t len) {
    value->kind = kind;
    value->text.data = data;
    value->text.len = len;
}

static enum rusm_err greet(struct rusm_bridge_call *call) {
    static const char hello[] = "Hello, ";
    struct world *world = call->arg;
    RUSM_ASSERT(call->arg_count == 1 && call->args[0].kind == RUSM_VALUE_STRING);
    RUSM_ASSERT(rusm_self().v != 0);
    size_t len = call->args[0].text.len;
    uint8_t *text = rusm_bridge_alloc(call, sizeof hello + len);
    RUSM_ASSERT(text);
    memcpy(text, hello, sizeof hello - 1);
    memcpy(text + sizeof hello - 1, call->args[0].text.data, len);
    text[sizeof hello - 1 + len] = '!';
    set_text(&call->result, RUSM_VALUE_STRING, text, sizeof hello + len);
    world->calls++;
    return RUSM_OK;
}

static enum rusm_err reverse(struct rusm_bridge_call *call) {
    RUSM_ASSERT(call->arg_count == 1 && call->args[0].kind == RUSM_VALUE_BYTES);
    size_t len = call->args[0].text.len;
    uint8_t *bytes = rusm_bridge_alloc(call, len);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = call->args[0].text.data[len - 1 - i];
    }
    set_text(&call->result, RUSM_VALUE_BYTES, bytes, len);
    return RUSM_OK;
}

static struct rusm_value copy_value(struct rusm_bridge_call *call, const struct rusm_value *value) {
    struct rusm_value copy = *value;
    if (value->text.len > 0) {
        copy.text.data =
            memcpy(rusm_bridge_alloc(call, value->text.len), value->text.data, value->text.len);
    }
    struct rusm_value *items =
        value->item_count ? rusm_bridge_alloc(call, value->item_count * sizeof *items) : NULL;
    for (size_t i = 0; i < value->item_count; i++) {
        items[i] = copy_value(call, &value->items[i]);
    }
    copy.items = items;
    return copy;
}

static enum rusm_err echo(struct rusm_bridge_call *call) {
    call->result = copy_value(call, &call->args[0]);
    return RUSM_OK;
}

static bool is_text(const struct rusm_value *value, const char *text) {
    return value->text.len == strlen(text) && memcmp(value->text.data, text, strlen(text)) == 0;
}

/* Looks at record {name: string, sizes: list<u16>} and answers it. */
static enum rusm_err inspect(struct rusm_bridge_call *call) {
    const struct rusm_value *record = &call->args[0];
    RUSM_ASSERT(record->kind == RUSM_VALUE_RECORD && record->item_count == 2);
    const struct rusm_value *name = &record->items[0];
    const struct rusm_value *sizes = &record->items[1];
    RUSM_ASSERT(name->kind == RUSM_VALUE_STRING && is_text(name, "World"));
    RUSM_ASSERT(sizes->kind == RUSM_VALUE_LIST && sizes->item_count == 2);
    RUSM_ASSERT(sizes->items[1].kind == RUSM_VALUE_U16 && sizes->items[1].number.u == 0x6c72);
    return echo(call);
}

static enum rusm_err fail_loudly(struct rusm_bridge_call *call) {
    call->error = "the printer is on fire";
    return RUSM_ERR_SYSTEM;
}

static enum rusm_err fail_silently(struct rusm_bridge_call *call) {
    (void)call;
    return RUSM_ERR_NOMEM;
}

static enum rusm_err answer_a_number(struct rusm_bridge_call *call) {
    call->result.kind = RUSM_VALUE_U32;
    return RUSM_OK;
}

static enum rusm_err answer_bad_text(struct rusm_bridge_call *call) {
    set_text(&call->result, RUSM_VALUE_STRING, "\xff\xfe", 2);
    return RUSM_OK;
}

static struct world *start(struct world *world) {
    struct rusm_wasm_config config;
    const struct rusm_bridge_func funcs[] = {
        {"greet", greet, world},
        {"reverse", reverse, NULL},
        {"echo-numbers", echo, NULL},
        {"echo-shapes", echo, NULL},
        {"inspect", inspect, NULL},
        {"fail", fail_loudly, NULL},
        {"fail-silently", fail_silently, NULL},
        {"number", answer_a_number, NULL},
        {"bad-text", answer_bad_text, NULL},
    };
    const struct rusm_bridge bridge = {"custom", INTERFACE, funcs, sizeof funcs / sizeof funcs[0]};
    static const char *const names[] = {"other", "custom"};
    const struct rusm_capability guest = {.bridges = {names, 2}};
    guests_signals();
    guests_config(&config);
    world->rt = start_runtime(2);
    world->calls = 0;
    RUSM_ASSERT(rusm_wasm_create(world->rt, &config, &world->wasm, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_wasm_define_bridge(world->wasm, &bridge, NULL) == RUSM_OK);
    RUSM_ASSERT(rusm_wasm_define_capability(world->wasm, "guest", &guest, NULL) == RUSM_OK);
    return world;
}

/* ---- guests ---- */

/* `name` is the function's, `type` that of the component, `core_type` what it lowers to; `types`
 * are the named ones that it uses. In memory: a text at 16, numbers at 32. */
#define COMPONENT(types, name, type, core_type, body)                                              \
    "(component (import \"" INTERFACE "\" (instance $c " types "(export \"" name "\" " type ")))"  \
    "(core module $libc (memory (export \"memory\") 1)"                                            \
    "  (data (i32.const 16) \"Worlds\\00\\00\")"                                                   \
    "  (data (i32.const 32) \"\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a\\0b\\0c\\0d\\0e\\0f\")"     \
    "  (global $top (mut i32) (i32.const 4096))"                                                   \
    "  (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)"            \
    "    (local.set $at (global.get $top))"                                                        \
    "    (global.set $top (i32.add (global.get $top)"                                              \
    "      (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))"                     \
    "    (local.get $at)))"                                                                        \
    "(core instance $libc (instantiate $libc))"                                                    \
    "(alias core export $libc \"memory\" (core memory $memory))"                                   \
    "(alias core export $libc \"realloc\" (core func $realloc))"                                   \
    "(alias export $c \"" name "\" (func $import))"                                                \
    "(core func $call (canon lower (func $import) (memory $memory) (realloc $realloc)))"           \
    "(core module $body (import \"s\" \"memory\" (memory 1))"                                      \
    "  (import \"s\" \"call\" (func $call " core_type "))"                                         \
    "  (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))"                  \
    "  (func $same (param $a i32) (param $b i32) (param $n i32)"                                   \
    "    (loop $next (if (local.get $n) (then"                                                     \
    "      (local.set $n (i32.sub (local.get $n) (i32.const 1)))"                                  \
    "      (call $check (i32.eq (i32.load8_u (i32.add (local.get $a) (local.get $n)))"             \
    "                           (i32.load8_u (i32.add (local.get $b) (local.get $n)))))"           \
    "      (br $next)))))"                                                                         \
    "  (func (export \"run\") (local $i i32)" body "))"                                            \
    "(core instance $i (instantiate $body (with \"s\" (instance"                                   \
    "  (export \"memory\" (memory $memory)) (export \"call\" (func $call))))))"                    \
    "(func (export \"run\") (canon lift (core func $i \"run\"))))"

#define STRING_TO_STRING "(func (param \"text\" string) (result string))"
#define NO_PARAMETERS    "(func)"
#define THREE            "(param i32 i32 i32)"
#define LEN_AT_1028      "(i32.load (i32.const 1028))"
#define DATA_AT_1024     "(i32.load (i32.const 1024))"

static void run_as(struct world *world, const char *text, const char *capability,
                   struct exit_record *record) {
    rusm_program *program = load_text_as(world->wasm, text, capability);
    *record = (struct exit_record){.count = 0};
    (void)spawn_guest(program, record);
    rusm_program_release(program);
    await_exit(record);
    if (record->kind != RUSM_EXIT_NORMAL) {
        print_message("%.*s\n", (int)record->payload_bytes, (const char *)record->payload);
    }
}

/* Three times, so that the answers' memory is used again. */
static const char greets[] =
    COMPONENT("", "greet", STRING_TO_STRING, THREE,
              "(loop $again (call $call (i32.const 16) (i32.const 5) (i32.const 1024))"
              "(call $check (i32.eq " LEN_AT_1028 " (i32.const 13)))"
              "(call $check (i64.eq (i64.load " DATA_AT_1024 ") (i64.const 0x57202c6f6c6c6548)))"
              "(call $check (i64.eq (i64.load (i32.add " DATA_AT_1024
              " (i32.const 5))) (i64.const 0x21646c726f57202c)))"
              "(local.set $i (i32.add (local.get $i) (i32.const 1)))"
              "(br_if $again (i32.lt_u (local.get $i) (i32.const 3))))");

static void strings_pass(void **state) {
    (void)state;
    struct world world;
    struct exit_record record;
    run_as(start(&world), greets, "guest", &record);
    finish_guests(world.rt, world.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
    assert_int_equal(world.calls, 3);
}

/* Also more bytes than are kept from call to call. */
static void bytes_pass(void **state) {
    (void)state;
    static const char text[] =
        COMPONENT("", "reverse", "(func (param \"b\" (list u8)) (result (list u8)))", THREE,
                  "(call $call (i32.const 32) (i32.const 3) (i32.const 1024))"
                  "(call $check (i32.eq " LEN_AT_1028 " (i32.const 3)))"
                  "(call $check (i32.eq (i32.load " DATA_AT_1024 ") (i32.const 0x010203)))"
                  "(call $call (i32.const 32) (i32.const 30000) (i32.const 1024))"
                  "(call $check (i32.eq " LEN_AT_1028 " (i32.const 30000)))"
                  "(call $check (i32.eq (i32.load8_u (i32.add " DATA_AT_1024
                  " (i32.const 29999))) (i32.const 1)))");
    struct world world;
    struct exit_record record;
    run_as(start(&world), text, "guest", &record);
    finish_guests(world.rt, world.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

/* All kinds of numbers, once there and back: two items of 48 bytes. */
static void numbers_pass(void **state) {
    (void)state;
    static const char text[] = COMPONENT(
        "", "echo-numbers",
        "(func (param \"v\" (list (tuple bool u8 s8 u16 s16 char u32 s32 float32 u64 s64 float64)))"
        " (result (list (tuple bool u8 s8 u16 s16 char u32 s32 float32 u64 s64 float64))))",
        THREE,
        "(i32.store8 (i32.const 256) (i32.const 1))"
        "(i32.store8 (i32.const 257) (i32.const 200))"
        "(i32.store8 (i32.const 258) (i32.const -2))"
        "(i32.store16 (i32.const 260) (i32.const 65535))"
        "(i32.store16 (i32.const 262) (i32.const -3))"
        "(i32.store (i32.const 264) (i32.const 0x1f600))"
        "(i32.store (i32.const 268) (i32.const -1))"
        "(i32.store (i32.const 272) (i32.const -4))"
        "(f32.store (i32.const 276) (f32.const -1.5))"
        "(i64.store (i32.const 280) (i64.const -1))"
        "(i64.store (i32.const 288) (i64.const -5))"
        "(f64.store (i32.const 296) (f64.const 1e300))"
        "(call $call (i32.const 256) (i32.const 2) (i32.const 1024))"
        "(call $check (i32.eq " LEN_AT_1028 " (i32.const 2)))"
        "(call $same (i32.const 256) " DATA_AT_1024 " (i32.const 96))");
    struct world world;
    struct exit_record record;
    run_as(start(&world), text, "guest", &record);
    finish_guests(world.rt, world.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

#define SHAPES                                                                                     \
    "(type $v0 (variant (case \"none\") (case \"some\" u32)))"                                     \
    "(export \"choice\" (type $v (eq $v0)))"                                                       \
    "(type $e0 (enum \"red\" \"green\")) (export \"color\" (type $e (eq $e0)))"                    \
    "(type $f0 (flags \"r\" \"w\" \"x\")) (export \"mode\" (type $f (eq $f0)))"                    \
    "(type $r0 (record (field \"o\" (option u16)) (field \"k\" (result u8 (error u32)))"           \
    "  (field \"v\" $v) (field \"e\" $e) (field \"f\" $f) (field \"l\" (result))))"                \
    "(export \"shapes\" (type $r (eq $r0)))"

/* Two records of 24 bytes: o at 0, k at 4, v at 12, e at 20, f at 21, l at 22. */
static void shapes_pass(void **state) {
    (void)state;
    static const char text[] =
        COMPONENT(SHAPES, "echo-shapes", "(func (param \"v\" (list $r)) (result (list $r)))", THREE,
                  "(i32.store8 (i32.const 256) (i32.const 1))"
                  "(i32.store16 (i32.const 258) (i32.const 777))"
                  "(i32.store8 (i32.const 260) (i32.const 1))"
                  "(i32.store (i32.const 264) (i32.const 99))"
                  "(i32.store8 (i32.const 268) (i32.const 1))"
                  "(i32.store (i32.const 272) (i32.const 5))"
                  "(i32.store8 (i32.const 276) (i32.const 1))"
                  "(i32.store8 (i32.const 277) (i32.const 5))"
                  "(i32.store8 (i32.const 278) (i32.const 1))"
                  "(call $call (i32.const 256) (i32.const 2) (i32.const 1024))"
                  "(call $check (i32.eq " LEN_AT_1028 " (i32.const 2)))"
                  "(call $same (i32.const 256) " DATA_AT_1024 " (i32.const 48))");
    struct world world;
    struct exit_record record;
    run_as(start(&world), text, "guest", &record);
    finish_guests(world.rt, world.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

static void records_are_in_order(void **state) {
    (void)state;
    static const char text[] = COMPONENT(
        "(type $r0 (record (field \"name\" string) (field \"sizes\" (list u16))))"
        "(export \"thing\" (type $r (eq $r0)))",
        "inspect", "(func (param \"v\" $r) (result $r))", "(param i32 i32 i32 i32 i32)",
        "(call $call (i32.const 16) (i32.const 5) (i32.const 16) (i32.const 2) (i32.const 1024))"
        "(call $check (i32.eq " LEN_AT_1028 " (i32.const 5)))"
        "(call $same " DATA_AT_1024 " (i32.const 16) (i32.const 5))"
        "(call $check (i32.eq (i32.load (i32.const 1036)) (i32.const 2)))"
        "(call $same (i32.load (i32.const 1032)) (i32.const 16) (i32.const 4))");
    struct world world;
    struct exit_record record;
    run_as(start(&world), text, "guest", &record);
    finish_guests(world.rt, world.wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

/* ---- what goes wrong ---- */

static void failures_trap(void **state) {
    (void)state;
    struct world world;
    struct exit_record record;
    (void)start(&world);
    run_as(&world, COMPONENT("", "fail", NO_PARAMETERS, "", "(call $call)"), "guest", &record);
    assert_int_equal(record.kind, RUSM_EXIT_ERROR);
    assert_true(says(&record, "the printer is on fire"));
    run_as(&world, COMPONENT("", "fail-silently", NO_PARAMETERS, "", "(call $call)"), "guest",
           &record);
    assert_true(says(&record, "ERR_NOMEM"));
    finish_guests(world.rt, world.wasm);
}

static void answers_of_another_type_trap(void **state) {
    (void)state;
    static const char *const texts[] = {
        COMPONENT("", "number", STRING_TO_STRING, THREE,
                  "(call $call (i32.const 16) (i32.const 5) (i32.const 1024))"),
        COMPONENT("", "number", "(func (param \"b\" (list u8)) (result (list u8)))", THREE,
                  "(call $call (i32.const 16) (i32.const 5) (i32.const 1024))"),
        COMPONENT("", "number", "(func (result (option u32)))", "(param i32)",
                  "(call $call (i32.const 1024))"),
        COMPONENT("", "bad-text", STRING_TO_STRING, THREE,
                  "(call $call (i32.const 16) (i32.const 5) (i32.const 1024))"),
    };
    static const char *const say[] = {"a string of UTF-8", "bytes", "custom bridge",
                                      "a string of UTF-8"};
    struct world world;
    struct exit_record record;
    (void)start(&world);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        run_as(&world, texts[i], "guest", &record);
        assert_int_equal(record.kind, RUSM_EXIT_ERROR);
        assert_true(says(&record, say[i]));
    }
    finish_guests(world.rt, world.wasm);
}

static void refuse(struct world *world, const char *text, const char *capability, const char *first,
                   const char *second) {
    const struct rusm_program_spec spec = {
        .wasm = text, .wasm_bytes = strlen(text), .capability = capability};
    rusm_program *program = NULL;
    struct rusm_errinfo error;
    assert_int_equal(rusm_program_load(world->wasm, &spec, &program, &error), RUSM_ERR_INVALID);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, first));
    assert_non_null(strstr(error.text, second));
}

static void only_who_is_granted_a_bridge_may_import_it(void **state) {
    (void)state;
    struct world world;
    refuse(start(&world), greets, NULL, INTERFACE, "\"sandboxed\"");
    refuse(&world, greets, "trusted", "\"trusted\"", "\"custom\"");
    refuse(&world, COMPONENT("", "greeet", NO_PARAMETERS, "", ""), "guest", INTERFACE, "greeet");
    finish_guests(world.rt, world.wasm);
}

static void definitions_are_checked(void **state) {
    (void)state;
    struct world world;
    struct rusm_errinfo error;
    char long_name[RUSM_BRIDGE_NAME_MAX + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct rusm_bridge_func good = {"f", echo, NULL};
    const struct rusm_bridge_func twice[] = {good, good};
    const struct rusm_bridge_func nameless = {"", echo, NULL};
    const struct rusm_bridge_func codeless = {"f", NULL, NULL};
    const struct {
        struct rusm_bridge bridge;
        enum rusm_err err;
        const char *says;
    } cases[] = {
        {{"", "a:b/c@1.0.0", &good, 1}, RUSM_ERR_INVALID, "1 to 127"},
        {{long_name, "a:b/c@1.0.0", &good, 1}, RUSM_ERR_INVALID, "1 to 127"},
        {{"b", NULL, &good, 1}, RUSM_ERR_INVALID, "1 to 127"},
        {{"b", "rusm:runtime/actor@0.1.0", &good, 1}, RUSM_ERR_INVALID, "rusm:runtime/actor"},
        {{"b", "wasi:cli/run@0.2.0", &good, 1}, RUSM_ERR_INVALID, "wasi:cli/run"},
        {{"b", "a:b/c@1.0.0", NULL, 0}, RUSM_ERR_INVALID, "functions"},
        {{"b", "a:b/c@1.0.0", &good, RUSM_BRIDGE_FUNCS_MAX + 1}, RUSM_ERR_INVALID, "257"},
        {{"b", "a:b/c@1.0.0", &nameless, 1}, RUSM_ERR_INVALID, "function 0"},
        {{"b", "a:b/c@1.0.0", &codeless, 1}, RUSM_ERR_INVALID, "function 0"},
        {{"b", "a:b/c@1.0.0", twice, 2}, RUSM_ERR_NAME_TAKEN, "twice"},
        {{"custom", "a:b/c@1.0.0", &good, 1}, RUSM_ERR_NAME_TAKEN, "custom"},
        {{"b", INTERFACE, &good, 1}, RUSM_ERR_NAME_TAKEN, INTERFACE},
    };
    (void)start(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rusm_wasm_define_bridge(world.wasm, &cases[i].bridge, &error),
                         cases[i].err);
        assert_non_null(strstr(error.text, cases[i].says));
    }
    for (uint32_t i = 1; i <= RUSM_BRIDGES_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%u", i);
        const struct rusm_bridge bridge = {name, name, &good, 1};
        assert_int_equal(rusm_wasm_define_bridge(world.wasm, &bridge, &error),
                         i < RUSM_BRIDGES_MAX ? RUSM_OK : RUSM_ERR_INVALID);
    }
    assert_non_null(strstr(error.text, "64 bridges"));
    finish_guests(world.rt, world.wasm);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_pass),
        cmocka_unit_test(bytes_pass),
        cmocka_unit_test(numbers_pass),
        cmocka_unit_test(shapes_pass),
        cmocka_unit_test(records_are_in_order),
        cmocka_unit_test(failures_trap),
        cmocka_unit_test(answers_of_another_type_trap),
        cmocka_unit_test(only_who_is_granted_a_bridge_may_import_it),
        cmocka_unit_test(definitions_are_checked),
    };
    guests_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
