/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * js_runners_test FOLDER: the two JavaScript runners of the reference, as black boxes: components
 * that were built for it are instantiated and run here unchanged. fetch_js_runners.py brings them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/assert.h"
#include "test_guests_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *folder; /* written by main, before any test */

static rusm_program *load_runner(rusm_wasm *wasm, const char *name) {
    const struct rusm_program_spec spec = {.capability = "trusted"};
    return load_file(wasm, folder, name, &spec);
}

static rusm_wasm *start_wasm(rusm_runtime *rt) {
    struct rusm_wasm_config config;
    struct rusm_errinfo error = {""};
    rusm_wasm *wasm = NULL;
    guests_config(&config);
    if (rusm_wasm_create(rt, &config, &wasm, &error) != RUSM_OK) {
        fail_msg("%s", error.text);
    }
    return wasm;
}

/* ---- a script that answers ---- */

static const char script[] = "module.exports.default = async function () {"
                             "    const to = await Process.receiveText();"
                             "    Process.setLabel('a script');"
                             "    const url = new URL('https://example.io:8080/a?x=1');"
                             "    console.log('my pid is', Process.self());"
                             "    Process.send(to, 'pong from ' + Process.self() + url.port);"
                             "};";

struct talk {
    rusm_program *runner;
    struct exit_record record;
    char wanted[96];
    char answer[96];
};

static void talk_body(void *arg) {
    struct talk *talk = arg;
    const struct rusm_spawn_opts opts = {.on_exit = record_exit, .on_exit_arg = &talk->record};
    char self[24];
    rusm_pid pid;
    RUSM_ASSERT(rusm_spawn_guest(talk->runner, &opts, &pid) == RUSM_OK);
    RUSM_ASSERT(rusm_send(pid, script, sizeof script - 1) == RUSM_OK);
    int len = snprintf(self, sizeof self, "%" PRIu64, rusm_self().v);
    RUSM_ASSERT(rusm_send(pid, self, (size_t)len) == RUSM_OK);
    (void)snprintf(talk->wanted, sizeof talk->wanted, "pong from %" PRIu64 "8080", pid.v);
    rusm_ref ref;
    RUSM_ASSERT(rusm_monitor(pid, &ref) == RUSM_OK);
    const struct rusm_msg *msg = rusm_receive();
    if (msg->kind == RUSM_MSG_BYTES && msg->len < sizeof talk->answer) {
        memcpy(talk->answer, msg->data, msg->len);
        (void)rusm_receive(); /* its end */
    }
}

static void script_runs_in_the_reference_runner(void **state) {
    (void)state;
    guests_signals();
    rusm_runtime *rt = start_runtime(2);
    rusm_wasm *wasm = start_wasm(rt);
    struct talk talk = {.runner = load_runner(wasm, "js_runner.wasm")};
    (void)spawn_fiber(rt, talk_body, &talk, NULL);
    rusm_runtime_wait_idle(rt);
    rusm_program_release(talk.runner);
    finish_guests(rt, wasm);
    if (talk.record.kind != RUSM_EXIT_NORMAL) {
        fail_msg("it ended with %d: %.*s", (int)talk.record.kind, (int)talk.record.payload_bytes,
                 (const char *)talk.record.payload);
    }
    assert_string_equal(talk.answer, talk.wanted);
}

/* What answers HTTP requests has nothing to run by itself: it is instantiated, and ends. */
static void http_runner_is_instantiated(void **state) {
    (void)state;
    guests_signals();
    rusm_runtime *rt = start_runtime(1);
    rusm_wasm *wasm = start_wasm(rt);
    struct exit_record record = {.count = 0};
    rusm_program *runner = load_runner(wasm, "js_http_runner.wasm");
    (void)spawn_guest(runner, &record);
    rusm_runtime_wait_idle(rt);
    rusm_program_release(runner);
    finish_guests(rt, wasm);
    assert_int_equal(record.kind, RUSM_EXIT_NORMAL);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: js_runners_test FOLDER\n");
        return 2;
    }
    folder = argv[1];
    guests_signals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script_runs_in_the_reference_runner),
        cmocka_unit_test(http_runner_is_instantiated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
