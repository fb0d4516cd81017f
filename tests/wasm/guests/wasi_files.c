/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What it may do with files, as bits of the exit code: 1 it has read /data/hello.txt, 2 it has
 * written /data/written.txt, 4 it has read something outside of /data. Prints what it has read.
 * As a component it tells 0 from the rest only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int reads(const char *path) {
    char text[256];
    int file = open(path, O_RDONLY);
    if (file < 0) {
        return 0;
    }
    ssize_t len = read(file, text, sizeof text);
    close(file);
    if (len < 0) {
        return 0;
    }
    printf("%s: %.*s\n", path, (int)len, text);
    return 1;
}

static int writes(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) {
        return 0;
    }
    ssize_t len = write(file, "written", 7);
    return close(file) == 0 && len == 7;
}

int main(void) {
    int outside = reads("/etc/passwd") + reads("/data/../etc/passwd") + reads("/data/link");
    int bits = reads("/data/hello.txt");
    bits |= writes("/data/written.txt") << 1;
    bits |= (outside > 0) << 2;
    return bits;
}
