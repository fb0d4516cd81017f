/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Which events there are, how many are let through, and where they go. */
#include "otp/log_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/mailbox_internal.h"
#include "otp/supervisor_internal.h"
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* An event and the line made of it. On the heap: what is left of a stack may be little. */
struct report {
    struct rusm_event event;
    char line[RUSM_EVENT_LINE_MAX];
    struct rusm_exit_reason reason;
};

_Static_assert(MAILBOX_SIZES_MAX == RUSM_EVENT_MESSAGES_MAX, "an event holds the sizes");

/* ---- how many ---- */

/* The word log_window: the number of a second, and how many events it has had. */
#define COUNT_BITS 20u
#define COUNT_MASK (((uint64_t)1 << COUNT_BITS) - 1)

static void count_dropped(struct rusm_runtime *rt, struct sched *s) {
    if (s) {
        counter_add(&s->counters.log_dropped, 1);
    } else {
        atomic_fetch_add_explicit(&rt->log_dropped_outside, 1, memory_order_relaxed);
    }
}

static uint64_t current_second(struct rusm_runtime *rt, struct sched *s) {
    uint64_t ms = s ? s->wheel.now_ms : (clock_mono_ns() - rt->start_ns) / 1000000;
    return ms / 1000 + 1;
}

/* Whether one more event may be reported now. The first of a second tells what was dropped. */
static bool admit(struct rusm_runtime *rt, struct sched *s) {
    uint64_t second = current_second(rt, s);
    uint64_t word = atomic_load_explicit(&rt->log_window, memory_order_relaxed);
    for (;;) {
        bool is_first = second > word >> COUNT_BITS;
        if (!is_first && (word & COUNT_MASK) >= rt->config.log_events_max) {
            count_dropped(rt, s);
            return false;
        }
        uint64_t next = is_first ? second << COUNT_BITS | 1 : word + 1;
        if (atomic_compare_exchange_weak_explicit(&rt->log_window, &word, next,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            if (is_first) {
                log_dropped(rt, s);
            }
            return true;
        }
    }
}

/* ---- where to ---- */

static void write_line(enum rusm_log_level level, enum rusm_log_format format, char *line,
                       size_t len) {
    char text[32];
    struct iovec parts[2] = {{.iov_base = text}, {.iov_base = line, .iov_len = len + 1}};
    if (format == RUSM_LOG_TEXT) {
        parts[0].iov_len =
            (size_t)(stpcpy(stpcpy(stpcpy(text, "rusm: "), rusm_log_level_name(level)), ": ") -
                     text);
    }
    line[len] = '\n';
    ssize_t written = writev(STDERR_FILENO, parts, 2); /* one call, so that lines stay whole */
    (void)written;                                     /* nobody to tell */
}

/* Frees `report`. */
static void emit(struct rusm_runtime *rt, struct report *report) {
    const struct rusm_config *config = &rt->config;
    struct rusm_event *event = &report->event;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    event->unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (config->log_event) {
        config->log_event(config->log_arg, event);
    } else {
        size_t len = rusm_event_format(event, config->log_format, report->line);
        if (config->log) {
            config->log(config->log_arg, event->level, report->line);
        } else {
            write_line(event->level, config->log_format, report->line, len);
        }
    }
    rusm_free(report);
}

static struct report *report_create(struct rusm_runtime *rt, struct sched *s,
                                    enum rusm_event_kind kind, enum rusm_log_level level) {
    struct report *report = rusm_alloc(sizeof *report);
    if (!report) {
        count_dropped(rt, s);
        return NULL;
    }
    memset(&report->event, 0, sizeof report->event);
    report->event.kind = kind;
    report->event.level = level;
    return report;
}

/* A report to be filled in and emitted; NULL if there is to be none. */
static struct report *begin(struct rusm_runtime *rt, struct sched *s, enum rusm_event_kind kind,
                            enum rusm_log_level level) {
    return rt->config.log_level >= level && admit(rt, s) ? report_create(rt, s, kind, level) : NULL;
}

void log_dropped(struct rusm_runtime *rt, struct sched *s) {
    uint64_t total = atomic_load_explicit(&rt->log_dropped_outside, memory_order_relaxed);
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        total += counter_get(&rt->scheds[i].counters.log_dropped);
    }
    uint64_t told = atomic_exchange_explicit(&rt->log_dropped_told, total, memory_order_relaxed);
    if (total > told && rt->config.log_level >= RUSM_LOG_WARN) {
        struct report *report = report_create(rt, s, RUSM_EVENT_DROPPED, RUSM_LOG_WARN);
        if (report) {
            report->event.dropped = total - told;
            emit(rt, report);
        }
    }
}

/* ---- what ---- */

static struct sched *sched_of(struct rusm_runtime *rt) {
    struct sched *s = sched_tls;
    return s && s->rt == rt ? s : NULL;
}

static void name_process(struct process *p, struct rusm_event_process *out) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_acquire);
    if (ext) {
        text_get(&ext->name, out->name);
        text_get(&ext->label, out->label);
    }
}

/* Those above `p`, up to `max` and as far as they live. */
static void find_ancestors(struct rusm_runtime *rt, const struct process *p, uint32_t max,
                           struct rusm_event *event) {
    rusm_pid pid = {counter_get(&p->parent)};
    while (pid.v != 0 && event->ancestor_count < max) {
        struct rusm_event_process *at = &event->ancestors[event->ancestor_count++];
        at->pid = pid;
        struct rusm_process_info info;
        if (rusm_process_info(rt, pid, &info) != RUSM_OK) {
            return;
        }
        memcpy(at->name, info.name, sizeof at->name);
        memcpy(at->label, info.label, sizeof at->label);
        pid = info.parent;
    }
}

static bool is_supervisor(const struct process *p) {
    return process_entry(p) == &supervisor_server;
}

static bool has_name(const struct process *p) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    return ext && ext->name_count > 0;
}

static void describe(struct process *p, struct rusm_event *event) {
    event->process.pid = process_pid(p);
    name_process(p, &event->process);
    event->process_kind =
        (enum rusm_process_kind)atomic_load_explicit(&p->kind, memory_order_relaxed);
    event->is_supervisor = is_supervisor(p);
    event->entry = process_entry(p);
}

__attribute__((noinline, cold)) void log_spawn(struct rusm_runtime *rt, struct sched *s,
                                               struct process *p) {
    bool is_known = is_supervisor(p) || has_name(p);
    struct report *report = begin(rt, s, is_known ? RUSM_EVENT_START : RUSM_EVENT_SPAWN,
                                  is_known ? RUSM_LOG_INFO : RUSM_LOG_DEBUG);
    if (report) {
        describe(p, &report->event);
        find_ancestors(rt, p, 1, &report->event);
        emit(rt, report);
    }
}

/* Not those who end of another's exit signal. */
static bool has_crashed(const struct process *p, const struct rusm_exit_reason *reason) {
    struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
    bool by_signal = ext && ext->exit_signal && reason == &ext->exit_signal->down.reason;
    return !by_signal && log_level_of_end(reason) == RUSM_LOG_ERROR;
}

static void describe_mailbox(struct process *p, struct rusm_event *event) {
    if (p->current) {
        event->has_received = true;
        event->received_bytes = p->current->len;
    }
    event->mailbox_depth = mailbox_depth(p);
    event->message_count = mailbox_sizes(p, event->message_bytes);
}

__attribute__((noinline, cold)) void log_end(struct sched *s, struct process *p,
                                             const struct rusm_exit_reason *reason) {
    bool crashed = has_crashed(p, reason);
    bool is_known = is_supervisor(p) || has_name(p);
    enum rusm_event_kind kind = crashed    ? RUSM_EVENT_CRASH
                                : is_known ? RUSM_EVENT_STOP
                                           : RUSM_EVENT_EXIT;
    enum rusm_log_level level = crashed && reason->kind == RUSM_EXIT_ERROR ? RUSM_LOG_ERROR
                                : crashed                                  ? RUSM_LOG_WARN
                                : is_known                                 ? RUSM_LOG_INFO
                                                                           : RUSM_LOG_DEBUG;
    struct report *report = begin(s->rt, s, kind, level);
    if (!report) {
        return;
    }
    describe(p, &report->event);
    report->event.reason = reason;
    if (crashed) {
        describe_mailbox(p, &report->event);
        find_ancestors(s->rt, p, RUSM_EVENT_ANCESTORS_MAX, &report->event);
    }
    emit(s->rt, report);
}

__attribute__((noinline, cold)) void log_register(struct rusm_runtime *rt, rusm_pid pid,
                                                  const char *name) {
    struct report *report = begin(rt, sched_of(rt), RUSM_EVENT_REGISTER, RUSM_LOG_INFO);
    struct rusm_process_info info;
    if (!report) {
        return;
    }
    struct rusm_event *event = &report->event;
    event->process.pid = pid;
    if (rusm_process_info(rt, pid, &info) == RUSM_OK) {
        memcpy(event->process.label, info.label, sizeof info.label);
        event->process_kind = info.kind;
        event->is_supervisor = info.is_supervisor;
        event->entry = info.entry;
    }
    memcpy(event->process.name, name, strnlen(name, RUSM_NAME_BYTES_MAX));
    emit(rt, report);
}

__attribute__((noinline, cold)) void log_restart(enum rusm_event_kind kind, const char *child_id,
                                                 rusm_pid child, enum rusm_exit_kind why,
                                                 uint32_t restarts) {
    struct sched *s = sched_current();
    struct report *report =
        begin(s->rt, s, kind, kind == RUSM_EVENT_GIVE_UP ? RUSM_LOG_ERROR : RUSM_LOG_WARN);
    if (!report) {
        return;
    }
    struct rusm_event *event = &report->event;
    describe(s->current, event);
    report->reason = (struct rusm_exit_reason){why, NULL, 0};
    event->reason = &report->reason;
    memcpy(event->child_id, child_id, strnlen(child_id, RUSM_NAME_BYTES_MAX));
    event->child = child;
    event->restarts = restarts;
    emit(s->rt, report);
}

void log_long_run(struct rusm_runtime *rt, const struct rusm_process_info *info, uint32_t over_ms) {
    struct report *report = begin(rt, sched_of(rt), RUSM_EVENT_LONG_RUN, RUSM_LOG_WARN);
    if (!report) {
        return;
    }
    struct rusm_event *event = &report->event;
    event->process.pid = info->pid;
    memcpy(event->process.name, info->name, sizeof info->name);
    memcpy(event->process.label, info->label, sizeof info->label);
    event->scheduler = info->scheduler;
    event->over_ms = over_ms;
    emit(rt, report);
}
