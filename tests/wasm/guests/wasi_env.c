/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Prints its arguments and environment. Exit code 0 if the variable RUSM_GUEST is "yes", 1 if it is
 * not there, 2 if it is something else; as a component 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        printf("arg: %s\n", argv[i]);
    }
    const char *value = getenv("RUSM_GUEST");
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        printf("env: %s\n", *entry);
    }
    if (value == NULL) {
        return 1;
    }
    return strcmp(value, "yes") == 0 ? 0 : 2;
}
