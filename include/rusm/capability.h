/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What a WebAssembly guest may do. Nothing is allowed that is not granted.
 *
 * A capability is a grant with a name, which a component runs under. Three are there from the
 * start: `sandboxed` (nothing; 64 MiB of memory), `network-client` (that and the network) and
 * `trusted` (network, spawn, process control, stdio, storage; 1 GiB). Others are specified by a
 * struct rusm_capability, in which zero means "as the capability it inherits"; what is set replaces
 * what is inherited. A list is replaced as a whole, never appended to: what a capability grants is
 * seen at one place, and a parent that grows does not widen a list that somebody wrote out.
 *
 * These are plain structs: the caller's memory, filled in before the call that takes one, which
 * copies all of it. Zero-initialise.
 */
#ifndef RUSM_CAPABILITY_H
#define RUSM_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RUSM_CAPABILITIES_MAX      64u                   /* defined at once, profiles not counted */
#define RUSM_CAPABILITY_ITEMS_MAX  256u                  /* entries of one list */
#define RUSM_CAPABILITY_NAME_MAX   63u                   /* bytes of a capability's name */
#define RUSM_CAPABILITY_STRING_MAX 4095u                 /* bytes of any other string */
#define RUSM_CAPABILITY_MEMORY_MIN ((uint64_t)64 * 1024) /* one page of linear memory */
#define RUSM_CAPABILITY_CPU_MS_MAX 1000u                 /* a guest is on one processor at a time */
#define RUSM_UNLIMITED             UINT64_MAX

enum rusm_permission {
    RUSM_INHERIT, /* as the inherited capability */
    RUSM_DENY,
    RUSM_ALLOW,
};

/* A list of C strings. `items` NULL: inherit. `items` not NULL and `count` 0: an empty list. */
struct rusm_list {
    const char *const *items;
    size_t count;
};

/* A variable of the guest's environment. */
struct rusm_env {
    const char *name; /* not empty, no '=' */
    const char *value;
};

/* A folder of the host that the guest sees. Both paths are not empty; `host` is resolved by the
 * system, relative to the node's working folder, when the grant is built. */
struct rusm_preopen {
    const char *host;
    const char *guest; /* unique within the list */
    bool read_only;
};

/*
 * A specification. The comments name the key of rusm.toml and what the profiles say.
 * Numbers: 0 = inherit, RUSM_UNLIMITED = only the limits of pool and runtime hold.
 * Patterns: a name, or its beginning and one '*' at the end; "*" is every name.
 */
struct rusm_capability {
    const char *inherits; /* NULL = "sandboxed"; may be defined later than its heir */

    enum rusm_permission network;         /* allow-network: sockets and outgoing HTTP */
    enum rusm_permission spawn;           /* allow-spawn: start components, supervise */
    enum rusm_permission process_control; /* allow-process-control: see and end others */
    enum rusm_permission stdio;           /* allow-stdio: the node's standard streams */
    enum rusm_permission storage;         /* allow-storage: the durable store */

    uint64_t memory_bytes_max; /* max-memory-mb: all linear memories of an instance; from
                                  RUSM_CAPABILITY_MEMORY_MIN. Profiles: 64 MiB, `trusted` 1 GiB */
    uint64_t cpu_ms_max;       /* max-cpu-ms: of processor time a second, 1 to
                                  RUSM_CAPABILITY_CPU_MS_MAX. Profiles: unlimited, as all below */
    uint64_t mailbox_len_max;  /* max-mailbox: messages */
    uint64_t streams_max;      /* max-streams: streams open at once, both kinds of ends */
    uint64_t processes_max;    /* max-processes: alive at once that it has spawned */

    const struct rusm_env *env; /* env; NULL: inherit. Names are unique. Profiles: none */
    size_t env_count;
    const struct rusm_preopen *preopens; /* preopen; NULL: inherit. Profiles: none */
    size_t preopen_count;
    struct rusm_list bridges;         /* bridges: names of host interfaces. Profiles: none */
    struct rusm_list allow_names;     /* allow-names: patterns of names and tags that it may
                                         register. Set nowhere: every one */
    struct rusm_list network_hosts;   /* network-hosts: "HOST:PORT", "HOST:*", "[IPv6]:PORT", or "*"
                                         for all. Set nowhere: all, where network is allowed */
    struct rusm_list storage_buckets; /* storage-buckets: patterns. Set nowhere: all, where storage
                                         is allowed */
};

#ifdef __cplusplus
}
#endif
#endif
