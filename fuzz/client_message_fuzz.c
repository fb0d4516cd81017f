/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* What a client of the node may send: any bytes give a command or a problem, never both. */
#include "base/alloc.h"
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "node/protocol_internal.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct protocol_command command;
    char problem[PROTOCOL_PROBLEM_BYTES] = "";
    protocol_init();
    if (protocol_decode((const char *)data, size, &command, problem)) {
        RUSM_ASSERT(problem[0] == 0);
        RUSM_ASSERT(memchr(command.scenario, 0, sizeof(command.scenario)));
        RUSM_ASSERT((unsigned)command.sort < OBSERVER_KEY_COUNT);
        RUSM_ASSERT((unsigned)command.profile < NODE_PROFILE_COUNT);
        return 0;
    }
    RUSM_ASSERT(problem[0] != 0);
    RUSM_ASSERT(memchr(problem, 0, sizeof(problem)));
    char *text = protocol_encode_error(problem);
    RUSM_ASSERT(text);
    rusm_free(text);
    return 0;
}
