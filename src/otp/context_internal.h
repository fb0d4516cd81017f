/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#ifndef OTP_CONTEXT_INTERNAL_H
#define OTP_CONTEXT_INTERNAL_H

/* Save the caller's context, store its stack pointer in *save, and go on at the context whose
 * stack pointer is `to`. Returns when another switch comes back. */
void context_switch(void **save, void *to);

/* A context that calls `entry`, which must not return, on the stack that ends at `top`. Returns its
 * stack pointer. */
void *context_prepare(void *top, void (*entry)(void));

#endif
