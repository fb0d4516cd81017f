/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Random inheritance against a model: the value of a key is the capability's own if it is set, else
 * that of its parent. The model asks key by key, upwards; the code merges downwards.
 */
#include "base/random.h"
#include "wasm/capability_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS    1500u
#define MOST      24u
#define ITEMS_MAX 4u

enum { NETWORK, SPAWN, PROCESS_CONTROL, STDIO, STORAGE, PERMISSIONS };
enum { MEMORY, CPU, MAILBOX, STREAMS, PROCESSES, NUMBERS };
enum { BRIDGES, NAMES, HOSTS, BUCKETS, LISTS };

/* Parents: another one by its number, or one of these. */
enum { PARENT_SANDBOXED = -1, PARENT_TRUSTED = -2, PARENT_UNSET = -3, PARENT_NOBODY = -4 };

struct model {
    int parent;
    int permissions[PERMISSIONS]; /* 0 = not set */
    uint64_t numbers[NUMBERS];    /* 0 = not set */
    int lists[LISTS];             /* -1 = not set, else how many */
    int env;
    int preopens;
};

struct family {
    struct model members[MOST];
    char names[MOST][16];
    uint32_t count;
};

static struct model draw(struct random *random, uint32_t count, bool sound, uint32_t self) {
    struct model model;
    uint32_t kind = random_below(random, 8);
    if (kind < 5 && (!sound || self > 0)) {
        model.parent = (int)random_below(random, sound ? self : count);
    } else {
        model.parent = kind == 5 ? PARENT_TRUSTED : kind == 6 ? PARENT_UNSET : PARENT_SANDBOXED;
        if (!sound && random_below(random, 16) == 0) {
            model.parent = PARENT_NOBODY;
        }
    }
    for (int i = 0; i < PERMISSIONS; i++) {
        model.permissions[i] = (int)random_below(random, 3);
    }
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t value =
            i == MEMORY ? 65536 + random_below(random, 1 << 20) : 1 + random_below(random, 1000);
        model.numbers[i] = random_below(random, 2) ? value : 0;
    }
    for (int i = 0; i < LISTS; i++) {
        model.lists[i] = (int)random_below(random, ITEMS_MAX + 2) - 1;
    }
    model.env = (int)random_below(random, ITEMS_MAX + 2) - 1;
    model.preopens = (int)random_below(random, ITEMS_MAX + 2) - 1;
    return model;
}

/* Entry `i` of a list of member `m`: one that no other list has, and a host where it must be. */
static const char *item(uint32_t m, int i) {
    static char texts[MOST][ITEMS_MAX][32];
    char *text = texts[m][i];
    (void)snprintf(text, sizeof texts[m][i], "m%u-%d:*", m, i);
    return text;
}

static const char *parent_of(const struct family *family, int parent) {
    switch (parent) {
    case PARENT_SANDBOXED:
        return "sandboxed";
    case PARENT_TRUSTED:
        return "trusted";
    case PARENT_UNSET:
        return NULL;
    case PARENT_NOBODY:
        return "nobody";
    default:
        return family->names[parent];
    }
}

static enum rusm_err define(struct capabilities *registry, const struct family *family,
                            uint32_t m) {
    const struct model *model = &family->members[m];
    const char *items[ITEMS_MAX];
    struct rusm_env env[ITEMS_MAX];
    struct rusm_preopen preopens[ITEMS_MAX];
    for (int i = 0; i < (int)ITEMS_MAX; i++) {
        items[i] = item(m, i);
        env[i] = (struct rusm_env){items[i], items[i]};
        preopens[i] = (struct rusm_preopen){items[i], items[i], i % 2 == 0};
    }
    struct rusm_capability spec = {
        .inherits = parent_of(family, model->parent),
        .network = (enum rusm_permission)model->permissions[NETWORK],
        .spawn = (enum rusm_permission)model->permissions[SPAWN],
        .process_control = (enum rusm_permission)model->permissions[PROCESS_CONTROL],
        .stdio = (enum rusm_permission)model->permissions[STDIO],
        .storage = (enum rusm_permission)model->permissions[STORAGE],
        .memory_bytes_max = model->numbers[MEMORY],
        .cpu_ms_max = model->numbers[CPU],
        .mailbox_len_max = model->numbers[MAILBOX],
        .streams_max = model->numbers[STREAMS],
        .processes_max = model->numbers[PROCESSES],
    };
    struct rusm_list *lists[LISTS] = {&spec.bridges, &spec.allow_names, &spec.network_hosts,
                                      &spec.storage_buckets};
    /* Patterns may not have a star inside, and "m1-2:*" has it at its end. */
    for (int i = 0; i < LISTS; i++) {
        if (model->lists[i] >= 0) {
            *lists[i] = (struct rusm_list){items, (size_t)model->lists[i]};
        }
    }
    if (model->env >= 0) {
        spec.env = env;
        spec.env_count = (size_t)model->env;
    }
    if (model->preopens >= 0) {
        spec.preopens = preopens;
        spec.preopen_count = (size_t)model->preopens;
    }
    return capabilities_define(registry, family->names[m], &spec, NULL);
}

/* Whether the line of inheritance of `m` ends at a profile. */
static bool ends(const struct family *family, uint32_t m) {
    int at = (int)m;
    for (uint32_t steps = 0; at >= 0; steps++) {
        if (steps > family->count) {
            return false;
        }
        at = family->members[at].parent;
    }
    return at != PARENT_NOBODY;
}

static bool all_end(const struct family *family) {
    for (uint32_t m = 0; m < family->count; m++) {
        if (!ends(family, m)) {
            return false;
        }
    }
    return true;
}

/* The member whose own setting counts for one key, or the profile at the end (negative). `own` says
 * whether a member sets the key. */
static int source(const struct family *family, uint32_t m, bool (*own)(const struct model *, int),
                  int key) {
    int at = (int)m;
    while (at >= 0 && !own(&family->members[at], key)) {
        at = family->members[at].parent;
    }
    return at;
}

static bool owns_permission(const struct model *model, int key) {
    return model->permissions[key] != 0;
}

static bool owns_number(const struct model *model, int key) {
    return model->numbers[key] != 0;
}

static bool owns_list(const struct model *model, int key) {
    return model->lists[key] >= 0;
}

static bool owns_env(const struct model *model, int key) {
    (void)key;
    return model->env >= 0;
}

static bool owns_preopens(const struct model *model, int key) {
    (void)key;
    return model->preopens >= 0;
}

static void compare_scalars(const struct family *family, uint32_t m,
                            const struct rusm_capability *grant) {
    const enum rusm_permission permissions[PERMISSIONS] = {
        grant->network, grant->spawn, grant->process_control, grant->stdio, grant->storage};
    for (int i = 0; i < PERMISSIONS; i++) {
        int at = source(family, m, owns_permission, i);
        int expected = at >= 0                ? family->members[at].permissions[i]
                       : at == PARENT_TRUSTED ? RUSM_ALLOW
                                              : RUSM_DENY;
        assert_int_equal(permissions[i], expected);
    }
    const uint64_t numbers[NUMBERS] = {grant->memory_bytes_max, grant->cpu_ms_max,
                                       grant->mailbox_len_max, grant->streams_max,
                                       grant->processes_max};
    for (int i = 0; i < NUMBERS; i++) {
        int at = source(family, m, owns_number, i);
        uint64_t memory = at == PARENT_TRUSTED ? 1u << 30 : 64u << 20;
        uint64_t profile = i == MEMORY ? memory : RUSM_UNLIMITED;
        assert_true(numbers[i] == (at >= 0 ? family->members[at].numbers[i] : profile));
    }
}

static void compare_lists(const struct family *family, uint32_t m,
                          const struct rusm_capability *grant) {
    const struct rusm_list *lists[LISTS] = {&grant->bridges, &grant->allow_names,
                                            &grant->network_hosts, &grant->storage_buckets};
    for (int i = 0; i < LISTS; i++) {
        int at = source(family, m, owns_list, i);
        if (at < 0) {
            assert_int_equal(lists[i]->count, 0);
            assert_int_equal(lists[i]->items != NULL, i == BRIDGES);
            continue;
        }
        assert_non_null(lists[i]->items);
        assert_int_equal(lists[i]->count, family->members[at].lists[i]);
        for (int k = 0; k < family->members[at].lists[i]; k++) {
            assert_string_equal(lists[i]->items[k], item((uint32_t)at, k));
        }
    }
}

static void compare_wasi(const struct family *family, uint32_t m,
                         const struct capability *capability) {
    struct rwt_grant_config config = {0};
    capability_grant_config(capability, &config);
    int at = source(family, m, owns_env, 0);
    assert_int_equal(config.env_count, at >= 0 ? family->members[at].env : 0);
    for (int i = 0; i < (int)config.env_count; i++) {
        assert_string_equal(config.env[2 * i], item((uint32_t)at, i));
        assert_string_equal(config.env[2 * i + 1], item((uint32_t)at, i));
    }
    at = source(family, m, owns_preopens, 0);
    assert_int_equal(config.preopen_count, at >= 0 ? family->members[at].preopens : 0);
    for (int i = 0; i < (int)config.preopen_count; i++) {
        assert_string_equal(config.preopens[i].host, item((uint32_t)at, i));
        assert_string_equal(config.preopens[i].guest, item((uint32_t)at, i));
        assert_int_equal(config.preopens[i].read_only, i % 2 == 0);
    }
}

static bool round_of(struct random *random) {
    struct family family = {.count = 1 + random_below(random, MOST)};
    bool sound = random_below(random, 4) > 0;
    uint32_t order[MOST];
    for (uint32_t m = 0; m < family.count; m++) {
        (void)snprintf(family.names[m], sizeof family.names[m], "c%u", m);
        family.members[m] = draw(random, family.count, sound, m);
        uint32_t place = random_below(random, m + 1);
        order[m] = order[place];
        order[place] = m;
    }
    struct capabilities *registry = capabilities_create();
    for (uint32_t i = 0; i < family.count; i++) {
        assert_int_equal(define(registry, &family, order[i]), RUSM_OK);
    }
    bool expected = all_end(&family);
    assert_int_equal(capabilities_check(registry, NULL), expected ? RUSM_OK : RUSM_ERR_INVALID);
    for (uint32_t m = 0; m < family.count; m++) {
        struct capability *capability;
        enum rusm_err err = capabilities_get(registry, family.names[m], &capability, NULL);
        assert_int_equal(err, ends(&family, m) ? RUSM_OK : RUSM_ERR_INVALID);
        if (err != RUSM_OK) {
            continue;
        }
        compare_scalars(&family, m, &capability->grant);
        compare_lists(&family, m, &capability->grant);
        compare_wasi(&family, m, capability);
        capability_release(capability);
    }
    capabilities_destroy(registry);
    return expected;
}

static void random_families_agree_with_the_model(void **state) {
    (void)state;
    struct random random = {20260127};
    uint32_t sound = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        sound += round_of(&random);
    }
    /* Both kinds have been seen. */
    assert_in_range(sound, ROUNDS / 2, ROUNDS - ROUNDS / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_families_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
