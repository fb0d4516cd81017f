/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * How a guest hears of others' ends, and ends itself. A guest names a monitor by the process it
 * watches, so the references are kept here: for each process a chain of those not heard of yet.
 */
#include "base/alloc.h"
#include "base/map64.h"
#include "bridge/bridge_internal.h"
#include <rusm/introspect.h>

/* Monitors of one guest at once. */
#define MONITORS_MAX 65536u
#define NO_INDEX     UINT32_MAX

struct monitor {
    rusm_ref ref;
    uint32_t next; /* of the same process, or free; NO_INDEX at the end */
};

struct monitors {
    struct map64 by_pid; /* pid -> index of the first in its chain */
    struct monitor *items;
    uint32_t capacity;
    uint32_t first_free;
};

static void free_monitors(struct guest *guest, void *state) {
    struct monitors *monitors = state;
    (void)guest; /* the monitors end with the process */
    map64_deinit(&monitors->by_pid);
    rusm_free(monitors->items);
    rusm_free(monitors);
}

static struct monitors *monitors_of(struct guest *guest) {
    struct monitors *monitors = guest_bridge_state(guest, BRIDGE_WATCH);
    if (!monitors) {
        monitors = rusm_zalloc(sizeof *monitors);
        if (monitors) {
            map64_init(&monitors->by_pid);
            monitors->first_free = NO_INDEX;
            guest_set_bridge_state(guest, BRIDGE_WATCH, monitors);
        }
    }
    return monitors;
}

static struct map64_entry *find(struct monitors *monitors, rusm_pid pid) {
    return monitors && pid.v != 0 ? map64_find(&monitors->by_pid, pid.v) : NULL;
}

static bool grow(struct monitors *monitors) {
    uint32_t capacity = monitors->capacity ? 2 * monitors->capacity : 4;
    struct monitor *items =
        capacity <= MONITORS_MAX ? rusm_realloc(monitors->items, capacity * sizeof *items) : NULL;
    if (!items) {
        return false;
    }
    for (uint32_t i = capacity; i > monitors->capacity; i--) {
        items[i - 1].next = monitors->first_free;
        monitors->first_free = i - 1;
    }
    monitors->items = items;
    monitors->capacity = capacity;
    return true;
}

bool watch_note(struct guest *guest, rusm_pid pid, rusm_ref ref) {
    struct monitors *monitors = monitors_of(guest);
    if (!monitors || (monitors->first_free == NO_INDEX && !grow(monitors))) {
        return false;
    }
    uint32_t index = monitors->first_free;
    struct monitor *monitor = &monitors->items[index];
    struct map64_entry *entry = map64_find(&monitors->by_pid, pid.v);
    if (!entry && map64_add(&monitors->by_pid, pid.v, index) != RUSM_OK) {
        return false;
    }
    monitors->first_free = monitor->next;
    monitor->ref = ref;
    monitor->next = entry ? (uint32_t)entry->value : NO_INDEX;
    if (entry) {
        entry->value = index;
    }
    return true;
}

static void give_back(struct monitors *monitors, uint32_t index) {
    monitors->items[index].next = monitors->first_free;
    monitors->first_free = index;
}

void watch_heard(struct guest *guest, const struct rusm_down *down) {
    struct monitors *monitors = guest_bridge_state(guest, BRIDGE_WATCH);
    struct map64_entry *entry = find(monitors, down->pid);
    if (!entry) {
        return;
    }
    uint32_t before = NO_INDEX;
    uint32_t index = (uint32_t)entry->value;
    while (index != NO_INDEX && monitors->items[index].ref.v != down->ref.v) {
        before = index;
        index = monitors->items[index].next;
    }
    if (index == NO_INDEX) {
        return; /* heard of before, and put aside since */
    }
    uint32_t next = monitors->items[index].next;
    if (before != NO_INDEX) {
        monitors->items[before].next = next;
    } else if (next != NO_INDEX) {
        entry->value = next;
    } else {
        map64_remove(&monitors->by_pid, entry);
    }
    give_back(monitors, index);
}

/* Any 64 bits may come from a guest. What is no process is down at once. */
static int32_t do_monitor(struct guest *guest, rusm_pid pid) {
    rusm_ref ref;
    if (rusm_monitor(pid, &ref) != RUSM_OK) {
        return CODE_LIMIT;
    }
    if (pid.v != 0 && !watch_note(guest, pid, ref)) {
        (void)rusm_demonitor(ref, true);
        return CODE_LIMIT;
    }
    return 0;
}

static bool do_demonitor(struct guest *guest, rusm_pid pid) {
    struct monitors *monitors = guest_bridge_state(guest, BRIDGE_WATCH);
    struct map64_entry *entry = find(monitors, pid);
    if (!entry) {
        return false;
    }
    bool any = false;
    uint32_t next;
    for (uint32_t i = (uint32_t)entry->value; i != NO_INDEX; i = next) {
        next = monitors->items[i].next;
        any = rusm_demonitor(monitors->items[i].ref, true) || any;
        give_back(monitors, i);
    }
    map64_remove(&monitors->by_pid, entry);
    return any;
}

/* ---- links ---- */

static int32_t do_link(struct guest *guest, rusm_pid pid) {
    if (!may_control(guest)) {
        return CODE_DENIED;
    }
    return rusm_link(pid) == RUSM_OK ? 0 : CODE_LIMIT;
}

/* Without process-control a guest ends only links with processes that it has started. */
static int32_t do_unlink(struct guest *guest, rusm_pid pid) {
    struct rusm_process_info info;
    if (!may_control(guest) && rusm_process_info(NULL, pid, &info) == RUSM_OK &&
        info.parent.v != rusm_self().v) {
        return CODE_DENIED;
    }
    return rusm_unlink(pid);
}

/* ---- the end ---- */

#define EXIT_REASONS 3u

static enum rwt_status do_exit(struct guest *guest, uint64_t reason, struct rwt_slice detail) {
    static const enum rusm_exit_kind kinds[EXIT_REASONS] = {RUSM_EXIT_NORMAL, RUSM_EXIT_SHUTDOWN,
                                                            RUSM_EXIT_ERROR};
    const struct rusm_exit_reason exit = {
        kinds[reason], detail.data,
        detail.len < RUSM_EXIT_PAYLOAD_MAX ? (uint32_t)detail.len : RUSM_EXIT_PAYLOAD_MAX};
    return guest_exit(guest, &exit);
}

/* ---- core modules ---- */

static rusm_pid pid_arg(const struct rwt_core_call *call) {
    return (rusm_pid){(uint64_t)call->values[0].i64};
}

static enum rwt_status core_monitor(struct rwt_core_call *call) {
    return core_answer_i32(call, do_monitor(call->guest, pid_arg(call)));
}

static enum rwt_status core_demonitor(struct rwt_core_call *call) {
    return core_answer_i32(call, do_demonitor(call->guest, pid_arg(call)));
}

/* A link with a process that is gone may be the guest's end: at its next loop. */
static enum rwt_status core_link(struct rwt_core_call *call) {
    call->values[0].i32 = do_link(call->guest, pid_arg(call));
    return RWT_SPENT;
}

static enum rwt_status core_unlink(struct rwt_core_call *call) {
    return core_answer_i32(call, do_unlink(call->guest, pid_arg(call)));
}

static enum rwt_status core_trap_exit(struct rwt_core_call *call) {
    return core_answer_i32(call, rusm_trap_exit(call->values[0].i32 != 0));
}

static enum rwt_status core_exit(struct rwt_core_call *call) {
    uint32_t reason = (uint32_t)call->values[0].i32;
    struct rwt_slice detail;
    enum rwt_status status;
    if (reason >= EXIT_REASONS) {
        return core_trap(call, BRIDGE_TEXT("exit: there is no such reason"));
    }
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &detail, &status)) {
        return status;
    }
    return do_exit(call->guest, reason, detail);
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "monitor", "I:i", core_monitor, false},
    {"rusm", "demonitor", "I:i", core_demonitor, false},
    {"rusm", "link", "I:i", core_link, false},
    {"rusm", "unlink", "I:i", core_unlink, false},
    {"rusm", "trap_exit", "i:i", core_trap_exit, false},
    {"rusm", "exit", "iii:", core_exit, false},
};

/* ---- components ---- */

static enum rwt_status component_monitor(void *guest, const union rwt_arg *args,
                                         struct rwt_ret *ret) {
    if (do_monitor(guest, (rusm_pid){args[0].number}) != 0) {
        ret->error = BRIDGE_TEXT("monitor: too many monitors");
        return RWT_TRAP;
    }
    return guest_done();
}

static enum rwt_status component_demonitor(void *guest, const union rwt_arg *args,
                                           struct rwt_ret *ret) {
    ret->number = do_demonitor(guest, (rusm_pid){args[0].number});
    return guest_done();
}

static enum rwt_status component_link(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    int32_t code = do_link(guest, (rusm_pid){args[0].number});
    ret->present = code == 0;
    if (code != 0) {
        ret_error(ret, code == CODE_DENIED ? "link: this process has no capability process-control"
                                           : "link: out of memory");
    }
    return RWT_SPENT;
}

static enum rwt_status component_unlink(void *guest, const union rwt_arg *args,
                                        struct rwt_ret *ret) {
    ret->number = do_unlink(guest, (rusm_pid){args[0].number}) == 1;
    return guest_done();
}

static enum rwt_status component_trap_exit(void *guest, const union rwt_arg *args,
                                           struct rwt_ret *ret) {
    (void)guest;
    ret->number = rusm_trap_exit(args[0].number != 0);
    return guest_done();
}

static enum rwt_status component_exit(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    (void)ret;
    return do_exit(guest, args[0].number, args[1].bytes);
}

static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "monitor", "u:", component_monitor, false},
    {LINKS, "demonitor", "u:f", component_demonitor, false},
    {LINKS, "link", "u:rn", component_link, false},
    {LINKS, "unlink", "u:f", component_unlink, false},
    {LINKS, "trap-exit", "f:f", component_trap_exit, false},
    {LINKS, "exit", "xs:", component_exit, false},
};

const struct wasm_bridge bridge_watch = {
    .name = "watch",
    BRIDGE_FUNCS(core_funcs, component_funcs),
    .guest_end = free_monitors,
};
