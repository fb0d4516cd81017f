/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* That Wasmtime loads and runs what the cache hands out, on every engine of the same settings. */
#include "wasm/test_cache_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char source[] = "(module (memory (export \"memory\") 1) (data (i32.const 8) \"*\")"
                             " (func (export \"run\") (if (i32.ne (i32.load8_u (i32.const 8))"
                             " (i32.const 42)) (then unreachable))))";

static rwt_engine *make_engine(void) {
    const struct rwt_engine_config config = {
        .instances = 4,
        .tables_per_instance = 2,
        .table_elements = 64,
        .memory_bytes_max = 1 << 20,
        .memory_reservation = 1 << 20,
        .stack_bytes = 512 << 10,
        .guest_stack_bytes = 256 << 10,
    };
    rwt_engine *engine = rwt_engine_new(&config, NULL);
    assert_non_null(engine);
    return engine;
}

static void no_wake(void *arg, uint64_t id) {
    (void)arg;
    (void)id;
}

static void runs(const rwt_engine *engine, const char *path) {
    struct rwt_text text = {NULL, 0};
    rwt_program *program = rwt_load_file(engine, path, &text);
    if (!program) {
        fail_msg("%.*s", (int)text.len, text.data);
    }
    rwt_linker *linker = rwt_linker_new(engine);
    rwt_prepared *prepared = rwt_prepare(linker, program, "run", NULL);
    assert_non_null(prepared);
    rwt_waking *waking = rwt_waking_new(no_wake, NULL);
    const struct rwt_start start = {
        .waking = waking, .memory_bytes_max = 1 << 20, .table_elements_max = 64};
    rwt_instance *instance = rwt_start(prepared, &start);
    struct rwt_outcome outcome;
    assert_int_equal(rwt_poll(instance, &outcome), RWT_FINISHED);
    rwt_instance_delete(instance);
    rwt_waking_close(waking);
    rwt_prepared_delete(prepared);
    rwt_linker_delete(linker);
    rwt_program_delete(program);
}

static void wasmtime_runs_what_the_cache_hands_out(void **state) {
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    rwt_engine *engine = make_engine();
    rwt_engine *other = make_engine();
    fixture.config.compiler = (struct cache_compiler){
        engine,          rwt_artefact_key, rwt_compile, rwt_artefact_bytes, rwt_artefact_delete,
        rwt_text_delete, rwt_hmac_sha256,
    };
    struct rwt_slice wasm = {(const uint8_t *)source, strlen(source)};
    /* Compiled, then from disk. */
    for (uint32_t round = 0; round < 2; round++) {
        struct cache *cache = must_create(&fixture);
        struct cache_artefact *artefact;
        assert_int_equal(cache_get(cache, wasm, &artefact, NULL), RUSM_OK);
        runs(engine, cache_artefact_path(artefact));
        runs(other, cache_artefact_path(artefact));
        cache_release(cache, artefact);
        assert_int_equal(info_of(cache).compiled, round == 0);
        assert_int_equal(info_of(cache).read, round == 1);
        struct rusm_errinfo info;
        struct rwt_slice bad = {(const uint8_t *)"(module", 7};
        assert_int_equal(cache_get(cache, bad, &artefact, &info), RUSM_ERR_INVALID);
        assert_true(strlen(info.text) > 0);
        cache_destroy(cache);
    }
    assert_int_equal(fixture.warnings, 0);
    rwt_engine_delete(engine);
    rwt_engine_delete(other);
    fixture_deinit(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wasmtime_runs_what_the_cache_hands_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
