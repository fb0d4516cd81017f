/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Each check returns what is wrong, in words, or NULL. */
#include "wasm/capability_check_internal.h"

#include "base/errinfo.h"
#include <stdlib.h>
#include <string.h>

static bool has_control(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

static const char *wrong_text(const char *text, size_t bytes_max) {
    if (!text || !*text) {
        return "is empty";
    }
    if (strnlen(text, bytes_max + 1) > bytes_max) {
        return "is too long";
    }
    return has_control(text) ? "has a control character in it" : NULL;
}

static const char *wrong_string(const char *text) {
    return wrong_text(text, RUSM_CAPABILITY_STRING_MAX);
}

static const char *wrong_pattern(const char *text) {
    const char *wrong = wrong_string(text);
    if (wrong) {
        return wrong;
    }
    const char *star = strchr(text, '*');
    return star && star[1] ? "has a star that is not its last character" : NULL;
}

static bool is_port(const char *text) {
    if (strcmp(text, "*") == 0) {
        return true;
    }
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5) {
        return false;
    }
    long port = strtol(text, NULL, 10);
    return port >= 1 && port <= 65535;
}

static const char *wrong_host(const char *text) {
    const char *wrong = wrong_string(text);
    if (wrong || strcmp(text, "*") == 0) {
        return wrong;
    }
    const char *colon = strrchr(text, ':');
    const char *first = strchr(text, ':');
    bool bracketed = text[0] == '[' && colon && colon > text + 2 && colon[-1] == ']';
    bool plain = colon && colon == first && colon > text && !strpbrk(text, "[]");
    bool starless = strcspn(text, "* /") >= (size_t)(colon ? colon - text : 0);
    return (bracketed || plain) && starless && is_port(colon + 1)
               ? NULL
               : "is not HOST:PORT, HOST:* or [IPv6]:PORT, nor * for all";
}

typedef const char *(*wrong_fn)(const char *text);

/* What the checks of one capability share. */
struct check {
    const char *name;
    struct rusm_errinfo *info;
};

static enum rusm_err refuse(const struct check *check, const char *key, const char *value,
                            const char *wrong) {
    return errinfo_set(check->info, RUSM_ERR_INVALID, "capability \"%s\": a value of %s %s: \"%s\"",
                       check->name, key, wrong, value ? value : "");
}

static bool count_allowed(const struct check *check, const char *key, size_t count, bool is_set) {
    if (count > RUSM_CAPABILITY_ITEMS_MAX) {
        (void)errinfo_set(check->info, RUSM_ERR_INVALID,
                          "capability \"%s\": %s has %zu entries, %u are allowed", check->name, key,
                          count, RUSM_CAPABILITY_ITEMS_MAX);
        return false;
    }
    if (count > 0 && !is_set) {
        (void)errinfo_set(check->info, RUSM_ERR_INVALID,
                          "capability \"%s\": %s has a count and no entries", check->name, key);
        return false;
    }
    return true;
}

static enum rusm_err check_list(const struct check *check, const char *key,
                                const struct rusm_list *list, wrong_fn wrong_of) {
    if (!count_allowed(check, key, list->count, list->items != NULL)) {
        return RUSM_ERR_INVALID;
    }
    enum rusm_err err = RUSM_OK;
    for (size_t i = 0; err == RUSM_OK && i < list->count; i++) {
        const char *wrong = wrong_of(list->items[i]);
        if (wrong) {
            err = refuse(check, key, list->items[i], wrong);
        }
    }
    return err;
}

static const char *wrong_env(const struct rusm_env *env, size_t at) {
    const char *wrong = wrong_string(env[at].name);
    if (wrong) {
        return wrong;
    }
    if (strchr(env[at].name, '=')) {
        return "has an equals sign in its name";
    }
    if (!env[at].value) {
        return "has no value";
    }
    if (strnlen(env[at].value, RUSM_CAPABILITY_STRING_MAX + 1) > RUSM_CAPABILITY_STRING_MAX) {
        return "has a value that is too long";
    }
    for (size_t i = 0; i < at; i++) {
        if (strcmp(env[i].name, env[at].name) == 0) {
            return "is there twice";
        }
    }
    return NULL;
}

static enum rusm_err check_env(const struct check *check, const struct rusm_capability *spec) {
    if (!count_allowed(check, "env", spec->env_count, spec->env != NULL)) {
        return RUSM_ERR_INVALID;
    }
    enum rusm_err err = RUSM_OK;
    for (size_t i = 0; err == RUSM_OK && i < spec->env_count; i++) {
        const char *wrong = wrong_env(spec->env, i);
        if (wrong) {
            err = refuse(check, "env", spec->env[i].name, wrong);
        }
    }
    return err;
}

static enum rusm_err check_preopens(const struct check *check, const struct rusm_capability *spec) {
    const struct rusm_preopen *preopens = spec->preopens;
    if (!count_allowed(check, "preopen", spec->preopen_count, preopens != NULL)) {
        return RUSM_ERR_INVALID;
    }
    enum rusm_err err = RUSM_OK;
    for (size_t i = 0; err == RUSM_OK && i < spec->preopen_count; i++) {
        const char *host = wrong_string(preopens[i].host);
        const char *guest = wrong_string(preopens[i].guest);
        for (size_t other = 0; !host && !guest && other < i; other++) {
            if (strcmp(preopens[other].guest, preopens[i].guest) == 0) {
                guest = "is there twice";
            }
        }
        if (host) {
            err = refuse(check, "preopen host", preopens[i].host, host);
        } else if (guest) {
            err = refuse(check, "preopen guest", preopens[i].guest, guest);
        }
    }
    return err;
}

static enum rusm_err check_permissions(const struct check *check,
                                       const struct rusm_capability *spec) {
    const struct {
        const char *key;
        enum rusm_permission value;
    } permissions[] = {
        {"allow-network", spec->network},
        {"allow-spawn", spec->spawn},
        {"allow-process-control", spec->process_control},
        {"allow-stdio", spec->stdio},
        {"allow-storage", spec->storage},
    };
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++) {
        if ((unsigned)permissions[i].value > RUSM_ALLOW) {
            return errinfo_set(check->info, RUSM_ERR_INVALID,
                               "capability \"%s\": %s is no permission", check->name,
                               permissions[i].key);
        }
    }
    return RUSM_OK;
}

static enum rusm_err check_numbers(const struct check *check, const struct rusm_capability *spec) {
    if (spec->memory_bytes_max != 0 && spec->memory_bytes_max < RUSM_CAPABILITY_MEMORY_MIN) {
        return errinfo_set(check->info, RUSM_ERR_INVALID,
                           "capability \"%s\": a memory of %llu bytes is less than one page",
                           check->name, (unsigned long long)spec->memory_bytes_max);
    }
    if (spec->cpu_ms_max > RUSM_CAPABILITY_CPU_MS_MAX && spec->cpu_ms_max != RUSM_UNLIMITED) {
        return errinfo_set(
            check->info, RUSM_ERR_INVALID,
            "capability \"%s\": max-cpu-ms is %llu, but a second has %u milliseconds", check->name,
            (unsigned long long)spec->cpu_ms_max, RUSM_CAPABILITY_CPU_MS_MAX);
    }
    return RUSM_OK;
}

static enum rusm_err check_lists(const struct check *check, const struct rusm_capability *spec) {
    const struct {
        const char *key;
        const struct rusm_list *list;
        wrong_fn wrong_of;
    } lists[] = {
        {"bridges", &spec->bridges, wrong_string},
        {"allow-names", &spec->allow_names, wrong_pattern},
        {"network-hosts", &spec->network_hosts, wrong_host},
        {"storage-buckets", &spec->storage_buckets, wrong_pattern},
    };
    enum rusm_err err = RUSM_OK;
    for (size_t i = 0; err == RUSM_OK && i < sizeof lists / sizeof lists[0]; i++) {
        err = check_list(check, lists[i].key, lists[i].list, lists[i].wrong_of);
    }
    return err;
}

enum rusm_err capability_check(const char *name, const struct rusm_capability *spec,
                               struct rusm_errinfo *info) {
    const struct check check = {name, info};
    const char *wrong = wrong_text(name, RUSM_CAPABILITY_NAME_MAX);
    if (wrong) {
        return errinfo_set(info, RUSM_ERR_INVALID, "the name of a capability %s: \"%s\"", wrong,
                           name ? name : "");
    }
    wrong = spec->inherits ? wrong_text(spec->inherits, RUSM_CAPABILITY_NAME_MAX) : NULL;
    enum rusm_err err = wrong ? refuse(&check, "inherits", spec->inherits, wrong) : RUSM_OK;
    if (err == RUSM_OK) {
        err = check_permissions(&check, spec);
    }
    if (err == RUSM_OK) {
        err = check_numbers(&check, spec);
    }
    if (err == RUSM_OK) {
        err = check_env(&check, spec);
    }
    if (err == RUSM_OK) {
        err = check_preopens(&check, spec);
    }
    return err == RUSM_OK ? check_lists(&check, spec) : err;
}
