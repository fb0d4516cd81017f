/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Lines that guests log. */
#include "bridge/bridge_internal.h"
#include <rusm/introspect.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A line to standard error is cut at this. */
#define LINE_BYTES_MAX 8192u

struct line {
    size_t len;
    char bytes[LINE_BYTES_MAX];
};

static void put(struct line *line, char byte) {
    if (line->len < sizeof line->bytes - 1) {
        line->bytes[line->len++] = byte;
    }
}

/* Further lines are indented and other control characters replaced, so that no guest can write a
 * line that looks like another one's. */
static void put_text(struct line *line, struct rwt_slice text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '\n') {
            put(line, '\n');
            put(line, ' ');
            put(line, ' ');
        } else {
            put(line, byte == '\t' || (byte >= 0x20 && byte != 0x7f) ? (char)byte : '?');
        }
    }
}

static const char *level_name(enum rusm_log_level level) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    return names[level];
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
                   level_name(from->level));
    put_text(&line, (struct rwt_slice){(const uint8_t *)head, strlen(head)});
    put_text(&line, (struct rwt_slice){(const uint8_t *)from->label, strlen(from->label)});
    (void)snprintf(head, sizeof head, "#%llu ", (unsigned long long)from->pid.v);
    put_text(&line, (struct rwt_slice){(const uint8_t *)head, strlen(head)});
    put_text(&line, (struct rwt_slice){(const uint8_t *)from->text, from->text_bytes});
    line.bytes[line.len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line.bytes, line.len);
    (void)written; /* there is nowhere left to tell it */
}

static void do_log(const struct guest *guest, enum rusm_log_level level, struct rwt_slice text) {
    const struct rusm_wasm_config *config = wasm_config(guest_wasm(guest));
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
    if (level > RUSM_LOG_DEBUG) {
        return core_trap(call, BRIDGE_TEXT("log: there is no such level"));
    }
    if (!core_text(call, call->values[1].i32, call->values[2].i32, &text, &status)) {
        return status;
    }
    do_log(call->guest, (enum rusm_log_level)level, text);
    return guest_done();
}

static enum rwt_status component_log(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)ret;
    do_log(guest, (enum rusm_log_level)args[0].number, args[1].bytes);
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
