/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The supervisor process. It does one thing at a time: while it waits for a child to start or to
 * end, the ends of others wait in its mailbox and are dealt with after. An end counts only if it is
 * that of the pid the child has now.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/log_internal.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include "otp/supervisor_internal.h"
#include <string.h>

/* Budgets up to this are counted exactly, larger ones by sixteenths of the window. */
#define RING_MAX 1024u
#define BUCKETS  16u
/* Children asked to end between two turns of others; there may be a million. */
#define ASKED_AT_ONCE 1024u

struct child {
    struct list link;
    struct child_spec *spec; /* the template's, or `own` */
    struct child_spec *own;  /* of one added later; NULL */
    void *arg;
    rusm_pid pid;    /* {0} while it does not run */
    uint64_t serial; /* a new one for each RETRY */
    rusm_pid ended;  /* the pid it had before; {0} if it did not come up since */
    enum rusm_exit_kind ended_as;
    uint32_t restarts;
    bool retrying; /* a RETRY is on its way */
};

/* The restarts within the window. */
struct window {
    uint64_t *ring; /* their times, oldest at `at` once it is full */
    uint32_t at;
    uint32_t len;
    uint32_t counts[BUCKETS];
    uint64_t bucket; /* the newest one's number */
};

struct supervisor {
    struct supervisor_spec *spec;
    struct start_waiter *waiter;
    rusm_pid parent;
    struct list children;
    uint64_t child_count;
    struct map64 by_pid; /* pid -> struct child */
    uint64_t serial;
    struct window window;
};

static struct child *child_of(struct list *node) {
    return LIST_ENTRY(node, struct child, link);
}

static bool is_dynamic(const struct supervisor *sup) {
    return sup->spec->strategy == RUSM_DYNAMIC;
}

/* ---- children ---- */

static struct child *add_child(struct supervisor *sup, struct child_spec *spec, void *arg) {
    struct child *child = rusm_zalloc(sizeof *child);
    if (child) {
        child->spec = spec;
        child->arg = arg;
        child->serial = ++sup->serial;
        list_push_back(&sup->children, &child->link);
        sup->child_count++;
    }
    return child;
}

static void forget_child(struct supervisor *sup, struct child *child) {
    list_remove(&child->link);
    sup->child_count--;
    if (child->own) {
        child_spec_deinit(child->own);
        rusm_free(child->own);
    }
    rusm_free(child);
}

static enum rusm_err spawn_child(const struct child *child, rusm_pid *pid) {
    const struct child_spec *spec = child->spec;
    const struct rusm_spawn_opts opts = {.name = spec->name[0] ? spec->name : NULL,
                                         .label = spec->label[0] ? spec->label : NULL};
    if (spec->fiber) {
        return rusm_spawn_link(spec->fiber, child->arg, &opts, pid);
    }
    if (spec->server) {
        return process_spawn_server_link(spec->server, child->arg, &opts, true, pid);
    }
    if (spec->start) {
        return spec->start(child->arg, &opts, pid);
    }
    struct supervisor_start *start = rusm_zalloc(sizeof *start);
    if (!start) {
        return RUSM_ERR_NOMEM;
    }
    start->spec = supervisor_spec_hold(spec->supervisor);
    enum rusm_err err = process_spawn_server_link(&supervisor_server, start, &opts, true, pid);
    if (err != RUSM_OK) {
        supervisor_spec_release(start->spec);
        rusm_free(start);
    }
    return err;
}

/* Start a child that does not run, and wait until it is up. */
static enum rusm_err start_child(struct supervisor *sup, struct child *child) {
    RUSM_ASSERT(child->pid.v == 0);
    rusm_pid pid;
    enum rusm_err err = spawn_child(child, &pid);
    if (err == RUSM_OK && (child->spec->server || child->spec->supervisor)) {
        err = call_await_start(pid);
    }
    if (err == RUSM_OK) {
        err = map64_add(&sup->by_pid, pid.v, (uint64_t)(uintptr_t)child);
        if (err == RUSM_OK) {
            child->pid = pid;
        } else {
            (void)rusm_unlink(pid);
            (void)rusm_kill(NULL, pid);
        }
    }
    return err;
}

static bool is_exit_of(void *arg, const struct rusm_msg *msg) {
    const rusm_pid *pid = arg;
    return msg->kind == RUSM_MSG_EXIT && rusm_msg_down(msg)->pid.v == pid->v;
}

static bool is_down_of(void *arg, const struct rusm_msg *msg) {
    const rusm_ref *ref = arg;
    return msg->kind == RUSM_MSG_DOWN && rusm_msg_down(msg)->ref.v == ref->v;
}

/* Its end is then told whether or not it is still linked. */
static rusm_ref watch(rusm_pid pid) {
    rusm_ref ref;
    if (rusm_monitor(pid, &ref) != RUSM_OK) {
        static const char why[] = "no memory to end a child";
        const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
        rusm_exit(&reason);
    }
    return ref;
}

static void clear_pid(struct supervisor *sup, struct child *child) {
    struct map64_entry *entry = map64_find(&sup->by_pid, child->pid.v);
    RUSM_ASSERT(entry);
    map64_remove(&sup->by_pid, entry);
    child->pid.v = 0;
}

static void ask_to_end(const struct child *child) {
    static const struct rusm_exit_reason shutdown = {RUSM_EXIT_SHUTDOWN, NULL, 0};
    if (child->spec->shutdown_ms == RUSM_SHUTDOWN_KILL) {
        (void)rusm_kill(NULL, child->pid);
    } else {
        (void)rusm_send_exit(child->pid, &shutdown);
    }
}

/* End a running child: ask, wait, kill. It may have unlinked itself: only the monitor is sure. */
static void end_child(struct supervisor *sup, struct child *child) {
    if (child->pid.v == 0) {
        return;
    }
    rusm_ref ref = watch(child->pid);
    ask_to_end(child);
    uint64_t limit_ms = child->spec->shutdown_ms;
    if (limit_ms == RUSM_SHUTDOWN_KILL) {
        limit_ms = RUSM_FOREVER;
    }
    if (!rusm_receive_match(is_down_of, &ref, limit_ms)) {
        (void)rusm_kill(NULL, child->pid);
        (void)rusm_receive_match(is_down_of, &ref, RUSM_FOREVER);
    }
    (void)rusm_unlink(child->pid);
    (void)rusm_receive_match(is_exit_of, &child->pid, 0);
    clear_pid(sup, child);
}

static bool is_any_end(void *arg, const struct rusm_msg *msg) {
    (void)arg;
    return msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN;
}

/* Dynamic children have no order: ask all at once, then collect; kill those that are too slow.
 * There may be very many: only those no longer linked are watched. */
static void end_dynamic(struct supervisor *sup) {
    uint32_t asked = 0;
    for (struct list *node = sup->children.next; node != &sup->children; node = node->next) {
        rusm_pid pid = child_of(node)->pid;
        if (++asked % ASKED_AT_ONCE == 0) {
            rusm_yield();
        }
        if (pid.v != 0) {
            if (!relations_find(sched_current()->current, RELATION_LINK, pid.v)) {
                (void)watch(pid);
            }
            ask_to_end(child_of(node));
        }
    }
    uint64_t limit_ms = sup->spec->children[0].shutdown_ms;
    limit_ms = limit_ms == RUSM_SHUTDOWN_KILL ? RUSM_FOREVER : limit_ms;
    uint64_t began_ms = sched_current()->wheel.now_ms;
    while (sup->by_pid.count > 0) {
        uint64_t passed_ms = sched_current()->wheel.now_ms - began_ms;
        uint64_t left_ms = limit_ms == RUSM_FOREVER ? RUSM_FOREVER
                           : limit_ms > passed_ms   ? limit_ms - passed_ms
                                                    : 0;
        struct rusm_msg *msg = rusm_receive_match(is_any_end, NULL, left_ms);
        if (!msg) {
            for (uint32_t i = 0; i < sup->by_pid.capacity; i++) {
                rusm_pid pid = {sup->by_pid.entries[i].key};
                if (pid.v != 0) {
                    (void)watch(pid);
                    (void)rusm_kill(NULL, pid);
                }
            }
            limit_ms = RUSM_FOREVER;
            continue;
        }
        struct map64_entry *entry = map64_find(&sup->by_pid, rusm_msg_down(msg)->pid.v);
        if (entry) {
            struct child *child = (struct child *)(uintptr_t)entry->value;
            map64_remove(&sup->by_pid, entry);
            forget_child(sup, child); /* here, where the supervisor has turns: it is about to end */
        }
    }
}

/* End children from the last one back to, and without, `down_to` (the list's head: all). Temporary
 * ones are forgotten. */
static void end_back_to(struct supervisor *sup, struct list *down_to) {
    struct list *before;
    for (struct list *node = sup->children.prev; node != down_to; node = before) {
        before = node->prev;
        struct child *child = child_of(node);
        end_child(sup, child);
        if (child->spec->restart == RUSM_TEMPORARY) {
            forget_child(sup, child);
        }
    }
}

static void end_all(struct supervisor *sup) {
    if (is_dynamic(sup)) {
        end_dynamic(sup);
    } else {
        end_back_to(sup, &sup->children);
    }
}

static _Noreturn void end_with(struct supervisor *sup, const struct rusm_exit_reason *reason) {
    end_all(sup);
    rusm_exit(reason);
}

/* ---- restarts ---- */

/* Count by sixteenths of the window; the budget is large, an error of one sixteenth is fine. */
static bool admit_bucket(const struct supervisor_spec *spec, struct window *w, uint64_t now_ms) {
    uint64_t bucket = now_ms / (spec->within_ms / BUCKETS + 1);
    for (uint64_t i = w->bucket + 1; i <= bucket && i <= w->bucket + BUCKETS; i++) {
        w->counts[i % BUCKETS] = 0;
    }
    w->bucket = bucket;
    w->counts[bucket % BUCKETS]++;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        sum += w->counts[i];
    }
    return sum <= spec->max_restarts;
}

/* Note a restart; false if it is one too many. */
static bool admit_restart(struct supervisor *sup) {
    const struct supervisor_spec *spec = sup->spec;
    struct window *w = &sup->window;
    if (spec->max_restarts == RUSM_RESTARTS_UNLIMITED) {
        return true;
    }
    /* The wheel's clock: a tenth of a millisecond behind at most, and free. */
    uint64_t now_ms = sched_current()->wheel.now_ms;
    if (spec->max_restarts > RING_MAX) {
        return admit_bucket(spec, w, now_ms);
    }
    if (w->len < spec->max_restarts) {
        w->ring[w->len++] = now_ms;
        return true;
    }
    if (now_ms - w->ring[w->at] < spec->within_ms) {
        return false;
    }
    w->ring[w->at] = now_ms;
    w->at = (w->at + 1) % w->len;
    return true;
}

/* A restart that did not succeed, or is to wait, comes back as a message; others are served first.
 */
static void retry_later(struct supervisor *sup, struct child *child, uint64_t delay_ms) {
    child->serial = ++sup->serial; /* a RETRY under way is not this one */
    const struct supervisor_request retry = {
        .mark = SUPERVISOR_MARK, .op = SUPERVISOR_RETRY, .serial = child->serial};
    enum rusm_err err = delay_ms > 0
                            ? rusm_send_after(rusm_self(), delay_ms, &retry, sizeof retry, NULL)
                            : rusm_send(rusm_self(), &retry, sizeof retry);
    if (err != RUSM_OK) {
        static const char why[] = "no memory to restart a child";
        const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, why, sizeof why - 1};
        rusm_exit(&reason);
    }
    child->retrying = true;
}

/* Start `child` and, as the strategy says, others. The first that fails is tried again later. */
static void restart_now(struct supervisor *sup, struct child *child) {
    struct list *first = &child->link;
    struct list *last = &child->link;
    if (sup->spec->strategy == RUSM_ONE_FOR_ALL) {
        end_back_to(sup, &sup->children);
        first = sup->children.next;
        last = sup->children.prev;
    } else if (sup->spec->strategy == RUSM_REST_FOR_ONE) {
        end_back_to(sup, &child->link);
        last = sup->children.prev;
    }
    for (struct list *node = first;; node = node->next) {
        struct child *each = child_of(node);
        if (each->pid.v == 0 && start_child(sup, each) != RUSM_OK) {
            retry_later(sup, each, 0);
            return;
        }
        if (node == last) {
            return;
        }
    }
}

static uint64_t backoff_of(const struct supervisor_spec *spec, const struct child *child) {
    uint64_t delay_ms =
        child->restarts < 20 ? spec->backoff_ms << child->restarts : spec->backoff_max_ms;
    return delay_ms < spec->backoff_max_ms ? delay_ms : spec->backoff_max_ms;
}

/* Tell the log of a restart, or that there are too many. */
static void log_child(const struct child *child, enum rusm_event_kind kind) {
    if (log_wants(sched_current()->rt, RUSM_LOG_ERROR)) {
        log_restart(kind, child->spec->id, child->ended, child->ended_as, child->restarts);
    }
}

static void restart(struct supervisor *sup, struct child *child) {
    if (!admit_restart(sup)) {
        log_child(child, RUSM_EVENT_GIVE_UP);
        static const char why[] = "more restarts than the supervisor allows";
        const struct rusm_exit_reason reason = {RUSM_EXIT_SHUTDOWN, why, sizeof why - 1};
        end_with(sup, &reason);
    }
    child->restarts++;
    log_child(child, RUSM_EVENT_RESTART);
    child->ended.v = 0;
    restart_now(sup, child);
}

static bool wants_restart(const struct child *child, enum rusm_exit_kind why) {
    switch (child->spec->restart) {
    case RUSM_PERMANENT:
        return true;
    case RUSM_TRANSIENT:
        return why != RUSM_EXIT_NORMAL && why != RUSM_EXIT_SHUTDOWN;
    case RUSM_TEMPORARY:
        return false;
    }
    return false;
}

static void child_ended(struct supervisor *sup, struct child *child, enum rusm_exit_kind why) {
    child->ended = child->pid;
    child->ended_as = why;
    clear_pid(sup, child);
    if (wants_restart(child, why)) {
        if (sup->spec->backoff_ms > 0) {
            retry_later(sup, child, backoff_of(sup->spec, child));
        } else {
            restart(sup, child);
        }
    } else if (is_dynamic(sup) || child->spec->restart == RUSM_TEMPORARY) {
        forget_child(sup, child);
    }
}

static void on_down(void *state, struct rusm_msg *msg) {
    struct supervisor *sup = state;
    if (msg->kind != RUSM_MSG_EXIT) {
        return;
    }
    const struct rusm_down *down = rusm_msg_down(msg);
    struct map64_entry *entry = map64_find(&sup->by_pid, down->pid.v);
    if (entry) {
        child_ended(sup, (struct child *)(uintptr_t)entry->value, down->reason.kind);
    } else if (down->pid.v == sup->parent.v) {
        const struct rusm_exit_reason reason = {down->reason.kind, NULL, 0};
        end_with(sup, &reason);
    }
    /* Else a child that was ended or replaced meanwhile, or a stranger's exit signal: nothing. */
}

/* ---- requests ---- */

static struct child *find_by_id(struct supervisor *sup, const char *id) {
    for (struct list *node = sup->children.next; node != &sup->children; node = node->next) {
        if (strcmp(child_of(node)->spec->id, id) == 0) {
            return child_of(node);
        }
    }
    return NULL;
}

static struct child *find_by_serial(struct supervisor *sup, uint64_t serial) {
    for (struct list *node = sup->children.next; node != &sup->children; node = node->next) {
        if (child_of(node)->serial == serial) {
            return child_of(node);
        }
    }
    return NULL;
}

/* A child that is added with a specification of its own. */
static struct child *add_own(struct supervisor *sup, const struct child_spec *spec) {
    struct child_spec *own = rusm_alloc(sizeof *own);
    struct child *child = own ? add_child(sup, own, spec->arg) : NULL;
    if (!child) {
        rusm_free(own);
        return NULL;
    }
    *own = *spec;
    child_spec_hold(own);
    child->own = own;
    return child;
}

static void serve_start(struct supervisor *sup, struct child *child,
                        struct supervisor_answer *answer) {
    if (!child) {
        answer->err = RUSM_ERR_NOMEM;
        return;
    }
    answer->err = start_child(sup, child);
    answer->pid = child->pid;
    if (answer->err != RUSM_OK) {
        forget_child(sup, child);
    }
}

static void serve_end(struct supervisor *sup, struct child *child,
                      struct supervisor_answer *answer) {
    answer->err = child ? RUSM_OK : RUSM_ERR_NOPROC;
    if (child) {
        end_child(sup, child);
        forget_child(sup, child);
    }
}

static void serve_children(struct supervisor *sup, struct rusm_from from, uint64_t capacity) {
    uint64_t total = sup->child_count;
    size_t limit = sched_current()->rt->config.message_bytes_max;
    size_t fit = (limit - sizeof total) / sizeof(struct rusm_child_info);
    size_t count = total < capacity ? total : capacity;
    count = count < fit ? count : fit;
    size_t bytes = sizeof total + count * sizeof(struct rusm_child_info);
    char *reply = rusm_zalloc(bytes);
    if (!reply) {
        (void)rusm_reply(from, &(uint64_t){0}, sizeof total);
        return;
    }
    memcpy(reply, &total, sizeof total);
    struct list *node = sup->children.next;
    for (size_t i = 0; i < count; i++, node = node->next) {
        const struct child *child = child_of(node);
        struct rusm_child_info info = {.pid = child->pid,
                                       .restarts = child->restarts,
                                       .is_supervisor = child->spec->supervisor != NULL};
        memcpy(info.id, child->spec->id, sizeof info.id);
        memcpy(reply + sizeof total + i * sizeof info, &info, sizeof info);
    }
    (void)rusm_reply(from, reply, bytes);
    rusm_free(reply);
}

/* `data` is all of the request, borrowed until something is received. */
static void serve_call(struct supervisor *sup, struct rusm_from from,
                       const struct supervisor_request *request, const void *data) {
    struct supervisor_answer answer = {.err = RUSM_ERR_INVALID};
    const struct supervisor_start_request *start = data;
    const struct supervisor_end_request *end = data;
    struct map64_entry *entry;
    switch (request->op) {
    case SUPERVISOR_START:
        if (is_dynamic(sup)) {
            serve_start(sup, add_child(sup, &sup->spec->children[0], request->arg), &answer);
        }
        break;
    case SUPERVISOR_START_SPEC:
        if (!is_dynamic(sup) && !find_by_id(sup, start->spec.id)) {
            serve_start(sup, add_own(sup, &start->spec), &answer);
        }
        break;
    case SUPERVISOR_END:
        entry = request->pid.v != 0 ? map64_find(&sup->by_pid, request->pid.v) : NULL;
        serve_end(sup, entry ? (struct child *)(uintptr_t)entry->value : NULL, &answer);
        break;
    case SUPERVISOR_END_ID:
        serve_end(sup, end->id[0] ? find_by_id(sup, end->id) : NULL, &answer);
        break;
    case SUPERVISOR_CHILDREN:
        serve_children(sup, from, request->capacity);
        return;
    default:
        break;
    }
    (void)rusm_reply(from, &answer, sizeof answer);
}

static void serve_retry(struct supervisor *sup, uint64_t serial) {
    struct child *child = find_by_serial(sup, serial);
    if (child && child->retrying) {
        child->retrying = false;
        if (child->pid.v == 0) {
            restart(sup, child);
        }
    }
}

static size_t request_bytes(uint32_t op) {
    return op == SUPERVISOR_START_SPEC ? sizeof(struct supervisor_start_request)
           : op == SUPERVISOR_END_ID   ? sizeof(struct supervisor_end_request)
                                       : sizeof(struct supervisor_request);
}

static void on_message(void *state, struct rusm_msg *msg) {
    struct supervisor *sup = state;
    struct supervisor_request request;
    if (msg->len < sizeof request) {
        return; /* not one of ours */
    }
    memcpy(&request, msg->data, sizeof request);
    if (request.mark != SUPERVISOR_MARK || msg->len != request_bytes(request.op)) {
        return;
    }
    if (msg->kind == RUSM_MSG_CALL) {
        serve_call(sup, rusm_msg_from(msg), &request, msg->data);
    } else if (request.op == SUPERVISOR_RETRY) {
        serve_retry(sup, request.serial);
    } else if (request.op == SUPERVISOR_STOP) {
        static const struct rusm_exit_reason shutdown = {RUSM_EXIT_SHUTDOWN, NULL, 0};
        end_with(sup, &shutdown);
    }
}

/* ---- start and end ---- */

static void tell_waiter(struct supervisor *sup, enum rusm_err err) {
    struct start_waiter *waiter = sup->waiter;
    sup->waiter = NULL;
    if (waiter) {
        pthread_mutex_lock(&waiter->lock);
        waiter->err = err;
        waiter->done = true;
        pthread_cond_signal(&waiter->done_cond);
        pthread_mutex_unlock(&waiter->lock);
    }
}

static enum rusm_err start_all(struct supervisor *sup) {
    struct supervisor_spec *spec = sup->spec;
    for (uint32_t i = 0; i < spec->child_count && !is_dynamic(sup); i++) {
        struct child *child = add_child(sup, &spec->children[i], spec->children[i].arg);
        if (!child || start_child(sup, child) != RUSM_OK) {
            end_all(sup);
            return RUSM_ERR_START_FAILED;
        }
    }
    return RUSM_OK;
}

static enum rusm_err on_init(void *state, void *arg) {
    struct supervisor *sup = state;
    struct supervisor_start *start = arg;
    sup->spec = start->spec;
    sup->waiter = start->waiter;
    rusm_free(start);
    sup->parent.v = counter_get(&sched_current()->current->parent);
    list_init(&sup->children);
    map64_init(&sup->by_pid);
    (void)rusm_trap_exit(true);
    if (sup->spec->max_restarts <= RING_MAX) {
        sup->window.ring = rusm_alloc(sup->spec->max_restarts * sizeof(uint64_t));
        if (!sup->window.ring) {
            return RUSM_ERR_NOMEM;
        }
    }
    enum rusm_err err = start_all(sup);
    tell_waiter(sup, err);
    return err;
}

static void on_terminate(void *state, const struct rusm_exit_reason *reason) {
    (void)reason; /* the children hear it by their links */
    struct supervisor *sup = state;
    tell_waiter(sup, RUSM_ERR_START_FAILED);
    while (!list_is_empty(&sup->children)) {
        forget_child(sup, child_of(sup->children.next));
    }
    map64_deinit(&sup->by_pid);
    rusm_free(sup->window.ring);
    supervisor_spec_release(sup->spec);
}

const struct rusm_server supervisor_server = {
    .state_bytes = sizeof(struct supervisor),
    .init = on_init,
    .message = on_message,
    .down = on_down,
    .terminate = on_terminate,
};
