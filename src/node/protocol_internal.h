/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The wire protocol: JSON objects told apart by their member "type". Pure functions; the only
 * files that know jansson are protocol_*.c and peers.c.
 *
 * A frame is put together from texts that many clients share: the run's part and the observer's
 * part are encoded once a tick, the rows once for each sort order, and protocol_encode_tick joins
 * them with what is one client's own.
 *
 * Every function that returns a text returns it owned by the caller (rusm_free), or NULL when
 * memory is out. Texts that are not UTF-8 are shown with '?' in place of their other bytes.
 */
#ifndef NODE_PROTOCOL_INTERNAL_H
#define NODE_PROTOCOL_INTERNAL_H

#include "node/observer_internal.h"

#define PROTOCOL_PROBLEM_BYTES  160u
#define PROTOCOL_SCENARIO_BYTES 64u

/* Make jansson allocate by base/alloc.h. Call before the others; again does no harm. */
void protocol_init(void);

enum protocol_command_kind {
    PROTOCOL_RUN,
    PROTOCOL_STOP,
    PROTOCOL_SET_OBSERVER_DETAIL,
    PROTOCOL_SET_RESOURCE_PROFILE,
};

struct protocol_command {
    enum protocol_command_kind kind;
    char scenario[PROTOCOL_SCENARIO_BYTES]; /* RUN: any text */
    bool detail;                            /* SET_OBSERVER_DETAIL, with the next two */
    enum observer_key sort;                 /* memory if not given */
    bool descending;                        /* not given: true, but false for id and name */
    enum node_profile profile;              /* SET_RESOURCE_PROFILE */
};

/* Understand a client's message. On false, `problem` says in one sentence what is wrong with it.
 * Members that are not known are ignored. */
bool protocol_decode(const char *text, size_t len, struct protocol_command *out,
                     char problem[PROTOCOL_PROBLEM_BYTES]);

struct protocol_hello {
    const struct node_scenario *scenarios;
    uint32_t scenario_count;
    uint32_t schedulers;
    uint64_t started_unix_ms;
    const struct node_machine *machine;
    const char *name;
    const char *version;
    const char *commit;
    bool dirty;
    uint32_t ticks_per_second;
    const struct node_peer *peers;
    uint32_t peer_count;
};

char *protocol_encode_hello(const struct protocol_hello *hello);
char *protocol_encode_error(const char *message);

/* The parts of a tick; a JSON object, object and array. */
char *protocol_encode_run(const struct node_run *run, uint64_t uptime_ms);
char *protocol_encode_observer(const struct observer_snapshot *snapshot);
char *protocol_encode_rows(const struct observer_view *view);

/* A whole tick; `rows` is NULL for a client that did not ask for detail. `len` gets its length. */
char *protocol_encode_tick(const char *run, const char *observer, const char *rows,
                           uint64_t dropped_ticks, size_t *len);

/*
 * Read at most `max` results of other systems from a file of JSON lines, the newest of each
 * scenario, peer and number of workers; lines that are none are skipped. Returns their number, 0 if
 * there is no such file. Free with peers_free.
 */
uint32_t peers_read(const char *path, struct node_peer *out, uint32_t max);
void peers_free(struct node_peer *peers, uint32_t count);

#endif
