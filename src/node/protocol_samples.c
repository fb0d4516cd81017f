/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* protocol_samples OUTDIR: write one message of every kind into a directory, for the tests of
 * decoders written in other languages. */
#include "base/alloc.h"
#include "node/protocol_fixture_internal.h"
#include "node/protocol_internal.h"
#include <stdio.h>

static int write_sample(const char *directory, unsigned fixture) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, protocol_fixture_file(fixture));
    char *text = protocol_fixture_text(fixture);
    FILE *file = text ? fopen(path, "w") : NULL;
    int failed = !file || fprintf(file, "%s\n", text) < 0;
    if (file && fclose(file) != 0) {
        failed = 1;
    }
    if (failed) {
        perror(path);
    }
    rusm_free(text);
    return failed;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: protocol_samples OUTDIR\n");
        return 2;
    }
    protocol_init();
    int failed = 0;
    for (unsigned i = 0; i < PROTOCOL_FIXTURES; i++) {
        failed |= write_sample(argv[1], i);
    }
    return failed;
}
