/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Byte streams whose ends are killed at any moment. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PIPES 40u

struct pipe {
    rusm_pid reader;
    rusm_pid writer;
    struct rusm_stream_opts opts;
};

static rusm_buf *new_chunk(void) {
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_buf_create(64, &chunk) == RUSM_OK);
    return chunk;
}

static void write_for_ever(void *arg) {
    struct pipe *pipe = arg;
    rusm_stream_writer *handle = NULL;
    if (rusm_stream_open(pipe->reader, &pipe->opts, &handle) == RUSM_OK) {
        while (rusm_stream_write(handle, new_chunk()) == RUSM_OK) {
        }
    }
}

static void read_for_ever(void *arg) {
    (void)arg;
    rusm_stream_reader *handle = NULL;
    rusm_buf *chunk = NULL;
    RUSM_ASSERT(rusm_stream_accept(RUSM_FOREVER, &handle) == RUSM_OK);
    while (rusm_stream_read(handle, RUSM_FOREVER, &chunk) == RUSM_OK) {
        rusm_buf_release(chunk);
    }
}

static void kills_at_any_moment_leave_nobody_waiting(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    static struct pipe pipes[PIPES];
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < PIPES; i++) {
            pipes[i] = (struct pipe){.opts = {.chunks_max = 1 + i % 5}};
            pipes[i].reader = spawn_fiber(rt, read_for_ever, NULL, NULL);
            pipes[i].writer = spawn_fiber(rt, write_for_ever, &pipes[i], NULL);
        }
        for (uint32_t i = 0; i < PIPES; i++) {
            sched_yield();
            (void)rusm_kill(rt, (i + round) % 2 ? pipes[i].reader : pipes[i].writer);
            /* A reader whose writer never came waits for ever; nobody else may. */
            if ((i + round) % 2 == 0) {
                AWAIT(!rusm_is_alive(rt, pipes[i].writer));
                (void)rusm_kill(rt, pipes[i].reader);
            }
        }
        rusm_runtime_wait_idle(rt);
    }
    rusm_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_at_any_moment_leave_nobody_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
