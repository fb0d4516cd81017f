/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What the tests of guests share: a runtime that runs them, programs from text, how they ended. */
#ifndef WASM_TEST_GUESTS_INTERNAL_H
#define WASM_TEST_GUESTS_INTERNAL_H

#include "otp/test_runtime_internal.h"
#include <rusm/capability.h>
#include <rusm/wasm.h>

/*
 * The first call, from main: let Wasmtime put its signal handlers in, and remember them. Further
 * calls, from each test: put them back. cmocka takes them out for the length of a test, and without
 * them a trap ends the program.
 */
void guests_signals(void);

/*
 * A bridge for tests. Its functions are of the module `test`:
 *   mark ()                    notes the caller in the board's order
 *   wait ()                    blocks until there is a message, and takes it
 *   park ()                    blocks in an operation on the process's own stack, until it is woken
 *   exit (kind i32, ptr, len)  ends the guest with that reason
 *   busy ()                    answers that the guest has used its slice
 */
#define MARKS_MAX 64u
struct board {
    _Atomic uint32_t places; /* of `order`, given away */
    _Atomic uint32_t marks;
    rusm_pid order[MARKS_MAX];
    _Atomic uint32_t bridge_ends; /* guests whose state was freed */
};
#define TEST_IMPORTS                                                                               \
    "(import \"test\" \"mark\" (func $mark))"                                                      \
    "(import \"test\" \"wait\" (func $wait))"                                                      \
    "(import \"test\" \"park\" (func $park))"                                                      \
    "(import \"test\" \"exit\" (func $exit (param i32 i32 i32)))"                                  \
    "(import \"test\" \"busy\" (func $busy))"

/* A runtime with that bridge alone. `config` NULL = guests_config. Ends by finish_guests. */
rusm_wasm *start_guests(rusm_runtime *rt, const struct rusm_wasm_config *config,
                        struct board *board);

/* Defaults but for a small pool and no cache, so that a test starts at once. */
void guests_config(struct rusm_wasm_config *config);

/* Load a module or component, asserting success. Release it. */
rusm_program *load_text(rusm_wasm *wasm, const char *text);
rusm_program *load_text_as(rusm_wasm *wasm, const char *text, const char *capability);
/* The same with a 64-bit number in place of the one "%llu" in the text. */
rusm_program *load_format(rusm_wasm *wasm, const char *format, rusm_pid number);

/* The same from FOLDER/NAME, whatever its format; all but the code is as `spec` says. */
rusm_program *load_file(rusm_wasm *wasm, const char *folder, const char *name,
                        const struct rusm_program_spec *spec);
/* As rusm_program_load, for what may be refused. */
enum rusm_err try_load_file(rusm_wasm *wasm, const char *folder, const char *name,
                            const struct rusm_program_spec *spec, rusm_program **out,
                            struct rusm_errinfo *error);

/* Load, spawn a guest, release. `record` may be NULL. */
rusm_pid run_text(rusm_wasm *wasm, const char *text, struct exit_record *record);
rusm_pid spawn_guest(rusm_program *program, struct exit_record *record);

/* Wait until it has ended. */
void await_exit(struct exit_record *record);
/* Whether its payload has `part` in it. */
bool says(const struct exit_record *record, const char *part);

/* From a process: until the guest waits so and has run, or (NONE) runs, or has ended. */
void await_guest(rusm_pid guest, enum rusm_process_wait wait);
/* From a process that is linked to the guest, traps exits, and monitors it by `ref`: receive the
 * EXIT and the DOWN, of this kind and with a payload that has `says` in it. `name` goes before what
 * is not as wanted. */
void hear_link_and_monitor(const char *name, rusm_pid guest, rusm_ref ref, enum rusm_exit_kind kind,
                           const char *says);

/* Guests that hold an instance, and that wait for one, now. */
uint64_t guests_running(rusm_wasm *wasm);
uint64_t guests_waiting(rusm_wasm *wasm);

/* Destroy both, when all processes have ended. Asserted: no guest and no memory is left. */
void finish_guests(rusm_runtime *rt, rusm_wasm *wasm);

#endif
