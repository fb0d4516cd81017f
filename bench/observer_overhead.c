/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * observer_overhead [SECONDS] [ROUNDS]: what looking costs. While a scenario runs, slices of
 * SECONDS with nobody looking, with a page at 20 frames a second, and with one at 60 that wants the
 * process table take turns. Prints the median of the ratios to "nobody" of the same round, and
 * where the middle half of them lies. The rate is that of the runtime's own counters.
 */
#include "base/clock.h"
#include "runner/driver.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX      101u
#define SECONDS_DEFAULT 0.5
#define ROUNDS_DEFAULT  41u
#define WARM_UP_SHARE   0.25 /* of the measured time, before it */

static const char *const scenarios[] = {
    "spawn-storm",
    "ping-pong",
#ifdef RUSM_WASM
    "module-storm",
#endif
};

enum mode { MODE_OFF, MODE_PAGE, MODE_DETAIL };
#define MODES 3u

static const char *const mode_names[MODES] = {"nobody looks", "20 Hz", "60 Hz with detail"};

/* --- the page --- */

struct page {
    int fd;
    pthread_t thread;
};

static void *read_all(void *arg) {
    const struct page *page = arg;
    char buffer[16384];
    while (recv(page->fd, buffer, sizeof(buffer), 0) > 0) {
    }
    return NULL;
}

static bool write_all(int fd, const void *bytes, size_t len) {
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A masked text frame of less than 126 bytes; a mask of zeroes leaves the text as it is. */
static bool write_text(int fd, const char *text) {
    size_t len = strlen(text);
    const unsigned char header[6] = {0x81, (unsigned char)(0x80u | len)};
    return write_all(fd, header, sizeof(header)) && write_all(fd, text, len);
}

static bool page_open(struct page *page, uint16_t port, bool detail) {
    static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    page->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (page->fd < 0) {
        return false;
    }
    if (connect(page->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        !write_all(page->fd, handshake, sizeof(handshake) - 1) ||
        (detail && !write_text(page->fd, "{\"type\":\"set_observer_detail\",\"enabled\":true}")) ||
        pthread_create(&page->thread, NULL, read_all, page) != 0) {
        (void)close(page->fd);
        return false;
    }
    return true;
}

static void page_close(struct page *page) {
    (void)pthread_join(page->thread, NULL); /* the endpoint has closed the connection */
    (void)close(page->fd);
}

/* --- the node --- */

static struct node_endpoint *start_endpoint(struct wasm_host *host, struct runner *runner,
                                            enum mode mode) {
    struct node_endpoint_config config;
    struct node_endpoint *endpoint;
    node_endpoint_config_init(&config);
    config.port = 0;
    config.ticks_per_second = mode == MODE_DETAIL ? NODE_TICKS_MAX : NODE_TICKS_DEFAULT;
    config.runtime = host->runtime;
    config.driver = driver_of(runner, host);
    return node_endpoint_start(&config, &endpoint) == RUSM_OK ? endpoint : NULL;
}

/* --- measuring --- */

static void sleep_seconds(double seconds) {
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

/* Processes ended and messages delivered: what the scenarios count. */
static uint64_t work_done(rusm_runtime *runtime) {
    struct rusm_scheduler_info info;
    uint64_t done = 0;
    for (uint32_t i = 0; rusm_scheduler_info(runtime, i, &info) == RUSM_OK; i++) {
        done += info.finished + info.messages;
    }
    return done;
}

static double measure_rate(rusm_runtime *runtime, double seconds) {
    sleep_seconds(seconds * WARM_UP_SHARE);
    uint64_t start_ns = clock_mono_ns();
    uint64_t before = work_done(runtime);
    sleep_seconds(seconds);
    uint64_t after = work_done(runtime);
    return (double)(after - before) * 1e9 / (double)(clock_mono_ns() - start_ns);
}

/* The rate in one mode; 0 if something failed. Between endpoints the runner is ours. */
static double measure(struct wasm_host *host, struct runner *runner, enum mode mode,
                      double seconds) {
    if (mode == MODE_OFF) {
        return measure_rate(host->runtime, seconds);
    }
    struct node_endpoint *endpoint = start_endpoint(host, runner, mode);
    struct page page;
    double rate = 0;
    bool open = endpoint && page_open(&page, node_endpoint_port(endpoint), mode == MODE_DETAIL);
    if (open) {
        rate = measure_rate(host->runtime, seconds);
    }
    node_endpoint_stop(endpoint);
    if (open) {
        page_close(&page);
    }
    return rate;
}

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of(double *values, uint32_t count) {
    qsort(values, count, sizeof(values[0]), compare_numbers);
    double middle = values[count / 2];
    return count % 2 != 0 ? middle : (values[count / 2 - 1] + middle) / 2;
}

/* The rates of all modes, in an order that turns, so that a drift of the machine favours none. */
static bool measure_round(struct wasm_host *host, struct runner *runner, double seconds,
                          uint32_t round, double rates[MODES]) {
    for (uint32_t i = 0; i < MODES; i++) {
        uint32_t mode = (i + round) % MODES;
        rates[mode] = measure(host, runner, (enum mode)mode, seconds);
        if (!(rates[mode] > 0)) {
            return false;
        }
    }
    return true;
}

static void print_ratios(const char *name, double *ratios, uint32_t count) {
    double median = median_of(ratios, count); /* which sorts them */
    (void)printf("  %-18s ratio %.4f  (middle half %.4f to %.4f, n = %u)\n", name, median,
                 ratios[count / 4], ratios[count - 1 - count / 4], count);
}

static bool measure_scenario(struct wasm_host *host, struct runner *runner, const char *scenario,
                             double seconds, uint32_t rounds) {
    double ratios[MODES][ROUNDS_MAX];
    double base[ROUNDS_MAX];
    bool ok = runner_run(runner, scenario) == NULL;
    for (uint32_t round = 0; ok && round < rounds; round++) {
        double rates[MODES] = {0};
        ok = measure_round(host, runner, seconds, round, rates);
        base[round] = rates[MODE_OFF];
        for (uint32_t mode = 0; mode < MODES; mode++) {
            ratios[mode][round] = rates[mode] / rates[MODE_OFF];
        }
    }
    runner_close(runner);
    if (!ok) {
        (void)fprintf(stderr, "observer_overhead: %s did not run\n", scenario);
        return false;
    }
    (void)printf("%s: %.0f/s with nobody looking\n", scenario, median_of(base, rounds));
    print_ratios(mode_names[MODE_PAGE], ratios[MODE_PAGE], rounds);
    print_ratios(mode_names[MODE_DETAIL], ratios[MODE_DETAIL], rounds);
    return true;
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : SECONDS_DEFAULT;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;
    if (!(seconds > 0) || seconds > 3600 || rounds == 0 || rounds > ROUNDS_MAX || argc > 3) {
        (void)fprintf(stderr, "usage: observer_overhead [SECONDS] [ROUNDS up to %u]\n", ROUNDS_MAX);
        return 2;
    }
    struct wasm_host host;
    struct runner *runner;
    struct node_machine machine;
    rusm_runtime *runtime;
    node_machine_read(&machine);
    if (rusm_runtime_create(NULL, &runtime) != RUSM_OK || !wasm_host_init(&host, runtime)) {
        (void)fprintf(stderr, "observer_overhead: cannot start the runtime\n");
        return 1;
    }
    struct runner_config config = {.runtime = runtime,
                                   .cores = machine.cores,
                                   .profile = NODE_PROFILE_MAX,
                                   .warm_up_ms = RUNNER_WARM_UP_MS};
    driver_config_guests(&config, &host);
    bool ok = runner_create(&config, &runner) == RUSM_OK;
    if (ok) {
        (void)printf("%s, %u cores; slices of %.2f s, %lu rounds\n", machine.cpu, machine.cores,
                     seconds, rounds);
        for (size_t i = 0; ok && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
            ok = measure_scenario(&host, runner, scenarios[i], seconds, (uint32_t)rounds);
        }
        runner_destroy(runner);
    }
    rusm_runtime_destroy(runtime);
    wasm_host_deinit(&host);
    return ok ? 0 : 1;
}
