/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/assert.h"
#include "wasm/capability_internal.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIST(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

static const char *const nothing[1];
static const struct rusm_list empty = {nothing, 0};

static void must_define(struct capabilities *registry, const char *name,
                        const struct rusm_capability *spec) {
    struct rusm_errinfo info = {""};
    enum rusm_err err = capabilities_define(registry, name, spec, &info);
    assert_string_equal(info.text, "");
    assert_int_equal(err, RUSM_OK);
}

static struct capability *must_get(struct capabilities *registry, const char *name) {
    struct capability *capability = NULL;
    assert_int_equal(capabilities_get(registry, name, &capability, NULL), RUSM_OK);
    return capability;
}

/* The capability that `spec` resolves to. */
static struct capability *only(const struct rusm_capability *spec) {
    struct capabilities *registry = capabilities_create();
    must_define(registry, "only", spec);
    struct capability *capability = must_get(registry, "only");
    capabilities_destroy(registry);
    return capability;
}

static void must_refuse(const char *name, const struct rusm_capability *spec, enum rusm_err err,
                        const char *text) {
    struct capabilities *registry = capabilities_create();
    struct rusm_errinfo info = {""};
    assert_int_equal(capabilities_define(registry, name, spec, &info), err);
    assert_string_equal(info.text, text);
    capabilities_destroy(registry);
}

static void profiles_grant_what_they_say(void **state) {
    (void)state;
    struct capabilities *registry = capabilities_create();
    static const struct {
        const char *name;
        enum rusm_permission network, rest;
        uint64_t memory_mib;
    } profiles[] = {
        {"sandboxed", RUSM_DENY, RUSM_DENY, 64},
        {"network-client", RUSM_ALLOW, RUSM_DENY, 64},
        {"trusted", RUSM_ALLOW, RUSM_ALLOW, 1024},
    };
    for (size_t i = 0; i < 3; i++) {
        struct capability *capability = must_get(registry, profiles[i].name);
        const struct rusm_capability *grant = &capability->grant;
        assert_string_equal(capability->name, profiles[i].name);
        assert_int_equal(grant->network, profiles[i].network);
        assert_int_equal(grant->spawn, profiles[i].rest);
        assert_int_equal(grant->process_control, profiles[i].rest);
        assert_int_equal(grant->stdio, profiles[i].rest);
        assert_int_equal(grant->storage, profiles[i].rest);
        assert_true(grant->memory_bytes_max == profiles[i].memory_mib << 20);
        assert_true(grant->cpu_ms_max == RUSM_UNLIMITED);
        assert_true(grant->mailbox_len_max == RUSM_UNLIMITED);
        assert_true(grant->streams_max == RUSM_UNLIMITED);
        assert_true(grant->processes_max == RUSM_UNLIMITED);
        assert_int_equal(grant->env_count + grant->preopen_count + grant->bridges.count, 0);
        assert_true(capability_allows_name(capability, "any"));
        assert_false(capability_allows_bridge(capability, "any"));
        assert_int_equal(capability_allows_bucket(capability, "any"),
                         profiles[i].rest == RUSM_ALLOW);
        capability_release(capability);
    }
    capabilities_destroy(registry);
}

static void an_heir_overrides_and_lists_are_replaced(void **state) {
    (void)state;
    struct capabilities *registry = capabilities_create();
    /* The heir is defined before its parent. */
    const struct rusm_capability heir = {
        .inherits = "parent",
        .spawn = RUSM_DENY,
        .cpu_ms_max = 50,
        .bridges = LIST("acme:billing"),
        .allow_names = empty,
    };
    const struct rusm_capability parent = {
        .inherits = "trusted",
        .streams_max = 8,
        .env = (const struct rusm_env[]){{"A", "1"}, {"B", ""}},
        .env_count = 2,
        .bridges = LIST("acme:mail", "acme:sms"),
        .allow_names = LIST("shop-*"),
    };
    must_define(registry, "heir", &heir);
    must_define(registry, "parent", &parent);
    struct capability *capability = must_get(registry, "heir");
    capabilities_destroy(registry);
    assert_int_equal(capability->grant.network, RUSM_ALLOW);
    assert_int_equal(capability->grant.spawn, RUSM_DENY);
    assert_int_equal(capability->grant.cpu_ms_max, 50);
    assert_int_equal(capability->grant.streams_max, 8);
    assert_int_equal(capability->grant.memory_bytes_max, 1 << 30);
    assert_int_equal(capability->grant.env_count, 2);
    assert_string_equal(capability->grant.env[1].name, "B");
    assert_true(capability_allows_bridge(capability, "acme:billing"));
    assert_false(capability_allows_bridge(capability, "acme:mail"));
    assert_false(capability_allows_bridge(capability, "acme:bill"));
    assert_false(capability_allows_name(capability, "shop-1"));
    capability_release(capability);
}

static void names_match_exactly_or_by_their_beginning(void **state) {
    (void)state;
    const struct rusm_capability spec = {
        .storage = RUSM_ALLOW,
        .allow_names = LIST("one", "shop-*"),
        .storage_buckets = LIST("carts"),
    };
    struct capability *capability = only(&spec);
    assert_true(capability_allows_name(capability, "one"));
    assert_false(capability_allows_name(capability, "on"));
    assert_false(capability_allows_name(capability, "ones"));
    assert_true(capability_allows_name(capability, "shop-"));
    assert_true(capability_allows_name(capability, "shop-7"));
    assert_false(capability_allows_name(capability, "shop"));
    assert_false(capability_allows_name(capability, ""));
    assert_true(capability_allows_bucket(capability, "carts"));
    assert_false(capability_allows_bucket(capability, "users"));
    capability_release(capability);
    const struct rusm_capability every = {.allow_names = LIST("*"), .storage_buckets = LIST("*")};
    capability = only(&every);
    assert_true(capability_allows_name(capability, "anything"));
    /* Without the permission the list grants nothing. */
    assert_false(capability_allows_bucket(capability, "anything"));
    capability_release(capability);
}

static void grant_of_wasi_has_what_was_granted(void **state) {
    (void)state;
    const struct rusm_capability spec = {
        .inherits = "network-client",
        .stdio = RUSM_ALLOW,
        .env = (const struct rusm_env[]){{"HOME", "/data"}, {"TZ", "UTC"}},
        .env_count = 2,
        .preopens = (const struct rusm_preopen[]){{"/srv/a", "/data", true}, {"b", "/b", false}},
        .preopen_count = 2,
        .network_hosts = LIST("10.0.0.1:443", "[::1]:*"),
    };
    struct capability *capability = only(&spec);
    struct rwt_grant_config config = {.arg_count = 7};
    capability_grant_config(capability, &config);
    assert_true(config.stdio);
    assert_true(config.network);
    assert_int_equal(config.network_host_count, 2);
    assert_string_equal(config.network_hosts[1], "[::1]:*");
    assert_int_equal(config.env_count, 2);
    assert_string_equal(config.env[0], "HOME");
    assert_string_equal(config.env[1], "/data");
    assert_string_equal(config.env[3], "UTC");
    assert_int_equal(config.preopen_count, 2);
    assert_string_equal(config.preopens[0].host, "/srv/a");
    assert_string_equal(config.preopens[0].guest, "/data");
    assert_true(config.preopens[0].read_only);
    assert_false(config.preopens[1].read_only);
    assert_int_equal(config.arg_count, 7);
    capability_release(capability);
}

static void no_host_is_no_network_and_a_star_is_every_host(void **state) {
    (void)state;
    struct rwt_grant_config config = {0};
    const struct rusm_capability none = {.network = RUSM_ALLOW, .network_hosts = empty};
    struct capability *capability = only(&none);
    capability_grant_config(capability, &config);
    assert_false(config.network);
    capability_release(capability);
    const struct rusm_capability all = {.network = RUSM_ALLOW,
                                        .network_hosts = LIST("1.2.3.4:5", "*")};
    capability = only(&all);
    capability_grant_config(capability, &config);
    assert_true(config.network);
    assert_int_equal(config.network_host_count, 0);
    capability_release(capability);
    const struct rusm_capability denied = {.network_hosts = LIST("1.2.3.4:5")};
    capability = only(&denied);
    capability_grant_config(capability, &config);
    assert_false(config.network);
    capability_release(capability);
}

static void what_is_ill_formed_is_refused_by_name(void **state) {
    (void)state;
    const struct {
        struct rusm_capability spec;
        const char *text;
    } cases[] = {
        {{.inherits = ""}, "capability \"c\": a value of inherits is empty: \"\""},
        {{.spawn = (enum rusm_permission)3}, "capability \"c\": allow-spawn is no permission"},
        {{.memory_bytes_max = 65535},
         "capability \"c\": a memory of 65535 bytes is less than one page"},
        {{.cpu_ms_max = 1001},
         "capability \"c\": max-cpu-ms is 1001, but a second has 1000 milliseconds"},
        {{.env = (const struct rusm_env[]){{"A=B", ""}}, .env_count = 1},
         "capability \"c\": a value of env has an equals sign in its name: \"A=B\""},
        {{.env = (const struct rusm_env[]){{"A", ""}, {"A", ""}}, .env_count = 2},
         "capability \"c\": a value of env is there twice: \"A\""},
        {{.env = (const struct rusm_env[]){{"A", NULL}}, .env_count = 1},
         "capability \"c\": a value of env has no value: \"A\""},
        {{.env_count = 1}, "capability \"c\": env has a count and no entries"},
        {{.preopens = (const struct rusm_preopen[]){{"", "/", false}}, .preopen_count = 1},
         "capability \"c\": a value of preopen host is empty: \"\""},
        {{.preopens = (const struct rusm_preopen[]){{"/a", "/", false}, {"/b", "/", true}},
          .preopen_count = 2},
         "capability \"c\": a value of preopen guest is there twice: \"/\""},
        {{.bridges = LIST("a\nb")},
         "capability \"c\": a value of bridges has a control character in it: \"a\nb\""},
        {{.allow_names = LIST("a", "b*c")},
         "capability \"c\": a value of allow-names has a star that is not its last character: "
         "\"b*c\""},
        {{.storage_buckets = LIST(NULL)},
         "capability \"c\": a value of storage-buckets is empty: \"\""},
        {{.bridges = {nothing, 257}}, "capability \"c\": bridges has 257 entries, 256 are allowed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must_refuse("c", &cases[i].spec, RUSM_ERR_INVALID, cases[i].text);
    }
    const struct rusm_capability fine = {0};
    must_refuse("", &fine, RUSM_ERR_INVALID, "the name of a capability is empty: \"\"");
    must_refuse("sandboxed", &fine, RUSM_ERR_NAME_TAKEN,
                "capability \"sandboxed\" is a profile that is built in");
    char name[RUSM_CAPABILITY_NAME_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    struct rusm_errinfo info;
    struct capabilities *registry = capabilities_create();
    assert_int_equal(capabilities_define(registry, name, &fine, &info), RUSM_ERR_INVALID);
    assert_non_null(strstr(info.text, "is too long"));
    name[RUSM_CAPABILITY_NAME_MAX] = 0;
    must_define(registry, name, &fine);
    assert_int_equal(capabilities_define(registry, name, &fine, &info), RUSM_ERR_NAME_TAKEN);
    assert_non_null(strstr(info.text, "is defined twice"));
    capabilities_destroy(registry);
}

static void hosts_have_a_port(void **state) {
    (void)state;
    static const char *const good[] = {"a:1", "example.org:65535", "1.2.3.4:*", "[::1]:80", "*"};
    static const char *const bad[] = {
        "a",    ":80", "a:",     "a:0",         "a:65536", "a:8x", "::1:80",  "[]:80", "[::1]80",
        "*:80", "*:*", "a b:80", "http://a:80", "a:+1",    "a:-1", "[::1:80", "a]:80"};
    struct capabilities *registry = capabilities_create();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct rusm_capability spec = {.network_hosts = {&bad[i], 1}};
        struct rusm_errinfo info = {""};
        if (capabilities_define(registry, "bad", &spec, &info) != RUSM_ERR_INVALID) {
            fail_msg("\"%s\" is taken for a host", bad[i]);
        }
        assert_non_null(strstr(info.text, "HOST:PORT"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct rusm_capability spec = {.network_hosts = {&good[i], 1}};
        char name[8];
        (void)snprintf(name, sizeof name, "c%zu", i);
        must_define(registry, name, &spec);
    }
    capabilities_destroy(registry);
}

static void no_more_are_defined_than_the_bound_allows(void **state) {
    (void)state;
    struct capabilities *registry = capabilities_create();
    const struct rusm_capability spec = {0};
    for (unsigned i = 0; i < RUSM_CAPABILITIES_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%u", i);
        must_define(registry, name, &spec);
    }
    struct rusm_errinfo info;
    assert_int_equal(capabilities_define(registry, "more", &spec, &info), RUSM_ERR_INVALID);
    assert_string_equal(info.text, "capability \"more\" is one more than the 64 there may be");
    capability_release(must_get(registry, "c63"));
    capabilities_destroy(registry);
}

static void strings_may_be_as_long_as_the_bound(void **state) {
    (void)state;
    static char text[RUSM_CAPABILITY_STRING_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    const char *item = text;
    const struct rusm_capability spec = {.bridges = {&item, 1}};
    struct capabilities *registry = capabilities_create();
    assert_int_equal(capabilities_define(registry, "c", &spec, NULL), RUSM_ERR_INVALID);
    text[RUSM_CAPABILITY_STRING_MAX] = 0;
    must_define(registry, "c", &spec);
    const char *items[RUSM_CAPABILITY_ITEMS_MAX];
    for (size_t i = 0; i < RUSM_CAPABILITY_ITEMS_MAX; i++) {
        items[i] = text;
    }
    const struct rusm_capability full = {.bridges = {items, RUSM_CAPABILITY_ITEMS_MAX}};
    must_define(registry, "full", &full);
    capabilities_destroy(registry);
}

static void unknown_parents_are_named(void **state) {
    (void)state;
    struct rusm_errinfo info;
    struct capability *capability;
    struct capabilities *registry = capabilities_create();
    must_define(registry, "orphan", &(struct rusm_capability){.inherits = "nobody"});
    assert_int_equal(capabilities_get(registry, "orphan", &capability, &info), RUSM_ERR_INVALID);
    assert_string_equal(info.text,
                        "capability \"orphan\" inherits \"nobody\", which is not defined");
    assert_int_equal(capabilities_check(registry, NULL), RUSM_ERR_INVALID);
    /* Others are none the worse, and it may be defined after all. */
    capability_release(must_get(registry, "trusted"));
    must_define(registry, "nobody", &(struct rusm_capability){.inherits = "trusted"});
    assert_int_equal(capabilities_check(registry, &info), RUSM_OK);
    capability = must_get(registry, "orphan");
    assert_int_equal(capability->grant.spawn, RUSM_ALLOW);
    capability_release(capability);
    capabilities_destroy(registry);
}

static void circles_are_named(void **state) {
    (void)state;
    struct rusm_errinfo info;
    struct capability *capability;
    struct capabilities *registry = capabilities_create();
    must_define(registry, "self", &(struct rusm_capability){.inherits = "self"});
    assert_int_equal(capabilities_check(registry, &info), RUSM_ERR_INVALID);
    assert_string_equal(info.text, "capability \"self\" inherits \"self\": a circle");
    must_define(registry, "tail", &(struct rusm_capability){.inherits = "a"});
    must_define(registry, "a", &(struct rusm_capability){.inherits = "b"});
    must_define(registry, "b", &(struct rusm_capability){.inherits = "a"});
    assert_int_equal(capabilities_get(registry, "tail", &capability, &info), RUSM_ERR_INVALID);
    assert_string_equal(info.text, "capability \"a\" inherits \"b\" inherits \"a\": a circle");
    capabilities_destroy(registry);
}

static void an_unknown_name_is_an_error_that_says_what_there_is(void **state) {
    (void)state;
    struct capabilities *registry = capabilities_create();
    struct rusm_errinfo info;
    struct capability *capability;
    assert_int_equal(capabilities_get(registry, "trustd", &capability, &info),
                     RUSM_ERR_NAME_UNKNOWN);
    assert_string_equal(info.text, "no capability is called \"trustd\"; there are sandboxed, "
                                   "network-client, trusted");
    capabilities_destroy(registry);
}

struct user {
    struct capabilities *registry;
    const char *own; /* defined by this thread */
};

static void *defines_and_looks_up(void *arg) {
    struct user *user = arg;
    const struct rusm_capability spec = {.inherits = "common"};
    RUSM_ASSERT(capabilities_define(user->registry, user->own, &spec, NULL) == RUSM_OK);
    for (int i = 0; i < 2000; i++) {
        struct capability *capability;
        enum rusm_err err =
            capabilities_get(user->registry, i % 2 ? user->own : "common", &capability, NULL);
        RUSM_ASSERT(err == RUSM_OK && capability->grant.spawn == RUSM_ALLOW);
        capability_hold(capability);
        capability_release(capability);
        capability_release(capability);
    }
    return NULL;
}

static void any_thread_may_define_and_look_up(void **state) {
    (void)state;
    struct capabilities *registry = capabilities_create();
    must_define(registry, "common", &(struct rusm_capability){.spawn = RUSM_ALLOW});
    struct user users[3] = {{registry, "a"}, {registry, "b"}, {registry, "c"}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, defines_and_looks_up, &users[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    struct capability *capability = must_get(registry, "common");
    assert_int_equal(capability->refs, 2);
    capability_release(capability);
    capabilities_destroy(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_grant_what_they_say),
        cmocka_unit_test(an_heir_overrides_and_lists_are_replaced),
        cmocka_unit_test(names_match_exactly_or_by_their_beginning),
        cmocka_unit_test(grant_of_wasi_has_what_was_granted),
        cmocka_unit_test(no_host_is_no_network_and_a_star_is_every_host),
        cmocka_unit_test(what_is_ill_formed_is_refused_by_name),
        cmocka_unit_test(hosts_have_a_port),
        cmocka_unit_test(no_more_are_defined_than_the_bound_allows),
        cmocka_unit_test(strings_may_be_as_long_as_the_bound),
        cmocka_unit_test(unknown_parents_are_named),
        cmocka_unit_test(circles_are_named),
        cmocka_unit_test(an_unknown_name_is_an_error_that_says_what_there_is),
        cmocka_unit_test(any_thread_may_define_and_look_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
