/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The small pieces: error table, clocks, lists, random numbers, allocation, assertions. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/random.h"
#include <rusm/err.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void every_error_has_a_name_and_a_text(void **state) {
    (void)state;
    assert_int_equal(RUSM_OK, 0);
    assert_string_equal(rusm_err_name(RUSM_OK), "OK");
    assert_string_equal(rusm_err_name(RUSM_ERR_NOPROC), "ERR_NOPROC");
    for (int err = 0; err < RUSM_ERR_COUNT; err++) {
        const char *text = rusm_err_text((enum rusm_err)err);
        assert_true(strlen(text) > 0);
        assert_true(text[strlen(text) - 1] != '.');
        for (int other = 0; other < err; other++) {
            assert_string_not_equal(rusm_err_name((enum rusm_err)err),
                                    rusm_err_name((enum rusm_err)other));
        }
    }
}

static void unknown_errors_have_a_name_too(void **state) {
    (void)state;
    assert_string_equal(rusm_err_name(RUSM_ERR_COUNT), "ERR_?");
    assert_string_equal(rusm_err_name((enum rusm_err) - 1), "ERR_?");
    assert_true(strlen(rusm_err_text(RUSM_ERR_COUNT)) > 0);
}

static void clocks_go_forward(void **state) {
    (void)state;
    uint64_t ns = clock_mono_ns();
    uint64_t ticks = clock_ticks();
    for (int i = 0; i < 1000; i++) {
        uint64_t next_ns = clock_mono_ns();
        uint64_t next_ticks = clock_ticks();
        assert_true(next_ns >= ns);
        assert_true(next_ticks >= ticks);
        ns = next_ns;
        ticks = next_ticks;
    }
    assert_true(clock_ticks_per_second() > 1000000);
}

static void ticks_convert_there_and_back(void **state) {
    (void)state;
    static const uint64_t ns[] = {0, 1000, 1000000, 1000000000, 86400u * UINT64_C(1000000000)};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++) {
        uint64_t back = clock_ticks_to_ns(clock_ns_to_ticks(ns[i]));
        assert_in_range(ns[i] - back, 0, 1000);
    }
}

struct item {
    int value;
    struct list link;
};

static void expect_values(const struct list *head, const char *values) {
    const struct list *at = head->next;
    for (; *values; values++) {
        assert_ptr_not_equal(at, head);
        assert_int_equal(LIST_ENTRY(at, struct item, link)->value, *values);
        at = at->next;
    }
    assert_ptr_equal(at, head);
}

static void list_keeps_the_order_of_pushes(void **state) {
    (void)state;
    struct item items[3] = {{.value = 'a'}, {.value = 'b'}, {.value = 'c'}};
    struct list head;
    list_init(&head);
    assert_true(list_is_empty(&head));
    for (int i = 0; i < 3; i++) {
        list_push_back(&head, &items[i].link);
    }
    expect_values(&head, "abc");
    list_remove(&items[1].link);
    expect_values(&head, "ac");
    list_remove(&items[1].link); /* once more is nothing */
    list_push_back(&head, &items[1].link);
    expect_values(&head, "acb");
}

static void spliced_list_is_empty_after(void **state) {
    (void)state;
    struct item items[4] = {{.value = 'a'}, {.value = 'b'}, {.value = 'c'}, {.value = 'd'}};
    struct list to;
    struct list from;
    list_init(&to);
    list_init(&from);
    list_splice(&to, &from);
    expect_values(&to, "");
    for (int i = 0; i < 4; i++) {
        list_push_back(i < 2 ? &to : &from, &items[i].link);
    }
    list_splice(&to, &from);
    expect_values(&to, "abcd");
    expect_values(&from, "");
    list_splice(&from, &to);
    expect_values(&from, "abcd");
}

static void random_numbers_repeat_by_seed_and_stay_below(void **state) {
    (void)state;
    struct random a = {42};
    struct random b = {42};
    struct random c = {43};
    int differing = 0;
    uint32_t hits[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint64_t value = random_next(&a);
        assert_true(value == random_next(&b));
        differing += value != random_next(&c);
        hits[random_below(&a, 10)]++;
        random_below(&b, 10);
        assert_int_equal(random_below(&c, 1), 0);
    }
    assert_in_range(differing, 9990, 10000);
    for (int i = 0; i < 10; i++) {
        assert_in_range(hits[i], 800, 1200);
    }
}

static void first_numbers_are_those_of_the_paper(void **state) {
    (void)state;
    struct random zero = {0};
    assert_true(random_next(&zero) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(random_next(&zero) == UINT64_C(0x6e789e6aa1b965f4));
}

static void memory_is_aligned_and_zeroed(void **state) {
    (void)state;
    unsigned char *block = rusm_zalloc_aligned(64, 100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    for (int i = 0; i < 128; i++) {
        assert_int_equal(block[i], 0);
    }
    rusm_free(block);
    unsigned char *pages = rusm_map_pages(1 << 20);
    assert_non_null(pages);
    assert_int_equal((uintptr_t)pages % 4096, 0);
    assert_int_equal(pages[0], 0);
    assert_int_equal(pages[(1 << 20) - 1], 0);
    rusm_unmap_pages(pages, 1 << 20);
    rusm_unmap_pages(NULL, 0);
    char *copy = rusm_strdup("text");
    assert_string_equal(copy, "text");
    copy = rusm_realloc(copy, 1000);
    assert_string_equal(copy, "text");
    rusm_free(copy);
    rusm_free(NULL);
}

static void memory_that_cannot_be_is_refused(void **state) {
    (void)state;
    assert_null(rusm_map_pages((size_t)1 << 62));
}

static void failed_assertion_says_where_and_aborts(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        int two = 2;
        RUSM_ASSERT(two == 2);
        RUSM_ASSERT(two == 3);
        _exit(0);
    }
    close(fds[1]);
    char text[512] = {0};
    ssize_t len = read(fds[0], text, sizeof text - 1);
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_true(len > 0);
    assert_non_null(strstr(text, "two == 3"));
    assert_non_null(strstr(text, "base_test.c"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_and_a_text),
        cmocka_unit_test(unknown_errors_have_a_name_too),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(ticks_convert_there_and_back),
        cmocka_unit_test(list_keeps_the_order_of_pushes),
        cmocka_unit_test(spliced_list_is_empty_after),
        cmocka_unit_test(random_numbers_repeat_by_seed_and_stay_below),
        cmocka_unit_test(first_numbers_are_those_of_the_paper),
        cmocka_unit_test(memory_is_aligned_and_zeroed),
        cmocka_unit_test(memory_that_cannot_be_is_refused),
        cmocka_unit_test(failed_assertion_says_where_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
