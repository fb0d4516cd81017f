/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * What a guest in C, built as a core module, calls: the imports of the module `rusm`.
 *
 * sdk/README.md has the meaning of each function, its failures, and the rules for buffers, text and
 * waiting. A guest is one thread; nothing here may be called from a signal handler, as there is
 * none. Out-buffers are the caller's. A range outside the guest's memory traps.
 *
 * The imports by name and type, i = i32, I = i64, a colon before the result. A test compares this
 * list with the declarations below and with sdk/README.md.
 *
 * import own_pid :I
 * import notify :
 * import send Iii:
 * import receive ii:i
 * import list_processes ii:i
 * import is_alive I:i
 * import kill I:i
 * import register ii:i
 * import unregister ii:i
 * import whereis ii:I
 * import set_label ii:
 * import stream_open I:I
 * import stream_write Iii:i
 * import stream_close I:
 * import stream_accept :I
 * import stream_read Iii:i
 * import spawn iii:I
 * import monitor I:i
 * import demonitor I:i
 * import link I:i
 * import unlink I:i
 * import trap_exit i:i
 * import exit iii:
 * import receive_timeout iiI:i
 * import receive_match iiiiI:i
 * import stash :i
 * import unstash :
 * import send_after IIii:I
 * import cancel_timer I:i
 * import register_tag ii:i
 * import unregister_tag ii:i
 * import whereis_tag iiii:i
 * import kill_tag ii:i
 * import publish iiii:i
 * import info Iii:i
 * import supervise iiiii:I
 * import log iii:
 */
#ifndef RUSM_GUEST_H
#define RUSM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RUSM_IMPORT(name) __attribute__((import_module("rusm"), import_name(#name)))
/* Put before the guest's body: RUSM_EXPORT(run) void run(void) { ... } */
#define RUSM_EXPORT(name) __attribute__((export_name(#name)))

/* Positive; as an answer, negative values are codes of enum rusm_code. */
typedef int64_t rusm_pid;

enum rusm_code {
    RUSM_NONE = -1,
    RUSM_DENIED = -2,
    RUSM_LIMIT = -3,
    RUSM_INVALID = -4,
    RUSM_FAILED = -5,
};

#define RUSM_FOREVER UINT64_MAX

/* Itself, and others. */
RUSM_IMPORT(own_pid) rusm_pid rusm_own_pid(void);
RUSM_IMPORT(notify) void rusm_notify(void);
RUSM_IMPORT(list_processes) int32_t rusm_list_processes(rusm_pid *out, size_t cap_pids);
RUSM_IMPORT(is_alive) int32_t rusm_is_alive(rusm_pid pid);
RUSM_IMPORT(kill) int32_t rusm_kill(rusm_pid pid);
RUSM_IMPORT(info) int32_t rusm_info(rusm_pid pid, void *out, size_t cap);
RUSM_IMPORT(set_label) void rusm_set_label(const char *label, size_t len);
RUSM_IMPORT(log) void rusm_log(int32_t level, const char *text, size_t len);

enum rusm_log_level { RUSM_LOG_ERROR, RUSM_LOG_WARN, RUSM_LOG_INFO, RUSM_LOG_DEBUG };

/* What rusm_info begins with; the label and the names follow, each name ended by a byte 0. */
struct rusm_info {
    uint64_t pid;
    uint32_t links;
    uint32_t monitors;
    uint32_t mailbox_depth;
    uint32_t trap_exit;
    uint32_t label_bytes; /* RUSM_NO_LABEL if it has none */
    uint32_t name_count;
};
#define RUSM_NO_LABEL UINT32_MAX

/* Messages. */
RUSM_IMPORT(send) void rusm_send(rusm_pid to, const void *data, size_t len);
RUSM_IMPORT(receive) int32_t rusm_receive(void *out, size_t cap);
RUSM_IMPORT(receive_timeout)
int32_t rusm_receive_timeout(void *out, size_t cap, uint64_t ms);
RUSM_IMPORT(receive_match)
int32_t rusm_receive_match(const void *prefix, size_t prefix_len, void *out, size_t cap,
                           uint64_t ms);
RUSM_IMPORT(stash) int32_t rusm_stash(void);
RUSM_IMPORT(unstash) void rusm_unstash(void);
RUSM_IMPORT(send_after)
int64_t rusm_send_after(rusm_pid to, uint64_t ms, const void *data, size_t len);
RUSM_IMPORT(cancel_timer) int32_t rusm_cancel_timer(int64_t timer);

/* Starting, watching, ending. */
#define RUSM_SPAWN_LINK    1
#define RUSM_SPAWN_MONITOR 2
RUSM_IMPORT(spawn) rusm_pid rusm_spawn(const char *name, size_t name_len, int32_t flags);
RUSM_IMPORT(monitor) int32_t rusm_monitor(rusm_pid pid);
RUSM_IMPORT(demonitor) int32_t rusm_demonitor(rusm_pid pid);
RUSM_IMPORT(link) int32_t rusm_link(rusm_pid pid);
RUSM_IMPORT(unlink) int32_t rusm_unlink(rusm_pid pid);
RUSM_IMPORT(trap_exit) int32_t rusm_trap_exit(int32_t on);

enum rusm_exit_reason { RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN, RUSM_EXIT_CRASHED };
RUSM_IMPORT(exit)
__attribute__((noreturn)) void rusm_exit(int32_t reason, const char *detail, size_t len);

enum rusm_strategy { RUSM_ONE_FOR_ONE, RUSM_ONE_FOR_ALL, RUSM_REST_FOR_ONE };
/* `names`: separated by one byte 0. max_restarts 0: unlimited; within_ms 0: over its whole life. */
RUSM_IMPORT(supervise)
rusm_pid rusm_supervise(int32_t strategy, const char *names, size_t names_len,
                        uint32_t max_restarts, uint32_t within_ms);

/* Names and groups. */
RUSM_IMPORT(register) int32_t rusm_register(const char *name, size_t len);
RUSM_IMPORT(unregister) int32_t rusm_unregister(const char *name, size_t len);
RUSM_IMPORT(whereis) rusm_pid rusm_whereis(const char *name, size_t len);
RUSM_IMPORT(register_tag) int32_t rusm_register_tag(const char *tag, size_t len);
RUSM_IMPORT(unregister_tag) int32_t rusm_unregister_tag(const char *tag, size_t len);
RUSM_IMPORT(whereis_tag)
int32_t rusm_whereis_tag(const char *tag, size_t len, rusm_pid *out, size_t cap_pids);
RUSM_IMPORT(kill_tag) int32_t rusm_kill_tag(const char *tag, size_t len);
RUSM_IMPORT(publish)
int32_t rusm_publish(const char *tag, size_t tag_len, const void *data, size_t len);

/* Streams. */
RUSM_IMPORT(stream_open) int64_t rusm_stream_open(rusm_pid to);
RUSM_IMPORT(stream_write)
int32_t rusm_stream_write(int64_t stream, const void *chunk, size_t len);
RUSM_IMPORT(stream_close) void rusm_stream_close(int64_t stream);
RUSM_IMPORT(stream_accept) int64_t rusm_stream_accept(void);
RUSM_IMPORT(stream_read) int32_t rusm_stream_read(int64_t stream, void *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
