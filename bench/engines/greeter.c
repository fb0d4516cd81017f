/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "engines/greeter.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <rusm/capability.h>
#include <rusm/introspect.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#define SLOTS        256u /* by pid; guests that share one are counted, and measured less often */
#define SCHEDULERS   64u
#define SAMPLE_EVERY 64u
#define ANSWER_BYTES 128u

struct slot {
    alignas(64) _Atomic uint64_t calls;
    _Atomic uint64_t sampled_pid; /* 0 = no sample is under way */
    _Atomic uint64_t sample_ticks;
};

struct greeter {
    struct slot slots[SLOTS];
    struct histogram *latency[SCHEDULERS]; /* owned; written on that scheduler */
};

static void record(struct greeter *greeter, uint64_t start_ticks) {
    struct rusm_process_info info;
    if (rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK && info.scheduler < SCHEDULERS) {
        histogram_record(greeter->latency[info.scheduler],
                         clock_ticks_to_ns(clock_ticks() - start_ticks));
    }
}

/* One call in SAMPLE_EVERY begins a sample, which the guest's next call ends. */
static void count(struct greeter *greeter, rusm_pid self) {
    struct slot *slot = &greeter->slots[self.v % SLOTS];
    uint64_t calls = atomic_fetch_add_explicit(&slot->calls, 1, memory_order_relaxed);
    if (calls % SAMPLE_EVERY == 0) {
        atomic_store_explicit(&slot->sample_ticks, clock_ticks(), memory_order_relaxed);
        atomic_store_explicit(&slot->sampled_pid, self.v, memory_order_relaxed);
    } else if (calls % SAMPLE_EVERY == 1 &&
               atomic_load_explicit(&slot->sampled_pid, memory_order_relaxed) == self.v) {
        record(greeter, atomic_load_explicit(&slot->sample_ticks, memory_order_relaxed));
        atomic_store_explicit(&slot->sampled_pid, 0, memory_order_relaxed);
    }
}

static enum rusm_err greet(struct rusm_bridge_call *call) {
    static const char hello[] = "Hello, ";
    const struct rusm_value *name = &call->args[0];
    if (name->text.len > ANSWER_BYTES - sizeof hello - 1) {
        call->error = "greet: the name is too long";
        return RUSM_ERR_INVALID;
    }
    uint8_t *answer = rusm_bridge_alloc(call, ANSWER_BYTES);
    if (!answer) {
        return RUSM_ERR_NOMEM;
    }
    size_t len = sizeof hello - 1;
    memcpy(answer, hello, len);
    memcpy(answer + len, name->text.data, name->text.len);
    len += name->text.len;
    answer[len++] = '!';
    call->result.kind = RUSM_VALUE_STRING;
    call->result.text.data = answer;
    call->result.text.len = len;
    count(call->arg, rusm_self());
    return RUSM_OK;
}

struct greeter *greeter_create(void) {
    struct greeter *greeter = rusm_zalloc_aligned(alignof(struct greeter), sizeof *greeter);
    for (uint32_t i = 0; greeter && i < SCHEDULERS; i++) {
        greeter->latency[i] = histogram_create();
        if (!greeter->latency[i]) {
            greeter_destroy(greeter);
            return NULL;
        }
    }
    return greeter;
}

void greeter_destroy(struct greeter *greeter) {
    for (uint32_t i = 0; greeter && i < SCHEDULERS; i++) {
        histogram_destroy(greeter->latency[i]);
    }
    rusm_free(greeter);
}

enum rusm_err greeter_define(struct greeter *greeter, rusm_wasm *wasm, struct rusm_errinfo *error) {
    static const char *const names[] = {"greeter"};
    const struct rusm_bridge_func func = {"greet", greet, greeter};
    const struct rusm_bridge bridge = {names[0], "bench:bridge/greeter@0.1.0", &func, 1};
    const struct rusm_capability capability = {.bridges = {names, 1}};
    enum rusm_err err = rusm_wasm_define_bridge(wasm, &bridge, error);
    return err == RUSM_OK
               ? rusm_wasm_define_capability(wasm, GREETER_CAPABILITY, &capability, error)
               : err;
}

uint64_t greeter_calls(const struct greeter *greeter) {
    uint64_t calls = 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        calls += atomic_load_explicit(&greeter->slots[i].calls, memory_order_relaxed);
    }
    return calls;
}

void greeter_latency(const struct greeter *greeter, struct histogram *into) {
    for (uint32_t i = 0; i < SCHEDULERS; i++) {
        histogram_add(into, greeter->latency[i]);
    }
}
