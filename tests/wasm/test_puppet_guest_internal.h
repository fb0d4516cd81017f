/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Puppets: guests that call any host function they are told to and answer what it gave. One is a
 * core module, the other a component; their text is made from tables of all functions.
 *
 * A puppet waits for a command, by a receive that leaves other messages alone. The command's bytes
 * are put at PUPPET_DATA of its memory before the call, and what the memory holds from PUPPET_OUT
 * on comes with the answer: where strings are passed and out-buffers lie. A component's results are
 * where the canonical ABI puts them, with a return area at PUPPET_OUT.
 */
#ifndef WASM_TEST_PUPPET_GUEST_INTERNAL_H
#define WASM_TEST_PUPPET_GUEST_INTERNAL_H

#include "test_guests_internal.h"

#define PUPPET_DATA       1104
#define PUPPET_OUT        40960
#define PUPPET_OUT_BYTES  2048
#define PUPPET_DATA_BYTES 8192
#define PUPPET_ARGS_MAX   8

/* The text of a puppet; owned (rusm_free). */
char *puppet_module(void);
char *puppet_component(void);

/* How many functions a core puppet can call. */
size_t puppet_function_count(void);

struct puppet_answer {
    bool ended; /* instead of answering: */
    enum rusm_exit_kind kind;
    char text[256]; /* why, as far as this holds it */
    int64_t value;  /* what the function returned */
    uint8_t out[PUPPET_OUT_BYTES];
};

/*
 * From a process that monitors the puppet: have it call a function, with PUPPET_ARGS_MAX numbers.
 * Core functions go by their name, components' by "interface function". `data` is put at
 * PUPPET_DATA.
 */
void puppet_tell(rusm_pid puppet, const char *function, const void *data, size_t len,
                 const int64_t *args);
/* By its index. */
void puppet_tell_index(rusm_pid puppet, uint32_t index, const void *data, size_t len,
                       const int64_t *args);
/* Wait for the answer, or for the end. */
struct puppet_answer puppet_hear(rusm_pid puppet);
/* Both, with a text as data. */
struct puppet_answer puppet_ask(rusm_pid puppet, const char *function, const char *text,
                                const int64_t *args);

/* ---- a stage: a runtime with guests, on which a test acts as a process ---- */

struct stage {
    rusm_runtime *rt;
    rusm_wasm *wasm;
    /* What guests have logged. */
    _Atomic uint32_t lines;
    enum rusm_log_level level;
    char line[64];
};

/*
 * Components by name: "puppet" and "component" may do all, "denied" and "denied-component" nothing,
 * "limited" may spawn one process, name itself "own-*", and nothing else; "echo" sends back what
 * comes (the first 8 bytes are whom to); "ends", "traps" and "idle" do that; "template" has no
 * code.
 */
void on_stage(void (*act)(struct stage *stage));

/* From the acting process: a monitored puppet made of this component. */
rusm_pid stage_puppet(struct stage *stage, const char *component);

/* From the acting process: wait until `pid` waits so. */
void stage_await(rusm_pid pid, enum rusm_process_wait wait);
/* A process that receives for ever. */
rusm_pid stage_other(void);

/* The longest message on a stage. */
#define STAGE_MESSAGE_MAX 16384

/* Fails the test unless the puppet answered this. */
#define EXPECT(answer, expected) stage_expect((answer), (expected), __FILE__, __LINE__)
void stage_expect(struct puppet_answer answer, int64_t expected, const char *file, int line);
/* Unless it has ended so, with a text that has `part` in it. */
#define EXPECT_END(answer, kind, part)                                                             \
    stage_expect_end((answer), (kind), (part), __FILE__, __LINE__)
void stage_expect_end(struct puppet_answer answer, enum rusm_exit_kind kind, const char *part,
                      const char *file, int line);
/* Unless the next message is this text. */
#define EXPECT_MESSAGE(text) stage_expect_message((text), __FILE__, __LINE__)
void stage_expect_message(const char *text, const char *file, int line);

#define PUPPET_ARGS(...) ((const int64_t[PUPPET_ARGS_MAX]){__VA_ARGS__})

#endif
