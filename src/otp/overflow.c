/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * A stack overflow hits the guard below the stack: the handler, on a stack of its own, names the
 * process and stops the node. Every other fault goes to whoever handled it before.
 */
#include "base/alloc.h"
#include "otp/runtime_internal.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALTERNATE_STACK_BYTES (64u * 1024)

/* The signal table is the process's, and so is what was in it before us. */
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static struct sigaction previous_segv;
static struct sigaction previous_bus;

static bool hit_guard(const struct sched *s, const char *address) {
    return s && s->stack && address < s->stack->low && address >= s->stack->low - STACK_GUARD_BYTES;
}

static void report(const struct sched *s) {
    char line[256];
    char label[RUSM_LABEL_BYTES_MAX + 1] = "";
    struct process *p = s->current;
    int len;
    if (p) {
        struct process_ext *ext = atomic_load_explicit(&p->ext, memory_order_relaxed);
        if (ext) {
            text_get(&ext->label, label);
            if (!label[0]) {
                text_get(&ext->name, label);
            }
        }
        len = snprintf(line, sizeof line,
                       "rusm: process %llu%s%s%s overflowed its stack of %u bytes "
                       "(rusm_config.stack_bytes); the node stops\n",
                       (unsigned long long)process_pid(p).v, label[0] ? " \"" : "", label,
                       label[0] ? "\"" : "", s->rt->config.stack_bytes);
    } else {
        len = snprintf(line, sizeof line,
                       "rusm: scheduler %u overflowed its stack outside a process; "
                       "the node stops\n",
                       s->index);
    }
    if (len > 0) {
        ssize_t written = write(STDERR_FILENO, line, (size_t)len);
        (void)written;
    }
}

static void on_fault(int signo, siginfo_t *info, void *context) {
    struct sched *s = sched_tls;
    if (hit_guard(s, info->si_addr)) {
        report(s);
        abort();
    }
    struct sigaction *previous = signo == SIGSEGV ? &previous_segv : &previous_bus;
    if (previous->sa_flags & SA_SIGINFO) {
        previous->sa_sigaction(signo, info, context);
    } else if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        previous->sa_handler(signo);
    } else {
        /* Return to the faulting instruction, which now ends the program as it should. */
        signal(signo, SIG_DFL);
    }
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
}

void stack_overflow_handler_install(void) {
    pthread_once(&installed, install);
}

enum rusm_err stack_overflow_thread_init(void **alternate_stack) {
    void *memory = rusm_alloc(ALTERNATE_STACK_BYTES);
    if (!memory) {
        return RUSM_ERR_NOMEM;
    }
    stack_t alternate = {.ss_sp = memory, .ss_size = ALTERNATE_STACK_BYTES};
    sigaltstack(&alternate, NULL);
    *alternate_stack = memory;
    return RUSM_OK;
}

void stack_overflow_thread_deinit(void) {
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
}
