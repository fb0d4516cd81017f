/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/* For tests: one message of every kind, the same on every machine. */
#ifndef NODE_PROTOCOL_FIXTURE_INTERNAL_H
#define NODE_PROTOCOL_FIXTURE_INTERNAL_H

#define PROTOCOL_FIXTURES 4u

/* "hello.json", "tick-idle.json", "tick-running.json", "error.json". */
const char *protocol_fixture_file(unsigned fixture);
/* Its text as the encoder makes it, to be freed with rusm_free. */
char *protocol_fixture_text(unsigned fixture);

#endif
