/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/mailbox_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"
#include "otp/streams_internal.h"

#ifdef __SANITIZE_THREAD__
#define MAILBOX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAILBOX_TSAN 1
#endif
#endif
#ifdef MAILBOX_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/*
 * Compare-and-swap of the whole word, acquire and release. In assembly, since gcc calls a library
 * for 16-byte atomics, which may lock; ThreadSanitizer cannot see it and is told.
 */
static inline bool word_cas(struct mailbox_word *word, struct signal *top, uint64_t tag,
                            struct signal *new_top, uint64_t new_tag) {
#ifdef MAILBOX_TSAN
    __tsan_release(word);
#endif
#if defined(__x86_64__)
    bool done;
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@cce"(done), "+m"(*word), "+a"(top), "+d"(tag)
                     : "b"(new_top), "c"(new_tag)
                     : "memory");
#elif defined(__aarch64__)
    uint64_t low, high;
    uint32_t failed;
    __asm__ volatile(
        "1: ldaxp %[low], %[high], %[word]\n"
        "   cmp %[low], %[top]\n"
        "   ccmp %[high], %[tag], #0, eq\n"
        "   cset %w[failed], ne\n"
        "   b.ne 2f\n"
        "   stlxp %w[failed], %[new_top], %[new_tag], %[word]\n"
        "   cbnz %w[failed], 1b\n"
        "2:"
        : [low] "=&r"(low), [high] "=&r"(high), [failed] "=&r"(failed), [word] "+Q"(*word)
        : [top] "r"(top), [tag] "r"(tag), [new_top] "r"(new_top), [new_tag] "r"(new_tag)
        : "cc", "memory");
    bool done = !failed;
#else
#error "no 16-byte compare-and-swap known for this processor"
#endif
#ifdef MAILBOX_TSAN
    if (done) {
        __tsan_acquire(word);
    }
#endif
    return done;
}

/* The owner's read of `top`: pairs with the release in word_cas of mailbox_push. */
static inline struct signal *word_acquire(struct mailbox_word *word) {
    struct signal *top = atomic_load_explicit(&word->top, memory_order_acquire);
#ifdef MAILBOX_TSAN
    __tsan_acquire(word);
#endif
    return top;
}

void mailbox_init(struct process *p, uint32_t bound, bool hold) {
    uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    uint64_t generation = (tag >> PID_INDEX_BITS) + 1;
    RUSM_DASSERT(generation % 2 == 0);
    atomic_store_explicit(&p->mailbox.top, NULL, memory_order_relaxed);
    atomic_store_explicit(&p->mailbox.tag, generation << PID_INDEX_BITS, memory_order_relaxed);
    atomic_store_explicit(&p->consumed, 0, memory_order_relaxed);
    atomic_store_explicit(&p->bound, bound, memory_order_relaxed);
    p->mailbox_hold = hold;
    p->seen = NULL;
    p->seen_done = false;
    p->head = NULL;
    p->tail = &p->head;
}

/* Whether `sender` is able to suspend now, and to be told by `p` when to go on. */
static bool can_hold(const struct process *p, const struct process *sender) {
    return p->mailbox_hold && sender && sender != p && !(sender->flags & PROCESS_EXITING);
}

/* What a push beyond the bound, or of anything but a message, may do. */
static __attribute__((noinline, cold)) enum push_result admit(const struct process *p,
                                                              const struct signal *sig,
                                                              uint32_t depth,
                                                              const struct process *sender) {
    if (sig->kind > SIGNAL_CALL) {
        return depth >= MAILBOX_SIGNAL_LIMIT ? PUSH_FULL : PUSH_OK;
    }
    if (depth < atomic_load_explicit(&p->bound, memory_order_relaxed)) {
        return PUSH_OK;
    }
    return depth < RUSM_MAILBOX_LEN_LIMIT && can_hold(p, sender) ? PUSH_HOLD : PUSH_FULL;
}

enum push_result mailbox_push(struct process *p, rusm_pid pid, struct signal *sig,
                              const struct process *sender) {
    for (;;) {
        SIM_POINT();
        uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
        struct signal *top = atomic_load_explicit(&p->mailbox.top, memory_order_relaxed);
        if (__builtin_expect(tag >> PID_INDEX_BITS != pid_generation(pid), 0)) {
            return PUSH_NOPROC;
        }
        /* `consumed` may be of a later moment than `tag`. The depth then comes out too low or, as
         * a negative one, huge; but then the word has changed too, and is read again. */
        uint32_t consumed = atomic_load_explicit(&p->consumed, memory_order_relaxed);
        uint32_t depth = ((uint32_t)tag - consumed) & (uint32_t)TAG_COUNT_MASK;
        enum push_result result = PUSH_OK;
        if (__builtin_expect(depth >= atomic_load_explicit(&p->bound, memory_order_relaxed), 0)) {
            result = admit(p, sig, depth, sender);
            if (result == PUSH_FULL) {
                if (atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed) != tag) {
                    continue;
                }
                return PUSH_FULL;
            }
        }
        bool waiting = top == MAILBOX_WAITING;
        sig->next = waiting ? NULL : top;
        uint64_t new_tag = (tag & ~TAG_COUNT_MASK) | ((tag + 1) & TAG_COUNT_MASK);
        SIM_POINT();
        if (__builtin_expect(word_cas(&p->mailbox, top, tag, sig, new_tag), 1)) {
            if (__builtin_expect(result == PUSH_HOLD, 0)) {
                return waiting ? PUSH_HOLD_WAKE : PUSH_HOLD;
            }
            return waiting ? PUSH_WAKE : PUSH_OK;
        }
    }
}

static void append(struct process *p, struct signal *sig) {
    sig->next = NULL;
    *p->tail = sig;
    p->tail = &sig->next;
}

static void count_consumed(struct process *p) {
    atomic_store_explicit(&p->consumed,
                          atomic_load_explicit(&p->consumed, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void mailbox_release(struct sched *s, struct process *p, struct signal *sig) {
    if (sig == p->seen) {
        RUSM_DASSERT(!p->seen_done);
        p->seen_done = true;
    } else {
        signal_destroy(s, sig);
    }
}

static void resume_sender(struct sched *s, rusm_pid sender) {
    struct signal *sig = signal_create(s, SIGNAL_RESUME);
    /* Without memory for 64 bytes a held sender could never go on; there is nothing to fall back
     * to, so the node stops rather than hang. */
    RUSM_ASSERT(sig);
    (void)signal_deliver(s->rt, s, sender, sig);
}

static __attribute__((noinline, cold)) void resume_all(struct sched *s, struct process_ext *ext) {
    uint32_t count = ext->holder_count;
    ext->holder_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        resume_sender(s, ext->holders[i]);
    }
}

/* The depth has fallen, by a message or by another signal: held senders may go on at half the
 * bound.
 */
static inline void resume_if_room(struct sched *s, struct process *p) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (__builtin_expect(ext && ext->holder_count > 0, 0) &&
        mailbox_depth(p) <= atomic_load_explicit(&p->bound, memory_order_relaxed) / 2) {
        resume_all(s, ext);
    }
}

static void hold_sender(struct sched *s, struct process *p, rusm_pid sender) {
    struct process_ext *ext = process_ext_ensure(s, p);
    if (mailbox_depth(p) < atomic_load_explicit(&p->bound, memory_order_relaxed) || !ext) {
        resume_sender(s, sender);
        return;
    }
    if (ext->holder_count == ext->holder_capacity) {
        uint32_t capacity = ext->holder_capacity ? 2 * ext->holder_capacity : 4;
        rusm_pid *holders = rusm_realloc(ext->holders, capacity * sizeof *holders);
        if (!holders) {
            resume_sender(s, sender);
            return;
        }
        ext->holders = holders;
        ext->holder_capacity = capacity;
    }
    ext->holders[ext->holder_count++] = sender;
}

static bool is_about_ends(const struct signal *sig) {
    return sig->kind <= SIGNAL_REPLY || sig->kind >= SIGNAL_LINK;
}

static uint8_t flag_of(enum signal_kind kind) {
    switch (kind) {
    case SIGNAL_KILL:
        return PROCESS_KILLED;
    case SIGNAL_TIMEOUT:
        return PROCESS_TIMED_OUT;
    case SIGNAL_IO:
        return PROCESS_IO_READY;
    case SIGNAL_DONE:
        return PROCESS_DONE;
    case SIGNAL_RESUME:
        return PROCESS_RESUMED;
    default:
        return 0;
    }
}

/* A signal that is no message; some become one. */
static __attribute__((noinline)) void handle(struct sched *s, struct process *p,
                                             struct signal *sig) {
    if (is_about_ends(sig)) {
        if (links_handle(s, p, sig)) {
            append(p, sig);
            return;
        }
        count_consumed(p);
        resume_if_room(s, p);
        return;
    }
    count_consumed(p);
    if (sig->kind == SIGNAL_WAKE) {
        p->woken = true;
    } else if (sig->kind == SIGNAL_HOLD) {
        hold_sender(s, p, sig->from);
    } else if (signal_is_streams(sig)) {
        streams_handle(s, p, sig);
    } else if (sig->kind != SIGNAL_TIMEOUT || sig->value == p->wait_seq) {
        p->flags |= flag_of((enum signal_kind)sig->kind);
    }
    mailbox_release(s, p, sig);
    resume_if_room(s, p);
}

/* The chain from `top` back to `end`, oldest first. */
static struct signal *reversed(struct signal *top, const struct signal *end) {
    struct signal *oldest = NULL;
    while (top != end) {
        struct signal *next = top->next;
        top->next = oldest;
        oldest = top;
        top = next;
    }
    return oldest;
}

/* The cell at `seen` is no longer on the word. */
static void forget_seen(struct sched *s, struct signal *seen, bool done) {
    if (done) {
        signal_destroy(s, seen);
    }
}

void mailbox_disown(struct process *p) {
    uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    uint64_t next = (tag >> PID_INDEX_BITS) + 1;
    atomic_store_explicit(&p->mailbox.tag, next << PID_INDEX_BITS, memory_order_relaxed);
}

void mailbox_fetch(struct sched *s, struct process *p) {
    SIM_POINT();
    struct signal *top = word_acquire(&p->mailbox);
    if (top == p->seen) {
        return;
    }
    struct signal *old = p->seen;
    bool old_done = p->seen_done;
    struct signal *sig = reversed(top, old);
    p->seen = top;
    p->seen_done = false;
    forget_seen(s, old, old_done);
    while (sig) {
        struct signal *next = sig->next;
        SIM_EVENT(s, SIM_EV_TAKE, (uint64_t)p->index << 8 | sig->kind);
        if (sig->kind == SIGNAL_MESSAGE) {
            append(p, sig);
        } else {
            handle(s, p, sig);
        }
        sig = next;
    }
}

bool mailbox_commit_wait(struct sched *s, struct process *p) {
    struct signal *seen = p->seen;
    bool done = p->seen_done;
    p->seen = NULL;
    p->seen_done = false;
    struct signal *expected = seen;
    SIM_POINT();
    if (SIM_PLANTED(SIM_BUG_LOST_WAKEUP)) {
        /* A test plants this: the mark is stored, not swapped, and a push in between is lost. */
        bool new_there = atomic_load_explicit(&p->mailbox.top, memory_order_acquire) != expected;
        SIM_POINT();
        if (!new_there) {
            atomic_store_explicit(&p->mailbox.top, MAILBOX_WAITING, memory_order_release);
            forget_seen(s, seen, done);
            return true;
        }
    }
#ifdef MAILBOX_TSAN
    __tsan_release(&p->mailbox);
#endif
    /* Release: the thread that wakes the process sees all that it left behind (mailbox_push). */
    if (atomic_compare_exchange_strong_explicit(&p->mailbox.top, &expected, MAILBOX_WAITING,
                                                memory_order_acq_rel, memory_order_relaxed)) {
        forget_seen(s, seen, done);
        return true;
    }
    p->seen = seen;
    p->seen_done = done;
    return false;
}

struct signal *mailbox_take(struct process *p, struct signal **at) {
    struct signal *sig = *at;
    *at = sig->next;
    if (p->tail == &sig->next) {
        p->tail = at;
    }
    return sig;
}

void mailbox_consumed(struct sched *s, struct process *p) {
    count_consumed(p);
    resume_if_room(s, p);
}

uint32_t mailbox_sizes(struct process *p, uint32_t out[MAILBOX_SIZES_MAX]) {
    uint32_t count = 0;
    for (const struct signal *sig = p->head; sig && count < MAILBOX_SIZES_MAX; sig = sig->next) {
        out[count++] = sig->len;
    }
    /* What was not fetched is linked from the newest on: keep those passed last. */
    uint32_t newer[MAILBOX_SIZES_MAX] = {0};
    uint32_t passed = 0;
    const struct signal *sig = word_acquire(&p->mailbox);
    for (; sig != p->seen; sig = sig->next) {
        if (sig->kind <= SIGNAL_REPLY) {
            newer[passed++ % MAILBOX_SIZES_MAX] = sig->len;
        }
    }
    for (uint32_t i = 0; i < passed && i < MAILBOX_SIZES_MAX && count < MAILBOX_SIZES_MAX; i++) {
        out[count++] = newer[(passed - 1 - i) % MAILBOX_SIZES_MAX];
    }
    return count;
}

/* Signals that were never handled: who waits for an answer gets the one that a dead process gives.
 */
static void refuse_all(struct sched *s, rusm_pid self, const struct signal *sig) {
    for (; sig; sig = sig->next) {
        if (sig->kind == SIGNAL_HOLD) {
            resume_sender(s, sig->from);
        } else if (signal_is_streams(sig)) {
            streams_refuse(s, sig);
        } else if (sig->kind >= SIGNAL_LINK || sig->kind == SIGNAL_CALL) {
            links_refuse(s, self, sig);
        }
    }
}

static void free_all(struct sched *s, struct signal *sig) {
    while (sig) {
        struct signal *next = sig->next;
        signal_destroy(s, sig);
        sig = next;
    }
}

bool mailbox_close(struct sched *s, struct process *p) {
    uint64_t tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
    uint64_t next = (tag >> PID_INDEX_BITS) + 1;
    rusm_pid self = process_pid(p);
    struct signal *top;
    do {
        SIM_POINT();
        tag = atomic_load_explicit(&p->mailbox.tag, memory_order_relaxed);
        top = atomic_load_explicit(&p->mailbox.top, memory_order_relaxed);
    } while (!word_cas(&p->mailbox, top, tag, NULL, next << PID_INDEX_BITS));
    RUSM_DASSERT(top != MAILBOX_WAITING);
    struct signal *newer = reversed(top, p->seen);
    forget_seen(s, p->seen, p->seen_done);
    p->seen = NULL;
    refuse_all(s, self, newer);
    free_all(s, newer);
    free_all(s, p->head);
    p->head = NULL;
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    if (ext) {
        free_all(s, ext->stash_head);
        ext->stash_head = NULL;
        resume_all(s, ext);
    }
    return next < PID_GENERATION_MAX;
}
