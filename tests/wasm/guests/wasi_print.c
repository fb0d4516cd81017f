/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Prints a line to each standard stream. Exit code 0 if both took it; without stdio they take it
 * too, and nobody sees it. */
#include <stdio.h>

int main(void) {
    int out = printf("out: a guest\n");
    int error = fprintf(stderr, "error: a guest\n");
    return out > 0 && fflush(stdout) == 0 && error > 0 ? 0 : 1;
}
