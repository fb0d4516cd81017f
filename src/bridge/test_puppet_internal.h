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
#ifndef BRIDGE_TEST_PUPPET_INTERNAL_H
#define BRIDGE_TEST_PUPPET_INTERNAL_H

#include <rusm/process.h>

#define PUPPET_DATA       1104
#define PUPPET_OUT        40960
#define PUPPET_OUT_BYTES  2048
#define PUPPET_DATA_BYTES 8192
#define PUPPET_ARGS_MAX   8

/* The text of a puppet; owned (rusm_free). */
char *puppet_module(void);
char *puppet_component(void);

/* The functions that a core puppet can call; their types in the letters of struct rwt_core_func. */
size_t puppet_function_count(void);
const char *puppet_function_type(uint32_t index);

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

#define PUPPET_ARGS(...) ((const int64_t[PUPPET_ARGS_MAX]){__VA_ARGS__})

#endif
