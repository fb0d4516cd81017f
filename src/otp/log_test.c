/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The lifecycle log: which events come at which level, crash reports, lines of any bytes. */
#include "base/assert.h"
#include "base/random.h"
#include "otp/test_kids_internal.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define EVENTS_MAX 256u

/* What a runtime has logged. */
struct logged {
    _Atomic uint32_t count;
    struct rusm_event events[EVENTS_MAX];
    struct rusm_exit_reason reasons[EVENTS_MAX];
    unsigned char payloads[EVENTS_MAX][RUSM_EXIT_PAYLOAD_MAX];
};

static void record(void *arg, const struct rusm_event *event) {
    struct logged *logged = arg;
    uint32_t at = atomic_fetch_add(&logged->count, 1);
    RUSM_ASSERT(at < EVENTS_MAX);
    logged->events[at] = *event;
    if (event->reason) {
        logged->reasons[at] = *event->reason;
        if (event->reason->payload_bytes > 0) {
            memcpy(logged->payloads[at], event->reason->payload, event->reason->payload_bytes);
        }
        logged->reasons[at].payload = logged->payloads[at];
        logged->events[at].reason = &logged->reasons[at];
    }
}

static rusm_runtime *start_logging(struct logged *logged, enum rusm_log_level level) {
    atomic_store(&logged->count, 0);
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.log_level = level;
    config.log_events_max = EVENTS_MAX;
    config.log_event = record;
    config.log_arg = logged;
    return start_configured(&config);
}

/* The `nth` event of a kind; NULL if there are fewer. */
static const struct rusm_event *find(const struct logged *logged, enum rusm_event_kind kind,
                                     uint32_t nth) {
    for (uint32_t i = 0; i < logged->count; i++) {
        if (logged->events[i].kind == kind && nth-- == 0) {
            return &logged->events[i];
        }
    }
    return NULL;
}

static uint32_t count_of(const struct logged *logged, enum rusm_event_kind kind) {
    uint32_t count = 0;
    while (find(logged, kind, count)) {
        count++;
    }
    return count;
}

/* ---- crash reports ---- */

struct family {
    rusm_pid grandparent;
    rusm_pid parent;
    rusm_pid child;
};

static void crash_with_mail(void *arg) {
    struct family *family = arg;
    family->child = rusm_self();
    rusm_set_label("the child");
    RUSM_ASSERT(rusm_register(NULL, "child", rusm_self()) == RUSM_OK);
    static const char bytes[100];
    for (size_t len = 1; len <= 12; len++) {
        RUSM_ASSERT(rusm_send(rusm_self(), bytes, len) == RUSM_OK);
    }
    (void)rusm_receive(); /* takes all over; one is received, eleven wait */
    RUSM_ASSERT(rusm_send(rusm_self(), bytes, sizeof bytes) == RUSM_OK);
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "out of luck", 11});
}

static void crash_unfetched(void *arg) {
    (void)arg;
    for (size_t len = 11; len <= 20; len++) {
        RUSM_ASSERT(rusm_send(rusm_self(), "01234567890123456789", len) == RUSM_OK);
    }
    rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_LIMIT, "too much", 8});
}

static void be_parent(void *arg) {
    struct family *family = arg;
    family->parent = rusm_self();
    RUSM_ASSERT(rusm_spawn(NULL, crash_with_mail, family, NULL, NULL) == RUSM_OK);
    rusm_ref ref;
    rusm_yield();
    RUSM_ASSERT(rusm_monitor(family->child, &ref) == RUSM_OK);
    (void)rusm_receive();
}

static void be_grandparent(void *arg) {
    struct family *family = arg;
    family->grandparent = rusm_self();
    const struct rusm_spawn_opts opts = {.label = "parent"};
    rusm_pid pid;
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn_monitor(be_parent, family, &opts, &pid, &ref) == RUSM_OK);
    (void)rusm_receive();
}

static void a_crash_report_tells_who_and_why(void **state) {
    (void)state;
    static struct logged logged;
    struct family family;
    rusm_runtime *rt = start_logging(&logged, RUSM_LOG_WARN);
    const struct rusm_spawn_opts opts = {.name = "top"};
    (void)spawn_fiber(rt, be_grandparent, &family, &opts);
    finish_runtime(rt);
    assert_int_equal(logged.count, 1);
    const struct rusm_event *event = &logged.events[0];
    assert_int_equal(event->kind, RUSM_EVENT_CRASH);
    assert_int_equal(event->level, RUSM_LOG_ERROR);
    assert_int_equal(event->process.pid.v, family.child.v);
    assert_string_equal(event->process.name, "child");
    assert_string_equal(event->process.label, "the child");
    assert_ptr_equal(event->entry, (const void *)crash_with_mail);
    assert_int_equal(event->process_kind, RUSM_KIND_FIBER);
    assert_int_equal(event->reason->kind, RUSM_EXIT_ERROR);
    assert_int_equal(event->reason->payload_bytes, 11);
    assert_memory_equal(event->reason->payload, "out of luck", 11);
    assert_true(event->has_received);
    assert_int_equal(event->received_bytes, 1);
    assert_int_equal(event->mailbox_depth, 12);
    assert_int_equal(event->message_count, RUSM_EVENT_MESSAGES_MAX);
    for (uint32_t i = 0; i < RUSM_EVENT_MESSAGES_MAX; i++) {
        assert_int_equal(event->message_bytes[i], i + 2);
    }
    assert_int_equal(event->ancestor_count, 2);
    assert_int_equal(event->ancestors[0].pid.v, family.parent.v);
    assert_string_equal(event->ancestors[0].label, "parent");
    assert_int_equal(event->ancestors[1].pid.v, family.grandparent.v);
    assert_string_equal(event->ancestors[1].name, "top");
    char line[RUSM_EVENT_LINE_MAX];
    (void)rusm_event_format(event, RUSM_LOG_TEXT, line);
    assert_non_null(
        strstr(line, " \"child\" \"the child\" crashed: error \"out of luck\"; entry "));
    assert_non_null(strstr(line, "received last 1 bytes; 12 waiting (2, 3, 4, 5, 6, 7, 8, 9 "));
    assert_non_null(strstr(line, "ancestors "));
}

static void a_limit_warns_and_unfetched_messages_show(void **state) {
    (void)state;
    static struct logged logged;
    rusm_runtime *rt = start_logging(&logged, RUSM_LOG_WARN);
    (void)spawn_fiber(rt, crash_unfetched, NULL, NULL);
    finish_runtime(rt);
    assert_int_equal(logged.count, 1);
    const struct rusm_event *event = &logged.events[0];
    assert_int_equal(event->kind, RUSM_EVENT_CRASH);
    assert_int_equal(event->level, RUSM_LOG_WARN);
    assert_int_equal(event->reason->kind, RUSM_EXIT_LIMIT);
    assert_false(event->has_received);
    assert_int_equal(event->mailbox_depth, 10);
    assert_int_equal(event->message_count, RUSM_EVENT_MESSAGES_MAX);
    for (uint32_t i = 0; i < RUSM_EVENT_MESSAGES_MAX; i++) {
        assert_int_equal(event->message_bytes[i], i + 11);
    }
    assert_int_equal(event->ancestor_count, 0);
}

static void end_with_error(void *arg) {
    (void)arg;
    rusm_exit(&(struct rusm_exit_reason){.kind = RUSM_EXIT_ERROR});
}

static void link_to_a_crash(void *arg) {
    (void)arg;
    RUSM_ASSERT(rusm_spawn_link(end_with_error, NULL, NULL, NULL) == RUSM_OK);
    (void)rusm_receive();
}

static void who_ends_of_a_link_has_not_crashed(void **state) {
    (void)state;
    static struct logged logged;
    rusm_runtime *rt = start_logging(&logged, RUSM_LOG_DEBUG);
    rusm_pid linked = spawn_fiber(rt, link_to_a_crash, NULL, NULL);
    finish_runtime(rt);
    assert_int_equal(count_of(&logged, RUSM_EVENT_CRASH), 1);
    assert_int_equal(count_of(&logged, RUSM_EVENT_EXIT), 1);
    const struct rusm_event *event = find(&logged, RUSM_EVENT_EXIT, 0);
    assert_int_equal(event->process.pid.v, linked.v);
    assert_int_equal(event->reason->kind, RUSM_EXIT_ERROR);
}

/* ---- levels ---- */

static void one_of_each(void *arg) {
    (void)arg;
    struct kid kid = {.letter = 'a'};
    const struct rusm_child child = kid_child("kid", &kid);
    const struct rusm_supervisor spec = {
        .children = &child, .child_count = 1, .max_restarts = 1, .name = "sup"};
    rusm_pid sup;
    (void)rusm_trap_exit(true);
    RUSM_ASSERT(rusm_register(NULL, "tester", rusm_self()) == RUSM_OK);
    RUSM_ASSERT(rusm_supervisor_start(NULL, &spec, &sup) == RUSM_OK);
    rusm_pid first = kid_pid(sup, "kid");
    kid_end(first, RUSM_EXIT_ERROR);
    kid_end(kid_await(sup, "kid", first), RUSM_EXIT_ERROR);
    (void)expect_news(RUSM_MSG_EXIT, sup, RUSM_EXIT_SHUTDOWN);
    RUSM_ASSERT(rusm_spawn(NULL, end_at_once, NULL, NULL, NULL) == RUSM_OK);
}

static void levels_hold_back_what_is_above_them(void **state) {
    (void)state;
    static struct logged logged;
    for (enum rusm_log_level level = RUSM_LOG_OFF; level <= RUSM_LOG_DEBUG; level++) {
        rusm_runtime *rt = start_logging(&logged, level);
        (void)spawn_fiber(rt, one_of_each, NULL, NULL);
        finish_runtime(rt);
        bool error = level >= RUSM_LOG_ERROR;
        bool warn = level >= RUSM_LOG_WARN;
        bool info = level >= RUSM_LOG_INFO;
        bool debug = level >= RUSM_LOG_DEBUG;
        assert_int_equal(count_of(&logged, RUSM_EVENT_CRASH), error ? 2 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_GIVE_UP), error ? 1 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_RESTART), warn ? 1 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_START), info ? 1 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_STOP), info ? 2 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_REGISTER), info ? 1 : 0);
        /* The tester, its last child, and two kids, which have crashed. */
        assert_int_equal(count_of(&logged, RUSM_EVENT_SPAWN), debug ? 4 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_EXIT), debug ? 1 : 0);
        assert_int_equal(count_of(&logged, RUSM_EVENT_DROPPED), 0);
    }
    /* All of the last round, in detail. */
    const struct rusm_event *start = find(&logged, RUSM_EVENT_START, 0);
    const struct rusm_event *restart = find(&logged, RUSM_EVENT_RESTART, 0);
    const struct rusm_event *give_up = find(&logged, RUSM_EVENT_GIVE_UP, 0);
    assert_true(start->is_supervisor && restart->is_supervisor && give_up->is_supervisor);
    assert_string_equal(start->process.name, "sup");
    assert_string_equal(find(&logged, RUSM_EVENT_REGISTER, 0)->process.name, "tester");
    assert_int_equal(start->process.pid.v, restart->process.pid.v);
    assert_string_equal(restart->child_id, "kid");
    assert_int_equal(restart->restarts, 1);
    assert_int_equal(restart->reason->kind, RUSM_EXIT_ERROR);
    assert_int_equal(restart->child.v, find(&logged, RUSM_EVENT_CRASH, 0)->process.pid.v);
    assert_int_equal(give_up->child.v, find(&logged, RUSM_EVENT_CRASH, 1)->process.pid.v);
}

/* ---- the bound ---- */

static void crash_many(void *arg) {
    for (uint32_t i = 0; i < *(uint32_t *)arg; i++) {
        RUSM_ASSERT(rusm_spawn(NULL, end_with_error, NULL, NULL, NULL) == RUSM_OK);
    }
}

static void what_is_too_much_is_counted(void **state) {
    (void)state;
    static struct logged logged;
    uint32_t crashes = 5000;
    atomic_store(&logged.count, 0);
    struct rusm_config config;
    rusm_config_init(&config);
    config.log_events_max = 3;
    config.log_event = record;
    config.log_arg = &logged;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, crash_many, &crashes, NULL);
    finish_runtime(rt);
    uint64_t dropped = 0;
    for (uint32_t i = 0; i < count_of(&logged, RUSM_EVENT_DROPPED); i++) {
        dropped += find(&logged, RUSM_EVENT_DROPPED, i)->dropped;
    }
    assert_true(dropped > 0);
    assert_int_equal(dropped + count_of(&logged, RUSM_EVENT_CRASH), crashes);
}

static void wrong_settings_are_refused(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_runtime *rt;
    rusm_config_init(&config);
    config.log_level = (enum rusm_log_level)5;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
    rusm_config_init(&config);
    config.log_format = (enum rusm_log_format)2;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
    rusm_config_init(&config);
    config.log_events_max = 0;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
    config.log_events_max = 1000001;
    assert_int_equal(rusm_runtime_create(&config, &rt), RUSM_ERR_INVALID);
}

/* ---- lines ---- */

/* The line as JSON, of which the test owns a reference. */
static json_t *parsed(const struct rusm_event *event) {
    char line[RUSM_EVENT_LINE_MAX];
    size_t len = rusm_event_format(event, RUSM_LOG_JSON, line);
    assert_int_equal(len, strlen(line));
    json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    return json;
}

static const char *text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    return text;
}

static void json_has_what_the_event_has(void **state) {
    (void)state;
    const struct rusm_exit_reason reason = {RUSM_EXIT_ERROR,
                                            "\"\\\n\x01\xff\xc2\x85\xe2\x82\xac\0x", 12};
    struct rusm_event event = {.kind = RUSM_EVENT_CRASH,
                               .level = RUSM_LOG_ERROR,
                               .unix_ms = 1700000000123,
                               .process = {.pid = {UINT64_MAX >> 1}, .name = "n", .label = "l"},
                               .process_kind = RUSM_KIND_STEP,
                               .reason = &reason,
                               .mailbox_depth = 2,
                               .message_count = 2,
                               .message_bytes = {7, 8},
                               .ancestor_count = 2,
                               .ancestors = {{.pid = {9}, .name = "up"}, {.pid = {8}}}};
    json_t *json = parsed(&event);
    assert_int_equal(json_integer_value(json_object_get(json, "time_ms")), 1700000000123);
    assert_string_equal(text_of(json, "level"), "error");
    assert_string_equal(text_of(json, "event"), "crash");
    assert_string_equal(text_of(json, "pid"), "9223372036854775807");
    assert_string_equal(text_of(json, "name"), "n");
    assert_string_equal(text_of(json, "label"), "l");
    assert_string_equal(text_of(json, "kind"), "step");
    assert_string_equal(text_of(json, "reason"), "error");
    assert_null(json_object_get(json, "entry"));
    assert_null(json_object_get(json, "received_bytes"));
    static const char expected[] = "\"\\\n\x01\xef\xbf\xbd\xc2\x85\xe2\x82\xac\0x";
    const json_t *payload = json_object_get(json, "payload");
    assert_int_equal(json_string_length(payload), sizeof expected - 1);
    assert_memory_equal(json_string_value(payload), expected, sizeof expected - 1);
    assert_int_equal(json_integer_value(json_object_get(json, "payload_bytes")), 12);
    const json_t *sizes = json_object_get(json, "message_bytes");
    assert_int_equal(json_array_size(sizes), 2);
    assert_int_equal(json_integer_value(json_array_get(sizes, 1)), 8);
    const json_t *ancestors = json_object_get(json, "ancestors");
    assert_int_equal(json_array_size(ancestors), 2);
    assert_string_equal(text_of(json_array_get(ancestors, 0), "name"), "up");
    assert_string_equal(text_of(json_array_get(ancestors, 1), "pid"), "8");
    json_decref(json);
    char line[RUSM_EVENT_LINE_MAX];
    (void)rusm_event_format(&event, RUSM_LOG_TEXT, line);
    assert_string_equal(line, "process 9223372036854775807 \"n\" \"l\" crashed: error "
                              "\"\\\"\\\\\\x0a\\x01\\xff\\xc2\\x85\xe2\x82\xac\\x00x\"; 2 waiting "
                              "(7, 8 bytes); ancestors 9 \"up\", 8");
}

static void every_kind_has_a_line_of_both_formats(void **state) {
    (void)state;
    const struct rusm_exit_reason reason = {RUSM_EXIT_SHUTDOWN, NULL, 0};
    char line[RUSM_EVENT_LINE_MAX];
    for (enum rusm_event_kind kind = RUSM_EVENT_SPAWN; kind <= RUSM_EVENT_DROPPED; kind++) {
        bool ends = kind != RUSM_EVENT_SPAWN && kind != RUSM_EVENT_START;
        const struct rusm_event event = {.kind = kind,
                                         .level = RUSM_LOG_WARN,
                                         .process = {.pid = {77}},
                                         .reason = ends ? &reason : NULL,
                                         .entry = (const void *)(uintptr_t)crash_many,
                                         .child_id = "id",
                                         .dropped = 5};
        assert_true(rusm_event_format(&event, RUSM_LOG_TEXT, line) > 10);
        json_t *json = parsed(&event);
        assert_string_equal(text_of(json, "level"), "warn");
        assert_true(kind == RUSM_EVENT_DROPPED || strstr(line, "77"));
        if (kind <= RUSM_EVENT_CRASH) {
            assert_non_null(strchr(text_of(json, "entry"), '+'));
        }
        json_decref(json);
    }
}

static void fill(struct random *random, char *out, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        /* Half of them those that matter. */
        static const unsigned char special[] = "\"\\\n\x7f\x01\x80\xc2\xe0\xed\xa0\xf0\xf4\x90\xff";
        uint32_t r = random_below(random, 2 * 256);
        out[i] = (char)(r < 256 ? r : special[r % (sizeof special - 1)]);
    }
}

static void any_bytes_make_a_line(void **state) {
    (void)state;
    struct random random = {.state = 7};
    static char payload[RUSM_EXIT_PAYLOAD_MAX];
    static struct rusm_event event;
    char line[RUSM_EVENT_LINE_MAX];
    for (uint32_t i = 0; i < 3000; i++) {
        memset(&event, 0, sizeof event);
        fill(&random, payload, sizeof payload);
        const struct rusm_exit_reason reason = {RUSM_EXIT_ERROR, payload,
                                                random_below(&random, sizeof payload + 1)};
        event.kind = i % 2 ? RUSM_EVENT_CRASH : RUSM_EVENT_RESTART;
        event.level = RUSM_LOG_ERROR;
        event.reason = &reason;
        event.ancestor_count = RUSM_EVENT_ANCESTORS_MAX;
        fill(&random, event.child_id, RUSM_NAME_BYTES_MAX);
        fill(&random, event.process.name, RUSM_NAME_BYTES_MAX);
        fill(&random, event.process.label, RUSM_LABEL_BYTES_MAX);
        for (uint32_t a = 0; a < RUSM_EVENT_ANCESTORS_MAX; a++) {
            event.ancestors[a].pid.v = UINT64_MAX >> 1;
            fill(&random, event.ancestors[a].name, RUSM_NAME_BYTES_MAX);
            fill(&random, event.ancestors[a].label, RUSM_LABEL_BYTES_MAX);
        }
        json_decref(parsed(&event)); /* jansson refuses what is not UTF-8 */
        size_t len = rusm_event_format(&event, RUSM_LOG_TEXT, line);
        json_t *text = json_stringn(line, len);
        assert_non_null(text);
        json_decref(text);
        for (size_t at = 0; at < len; at++) {
            assert_true((unsigned char)line[at] >= 0x20 && line[at] != 0x7f);
        }
    }
}

static void the_longest_line_fits(void **state) {
    (void)state;
    static char payload[RUSM_EXIT_PAYLOAD_MAX];
    memset(payload, 1, sizeof payload);
    const struct rusm_exit_reason reason = {RUSM_EXIT_ERROR, payload, sizeof payload};
    struct rusm_event event = {.kind = RUSM_EVENT_CRASH,
                               .level = RUSM_LOG_ERROR,
                               .unix_ms = UINT64_MAX >> 1,
                               .reason = &reason,
                               .entry = (const void *)(uintptr_t)crash_many,
                               .has_received = true,
                               .received_bytes = UINT32_MAX,
                               .mailbox_depth = UINT64_MAX >> 1,
                               .message_count = RUSM_EVENT_MESSAGES_MAX,
                               .ancestor_count = RUSM_EVENT_ANCESTORS_MAX};
    memset(event.message_bytes, 0xff, sizeof event.message_bytes);
    for (uint32_t a = 0; a <= RUSM_EVENT_ANCESTORS_MAX; a++) {
        struct rusm_event_process *process =
            a < RUSM_EVENT_ANCESTORS_MAX ? &event.ancestors[a] : &event.process;
        process->pid.v = UINT64_MAX >> 1;
        memset(process->name, 1, RUSM_NAME_BYTES_MAX);
        memset(process->label, 2, RUSM_LABEL_BYTES_MAX);
    }
    json_t *json = parsed(&event); /* too long a line is asserted not to be */
    assert_int_equal(json_string_length(json_object_get(json, "payload")), RUSM_EVENT_PAYLOAD_MAX);
    json_decref(json);
}

struct line_note {
    char text[RUSM_EVENT_LINE_MAX];
    enum rusm_log_level level;
};

static void note_line(void *arg, enum rusm_log_level level, const char *text) {
    struct line_note *note = arg;
    note->level = level;
    (void)snprintf(note->text, sizeof note->text, "%s", text);
}

static void a_callback_gets_lines(void **state) {
    (void)state;
    static struct line_note note;
    struct rusm_config config;
    rusm_config_init(&config);
    config.log = note_line;
    config.log_arg = &note;
    config.log_format = RUSM_LOG_JSON;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, end_with_error, NULL, NULL);
    finish_runtime(rt);
    assert_int_equal(note.level, RUSM_LOG_ERROR);
    json_t *json = json_loads(note.text, 0, NULL);
    assert_non_null(json);
    assert_string_equal(text_of(json, "event"), "crash");
    json_decref(json);
}

static void without_one_they_go_to_standard_error(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    rusm_runtime *rt = start_configured(NULL);
    rusm_pid pid = spawn_fiber(rt, end_with_error, NULL, NULL);
    finish_runtime(rt);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(ends[1]);
    char got[1024] = "";
    ssize_t len = read(ends[0], got, sizeof got - 1);
    close(ends[0]);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "rusm: error: process %llu crashed: error; entry ",
                   (unsigned long long)pid.v);
    assert_true(len > 0 && got[len - 1] == '\n');
    assert_memory_equal(got, expected, strlen(expected));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_report_tells_who_and_why),
        cmocka_unit_test(a_limit_warns_and_unfetched_messages_show),
        cmocka_unit_test(who_ends_of_a_link_has_not_crashed),
        cmocka_unit_test(levels_hold_back_what_is_above_them),
        cmocka_unit_test(what_is_too_much_is_counted),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(json_has_what_the_event_has),
        cmocka_unit_test(every_kind_has_a_line_of_both_formats),
        cmocka_unit_test(any_bytes_make_a_line),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(a_callback_gets_lines),
        cmocka_unit_test(without_one_they_go_to_standard_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
