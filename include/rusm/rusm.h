/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * RUSM: an Erlang-style actor runtime. This header is all that a program hosting processes needs.
 * Start with examples/hello.c; docs/tour.md shows the way through the code.
 */
#ifndef RUSM_H
#define RUSM_H

#include <rusm/call.h>
#include <rusm/err.h>
#include <rusm/group.h>
#include <rusm/introspect.h>
#include <rusm/link.h>
#include <rusm/log.h>
#include <rusm/message.h>
#include <rusm/process.h>
#include <rusm/runtime.h>
#include <rusm/stream.h>
#include <rusm/supervisor.h>
#include <rusm/timer.h>

#endif
