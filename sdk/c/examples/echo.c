/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Sends back what it gets. A message is the sender's pid (8 bytes, little-endian) and the payload.
 */
#include <stdlib.h>
#include <string.h>

#include "rusm.h"

/* The next message, however long it is: the first try says how much room it takes. */
static size_t receive(char **buffer, size_t *cap) {
    for (;;) {
        size_t len = (size_t)rusm_receive(*buffer, *cap);
        if (len <= *cap) {
            return len;
        }
        char *larger = realloc(*buffer, len);
        if (larger == NULL) {
            rusm_exit(RUSM_EXIT_CRASHED, "out of memory", 13);
        }
        *buffer = larger;
        *cap = len;
    }
}

RUSM_EXPORT(run) void run(void) {
    char *buffer = NULL;
    size_t cap = 0;
    for (;;) {
        size_t len = receive(&buffer, &cap);
        rusm_pid from;
        if (len < sizeof from) {
            continue;
        }
        memcpy(&from, buffer, sizeof from);
        rusm_send(from, buffer + sizeof from, len - sizeof from);
    }
}
