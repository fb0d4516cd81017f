/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "runner/result.h"

#include "base/alloc.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 65536
#define LINES_MAX      1024u

/* What a file says of one metric of one scenario. */
struct side {
    double medians[LINES_MAX];
    uint32_t count;
    double min;
    double max;
};

/* The lines of a file that are JSON objects. */
static json_t *read_lines(const char *path) {
    FILE *file = fopen(path, "re");
    char *line = file ? rusm_alloc(LINE_BYTES_MAX) : NULL;
    json_t *lines = line ? json_array() : NULL;
    while (lines && json_array_size(lines) < LINES_MAX && fgets(line, LINE_BYTES_MAX, file)) {
        json_t *root = json_loads(line, 0, NULL);
        if (json_is_array(json_object_get(root, "metrics"))) {
            (void)json_array_append(lines, root);
        }
        json_decref(root);
    }
    rusm_free(line);
    if (file) {
        (void)fclose(file);
    }
    return lines;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Whether two lines measured the same: scenario and number of workers. */
static bool is_same_run(const json_t *a, const json_t *b) {
    return strcmp(text_of(a, "scenario"), text_of(b, "scenario")) == 0 &&
           json_integer_value(json_object_get(a, "workers")) ==
               json_integer_value(json_object_get(b, "workers"));
}

static const json_t *find_metric(const json_t *line, const char *name) {
    size_t i;
    json_t *metric;
    json_array_foreach(json_object_get(line, "metrics"), i, metric) {
        if (strcmp(text_of(metric, "name"), name) == 0) {
            return metric;
        }
    }
    return NULL;
}

static double number_of(const json_t *metric, const char *key) {
    const json_t *number = json_object_get(metric, key);
    return json_number_value(number ? number : json_object_get(metric, "value"));
}

static void add_line(struct side *side, const json_t *metric) {
    double min = number_of(metric, "min");
    double max = number_of(metric, "max");
    if (side->count == 0 || min < side->min) {
        side->min = min;
    }
    if (side->count == 0 || max > side->max) {
        side->max = max;
    }
    side->medians[side->count++] = number_of(metric, "median");
}

/* All that `lines` say about `name` in runs like `like`. */
static void collect(const json_t *lines, const json_t *like, const char *name, struct side *out) {
    size_t i;
    json_t *line;
    out->count = 0;
    json_array_foreach(lines, i, line) {
        const json_t *metric = is_same_run(line, like) ? find_metric(line, name) : NULL;
        if (metric) {
            add_line(out, metric);
        }
    }
}

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of(struct side *side) {
    qsort(side->medians, side->count, sizeof(side->medians[0]), compare_numbers);
    double middle = side->medians[side->count / 2];
    return side->count % 2 != 0 ? middle : (side->medians[side->count / 2 - 1] + middle) / 2;
}

/* Greatest minus least, in per cent of the median. */
static double spread_of(const struct side *side, double median) {
    return median > 0 ? (side->max - side->min) * 100 / median : 0;
}

static void print_metric(const json_t *metric, struct side *a, struct side *b, FILE *file) {
    double median_a = median_of(a);
    double median_b = median_of(b);
    (void)fprintf(file, "  %-24s %14.0f %5.1f %% %14.0f %5.1f %%", text_of(metric, "name"),
                  median_a, spread_of(a, median_a), median_b, spread_of(b, median_b));
    if (median_a > 0) {
        (void)fprintf(file, " %8.3f", median_b / median_a);
    } else {
        (void)fprintf(file, " %8s", "-");
    }
    (void)fprintf(file, "  %s\n", text_of(metric, "unit"));
}

/* Whether an earlier line of the array is a run like that at `index`. */
static bool is_repeated(const json_t *lines, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (is_same_run(json_array_get(lines, i), json_array_get(lines, index))) {
            return true;
        }
    }
    return false;
}

static bool print_runs(const json_t *lines_a, const json_t *lines_b, FILE *file) {
    struct side a;
    struct side b;
    bool any = false;
    size_t i;
    json_t *line;
    json_array_foreach(lines_a, i, line) {
        bool headed = false;
        size_t k;
        json_t *metric;
        if (is_repeated(lines_a, i)) {
            continue;
        }
        json_array_foreach(json_object_get(line, "metrics"), k, metric) {
            collect(lines_a, line, text_of(metric, "name"), &a);
            collect(lines_b, line, text_of(metric, "name"), &b);
            if (a.count == 0 || b.count == 0) {
                continue;
            }
            if (!headed) {
                (void)fprintf(file, "%s, workers %lld\n  %-24s %14s %7s %14s %7s %8s\n",
                              text_of(line, "scenario"),
                              (long long)json_integer_value(json_object_get(line, "workers")), "",
                              "A median", "spread", "B median", "spread", "B / A");
                headed = true;
            }
            print_metric(metric, &a, &b, file);
            any = true;
        }
    }
    return any;
}

const char *result_compare(const char *path_a, const char *path_b, FILE *file) {
    json_t *lines_a = read_lines(path_a);
    json_t *lines_b = read_lines(path_b);
    const char *problem = NULL;
    if (!lines_a || json_array_size(lines_a) == 0) {
        problem = "the first file cannot be read or has no results";
    } else if (!lines_b || json_array_size(lines_b) == 0) {
        problem = "the second file cannot be read or has no results";
    } else if (!print_runs(lines_a, lines_b, file)) {
        problem = "the two files have no run of the same scenario and workers";
    }
    json_decref(lines_a);
    json_decref(lines_b);
    return problem;
}
