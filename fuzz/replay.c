/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* replay DIR: give every file of a corpus to the target that this is linked with, whole and cut off
 * at every length. Fails if there is none. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX 65536u

/* The file's bytes; false if it cannot be read. */
static int read_file(const char *directory, const char *name, uint8_t *bytes, size_t *len) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        return 0;
    }
    *len = fread(bytes, 1, INPUT_BYTES_MAX, file);
    int failed = ferror(file);
    (void)fclose(file);
    return !failed;
}

/* Each length gets memory of its own, so that a read past the end is seen. */
static void replay(const uint8_t *bytes, size_t len) {
    for (size_t cut = 0; cut <= len; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        if (!copy) {
            abort();
        }
        memcpy(copy, bytes, cut);
        (void)LLVMFuzzerTestOneInput(copy, cut);
        free(copy);
    }
}

int main(int argc, char **argv) {
    static uint8_t bytes[INPUT_BYTES_MAX];
    unsigned count = 0;
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
    if (!directory) {
        (void)fprintf(stderr, "usage: replay DIR\n");
        return 2;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        size_t len;
        if (entry->d_name[0] != '.' && read_file(argv[1], entry->d_name, bytes, &len)) {
            replay(bytes, len);
            count++;
        }
    }
    (void)closedir(directory);
    (void)printf("%u inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
