/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Receiving with time limits and selectively; messages put aside. */
#include "base/assert.h"
#include "otp/test_runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void send_letters(const char *letters) {
    for (; *letters; letters++) {
        RUSM_ASSERT(rusm_send(rusm_self(), letters, 1) == RUSM_OK);
    }
}

static char letter(const struct rusm_msg *msg) {
    if (!msg) {
        return 0;
    }
    return *(const char *)msg->data;
}

/* Receive until nothing is there; the letters, in order. */
static void expect_rest(const char *letters) {
    for (; *letters; letters++) {
        RUSM_ASSERT(letter(rusm_receive_timeout(0)) == *letters);
    }
    RUSM_ASSERT(!rusm_receive_timeout(0));
}

static bool is_letter(void *arg, const struct rusm_msg *msg) {
    return letter(msg) == *(const char *)arg;
}

static char receive_letter(const char *wanted, uint64_t timeout_ms) {
    return letter(rusm_receive_match(is_letter, (void *)(uintptr_t)wanted, timeout_ms));
}

/* Each test is a fiber's body that ends by setting the flag. */
static void run_body(rusm_fiber_fn body) {
    bool done = false;
    run_fiber(body, &done);
    assert_true(done);
}

static void time_out(void *arg) {
    RUSM_ASSERT(!rusm_receive_timeout(0));
    RUSM_ASSERT(!rusm_receive_timeout(1));
    RUSM_ASSERT(!rusm_receive_timeout(3));
    send_letters("a");
    RUSM_ASSERT(letter(rusm_receive_timeout(1000)) == 'a');
    RUSM_ASSERT(!rusm_receive_timeout(1));
    send_letters("b");
    RUSM_ASSERT(letter(rusm_receive()) == 'b');
    *(bool *)arg = true;
}

static void receive_ends_when_its_time_has_passed(void **state) {
    (void)state;
    run_body(time_out);
}

static void send_later(void *arg) {
    rusm_pid to = *(const rusm_pid *)arg;
    rusm_sleep(1);
    RUSM_ASSERT(rusm_send(to, "l", 1) == RUSM_OK);
}

static void wait_very_long(void *arg) {
    rusm_pid self = rusm_self();
    RUSM_ASSERT(rusm_spawn(NULL, send_later, &self, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(letter(rusm_receive_timeout(RUSM_TIMER_MS_MAX + 1)) == 'l');
    RUSM_ASSERT(rusm_spawn(NULL, send_later, &self, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(letter(rusm_receive_timeout(RUSM_TIMER_MS_MAX)) == 'l');
    RUSM_ASSERT(rusm_spawn(NULL, send_later, &self, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(receive_letter("l", RUSM_FOREVER) == 'l');
    *(bool *)arg = true;
}

static void longest_time_limits_are_accepted(void **state) {
    (void)state;
    run_body(wait_very_long);
}

static void select_letters(void *arg) {
    send_letters("abcabc");
    RUSM_ASSERT(receive_letter("b", 0) == 'b');
    RUSM_ASSERT(receive_letter("c", RUSM_FOREVER) == 'c');
    RUSM_ASSERT(receive_letter("x", 0) == '\0');
    RUSM_ASSERT(receive_letter("x", 1) == '\0');
    send_letters("d");
    RUSM_ASSERT(receive_letter("d", 0) == 'd');
    expect_rest("aabc");
    *(bool *)arg = true;
}

static void selective_receive_leaves_the_others_in_order(void **state) {
    (void)state;
    run_body(select_letters);
}

static void select_last(void *arg) {
    send_letters("ab");
    RUSM_ASSERT(receive_letter("b", 0) == 'b'); /* the end of the list is taken out */
    send_letters("cd");
    expect_rest("acd");
    send_letters("x");
    RUSM_ASSERT(receive_letter("x", 0) == 'x');
    send_letters("y");
    expect_rest("y");
    *(bool *)arg = true;
}

static void newest_message_can_be_selected(void **state) {
    (void)state;
    run_body(select_last);
}

struct looks {
    rusm_pid to;
    uint32_t counts[128];
};

static bool count_looks(void *arg, const struct rusm_msg *msg) {
    struct looks *looks = arg;
    looks->counts[(unsigned char)letter(msg) & 127]++;
    return letter(msg) == 'z';
}

static void send_z_later(void *arg) {
    struct looks *looks = arg;
    for (const char *c = "qrz"; *c; c++) {
        rusm_yield();
        rusm_sleep(1);
        RUSM_ASSERT(rusm_send(looks->to, c, 1) == RUSM_OK);
    }
}

static void look_once(void *arg) {
    struct looks looks = {.to = rusm_self()};
    send_letters("op");
    RUSM_ASSERT(rusm_spawn(NULL, send_z_later, &looks, NULL, NULL) == RUSM_OK);
    RUSM_ASSERT(letter(rusm_receive_match(count_looks, &looks, RUSM_FOREVER)) == 'z');
    for (const char *c = "opqrz"; *c; c++) {
        RUSM_ASSERT(looks.counts[(unsigned char)*c] == 1);
    }
    expect_rest("opqr");
    *(bool *)arg = true;
}

static void refused_message_is_not_looked_at_again(void **state) {
    (void)state;
    run_body(look_once);
}

static void put_aside(void *arg) {
    rusm_unstash(); /* nothing is aside */
    send_letters("abcde");
    rusm_stash(rusm_receive());
    RUSM_ASSERT(letter(rusm_receive()) == 'b');
    rusm_stash(rusm_receive());
    struct rusm_process_info info;
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.mailbox_depth == 4); /* those put aside included */
    rusm_unstash();
    expect_rest("acde");
    RUSM_ASSERT(rusm_process_info(NULL, rusm_self(), &info) == RUSM_OK);
    RUSM_ASSERT(info.mailbox_depth == 0);
    *(bool *)arg = true;
}

static void messages_put_aside_come_back_first_in_order(void **state) {
    (void)state;
    run_body(put_aside);
}

static void put_all_aside(void *arg) {
    send_letters("ab");
    rusm_stash(rusm_receive());
    rusm_stash(rusm_receive());
    RUSM_ASSERT(!rusm_receive_timeout(1)); /* they do not count as waiting */
    rusm_unstash();
    send_letters("c");
    rusm_stash(rusm_receive());
    rusm_stash(rusm_receive());
    rusm_unstash();
    expect_rest("abc");
    *(bool *)arg = true;
}

static void messages_may_be_put_aside_again(void **state) {
    (void)state;
    run_body(put_all_aside);
}

static void put_selected_aside(void *arg) {
    send_letters("abab");
    for (int i = 0; i < 2; i++) {
        struct rusm_msg *msg = rusm_receive_match(is_letter, (void *)(uintptr_t) "b", 0);
        RUSM_ASSERT(msg);
        rusm_stash(msg);
    }
    RUSM_ASSERT(receive_letter("b", 0) == '\0');
    rusm_unstash();
    expect_rest("bbaa");
    *(bool *)arg = true;
}

static void selected_messages_may_be_put_aside(void **state) {
    (void)state;
    run_body(put_selected_aside);
}

static void sleep_with_mail(void *arg) {
    send_letters("ab");
    rusm_sleep(2);
    rusm_sleep(0);
    rusm_yield();
    expect_rest("ab");
    *(bool *)arg = true;
}

static void sleeping_keeps_messages(void **state) {
    (void)state;
    run_body(sleep_with_mail);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receive_ends_when_its_time_has_passed),
        cmocka_unit_test(longest_time_limits_are_accepted),
        cmocka_unit_test(selective_receive_leaves_the_others_in_order),
        cmocka_unit_test(newest_message_can_be_selected),
        cmocka_unit_test(refused_message_is_not_looked_at_again),
        cmocka_unit_test(messages_put_aside_come_back_first_in_order),
        cmocka_unit_test(messages_may_be_put_aside_again),
        cmocka_unit_test(selected_messages_may_be_put_aside),
        cmocka_unit_test(sleeping_keeps_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
