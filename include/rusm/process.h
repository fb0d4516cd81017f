/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Processes: spawn, identify, end.
 *
 * A process is a fiber (plain blocking C on its own stack) or a server (callbacks; holds no stack
 * while it waits). Processes share nothing through the runtime but messages. A process runs until
 * it suspends (receive, sleep, yield, wait, a send to a mailbox that holds its sender) or has spent
 * its reductions at a send, receive or spawn; it may go on afterwards on another scheduler thread.
 * Therefore a process must not keep the address of a thread-local variable, nor hold a lock of the
 * C library or of pthreads, across any call marked "suspends".
 */
#ifndef RUSM_PROCESS_H
#define RUSM_PROCESS_H

#include <rusm/runtime.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Names one process, ever: a slot of the process table and that slot's generation. It stays valid
 * as a name after the process ended (calls then say NOPROC) and is never given out again. Positive
 * as a signed 64-bit number. {0} is no process.
 */
typedef struct rusm_pid {
    uint64_t v;
} rusm_pid;

struct rusm_msg;

/* Why a process ended. Source of the kinds: Erlang/OTP reference manual, "Processes". */
enum rusm_exit_kind {
    RUSM_EXIT_NORMAL,   /* the body returned, or rusm_exit said so */
    RUSM_EXIT_KILLED,   /* rusm_kill, or the runtime is being destroyed */
    RUSM_EXIT_SHUTDOWN, /* asked to end in good order */
    RUSM_EXIT_ERROR,    /* the process failed; the payload says how */
    RUSM_EXIT_LIMIT,    /* a limit of the runtime was passed: no stack, no memory */
    RUSM_EXIT_NOPROC,   /* the process linked to or watched does not exist */
};

#define RUSM_EXIT_PAYLOAD_MAX 4096u

struct rusm_exit_reason {
    enum rusm_exit_kind kind;
    const void *payload;    /* borrowed for the call or callback; NULL if payload_bytes is 0 */
    uint32_t payload_bytes; /* at most RUSM_EXIT_PAYLOAD_MAX */
};

/* A fiber's body; returning ends the process with reason NORMAL. */
typedef void (*rusm_fiber_fn)(void *arg);

/*
 * A server's callbacks; `state` is `state_bytes` long, zeroed before init, aligned to 16, freed
 * after terminate. NULL is allowed for every callback but `message`. A callback may suspend; the
 * server then keeps a stack until the callback returns.
 */
struct rusm_server {
    size_t state_bytes;
    /* Anything but RUSM_OK ends the process with reason ERROR and the error's name as payload. */
    enum rusm_err (*init)(void *state, void *arg);
    /* `msg` is borrowed until the callback returns or receives (see rusm_msg_take). */
    void (*message)(void *state, struct rusm_msg *msg);
    /* A monitored process has ended, or an exit signal was trapped: a message of kind DOWN or EXIT.
     * NULL: such messages go to `message`. See <rusm/link.h>. */
    void (*down)(void *state, struct rusm_msg *msg);
    /* The time set by rusm_server_timeout has passed without a message. */
    void (*timeout)(void *state);
    /* The process ends, for whatever reason, `state` is about to be freed. Must not suspend. */
    void (*terminate)(void *state, const struct rusm_exit_reason *reason);
};

/* Called on a scheduler thread when a process has ended and its slot is free again. Must neither
 * block nor suspend, and is no process: it sends with rusm_post. `reason` is borrowed for the call.
 */
typedef void (*rusm_exit_fn)(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason);

#define RUSM_NAME_BYTES_MAX  63u
#define RUSM_LABEL_BYTES_MAX 63u

/* Options of a spawn; zero-initialise. Borrowed for the call. */
struct rusm_spawn_opts {
    const char *name;         /* register this name; NULL = none */
    const char *label;        /* for people (observer, reports), cut at RUSM_LABEL_BYTES_MAX */
    uint32_t mailbox_len_max; /* 0 = the runtime's default */
    bool mailbox_hold;        /* HOLD senders at that bound; only with mailbox_len_max set */
    rusm_exit_fn on_exit;     /* NULL = none */
    void *on_exit_arg;
};

/*
 * Start a fiber running fn(arg). It becomes runnable at once on the caller's scheduler (on any
 * scheduler when the caller is no process).
 *
 * runtime  NULL = the runtime of the calling process (asserted to be one)
 * opts     NULL = none
 * out      NULL = not wanted
 * Errors: PROCESS_LIMIT, NOMEM, STOPPING, INVALID (name or bound out of range), NAME_TAKEN,
 * NAME_LIMIT. After an error nothing was started. Any thread. In a fiber it may suspend when the
 * reductions are spent. Costs tens of nanoseconds, no lock, no system call.
 */
enum rusm_err rusm_spawn(rusm_runtime *runtime, rusm_fiber_fn fn, void *arg,
                         const struct rusm_spawn_opts *opts, rusm_pid *out);

/* The same for a server; init runs in the new process. `server` must outlive the process. */
enum rusm_err rusm_spawn_server(rusm_runtime *runtime, const struct rusm_server *server, void *arg,
                                const struct rusm_spawn_opts *opts, rusm_pid *out);

/* The calling process. {0} when the caller is none. */
rusm_pid rusm_self(void);

/* The runtime of the calling process; NULL when the caller is none. */
rusm_runtime *rusm_self_runtime(void);

/* In a server's callback: call `timeout` after that time without a message; counts anew from every
 * message. RUSM_FOREVER ends it. */
void rusm_server_timeout(uint64_t timeout_ms);

/* Let others run. Suspends. */
void rusm_yield(void);

/* End the calling process; `reason` is copied, NULL = NORMAL. Memory that only the stack knows of
 * is not freed: give it to the process by on_exit or a server's terminate. */
_Noreturn void rusm_exit(const struct rusm_exit_reason *reason);

/*
 * End another process with reason KILLED at its next suspension point (at once if it waits). True
 * if it was alive and the signal went through (not so without memory). A process inside
 * rusm_blocking ends when its job is done. runtime: NULL = that of the calling process. Any thread.
 */
bool rusm_kill(rusm_runtime *runtime, rusm_pid pid);

/* Whether `pid` has not ended yet. It may end at any moment after. Any thread. */
bool rusm_is_alive(rusm_runtime *runtime, rusm_pid pid);

/* Set the calling process's label for people; NULL or "" removes it. Cut at RUSM_LABEL_BYTES_MAX.
 */
void rusm_set_label(const char *label);

/*
 * Names: one process a name, many names a process, released when it ends. A name has 1 to
 * RUSM_NAME_BYTES_MAX bytes. runtime: NULL = that of the calling process. Any thread; takes a lock.
 * Errors: INVALID, NOPROC, NAME_TAKEN, NAME_LIMIT, NAME_UNKNOWN.
 */
enum rusm_err rusm_register(rusm_runtime *runtime, const char *name, rusm_pid pid);
enum rusm_err rusm_unregister(rusm_runtime *runtime, const char *name);
/* {0} if nobody has the name. */
rusm_pid rusm_whereis(rusm_runtime *runtime, const char *name);

/*
 * The process that has the name; if nobody has it, a new one with it, as by rusm_spawn or
 * rusm_spawn_server. Of callers that race one spawns and all get its pid. A server's init may still
 * be running then. opts->name must be NULL.
 *
 * out, spawned  the pid, and whether it is a new one; NULL = not wanted
 * Errors: those of rusm_spawn but for NAME_TAKEN. Any thread. In a fiber it may suspend.
 */
enum rusm_err rusm_whereis_or_spawn(rusm_runtime *runtime, const char *name, rusm_fiber_fn fn,
                                    void *arg, const struct rusm_spawn_opts *opts, rusm_pid *out,
                                    bool *spawned);
enum rusm_err rusm_whereis_or_spawn_server(rusm_runtime *runtime, const char *name,
                                           const struct rusm_server *server, void *arg,
                                           const struct rusm_spawn_opts *opts, rusm_pid *out,
                                           bool *spawned);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
