/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/errinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void holds_a_line(void **state) {
    (void)state;
    struct rusm_errinfo info;
    assert_int_equal(errinfo_set(&info, RUSM_ERR_NOMEM, "%s: %d", "key", 7), RUSM_ERR_NOMEM);
    assert_string_equal(info.text, "key: 7");
    assert_int_equal(errinfo_set(NULL, RUSM_ERR_INVALID, "nobody wants it"), RUSM_ERR_INVALID);
}

/* Characters of one to four bytes, cut at every place within them. */
static void is_cut_between_characters(void **state) {
    (void)state;
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t c = 0; c < 4; c++) {
        size_t bytes = c + 1;
        for (size_t shift = 0; shift < 4; shift++) {
            char text[2 * RUSM_ERRINFO_BYTES] = "xxx";
            size_t len = shift;
            while (len + bytes < sizeof text) {
                memcpy(text + len, characters[c], bytes);
                len += bytes;
            }
            text[len] = 0;
            struct rusm_errinfo info;
            (void)errinfo_set(&info, RUSM_ERR_INVALID, "%s", text);
            size_t whole = (RUSM_ERRINFO_BYTES - 1 - shift) / bytes * bytes + shift;
            assert_int_equal(strlen(info.text), whole);
            assert_memory_equal(info.text, text, whole);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_line),
        cmocka_unit_test(is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
