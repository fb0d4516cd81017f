/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* A stage: a runtime with guests, on which a test acts as a process. Results are looked at there,
 * so what is not as expected ends the program, with both on standard error. */
#ifndef WASM_TEST_STAGE_INTERNAL_H
#define WASM_TEST_STAGE_INTERNAL_H

#include "bridge/test_puppet_internal.h"
#include "test_guests_internal.h"

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

#endif
