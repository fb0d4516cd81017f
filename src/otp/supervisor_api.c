/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The callers' side of supervisors: copying specifications, starting, asking. */
#include "base/alloc.h"
#include "base/assert.h"
#include "otp/relations_internal.h"
#include "otp/runtime_internal.h"
#include "otp/supervisor_internal.h"
#include <string.h>

#define DEFAULT_RESTARTS       3u
#define DEFAULT_WITHIN_MS      5000u
#define DEFAULT_SHUTDOWN_MS    5000u
#define DEFAULT_BACKOFF_MAX_MS 30000u

/* Copy an optional string of at most 63 bytes; false if it is longer. */
static bool copy_text(char out[RUSM_NAME_BYTES_MAX + 1], const char *text) {
    size_t len = text ? strnlen(text, RUSM_NAME_BYTES_MAX + 1) : 0;
    if (len > RUSM_NAME_BYTES_MAX) {
        return false;
    }
    memset(out, 0, RUSM_NAME_BYTES_MAX + 1);
    memcpy(out, text ? text : "", len);
    return true;
}

enum rusm_err child_spec_copy(const struct rusm_child *from, bool is_template,
                              struct child_spec *out) {
    memset(out, 0, sizeof *out);
    int bodies = (from->fiber != NULL) + (from->server != NULL) + (from->supervisor != NULL) +
                 (from->start != NULL);
    bool has_id = from->id && from->id[0];
    if (bodies != 1 || has_id == is_template || (from->hold != NULL) != (from->release != NULL) ||
        !copy_text(out->id, from->id) || !copy_text(out->name, from->name) ||
        !copy_text(out->label, from->label ? from->label : from->id)) {
        return RUSM_ERR_INVALID;
    }
    out->fiber = from->fiber;
    out->server = from->server;
    out->start = from->start;
    out->arg = from->arg;
    out->restart = from->restart;
    out->shutdown_ms = from->shutdown_ms ? from->shutdown_ms : DEFAULT_SHUTDOWN_MS;
    if (from->supervisor) {
        enum rusm_err err = supervisor_spec_copy(from->supervisor, &out->supervisor);
        if (err != RUSM_OK) {
            return err;
        }
        if (!from->name) {
            memcpy(out->name, out->supervisor->name, sizeof out->name);
        }
    }
    if (from->hold) {
        from->hold(from->arg);
        out->hold = from->hold;
        out->release = from->release;
    }
    return RUSM_OK;
}

void child_spec_hold(struct child_spec *spec) {
    if (spec->supervisor) {
        (void)supervisor_spec_hold(spec->supervisor);
    }
    if (spec->hold) {
        spec->hold(spec->arg);
    }
}

void child_spec_deinit(struct child_spec *spec) {
    if (spec->supervisor) {
        supervisor_spec_release(spec->supervisor);
        spec->supervisor = NULL;
    }
    if (spec->release) {
        spec->release(spec->arg);
        spec->release = NULL;
    }
}

static bool ids_unique(const struct supervisor_spec *spec) {
    for (uint32_t i = 0; i < spec->child_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(spec->children[i].id, spec->children[j].id) == 0) {
                return false;
            }
        }
    }
    return true;
}

static bool header_valid(const struct rusm_supervisor *from) {
    return (from->strategy != RUSM_DYNAMIC || from->child_count == 1) &&
           (from->children || from->child_count == 0) && from->strategy <= RUSM_DYNAMIC;
}

enum rusm_err supervisor_spec_copy(const struct rusm_supervisor *from,
                                   struct supervisor_spec **out) {
    if (!header_valid(from)) {
        return RUSM_ERR_INVALID;
    }
    struct supervisor_spec *spec =
        rusm_zalloc(sizeof *spec + from->child_count * sizeof spec->children[0]);
    if (!spec) {
        return RUSM_ERR_NOMEM;
    }
    atomic_init(&spec->refs, 1);
    spec->strategy = from->strategy;
    spec->max_restarts = from->max_restarts ? from->max_restarts : DEFAULT_RESTARTS;
    spec->within_ms = from->within_ms ? from->within_ms : DEFAULT_WITHIN_MS;
    spec->backoff_ms = from->backoff_ms;
    spec->backoff_max_ms = from->backoff_max_ms ? from->backoff_max_ms : DEFAULT_BACKOFF_MAX_MS;
    enum rusm_err err = copy_text(spec->name, from->name) && copy_text(spec->label, from->label)
                            ? RUSM_OK
                            : RUSM_ERR_INVALID;
    for (uint32_t i = 0; i < from->child_count && err == RUSM_OK; i++) {
        err =
            child_spec_copy(&from->children[i], from->strategy == RUSM_DYNAMIC, &spec->children[i]);
        spec->child_count++;
    }
    if (err == RUSM_OK && !ids_unique(spec)) {
        err = RUSM_ERR_INVALID;
    }
    if (err != RUSM_OK) {
        supervisor_spec_release(spec);
        return err;
    }
    *out = spec;
    return RUSM_OK;
}

struct supervisor_spec *supervisor_spec_hold(struct supervisor_spec *spec) {
    atomic_fetch_add_explicit(&spec->refs, 1, memory_order_relaxed);
    return spec;
}

void supervisor_spec_release(struct supervisor_spec *spec) {
    /* acq_rel: all uses by other holders come before the free. */
    if (atomic_fetch_sub_explicit(&spec->refs, 1, memory_order_acq_rel) == 1) {
        for (uint32_t i = 0; i < spec->child_count; i++) {
            child_spec_deinit(&spec->children[i]);
        }
        rusm_free(spec);
    }
}

/* From a process: linked to it, and waited for as any server. */
static enum rusm_err start_linked(struct supervisor_start *start,
                                  const struct rusm_spawn_opts *opts, rusm_pid *out) {
    return rusm_start_link(&supervisor_server, start, opts, out);
}

/* From another thread: block until init says how it went. */
static enum rusm_err start_outside(rusm_runtime *runtime, struct supervisor_start *start,
                                   const struct rusm_spawn_opts *opts, rusm_pid *out) {
    struct start_waiter waiter = {.done = false};
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.done_cond, NULL);
#ifndef RUSM_SIM
    start->waiter = &waiter;
#endif
    enum rusm_err err = rusm_spawn_server(runtime, &supervisor_server, start, opts, out);
#ifndef RUSM_SIM
    if (err == RUSM_OK) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.done) {
            pthread_cond_wait(&waiter.done_cond, &waiter.lock);
        }
        pthread_mutex_unlock(&waiter.lock);
        err = waiter.err;
    }
#endif
    pthread_cond_destroy(&waiter.done_cond);
    pthread_mutex_destroy(&waiter.lock);
    return err;
}

/* Errors after which the process exists and has taken `start` over. */
static bool was_spawned(enum rusm_err err) {
    return err == RUSM_OK || err == RUSM_ERR_START_FAILED;
}

enum rusm_err rusm_supervisor_start(rusm_runtime *runtime, const struct rusm_supervisor *spec,
                                    rusm_pid *out) {
    RUSM_ASSERT(spec && out);
    struct supervisor_start *start = rusm_zalloc(sizeof *start);
    if (!start) {
        return RUSM_ERR_NOMEM;
    }
    enum rusm_err err = supervisor_spec_copy(spec, &start->spec);
    if (err != RUSM_OK) {
        rusm_free(start);
        return err;
    }
    const struct rusm_spawn_opts opts = {.name = spec->name, .label = spec->label};
    bool inside = rusm_self().v != 0 && (!runtime || runtime == rusm_self_runtime());
    struct supervisor_spec *copy = start->spec;
    err = inside ? start_linked(start, &opts, out) : start_outside(runtime, start, &opts, out);
    if (!was_spawned(err)) {
        supervisor_spec_release(copy);
        rusm_free(start);
    }
    return err;
}

void rusm_supervisor_stop(rusm_runtime *runtime, rusm_pid supervisor) {
    struct supervisor_request request = {.mark = SUPERVISOR_MARK, .op = SUPERVISOR_STOP};
    (void)rusm_post(runtime, supervisor, &request, sizeof request);
}

static enum rusm_err read_answer(enum rusm_err err, const struct rusm_msg *reply,
                                 struct supervisor_answer *answer) {
    if (err == RUSM_OK) {
        RUSM_ASSERT(reply->len == sizeof *answer);
        memcpy(answer, reply->data, sizeof *answer);
        err = answer->err;
    }
    return err;
}

static enum rusm_err ask(rusm_pid supervisor, const void *request, size_t bytes,
                         struct supervisor_answer *answer) {
    struct rusm_msg *reply = NULL;
    enum rusm_err err = rusm_call(supervisor, request, bytes, RUSM_FOREVER, &reply);
    return read_answer(err, reply, answer);
}

static void release_request(void *data) {
    struct supervisor_start_request *request = data;
    child_spec_deinit(&request->spec);
    rusm_free(request);
}

/* Ask to start a child of this specification. */
static enum rusm_err ask_for_child(rusm_pid supervisor, const struct rusm_child *child,
                                   struct supervisor_answer *answer) {
    struct supervisor_start_request *request = rusm_zalloc(sizeof *request);
    if (!request) {
        return RUSM_ERR_NOMEM;
    }
    request->head.mark = SUPERVISOR_MARK;
    request->head.op = SUPERVISOR_START_SPEC;
    enum rusm_err err = child_spec_copy(child, false, &request->spec);
    if (err != RUSM_OK) {
        release_request(request);
        return err;
    }
    struct rusm_msg *reply = NULL;
    err = call_owned(supervisor, request, sizeof *request, release_request, &reply);
    return read_answer(err, reply, answer);
}

enum rusm_err rusm_supervisor_start_child(rusm_pid supervisor, const struct rusm_child *child,
                                          void *arg, rusm_pid *out) {
    const struct supervisor_request request = {
        .mark = SUPERVISOR_MARK, .op = SUPERVISOR_START, .arg = arg};
    struct supervisor_answer answer;
    enum rusm_err err = child ? ask_for_child(supervisor, child, &answer)
                              : ask(supervisor, &request, sizeof request, &answer);
    if (err == RUSM_OK && out) {
        *out = answer.pid;
    }
    return err;
}

enum rusm_err rusm_supervisor_end_child(rusm_pid supervisor, const char *id, rusm_pid pid) {
    struct supervisor_answer answer;
    if (!id) {
        const struct supervisor_request request = {
            .mark = SUPERVISOR_MARK, .op = SUPERVISOR_END, .pid = pid};
        return ask(supervisor, &request, sizeof request, &answer);
    }
    struct supervisor_end_request request = {
        .head = {.mark = SUPERVISOR_MARK, .op = SUPERVISOR_END_ID}};
    if (!copy_text(request.id, id)) {
        return RUSM_ERR_NOPROC;
    }
    return ask(supervisor, &request, sizeof request, &answer);
}

enum rusm_err rusm_supervisor_children(rusm_pid supervisor, struct rusm_child_info *out,
                                       size_t capacity, size_t *count) {
    struct supervisor_request request = {
        .mark = SUPERVISOR_MARK, .op = SUPERVISOR_CHILDREN, .capacity = capacity};
    struct rusm_msg *reply;
    enum rusm_err err = rusm_call(supervisor, &request, sizeof request, RUSM_FOREVER, &reply);
    if (err != RUSM_OK) {
        return err;
    }
    /* A count, then as many infos as fit. */
    uint64_t total;
    memcpy(&total, reply->data, sizeof total);
    size_t given = (reply->len - sizeof total) / sizeof *out;
    RUSM_ASSERT(given <= capacity);
    if (given > 0) {
        memcpy(out, (const char *)reply->data + sizeof total, given * sizeof *out);
    }
    *count = total;
    return RUSM_OK;
}
