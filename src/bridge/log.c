/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Lines that guests log. */
#include "base/utf8.h"
#include "bridge/bridge_internal.h"
#include <rusm/log.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A line to standard error is cut at this. */
#define LINE_BYTES_MAX 8192u

struct line {
    size_t len;
    char bytes[LINE_BYTES_MAX];
};

static void put(struct line *line, const void *bytes, size_t len) {
    if (len < sizeof line->bytes - line->len) { /* one is left for the newline */
        memcpy(line->bytes + line->len, bytes, len);
        line->len += len;
    }
}

/* A control character, the C1 ones included. */
static bool is_control(const uint8_t *at, size_t len) {
    return at[0] < 0x20 || at[0] == 0x7f || (len == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

/* Further lines are indented and control characters replaced, so that no guest can write a line
 * that looks like another one's. */
static void put_text(struct line *line, const void *text, size_t text_len) {
    const uint8_t *at = text;
    for (size_t len; text_len > 0; at += len, text_len -= len) {
        len = utf8_length(at, text_len);
        if (*at == '\n') {
            put(line, "\n  ", 3);
        } else if (len == 0 || (is_control(at, len) && *at != '\t')) {
            put(line, "?", 1);
            len = len ? len : 1;
        } else {
            put(line, at, len);
        }
    }
}

/* One write, so that lines of several threads do not mix. */
static void write_to_stderr(const struct rusm_guest_line *from) {
    struct line line = {.len = 0};
    struct timespec now;
    struct tm utc;
    char head[128];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(head + len, sizeof head - len, ".%03ldZ %-5s ", now.tv_nsec / 1000000,
                   rusm_log_level_name(from->level));
    put_text(&line, head, strlen(head));
    put_text(&line, from->label, strlen(from->label));
    (void)snprintf(head, sizeof head, "#%llu ", (unsigned long long)from->pid.v);
    put_text(&line, head, strlen(head));
    put_text(&line, from->text, from->text_bytes);
    line.bytes[line.len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line.bytes, line.len);
    (void)written; /* there is nowhere left to tell it */
}

#define GUEST_LEVELS 4u

/* A guest's level: 0 is an error, 3 is debug. */
static void do_log(const struct guest *guest, uint64_t guest_level, struct rwt_slice text) {
    static const enum rusm_log_level levels[GUEST_LEVELS] = {RUSM_LOG_ERROR, RUSM_LOG_WARN,
                                                             RUSM_LOG_INFO, RUSM_LOG_DEBUG};
    const struct rusm_wasm_config *config = wasm_config(guest_wasm(guest));
    enum rusm_log_level level = levels[guest_level];
    if (level > config->log_level) {
        return;
    }
    struct rusm_process_info info;
    const struct rusm_guest_line line = {
        .pid = rusm_self(),
        .level = level,
        .label = rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK ? info.label : "",
        .text = (const char *)text.data,
        .text_bytes = text.len,
    };
    if (config->log) {
        config->log(config->log_arg, &line);
    } else {
        write_to_stderr(&line);
    }
}

static enum rwt_status core_log(struct rwt_core_call *call) {
    struct rwt_slice text;
    enum rwt_status status;
    uint32_t level = (uint32_t)call->values[0].i32;
    if (level >= GUEST_LEVELS) {
        return core_trap(call, BRIDGE_TEXT("log: there is no such level"));
    }
    if (!core_text(call, call->values[1].i32, call->values[2].i32, &text, &status)) {
        return status;
    }
    do_log(call->guest, level, text);
    return guest_done();
}

static enum rwt_status component_log(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)ret;
    do_log(guest, args[0].number, args[1].bytes);
    return guest_done();
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "log", "iii:", core_log, false},
};
static const struct rwt_component_func component_funcs[] = {
    {"rusm:runtime/log@0.1.0", "log", "ls:", component_log, false},
};

const struct wasm_bridge bridge_log = {
    .name = "log",
    .core = core_funcs,
    .core_count = sizeof core_funcs / sizeof core_funcs[0],
    .component = component_funcs,
    .component_count = sizeof component_funcs / sizeof component_funcs[0],
};
