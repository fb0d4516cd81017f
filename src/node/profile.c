/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/node.h"

#include "base/assert.h"
#include <string.h>

static const struct node_profile_info profiles[NODE_PROFILE_COUNT] = {
    [NODE_PROFILE_LIGHT] = {"light", "Light", "A quarter of the cores: leaves the machine alone."},
    [NODE_PROFILE_BALANCED] = {"balanced", "Balanced",
                               "Two fifths of the cores: good throughput with room above."},
    [NODE_PROFILE_MAX] = {"max", "Max",
                          "Half of the cores: the highest rate that lasts; the rest reap."},
};

const struct node_profile_info *node_profile_info(enum node_profile profile) {
    RUSM_ASSERT((unsigned)profile < NODE_PROFILE_COUNT);
    return &profiles[profile];
}

bool node_profile_parse(const char *id, enum node_profile *out) {
    for (unsigned i = 0; i < NODE_PROFILE_COUNT; i++) {
        if (strcmp(id, profiles[i].id) == 0) {
            *out = (enum node_profile)i;
            return true;
        }
    }
    return false;
}

uint32_t node_profile_workers(enum node_profile profile, uint32_t cores) {
    uint64_t workers = 0;
    switch (profile) {
    case NODE_PROFILE_LIGHT:
        workers = cores / 4;
        break;
    case NODE_PROFILE_BALANCED:
        workers = (uint64_t)cores * 2 / 5;
        break;
    case NODE_PROFILE_MAX:
        workers = cores / 2;
        break;
    }
    return workers > 1 ? (uint32_t)workers : 1;
}

uint32_t node_population_cap(uint32_t cores) {
    uint64_t cap = (uint64_t)NODE_PROCESSES_PER_CORE * (cores > 0 ? cores : 1);
    return cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
}
