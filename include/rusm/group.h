/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Groups: names for sets of processes; a process may be in many groups. A group exists from the
 * first join until the last member has left, and needs no declaration. Members leave when they end.
 *
 * A publish is one call that delivers to all members. Payloads up to 40 bytes are copied into each
 * member's cell, longer ones are one shared block. Nobody holds a publisher: a member whose mailbox
 * is at its bound is passed over and counted as shed. A process that joins or leaves while a
 * publish is under way may or may not get it; one that leaves and joins again meanwhile, twice. One
 * publisher's messages arrive in order, as with rusm_send.
 *
 * A name has 1 to RUSM_NAME_BYTES_MAX bytes; names of groups and of processes do not meet.
 * Limits: rusm_config.groups_max, group_members_max; RUSM_GROUP_WATCHERS_MAX.
 * Source of the model: Erlang/OTP, pg. docs/design/groups.md says how it works.
 */
#ifndef RUSM_GROUP_H
#define RUSM_GROUP_H

#include <rusm/link.h>
#include <rusm/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define RUSM_GROUP_WATCHERS_MAX 1024u

/*
 * Put `pid` (mostly rusm_self()) into the group; nothing happens if it is in it. From a process.
 * Takes a lock; O(1), amortised. What a process joined itself is left when it ends; if another one
 * put it there, when the next publish meets it.
 * Errors: INVALID, NOPROC, GROUP_LIMIT, NOMEM.
 */
enum rusm_err rusm_group_join(const char *group, rusm_pid pid);

/* Take `pid` out; no publish that starts after reaches it. From a process. Takes a lock.
 * Errors: INVALID, NOT_MEMBER. */
enum rusm_err rusm_group_leave(const char *group, rusm_pid pid);

/*
 * The members that are alive: up to `capacity` of them into `out` (may be NULL if that is 0), and
 * into `*count` how many there are. runtime: NULL = that of the calling process. Any thread. O(n).
 * Error: INVALID. No such group is 0 members.
 */
enum rusm_err rusm_group_members(rusm_runtime *runtime, const char *group, rusm_pid *out,
                                 size_t capacity, size_t *count);

/*
 * Kill all members, the caller too if it is one (at its next suspension point); how many. In a
 * fiber it suspends when reductions are spent. runtime: NULL = that of the calling process. Any
 * thread.
 */
size_t rusm_group_kill(rusm_runtime *runtime, const char *group);

/*
 * Send `len` bytes to every member, the caller too if it is one, from the calling process. Each
 * delivery spends a reduction; in a fiber it suspends when they are spent, and a kill of the
 * publisher waits until all is sent. In a server it does not suspend.
 *
 * delivered  how many members got it (NULL = not wanted); those shed, and those there was no memory
 *            for, are in rusm_scheduler_info.shed. 0 if there is no such group.
 * Errors: INVALID, MESSAGE_TOO_LARGE, NOMEM; nobody has got anything then.
 */
enum rusm_err rusm_publish(const char *group, const void *data, size_t len, size_t *delivered);

/* The same with a buffer; one reference of `buf` is moved, also on failure. */
enum rusm_err rusm_publish_buf(const char *group, rusm_buf *buf, size_t *delivered);

/* A group, for publishing without a look at its name. */
typedef struct rusm_group rusm_group;

/* The group of that name, with members or without; owned until rusm_group_close, or until the
 * runtime is destroyed. Errors: INVALID, GROUP_LIMIT, NOMEM. Any thread. Takes a lock. */
enum rusm_err rusm_group_open(rusm_runtime *runtime, const char *name, rusm_group **out);
/* Asserted by the caller: nobody publishes to the handle any more. Any thread. */
void rusm_group_close(rusm_group *group);

/* As rusm_publish. Any thread; takes no lock. */
enum rusm_err rusm_group_publish(rusm_group *group, const void *data, size_t len,
                                 size_t *delivered);
enum rusm_err rusm_group_publish_buf(rusm_group *group, rusm_buf *buf, size_t *delivered);

/* ---- news of joins and leaves ---- */

enum rusm_group_change { RUSM_GROUP_JOIN = 1, RUSM_GROUP_LEAVE };

/* The bytes of a watcher's message. */
struct rusm_group_event {
    rusm_ref ref;    /* of the watch */
    rusm_pid pid;    /* who joined or left */
    uint32_t change; /* enum rusm_group_change */
    char group[RUSM_NAME_BYTES_MAX + 1];
};

/*
 * Tell the calling process of every join and leave from now on, by a message of kind
 * RUSM_MSG_BYTES with a struct rusm_group_event, in the order they happen. A list asked for after
 * this, with the events applied to it, is the group's. A watcher whose mailbox is at its bound
 * misses events (they are counted as shed). It ends with the process.
 * Errors: INVALID, GROUP_LIMIT, NOMEM.
 */
enum rusm_err rusm_group_watch(const char *group, rusm_ref *out);

/* No event of that watch is sent after this; some may be in the mailbox. False if there is no such
 * watch of the calling process. */
bool rusm_group_unwatch(const char *group, rusm_ref ref);

/* The event in `msg` if it is one of that watch, else NULL. Lives as long as `msg`. */
const struct rusm_group_event *rusm_msg_group_event(const struct rusm_msg *msg, rusm_ref ref);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
