/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The process descriptor: three cache lines in a slot whose memory is never unmapped while the
 * runtime lives, so that a stale pid can always be looked up and found stale.
 *
 * Who may touch what: the mailbox word (top, tag) any thread, atomically; `link` whoever owns the
 * process's turn in a queue; all else the owner. The owner is the scheduler that runs the process,
 * or, while it waits, nobody: the thread whose push replaced MAILBOX_WAITING owns it from then on.
 * Fields that the observer reads from outside are atomics with relaxed order; a stale value costs
 * the observer one wrong row for one tick.
 */
#ifndef OTP_PROCESS_INTERNAL_H
#define OTP_PROCESS_INTERNAL_H

#include "base/counter.h"
#include "otp/otp.h"
#include "otp/signal_internal.h"
#include <rusm/introspect.h>
#include <rusm/timer.h>
#include <stdalign.h>

struct map64;
struct stack;
struct stream_ends;
struct sched;

enum process_state { PROCESS_FREE, PROCESS_RUNNABLE, PROCESS_RUNNING, PROCESS_WAITING };

/* Bits of process.flags. */
enum process_flag {
    PROCESS_KILLED = 1,     /* a KILL has been seen; ends at the next chance */
    PROCESS_UNKILLABLE = 2, /* in a blocking job: a KILL waits */
    PROCESS_TIMED_OUT = 4,  /* the wait's timer has fired */
    PROCESS_IO_READY = 8,   /* the descriptor is ready */
    PROCESS_DONE = 16,      /* the blocking job has returned */
    PROCESS_RESUMED = 32,   /* the mailbox that held us has room */
    PROCESS_STARTED = 64,   /* a server's init has run */
    PROCESS_EXITING = 128,  /* terminate is running */
};

/* Number of 8-byte words that hold a name or label of up to 63 bytes. */
#define TEXT_WORDS 8

/* Text that the owner writes and the observer reads: words, so that a torn read is harmless. */
struct text {
    _Atomic uint64_t words[TEXT_WORDS];
};

/* What few processes need; allocated on first use, freed at exit. Memory type-stable (pooled). */
struct process_ext {
    struct process_ext *next_free;
    struct text name; /* the name registered last */
    struct text label;
    uint64_t *name_hashes; /* of the names it registered for itself; owned */
    uint32_t name_count;
    uint32_t name_capacity;
    struct map64 *groups; /* group -> what it is in it by its own doing (groups.c); owned or NULL */
    bool acknowledge_start; /* the parent waits for init */
    rusm_exit_fn on_exit;
    void *on_exit_arg;
    struct signal *exit_signal; /* what PROCESS_KILLED stands for; NULL: a kill */
    struct signal *stash_head;
    struct signal **stash_tail;
    struct stream_ends *streams; /* owned or NULL (streams.c) */
    rusm_pid held_by;            /* whose mailbox it must wait for once it may suspend */
    rusm_pid *holders;           /* senders that wait for room; owned */
    uint32_t holder_count;
    uint32_t holder_capacity;
};

struct process {
    /* any thread, always together and atomically: see mailbox_internal.h */
    alignas(64) struct mailbox_word {
        alignas(16) _Atomic(struct signal *) top;
        _Atomic uint64_t tag;
    } mailbox;
    /* written by the owner, read by senders */
    _Atomic uint32_t consumed;
    _Atomic uint32_t bound;
    /* owner */
    struct signal *seen;
    struct signal *head;
    struct signal **tail;
    _Atomic uint8_t state; /* enum process_state */
    _Atomic uint8_t wait;  /* enum rusm_process_wait */
    _Atomic uint8_t kind;  /* enum rusm_process_kind */
    uint8_t flags;
    bool seen_done;    /* the cell at `seen` has been consumed; free it once it is off the word */
    bool mailbox_hold; /* read by senders; written before the pid is known to anybody */
    _Atomic uint16_t sched; /* index of the scheduler it ran on last */
    uint32_t wait_seq;
    uint32_t index; /* of the slot; immutable */

    /* owner */
    _Atomic(const void *) entry; /* rusm_fiber_fn, struct rusm_server, or struct step_body */
    void *arg;                   /* the fiber's argument; a server's or step's state once started */
    _Atomic(void *) sp;          /* saved stack pointer while suspended with a stack, else NULL */
    _Atomic(struct stack *) stack; /* the stack kept, with sp */
    struct process *link;          /* run queue, inbox, or free list */
    counter cpu_ticks;
    counter reductions;
    _Atomic(struct process_ext *) ext;

    /* owner, seldom touched */
    counter parent;
    struct signal *current;   /* the message received last, borrowed by user code */
    rusm_timer timer;         /* of the wait under way; {0} = none */
    uint64_t idle_timeout_ms; /* a server's; RUSM_FOREVER = none */
    _Atomic uint32_t state_bytes;
    int32_t watched_fd;      /* the descriptor registered by the wait under way, or -1 */
    uint16_t watching_sched; /* in whose epoll set */
    bool idle_fired;         /* a server's idle timeout was called for this silence */
    _Atomic bool trap_exit;  /* written by the owner, read by observers */
    bool foreign;            /* between otp_foreign_enter and _leave */
    bool woken;              /* by otp_wake, since otp_wait last returned */
    uint16_t spare;
    struct map64 *relations;     /* links and monitors; NULL = none */
    _Atomic uint32_t link_count; /* for the observer; `relations` is the truth */
    _Atomic uint16_t watching_count;
    _Atomic uint16_t watched_by_count;
};
_Static_assert(sizeof(struct process) == 192, "a descriptor is three cache lines");

/* pid = generation << 24 | slot index; the sign bit stays 0. */
#define PID_INDEX_BITS     24u
#define PID_INDEX_MAX      ((1u << PID_INDEX_BITS) - 1)
#define PID_GENERATION_MAX (((uint64_t)1 << (63 - PID_INDEX_BITS)) - 1)

static inline uint32_t pid_index(rusm_pid pid) {
    return (uint32_t)(pid.v & PID_INDEX_MAX);
}

static inline uint64_t pid_generation(rusm_pid pid) {
    return pid.v >> PID_INDEX_BITS;
}

static inline const void *process_entry(const struct process *p) {
    return atomic_load_explicit(&p->entry, memory_order_relaxed);
}

static inline const struct rusm_server *process_server(const struct process *p) {
    return process_entry(p);
}

static inline const struct step_body *process_step(const struct process *p) {
    return process_entry(p);
}

/* Whether `pid` can ever have been given out: see mailbox_internal.h for the parity. */
static inline bool pid_is_valid(rusm_pid pid) {
    return (pid.v >> PID_INDEX_BITS) % 2 == 0 && pid.v >> PID_INDEX_BITS != 0;
}

/* The pid of the process that holds the slot now. Owner only: others may read a successor's. */
static inline rusm_pid process_pid(const struct process *p) {
    uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    return (rusm_pid){(tag & ~(uint64_t)PID_INDEX_MAX) | p->index};
}

void text_set(struct text *text, const char *value);
/* Read into `out` of RUSM_LABEL_BYTES_MAX + 1 bytes. */
void text_get(const struct text *text, char *out);

/* The extension of `p`, made if need be; NULL when out of memory. Owner only. */
struct process_ext *process_ext_ensure(struct sched *s, struct process *p);

/*
 * End `p`, which runs on `s` and is its current process: terminate, release, close the mailbox,
 * free the slot. The caller must not touch `p` after.
 */
void process_end(struct sched *s, struct process *p, const struct rusm_exit_reason *reason);

/* End the current process from within its body and go on with the scheduler. */
_Noreturn void process_abandon(struct sched *s, struct process *p,
                               const struct rusm_exit_reason *reason);

/* rusm_spawn_server_link; with `acknowledge` the caller must go on with call_await_start. */
enum rusm_err process_spawn_server_link(const struct rusm_server *server, void *arg,
                                        const struct rusm_spawn_opts *opts, bool acknowledge,
                                        rusm_pid *out);

/* One turn of a server or step: until it has nothing to do or has spent its reductions. */
enum step_result process_turn(struct process *p);

#endif
