/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "otp/stack_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/context_internal.h"
#include "otp/runtime_internal.h"
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define STACK_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define STACK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_ASAN 1
#elif __has_feature(thread_sanitizer)
#define STACK_TSAN 1
#endif
#endif

#ifdef STACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef STACK_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

#define PAGE_BYTES    4096u
#define REGION_STACKS 256u /* address space taken from the kernel at once */
#ifdef RUSM_SIM
#define SPARES_MAX   4u /* so that few processes pass through the depot, too */
#define SPARES_BATCH 2u
#else
#define SPARES_MAX   128u /* free stacks a scheduler keeps */
#define SPARES_BATCH 64u
#endif

struct region {
    struct region *next;
    char *base;
    size_t bytes;
};

struct stack_depot {
    size_t stack_bytes;
    size_t stride;
    pthread_mutex_t lock; /* guards all below */
    struct region *regions;
    uint32_t carved; /* stacks used of the newest region */
    struct stack *free;
    _Atomic uint64_t in_use;
};

enum rusm_err stack_depot_create(size_t stack_bytes, struct stack_depot **out) {
    struct stack_depot *depot = rusm_zalloc(sizeof *depot);
    if (!depot) {
        return RUSM_ERR_NOMEM;
    }
    depot->stack_bytes = stack_bytes;
    depot->stride = stack_bytes + STACK_GUARD_BYTES;
    pthread_mutex_init(&depot->lock, NULL);
    *out = depot;
    return RUSM_OK;
}

/* The stack at `base`, the start of its guard. */
static struct stack *stack_at(const struct stack_depot *depot, char *base) {
    return (struct stack *)(void *)(base + depot->stride - sizeof(struct stack));
}

#ifdef STACK_TSAN
static void destroy_contexts(struct stack_depot *depot) {
    uint32_t carved = depot->carved;
    for (struct region *region = depot->regions; region; region = region->next) {
        for (uint32_t i = 0; i < carved; i++) {
            struct stack *stack = stack_at(depot, region->base + i * depot->stride);
            if (stack->context) {
                __tsan_destroy_fiber(stack->context);
            }
        }
        carved = REGION_STACKS; /* all but the newest region are used up */
    }
}
#endif

void stack_depot_destroy(struct stack_depot *depot) {
    if (!depot) {
        return;
    }
#ifdef STACK_TSAN
    destroy_contexts(depot);
#endif
    while (depot->regions) {
        struct region *region = depot->regions;
        depot->regions = region->next;
        rusm_unmap_pages(region->base, region->bytes);
        rusm_free(region);
    }
    pthread_mutex_destroy(&depot->lock);
    rusm_free(depot);
}

uint64_t stack_depot_count(struct stack_depot *depot) {
    return atomic_load_explicit(&depot->in_use, memory_order_relaxed);
}

static bool add_region(struct stack_depot *depot) {
    struct region *region = rusm_zalloc(sizeof *region);
    if (!region) {
        return false;
    }
    region->bytes = depot->stride * REGION_STACKS;
    region->base = rusm_map_pages(region->bytes);
    if (!region->base) {
        rusm_free(region);
        return false;
    }
    /* A huge page for each touched top page would cost 2 MiB a fiber. */
    (void)madvise(region->base, region->bytes, MADV_NOHUGEPAGE);
    region->next = depot->regions;
    depot->regions = region;
    depot->carved = 0;
    return true;
}

/* Make the lowest bytes fault. Older kernels pay a mapping for it, of which they allow 65,530. */
static bool install_guard(char *base) {
    return madvise(base, STACK_GUARD_BYTES, MADV_GUARD_INSTALL) == 0 ||
           mprotect(base, STACK_GUARD_BYTES, PROT_NONE) == 0;
}

static struct stack *carve(struct stack_depot *depot) {
    if ((!depot->regions || depot->carved == REGION_STACKS) && !add_region(depot)) {
        return NULL;
    }
    char *base = depot->regions->base + depot->carved * depot->stride;
    if (!install_guard(base)) {
        return NULL;
    }
    depot->carved++;
    struct stack *stack = stack_at(depot, base);
    stack->low = base + STACK_GUARD_BYTES;
    stack->sp = NULL;
    stack->context = NULL;
    atomic_fetch_add_explicit(&depot->in_use, 1, memory_order_relaxed);
    return stack;
}

__attribute__((noinline)) struct stack *stack_take(struct sched *s) {
    struct stack *stack = s->spares;
    if (__builtin_expect(stack != NULL, 1)) {
        s->spares = stack->next;
        s->spare_count--;
        return stack;
    }
    struct stack_depot *depot = s->rt->stack_depot;
    pthread_mutex_lock(&depot->lock);
    stack = depot->free;
    if (stack) {
        depot->free = stack->next;
    } else {
        stack = carve(depot);
    }
    pthread_mutex_unlock(&depot->lock);
    return stack;
}

/* Forget a parked loop's frames, so that the pages below the top one can be given back. */
static void trim(struct stack *stack) {
    stack->sp = NULL;
    char *top_page = (char *)((uintptr_t)stack & ~(uintptr_t)(PAGE_BYTES - 1));
    if (top_page > stack->low) {
        (void)madvise(stack->low, (size_t)(top_page - stack->low), MADV_DONTNEED);
    }
#ifdef STACK_TSAN
    if (stack->context) {
        __tsan_destroy_fiber(stack->context);
        stack->context = NULL;
    }
#endif
}

static void spill(struct sched *s) {
    struct stack *first = s->spares;
    struct stack *last = NULL;
    struct stack *stack = first;
    for (uint32_t i = 0; i < SPARES_BATCH; i++) {
        trim(stack);
        last = stack;
        stack = stack->next;
    }
    s->spares = stack;
    s->spare_count -= SPARES_BATCH;
    struct stack_depot *depot = s->rt->stack_depot;
    pthread_mutex_lock(&depot->lock);
    last->next = depot->free;
    depot->free = first;
    pthread_mutex_unlock(&depot->lock);
}

void stack_give(struct sched *s, struct stack *stack) {
    /* Before this one is added, which may still be the current stack. */
    if (s->spare_count >= SPARES_MAX) {
        spill(s);
    }
    stack->next = s->spares;
    s->spares = stack;
    s->spare_count++;
}

size_t stack_used_bytes(const struct stack *stack, const void *sp) {
    uintptr_t top = (uintptr_t)(stack + 1);
    uintptr_t page = (uintptr_t)sp & ~(uintptr_t)(PAGE_BYTES - 1);
    return page < top ? top - page : PAGE_BYTES;
}

__attribute__((noinline, cold)) void *stack_fresh_sp(struct stack *stack) {
#ifdef STACK_TSAN
    if (!stack->context) {
        stack->context = __tsan_create_fiber(0);
    }
#endif
#ifdef STACK_ASAN
    __asan_unpoison_memory_region(stack->low, (size_t)((char *)stack - stack->low));
#endif
    return context_prepare(stack, sched_stack_entry);
}

#if defined(STACK_ASAN)

void stack_switch(void **save, void *to, struct stack *from, struct stack *dest) {
    struct sched *s = sched_tls;
    void *fake = NULL;
    (void)from;
    __sanitizer_start_switch_fiber(&fake, dest ? dest->low : s->thread_stack_low,
                                   dest ? (size_t)((char *)dest - dest->low)
                                        : s->thread_stack_bytes);
    context_switch(save, to);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

void stack_arrived(void) {
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

#elif defined(STACK_TSAN)

void stack_switch(void **save, void *to, struct stack *from, struct stack *dest) {
    if (!from) {
        sched_tls->thread_context = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(dest ? dest->context : sched_tls->thread_context, 0);
    context_switch(save, to);
}

void stack_arrived(void) {}

#else

void stack_switch(void **save, void *to, struct stack *from, struct stack *dest) {
    (void)from;
    (void)dest;
    context_switch(save, to);
}

void stack_arrived(void) {}

#endif

void stack_restart(struct stack *stack) {
    void *sp = stack_fresh_sp(stack);
    void *abandoned;
#ifdef STACK_TSAN
    void *old = stack->context;
    stack->context = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(stack->context, 0);
    __tsan_destroy_fiber(old);
#endif
#ifdef STACK_ASAN
    /* To itself: sched_stack_entry finishes a switch, whichever way it was reached. */
    __sanitizer_start_switch_fiber(NULL, stack->low, (size_t)((char *)stack - stack->low));
#endif
    context_switch(&abandoned, sp);
    __builtin_unreachable();
}
