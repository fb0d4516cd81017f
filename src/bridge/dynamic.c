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
/* Code up to this is looked for in place, by its hash: a millisecond at most. */
#define FIND_BYTES_MAX (256u * 1024)

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
    job->err =
        rusm_program_load_from(job->template, job->code, job->len, &job->program, &job->error);
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

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static struct rwt_slice trimmed(struct rwt_slice text) {
    while (text.len > 0 && is_space(text.data[0])) {
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

static struct job *new_job(rusm_program *template, struct rwt_slice code) {
    struct job *job = rusm_alloc(sizeof *job + code.len);
    if (job) {
        memset(job, 0, sizeof *job);
        job->template = rusm_program_hold(template);
        job->len = code.len;
        memcpy(job->code, code.data, code.len);
    }
    return job;
}

static enum rusm_err spawn(struct guest *guest, const rusm_program *template, rusm_program *program,
                           rusm_pid *out, struct rusm_errinfo *error) {
    struct children *children;
    enum rusm_err err = RUSM_ERR_PROCESS_LIMIT;
    if (children_of(guest, &children) && children_have_room(guest, children, 1)) {
        const struct rusm_spawn_opts opts = {.label = program_name(template)};
        err = children_spawn(children, program, &opts, NULL, out);
    }
    return err == RUSM_OK ? err : errinfo_set(error, err, "spawn-from: %s", rusm_err_text(err));
}

/* The code is there: spawn it if it is ready, else have it loaded. */
static enum rwt_status start(struct guest *guest, rusm_program *template, struct rwt_slice code,
                             rusm_pid *pid, struct rusm_errinfo *error) {
    rusm_program *program =
        code.len <= FIND_BYTES_MAX ? rusm_program_find_from(template, code.data, code.len) : NULL;
    if (program) {
        (void)spawn(guest, template, program, pid, error);
        rusm_program_release(program);
        return RWT_DONE;
    }
    struct job *job = new_job(template, code);
    if (!job) {
        (void)errinfo_set(error, RUSM_ERR_NOMEM, "spawn-from: out of memory");
        return RWT_DONE;
    }
    guest_set_bridge_state(guest, BRIDGE_DYNAMIC, job);
    return guest_block(guest, load_outside, job);
}

static enum rwt_status begin(struct guest *guest, const union rwt_arg *args, rusm_pid *pid,
                             struct rusm_errinfo *error) {
    struct rwt_slice code;
    enum rwt_status status = RWT_DONE;
    if (!may_spawn(guest)) {
        (void)errinfo_set(error, RUSM_ERR_INVALID, "this process has no capability to spawn");
        return status;
    }
    rusm_program *template = component_find(guest, args[0].bytes, true, error);
    if (template) {
        if (find_code(args[1].bytes, &code, error)) {
            status = start(guest, template, code, pid, error);
        }
        rusm_program_release(template);
    }
    return status;
}

static void finish(struct guest *guest, struct job *job, rusm_pid *pid,
                   struct rusm_errinfo *error) {
    if (job->err == RUSM_OK) {
        (void)spawn(guest, job->template, job->program, pid, error);
    } else {
        *error = job->error;
    }
    guest_set_bridge_state(guest, BRIDGE_DYNAMIC, NULL);
    free_job(job);
}

static enum rwt_status component_spawn_from(void *arg, const union rwt_arg *args,
                                            struct rwt_ret *ret) {
    struct guest *guest = arg;
    struct job *job = guest_bridge_state(guest, BRIDGE_DYNAMIC);
    struct rusm_errinfo error;
    rusm_pid pid = {0};
    enum rwt_status status = RWT_DONE;
    if (!job) {
        status = begin(guest, args, &pid, &error);
    } else if (job->over) {
        finish(guest, job, &pid, &error);
    } else {
        status = guest_block(guest, load_outside, job);
    }
    if (status == RWT_BLOCK) {
        return status;
    }
    ret->present = pid.v != 0;
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
