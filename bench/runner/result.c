/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/result.h"

#include "base/assert.h"
#include "runner/build_info.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define TIME_BYTES 32u
#define SMALL      100 /* below it, digits after the point count */

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

struct result_spread result_spread(const struct result *result, uint32_t index) {
    double values[RESULT_REPEATS_MAX];
    uint32_t count = result->repeats;
    RUSM_ASSERT(count > 0 && count <= RESULT_REPEATS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = result->summaries[i].metrics[index].value;
    }
    qsort(values, count, sizeof(values[0]), compare_numbers);
    double middle = values[count / 2];
    return (struct result_spread){
        .median = count % 2 != 0 ? middle : (values[count / 2 - 1] + middle) / 2,
        .min = values[0],
        .max = values[count - 1],
    };
}

/* Digits after the point that people want to see. */
static int digits_of(double value) {
    return value < SMALL && value != round(value) ? 3 : 0;
}

void result_print(const struct result *result, FILE *file) {
    (void)fprintf(file, "%s, profile %s, %u worker%s, %u scheduler%s, %u x %.1f s",
                  result->scenario->label, node_profile_info(result->profile)->id, result->workers,
                  result->workers == 1 ? "" : "s", result->schedulers,
                  result->schedulers == 1 ? "" : "s", result->repeats, result->seconds);
    if (result->idle > 0) {
        (void)fprintf(file, ", beside %u idle", result->idle);
    }
    (void)fputc('\n', file);
    (void)fprintf(file, "  %-26s %16s %16s %16s  %s\n", "", "median", "min", "max", "unit");
    for (uint32_t i = 0; i < result->summaries[0].metric_count; i++) {
        const struct runner_metric *metric = &result->summaries[0].metrics[i];
        struct result_spread spread = result_spread(result, i);
        int digits = digits_of(spread.max);
        (void)fprintf(file, "  %-26s %16.*f %16.*f %16.*f  %s\n", metric->name, digits,
                      spread.median, digits, spread.min, digits, spread.max, metric->unit);
    }
}

static json_t *machine_value(void) {
    struct node_machine machine;
    node_machine_read(&machine);
    return json_pack("{s:s, s:I, s:I, s:s}", "cpu", machine.cpu, "cores", (json_int_t)machine.cores,
                     "memory_bytes", (json_int_t)machine.memory_bytes, "kernel", machine.kernel);
}

/* More digits after the point are more than any of the figures is worth. */
static double rounded(double value) {
    double unit = fabs(value) < SMALL ? 1000 : 10;
    return isfinite(value) ? round(value * unit) / unit : 0;
}

static json_t *metrics_value(const struct result *result) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < result->summaries[0].metric_count; i++) {
        const struct runner_metric *metric = &result->summaries[0].metrics[i];
        struct result_spread spread = result_spread(result, i);
        json_t *object = json_pack("{s:s, s:s, s:f, s:f, s:f}", "name", metric->name, "unit",
                                   metric->unit, "median", rounded(spread.median), "min",
                                   rounded(spread.min), "max", rounded(spread.max));
        if (json_array_append_new(array, object) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

bool result_print_json(const struct result *result, FILE *file) {
    char date[TIME_BYTES];
    struct tm calendar;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &calendar) ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &calendar) == 0) {
        return false;
    }
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:b, s:o, s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:o}", "schema",
        RESULT_SCHEMA, "time", date, "version", rusm_version(), "commit", build_commit, "dirty",
        build_dirty, "machine", machine_value(), "scenario", result->scenario->id, "profile",
        node_profile_info(result->profile)->id, "workers", (json_int_t)result->workers,
        "schedulers", (json_int_t)result->schedulers, "idle", (json_int_t)result->idle, "seconds",
        result->seconds, "repeats", (json_int_t)result->repeats, "metrics", metrics_value(result));
    if (!root) {
        return false;
    }
    bool written = json_dumpf(root, file, JSON_COMPACT | JSON_REAL_PRECISION(12)) == 0 &&
                   fputc('\n', file) != EOF && fflush(file) == 0;
    json_decref(root);
    return written;
}
