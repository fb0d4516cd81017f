/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A program that runs code which it does not trust: two WebAssembly guests, and a native process
 * that spawns them and is told how they ended.
 *
 * Build against an installed library:  cc guest.c $(pkg-config --cflags --libs rusm-wasm)
 */
#include <rusm/rusm.h>
#include <rusm/wasm.h>
#include <stdio.h>
#include <string.h>

/* A guest's text; a program would read a compiled one from a file. Guests may log. */
static const char polite[] =
    "(module (import \"rusm\" \"log\" (func $log (param i32 i32 i32)))"
    "  (memory (export \"memory\") 1)"
    "  (data (i32.const 0) \"Hello from a guest!\")"
    "  (func (export \"run\") (call $log (i32.const 2) (i32.const 0) (i32.const 19))))";
/* It reads far outside of its memory, which is 64 KiB. */
static const char rude[] = "(module (memory (export \"memory\") 1)"
                           "  (func (export \"run\") (drop (i32.load (i32.const 100000000)))))";

static void print_line(void *arg, const struct rusm_guest_line *line) {
    (void)arg;
    printf("%.*s\n", (int)line->text_bytes, line->text);
}

enum { POLITE, RUDE, PROGRAMS };

/* A native process: spawns a guest of each program, one after the other, and waits for its end. */
static void host(void *arg) {
    rusm_program *const *programs = arg;
    for (int i = 0; i < PROGRAMS; i++) {
        rusm_ref ref;
        if (rusm_spawn_guest_monitor(programs[i], NULL, NULL, &ref) != RUSM_OK) {
            return;
        }
        const struct rusm_down *down = rusm_msg_down(rusm_receive());
        printf("It ended %s.\n",
               down->reason.kind == RUSM_EXIT_NORMAL ? "well" : "badly, and nothing else did");
    }
}

/* Compiles both: in main, since the compiler needs more stack than a process has. */
static bool load(rusm_wasm *wasm, rusm_program *programs[PROGRAMS]) {
    static const char *const texts[] = {polite, rude};
    for (int i = 0; i < PROGRAMS; i++) {
        const struct rusm_program_spec spec = {.wasm = texts[i], .wasm_bytes = strlen(texts[i])};
        struct rusm_errinfo error;
        if (rusm_program_load(wasm, &spec, &programs[i], &error) != RUSM_OK) {
            fprintf(stderr, "guest: %s\n", error.text);
            return false;
        }
    }
    return true;
}

static bool run(rusm_runtime *rt, rusm_wasm *wasm) {
    rusm_program *programs[PROGRAMS] = {NULL, NULL};
    bool ok = load(wasm, programs) && rusm_spawn(rt, host, programs, NULL, NULL) == RUSM_OK;
    rusm_runtime_wait_idle(rt);
    for (int i = 0; i < PROGRAMS && programs[i]; i++) {
        rusm_program_release(programs[i]);
    }
    return ok;
}

int main(void) {
    rusm_runtime *rt;
    rusm_wasm *wasm = NULL;
    struct rusm_wasm_config config;
    struct rusm_errinfo error;
    bool ok = false;
    if (rusm_runtime_create(NULL, &rt) != RUSM_OK) {
        return 1;
    }
    rusm_wasm_config_init(&config);
    config.instances_max = 16; /* at once */
    config.cache_dir = "";     /* keep no compiled programs on disk */
    config.log = print_line;
    if (rusm_wasm_create(rt, &config, &wasm, &error) == RUSM_OK) {
        ok = run(rt, wasm);
    } else {
        fprintf(stderr, "guest: %s\n", error.text);
    }
    rusm_runtime_destroy(rt);
    if (wasm) {
        rusm_wasm_destroy(wasm);
    }
    return ok ? 0 : 1;
}
