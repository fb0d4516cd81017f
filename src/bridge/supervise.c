/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Supervisors of components. The supervisor is one of ours, linked to the guest; its children are
 * guests, each under its own component's capabilities. Its start waits for theirs, so it is made
 * outside of the guest.
 */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"
#include <rusm/supervisor.h>
#include <stdatomic.h>
#include <stdio.h>

/* Components under one supervisor. */
#define WARDS_MAX 1024u

/* What a child's start needs; shared by the copies of its specification. */
struct ward {
    _Atomic uint64_t refs;
    rusm_program *program;     /* held */
    struct children *children; /* held; NULL = not counted */
};

static void ward_hold(void *arg) {
    struct ward *ward = arg;
    atomic_fetch_add_explicit(&ward->refs, 1, memory_order_relaxed);
}

static void ward_release(void *arg) {
    struct ward *ward = arg;
    /* acq_rel: all uses by other holders come before the free. */
    if (atomic_fetch_sub_explicit(&ward->refs, 1, memory_order_acq_rel) == 1) {
        rusm_program_release(ward->program);
        children_release(ward->children);
        rusm_free(ward);
    }
}

static enum rusm_err ward_start(void *arg, const struct rusm_spawn_opts *opts, rusm_pid *out) {
    struct ward *ward = arg;
    const struct otp_tie link = {.link = true};
    return children_spawn(ward->children, ward->program, opts, &link, out);
}

/* A start on its way. */
struct job {
    struct rusm_supervisor spec; /* with a ward for each of its child_count children */
    enum rusm_err err;
    rusm_pid pid;
    bool over;
    char (*ids)[RUSM_NAME_BYTES_MAX + 1]; /* behind the children */
    struct rusm_child children[];
};

static void free_job(struct job *job) {
    for (uint32_t i = 0; i < job->spec.child_count; i++) {
        ward_release(job->children[i].arg);
    }
    rusm_free(job);
}

static void end_job(struct guest *guest, void *state) {
    (void)guest;
    free_job(state);
}

static void start_outside(struct guest *guest, void *arg) {
    struct job *job = arg;
    (void)guest;
    job->err = rusm_supervisor_start(NULL, &job->spec, &job->pid);
    job->over = true;
}

/* Names may repeat; ids do not. */
static void set_id(struct job *job, uint32_t index, const char *name) {
    char *id = job->ids[index];
    memcpy(id, name, strlen(name) + 1);
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(job->ids[i], name) == 0) {
            (void)snprintf(id, RUSM_NAME_BYTES_MAX + 1, "%.50s#%u", name, index + 1);
            return;
        }
    }
}

static int64_t refuse(struct rusm_errinfo *error, int64_t code, const char *text) {
    (void)errinfo_set(error, RUSM_ERR_INVALID, "supervise: %s", text);
    return code;
}

static int64_t add_ward(struct guest *guest, struct job *job, struct children *children,
                        struct rwt_slice name, struct rusm_errinfo *error) {
    rusm_program *program = component_find(guest, name, false, error);
    if (!program) {
        return CODE_NONE;
    }
    struct ward *ward = rusm_zalloc(sizeof *ward);
    if (!ward) {
        rusm_program_release(program);
        return refuse(error, CODE_LIMIT, "out of memory");
    }
    atomic_init(&ward->refs, 1);
    ward->program = program;
    ward->children = children_hold(children);
    uint32_t index = job->spec.child_count++;
    set_id(job, index, program_name(program));
    job->children[index] = (struct rusm_child){.id = job->ids[index],
                                               .label = program_name(program),
                                               .start = ward_start,
                                               .arg = ward,
                                               .hold = ward_hold,
                                               .release = ward_release};
    return 0;
}

/* What is asked for; names come one after the other. */
struct request {
    uint64_t strategy;
    uint32_t max_restarts;
    uint32_t within_ms;
    size_t name_count;
    struct rwt_slice (*next_name)(struct request *request);
    struct rwt_slice packed;         /* core modules: names, separated by one byte 0 */
    const struct rwt_slice *strings; /* components */
};

static struct job *new_job(const struct request *request, enum rusm_strategy strategy) {
    size_t count = request->name_count;
    struct job *job =
        rusm_zalloc(sizeof *job + count * (sizeof job->children[0] + sizeof job->ids[0]));
    if (job) {
        job->ids = (char(*)[RUSM_NAME_BYTES_MAX + 1])(void *)&job->children[count];
        job->spec = (struct rusm_supervisor){
            .strategy = strategy,
            .max_restarts = request->max_restarts ? request->max_restarts : RUSM_RESTARTS_UNLIMITED,
            .within_ms = request->within_ms ? request->within_ms : RUSM_TIMER_MS_MAX,
            .children = job->children,
            .label = "supervisor",
        };
    }
    return job;
}

/* 0 and a job, or a code and a text. */
static int64_t make_job(struct guest *guest, struct request *request, struct job **out,
                        struct rusm_errinfo *error) {
    static const enum rusm_strategy strategies[] = {RUSM_ONE_FOR_ONE, RUSM_ONE_FOR_ALL,
                                                    RUSM_REST_FOR_ONE};
    struct children *children;
    if (!may_spawn(guest)) {
        return refuse(error, CODE_DENIED, "this process has no capability to spawn");
    }
    if (request->strategy >= sizeof strategies / sizeof strategies[0]) {
        return refuse(error, CODE_INVALID, "there is no such strategy");
    }
    if (request->name_count == 0 || request->name_count > WARDS_MAX) {
        return refuse(error, CODE_INVALID, "not between 1 and 1024 components");
    }
    if (!children_of(guest, &children)) {
        return refuse(error, CODE_LIMIT, "out of memory");
    }
    if (!children_have_room(guest, children, request->name_count)) {
        return refuse(error, CODE_LIMIT, "more processes than its capability allows");
    }
    struct job *job = new_job(request, strategies[request->strategy]);
    if (!job) {
        return refuse(error, CODE_LIMIT, "out of memory");
    }
    int64_t code = 0;
    for (size_t i = 0; i < request->name_count && code == 0; i++) {
        code = add_ward(guest, job, children, request->next_name(request), error);
    }
    if (code != 0) {
        free_job(job);
        return code;
    }
    *out = job;
    return 0;
}

/* BLOCK, or DONE with the pid, or a code and a text. */
static enum rwt_status do_supervise(struct guest *guest, struct request *request, int64_t *answer,
                                    struct rusm_errinfo *error) {
    struct job *job = guest_bridge_state(guest, BRIDGE_SUPERVISE);
    if (!job) {
        *answer = make_job(guest, request, &job, error);
        if (*answer != 0) {
            return RWT_DONE;
        }
        guest_set_bridge_state(guest, BRIDGE_SUPERVISE, job);
    }
    if (!job->over) {
        return guest_block(guest, start_outside, job);
    }
    *answer = (int64_t)job->pid.v;
    if (job->err != RUSM_OK) {
        *answer = refuse(error, spawn_code(job->err), rusm_err_text(job->err));
    }
    guest_set_bridge_state(guest, BRIDGE_SUPERVISE, NULL);
    free_job(job);
    return RWT_DONE;
}

static size_t count_packed(struct rwt_slice packed) {
    size_t count = packed.len > 0;
    for (size_t i = 0; i < packed.len; i++) {
        count += packed.data[i] == 0;
    }
    return count;
}

static struct rwt_slice next_packed(struct request *request) {
    struct rwt_slice *rest = &request->packed;
    const uint8_t *end = rest->len > 0 ? memchr(rest->data, 0, rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    const struct rwt_slice name = {rest->data, len};
    rest->data += len + (end != NULL);
    rest->len -= len + (end != NULL);
    return name;
}

static enum rwt_status core_supervise(struct rwt_core_call *call) {
    const union rwt_raw *v = call->values;
    struct rusm_errinfo error;
    enum rwt_status status;
    int64_t answer = 0;
    struct request request = {.strategy = (uint32_t)v[0].i32,
                              .max_restarts = (uint32_t)v[3].i32,
                              .within_ms = (uint32_t)v[4].i32,
                              .next_name = next_packed};
    if (!core_text(call, v[1].i32, v[2].i32, &request.packed, &status)) {
        return status;
    }
    request.name_count = count_packed(request.packed);
    status = do_supervise(call->guest, &request, &answer, &error);
    return status == RWT_DONE ? core_answer_i64(call, answer) : status;
}

static struct rwt_slice next_string(struct request *request) {
    return *request->strings++;
}

static enum rwt_status component_supervise(void *guest, const union rwt_arg *args,
                                           struct rwt_ret *ret) {
    struct rusm_errinfo error;
    int64_t answer = 0;
    struct request request = {.strategy = args[0].number,
                              .max_restarts = (uint32_t)args[2].number,
                              .within_ms = (uint32_t)args[3].number,
                              .next_name = next_string,
                              .strings = args[1].strings.items,
                              .name_count = args[1].strings.count};
    enum rwt_status status = do_supervise(guest, &request, &answer, &error);
    if (status != RWT_DONE) {
        return status;
    }
    ret->present = answer > 0;
    ret->number = (uint64_t)answer;
    if (!ret->present) {
        ret_error(ret, error.text);
    }
    return guest_done();
}

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "supervise", "iiiii:I", core_supervise, true},
};
static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "supervise", "gSww:ru", component_supervise, true},
};

const struct wasm_bridge bridge_supervise = {
    .name = "supervise",
    BRIDGE_FUNCS(core_funcs, component_funcs),
    .guest_end = end_job,
};
