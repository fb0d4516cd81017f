/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "base/histogram.h"

#include "base/alloc.h"

_Static_assert(HISTOGRAM_COUNTS == 27648, "the header states this number");
_Static_assert((UINT64_C(60000000000) >> HISTOGRAM_VALUE_BITS) == 0, "60 s must fit");

static uint64_t count_at(const struct histogram *histogram, size_t bucket) {
    return atomic_load_explicit(&histogram->counts[bucket], memory_order_relaxed);
}

static void set_count(struct histogram *histogram, size_t bucket, uint64_t count) {
    atomic_store_explicit(&histogram->counts[bucket], count, memory_order_relaxed);
}

/* The lowest duration that `bucket` counts, and how many durations it counts. */
static uint64_t bucket_low(size_t bucket, uint64_t *width) {
    if (bucket < 2u * HISTOGRAM_SUB_HALF) {
        *width = 1;
        return bucket;
    }
    uint64_t range = bucket / HISTOGRAM_SUB_HALF - 1;
    uint64_t sub = bucket - range * HISTOGRAM_SUB_HALF;
    *width = (uint64_t)1 << range;
    return sub << range;
}

static uint64_t bucket_middle(size_t bucket) {
    uint64_t width;
    uint64_t low = bucket_low(bucket, &width);
    return low + width / 2;
}

struct histogram *histogram_create(void) {
    return rusm_zalloc(sizeof(struct histogram));
}

void histogram_destroy(struct histogram *histogram) {
    rusm_free(histogram);
}

/* Pages never written stay unmapped: only counts that differ are stored, here and below. */
void histogram_clear(struct histogram *histogram) {
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS; bucket++) {
        if (count_at(histogram, bucket) != 0) {
            set_count(histogram, bucket, 0);
        }
    }
}

void histogram_add(struct histogram *into, const struct histogram *from) {
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS; bucket++) {
        uint64_t count = count_at(from, bucket);
        if (count != 0) {
            set_count(into, bucket, count_at(into, bucket) + count);
        }
    }
}

void histogram_subtract(struct histogram *from, const struct histogram *earlier) {
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS; bucket++) {
        uint64_t less = count_at(earlier, bucket);
        if (less != 0) {
            uint64_t count = count_at(from, bucket);
            set_count(from, bucket, count > less ? count - less : 0);
        }
    }
}

static uint64_t total_count(const struct histogram *histogram) {
    uint64_t total = 0;
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS; bucket++) {
        total += count_at(histogram, bucket);
    }
    return total;
}

/* The rank (from 1) of the record that answers `quantile` among `total` > 0 records. */
static uint64_t rank_of(double quantile, uint64_t total) {
    double exact = quantile * (double)total;
    if (!(exact > 1)) {
        return 1;
    }
    if (exact >= (double)total) {
        return total;
    }
    uint64_t below = (uint64_t)exact;
    return (double)below < exact ? below + 1 : below;
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
    uint64_t total = total_count(histogram);
    if (total == 0) {
        return 0;
    }
    uint64_t rank = rank_of(quantile, total);
    uint64_t seen = 0;
    size_t last = 0;
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS && seen < rank; bucket++) {
        uint64_t count = count_at(histogram, bucket);
        if (count != 0) {
            last = bucket;
        }
        seen += count;
    }
    return bucket_middle(last);
}

void histogram_summarize(const struct histogram *histogram, struct histogram_summary *out) {
    *out = (struct histogram_summary){.count = total_count(histogram)};
    if (out->count == 0) {
        return;
    }
    const double quantiles[] = {0.5, 0.95, 0.99, 0.999};
    uint64_t *results[] = {&out->p50_ns, &out->p95_ns, &out->p99_ns, &out->p999_ns};
    size_t next = 0;
    uint64_t seen = 0;
    double sum = 0;
    for (size_t bucket = 0; bucket < HISTOGRAM_COUNTS; bucket++) {
        uint64_t count = count_at(histogram, bucket);
        if (count == 0) {
            continue;
        }
        uint64_t width;
        uint64_t low = bucket_low(bucket, &width);
        if (seen == 0) {
            out->min_ns = low;
        }
        out->max_ns = low + width - 1;
        uint64_t middle = low + width / 2;
        sum += (double)count * (double)middle;
        seen += count;
        while (next < 4 && seen >= rank_of(quantiles[next], out->count)) {
            *results[next++] = middle;
        }
    }
    /* A histogram still being written may have grown since it was counted. */
    out->mean_ns = (uint64_t)(sum / (double)seen);
}
