/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* The rusm-bench command: its arguments. */
#include "runner/build_info.h"
#include "runner/commands.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE      2
#define HOST_BYTES_MAX  64u
#define SECONDS_DEFAULT 5.0
#define SECONDS_MAX     86400.0
#define WORKERS_MAX     100000u
#define SCHEDULERS_MAX  64u
#define IDLE_DEFAULT    1000000u

static const char help[] =
    "usage: rusm-bench COMMAND [OPTIONS]\n"
    "\n"
    "  start                 serve the dashboard until interrupted\n"
    "    --listen ADDR       address, port, or both [127.0.0.1:4000]\n"
    "    --profile P         light, balanced or max [balanced]\n"
    "    --ticks N           frames a second, 10 to 60 [20]\n"
    "    --dashboard DIR     the built page [bench/dashboard/dist]\n"
    "    --peers FILE        results of other systems [build/peers/results.jsonl]\n"
    "    --origin URL        a further page that may connect; may be repeated\n"
    "    --schedulers N      scheduler threads [one a core]\n"
    "  run SCENARIO [SECONDS] [PROFILE]\n"
    "                        run a scenario for SECONDS [5] after a warm-up of 2 s [max]\n"
    "    --workers N         instead of what the profile says\n"
    "    --schedulers N      scheduler threads [one a core]\n"
    "    --repeat N          measure so many times, 1 to 100 [1]\n"
    "    --idle N            beside N processes that wait, up to 16000000 [0]\n"
    "    --json              one JSON line on stdout, the rest on stderr\n"
    "  idle [N]              what one of N waiting processes costs, up to 16000000 [1000000];\n"
    "                        a million fibers take 4.5 GB\n"
    "    --json              as for run\n"
    "  list                  the scenarios\n"
    "  compare A B           ratio of the medians in two files of JSON lines\n"
    "\n"
    "  --help, --version\n";

__attribute__((format(printf, 1, 2))) static int usage(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("rusm-bench: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputs(" (see rusm-bench --help)\n", stderr);
    va_end(args);
    return EXIT_USAGE;
}

/* --- values --- */

static bool parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *out) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || value < min || value > max) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool parse_seconds(const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || !isfinite(value) || value <= 0 || value > SECONDS_MAX) {
        return false;
    }
    *out = value;
    return true;
}

/* Where the address ends in "ADDR:PORT"; NULL if there is no port. An IPv6 address with a port
 * stands in brackets. */
static const char *port_colon(const char *text) {
    const char *colon = strrchr(text, ':');
    if (text[0] == '[') {
        return colon && colon > text && colon[-1] == ']' ? colon : NULL;
    }
    return colon && strchr(text, ':') == colon ? colon : NULL;
}

/* "4000", "127.0.0.1", "127.0.0.1:4000", ":4000", "::1", "[::1]:4000". What is not given stays. */
static bool parse_listen(const char *text, char host[HOST_BYTES_MAX], uint16_t *port) {
    uint32_t number = *port;
    if (parse_number(text, 0, UINT16_MAX, &number)) {
        *port = (uint16_t)number;
        return true;
    }
    const char *colon = port_colon(text);
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (colon && !parse_number(colon + 1, 0, UINT16_MAX, &number)) {
        return false;
    }
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    char name[HOST_BYTES_MAX];
    unsigned char address[sizeof(struct in6_addr)];
    if (len >= sizeof(name) || (len == 0 && !colon)) {
        return false;
    }
    memcpy(name, text, len);
    name[len] = 0;
    if (len > 0) {
        if (inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1) {
            return false;
        }
        memcpy(host, name, len + 1);
    }
    *port = (uint16_t)number;
    return true;
}

/* --- start --- */

struct start_arguments {
    struct start_options options;
    char host[HOST_BYTES_MAX];
    const char *origins[NODE_ORIGINS_MAX + 1];
    uint32_t origin_count;
};

static const char *add_origin(struct start_arguments *arguments, const char *origin) {
    static const char *const defaults[] = {"http://localhost:5173", "http://127.0.0.1:5173"};
    if (arguments->origin_count == 0) {
        arguments->origins[arguments->origin_count++] = defaults[0];
        arguments->origins[arguments->origin_count++] = defaults[1];
    }
    if (arguments->origin_count == NODE_ORIGINS_MAX) {
        return "too many origins";
    }
    arguments->origins[arguments->origin_count++] = origin;
    arguments->options.origins = arguments->origins;
    return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *take_start_option(struct start_arguments *arguments, int option,
                                     const char *value) {
    struct start_options *options = &arguments->options;
    switch (option) {
    case 'l':
        return parse_listen(value, arguments->host, &options->port) ? NULL : "no address or port";
    case 'p':
        return node_profile_parse(value, &options->profile) ? NULL : "no profile";
    case 't':
        return parse_number(value, NODE_TICKS_MIN, NODE_TICKS_MAX, &options->ticks_per_second)
                   ? NULL
                   : "not from 10 to 60";
    case 's':
        return parse_number(value, 1, SCHEDULERS_MAX, &options->schedulers) ? NULL
                                                                            : "not from 1 to 64";
    case 'd':
        options->dashboard_dir = value;
        return NULL;
    case 'e':
        options->peers_file = value;
        return NULL;
    default:
        return add_origin(arguments, value);
    }
}

static int main_start(int argc, char **argv) {
    static const struct option flags[] = {
        {"listen", required_argument, NULL, 'l'},    {"profile", required_argument, NULL, 'p'},
        {"ticks", required_argument, NULL, 't'},     {"schedulers", required_argument, NULL, 's'},
        {"dashboard", required_argument, NULL, 'd'}, {"peers", required_argument, NULL, 'e'},
        {"origin", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0},
    };
    struct start_arguments arguments = {
        .options = {.port = 4000,
                    .profile = NODE_PROFILE_BALANCED,
                    .ticks_per_second = NODE_TICKS_DEFAULT,
                    .dashboard_dir = "bench/dashboard/dist",
                    .peers_file = "build/peers/results.jsonl"},
        .host = "127.0.0.1",
    };
    int option;
    int index = 0;
    while ((option = getopt_long(argc, argv, "+:", flags, &index)) != -1) {
        if (option == '?') {
            return usage("start: unknown option %s", argv[optind - 1]);
        }
        if (option == ':') {
            return usage("start: %s needs a value", argv[optind - 1]);
        }
        const char *problem = take_start_option(&arguments, option, optarg);
        if (problem) {
            return usage("start: --%s %s: %s", flags[index].name, optarg, problem);
        }
    }
    if (optind < argc) {
        return usage("start: unexpected argument %s", argv[optind]);
    }
    arguments.options.host = arguments.host;
    return command_start(&arguments.options);
}

/* --- run --- */

static const char *take_run_option(struct run_options *options, int option, const char *value) {
    switch (option) {
    case 'w':
        return parse_number(value, 1, WORKERS_MAX, &options->workers) ? NULL
                                                                      : "not from 1 to 100000";
    case 's':
        return parse_number(value, 1, SCHEDULERS_MAX, &options->schedulers) ? NULL
                                                                            : "not from 1 to 64";
    case 'r':
        return parse_number(value, 1, RESULT_REPEATS_MAX, &options->repeats) ? NULL
                                                                             : "not from 1 to 100";
    case 'i':
        return parse_number(value, 0, IDLE_MAX, &options->idle) ? NULL : "not from 0 to 16000000";
    default:
        options->json = true;
        return NULL;
    }
}

/* SCENARIO [SECONDS] [PROFILE] */
static int take_run_arguments(struct run_options *options, int count, char **arguments) {
    if (count == 0) {
        return usage("run: which scenario? rusm-bench list shows them");
    }
    options->scenario = catalog_scenario(arguments[0]);
    if (!options->scenario) {
        return usage("run: no scenario %s; rusm-bench list shows them", arguments[0]);
    }
    int at = 1;
    if (at < count && parse_seconds(arguments[at], &options->seconds)) {
        at++;
    }
    if (at < count && node_profile_parse(arguments[at], &options->profile)) {
        at++;
    }
    if (at < count) {
        return usage("run: %s is neither seconds nor a profile", arguments[at]);
    }
    return 0;
}

static int main_run(int argc, char **argv) {
    static const struct option flags[] = {
        {"workers", required_argument, NULL, 'w'}, {"schedulers", required_argument, NULL, 's'},
        {"repeat", required_argument, NULL, 'r'},  {"idle", required_argument, NULL, 'i'},
        {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0},
    };
    struct run_options options = {
        .seconds = SECONDS_DEFAULT, .profile = NODE_PROFILE_MAX, .repeats = 1};
    int option;
    int index = 0;
    while ((option = getopt_long(argc, argv, ":", flags, &index)) != -1) {
        if (option == '?') {
            return usage("run: unknown option %s", argv[optind - 1]);
        }
        if (option == ':') {
            return usage("run: %s needs a value", argv[optind - 1]);
        }
        const char *problem = take_run_option(&options, option, optarg);
        if (problem) {
            return usage("run: --%s %s: %s", flags[index].name, optarg, problem);
        }
    }
    int code = take_run_arguments(&options, argc - optind, argv + optind);
    return code != 0 ? code : command_run(&options);
}

/* --- idle --- */

static int main_idle(int argc, char **argv) {
    static const struct option flags[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    struct idle_options options = {.count = IDLE_DEFAULT};
    int option;
    while ((option = getopt_long(argc, argv, ":", flags, NULL)) != -1) {
        if (option != 'j') {
            return usage("idle: unknown option %s", argv[optind - 1]);
        }
        options.json = true;
    }
    if (optind < argc && !parse_number(argv[optind], 1, IDLE_MAX, &options.count)) {
        return usage("idle: %s is not from 1 to 16000000", argv[optind]);
    }
    if (optind + 1 < argc) {
        return usage("idle: unexpected argument %s", argv[optind + 1]);
    }
    return command_idle(&options);
}

/* --- the rest --- */

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    opterr = 0;
    if (strcmp(command, "--help") == 0 || strcmp(command, "help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (strcmp(command, "--version") == 0) {
        (void)printf("rusm-bench %s (%s%s)\n", rusm_version(), build_commit,
                     build_dirty ? ", changed" : "");
        return 0;
    }
    command_block_signals();
    if (strcmp(command, "start") == 0) {
        return main_start(argc - 1, argv + 1);
    }
    if (strcmp(command, "run") == 0) {
        return main_run(argc - 1, argv + 1);
    }
    if (strcmp(command, "idle") == 0) {
        return main_idle(argc - 1, argv + 1);
    }
    if (strcmp(command, "list") == 0 && argc == 2) {
        return command_list();
    }
    if (strcmp(command, "compare") == 0 && argc == 4) {
        return command_compare(argv[2], argv[3]);
    }
    if (strcmp(command, "list") == 0 || strcmp(command, "compare") == 0) {
        return usage("%s: wrong number of arguments", command);
    }
    return argc > 1 ? usage("unknown command %s", command) : usage("which command?");
}
