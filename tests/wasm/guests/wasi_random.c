/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Exit code 0 if two draws of 32 random bytes differ. */
#include <string.h>
#include <unistd.h>

int main(void) {
    unsigned char first[32] = {0};
    unsigned char second[32] = {0};
    if (getentropy(first, sizeof first) != 0 || getentropy(second, sizeof second) != 0) {
        return 1;
    }
    return memcmp(first, second, sizeof first) != 0 ? 0 : 2;
}
