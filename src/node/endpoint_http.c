/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "node/endpoint_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_PER_MS         1000000u
#define REQUEST_BYTES_MAX (16u * 1024) /* line, headers and what libmicrohttpd adds */
#define RUNS_AT_ONCE_MAX  16u
#define HOST_BYTES_MAX    64u
#define LONG_CACHE        "public, max-age=31536000, immutable"
#define SECURITY_POLICY                                                                            \
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "           \
    "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'"

static const char missing_page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>RUSM node</title>"
    "<body style=\"font:16px/1.5 system-ui;max-width:40em;margin:4em auto;padding:0 1em\">"
    "<h1>The node is running</h1><p>Its dashboard has not been built. In the project's folder</p>"
    "<pre>make run</pre><p>builds it and starts the node with it; another place is given with "
    "<code>--dashboard DIR</code>.</p>"
    "<p>The stream is at <code>/ws</code>, the state of the node at <a href=/health>/health</a>."
    "</p></body></html>\n";

/* --- origins --- */

/* "127.0.0.1:4000", "[::1]:4000", "localhost" and the like, with nothing after it. */
static bool is_address_or_localhost(const char *host) {
    char name[HOST_BYTES_MAX];
    bool bracket = host[0] == '[';
    const char *start = bracket ? host + 1 : host;
    size_t len = strcspn(start, bracket ? "]" : ":");
    if (len == 0 || len >= sizeof(name)) {
        return false;
    }
    memcpy(name, start, len);
    name[len] = 0;
    unsigned char address[sizeof(struct in6_addr)];
    if (bracket) {
        return start[len] == ']' && inet_pton(AF_INET6, name, address) == 1;
    }
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1;
}

bool http_origin_allowed(const char *origin, const char *host, const char *const *origins) {
    static const char scheme[] = "http://";
    if (!origin) {
        return true;
    }
    for (size_t i = 0; origins[i]; i++) {
        if (strcasecmp(origin, origins[i]) == 0) {
            return true;
        }
    }
    return host && strncasecmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
           strcasecmp(origin + sizeof(scheme) - 1, host) == 0 && is_address_or_localhost(host);
}

/* --- responses --- */

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status,
                               struct MHD_Response *response, const char *type, const char *cache) {
    if (!response) {
        return MHD_NO; /* out of memory: the connection is closed */
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Content-Security-Policy", SECURITY_POLICY);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (status == MHD_HTTP_UPGRADE_REQUIRED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION, "13");
    }
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* `text` is static. */
static enum MHD_Result respond_text(struct MHD_Connection *connection, unsigned status,
                                    const char *text, const char *type) {
    return respond(connection, status,
                   MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                   MHD_RESPMEM_PERSISTENT),
                   type, "no-store");
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status,
                              const char *text) {
    return respond_text(connection, status, text, "text/plain; charset=utf-8");
}

static enum MHD_Result respond_file(struct node_endpoint *endpoint,
                                    struct MHD_Connection *connection, const char *url) {
    bool is_root = strcmp(url, "/") == 0;
    const char *path = is_root ? "/index.html" : url;
    uint64_t bytes;
    int fd = static_open(endpoint->config.dashboard_dir, path, &bytes);
    if (fd >= 0) {
        struct MHD_Response *response = MHD_create_response_from_fd64(bytes, fd);
        if (!response) {
            (void)close(fd);
        }
        return respond(connection, MHD_HTTP_OK, response, static_content_type(path),
                       static_is_hashed(path) ? LONG_CACHE : "no-cache");
    }
    if (is_root) {
        return respond_text(connection, MHD_HTTP_OK, missing_page, "text/html; charset=utf-8");
    }
    return refuse(connection, MHD_HTTP_NOT_FOUND, "no such page\n");
}

static enum MHD_Result respond_health(struct node_endpoint *endpoint,
                                      struct MHD_Connection *connection) {
    char body[128];
    int len = snprintf(body, sizeof(body), "{\"status\":\"ok\",\"uptime_ms\":%llu}\n",
                       (unsigned long long)((clock_mono_ns() - endpoint->started_ns) / NS_PER_MS));
    return respond(connection, MHD_HTTP_OK,
                   MHD_create_response_from_buffer((size_t)len, body, MHD_RESPMEM_MUST_COPY),
                   "application/json", "no-store");
}

/* --- the WebSocket handshake --- */

/* Whether the comma-separated `list` holds `token`. */
static bool has_token(const char *list, const char *token) {
    size_t len = strlen(token);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t item = strcspn(list, ", \t");
        if (item == len && strncasecmp(list, token, len) == 0) {
            return true;
        }
        list += item;
    }
    return false;
}

static const char *header(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct endpoint_connection *context_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_upgraded(void *arg, struct MHD_Connection *connection, void *request_context,
                        const char *early, size_t early_len, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *upgrade) {
    (void)request_context;
    struct endpoint_connection *context = context_of(connection);
    if (context) {
        context->upgraded = true;
    }
    client_start(arg, fd, early, early_len, upgrade);
}

static enum MHD_Result respond_websocket(struct node_endpoint *endpoint,
                                         struct MHD_Connection *connection, const char *version) {
    const char *key = header(connection, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY);
    const char *protocol_version = header(connection, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION);
    const char *origin = header(connection, MHD_HTTP_HEADER_ORIGIN);
    if (!http_origin_allowed(origin, header(connection, MHD_HTTP_HEADER_HOST), endpoint->origins)) {
        return refuse(connection, MHD_HTTP_FORBIDDEN, "this origin may not connect\n");
    }
    if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0 ||
        !has_token(header(connection, MHD_HTTP_HEADER_UPGRADE), "websocket") ||
        !has_token(header(connection, MHD_HTTP_HEADER_CONNECTION), "upgrade")) {
        return refuse(connection, MHD_HTTP_BAD_REQUEST, "this is a WebSocket\n");
    }
    if (!protocol_version || strcmp(protocol_version, "13") != 0) {
        return refuse(connection, MHD_HTTP_UPGRADE_REQUIRED, "WebSocket version 13 is spoken\n");
    }
    char accept[WEBSOCKET_ACCEPT_BYTES];
    if (!key || websocket_accept_key(key, accept) != RUSM_OK) {
        return refuse(connection, MHD_HTTP_BAD_REQUEST, "Sec-WebSocket-Key is not valid\n");
    }
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, endpoint);
    if (!response) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_SEC_WEBSOCKET_ACCEPT, accept);
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return queued;
}

/* --- libmicrohttpd's callbacks --- */

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_len, void **request_context) {
    (void)body;
    (void)body_len;
    (void)request_context;
    struct node_endpoint *endpoint = arg;
    struct endpoint_connection *context = context_of(connection);
    if (context) {
        context->deadline_ns = clock_mono_ns() + (uint64_t)NODE_TRANSFER_TIMEOUT_MS * NS_PER_MS;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n");
    }
    if (strcmp(url, "/ws") == 0) {
        return respond_websocket(endpoint, connection, version);
    }
    if (strcmp(url, "/health") == 0) {
        return respond_health(endpoint, connection);
    }
    return respond_file(endpoint, connection, url);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code) {
    (void)request_context;
    (void)code;
    struct node_endpoint *endpoint = arg;
    struct endpoint_connection *context = context_of(connection);
    if (context) {
        context->deadline_ns =
            clock_mono_ns() + (uint64_t)endpoint->config.handshake_timeout_ms * NS_PER_MS;
    }
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct node_endpoint *endpoint = arg;
    struct endpoint_connection *context = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        endpoint->connection_count--;
        if (context) {
            list_remove(&context->node);
            rusm_free(context);
        }
        return;
    }
    endpoint->connection_count++;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    context = rusm_zalloc(sizeof(*context));
    *socket_context = context;
    if (!context || !info) {
        return; /* without a deadline, but counted */
    }
    context->fd = info->connect_fd;
    context->deadline_ns =
        clock_mono_ns() + (uint64_t)endpoint->config.handshake_timeout_ms * NS_PER_MS;
    list_push_back(&endpoint->connections, &context->node);
}

/* --- life --- */

enum rusm_err http_start(struct node_endpoint *endpoint) {
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_USE_NO_LISTEN_SOCKET;
    endpoint->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, endpoint, MHD_OPTION_CONNECTION_LIMIT,
        NODE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, endpoint, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, endpoint, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP,
        1, /* blocked in the endpoint's thread */
        MHD_OPTION_END);
    if (!endpoint->daemon) {
        return RUSM_ERR_NOMEM;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(endpoint->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    RUSM_ASSERT(info);
    endpoint->http = (struct endpoint_source){.kind = ENDPOINT_HTTP, .fd = info->epoll_fd};
    return RUSM_OK;
}

void http_stop(struct node_endpoint *endpoint) {
    if (endpoint->daemon) {
        MHD_stop_daemon(endpoint->daemon);
        endpoint->daemon = NULL;
    }
}

void http_add(struct node_endpoint *endpoint, int fd, const struct sockaddr *address,
              socklen_t address_len) {
    /* On failure libmicrohttpd has closed the socket. */
    (void)MHD_add_connection(endpoint->daemon, fd, address, address_len);
    endpoint->http_wants_run = true;
}

void http_run(struct node_endpoint *endpoint) {
    MHD_UNSIGNED_LONG_LONG timeout;
    endpoint->http_wants_run = false;
    for (unsigned i = 0; i < RUNS_AT_ONCE_MAX; i++) {
        (void)MHD_run(endpoint->daemon);
        if (MHD_get_timeout(endpoint->daemon, &timeout) != MHD_YES || timeout != 0) {
            return;
        }
    }
    endpoint->http_wants_run = true;
}

void http_care(struct node_endpoint *endpoint, uint64_t now_ns) {
    for (struct list *at = endpoint->connections.next; at != &endpoint->connections;
         at = at->next) {
        struct endpoint_connection *context = LIST_ENTRY(at, struct endpoint_connection, node);
        if (!context->upgraded && now_ns >= context->deadline_ns) {
            /* libmicrohttpd sees the end of the stream and closes it. */
            (void)shutdown(context->fd, SHUT_RDWR);
            endpoint->http_wants_run = true;
        }
    }
}
