/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Events as lines. No stdio: a line is made on whatever stack a process has left. */
#include "base/assert.h"
#include "base/utf8.h"
#include <dlfcn.h>
#include <rusm/log.h>
#include <string.h>

/* Longest part of a file's or symbol's name that is shown. */
#define SYMBOL_BYTES_MAX 127u

/*
 * The largest line, JSON: nine processes with two texts of 63 bytes of six characters each, a
 * child's id, an entry, a payload; and less than 2,048 for keys and numbers.
 */
_Static_assert((2 * (1 + RUSM_EVENT_ANCESTORS_MAX) + 1) * RUSM_NAME_BYTES_MAX * 6 +
                       (SYMBOL_BYTES_MAX + RUSM_EVENT_PAYLOAD_MAX) * 6 + 2048 <=
                   RUSM_EVENT_LINE_MAX,
               "every line fits");

struct writer {
    char *start;
    char *at;
};

static const char *const level_names[] = {"off", "error", "warn", "info", "debug"};
static const char *const event_names[] = {"spawn", "exit",    "start",   "stop",     "register",
                                          "crash", "restart", "give_up", "long_run", "dropped"};
static const char *const reason_names[] = {"normal", "killed", "shutdown",
                                           "error",  "limit",  "noproc"};
static const char *const kind_names[] = {"fiber", "server", "step"};

const char *rusm_log_level_name(enum rusm_log_level level) {
    RUSM_ASSERT(level <= RUSM_LOG_DEBUG);
    return level_names[level];
}

static void put_char(struct writer *w, char c) {
    RUSM_DASSERT(w->at - w->start < (ptrdiff_t)RUSM_EVENT_LINE_MAX - 1);
    *w->at++ = c;
}

static void put(struct writer *w, const char *text) {
    while (*text) {
        put_char(w, *text++);
    }
}

static void put_number(struct writer *w, uint64_t value) {
    char digits[20];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        put_char(w, digits[--count]);
    }
}

static void put_hex(struct writer *w, uint64_t value, uint32_t digits) {
    while (digits > 0) {
        put_char(w, "0123456789abcdef"[value >> (4 * --digits) & 15]);
    }
}

/* Control characters, the C1 ones of UTF-8 included: a terminal would obey them. */
static bool is_control(const unsigned char *at, size_t len) {
    return at[0] < 0x20 || at[0] == 0x7f || (len == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

static void escape(struct writer *w, const unsigned char *at, size_t len, bool json) {
    if (!json) {
        for (size_t i = 0; i < len; i++) {
            put(w, "\\x");
            put_hex(w, at[i], 2);
        }
        return;
    }
    put(w, "\\u");
    put_hex(w, len == 2 ? at[1] : at[0], 4); /* U+0080 to U+009F end in their second byte */
}

/* Any bytes, in quotes. */
static void put_quoted(struct writer *w, const void *bytes, size_t bytes_len, bool json) {
    const unsigned char *at = bytes;
    put_char(w, '"');
    for (size_t left = bytes_len; left > 0;) {
        size_t len = utf8_length(at, left);
        if (len == 0) {
            len = 1;
            if (json) {
                put(w, "\\ufffd");
            } else {
                escape(w, at, 1, false);
            }
        } else if (is_control(at, len)) {
            escape(w, at, len, json);
        } else {
            if (*at == '"' || *at == '\\') {
                put_char(w, '\\');
            }
            for (size_t i = 0; i < len; i++) {
                put_char(w, (char)at[i]);
            }
        }
        at += len;
        left -= len;
    }
    put_char(w, '"');
}

/* A symbol, or the file and the offset in it. False if neither is known. */
static bool find_entry(const void *entry, const char **name, size_t *len, uint64_t *offset) {
    Dl_info info;
    if (!entry || !dladdr(entry, &info)) {
        return false;
    }
    *offset = 0;
    if (info.dli_sname && info.dli_saddr == entry) {
        *name = info.dli_sname;
    } else if (info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        *name = slash ? slash + 1 : info.dli_fname;
        *offset = (uint64_t)((const char *)entry - (const char *)info.dli_fbase);
    } else {
        return false;
    }
    *len = strnlen(*name, SYMBOL_BYTES_MAX);
    return true;
}

/* ---- text ---- */

static void put_process(struct writer *w, const struct rusm_event_process *process) {
    put_number(w, process->pid.v);
    if (process->name[0]) {
        put_char(w, ' ');
        put_quoted(w, process->name, strlen(process->name), false);
    }
    if (process->label[0] && strcmp(process->label, process->name) != 0) {
        put_char(w, ' ');
        put_quoted(w, process->label, strlen(process->label), false);
    }
}

static void put_reason(struct writer *w, const struct rusm_exit_reason *reason) {
    put(w, reason_names[reason->kind]);
    if (reason->payload_bytes > 0) {
        bool cut = reason->payload_bytes > RUSM_EVENT_PAYLOAD_MAX;
        put_char(w, ' ');
        put_quoted(w, reason->payload, cut ? RUSM_EVENT_PAYLOAD_MAX : reason->payload_bytes, false);
        if (cut) {
            put(w, "... (");
            put_number(w, reason->payload_bytes);
            put(w, " bytes)");
        }
    }
}

static void put_entry(struct writer *w, const void *entry) {
    const char *name;
    size_t len;
    uint64_t offset;
    if (find_entry(entry, &name, &len, &offset)) {
        put(w, "; entry ");
        for (size_t i = 0; i < len; i++) {
            char c = name[i];
            put_char(w, (char)(c >= ' ' && c <= '~' ? c : '?'));
        }
        if (offset > 0) {
            put(w, "+0x");
            put_hex(w, offset, 8);
        }
    }
}

static void put_crash(struct writer *w, const struct rusm_event *event) {
    put(w, " crashed: ");
    put_reason(w, event->reason);
    put_entry(w, event->entry);
    if (event->has_received) {
        put(w, "; received last ");
        put_number(w, event->received_bytes);
        put(w, " bytes");
    }
    put(w, "; ");
    put_number(w, event->mailbox_depth);
    put(w, " waiting");
    for (uint32_t i = 0; i < event->message_count; i++) {
        put(w, i == 0 ? " (" : ", ");
        put_number(w, event->message_bytes[i]);
    }
    put(w, event->message_count > 0 ? " bytes)" : "");
    for (uint32_t i = 0; i < event->ancestor_count; i++) {
        put(w, i == 0 ? "; ancestors " : ", ");
        put_process(w, &event->ancestors[i]);
    }
}

static void put_restart(struct writer *w, const struct rusm_event *event) {
    put(w, event->kind == RUSM_EVENT_RESTART ? " restarts child" : " gives up on child");
    if (event->child_id[0]) {
        put_char(w, ' ');
        put_quoted(w, event->child_id, strlen(event->child_id), false);
    }
    put(w, ", ");
    if (event->child.v != 0) {
        put(w, "which was ");
        put_number(w, event->child.v);
        put(w, " and ended: ");
        put(w, reason_names[event->reason->kind]);
    } else {
        put(w, "which did not start");
    }
    if (event->kind == RUSM_EVENT_RESTART) {
        put(w, "; restart ");
        put_number(w, event->restarts);
    } else {
        put(w, "; more restarts than it allows");
    }
}

static void put_text(struct writer *w, const struct rusm_event *event) {
    if (event->kind == RUSM_EVENT_DROPPED) {
        put_number(w, event->dropped);
        put(w,
            " events were not logged: more than rusm_config.log_events_max a second, or no memory");
        return;
    }
    put(w, event->is_supervisor ? "supervisor " : "process ");
    put_process(w, &event->process);
    switch (event->kind) {
    case RUSM_EVENT_SPAWN:
    case RUSM_EVENT_START:
        put(w, event->kind == RUSM_EVENT_SPAWN ? " spawned" : " started");
        if (event->ancestor_count > 0) {
            put(w, " by ");
            put_process(w, &event->ancestors[0]);
        }
        put_entry(w, event->entry);
        break;
    case RUSM_EVENT_EXIT:
    case RUSM_EVENT_STOP:
        put(w, event->kind == RUSM_EVENT_EXIT ? " ended: " : " stopped: ");
        put_reason(w, event->reason);
        break;
    case RUSM_EVENT_REGISTER:
        put(w, " registered");
        break;
    case RUSM_EVENT_CRASH:
        put_crash(w, event);
        break;
    case RUSM_EVENT_RESTART:
    case RUSM_EVENT_GIVE_UP:
        put_restart(w, event);
        break;
    case RUSM_EVENT_LONG_RUN:
        put(w, " has held scheduler ");
        put_number(w, event->scheduler);
        put(w, " for over ");
        put_number(w, event->over_ms);
        put(w, " ms; work that blocks belongs in rusm_blocking, long computation calls rusm_yield");
        break;
    case RUSM_EVENT_DROPPED:
        break;
    }
}

/* ---- JSON ---- */

/* A member's key; every object's first member is written without it. */
static void key(struct writer *w, const char *name) {
    put(w, ",\"");
    put(w, name);
    put(w, "\":");
}

static void member_text(struct writer *w, const char *name, const char *text) {
    if (text[0]) {
        key(w, name);
        put_quoted(w, text, strlen(text), true);
    }
}

static void member_number(struct writer *w, const char *name, uint64_t value) {
    key(w, name);
    put_number(w, value);
}

/* pid, name, label: in the middle of an object, or as one of its own. */
static void members_process(struct writer *w, const struct rusm_event_process *process) {
    put(w, "\"pid\":\"");
    put_number(w, process->pid.v);
    put_char(w, '"');
    member_text(w, "name", process->name);
    member_text(w, "label", process->label);
}

static void members_body(struct writer *w, const struct rusm_event *event) {
    member_text(w, "kind", kind_names[event->process_kind]);
    key(w, "supervisor");
    put(w, event->is_supervisor ? "true" : "false");
    const char *name;
    size_t len;
    uint64_t offset;
    if (find_entry(event->entry, &name, &len, &offset)) {
        key(w, "entry");
        put_quoted(w, name, len, true);
        if (offset > 0) {
            w->at--; /* the offset stands within the quotes */
            put(w, "+0x");
            put_hex(w, offset, 8);
            put_char(w, '"');
        }
    }
    for (uint32_t i = 0; i < event->ancestor_count; i++) {
        put(w, i == 0 ? ",\"ancestors\":[{" : ",{");
        members_process(w, &event->ancestors[i]);
        put_char(w, '}');
    }
    put(w, event->ancestor_count > 0 ? "]" : "");
}

static void members_reason(struct writer *w, const struct rusm_exit_reason *reason) {
    member_text(w, "reason", reason_names[reason->kind]);
    if (reason->payload_bytes > 0) {
        bool cut = reason->payload_bytes > RUSM_EVENT_PAYLOAD_MAX;
        key(w, "payload");
        put_quoted(w, reason->payload, cut ? RUSM_EVENT_PAYLOAD_MAX : reason->payload_bytes, true);
        member_number(w, "payload_bytes", reason->payload_bytes);
    }
}

static void members_mailbox(struct writer *w, const struct rusm_event *event) {
    if (event->has_received) {
        member_number(w, "received_bytes", event->received_bytes);
    }
    member_number(w, "mailbox", event->mailbox_depth);
    put(w, ",\"message_bytes\":[");
    for (uint32_t i = 0; i < event->message_count; i++) {
        put(w, i == 0 ? "" : ",");
        put_number(w, event->message_bytes[i]);
    }
    put_char(w, ']');
}

static void members_child(struct writer *w, const struct rusm_event *event) {
    member_text(w, "child_id", event->child_id);
    if (event->child.v != 0) {
        put(w, ",\"child\":\"");
        put_number(w, event->child.v);
        put_char(w, '"');
    }
    member_number(w, "restarts", event->restarts);
}

static void put_json(struct writer *w, const struct rusm_event *event) {
    put(w, "{\"time_ms\":");
    put_number(w, event->unix_ms);
    member_text(w, "level", rusm_log_level_name(event->level));
    member_text(w, "event", event_names[event->kind]);
    if (event->kind == RUSM_EVENT_DROPPED) {
        member_number(w, "dropped", event->dropped);
        put_char(w, '}');
        return;
    }
    put_char(w, ',');
    members_process(w, &event->process);
    if (event->kind <= RUSM_EVENT_CRASH) {
        members_body(w, event);
    }
    if (event->reason) {
        members_reason(w, event->reason);
    }
    if (event->kind == RUSM_EVENT_CRASH) {
        members_mailbox(w, event);
    } else if (event->kind == RUSM_EVENT_RESTART || event->kind == RUSM_EVENT_GIVE_UP) {
        members_child(w, event);
    } else if (event->kind == RUSM_EVENT_LONG_RUN) {
        member_number(w, "scheduler", event->scheduler);
        member_number(w, "over_ms", event->over_ms);
    }
    put_char(w, '}');
}

size_t rusm_event_format(const struct rusm_event *event, enum rusm_log_format format, char *out) {
    RUSM_ASSERT(event && out && event->kind <= RUSM_EVENT_DROPPED);
    struct writer w = {.start = out, .at = out};
    if (format == RUSM_LOG_JSON) {
        put_json(&w, event);
    } else {
        put_text(&w, event);
    }
    RUSM_ASSERT(w.at - out < (ptrdiff_t)RUSM_EVENT_LINE_MAX);
    *w.at = '\0';
    return (size_t)(w.at - out);
}
