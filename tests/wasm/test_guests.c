/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "test_guests_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "wasm/wasm.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX (16u << 20)

static const int trap_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
#define TRAP_SIGNALS (sizeof trap_signals / sizeof trap_signals[0])

void guests_signals(void) {
    static struct sigaction wasmtimes[TRAP_SIGNALS];
    static bool known;
    if (!known) {
        struct rusm_wasm_config config;
        rusm_wasm *wasm = NULL;
        rusm_runtime *rt = start_runtime(1);
        guests_config(&config);
        config.instances_max = 1;
        enum rusm_err err = wasm_create(rt, &config, NULL, 0, &wasm, NULL);
        RUSM_ASSERT(err == RUSM_OK);
        finish_guests(rt, wasm);
    }
    for (size_t i = 0; i < TRAP_SIGNALS; i++) {
        int result =
            sigaction(trap_signals[i], known ? &wasmtimes[i] : NULL, known ? NULL : &wasmtimes[i]);
        RUSM_ASSERT(result == 0);
    }
    known = true;
}

void guests_config(struct rusm_wasm_config *config) {
    rusm_wasm_config_init(config);
    config->instances_max = 32;
    config->cache_dir = "";
}

/* ---- the bridge for tests ---- */

/* The board comes by way of the configuration, which no test uses for logging. */
static struct board *board_of(struct guest *guest) {
    return wasm_config(guest_wasm(guest))->log_arg;
}

static enum rwt_status mark(struct rwt_core_call *call) {
    struct board *board = board_of(call->guest);
    uint32_t at = atomic_fetch_add(&board->places, 1);
    if (at < MARKS_MAX) {
        board->order[at] = rusm_self();
    }
    atomic_fetch_add(&board->marks, 1); /* who waits for it may read the place */
    return guest_done();
}

static enum rwt_status wait_message(struct rwt_core_call *call) {
    return rusm_receive_timeout(0) ? guest_done() : guest_wait_message(call->guest);
}

struct parked {
    bool is_over;
};

static void park_outside(struct guest *guest, void *arg) {
    struct parked *parked = arg;
    (void)guest;
    parked->is_over = otp_wait(RUSM_FOREVER);
}

static enum rwt_status park(struct rwt_core_call *call) {
    struct parked *parked = guest_bridge_state(call->guest, 0);
    if (!parked) {
        parked = rusm_zalloc(sizeof *parked);
        RUSM_ASSERT(parked);
        guest_set_bridge_state(call->guest, 0, parked);
    }
    if (parked->is_over) {
        parked->is_over = false;
        return guest_done();
    }
    return guest_block(call->guest, park_outside, parked);
}

static void free_parked(struct guest *guest, void *state) {
    board_of(guest)->bridge_ends++;
    rusm_free(state);
}

static enum rwt_status exit_guest(struct rwt_core_call *call) {
    struct rwt_slice payload;
    enum rwt_status status;
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &payload, &status)) {
        return status;
    }
    const struct rusm_exit_reason reason = {(enum rusm_exit_kind)call->values[0].i32, payload.data,
                                            (uint32_t)payload.len};
    return guest_exit(call->guest, &reason);
}

static enum rwt_status busy(struct rwt_core_call *call) {
    (void)call;
    return RWT_SPENT;
}

static const struct rwt_core_func test_funcs[] = {
    {"test", "mark", ":", mark, false}, {"test", "wait", ":", wait_message, true},
    {"test", "park", ":", park, true},  {"test", "exit", "iii:", exit_guest, false},
    {"test", "busy", ":", busy, false},
};
static const struct wasm_bridge test_bridge = {
    .name = "test",
    .core = test_funcs,
    .core_count = sizeof test_funcs / sizeof test_funcs[0],
    .guest_end = free_parked,
};

rusm_wasm *start_guests(rusm_runtime *rt, const struct rusm_wasm_config *config,
                        struct board *board) {
    static const struct wasm_bridge *const bridges[] = {&test_bridge};
    struct rusm_wasm_config copy;
    struct rusm_errinfo error;
    rusm_wasm *wasm = NULL;
    guests_signals();
    guests_config(&copy);
    if (config) {
        copy = *config;
    }
    copy.log_arg = board;
    if (wasm_create(rt, &copy, bridges, 1, &wasm, &error) != RUSM_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        RUSM_ASSERT(wasm);
    }
    return wasm;
}

/* ---- programs and guests ---- */

static rusm_program *loaded(enum rusm_err err, rusm_program *program,
                            const struct rusm_errinfo *error) {
    if (err != RUSM_OK) {
        (void)fprintf(stderr, "%s\n", error->text);
    }
    RUSM_ASSERT(err == RUSM_OK);
    return program;
}

rusm_program *load_text_as(rusm_wasm *wasm, const char *text, const char *capability) {
    const struct rusm_program_spec spec = {
        .wasm = text, .wasm_bytes = strlen(text), .capability = capability};
    rusm_program *program = NULL;
    struct rusm_errinfo error;
    enum rusm_err err = rusm_program_load(wasm, &spec, &program, &error);
    return loaded(err, program, &error);
}

rusm_program *load_text(rusm_wasm *wasm, const char *text) {
    return load_text_as(wasm, text, NULL);
}

rusm_program *load_format(rusm_wasm *wasm, const char *format, rusm_pid number) {
    char text[8192];
    char digits[24];
    const char *at = strstr(format, "%llu");
    RUSM_ASSERT(at && strlen(format) + sizeof digits < sizeof text);
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number.v);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - format), format, digits, at + 4);
    return load_text(wasm, text);
}

enum rusm_err try_load_file(rusm_wasm *wasm, const char *folder, const char *name,
                            const struct rusm_program_spec *spec, rusm_program **out,
                            struct rusm_errinfo *error) {
    struct rusm_program_spec with_code = *spec;
    char path[4096];
    uint8_t *code = rusm_alloc(FILE_BYTES_MAX);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
    }
    RUSM_ASSERT(code && file);
    with_code.wasm = code;
    with_code.wasm_bytes = fread(code, 1, FILE_BYTES_MAX, file);
    RUSM_ASSERT(feof(file));
    (void)fclose(file);
    enum rusm_err err = rusm_program_load(wasm, &with_code, out, error);
    rusm_free(code);
    return err;
}

rusm_program *load_file(rusm_wasm *wasm, const char *folder, const char *name,
                        const struct rusm_program_spec *spec) {
    rusm_program *program = NULL;
    struct rusm_errinfo error;
    enum rusm_err err = try_load_file(wasm, folder, name, spec, &program, &error);
    return loaded(err, program, &error);
}

rusm_pid spawn_guest(rusm_program *program, struct exit_record *record) {
    const struct rusm_spawn_opts opts = {.on_exit = record ? record_exit : NULL,
                                         .on_exit_arg = record};
    rusm_pid pid = {0};
    enum rusm_err err = rusm_spawn_guest(program, &opts, &pid);
    RUSM_ASSERT(err == RUSM_OK);
    return pid;
}

rusm_pid run_text(rusm_wasm *wasm, const char *text, struct exit_record *record) {
    rusm_program *program = load_text(wasm, text);
    rusm_pid pid = spawn_guest(program, record);
    rusm_program_release(program);
    return pid;
}

void await_exit(struct exit_record *record) {
    /* Acquire: pairs with record_exit. */
    AWAIT(atomic_load_explicit(&record->count, memory_order_acquire) == 1);
}

bool says(const struct exit_record *record, const char *part) {
    return memmem(record->payload, record->payload_bytes, part, strlen(part)) != NULL;
}

void await_guest(rusm_pid guest, enum rusm_process_wait wait) {
    struct rusm_process_info info = {.wait = RUSM_WAIT_NONE};
    while (rusm_process_info(NULL, guest, &info) == RUSM_OK &&
           (info.wait != wait || info.cpu_ns == 0)) {
        rusm_yield();
    }
}

void hear_link_and_monitor(const char *name, rusm_pid guest, rusm_ref ref, enum rusm_exit_kind kind,
                           const char *says) {
    bool has_exit = false;
    bool has_down = false;
    for (int i = 0; i < 2; i++) {
        const struct rusm_msg *msg = rusm_receive();
        const struct rusm_down *down = rusm_msg_down(msg);
        const char *text = down->reason.payload ? down->reason.payload : "";
        bool is_said = memmem(text, down->reason.payload_bytes, says, strlen(says)) != NULL;
        if (down->reason.kind != kind || !is_said) {
            (void)fprintf(stderr, "%s: kind %u, %.*s\n", name, down->reason.kind,
                          (int)down->reason.payload_bytes, text);
        }
        RUSM_ASSERT(down->pid.v == guest.v && down->reason.kind == kind && is_said);
        bool is_down = msg->kind == RUSM_MSG_DOWN;
        RUSM_ASSERT(!is_down || down->ref.v == ref.v);
        *(is_down ? &has_down : &has_exit) = true;
    }
    RUSM_ASSERT(has_exit && has_down);
}

uint64_t guests_running(rusm_wasm *wasm) {
    struct rusm_wasm_info info;
    rusm_wasm_info(wasm, &info);
    return info.instances;
}

uint64_t guests_waiting(rusm_wasm *wasm) {
    struct rusm_wasm_info info;
    rusm_wasm_info(wasm, &info);
    return info.waiting;
}

void finish_guests(rusm_runtime *rt, rusm_wasm *wasm) {
    struct rusm_wasm_info info;
    rusm_runtime_wait_idle(rt);
    rusm_wasm_info(wasm, &info);
    RUSM_ASSERT(info.instances == 0 && info.waiting == 0 && info.memory_bytes == 0);
    rusm_runtime_destroy(rt);
    rusm_wasm_destroy(wasm);
}
