/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/endpoint_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 200u
#define HASH_CHARS_MIN 8u

static bool is_name_char(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

bool static_path_allowed(const char *path) {
    size_t len = strlen(path);
    if (path[0] != '/' || len > PATH_BYTES_MAX) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        bool starts = path[i - 1] == '/';
        if (path[i] == '/' ? starts : !is_name_char(path[i]) || (starts && path[i] == '.')) {
            return false;
        }
    }
    return len > 1 && path[len - 1] != '/';
}

const char *static_content_type(const char *path) {
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".wasm", "application/wasm"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(dot, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

bool static_is_hashed(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot) {
        return false;
    }
    size_t letters = 0;
    size_t digits = 0;
    const char *at = dot;
    while (at > name && isalnum((unsigned char)at[-1])) {
        at--;
        if (isdigit((unsigned char)*at)) {
            digits++;
        } else {
            letters++;
        }
    }
    /* A digit and a letter: neither a word nor a date or version. */
    return at > name && (at[-1] == '-' || at[-1] == '.') && letters + digits >= HASH_CHARS_MIN &&
           digits > 0 && letters > 0;
}

int static_open(const char *directory, const char *path, uint64_t *bytes) {
    if (!directory || !static_path_allowed(path)) {
        return -1;
    }
    int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return -1;
    }
    int fd = openat(dir, path + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    (void)close(dir);
    struct stat status;
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        (void)close(fd);
        fd = -1;
    }
    if (fd >= 0) {
        *bytes = (uint64_t)status.st_size;
    }
    return fd;
}
