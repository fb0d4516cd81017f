/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The wire protocol against golden files (src/node/golden/, compared byte for byte; after a wanted
 * change write them anew with protocol_samples), and what clients may send.
 */
#include "node/protocol_internal.h"

#include "base/alloc.h"
#include "node/protocol_fixture_internal.h"
#include <dlfcn.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One byte more than a scenario's name may have. */
#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123"

static char *read_golden(const char *name) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", GOLDEN_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    enum { BYTES_MAX = 65536 };
    char *text = calloc(1, BYTES_MAX);
    assert_non_null(text);
    size_t len = fread(text, 1, BYTES_MAX - 1, file);
    assert_true(len > 0 && text[len - 1] == '\n');
    text[len - 1] = 0;
    (void)fclose(file);
    return text;
}

static void messages_equal_the_golden_files(void **state) {
    (void)state;
    for (unsigned i = 0; i < PROTOCOL_FIXTURES; i++) {
        char *golden = read_golden(protocol_fixture_file(i));
        char *text = protocol_fixture_text(i);
        assert_non_null(text);
        assert_string_equal(text, golden);
        json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        json_decref(root);
        rusm_free(text);
        free(golden);
    }
}

static void figures_that_are_none_become_zero(void **state) {
    (void)state;
    struct node_run run = {.ops_per_sec = NAN,
                           .point_count = 2,
                           .points = {INFINITY, -INFINITY},
                           .metric_count = 1,
                           .metrics = {{"m", "u", NAN}},
                           .peak_concurrent = UINT64_MAX};
    char *text = protocol_encode_run(&run, UINT64_MAX);
    assert_non_null(text);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_true(json_real_value(json_object_get(root, "ops_per_sec")) == 0);
    assert_true(json_integer_value(json_object_get(root, "peak_concurrent")) == INT64_MAX);
    json_decref(root);
    rusm_free(text);
}

/* A row's `current`, to be freed by the caller. */
static char *current_of(const struct rusm_process_info *info) {
    static struct observer_view view;
    view.count = 1;
    view.rows[0] = *info;
    char *text = protocol_encode_rows(&view);
    assert_non_null(text);
    json_t *root = json_loads(text, 0, NULL);
    char *current = strdup(json_string_value(json_object_get(json_array_get(root, 0), "current")));
    json_decref(root);
    rusm_free(text);
    return current;
}

static void a_row_says_what_the_process_does(void **state) {
    (void)state;
    static const char *const waits[] = {NULL,       "receive", "sleep",  "fd",
                                        "blocking", "held",    "outside"};
    for (unsigned wait = RUSM_WAIT_RECEIVE; wait <= RUSM_WAIT_OUTSIDE; wait++) {
        struct rusm_process_info info = {.wait = (enum rusm_process_wait)wait};
        char *current = current_of(&info);
        assert_string_equal(current, waits[wait]);
        free(current);
    }
    struct rusm_process_info known = {.entry = dlsym(RTLD_DEFAULT, "getpid")};
    char *current = current_of(&known);
    assert_non_null(strstr(current, "getpid"));
    free(current);
    struct rusm_process_info hidden = {.entry = (const char *)known.entry + 1};
    current = current_of(&hidden);
    assert_non_null(strstr(current, "+0x"));
    free(current);
}

static void a_row_tells_where_the_process_belongs(void **state) {
    (void)state;
    static struct observer_view view;
    view.count = 2;
    view.rows[0] = (struct rusm_process_info){.pid = {1},
                                              .parent = {INT64_MAX},
                                              .scheduler = 5,
                                              .links = 2,
                                              .monitors = 3,
                                              .monitored_by = 4,
                                              .is_supervisor = true};
    view.rows[1] = (struct rusm_process_info){.pid = {2}};
    char *text = protocol_encode_rows(&view);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"links\":2,\"monitors\":3,\"monitored_by\":4,"
                                 "\"parent\":\"9223372036854775807\",\"scheduler\":5,"
                                 "\"supervisor\":true"));
    assert_non_null(strstr(text, "\"parent\":null,\"scheduler\":0,\"supervisor\":false"));
    rusm_free(text);
}

static bool decode(const char *text, struct protocol_command *out, char *problem) {
    return protocol_decode(text, strlen(text), out, problem);
}

static void commands_are_understood(void **state) {
    (void)state;
    struct protocol_command command;
    char problem[PROTOCOL_PROBLEM_BYTES];
    assert_true(
        decode("{\"type\":\"run\",\"scenario\":\"ping-pong\",\"new\":1}", &command, problem));
    assert_int_equal(command.kind, PROTOCOL_RUN);
    assert_string_equal(command.scenario, "ping-pong");
    assert_true(decode(" {\"type\":\"stop\"} ", &command, problem));
    assert_int_equal(command.kind, PROTOCOL_STOP);
    assert_true(
        decode("{\"type\":\"set_resource_profile\",\"profile\":\"light\"}", &command, problem));
    assert_int_equal(command.kind, PROTOCOL_SET_RESOURCE_PROFILE);
    assert_int_equal(command.profile, NODE_PROFILE_LIGHT);
    assert_true(decode("{\"type\":\"set_observer_detail\",\"enabled\":true}", &command, problem));
    assert_int_equal(command.kind, PROTOCOL_SET_OBSERVER_DETAIL);
    assert_true(command.detail);
    assert_int_equal(command.sort, OBSERVER_KEY_MEMORY);
    assert_true(command.descending);
    for (unsigned key = 0; key < OBSERVER_KEY_COUNT; key++) {
        char text[128];
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"set_observer_detail\",\"enabled\":true,\"sort\":\"%s\"}",
                       observer_key_id((enum observer_key)key));
        assert_true(decode(text, &command, problem));
        assert_int_equal(command.sort, key);
        assert_int_equal(command.descending, key != OBSERVER_KEY_ID && key != OBSERVER_KEY_NAME);
    }
    assert_true(decode("{\"type\":\"set_observer_detail\",\"enabled\":false,\"descending\":false}",
                       &command, problem));
    assert_false(command.detail);
    assert_false(command.descending);
}

static void other_messages_are_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "nonsense",
        "{\"type\":\"stop\"",
        "{\"type\":\"stop\"}x",
        "{\"type\":\"stop\",\"type\":\"stop\"}",
        "[1]",
        "1",
        "null",
        "{\"type\":1}",
        "{\"type\":\"\"}",
        "{\"type\":\"STOP\"}",
        "{\"type\":\"run\"}",
        "{\"type\":\"run\",\"scenario\":7}",
        "{\"type\":\"run\",\"scenario\":\"" LONG_NAME "\"}",
        "{\"type\":\"run\",\"scenario\":\"a\\u0000b\"}",
        "{\"type\":\"set_resource_profile\"}",
        "{\"type\":\"set_resource_profile\",\"profile\":\"\"}",
        "{\"type\":\"set_observer_detail\"}",
        "{\"type\":\"set_observer_detail\",\"enabled\":1}",
        "{\"type\":\"set_observer_detail\",\"enabled\":true,\"sort\":1}",
        "{\"type\":\"set_observer_detail\",\"enabled\":true,\"sort\":\"size\"}",
        "{\"type\":\"set_observer_detail\",\"enabled\":true,\"descending\":1}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct protocol_command command = {.kind = PROTOCOL_STOP};
        char problem[PROTOCOL_PROBLEM_BYTES] = "";
        assert_false(decode(wrong[i], &command, problem));
        assert_true(strlen(problem) > 0);
        assert_int_equal(command.kind, PROTOCOL_STOP);
        char *text = protocol_encode_error(problem);
        assert_non_null(text);
        rusm_free(text);
    }
}

static void depth_of_nesting_is_bounded(void **state) {
    (void)state;
    enum { DEPTH = 60000 };
    char *text = malloc(DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    struct protocol_command command;
    char problem[PROTOCOL_PROBLEM_BYTES];
    assert_false(protocol_decode(text, DEPTH, &command, problem));
    free(text);
}

static void peers_are_read_from_lines(void **state) {
    (void)state;
    char path[] = "/tmp/rusm-peers-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    (void)fputs("{\"scenario\":\"ping-pong\",\"peer\":\"beam\",\"peer_version\":\"OTP 25\","
                "\"time\":\"2026-01-01T00:00:00Z\",\"workers\":1,\"machine\":{\"cpu\":\"C\"},"
                "\"metrics\":[{\"name\":\"p50_ns\",\"unit\":\"ns\",\"value\":3},"
                "{\"name\":\"ops_per_sec\",\"unit\":\"1/s\",\"value\":5.5}]}\n"
                "not json\n"
                "{\"scenario\":\"x\",\"metrics\":[]}\n"
                "{\"metrics\":[{\"name\":\"ops_per_sec\",\"value\":1}]}\n"
                "{\"scenario\":\"spawn-storm\",\"peer\":\"go\",\"machine\":\"M\",\"metrics\":"
                "[{\"name\":\"ops_per_sec\",\"unit\":\"1/s\",\"median\":7,\"min\":1,\"max\":9}]}\n"
                "{\"scenario\":\"spawn-storm\",\"peer\":\"go\",\"machine\":\"N\",\"metrics\":"
                "[{\"name\":\"ops_per_sec\",\"value\":8}]}\n",
                file);
    assert_int_equal(fclose(file), 0);
    struct node_peer peers[8];
    assert_int_equal(peers_read(path, peers, 8), 2);
    assert_string_equal(peers[0].peer, "beam");
    assert_string_equal(peers[0].version, "OTP 25");
    assert_string_equal(peers[0].machine, "C");
    assert_int_equal(peers[0].workers, 1);
    assert_true(peers[0].ops_per_sec > 5.4 && peers[0].ops_per_sec < 5.6);
    assert_string_equal(peers[1].machine, "N");
    assert_int_equal(peers[1].ops_per_sec, 8);
    peers_free(peers, 2);
    assert_int_equal(peers_read(path, peers, 1), 1);
    peers_free(peers, 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(peers_read(path, peers, 8), 0);
}

int main(void) {
    protocol_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_equal_the_golden_files),
        cmocka_unit_test(figures_that_are_none_become_zero),
        cmocka_unit_test(a_row_says_what_the_process_does),
        cmocka_unit_test(a_row_tells_where_the_process_belongs),
        cmocka_unit_test(commands_are_understood),
        cmocka_unit_test(other_messages_are_refused_with_a_reason),
        cmocka_unit_test(depth_of_nesting_is_bounded),
        cmocka_unit_test(peers_are_read_from_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
