/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The library of deps/wasmtime, linked by its target alone: it answers, compiles, and refuses. */
#include <rusm_wasmtime.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct rwt_slice slice(const char *text) {
    return (struct rwt_slice){.data = (const uint8_t *)text, .len = strlen(text)};
}

static void digest_is_the_standards(void **state) {
    (void)state;
    /* FIPS 180-2, appendix B.1. */
    static const uint8_t wanted[32] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    };
    uint8_t digest[32];
    rwt_sha256(slice("abc"), digest);
    assert_memory_equal(digest, wanted, sizeof digest);
}

static void module_compiles_and_nonsense_does_not(void **state) {
    (void)state;
    const struct rwt_engine_config config = {
        .instances = 1,
        .tables_per_instance = 1,
        .table_elements = 16,
        .memory_bytes_max = 65536,
        .memory_reservation = 65536,
        .stack_bytes = 256u << 10,
        .guest_stack_bytes = 128u << 10,
    };
    struct rwt_text error = {0};
    rwt_engine *engine = rwt_engine_new(&config, &error);
    assert_non_null(engine);

    rwt_artefact *artefact = rwt_compile(engine, slice("(module (func (export \"f\")))"), &error);
    assert_non_null(artefact);
    rwt_program *program = rwt_load(engine, rwt_artefact_bytes(artefact), &error);
    assert_non_null(program);
    assert_int_equal(rwt_program_kind(program), RWT_MODULE);
    rwt_program_delete(program);
    rwt_artefact_delete(artefact);

    assert_null(rwt_compile(engine, slice("(module (nonsense))"), &error));
    assert_true(error.len > 0);
    rwt_text_delete(error);
    rwt_engine_delete(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_the_standards),
        cmocka_unit_test(module_compiles_and_nonsense_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
