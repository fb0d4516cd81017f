/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The arithmetic of the pool: address space, mappings, and what the kernel offers. */
#include "wasm/pool_internal.h"

#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* User space on x86-64 and aarch64 with 48-bit addresses; what the rest of a program may need. */
#define ADDRESS_SPACE_BYTES ((uint64_t)1 << 47)
#define ADDRESS_SPACE_REST  ((uint64_t)1 << 42)
#define GUARD_BYTES         ((uint64_t)32 << 20) /* behind each memory, Wasmtime's default */
/* Per slot: its stack and the stack's guard, made at the start; its memory's image and what it has
 * grown to, while in use. Measured: 4.0 (docs/design/wasm.md), and some to spare. */
#define MAPPINGS_PER_10_SLOTS 42u
#define MAPPINGS_REST         4096u

/* Linux 6.7: <linux/fs.h> of older systems does not have it. */
struct pagemap_scan_arg {
    __u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
    __u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_IOCTL _IOWR('f', 16, struct pagemap_scan_arg)

bool pool_has_pagemap_scan(void) {
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct pagemap_scan_arg arg;
    memset(&arg, 0, sizeof arg);
    arg.size = sizeof arg; /* of nothing: only whether the kernel knows the call */
    bool known = ioctl(fd, PAGEMAP_SCAN_IOCTL, &arg) >= 0;
    close(fd);
    return known;
}

static uint64_t max_map_count(void) {
    unsigned long long count = 65530;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (file) {
        char line[32];
        if (fgets(line, sizeof line, file)) {
            (void)sscanf(line, "%llu", &count);
        }
        (void)fclose(file);
    }
    return count;
}

enum rusm_err pool_check_room(const struct rusm_wasm_config *config, struct rusm_errinfo *error) {
    uint64_t slot = config->memory_reservation + GUARD_BYTES;
    uint64_t room = (ADDRESS_SPACE_BYTES - ADDRESS_SPACE_REST) / slot;
    if (config->instances_max > room) {
        return errinfo_set(
            error, RUSM_ERR_SYSTEM,
            "%u instances need %llu GiB of address space, and there is room for %llu: "
            "lower instances_max, or memory_reservation (%llu MiB each)",
            config->instances_max, (unsigned long long)((config->instances_max * slot) >> 30),
            (unsigned long long)room, (unsigned long long)(config->memory_reservation >> 20));
    }
    uint64_t needed = (uint64_t)config->instances_max * MAPPINGS_PER_10_SLOTS / 10 + MAPPINGS_REST;
    uint64_t allowed = max_map_count();
    if (needed > allowed) {
        return errinfo_set(
            error, RUSM_ERR_SYSTEM,
            "%u instances need about %llu mappings, and vm.max_map_count allows %llu: "
            "raise it (sysctl -w vm.max_map_count=%llu) or lower instances_max to %llu",
            config->instances_max, (unsigned long long)needed, (unsigned long long)allowed,
            (unsigned long long)needed,
            (unsigned long long)(allowed > MAPPINGS_REST
                                     ? (allowed - MAPPINGS_REST) * 10 / MAPPINGS_PER_10_SLOTS
                                     : 0));
    }
    return RUSM_OK;
}
