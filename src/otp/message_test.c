/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Messages: order, payloads in cells, on the heap and shared, ownership, sends from outside. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ORDERED 10000u

static void send_ordered(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    for (uint32_t i = 0; i < ORDERED; i++) {
        RUSM_ASSERT(rusm_send(to, &i, sizeof i) == RUSM_OK);
    }
}

static void receive_ordered(void *arg) {
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_spawn(NULL, send_ordered, &self, NULL, NULL) == RUSM_OK);
    for (uint32_t i = 0; i < ORDERED; i++) {
        struct rusm_msg *msg = rusm_receive();
        RUSM_ASSERT(msg->len == sizeof i && *(const uint32_t *)msg->data == i);
    }
    *(bool *)arg = true;
}

static void messages_of_one_sender_arrive_in_order(void **state) {
    (void)state;
    bool done = false;
    run_fiber(receive_ordered, &done);
    assert_true(done);
}

static const uint32_t sizes[] = {0, 1, 7, 8, 39, 40, 41, 64, 4096, 65536};
#define SIZES (sizeof sizes / sizeof sizes[0])

static unsigned char byte_at(uint32_t size, uint32_t at) {
    return (unsigned char)(size * 31 + at * 7);
}

static void fill(unsigned char *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = byte_at(size, i);
    }
}

static void check(const struct rusm_msg *msg, uint32_t size) {
    const unsigned char *bytes = msg->data;
    RUSM_ASSERT(msg->len == size);
    RUSM_ASSERT((uintptr_t)bytes % 8 == 0);
    for (uint32_t i = 0; i < size; i++) {
        RUSM_ASSERT(bytes[i] == byte_at(size, i));
    }
}

static void send_sizes(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    for (size_t i = 0; i < SIZES; i++) {
        rusm_buf *buf;
        RUSM_ASSERT(rusm_buf_create(sizes[i], &buf) == RUSM_OK);
        fill(rusm_buf_data(buf), sizes[i]);
        RUSM_ASSERT(rusm_send(to, rusm_buf_data(buf), sizes[i]) == RUSM_OK);
        RUSM_ASSERT(rusm_send_buf(to, buf) == RUSM_OK);
    }
}

static void receive_sizes(void *arg) {
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_spawn(NULL, send_sizes, &self, NULL, NULL) == RUSM_OK);
    for (size_t i = 0; i < SIZES; i++) {
        check(rusm_receive(), sizes[i]);
        check(rusm_receive(), sizes[i]);
    }
    *(bool *)arg = true;
}

static void payloads_of_all_sizes_arrive_intact(void **state) {
    (void)state;
    bool done = false;
    run_fiber(receive_sizes, &done);
    assert_true(done);
}

static void share_buffer(void *arg) {
    rusm_pid self = rusm_self();
    rusm_buf *buf;
    RUSM_ASSERT(rusm_buf_create(100, &buf) == RUSM_OK);
    RUSM_ASSERT(rusm_buf_len(buf) == 100);
    fill(rusm_buf_data(buf), 100);
    for (int i = 0; i < 10; i++) {
        RUSM_ASSERT(rusm_send_buf(self, rusm_buf_hold(buf)) == RUSM_OK);
    }
    const void *bytes = rusm_buf_data(buf);
    rusm_buf_release(buf);
    for (int i = 0; i < 10; i++) {
        struct rusm_msg *msg = rusm_receive();
        RUSM_ASSERT(msg->data == bytes); /* no copy */
        check(msg, 100);
    }
    *(bool *)arg = true;
}

static void shared_buffer_lives_as_long_as_its_messages(void **state) {
    (void)state;
    bool done = false;
    run_fiber(share_buffer, &done);
    assert_true(done);
}

static void refused_sends(void *arg) {
    (void)arg;
    char bytes[101] = {0};
    rusm_pid self = rusm_self();
    rusm_buf *buf;
    RUSM_ASSERT(rusm_send(self, bytes, 101) == RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(rusm_post(NULL, self, bytes, 101) == RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(rusm_send_after(self, 0, bytes, 101, NULL) == RUSM_ERR_MESSAGE_TOO_LARGE);
    RUSM_ASSERT(rusm_buf_create(101, &buf) == RUSM_OK);
    RUSM_ASSERT(rusm_send_buf(self, buf) == RUSM_ERR_MESSAGE_TOO_LARGE); /* and is released */
    RUSM_ASSERT(rusm_buf_create(100, &buf) == RUSM_OK);
    RUSM_ASSERT(rusm_send_buf((rusm_pid){0}, buf) == RUSM_ERR_NOPROC);
    RUSM_ASSERT(rusm_send(self, bytes, 100) == RUSM_OK);
    RUSM_ASSERT(rusm_receive()->len == 100);
    RUSM_ASSERT(!rusm_receive_timeout(0));
}

static void too_large_messages_are_refused(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.message_bytes_max = 100;
    rusm_runtime *rt = start_configured(&config);
    (void)spawn_fiber(rt, refused_sends, NULL, NULL);
    finish_runtime(rt);
    rusm_buf *buf;
    assert_int_equal(rusm_buf_create((size_t)UINT32_MAX + 1, &buf), RUSM_ERR_MESSAGE_TOO_LARGE);
}

static void receive_100(void *arg) {
    uint64_t *sum = arg;
    for (int i = 0; i < 100; i++) {
        *sum += *(const uint32_t *)rusm_receive()->data;
    }
}

static void any_thread_may_post(void **state) {
    (void)state;
    rusm_runtime *rt = start_runtime(2);
    uint64_t sum = 0;
    rusm_pid pid = spawn_fiber(rt, receive_100, &sum, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(rusm_post(rt, pid, &i, sizeof i), RUSM_OK);
    }
    rusm_runtime_wait_idle(rt);
    assert_int_equal(rusm_post(rt, pid, "x", 1), RUSM_ERR_NOPROC);
    struct rusm_runtime_info info;
    rusm_runtime_info(rt, &info);
    assert_int_equal(info.messages_outside, 100);
    rusm_runtime_destroy(rt);
    assert_int_equal(sum, 4950);
}

/* Take every message, whether it is the newest in the mailbox or not, of every storage. */
static void take_messages(void *arg) {
    rusm_pid self = rusm_self();
    struct rusm_msg *taken[3 * SIZES];
    unsigned char bytes[65536];
    size_t count = 0;
    for (size_t i = 0; i < SIZES; i++) {
        rusm_buf *buf;
        fill(bytes, sizes[i]);
        RUSM_ASSERT(rusm_buf_create(sizes[i], &buf) == RUSM_OK);
        fill(rusm_buf_data(buf), sizes[i]);
        RUSM_ASSERT(rusm_send(self, bytes, sizes[i]) == RUSM_OK);
        RUSM_ASSERT(rusm_send_buf(self, buf) == RUSM_OK);
        taken[count++] = rusm_msg_take(rusm_receive());
        taken[count++] = rusm_msg_take(rusm_receive());
        RUSM_ASSERT(rusm_send(self, bytes, sizes[i]) == RUSM_OK);
        taken[count++] = rusm_msg_take(rusm_receive());
    }
    RUSM_ASSERT(!rusm_receive_timeout(0));
    for (size_t i = 0; i < count; i++) {
        check(taken[i], sizes[i / 3]);
        rusm_msg_free(taken[i]);
    }
    *(bool *)arg = true;
}

static void taken_messages_stay_until_they_are_freed(void **state) {
    (void)state;
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = 1;
    config.stack_bytes = 256 * 1024;
    rusm_runtime *rt = start_configured(&config);
    bool done = false;
    (void)spawn_fiber(rt, take_messages, &done, NULL);
    finish_runtime(rt);
    assert_true(done);
}

static void fill_own_mailbox(void *arg) {
    (void)arg;
    char bytes[100] = {0};
    for (int i = 0; i < 100; i++) {
        rusm_buf *buf;
        RUSM_ASSERT(rusm_buf_create(10, &buf) == RUSM_OK);
        RUSM_ASSERT(rusm_send(rusm_self(), bytes, (size_t)i) == RUSM_OK);
        RUSM_ASSERT(rusm_send_buf(rusm_self(), buf) == RUSM_OK);
    }
    (void)rusm_receive();
    rusm_stash(rusm_receive());
    (void)rusm_receive();
}

/* Seen by the leak checker. */
static void unread_messages_are_freed_at_the_end(void **state) {
    (void)state;
    run_fiber(fill_own_mailbox, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_one_sender_arrive_in_order),
        cmocka_unit_test(payloads_of_all_sizes_arrive_intact),
        cmocka_unit_test(shared_buffer_lives_as_long_as_its_messages),
        cmocka_unit_test(too_large_messages_are_refused),
        cmocka_unit_test(any_thread_may_post),
        cmocka_unit_test(taken_messages_stay_until_they_are_freed),
        cmocka_unit_test(unread_messages_are_freed_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
