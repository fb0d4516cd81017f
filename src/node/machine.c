/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/node.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* The text after "model name : " in /proc/cpuinfo; other processors than x86 may have none. */
static void read_cpu(char *out, size_t out_bytes) {
    out[0] = 0;
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (!file) {
        return;
    }
    char line[256];
    while (fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            size_t skip = 1 + strspn(colon + 1, " \t");
            (void)snprintf(out, out_bytes, "%.*s", (int)strcspn(colon + skip, "\n"), colon + skip);
            break;
        }
    }
    (void)fclose(file);
}

static uint32_t usable_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}

void node_machine_read(struct node_machine *out) {
    *out = (struct node_machine){.cores = usable_cores()};
    read_cpu(out->cpu, sizeof(out->cpu));
    struct sysinfo info;
    if (sysinfo(&info) == 0) {
        out->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
    }
    struct utsname name;
    if (uname(&name) == 0) {
        (void)snprintf(out->kernel, sizeof(out->kernel), "%.60s %.90s", name.sysname, name.release);
    }
}
