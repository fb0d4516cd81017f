/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The endpoint over real loopback sockets, with a driver that runs nothing. */
#include "node/endpoint_internal.h"
#include "node/test_client_internal.h"

#include <errno.h>
#include <jansson.h>
#include <rusm/rusm.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT         0x81u
#define BINARY       0x82u
#define OPCODE_TEXT  0x1u
#define OPCODE_CLOSE 0x8u
#define OPCODE_PONG  0xau
#define MANY_CLIENTS 200u

/* --- the driver --- */

struct fake {
    atomic_bool running;
    atomic_int profile;
    rusm_runtime *runtime;
    struct node_endpoint *endpoint;
    uint16_t port;
};

static const struct node_scenario scenarios[] = {
    {.id = "fake",
     .label = "Fake",
     .description = "Runs nothing.",
     .real_after_phase = 1,
     .real = true,
     .ops_label = "ops",
     .source = "",
     .source_file = "fake.c"},
};

static const char *fake_run(void *arg, const char *scenario) {
    struct fake *fake = arg;
    if (strcmp(scenario, "fake") != 0) {
        return "no such scenario";
    }
    atomic_store_explicit(&fake->running, true, memory_order_relaxed);
    return NULL;
}

static void fake_stop(void *arg) {
    struct fake *fake = arg;
    atomic_store_explicit(&fake->running, false, memory_order_relaxed);
}

static void fake_set_profile(void *arg, enum node_profile profile) {
    struct fake *fake = arg;
    atomic_store_explicit(&fake->profile, (int)profile, memory_order_relaxed);
}

static bool fake_active(void *arg) {
    struct fake *fake = arg;
    return atomic_load_explicit(&fake->running, memory_order_relaxed);
}

static void fake_tick(void *arg, struct node_run *out) {
    struct fake *fake = arg;
    out->running = fake_active(arg);
    out->scenario = out->running ? "fake" : NULL;
    out->profile = (enum node_profile)atomic_load_explicit(&fake->profile, memory_order_relaxed);
    out->point_count = NODE_POINTS_MAX;
    for (uint32_t i = 0; i < NODE_POINTS_MAX; i++) {
        out->points[i] = 123456789.5;
    }
}

/* --- fixture --- */

static struct node_endpoint_config config_of(struct fake *fake) {
    struct node_endpoint_config config;
    node_endpoint_config_init(&config);
    config.port = 0;
    config.ticks_per_second = NODE_TICKS_MAX;
    config.runtime = fake->runtime;
    config.driver = (struct node_driver){
        .arg = fake,
        .scenarios = scenarios,
        .scenario_count = 1,
        .profile = NODE_PROFILE_BALANCED,
        .run = fake_run,
        .stop = fake_stop,
        .set_profile = fake_set_profile,
        .active = fake_active,
        .tick = fake_tick,
    };
    return config;
}

static struct fake *fake_make(void) {
    struct fake *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    atomic_store_explicit(&fake->profile, NODE_PROFILE_BALANCED, memory_order_relaxed);
    assert_int_equal(rusm_runtime_create(NULL, &fake->runtime), RUSM_OK);
    return fake;
}

static void fake_start(struct fake *fake, const struct node_endpoint_config *config) {
    assert_int_equal(node_endpoint_start(config, &fake->endpoint), RUSM_OK);
    fake->port = node_endpoint_port(fake->endpoint);
}

static int setup(void **state) {
    struct fake *fake = fake_make();
    struct node_endpoint_config config = config_of(fake);
    fake_start(fake, &config);
    *state = fake;
    return 0;
}

static int teardown(void **state) {
    struct fake *fake = *state;
    node_endpoint_stop(fake->endpoint);
    rusm_runtime_destroy(fake->runtime);
    free(fake);
    return 0;
}

/* The next text message, decoded; fails the test if the connection ends or closes instead. */
static json_t *receive_json(struct test_client *client) {
    struct test_frame frame = test_client_receive(client);
    assert_false(frame.ended);
    assert_int_equal(frame.opcode, OPCODE_TEXT);
    json_t *root = json_loadb(frame.payload, frame.len, 0, NULL);
    assert_non_null(root);
    return root;
}

static bool has_type(const json_t *root, const char *type) {
    return strcmp(json_string_value(json_object_get(root, "type")), type) == 0;
}

/* The next message of that type; others are skipped. */
static json_t *receive_type(struct test_client *client, const char *type) {
    for (;;) {
        json_t *root = receive_json(client);
        if (has_type(root, type)) {
            return root;
        }
        json_decref(root);
    }
}

static void assert_error(struct test_client *client, const char *part) {
    json_t *root = receive_type(client, "error");
    const char *message = json_string_value(json_object_get(root, "message"));
    assert_non_null(strstr(message, part));
    json_decref(root);
}

static void assert_close_code(struct test_client *client, unsigned code) {
    for (;;) {
        struct test_frame frame = test_client_receive(client);
        assert_false(frame.ended);
        if (frame.opcode == OPCODE_CLOSE) {
            assert_true(frame.len >= 2);
            const unsigned char *at = (const unsigned char *)frame.payload;
            assert_int_equal((unsigned)at[0] << 8 | at[1], code);
            return;
        }
    }
}

static void assert_ended(struct test_client *client) {
    while (!test_client_receive(client).ended) {
    }
}

static void assert_healthy(const struct fake *fake) {
    char *response = test_client_get(fake->port, "/health");
    assert_memory_equal(response, "HTTP/1.1 200", 12);
    assert_non_null(strstr(response, "\"status\":\"ok\""));
    free(response);
}

/* --- HTTP --- */

static void write_file(const char *dir, const char *name, const char *text) {
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_response(uint16_t port, const char *path, const char *status, const char *part) {
    char *response = test_client_get(port, path);
    assert_memory_equal(response, status, strlen(status));
    assert_non_null(strstr(response, part));
    free(response);
}

static void files_of_the_page_are_served(void **state) {
    (void)state;
    struct fake *fake = fake_make();
    struct node_endpoint_config config = config_of(fake);
    char dir[] = "/tmp/rusm-endpoint-test-XXXXXX";
    char inner[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(inner, sizeof(inner), "%s/www", dir);
    assert_int_equal(mkdir(inner, 0700), 0);
    write_file(dir, "secret.txt", "secret");
    write_file(inner, "index.html", "the index");
    write_file(inner, "app-4f3a2b1c.js", "the script");
    write_file(inner, "plain.css", "the style");
    config.dashboard_dir = inner;
    fake_start(fake, &config);
    assert_response(fake->port, "/", "HTTP/1.1 200", "the index");
    assert_response(fake->port, "/", "HTTP/1.1 200", "text/html; charset=utf-8");
    assert_response(fake->port, "/", "HTTP/1.1 200", "Cache-Control: no-cache");
    assert_response(fake->port, "/app-4f3a2b1c.js", "HTTP/1.1 200", "immutable");
    assert_response(fake->port, "/app-4f3a2b1c.js", "HTTP/1.1 200", "text/javascript");
    assert_response(fake->port, "/plain.css?v=1", "HTTP/1.1 200", "Cache-Control: no-cache");
    const char *const wrong[] = {
        "/secret.txt",  "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/./index.html",
        "//index.html", "/www",           "/index.html/",       "/absent.js",       "/a%00b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_response(fake->port, wrong[i], "HTTP/1.1 404", "no such page");
    }
    void *as_state = fake;
    teardown(&as_state);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void without_files_a_page_tells_how_to_build_them(void **state) {
    const struct fake *fake = *state;
    assert_response(fake->port, "/", "HTTP/1.1 200", "has not been built");
    assert_response(fake->port, "/app.js", "HTTP/1.1 404", "no such page");
    assert_healthy(fake);
}

static void other_methods_are_refused(void **state) {
    const struct fake *fake = *state;
    struct test_client *client = test_client_connect(fake->port, 0);
    const char *request = "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    assert_true(test_client_write(client, request, strlen(request)));
    const char *head = test_client_read_head(client);
    assert_memory_equal(head, "HTTP/1.1 405", 12);
    assert_non_null(strstr(head, "Allow: GET, HEAD"));
    test_client_free(client);
}

static void paths_and_names_of_files(void **state) {
    (void)state;
    assert_true(static_path_allowed("/a"));
    assert_true(static_path_allowed("/assets/a-b_c.d.js"));
    const char *const wrong[] = {"",      "/",    "a",     "/.",   "/..",    "/.git",
                                 "/a/.b", "//a",  "/a//b", "/a/",  "/a b",   "/a\\",
                                 "/a%",   "/a\n", "/\xc3", "/a:b", "/a/../b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(static_path_allowed(wrong[i]));
    }
    assert_true(static_is_hashed("/index-8f3k2a9d.js"));
    assert_true(static_is_hashed("/assets/a.b.8F3K2A9Dxx.css"));
    assert_false(static_is_hashed("/index.js"));
    assert_false(static_is_hashed("/a-benchmark.js"));
    assert_false(static_is_hashed("/a-20260101.js"));
    assert_false(static_is_hashed("/8f3k2a9d.js"));
    assert_false(static_is_hashed("/8f3k2a9d/x.js"));
    assert_string_equal(static_content_type("/x.JS"), "text/javascript; charset=utf-8");
    assert_string_equal(static_content_type("/x"), "application/octet-stream");
}

static void garbage_and_half_requests_do_no_harm(void **state) {
    (void)state;
    struct fake *fake = fake_make();
    struct node_endpoint_config config = config_of(fake);
    config.handshake_timeout_ms = 100;
    fake_start(fake, &config);

    struct test_client *garbage = test_client_connect(fake->port, 0);
    char bytes[4096];
    memset(bytes, 0xfe, sizeof(bytes));
    (void)test_client_write(garbage, bytes, sizeof(bytes));
    (void)test_client_read_all(garbage);
    test_client_free(garbage);

    /* Half a request is cut off at its time; so is a connection that says nothing. */
    struct test_client *half = test_client_connect(fake->port, 0);
    struct test_client *silent = test_client_connect(fake->port, 0);
    const char *start = "GET /ws HTTP/1.1\r\nUpgrade: webso";
    assert_true(test_client_write(half, start, strlen(start)));
    assert_string_equal(test_client_read_all(silent), "");
    (void)test_client_read_all(half);
    test_client_free(half);
    test_client_free(silent);

    struct test_client *endless = test_client_connect(fake->port, 0);
    memset(bytes, 'x', sizeof(bytes));
    assert_true(test_client_write(endless, "GET / HTTP/1.1\r\nX: ", 19));
    for (int i = 0; i < 64 && test_client_write(endless, bytes, sizeof(bytes)); i++) {
    }
    (void)test_client_read_all(endless);
    test_client_free(endless);
    assert_healthy(fake);
    void *as_state = fake;
    teardown(&as_state);
}

/* --- handshake --- */

static void assert_upgrade(const struct fake *fake, const char *headers, const char *status) {
    struct test_client *client = test_client_connect(fake->port, 0);
    const char *head = test_client_upgrade(client, "/ws", headers);
    assert_memory_equal(head, status, strlen(status));
    test_client_free(client);
}

#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define HOST    "Host: 127.0.0.1:4000\r\n"

static void handshakes_are_checked(void **state) {
    const struct fake *fake = *state;
    assert_upgrade(fake, HOST KEY VERSION, "HTTP/1.1 101");
    assert_upgrade(fake, HOST KEY, "HTTP/1.1 426");
    assert_upgrade(fake, HOST KEY "Sec-WebSocket-Version: 8\r\n", "HTTP/1.1 426");
    assert_upgrade(fake, HOST VERSION, "HTTP/1.1 400");
    assert_upgrade(fake, HOST VERSION "Sec-WebSocket-Key: short\r\n", "HTTP/1.1 400");
    assert_response(fake->port, "/ws", "HTTP/1.1 400", "this is a WebSocket");
}

static void origins_are_checked(void **state) {
    const struct fake *fake = *state;
    assert_upgrade(fake, HOST KEY VERSION "Origin: http://127.0.0.1:4000\r\n", "HTTP/1.1 101");
    assert_upgrade(fake, HOST KEY VERSION "Origin: http://localhost:5173\r\n", "HTTP/1.1 101");
    assert_upgrade(fake, HOST KEY VERSION "Origin: http://example.com\r\n", "HTTP/1.1 403");
    assert_upgrade(fake, HOST KEY VERSION "Origin: null\r\n", "HTTP/1.1 403");
    const char *const none[] = {NULL};
    const char *const listed[] = {"https://a.example", NULL};
    assert_true(http_origin_allowed(NULL, "x", none));
    assert_true(http_origin_allowed("http://localhost:1", "LOCALHOST:1", none));
    assert_true(http_origin_allowed("http://[::1]:1", "[::1]:1", none));
    assert_true(http_origin_allowed("https://a.example", "b", listed));
    assert_false(http_origin_allowed("https://a.example.org", "b", listed));
    assert_false(http_origin_allowed("http://127.0.0.1:1", "127.0.0.1:2", none));
    assert_false(http_origin_allowed("https://127.0.0.1:1", "127.0.0.1:1", none));
    /* A name may be made to resolve to this machine by anybody. */
    assert_false(http_origin_allowed("http://evil.example:1", "evil.example:1", none));
    assert_false(http_origin_allowed("http://127.0.0.1.evil:1", "127.0.0.1.evil:1", none));
    assert_false(http_origin_allowed("http://", "", none));
    assert_false(http_origin_allowed("http://[::1", "[::1", none));
    assert_false(http_origin_allowed("http://x", NULL, none));
}

/* --- the stream --- */

static void hello_comes_first_then_frames(void **state) {
    const struct fake *fake = *state;
    struct test_client *client = test_client_websocket(fake->port, 0);
    json_t *hello = receive_json(client);
    assert_true(has_type(hello, "hello"));
    const json_t *list = json_object_get(hello, "scenarios");
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_array_size(json_object_get(hello, "profiles")), 3);
    json_decref(hello);
    json_t *tick = receive_json(client);
    assert_true(has_type(tick, "tick"));
    const json_t *frame = json_object_get(tick, "frame");
    assert_true(json_is_null(json_object_get(frame, "scenario")));
    assert_string_equal(json_string_value(json_object_get(frame, "profile")), "balanced");
    const json_t *observer = json_object_get(frame, "observer");
    assert_true(json_is_false(json_object_get(observer, "detail")));
    assert_int_equal(json_array_size(json_object_get(observer, "processes")), 0);
    json_decref(tick);
    test_client_free(client);
}

static void wait_for_running(struct test_client *client, bool running) {
    for (;;) {
        json_t *tick = receive_type(client, "tick");
        bool is = json_is_true(json_object_get(json_object_get(tick, "frame"), "running"));
        json_decref(tick);
        if (is == running) {
            return;
        }
    }
}

static void commands_are_carried_out(void **state) {
    struct fake *fake = *state;
    struct test_client *client = test_client_websocket(fake->port, 0);
    assert_true(test_client_send_text(client, "{\"type\":\"run\",\"scenario\":\"fake\"}"));
    wait_for_running(client, true);
    assert_true(test_client_send_text(client, "{\"type\":\"stop\"}"));
    wait_for_running(client, false);
    assert_true(
        test_client_send_text(client, "{\"type\":\"set_resource_profile\",\"profile\":\"max\"}"));
    for (const char *profile = ""; strcmp(profile, "max") != 0;) {
        json_t *tick = receive_type(client, "tick");
        profile = json_string_value(json_object_get(json_object_get(tick, "frame"), "profile"));
        profile = strcmp(profile, "max") == 0 ? "max" : "";
        json_decref(tick);
    }
    /* In fragments, with a ping between them. */
    assert_true(test_client_send(client, 0x01, "{\"type\":\"run\",", 14));
    assert_true(test_client_send(client, 0x89, "ping", 4));
    assert_true(test_client_send(client, 0x80, "\"scenario\":\"fake\"}", 18));
    struct test_frame frame;
    do {
        frame = test_client_receive(client);
        assert_false(frame.ended);
    } while (frame.opcode != OPCODE_PONG);
    assert_string_equal(frame.payload, "ping");
    wait_for_running(client, true);
    test_client_free(client);
}

static void what_is_not_understood_is_answered_and_the_connection_stays(void **state) {
    const struct fake *fake = *state;
    struct test_client *client = test_client_websocket(fake->port, 0);
    const struct {
        const char *text;
        const char *answer;
    } table[] = {
        {"", "not JSON"},
        {"{", "not JSON"},
        {"[]", "must be a JSON object"},
        {"{}", "type is missing"},
        {"{\"type\":\"fly\"}", "unknown message type"},
        {"{\"type\":\"run\"}", "scenario is missing"},
        {"{\"type\":\"run\",\"scenario\":\"none\"}", "no such scenario"},
        {"{\"type\":\"set_resource_profile\",\"profile\":\"turbo\"}", "no profile"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_true(test_client_send_text(client, table[i].text));
        assert_error(client, table[i].answer);
    }
    json_decref(receive_type(client, "tick"));
    test_client_free(client);
}

static void each_client_has_its_own_detail(void **state) {
    const struct fake *fake = *state;
    struct test_client *plain = test_client_websocket(fake->port, 0);
    struct test_client *curious = test_client_websocket(fake->port, 0);
    assert_true(test_client_send_text(
        curious, "{\"type\":\"set_observer_detail\",\"enabled\":true,\"sort\":\"id\"}"));
    for (bool detail = false; !detail;) {
        json_t *tick = receive_type(curious, "tick");
        detail = json_is_true(
            json_object_get(json_object_get(json_object_get(tick, "frame"), "observer"), "detail"));
        json_decref(tick);
    }
    for (int i = 0; i < 5; i++) {
        json_t *tick = receive_type(plain, "tick");
        assert_true(json_is_false(json_object_get(
            json_object_get(json_object_get(tick, "frame"), "observer"), "detail")));
        json_decref(tick);
    }
    test_client_free(plain);
    test_client_free(curious);
}

static void too_long_and_binary_messages_close(void **state) {
    const struct fake *fake = *state;
    enum { LONG = 10 * 1024 * 1024 };
    char *bytes = malloc(LONG);
    assert_non_null(bytes);
    memset(bytes, 'x', LONG);

    struct test_client *client = test_client_websocket(fake->port, 0);
    assert_true(test_client_send(client, TEXT, bytes, NODE_MESSAGE_BYTES_MAX));
    assert_error(client, "not JSON");
    (void)test_client_send(client, TEXT, bytes, NODE_MESSAGE_BYTES_MAX + 1);
    assert_close_code(client, WEBSOCKET_CLOSE_TOO_BIG);
    assert_ended(client);
    test_client_free(client);

    client = test_client_websocket(fake->port, 0);
    (void)test_client_send(client, TEXT, bytes, LONG);
    assert_close_code(client, WEBSOCKET_CLOSE_TOO_BIG);
    test_client_free(client);

    client = test_client_websocket(fake->port, 0);
    (void)test_client_send(client, BINARY, "bytes", 5);
    assert_close_code(client, WEBSOCKET_CLOSE_UNSUPPORTED);
    test_client_free(client);
    free(bytes);
    assert_healthy(fake);
}

static void many_clients_at_once(void **state) {
    const struct fake *fake = *state;
    struct test_client **clients = calloc(MANY_CLIENTS, sizeof(*clients));
    assert_non_null(clients);
    for (unsigned i = 0; i < MANY_CLIENTS; i++) {
        clients[i] = test_client_websocket(fake->port, 0);
    }
    for (unsigned i = 0; i < MANY_CLIENTS; i++) {
        json_decref(receive_type(clients[i], "hello"));
        json_decref(receive_type(clients[i], "tick"));
    }
    for (unsigned i = 0; i < MANY_CLIENTS; i++) {
        test_client_free(clients[i]);
    }
    free(clients);
    assert_healthy(fake);
}

static void over_the_limit_connections_are_refused(void **state) {
    struct fake *fake = *state;
    struct test_client **clients = calloc(NODE_CONNECTIONS_MAX, sizeof(*clients));
    assert_non_null(clients);
    for (unsigned i = 0; i < NODE_CONNECTIONS_MAX; i++) {
        clients[i] = test_client_websocket(fake->port, 0);
    }
    struct test_client *extra = test_client_connect(fake->port, 0);
    assert_non_null(strstr(test_client_read_all(extra), "503"));
    test_client_free(extra);
    for (unsigned i = 0; i < NODE_CONNECTIONS_MAX; i++) {
        test_client_free(clients[i]);
    }
    free(clients);
    /* Places become free as the node notices; until then the answer is still 503. */
    for (bool healthy = false; !healthy;) {
        char *response = test_client_get(fake->port, "/health");
        healthy = strncmp(response, "HTTP/1.1 200", 12) == 0;
        free(response);
    }
}

static void a_slow_client_gets_the_newest_frame_and_the_number_lost(void **state) {
    const struct fake *fake = *state;
    struct test_client *slow = test_client_websocket(fake->port, 4096);
    struct test_client *fast = test_client_websocket(fake->port, 0);
    /* The slow one reads nothing while enough frames pass to fill every buffer many times over. */
    uint64_t start = node_endpoint_ticks(fake->endpoint);
    while (node_endpoint_ticks(fake->endpoint) < start + 150) {
        json_t *tick = receive_type(fast, "tick");
        assert_int_equal(
            json_integer_value(json_object_get(json_object_get(tick, "frame"), "dropped_ticks")),
            0);
        json_decref(tick);
    }
    json_int_t dropped = 0;
    while (dropped == 0) {
        json_t *tick = receive_type(slow, "tick");
        dropped =
            json_integer_value(json_object_get(json_object_get(tick, "frame"), "dropped_ticks"));
        json_decref(tick);
    }
    assert_true(dropped > 1);
    test_client_free(slow);
    test_client_free(fast);
}

static void a_flood_of_questions_is_bounded(void **state) {
    const struct fake *fake = *state;
    struct test_client *flood = test_client_websocket(fake->port, 4096);
    char frame[64] = {(char)0x81, (char)(0x80 | 2), 0, 0, 0, 0, '{', '}'};
    /* Stops by itself: the node reads no more while its answers are not read. */
    for (int i = 0; i < 1000000; i++) {
        if (send(flood->fd, frame, 8, MSG_DONTWAIT | MSG_NOSIGNAL) != 8) {
            break;
        }
    }
    struct test_client *other = test_client_websocket(fake->port, 0);
    json_decref(receive_type(other, "tick"));
    test_client_free(other);
    test_client_free(flood);
    assert_healthy(fake);
}

/* --- life --- */

static void a_taken_port_is_an_error(void **state) {
    struct fake *fake = *state;
    struct node_endpoint_config config = config_of(fake);
    struct node_endpoint *second = NULL;
    config.port = fake->port;
    errno = 0;
    assert_int_equal(node_endpoint_start(&config, &second), RUSM_ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    config.host = "localhost";
    assert_int_equal(node_endpoint_start(&config, &second), RUSM_ERR_INVALID);
    config.host = "127.0.0.1";
    config.ticks_per_second = NODE_TICKS_MAX + 1;
    assert_int_equal(node_endpoint_start(&config, &second), RUSM_ERR_INVALID);
    assert_null(second);
}

static void nobody_there_means_no_timer(void **state) {
    struct fake *fake = *state;
    assert_int_equal(node_endpoint_ticks(fake->endpoint), 0);
    struct test_client *client = test_client_websocket(fake->port, 0);
    json_decref(receive_type(client, "tick"));
    while (node_endpoint_ticks(fake->endpoint) == 0) {
        sched_yield(); /* it is counted when the frame has been sent */
    }
    test_client_free(client);
    struct itimerspec tick;
    struct itimerspec care;
    do {
        sched_yield();
        assert_int_equal(timerfd_gettime(fake->endpoint->tick_timer.fd, &tick), 0);
        assert_int_equal(timerfd_gettime(fake->endpoint->care_timer.fd, &care), 0);
    } while (tick.it_value.tv_sec != 0 || tick.it_value.tv_nsec != 0 || care.it_value.tv_sec != 0 ||
             care.it_value.tv_nsec != 0);
}

static void clients_are_told_that_the_node_stops(void **state) {
    struct fake *fake = *state;
    struct test_client *client = test_client_websocket(fake->port, 0);
    struct test_client *idle = test_client_connect(fake->port, 0);
    json_decref(receive_type(client, "hello"));
    node_endpoint_stop(fake->endpoint);
    fake->endpoint = NULL;
    assert_close_code(client, WEBSOCKET_CLOSE_GOING_AWAY);
    assert_ended(client);
    assert_string_equal(test_client_read_all(idle), "");
    test_client_free(client);
    test_client_free(idle);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_page_are_served),
        cmocka_unit_test(paths_and_names_of_files),
        cmocka_unit_test(garbage_and_half_requests_do_no_harm),
        WITH_NODE(without_files_a_page_tells_how_to_build_them),
        WITH_NODE(other_methods_are_refused),
        WITH_NODE(handshakes_are_checked),
        WITH_NODE(origins_are_checked),
        WITH_NODE(hello_comes_first_then_frames),
        WITH_NODE(commands_are_carried_out),
        WITH_NODE(what_is_not_understood_is_answered_and_the_connection_stays),
        WITH_NODE(each_client_has_its_own_detail),
        WITH_NODE(too_long_and_binary_messages_close),
        WITH_NODE(many_clients_at_once),
        WITH_NODE(over_the_limit_connections_are_refused),
        WITH_NODE(a_slow_client_gets_the_newest_frame_and_the_number_lost),
        WITH_NODE(a_flood_of_questions_is_bounded),
        WITH_NODE(a_taken_port_is_an_error),
        WITH_NODE(nobody_there_means_no_timer),
        WITH_NODE(clients_are_told_that_the_node_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
