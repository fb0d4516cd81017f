/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* Histograms against plain sorted arrays, at the borders of buckets, and under a second reader. */
#include "base/histogram.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

static struct histogram *make(void) {
    struct histogram *histogram = histogram_create();
    assert_non_null(histogram);
    return histogram;
}

static void empty_gives_zeroes(void **state) {
    (void)state;
    struct histogram *histogram = make();
    struct histogram_summary summary;
    histogram_summarize(histogram, &summary);
    assert_int_equal(summary.count, 0);
    assert_int_equal(summary.min_ns, 0);
    assert_int_equal(summary.max_ns, 0);
    assert_int_equal(summary.mean_ns, 0);
    assert_int_equal(summary.p999_ns, 0);
    assert_int_equal(histogram_quantile(histogram, 0.5), 0);
    histogram_destroy(histogram);
}

static void buckets_are_contiguous_and_in_range(void **state) {
    (void)state;
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(2047), 2047);
    assert_int_equal(histogram_bucket(2048), 2048);
    assert_int_equal(histogram_bucket(2049), 2048);
    assert_int_equal(histogram_bucket(HISTOGRAM_NS_MAX), HISTOGRAM_COUNTS - 1);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_COUNTS - 1);
    for (unsigned bit = 1; bit < HISTOGRAM_VALUE_BITS; bit++) {
        uint64_t edge = (uint64_t)1 << bit;
        uint32_t below = histogram_bucket(edge - 1);
        assert_int_equal(histogram_bucket(edge), below + 1);
    }
}

static int compare_values(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void assert_within(uint64_t value, uint64_t wanted) {
    uint64_t slack = wanted / 1000 + 1;
    assert_in_range(value, wanted - slack, wanted + slack);
}

static void percentiles_match_a_sorted_array(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    uint64_t *values = calloc(COUNT, sizeof(*values));
    assert_non_null(values);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct histogram *histogram = make();
        uint64_t random = seed * 0x9e3779b97f4a7c15u;
        double sum = 0;
        for (size_t i = 0; i < COUNT; i++) {
            /* Every magnitude from nanoseconds to a minute. */
            uint64_t magnitude = next_random(&random) % 36;
            values[i] = 1 + next_random(&random) % (((uint64_t)2 << magnitude) - 1);
            if (values[i] > UINT64_C(60000000000)) {
                values[i] = UINT64_C(60000000000);
            }
            sum += (double)values[i];
            histogram_record(histogram, values[i]);
        }
        qsort(values, COUNT, sizeof(*values), compare_values);
        struct histogram_summary summary;
        histogram_summarize(histogram, &summary);
        assert_int_equal(summary.count, COUNT);
        assert_within(summary.min_ns, values[0]);
        assert_within(summary.max_ns, values[COUNT - 1]);
        assert_within(summary.p50_ns, values[COUNT / 2 - 1]);
        assert_within(summary.p95_ns, values[COUNT * 95 / 100 - 1]);
        assert_within(summary.p99_ns, values[COUNT * 99 / 100 - 1]);
        assert_within(summary.p999_ns, values[COUNT * 999 / 1000 - 1]);
        assert_within(summary.mean_ns, (uint64_t)(sum / COUNT));
        assert_int_equal(histogram_quantile(histogram, 0.99), summary.p99_ns);
        assert_within(histogram_quantile(histogram, 0), values[0]);
        assert_within(histogram_quantile(histogram, 1), values[COUNT - 1]);
        histogram_destroy(histogram);
    }
    free(values);
}

static void a_window_is_the_difference_of_two_copies(void **state) {
    (void)state;
    struct histogram *recorded = make();
    struct histogram *earlier = make();
    struct histogram *window = make();
    histogram_record_many(recorded, 100, 50);
    histogram_add(earlier, recorded);
    histogram_record_many(recorded, 7000, 10);
    histogram_record(recorded, 100);
    histogram_add(window, recorded);
    histogram_subtract(window, earlier);
    struct histogram_summary summary;
    histogram_summarize(window, &summary);
    assert_int_equal(summary.count, 11);
    assert_int_equal(summary.min_ns, 100);
    assert_within(summary.p50_ns, 7000);
    histogram_clear(window);
    histogram_summarize(window, &summary);
    assert_int_equal(summary.count, 0);
    histogram_subtract(window, earlier);
    histogram_summarize(window, &summary);
    assert_int_equal(summary.count, 0);
    histogram_destroy(recorded);
    histogram_destroy(earlier);
    histogram_destroy(window);
}

struct recorder {
    struct histogram *histogram;
    uint64_t count;
};

static void *record_all(void *arg) {
    struct recorder *recorder = arg;
    for (uint64_t i = 0; i < recorder->count; i++) {
        histogram_record(recorder->histogram, i % 5000);
    }
    return NULL;
}

static void a_reader_sees_only_counts_that_were_there(void **state) {
    (void)state;
    struct recorder recorder = {.histogram = make(), .count = 300000};
    struct histogram *merged = make();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, record_all, &recorder), 0);
    uint64_t before = 0;
    for (int round = 0; round < 100; round++) {
        struct histogram_summary summary;
        histogram_clear(merged);
        histogram_add(merged, recorder.histogram);
        histogram_summarize(merged, &summary);
        assert_in_range(summary.count, before, recorder.count);
        before = summary.count;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    histogram_clear(merged);
    histogram_add(merged, recorder.histogram);
    struct histogram_summary summary;
    histogram_summarize(merged, &summary);
    assert_int_equal(summary.count, recorder.count);
    histogram_destroy(merged);
    histogram_destroy(recorder.histogram);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_gives_zeroes),
        cmocka_unit_test(buckets_are_contiguous_and_in_range),
        cmocka_unit_test(percentiles_match_a_sorted_array),
        cmocka_unit_test(a_window_is_the_difference_of_two_copies),
        cmocka_unit_test(a_reader_sees_only_counts_that_were_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
