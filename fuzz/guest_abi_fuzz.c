/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Host functions, called by a guest that may do all, in any order and with any numbers. Whatever
 * comes: the node stays, every process ends when it is killed, nothing is left of it.
 *
 * The input is a sequence of calls: a byte says which function, and one for each of its parameters
 * what is given: an address or length at or around a border, a pid, what the last call answered, or
 * the next eight bytes of the input. A call that waits gets a message, and if that is not it, the
 * guest is killed.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "bridge/test_puppet_internal.h"
#include "fuzz/fuzz.h"

#include <rusm/introspect.h>
#include <rusm/link.h>
#include <rusm/wasm.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define CALLS_MAX   64u
#define MEMORY_SIZE 65536

/* Names, tags and texts; calls refer to them by address. */
static const char strings[] = "idle\0ends\0traps\0template\0name\0tag\0\xff\xfe\0{\"__down\":\"";

struct world {
    rusm_runtime *rt;
    rusm_wasm *wasm;
};

struct input {
    const uint8_t *at;
    size_t left;
    rusm_wasm *wasm;
    rusm_pid other; /* a process that receives for ever */
    int64_t answer; /* of the last call */
    _Atomic bool over;
};

static void load(rusm_wasm *wasm, const char *name, const char *text) {
    const struct rusm_program_spec spec = {.name = name,
                                           .wasm = text,
                                           .wasm_bytes = text ? strlen(text) : 0,
                                           .capability = "trusted",
                                           .is_template = text == NULL};
    rusm_program *program = NULL;
    enum rusm_err err = rusm_program_load(wasm, &spec, &program, NULL);
    RUSM_ASSERT(err == RUSM_OK);
    rusm_program_release(program);
}

static void drop_line(void *arg, const struct rusm_guest_line *line) {
    (void)arg;
    RUSM_ASSERT(line->text_bytes <= MEMORY_SIZE);
}

/* Made by the first input, for all: compiling takes longer than thousands of calls. */
static const struct world *the_world(void) {
    static struct world world;
    if (world.rt) {
        return &world;
    }
    struct rusm_config config;
    struct rusm_wasm_config wasm_config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.stack_bytes = 1 << 18;
    config.processes_max = 4096;
    config.message_bytes_max = MEMORY_SIZE / 2;
    config.log_level = RUSM_LOG_OFF;
    rusm_wasm_config_init(&wasm_config);
    wasm_config.instances_max = 64;
    wasm_config.cache_dir = "";
    wasm_config.log = drop_line;
    enum rusm_err err = rusm_runtime_create(&config, &world.rt);
    RUSM_ASSERT(err == RUSM_OK);
    err = rusm_wasm_create(world.rt, &wasm_config, &world.wasm, NULL);
    RUSM_ASSERT(err == RUSM_OK);
    char *puppet = puppet_module();
    load(world.wasm, "puppet", puppet);
    load(world.wasm, "idle",
         "(module (import \"rusm\" \"receive\" (func $r (param i32 i32) (result i32)))"
         "(memory (export \"memory\") 1) (func (export \"run\") (loop $n"
         "(drop (call $r (i32.const 0) (i32.const 9))) (br $n))))");
    load(world.wasm, "ends", "(module (func (export \"run\")))");
    load(world.wasm, "traps", "(module (func (export \"run\") unreachable))");
    load(world.wasm, "template", NULL);
    rusm_free(puppet);
    return &world;
}

static uint8_t next_byte(struct input *input) {
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

static int64_t next_number(struct input *input, rusm_pid puppet) {
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      2,
                                      3,
                                      5,
                                      8,
                                      63,
                                      64,
                                      256,
                                      257,
                                      4,
                                      PUPPET_DATA,
                                      PUPPET_OUT,
                                      PUPPET_DATA + 5,
                                      MEMORY_SIZE,
                                      MEMORY_SIZE - 1,
                                      MEMORY_SIZE + 1,
                                      MEMORY_SIZE - 8,
                                      MEMORY_SIZE / 2 + 1,
                                      INT32_MAX,
                                      INT32_MIN,
                                      UINT32_MAX,
                                      INT64_MAX,
                                      INT64_MIN,
                                      1 << 29,
                                      (1 << 29) + 1};
    uint8_t what = next_byte(input);
    size_t count = sizeof numbers / sizeof numbers[0];
    if (what < count) {
        return numbers[what];
    }
    if (what < 0x80) {
        return PUPPET_DATA + what; /* somewhere in the strings */
    }
    switch (what % 4) {
    case 0:
        return (int64_t)puppet.v;
    case 1:
        return (int64_t)input->other.v;
    case 2:
        return input->answer;
    default:
        break;
    }
    int64_t number = 0;
    for (size_t i = 0; i < sizeof number; i++) {
        number = (int64_t)((uint64_t)number << 8 | next_byte(input));
    }
    return number;
}

/* An answer or the end are there. */
static bool has_news(rusm_pid puppet) {
    struct rusm_process_info info;
    bool waits = rusm_process_info(NULL, puppet, &info) == RUSM_OK && info.wait != RUSM_WAIT_NONE;
    struct rusm_process_info own;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &own) == RUSM_OK);
    return own.mailbox_depth > 0 || waits;
}

static bool is_answer(void *arg, const struct rusm_msg *msg) {
    const rusm_pid *puppet = arg;
    return msg->kind == RUSM_MSG_DOWN ? rusm_msg_down(msg)->pid.v == puppet->v
                                      : msg->len >= 16 && memcmp(msg->data, "ret:", 4) == 0;
}

/* False once the puppet has ended. */
static bool call(struct input *input, rusm_pid puppet) {
    uint32_t function = next_byte(input) % (uint32_t)puppet_function_count();
    const char *type = puppet_function_type(function);
    int64_t args[PUPPET_ARGS_MAX] = {0};
    for (int i = 0; type[i] != ':'; i++) {
        args[i] = next_number(input, puppet);
    }
    puppet_tell_index(puppet, function, strings, sizeof strings, args);
    for (int waits = 0; waits < 3; waits++) {
        while (!has_news(puppet)) {
            rusm_yield();
        }
        const struct rusm_msg *msg = rusm_receive_match(is_answer, &puppet, 0);
        if (msg) {
            if (msg->kind != RUSM_MSG_DOWN) {
                memcpy(&input->answer, (const uint8_t *)msg->data + 8, sizeof input->answer);
            }
            return msg->kind != RUSM_MSG_DOWN;
        }
        while (rusm_receive_timeout(0)) {
        }
        /* It waits for something else than a command. */
        (void)rusm_send(puppet, strings, 5);
    }
    (void)rusm_kill(NULL, puppet);
    return false;
}

static void wait_for_ever(void *arg) {
    (void)arg;
    for (;;) {
        (void)rusm_receive();
    }
}

static void drive(void *arg) {
    struct input *input = arg;
    rusm_program *program = rusm_program_find(input->wasm, "puppet");
    rusm_pid puppet = {0};
    rusm_ref ref;
    RUSM_ASSERT(rusm_spawn(NULL, wait_for_ever, NULL, NULL, &input->other) == RUSM_OK);
    RUSM_ASSERT(rusm_spawn_guest_monitor(program, NULL, &puppet, &ref) == RUSM_OK);
    rusm_program_release(program);
    (void)rusm_trap_exit(true);
    for (uint32_t i = 0; i < CALLS_MAX && input->left > 0 && call(input, puppet); i++) {
    }
}

static void is_over(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct input *input = arg;
    (void)pid;
    (void)reason;
    atomic_store_explicit(&input->over, true, memory_order_release);
}

static bool kill_one(void *arg, rusm_pid pid) {
    (void)rusm_kill(arg, pid);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct world *world = the_world();
    struct input input = {.at = data, .left = size, .wasm = world->wasm};
    const struct rusm_spawn_opts opts = {.on_exit = is_over, .on_exit_arg = &input};
    RUSM_ASSERT(rusm_spawn(world->rt, drive, &input, &opts, NULL) == RUSM_OK);
    /* Acquire: the driver, which a guest may have killed, does not touch the input any more. */
    while (!atomic_load_explicit(&input.over, memory_order_acquire)) {
        sched_yield();
    }
    /* Supervisors may be about to start others. */
    struct rusm_runtime_info info;
    for (;;) {
        rusm_runtime_info(world->rt, &info);
        if (info.process_count == 0) {
            break;
        }
        rusm_process_each(world->rt, kill_one, world->rt);
        sched_yield();
    }
    struct rusm_wasm_info guests;
    rusm_wasm_info(world->wasm, &guests);
    RUSM_ASSERT(guests.instances == 0 && guests.memory_bytes == 0);
    RUSM_ASSERT(info.names == 0 && info.groups == 0);
    return 0;
}
