/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/alloc.h"
#include "base/assert.h"
#include "test_stage_internal.h"
#include <rusm/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note_line(void *arg, const struct rusm_guest_line *line) {
    struct stage *stage = arg;
    stage->level = line->level;
    (void)snprintf(stage->line, sizeof stage->line, "%s: %.*s", line->label, (int)line->text_bytes,
                   line->text);
    /* Release: who sees the count sees the line. */
    atomic_fetch_add_explicit(&stage->lines, 1, memory_order_release);
}

#define RECEIVE "(import \"rusm\" \"receive\" (func $receive (param i32 i32) (result i32)))"
static const char echo[] =
    "(module " RECEIVE "(import \"rusm\" \"send\" (func $send (param i64 i32 i32)))"
    "(memory (export \"memory\") 1)"
    "(func (export \"run\") (local $len i32) (loop $next"
    "(local.set $len (call $receive (i32.const 0) (i32.const 65536)))"
    "(call $send (i64.load (i32.const 0)) (i32.const 0) (local.get $len)) (br $next))))";
static const char idle[] = "(module " RECEIVE "(memory (export \"memory\") 1)"
                           "(func (export \"run\") (loop $next"
                           "(drop (call $receive (i32.const 0) (i32.const 65536))) (br $next))))";
static const char ends[] = "(module (func (export \"run\")))";
static const char traps[] = "(module (func (export \"run\") unreachable))";

static void load(struct stage *stage, const char *name, const char *text, const char *capability) {
    const struct rusm_program_spec spec = {.name = name,
                                           .wasm = text,
                                           .wasm_bytes = text ? strlen(text) : 0,
                                           .capability = capability,
                                           .is_template = text == NULL};
    struct rusm_errinfo error;
    rusm_program *program;
    if (rusm_program_load(stage->wasm, &spec, &program, &error) != RUSM_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        abort();
    }
    rusm_program_release(program); /* the name holds it */
}

static void load_all(struct stage *stage) {
    static const char *const own_names[] = {"own-*"};
    const struct rusm_capability limited = {
        .spawn = RUSM_ALLOW, .processes_max = 1, .allow_names = {own_names, 1}};
    char *module = puppet_module();
    char *component = puppet_component();
    struct rusm_errinfo error;
    enum rusm_err err = rusm_wasm_define_capability(stage->wasm, "limited", &limited, &error);
    RUSM_ASSERT(err == RUSM_OK);
    load(stage, "puppet", module, "trusted");
    load(stage, "denied", module, "sandboxed");
    load(stage, "limited", module, "limited");
    load(stage, "component", component, "trusted");
    load(stage, "denied-component", component, "sandboxed");
    load(stage, "echo", echo, NULL);
    load(stage, "idle", idle, NULL);
    load(stage, "ends", ends, NULL);
    load(stage, "traps", traps, NULL);
    load(stage, "template", NULL, "sandboxed");
    rusm_free(module);
    rusm_free(component);
}

struct play {
    struct stage stage;
    void (*act)(struct stage *stage);
};

static bool kill_one(void *arg, rusm_pid pid) {
    (void)arg;
    if (pid.v != rusm_self().v) {
        (void)rusm_kill(NULL, pid);
    }
    return true;
}

static void perform(void *arg) {
    struct play *play = arg;
    play->act(&play->stage);
    rusm_process_each(rusm_self_runtime(), kill_one, NULL);
}

void on_stage(void (*act)(struct stage *stage)) {
    struct play *play = rusm_zalloc(sizeof *play);
    struct rusm_wasm_config config;
    struct rusm_errinfo error;
    RUSM_ASSERT(play);
    guests_signals();
    guests_config(&config);
    config.log = note_line;
    config.log_arg = &play->stage;
    play->act = act;
    struct rusm_config runtime_config;
    rusm_config_init(&runtime_config);
    runtime_config.schedulers = 2;
    runtime_config.stack_bytes = 1 << 20; /* many answers, of 2 KiB each */
    runtime_config.message_bytes_max = STAGE_MESSAGE_MAX;
    runtime_config.log_level = RUSM_LOG_OFF;
    play->stage.rt = start_configured(&runtime_config);
    enum rusm_err err = rusm_wasm_create(play->stage.rt, &config, &play->stage.wasm, &error);
    RUSM_ASSERT(err == RUSM_OK);
    load_all(&play->stage);
    (void)spawn_fiber(play->stage.rt, perform, play, NULL);
    finish_guests(play->stage.rt, play->stage.wasm);
    rusm_free(play);
}

rusm_pid stage_puppet(struct stage *stage, const char *component) {
    rusm_program *program = rusm_program_find(stage->wasm, component);
    rusm_pid pid = {0};
    rusm_ref ref;
    RUSM_ASSERT(program);
    enum rusm_err err = rusm_spawn_guest_monitor(program, NULL, &pid, &ref);
    RUSM_ASSERT(err == RUSM_OK);
    rusm_program_release(program);
    return pid;
}

void stage_await(rusm_pid pid, enum rusm_process_wait wait) {
    struct rusm_process_info info;
    while (rusm_process_info(NULL, pid, &info) == RUSM_OK && info.wait != wait) {
        rusm_yield();
    }
}

rusm_pid stage_other(void) {
    return spawn_fiber(NULL, wait_for_ever, NULL, NULL);
}

static void fail(const struct puppet_answer *answer, const char *wanted, const char *file,
                 int line) {
    (void)fprintf(stderr, "%s:%d: wanted %s; ended %d, kind %d, text \"%s\", value %lld\n", file,
                  line, wanted, answer->ended, answer->kind, answer->text,
                  (long long)answer->value);
    abort();
}

void stage_expect(struct puppet_answer answer, int64_t expected, const char *file, int line) {
    char wanted[32];
    if (answer.ended || answer.value != expected) {
        (void)snprintf(wanted, sizeof wanted, "%lld", (long long)expected);
        fail(&answer, wanted, file, line);
    }
}

void stage_expect_end(struct puppet_answer answer, enum rusm_exit_kind kind, const char *part,
                      const char *file, int line) {
    if (!answer.ended || answer.kind != kind || !strstr(answer.text, part)) {
        fail(&answer, part, file, line);
    }
}

void stage_expect_message(const char *text, const char *file, int line) {
    const struct rusm_msg *msg = rusm_receive();
    if (msg->kind != RUSM_MSG_BYTES || msg->len != strlen(text) ||
        memcmp(msg->data, text, msg->len) != 0) {
        (void)fprintf(stderr, "%s:%d: wanted \"%s\", got kind %u, \"%.*s\"\n", file, line, text,
                      msg->kind, (int)msg->len, (const char *)msg->data);
        abort();
    }
}
