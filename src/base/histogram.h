/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Latency histogram: durations of 1 ns to about 68 s in 27,648 fixed buckets, exact up to 2,047 ns
 * and within 0.1 % above (three significant digits).
 * Source of the bucket layout: HdrHistogram (Gil Tene), with two to the eleven sub-buckets.
 *
 * Thread rules: one thread records, or otherwise changes the histogram; any number of others may
 * read it meanwhile, by histogram_add from it. Counts are relaxed atomics written without a
 * read-modify-write, so that recording costs a shift, a load and a store. A reader may see some
 * records of a moment and not others; each count it sees is one that was there.
 *
 * Windows: keep a cumulative histogram, copy it at the window's start, subtract the copy at its
 * end. Everything (minimum, maximum and mean too) is therefore derived from the counts.
 *
 * A histogram is 216 KiB, mostly untouched pages when it comes from histogram_create. It does not
 * allocate otherwise, take locks, or know of clocks.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* 2048 sub-buckets, of which every range after the first uses the upper half. */
#define HISTOGRAM_SUB_BITS 11u
#define HISTOGRAM_SUB_HALF (1u << (HISTOGRAM_SUB_BITS - 1))
/* 60 s is below two to the 36 nanoseconds; longer durations count as the longest. */
#define HISTOGRAM_VALUE_BITS 36u
#define HISTOGRAM_NS_MAX     (((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1)
#define HISTOGRAM_COUNTS                                                                           \
    ((HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS) * HISTOGRAM_SUB_HALF + 2u * HISTOGRAM_SUB_HALF)

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_COUNTS]; /* writer: the one recording thread */
};

struct histogram_summary {
    uint64_t count;
    uint64_t min_ns;
    uint64_t max_ns;
    uint64_t mean_ns;
    uint64_t p50_ns;
    uint64_t p95_ns;
    uint64_t p99_ns;
    uint64_t p999_ns;
};

/* The bucket that counts `ns`; always below HISTOGRAM_COUNTS. Any thread. */
static inline uint32_t histogram_bucket(uint64_t ns) {
    if (ns > HISTOGRAM_NS_MAX) {
        ns = HISTOGRAM_NS_MAX;
    }
    if (ns < 2u * HISTOGRAM_SUB_HALF) {
        return (uint32_t)ns;
    }
    uint32_t range = 64u - HISTOGRAM_SUB_BITS - (uint32_t)__builtin_clzll(ns);
    return range * HISTOGRAM_SUB_HALF + (uint32_t)(ns >> range);
}

/* Count `count` durations of `ns` nanoseconds. The histogram's writer only. */
static inline void histogram_record_many(struct histogram *histogram, uint64_t ns, uint64_t count) {
    _Atomic uint64_t *cell = &histogram->counts[histogram_bucket(ns)];
    /* Relaxed: the counts order nothing; a reader that misses this one finds it next time. */
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

/* Count one duration of `ns` nanoseconds. The histogram's writer only. */
static inline void histogram_record(struct histogram *histogram, uint64_t ns) {
    histogram_record_many(histogram, ns, 1);
}

/* An empty histogram, owned by the caller; NULL when memory is out. */
struct histogram *histogram_create(void);
/* `histogram` may be NULL. */
void histogram_destroy(struct histogram *histogram);

/* Set all counts to zero. The histogram's writer only. */
void histogram_clear(struct histogram *histogram);

/* Add the counts of `from`, which its own writer may go on changing, to `into`. */
void histogram_add(struct histogram *into, const struct histogram *from);

/* Take the counts of `earlier`, a copy of `from` made before, away from `from`. Counts that would
 * fall below zero (`earlier` is no such copy) become zero. */
void histogram_subtract(struct histogram *from, const struct histogram *earlier);

/*
 * The duration that `quantile` (0 to 1) of the records do not exceed: the middle of its bucket.
 * 0 if there are no records.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);

/* All figures in one pass; zeroes if there are no records. */
void histogram_summarize(const struct histogram *histogram, struct histogram_summary *out);

#endif
