/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/protocol_internal.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool refuse(char problem[PROTOCOL_PROBLEM_BYTES],
                                                         const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem, PROTOCOL_PROBLEM_BYTES, format, args);
    va_end(args);
    return false;
}

static bool decode_run(const json_t *root, struct protocol_command *out, char *problem) {
    const char *scenario = json_string_value(json_object_get(root, "scenario"));
    if (!scenario) {
        return refuse(problem, "run: scenario is missing or no string");
    }
    if (strlen(scenario) >= PROTOCOL_SCENARIO_BYTES) {
        return refuse(problem, "run: scenario is longer than %u bytes",
                      PROTOCOL_SCENARIO_BYTES - 1);
    }
    (void)snprintf(out->scenario, sizeof(out->scenario), "%s", scenario);
    out->kind = PROTOCOL_RUN;
    return true;
}

static bool decode_detail(const json_t *root, struct protocol_command *out, char *problem) {
    const json_t *enabled = json_object_get(root, "enabled");
    const json_t *sort = json_object_get(root, "sort");
    const json_t *descending = json_object_get(root, "descending");
    if (!json_is_boolean(enabled)) {
        return refuse(problem, "set_observer_detail: enabled is missing or no boolean");
    }
    if (sort && !json_is_string(sort)) {
        return refuse(problem, "set_observer_detail: sort is no string");
    }
    if (descending && !json_is_boolean(descending)) {
        return refuse(problem, "set_observer_detail: descending is no boolean");
    }
    out->sort = OBSERVER_KEY_MEMORY;
    if (sort && !observer_key_parse(json_string_value(sort), &out->sort)) {
        return refuse(problem,
                      "set_observer_detail: no sort key \"%.40s\"; there are memory, cpu, "
                      "reductions, mailbox, id, name",
                      json_string_value(sort));
    }
    out->detail = json_is_true(enabled);
    out->descending = descending ? json_is_true(descending)
                                 : out->sort != OBSERVER_KEY_ID && out->sort != OBSERVER_KEY_NAME;
    out->kind = PROTOCOL_SET_OBSERVER_DETAIL;
    return true;
}

static bool decode_profile(const json_t *root, struct protocol_command *out, char *problem) {
    const char *profile = json_string_value(json_object_get(root, "profile"));
    if (!profile) {
        return refuse(problem, "set_resource_profile: profile is missing or no string");
    }
    if (!node_profile_parse(profile, &out->profile)) {
        return refuse(problem,
                      "set_resource_profile: no profile \"%.40s\"; there are light, balanced, max",
                      profile);
    }
    out->kind = PROTOCOL_SET_RESOURCE_PROFILE;
    return true;
}

static bool decode_object(const json_t *root, struct protocol_command *out, char *problem) {
    if (!json_is_object(root)) {
        return refuse(problem, "a message must be a JSON object");
    }
    const char *type = json_string_value(json_object_get(root, "type"));
    if (!type) {
        return refuse(problem, "type is missing or no string");
    }
    if (strcmp(type, "run") == 0) {
        return decode_run(root, out, problem);
    }
    if (strcmp(type, "stop") == 0) {
        out->kind = PROTOCOL_STOP;
        return true;
    }
    if (strcmp(type, "set_observer_detail") == 0) {
        return decode_detail(root, out, problem);
    }
    if (strcmp(type, "set_resource_profile") == 0) {
        return decode_profile(root, out, problem);
    }
    return refuse(problem, "unknown message type \"%.40s\"", type);
}

bool protocol_decode(const char *text, size_t len, struct protocol_command *out,
                     char problem[PROTOCOL_PROBLEM_BYTES]) {
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        return refuse(problem, "not JSON: %.100s at byte %d", error.text, error.position);
    }
    struct protocol_command command = {0};
    bool understood = decode_object(root, &command, problem);
    json_decref(root);
    if (understood) {
        *out = command;
    }
    return understood;
}
