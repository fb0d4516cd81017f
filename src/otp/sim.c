/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#ifdef RUSM_SIM

#include "otp/sim.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "otp/runtime_internal.h"
#include "otp/sim_internal.h"

/* One choice of an exploration: what was taken of how many. */
struct choice {
    uint32_t taken;
    uint32_t options;
};

/* The choices of an exploration's run; those before `len` are given, those after made anew. */
struct choices {
    struct choice *items;
    size_t len;
    size_t capacity;
    size_t at;
};

struct sim {
    struct sim_options options;
    struct random random;
    struct choices *choices; /* NULL: random */
    uint32_t preemptions;
    uint64_t now_ms;
    uint64_t ticks;
    uint64_t hash;
    uint64_t steps;
    bool stuck;
    bool running;
    void *driver_sp;
};

static uint32_t explore_choice(struct choices *c, uint32_t options) {
    if (c->at == c->len) {
        if (c->len == c->capacity) {
            c->capacity = c->capacity ? 2 * c->capacity : 1024;
            c->items = rusm_realloc(c->items, c->capacity * sizeof *c->items);
            RUSM_ASSERT(c->items);
        }
        c->items[c->len++] = (struct choice){0, options};
    }
    struct choice *choice = &c->items[c->at++];
    RUSM_ASSERT(choice->options == options); /* else the program is not deterministic */
    return choice->taken;
}

/* Go to the next schedule: the last choice that has an untried option takes it. */
static bool next_schedule(struct choices *c) {
    while (c->len > 0) {
        struct choice *last = &c->items[c->len - 1];
        if (++last->taken < last->options) {
            c->at = 0;
            return true;
        }
        c->len--;
    }
    return false;
}

void sim_event(struct sched *s, uint32_t what, uint64_t value) {
    if (!s) {
        return;
    }
    struct sim *sim = s->rt->sim;
    uint64_t x = sim->hash ^ ((uint64_t)what << 56 ^ (uint64_t)s->index << 48 ^ value);
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    sim->hash = x ^ x >> 29;
}

uint32_t sim_choose(struct sched *s, uint32_t options) {
    struct sim *sim = s->rt->sim;
    if (options < 2) {
        return 0;
    }
    uint32_t choice =
        sim->choices ? explore_choice(sim->choices, options) : random_below(&sim->random, options);
    sim_event(s, SIM_EV_CHOICE, sim->steps << 8 | choice);
    return choice;
}

bool sim_planted(enum sim_bug bug) {
    struct sched *s = sched_tls;
    return s && s->rt->sim->options.bug == bug;
}

uint64_t sim_now_ms(struct rusm_runtime *rt) {
    return rt->sim->now_ms;
}

uint64_t sim_ticks(struct rusm_runtime *rt) {
    return ++rt->sim->ticks;
}

static void switch_to(struct sched *from, struct sched *to) {
    sched_tls = to;
    stack_switch(&from->sim_sp, to->sim_sp, from->stack, to->stack);
}

/* The other schedulers that can go on. */
static uint32_t others(struct sched *s, struct sched *out[SCHEDULERS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->rt->sched_count; i++) {
        struct sched *other = &s->rt->scheds[i];
        if (other != s && other->sim_runnable) {
            out[count++] = other;
        }
    }
    return count;
}

/* The next logical moment at which a scheduler has a timer; UINT64_MAX if none. */
static uint64_t next_timer_ms(struct rusm_runtime *rt) {
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        uint64_t left = timer_next_ms(&rt->scheds[i]);
        if (left > 0 && left < next) {
            next = left;
        }
    }
    return next == UINT64_MAX ? next : rt->sim->now_ms + next;
}

static void advance_clock(struct rusm_runtime *rt, uint64_t to_ms) {
    rt->sim->now_ms = to_ms;
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        struct sched *s = &rt->scheds[i];
        if (!s->sim_runnable && s->sim_wake_ms <= to_ms) {
            s->sim_runnable = true;
        }
    }
}

static bool out_of_steps(struct sim *sim) {
    if (++sim->steps > sim->options.steps_max) {
        sim->stuck = true;
    }
    return sim->stuck;
}

static void to_driver(struct sched *s) {
    struct sim *sim = s->rt->sim;
    s->rt->sim_resume = s;
    stack_switch(&s->sim_sp, sim->driver_sp, s->stack, NULL);
}

void sim_point(void) {
    struct sched *s = sched_tls;
    if (!s || !s->rt->sim->running) {
        return;
    }
    struct sim *sim = s->rt->sim;
    if (out_of_steps(sim)) {
        to_driver(s);
        return;
    }
    struct sched *candidates[SCHEDULERS_MAX];
    uint32_t count = others(s, candidates);
    uint64_t timer_ms = next_timer_ms(s->rt);
    uint32_t options = 1 + count + (timer_ms != UINT64_MAX ? 1 : 0);
    if (sim->choices) {
        if (sim->preemptions == 0) {
            return;
        }
    } else if (random_below(&sim->random, 100) >= sim->options.preempt_percent) {
        return;
    }
    uint32_t choice = sim_choose(s, options);
    if (choice == 0) {
        return;
    }
    if (sim->choices) {
        sim->preemptions--;
    }
    if (choice <= count) {
        switch_to(s, candidates[choice - 1]);
    } else {
        advance_clock(s->rt, timer_ms);
    }
}

void sim_spin(void) {
    struct sched *s = sched_tls;
    if (out_of_steps(s->rt->sim)) {
        to_driver(s);
        return;
    }
    struct sched *candidates[SCHEDULERS_MAX];
    uint32_t count = others(s, candidates);
    RUSM_ASSERT(count > 0);
    switch_to(s, candidates[sim_choose(s, count)]);
}

void sim_park(struct sched *s, uint64_t wake_ms) {
    struct sim *sim = s->rt->sim;
    if (s->sim_woken) {
        s->sim_woken = false;
        return;
    }
    s->sim_runnable = false;
    s->sim_wake_ms = wake_ms;
    for (;;) {
        if (out_of_steps(sim)) {
            to_driver(s);
        }
        struct sched *candidates[SCHEDULERS_MAX];
        uint32_t count = others(s, candidates);
        if (s->sim_runnable) {
            return;
        }
        if (count > 0) {
            switch_to(s, candidates[sim_choose(s, count)]);
        } else {
            uint64_t wake = UINT64_MAX;
            for (uint32_t i = 0; i < s->rt->sched_count; i++) {
                uint64_t at = s->rt->scheds[i].sim_wake_ms;
                wake = at < wake ? at : wake;
            }
            if (wake == UINT64_MAX) {
                to_driver(s); /* nothing can go on */
            } else {
                advance_clock(s->rt, wake > sim->now_ms ? wake : sim->now_ms);
            }
        }
        if (s->sim_runnable) {
            return;
        }
    }
}

void sim_unpark(struct sched *s) {
    /* Like a write to an eventfd: it also ends a sleep that has not begun yet. */
    s->sim_woken = s->sim_runnable;
    s->sim_runnable = true;
}

void sim_run_to_rest(struct rusm_runtime *rt) {
    struct sim *sim = rt->sim;
    struct sched *first = rt->sim_resume;
    if (!first->sim_runnable) {
        for (uint32_t i = 0; i < rt->sched_count; i++) {
            if (rt->scheds[i].sim_runnable) {
                first = &rt->scheds[i];
            }
        }
    }
    sim->running = true;
    sched_tls = first;
    stack_switch(&sim->driver_sp, first->sim_sp, NULL, first->stack);
    sim->running = false;
    sched_tls = NULL;
}

enum rusm_err sim_attach(struct rusm_runtime *rt) {
    for (uint32_t i = 0; i < rt->sched_count; i++) {
        struct sched *s = &rt->scheds[i];
        s->random.state = rt->sim->options.seed + i;
        s->stack = stack_take(s);
        s->sim_sp = stack_fresh_sp(s->stack);
        s->sim_runnable = true;
        s->sim_wake_ms = UINT64_MAX;
        pthread_attr_t attributes;
        void *low = NULL;
        if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
            (void)pthread_attr_getstack(&attributes, &low, &s->thread_stack_bytes);
            pthread_attr_destroy(&attributes);
        }
        s->thread_stack_low = low;
        s->reds = (int32_t)rt->config.reductions;
        s->slice_reds = s->reds;
        s->run_reds = s->reds;
    }
    rt->sim_resume = &rt->scheds[0];
    return RUSM_OK;
}

void sim_detach(struct rusm_runtime *rt) {
    /* The virtual schedulers are parked on stacks that are freed with the depot. */
    rt->sim = NULL;
}

static void run_once(struct sim *sim, sim_program program, void *arg, struct sim_result *out) {
    struct rusm_config config;
    rusm_config_init(&config);
    config.schedulers = sim->options.schedulers;
    config.log_level = RUSM_LOG_OFF; /* many runs, and crashes are their business */
    config.reductions = 64;
    config.processes_max = 4096;
    rusm_runtime *rt = NULL;
    sim->random.state = sim->options.seed;
    sim->preemptions = sim->options.preemptions_max;
    sim->now_ms = 0;
    sim->ticks = 0;
    sim->hash = 0;
    sim->steps = 0;
    sim->stuck = false;
    enum rusm_err err = runtime_create(&config, sim, &rt);
    RUSM_ASSERT(err == RUSM_OK);
    program(rt, arg);
    sim_run_to_rest(rt);
    *out = (struct sim_result){.hash = sim->hash,
                               .steps = sim->steps,
                               .time_ms = sim->now_ms,
                               .process_count = runtime_process_count(rt),
                               .stuck = sim->stuck};
    /* The end is not part of the history: no more choices, no limit. */
    sim->stuck = false;
    sim->options.steps_max += 1000000000u;
    struct choices *choices = sim->choices;
    sim->choices = NULL;
    uint32_t percent = sim->options.preempt_percent;
    sim->options.preempt_percent = 0;
    rusm_runtime_destroy(rt);
    sim->options.preempt_percent = percent;
    sim->choices = choices;
    sim->options.steps_max -= 1000000000u;
}

static void set_defaults(struct sim_options *o) {
    o->schedulers = o->schedulers ? o->schedulers : 2;
    o->preempt_percent = o->preempt_percent ? o->preempt_percent : 25;
    o->steps_max = o->steps_max ? o->steps_max : 1000000;
    o->preemptions_max = o->preemptions_max ? o->preemptions_max : 2;
}

void sim_run(const struct sim_options *options, sim_program program, void *arg,
             struct sim_result *out) {
    struct sim sim = {.options = *options};
    set_defaults(&sim.options);
    run_once(&sim, program, arg, out);
}

void sim_explore(const struct sim_options *options, sim_program program, sim_check check, void *arg,
                 struct sim_exploration *out) {
    struct choices choices = {0};
    struct sim sim = {.options = *options, .choices = &choices};
    set_defaults(&sim.options);
    *out = (struct sim_exploration){0};
    do {
        run_once(&sim, program, arg, &out->result);
        out->runs++;
        if (!check(arg, &out->result)) {
            out->failed = true;
            break;
        }
        out->complete = !next_schedule(&choices);
    } while (!out->complete && (!options->runs_max || out->runs < options->runs_max));
    rusm_free(choices.items);
}

#endif
