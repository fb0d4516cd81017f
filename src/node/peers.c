/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/protocol_internal.h"

#include "base/alloc.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX 16384

/* The headline of a result line; false if it has none. */
static bool headline(const json_t *root, double *value, const char **unit) {
    size_t i;
    json_t *metric;
    json_array_foreach(json_object_get(root, "metrics"), i, metric) {
        const char *name = json_string_value(json_object_get(metric, "name"));
        if (name && strcmp(name, "ops_per_sec") == 0) {
            const json_t *median = json_object_get(metric, "median");
            const json_t *number = median ? median : json_object_get(metric, "value");
            *unit = json_string_value(json_object_get(metric, "unit"));
            *value = json_number_value(number);
            return json_is_number(number);
        }
    }
    return false;
}

static const char *string_of(const json_t *root, const char *key, const char *otherwise) {
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : otherwise;
}

/* A machine is told as a text, or as an object with its cpu. */
static const char *machine_of(const json_t *root) {
    const json_t *machine = json_object_get(root, "machine");
    return json_is_object(machine) ? string_of(machine, "cpu", "") : string_of(root, "machine", "");
}

static bool fill(const json_t *root, struct node_peer *out) {
    double ops_per_sec;
    const char *unit = NULL;
    if (!headline(root, &ops_per_sec, &unit)) {
        return false;
    }
    const char *scenario = string_of(root, "scenario", NULL);
    const char *peer = string_of(root, "peer", NULL);
    if (!scenario || !peer) {
        return false;
    }
    json_int_t workers = json_integer_value(json_object_get(root, "workers"));
    *out = (struct node_peer){
        .scenario = rusm_strdup(scenario),
        .peer = rusm_strdup(peer),
        .unit = rusm_strdup(unit ? unit : "1/s"),
        .date = rusm_strdup(string_of(root, "time", "")),
        .machine = rusm_strdup(machine_of(root)),
        .version = rusm_strdup(string_of(root, "peer_version", string_of(root, "version", ""))),
        .workers = workers > 0 && workers < UINT32_MAX ? (uint32_t)workers : 0,
        .ops_per_sec = ops_per_sec,
    };
    if (out->scenario && out->peer && out->unit && out->date && out->machine && out->version) {
        return true;
    }
    peers_free(out, 1);
    return false;
}

/* A later line about the same thing takes the place of an earlier one. */
static uint32_t place_of(const struct node_peer *peer, const struct node_peer *peers,
                         uint32_t count) {
    uint32_t at = 0;
    while (at < count &&
           (peers[at].workers != peer->workers || strcmp(peers[at].scenario, peer->scenario) != 0 ||
            strcmp(peers[at].peer, peer->peer) != 0)) {
        at++;
    }
    return at;
}

static void take_line(const char *line, struct node_peer *peers, uint32_t *count, uint32_t max) {
    struct node_peer peer;
    json_t *root = json_loads(line, 0, NULL);
    bool filled = root && fill(root, &peer);
    json_decref(root);
    if (!filled) {
        return;
    }
    uint32_t at = place_of(&peer, peers, *count);
    if (at == max) {
        peers_free(&peer, 1);
        return;
    }
    if (at == *count) {
        (*count)++;
    } else {
        peers_free(&peers[at], 1);
    }
    peers[at] = peer;
}

uint32_t peers_read(const char *path, struct node_peer *out, uint32_t max) {
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    uint32_t count = 0;
    char *line = rusm_alloc(LINE_BYTES_MAX);
    while (line && fgets(line, LINE_BYTES_MAX, file)) {
        take_line(line, out, &count, max);
    }
    rusm_free(line);
    (void)fclose(file);
    return count;
}

void peers_free(struct node_peer *peers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        rusm_free(peers[i].scenario);
        rusm_free(peers[i].peer);
        rusm_free(peers[i].unit);
        rusm_free(peers[i].date);
        rusm_free(peers[i].machine);
        rusm_free(peers[i].version);
    }
}
