/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Messages sent later. A guest's timers are numbered from 1 and end with it. */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"

/* Timers of one guest at once. */
#define TIMERS_MAX 65536u

struct numbered {
    uint64_t number;
    rusm_timer timer; /* {0}: cancelled */
};

struct timers {
    struct numbered *items; /* by number, rising; owned */
    uint32_t count;
    uint32_t capacity;
    uint64_t last;
};

static void end_timers(struct guest *guest, void *state) {
    struct timers *timers = state;
    (void)guest;
    for (uint32_t i = 0; i < timers->count; i++) {
        if (timers->items[i].timer.v != 0) {
            (void)rusm_cancel_timer(timers->items[i].timer, NULL);
        }
    }
    rusm_free(timers->items);
    rusm_free(timers);
}

static struct timers *timers_of(struct guest *guest) {
    struct timers *timers = guest_bridge_state(guest, BRIDGE_TIMERS);
    if (!timers) {
        timers = rusm_zalloc(sizeof *timers);
        guest_set_bridge_state(guest, BRIDGE_TIMERS, timers);
    }
    return timers;
}

/* Forget those that have fired. */
static void sweep(struct timers *timers) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < timers->count; i++) {
        if (timers->items[i].timer.v != 0 && otp_timer_is_armed(timers->items[i].timer)) {
            timers->items[kept++] = timers->items[i];
        }
    }
    timers->count = kept;
}

/* Room for one more; false if there are too many, or without memory. */
static bool make_room(struct timers *timers) {
    if (timers->count < timers->capacity) {
        return true;
    }
    sweep(timers);
    /* Half of it at least, or the next sweep would come too soon. */
    if (timers->count < timers->capacity / 2 || timers->capacity == TIMERS_MAX) {
        return timers->count < timers->capacity;
    }
    uint32_t capacity = timers->capacity ? 2 * timers->capacity : 4;
    struct numbered *items = rusm_realloc(timers->items, capacity * sizeof *items);
    if (items) {
        timers->items = items;
        timers->capacity = capacity;
    }
    return items;
}

/* The timer's number; else NOMEM, TIMER_LIMIT, MESSAGE_TOO_LARGE. */
static enum rusm_err do_send_after(struct guest *guest, rusm_pid to, uint64_t delay_ms,
                                   struct rwt_slice message, uint64_t *number) {
    struct timers *timers = timers_of(guest);
    if (!timers || !make_room(timers)) {
        return RUSM_ERR_TIMER_LIMIT;
    }
    rusm_timer timer;
    enum rusm_err err = rusm_send_after(to, delay_ms, message.data, message.len, &timer);
    if (err == RUSM_OK) {
        *number = ++timers->last;
        timers->items[timers->count++] = (struct numbered){*number, timer};
    }
    return err;
}

static bool do_cancel(struct guest *guest, uint64_t number) {
    struct timers *timers = guest_bridge_state(guest, BRIDGE_TIMERS);
    uint32_t from = 0;
    uint32_t to = timers ? timers->count : 0;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (timers->items[middle].number < number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    if (!timers || from == timers->count || timers->items[from].number != number) {
        return false;
    }
    rusm_timer timer = timers->items[from].timer;
    timers->items[from].timer.v = 0;
    return timer.v != 0 && rusm_cancel_timer(timer, NULL) == RUSM_OK;
}

#define TOO_LARGE BRIDGE_TEXT("send-after: the message is longer than the node allows")

static enum rwt_status core_send_after(struct rwt_core_call *call) {
    const union rwt_raw *v = call->values;
    struct rwt_slice message;
    enum rwt_status status;
    uint64_t number = 0;
    if (!guest_memory(call, v[2].i32, v[3].i32, &message, &status)) {
        return status;
    }
    enum rusm_err err = do_send_after(call->guest, (rusm_pid){(uint64_t)v[0].i64},
                                      (uint64_t)v[1].i64, message, &number);
    if (err == RUSM_ERR_MESSAGE_TOO_LARGE) {
        return core_trap(call, TOO_LARGE);
    }
    return core_answer_i64(call, err == RUSM_OK ? (int64_t)number : CODE_LIMIT);
}

static enum rwt_status core_cancel_timer(struct rwt_core_call *call) {
    return core_answer_i32(call, do_cancel(call->guest, (uint64_t)call->values[0].i64));
}

static enum rwt_status component_send_after(void *guest, const union rwt_arg *args,
                                            struct rwt_ret *ret) {
    enum rusm_err err = do_send_after(guest, (rusm_pid){args[0].number}, args[1].number,
                                      args[2].bytes, &ret->number);
    if (err != RUSM_OK) {
        ret->error = err == RUSM_ERR_MESSAGE_TOO_LARGE ? TOO_LARGE
                                                       : BRIDGE_TEXT("send-after: too many timers");
        return RWT_TRAP;
    }
    return guest_done();
}

static enum rwt_status component_cancel_timer(void *guest, const union rwt_arg *args,
                                              struct rwt_ret *ret) {
    ret->number = do_cancel(guest, args[0].number);
    return guest_done();
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "send_after", "IIii:I", core_send_after, false},
    {"rusm", "cancel_timer", "I:i", core_cancel_timer, false},
};
static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "send-after", "uub:u", component_send_after, false},
    {ACTOR, "cancel-timer", "u:f", component_cancel_timer, false},
};

const struct wasm_bridge bridge_timers = {
    .name = "timers",
    BRIDGE_FUNCS(core_funcs, component_funcs),
    .guest_end = end_timers,
};
