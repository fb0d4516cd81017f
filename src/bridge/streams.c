/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Byte streams for guests: sdk/README.md, interface `streams`. An end that a guest holds has an id
 * in a table of its own. A call that needs no waiting is done at once; else the same operation is
 * run on the process's own stack, what came of it is kept here, and the call is made again.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "bridge/bridge_internal.h"
#include <rusm/stream.h>
#include <string.h>

/* An id is a serial number, then the index: positive, and never given twice. */
#define INDEX_BITS 16u
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)
#define SERIAL_MAX ((UINT64_C(1) << (63 - INDEX_BITS)) - 1)
/* Whatever a capability says. */
#define STREAMS_MAX (1u << INDEX_BITS)
#define NO_INDEX    UINT32_MAX

struct stream_end {
    uint64_t id; /* 0 = free */
    rusm_stream_writer *writer;
    rusm_stream_reader *reader;
    rusm_buf *chunk;    /* reader: taken out, not yet given to the guest; owned or NULL */
    uint32_t next_free; /* of a free one */
    bool over;          /* reader: the end was reached */
};

struct streams {
    struct stream_end *ends; /* owned */
    uint32_t capacity;
    uint32_t count;
    uint32_t max;
    uint32_t first_free;
    uint64_t serial;
    /* What the operation outside works on, and what came of it. A guest makes one call at a time.
     */
    struct stream_end *end;
    rusm_buf *chunk; /* to be written; owned or NULL */
    rusm_stream_reader *accepted;
    enum rusm_err err;
    bool has_run;
};

static enum rwt_status end_by_limit(struct guest *guest, const char *text) {
    const struct rusm_exit_reason reason = {RUSM_EXIT_LIMIT, text, (uint32_t)strlen(text)};
    return guest_exit(guest, &reason);
}

static enum rwt_status end_without_memory(struct guest *guest) {
    return end_by_limit(guest, "streams: out of memory");
}

/* ---- the table ---- */

/* NULL without memory. */
static struct streams *streams_of(struct guest *guest) {
    struct streams *streams = guest_bridge_state(guest, BRIDGE_STREAMS);
    if (__builtin_expect(!streams, 0)) {
        streams = rusm_zalloc(sizeof *streams);
        if (streams) {
            uint64_t max = guest_grant(guest)->streams_max;
            streams->max = max < STREAMS_MAX ? (uint32_t)max : STREAMS_MAX;
            streams->first_free = NO_INDEX;
            guest_set_bridge_state(guest, BRIDGE_STREAMS, streams);
        }
    }
    return streams;
}

static struct stream_end *find(struct guest *guest, uint64_t id) {
    struct streams *streams = guest_bridge_state(guest, BRIDGE_STREAMS);
    uint64_t index = id & INDEX_MASK;
    if (!streams || index >= streams->capacity || id == 0 || streams->ends[index].id != id) {
        return NULL;
    }
    return &streams->ends[index];
}

static bool grow(struct streams *streams) {
    uint32_t capacity = streams->capacity ? streams->capacity * 2 : 4;
    capacity = capacity < streams->max ? capacity : streams->max;
    struct stream_end *ends = rusm_realloc(streams->ends, capacity * sizeof *ends);
    if (!ends) {
        return false;
    }
    memset(&ends[streams->capacity], 0, (capacity - streams->capacity) * sizeof *ends);
    for (uint32_t i = capacity; i > streams->capacity; i--) {
        ends[i - 1].next_free = streams->first_free;
        streams->first_free = i - 1;
    }
    streams->ends = ends;
    streams->capacity = capacity;
    return true;
}

static bool is_full(const struct streams *streams) {
    return streams->count >= streams->max || streams->serial == SERIAL_MAX;
}

/* A free end, with its id; NULL without memory. Not if the table is full. */
static struct stream_end *take_end(struct streams *streams) {
    RUSM_DASSERT(!is_full(streams));
    if (streams->first_free == NO_INDEX && !grow(streams)) {
        return NULL;
    }
    uint32_t index = streams->first_free;
    struct stream_end *end = &streams->ends[index];
    streams->first_free = end->next_free;
    streams->count++;
    *end = (struct stream_end){.id = ++streams->serial << INDEX_BITS | index};
    return end;
}

static void free_end(struct streams *streams, struct stream_end *end) {
    if (end->chunk) {
        rusm_buf_release(end->chunk);
    }
    *end = (struct stream_end){.next_free = streams->first_free};
    streams->first_free = (uint32_t)(end - streams->ends);
    streams->count--;
}

/* The handles are the process's, which closes them. */
static void end_streams(struct guest *guest, void *state) {
    struct streams *streams = state;
    (void)guest;
    for (uint32_t i = 0; i < streams->capacity; i++) {
        if (streams->ends[i].chunk) {
            rusm_buf_release(streams->ends[i].chunk);
        }
    }
    if (streams->chunk) {
        rusm_buf_release(streams->chunk);
    }
    rusm_free(streams->ends);
    rusm_free(streams);
}

/* ---- open and close ---- */

/* The new stream's id, or 0. */
static uint64_t open_stream(struct guest *guest, uint64_t to) {
    struct streams *streams = streams_of(guest);
    rusm_stream_writer *writer = NULL;
    if (!streams || is_full(streams) ||
        rusm_stream_open((rusm_pid){to}, NULL, &writer) != RUSM_OK) {
        return 0;
    }
    struct stream_end *end = take_end(streams);
    if (!end) {
        rusm_stream_close(writer);
        return 0;
    }
    end->writer = writer;
    return end->id;
}

static void close_stream(struct guest *guest, uint64_t id) {
    struct stream_end *end = find(guest, id);
    if (!end) {
        return;
    }
    if (end->writer) {
        rusm_stream_close(end->writer);
    } else {
        rusm_stream_reader_close(end->reader);
    }
    free_end(guest_bridge_state(guest, BRIDGE_STREAMS), end);
}

/* ---- write ---- */

static void write_outside(struct guest *guest, void *arg) {
    struct streams *streams = arg;
    rusm_buf *chunk = streams->chunk;
    (void)guest;
    streams->chunk = NULL; /* if we are killed in the call, it is freed with the writer */
    streams->err = rusm_stream_write(streams->end->writer, chunk);
    streams->has_run = true;
}

static enum rwt_status written(struct guest *guest, enum rusm_err err, int32_t *code) {
    switch (err) {
    case RUSM_OK:
        *code = 0;
        return guest_done();
    case RUSM_ERR_TIMEOUT: /* its own stream, which nobody else would empty */
        *code = CODE_LIMIT;
        return guest_done();
    case RUSM_ERR_NOMEM:
        return end_without_memory(guest);
    default:
        *code = CODE_NONE;
        return guest_done();
    }
}

/* `*code`: 0, CODE_NONE, CODE_LIMIT. */
static enum rwt_status write_chunk(struct guest *guest, uint64_t id, struct rwt_slice bytes,
                                   int32_t *code) {
    struct stream_end *end = find(guest, id);
    if (!end || !end->writer) {
        *code = CODE_NONE;
        return guest_done();
    }
    struct streams *streams = guest_bridge_state(guest, BRIDGE_STREAMS);
    if (streams->has_run) {
        streams->has_run = false;
        return written(guest, streams->err, code);
    }
    rusm_buf *chunk;
    if (rusm_buf_create(bytes.len, &chunk) != RUSM_OK) {
        return end_without_memory(guest);
    }
    if (bytes.len > 0) {
        memcpy(rusm_buf_data(chunk), bytes.data, bytes.len);
    }
    enum rusm_err err = rusm_stream_write_timeout(end->writer, chunk, 0);
    if (err != RUSM_ERR_TIMEOUT) {
        return written(guest, err, code);
    }
    streams->end = end;
    streams->chunk = chunk;
    return guest_block(guest, write_outside, streams);
}

/* ---- accept ---- */

static void accept_outside(struct guest *guest, void *arg) {
    struct streams *streams = arg;
    (void)guest;
    streams->err = rusm_stream_accept(RUSM_FOREVER, &streams->accepted);
    streams->has_run = true;
}

/* `*id` 0: the table is full. */
static enum rwt_status accept_stream(struct guest *guest, uint64_t *id) {
    struct streams *streams = streams_of(guest);
    if (!streams) {
        return end_without_memory(guest);
    }
    if (is_full(streams)) {
        *id = 0;
        return guest_done();
    }
    rusm_stream_reader *reader = streams->accepted;
    enum rusm_err err = streams->has_run ? streams->err : rusm_stream_accept(0, &reader);
    if (err == RUSM_ERR_TIMEOUT) {
        return guest_block(guest, accept_outside, streams);
    }
    streams->has_run = false;
    streams->accepted = NULL;
    struct stream_end *end = err == RUSM_OK ? take_end(streams) : NULL;
    if (!end) {
        return end_without_memory(guest);
    }
    end->reader = reader;
    *id = end->id;
    return guest_done();
}

/* ---- read ---- */

static enum rusm_err read_into(struct stream_end *end, uint64_t timeout_ms) {
    enum rusm_err err = rusm_stream_read(end->reader, timeout_ms, &end->chunk);
    end->over = err == RUSM_ERR_STREAM_END;
    return err;
}

static void read_outside(struct guest *guest, void *arg) {
    struct streams *streams = arg;
    (void)guest;
    (void)read_into(streams->end, RUSM_FOREVER);
}

/* `*end` with a chunk; NULL: the end, or no such stream. */
static enum rwt_status read_chunk(struct guest *guest, uint64_t id, struct stream_end **out) {
    struct stream_end *end = find(guest, id);
    *out = NULL;
    if (!end || !end->reader || end->over) {
        return guest_done();
    }
    if (!end->chunk && read_into(end, 0) == RUSM_ERR_TIMEOUT) {
        struct streams *streams = guest_bridge_state(guest, BRIDGE_STREAMS);
        streams->end = end;
        return guest_block(guest, read_outside, streams);
    }
    *out = end->chunk ? end : NULL;
    return guest_done();
}

/* ---- for core modules ---- */

static enum rwt_status core_open(struct rwt_core_call *call) {
    uint64_t id = open_stream(call->guest, (uint64_t)call->values[0].i64);
    call->values[0].i64 = id ? (int64_t)id : CODE_NONE;
    return guest_done();
}

static enum rwt_status core_close(struct rwt_core_call *call) {
    close_stream(call->guest, (uint64_t)call->values[0].i64);
    return guest_done();
}

static enum rwt_status core_write(struct rwt_core_call *call) {
    struct rwt_slice bytes;
    enum rwt_status status;
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &bytes, &status)) {
        return status;
    }
    return write_chunk(call->guest, (uint64_t)call->values[0].i64, bytes, &call->values[0].i32);
}

static enum rwt_status core_accept(struct rwt_core_call *call) {
    uint64_t id = 0;
    enum rwt_status status = accept_stream(call->guest, &id);
    call->values[0].i64 = id ? (int64_t)id : CODE_LIMIT;
    return status;
}

static enum rwt_status core_read(struct rwt_core_call *call) {
    struct rwt_slice room;
    enum rwt_status status;
    if (!guest_memory(call, call->values[1].i32, call->values[2].i32, &room, &status)) {
        return status;
    }
    struct stream_end *end;
    status = read_chunk(call->guest, (uint64_t)call->values[0].i64, &end);
    if (!end) {
        call->values[0].i32 = CODE_NONE;
        return status;
    }
    size_t len = rusm_buf_len(end->chunk);
    size_t copied = len < room.len ? len : room.len;
    if (copied > 0) {
        memcpy(call->memory + (room.data - call->memory), rusm_buf_data(end->chunk), copied);
    }
    if (copied == len) { /* one that is longer stays */
        rusm_buf_release(end->chunk);
        end->chunk = NULL;
    }
    call->values[0].i32 = (int32_t)(uint32_t)len;
    return status;
}

/* ---- for components ---- */

static enum rwt_status component_open(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    ret->number = open_stream(guest, args[0].number);
    ret->present = ret->number != 0;
    return guest_done();
}

static enum rwt_status component_close(void *guest, const union rwt_arg *args,
                                       struct rwt_ret *ret) {
    (void)ret;
    close_stream(guest, args[0].number);
    return guest_done();
}

static enum rwt_status component_write(void *guest, const union rwt_arg *args,
                                       struct rwt_ret *ret) {
    int32_t code = CODE_NONE;
    enum rwt_status status = write_chunk(guest, args[0].number, args[1].bytes, &code);
    ret->number = code == 0;
    return status;
}

static enum rwt_status component_accept(void *guest, const union rwt_arg *args,
                                        struct rwt_ret *ret) {
    (void)args;
    enum rwt_status status = accept_stream(guest, &ret->number);
    if (status != RWT_BLOCK && status != RWT_EXIT && ret->number == 0) {
        return end_by_limit(guest, "streams: more than its capability allows (max-streams)");
    }
    return status;
}

static void release_chunk(void *chunk) {
    rusm_buf_release(chunk);
}

static enum rwt_status component_read(void *guest, const union rwt_arg *args, struct rwt_ret *ret) {
    struct stream_end *end;
    enum rwt_status status = read_chunk(guest, args[0].number, &end);
    if (end) {
        ret->present = true;
        ret->bytes = (struct rwt_slice){rusm_buf_data(end->chunk), rusm_buf_len(end->chunk)};
        ret->release = release_chunk;
        ret->owner = end->chunk;
        end->chunk = NULL;
    }
    return status;
}

#define INTERFACE "rusm:runtime/streams@0.1.0"

static const struct rwt_core_func core_funcs[] = {
    {"rusm", "stream_open", "I:I", core_open, false},
    {"rusm", "stream_write", "Iii:i", core_write, true},
    {"rusm", "stream_close", "I:", core_close, false},
    {"rusm", "stream_accept", ":I", core_accept, true},
    {"rusm", "stream_read", "Iii:i", core_read, true},
};
static const struct rwt_component_func component_funcs[] = {
    {INTERFACE, "stream-open", "u:ou", component_open, false},
    {INTERFACE, "stream-write", "ub:f", component_write, true},
    {INTERFACE, "stream-close", "u:", component_close, false},
    {INTERFACE, "stream-accept", ":u", component_accept, true},
    {INTERFACE, "stream-read", "u:ob", component_read, true},
};

const struct wasm_bridge bridge_streams = {
    .name = "streams",
    .core = core_funcs,
    .core_count = sizeof core_funcs / sizeof core_funcs[0],
    .component = component_funcs,
    .component_count = sizeof component_funcs / sizeof component_funcs[0],
    .guest_end = end_streams,
};
