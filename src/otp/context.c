/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * The context switch: save the callee-saved registers on the current stack, store its pointer,
 * take the other one, restore. Nothing else survives a switch; in particular the floating-point
 * control word and the signal mask are the thread's, not the process's.
 */
#include "otp/context_internal.h"

#include <stdint.h>

#if defined(__x86_64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_switch\n"
        ".hidden context_switch\n"
        ".type context_switch, @function\n"
        "context_switch:\n"
        "  .cfi_startproc\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n" /* predicted well: almost always both sides have called from sched_suspend */
        "  .cfi_endproc\n"
        ".size context_switch, .-context_switch\n");

#define SAVED_REGISTERS 6

void *context_prepare(void *top, void (*entry)(void)) {
    uintptr_t *sp = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15);
    *--sp = 0; /* the entry's return address: none; also aligns its frame */
    *--sp = (uintptr_t)entry;
    for (int i = 0; i < SAVED_REGISTERS; i++) {
        *--sp = 0;
    }
    return sp;
}

#elif defined(__aarch64__)

/* Frame: x19-x30 (96 bytes), d8-d15 (64 bytes). */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_switch\n"
        ".hidden context_switch\n"
        ".type context_switch, %function\n"
        "context_switch:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  ret\n"
        ".size context_switch, .-context_switch\n");

#define FRAME_WORDS 20
#define FRAME_X29   10
#define FRAME_X30   11

void *context_prepare(void *top, void (*entry)(void)) {
    uintptr_t *sp = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15) - FRAME_WORDS;
    for (int i = 0; i < FRAME_WORDS; i++) {
        sp[i] = 0;
    }
    sp[FRAME_X29] = 0;
    sp[FRAME_X30] = (uintptr_t)entry;
    return sp;
}

#else
#error "no context switch for this processor"
#endif
