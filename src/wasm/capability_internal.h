/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Capabilities, by name. They are defined in any order, parents after heirs if that is how they
 * come; inheritance is settled when a capability is first asked for. A resolved capability never
 * changes and stands alone: it is counted, and may outlive the registry. All calls: any thread.
 */
#ifndef WASM_CAPABILITY_INTERNAL_H
#define WASM_CAPABILITY_INTERNAL_H

#include <rusm/capability.h>
#include <rusm/err.h>
#include <rusm_wasmtime.h>

struct capabilities;

/* Shared (hold/release); immutable but for the count. */
struct capability {
    _Atomic uint32_t refs;
    const char *name; /* owned, as all that `grant` points to */
    /* Resolved: no RUSM_INHERIT, no number 0, `inherits` NULL. Lists that restrict and are set
     * nowhere have `items` NULL. */
    struct rusm_capability grant;
    const char *const
        *env_pairs; /* `grant.env` and `grant.preopens` as rwt_grant_config has them */
    const struct rwt_preopen *rwt_preopens;
};

/* A registry that knows the profiles. Owned. NULL: out of memory. */
struct capabilities *capabilities_create(void);
/* Capabilities that somebody holds stay. NULL is allowed. */
void capabilities_destroy(struct capabilities *registry);

/*
 * Define one more capability; `spec` is copied. Errors, `info` names the capability, the key and
 * the value: NAME_TAKEN (a profile's name, or defined already), INVALID (a name, list or string too
 * long, a value out of its range or form, more than RUSM_CAPABILITIES_MAX), NOMEM.
 */
enum rusm_err capabilities_define(struct capabilities *registry, const char *name,
                                  const struct rusm_capability *spec, struct rusm_errinfo *info);

/*
 * The capability `name`, held for the caller. Errors, `info` names the culprits: NAME_UNKNOWN (it
 * is not defined; `info` has those there are), INVALID (one that it inherits is not defined, or
 * inheritance goes in a circle), NOMEM. Takes a lock; a comparison for each one defined, and the
 * first time for each in its line of inheritance.
 */
enum rusm_err capabilities_get(struct capabilities *registry, const char *name,
                               struct capability **out, struct rusm_errinfo *info);

/* Whether every one that is defined resolves. Errors: INVALID, NOMEM, as capabilities_get. */
enum rusm_err capabilities_check(struct capabilities *registry, struct rusm_errinfo *info);

void capability_hold(struct capability *capability);
void capability_release(struct capability *capability);

/* Whether the guest may register `name`, or be in the group of that tag. */
bool capability_allows_name(const struct capability *capability, const char *name);
/* Whether the host interface `name` is granted; names are compared as they are. */
bool capability_allows_bridge(const struct capability *capability, const char *name);
/* Whether the guest may use the bucket `name`: storage is allowed, and this one. */
bool capability_allows_bucket(const struct capability *capability, const char *name);

/* What WASI needs of it, borrowed from `capability`; `args` stay as they are. A list of hosts that
 * is empty grants no network, while to Wasmtime an empty one is all hosts. */
void capability_grant_config(const struct capability *capability, struct rwt_grant_config *config);

#endif
