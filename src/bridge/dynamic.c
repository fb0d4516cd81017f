/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Code that a guest brings: compiled on the pool of threads for work that blocks, and run under the
 * capability of a template. For components only.
 */
#include "base/alloc.h"
#include "bridge/bridge_internal.h"
#include <rusm/timer.h>

#define INLINE "inline:"

/* A load on its way. */
struct job {
    rusm_program *template; /* held */
    rusm_program *program;  /* held; NULL until it is loaded */
    struct rusm_errinfo error;
    enum rusm_err err;
    bool over;
    size_t len;
    uint8_t code[];
};

static void free_job(struct job *job) {
    rusm_program_release(job->template);
    if (job->program) {
        rusm_program_release(job->program);
    }
    rusm_free(job);
}

static void end_job(struct guest *guest, void *state) {
    (void)guest;
    free_job(state);
}

static void load(void *arg) {
    struct job *job = arg;
    job->err = program_load_from(job->template, job->code, job->len, &job->program, &job->error);
}

static void load_outside(struct guest *guest, void *arg) {
    struct job *job = arg;
    (void)guest;
    enum rusm_err err = rusm_blocking(load, job);
    if (err != RUSM_OK) {
        job->err = errinfo_set(&job->error, err, "spawn-from: %s", rusm_err_text(err));
    }
    job->over = true;
}

static bool begins(struct rwt_slice text, const char *prefix) {
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static struct rwt_slice trimmed(struct rwt_slice text) {
    while (text.len > 0 && memchr(" \t\r\n", text.data[0], 4)) {
        text.data++;
        text.len--;
    }
    return text;
}

/* The code in the source; false and a text if there is none. */
static bool find_code(struct rwt_slice source, struct rwt_slice *code, struct rusm_errinfo *error) {
    source = trimmed(source);
    if (begins(source, INLINE)) {
        *code = (struct rwt_slice){source.data + strlen(INLINE), source.len - strlen(INLINE)};
        return true;
    }
    bool known = begins(source, "kv:") || begins(source, "url:") || begins(source, "http://") ||
                 begins(source, "https://");
    (void)errinfo_set(error, RUSM_ERR_UNSUPPORTED,
                      known ? "spawn-from: this node loads no code from a store or by network"
                            : "spawn-from: a source begins with " INLINE);
    return false;
}

/* NULL and a text, or what is to be loaded. */
static struct job *make_job(const struct guest *guest, struct rwt_slice component,
                            struct rwt_slice source, struct rusm_errinfo *error) {
    struct rwt_slice code;
    if (!may_spawn(guest)) {
        (void)errinfo_set(error, RUSM_ERR_INVALID, "this process has no capability to spawn");
        return NULL;
    }
    rusm_program *template = component_find(guest, component, true, error);
    if (!template) {
        return NULL;
    }
    struct job *job = NULL;
    if (find_code(source, &code, error)) {
        job = rusm_alloc(sizeof *job + code.len);
        if (job) {
            memset(job, 0, sizeof *job);
            job->template = template;
            job->len = code.len;
            memcpy(job->code, code.data, code.len);
            return job;
        }
        (void)errinfo_set(error, RUSM_ERR_NOMEM, "spawn-from: out of memory");
    }
    rusm_program_release(template);
    return NULL;
}

/* The code is loaded, or could not be. */
static enum rusm_err finish(struct guest *guest, struct job *job, rusm_pid *out,
                            struct rusm_errinfo *error) {
    struct children *children;
    if (job->err != RUSM_OK) {
        *error = job->error;
        return job->err;
    }
    enum rusm_err err = RUSM_ERR_PROCESS_LIMIT;
    if (children_of(guest, &children) && children_have_room(guest, children, 1)) {
        const struct rusm_spawn_opts opts = {.label = program_name(job->template)};
        err = children_spawn(children, job->program, &opts, NULL, out);
    }
    return err == RUSM_OK ? err : errinfo_set(error, err, "spawn-from: %s", rusm_err_text(err));
}

static enum rwt_status component_spawn_from(void *arg, const union rwt_arg *args,
                                            struct rwt_ret *ret) {
    struct guest *guest = arg;
    struct job *job = guest_bridge_state(guest, BRIDGE_DYNAMIC);
    struct rusm_errinfo error;
    if (!job) {
        job = make_job(guest, args[0].bytes, args[1].bytes, &error);
        if (!job) {
            ret_error(ret, error.text);
            return guest_done();
        }
        guest_set_bridge_state(guest, BRIDGE_DYNAMIC, job);
    }
    if (!job->over) {
        return guest_block(guest, load_outside, job);
    }
    rusm_pid pid = {0};
    enum rusm_err err = finish(guest, job, &pid, &error);
    guest_set_bridge_state(guest, BRIDGE_DYNAMIC, NULL);
    free_job(job);
    ret->present = err == RUSM_OK;
    ret->number = pid.v;
    if (!ret->present) {
        ret_error(ret, error.text);
    }
    return guest_done();
}

static const struct rwt_component_func component_funcs[] = {
    {ACTOR, "spawn-from", "ss:ru", component_spawn_from, true},
};

const struct wasm_bridge bridge_dynamic = {
    .name = "dynamic",
    .component = component_funcs,
    .component_count = sizeof component_funcs / sizeof component_funcs[0],
    .guest_end = end_job,
};
