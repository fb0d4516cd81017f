/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Random programs of links and monitors under random schedules, judged by the model. A conductor
 * lets processes do random things, all at once; when they have done so it has them handle what
 * there is until nobody ends of it any more; then the model judges, and the next round begins.
 */
#include "base/random.h"
#include "links_model_internal.h"
#include "otp/sim.h"
#include "seeds_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS        20000u
#define OPS_MAX      6u
#define REFS_MAX     16u /* that one process remembers */
#define QUIET_ROUNDS 3u  /* answers to answers, in the links' protocol */

enum order { ORDER_ACT, ORDER_SETTLE, ORDER_END };

struct world;

struct actor {
    struct world *world;
    uint32_t id;
    rusm_pid pid;
    struct random random;
    bool ended;
    rusm_ref refs[REFS_MAX];
    uint32_t ref_len;
};

struct world {
    rusm_runtime *rt;
    struct random random;
    rusm_pid conductor;
    uint32_t actor_count;
    uint32_t first_actors;
    uint32_t rounds;
    uint32_t tags;
    bool finished;
    const char *wrong; /* beside what the model finds */
    struct actor actors[LM_PROCS];
    struct links_model model;
};

struct packet {
    uint32_t from; /* an actor, or CONDUCTOR */
    uint32_t value;
};

#define CONDUCTOR UINT32_MAX

static void expect(struct world *w, bool right, const char *otherwise) {
    if (!right && !w->wrong) {
        w->wrong = otherwise;
    }
}

static uint32_t pick(struct actor *a, uint32_t bound) {
    return random_below(&a->random, bound);
}

/* Often one of the first two, so that some pairs have much to do with each other. */
static struct actor *any(struct actor *a) {
    uint32_t count = a->world->actor_count;
    uint32_t bound = pick(a, 3) == 0 && count > 2 ? 2 : count;
    return &a->world->actors[pick(a, bound)];
}

static uint32_t id_of(struct world *w, rusm_pid pid) {
    uint32_t id = 0;
    while (id < w->actor_count && w->actors[id].pid.v != pid.v) {
        id++;
    }
    expect(w, id < w->actor_count, "news of an unknown process");
    return id % LM_PROCS;
}

static struct lm_reason reason_of(const struct rusm_exit_reason *reason) {
    struct lm_reason result = {.kind = reason->kind};
    if (reason->payload_bytes >= sizeof result.tag) {
        memcpy(&result.tag, reason->payload, sizeof result.tag);
    }
    return result;
}

/* ---- what an actor sees ---- */

/* Returns what the conductor wants, if it is that; else -1. */
static int observe(struct actor *a, const struct rusm_msg *msg) {
    struct links_model *m = &a->world->model;
    struct packet packet;
    if (msg->kind == RUSM_MSG_EXIT || msg->kind == RUSM_MSG_DOWN) {
        const struct rusm_down *down = rusm_msg_down(msg);
        uint32_t from = id_of(a->world, down->pid);
        if (msg->kind == RUSM_MSG_EXIT) {
            lm_got_exit(m, a->id, from, reason_of(&down->reason));
        } else {
            lm_got_down(m, a->id, down->ref.v, from, reason_of(&down->reason));
        }
        return -1;
    }
    expect(a->world, msg->kind != RUSM_MSG_REPLY, "a reply came after its call");
    memcpy(&packet, msg->data, sizeof packet);
    if (packet.from == CONDUCTOR) {
        return (int)packet.value;
    }
    lm_got_message(m, a->id, packet.from, packet.value);
    if (msg->kind == RUSM_MSG_CALL) {
        (void)rusm_reply(rusm_msg_from(msg), &packet, sizeof packet);
    }
    return -1;
}

static void drain(struct actor *a) {
    struct rusm_msg *msg;
    while ((msg = rusm_receive_timeout(0))) {
        expect(a->world, observe(a, msg) < 0, "an order out of turn");
    }
}

/* ---- what an actor does ---- */

static void spawn_actor(struct world *w, struct actor *parent);

static void send(struct actor *a) {
    struct actor *to = any(a);
    struct packet packet = {a->id, lm_send(&a->world->model, a->id, to->id)};
    enum rusm_err err = rusm_send(to->pid, &packet, sizeof packet);
    lm_send_result(&a->world->model, a->id, to->id, err == RUSM_OK);
}

static void call(struct actor *a) {
    struct actor *to = any(a);
    struct packet packet = {a->id, lm_send(&a->world->model, a->id, to->id)};
    struct rusm_msg *reply = NULL;
    enum rusm_err err = rusm_call(to->pid, &packet, sizeof packet, pick(a, 3), &reply);
    if (err == RUSM_OK) {
        expect(a->world, memcmp(reply->data, &packet, sizeof packet) == 0, "another call's reply");
    }
    /* NOPROC: it may have received it. What was sent must arrive if it lives. */
    if (err != RUSM_ERR_NOPROC) {
        lm_send_result(&a->world->model, a->id, to->id, true);
    }
}

static void demonitor(struct actor *a) {
    if (a->ref_len > 0) {
        uint32_t at = pick(a, a->ref_len);
        rusm_ref ref = a->refs[at];
        bool flush = pick(a, 2);
        a->refs[at] = a->refs[--a->ref_len];
        bool result = rusm_demonitor(ref, flush);
        lm_demonitor(&a->world->model, ref.v, flush, result);
    }
}

static void remember(struct actor *a, rusm_ref ref) {
    if (a->ref_len < REFS_MAX) {
        a->refs[a->ref_len++] = ref;
    }
}

static struct lm_reason any_reason(struct actor *a) {
    static const enum rusm_exit_kind kinds[] = {RUSM_EXIT_NORMAL, RUSM_EXIT_NORMAL,
                                                RUSM_EXIT_SHUTDOWN, RUSM_EXIT_ERROR};
    return (struct lm_reason){kinds[pick(a, 4)], ++a->world->tags};
}

/* Payloads in cells and on the heap, all beginning with the tag. */
static struct rusm_exit_reason with_payload(struct lm_reason reason, unsigned char bytes[64]) {
    memset(bytes, 0, 64);
    memcpy(bytes, &reason.tag, sizeof reason.tag);
    return (struct rusm_exit_reason){reason.kind, bytes, 4 + reason.tag % 60};
}

static void send_exit(struct actor *a) {
    unsigned char bytes[64];
    struct actor *to = any(a);
    struct lm_reason reason = any_reason(a);
    if (pick(a, 5) == 0) {
        reason = (struct lm_reason){.kind = RUSM_EXIT_KILLED};
    }
    uint32_t at = lm_send_exit(&a->world->model, a->id, to->id, reason);
    struct rusm_exit_reason given = with_payload(reason, bytes);
    bool accepted = reason.kind == RUSM_EXIT_KILLED && pick(a, 2) ? rusm_kill(NULL, to->pid)
                                                                  : rusm_send_exit(to->pid, &given);
    lm_send_exit_result(&a->world->model, at, accepted);
}

static void leave(struct actor *a) {
    unsigned char bytes[64];
    struct lm_reason reason = any_reason(a);
    if (pick(a, 4) == 0) {
        reason.kind = RUSM_EXIT_KILLED; /* of its own will, which can be trapped */
    }
    struct rusm_exit_reason given = with_payload(reason, bytes);
    lm_leave(&a->world->model, a->id, reason);
    rusm_exit(&given);
}

static void watch(struct actor *a) {
    struct actor *to = any(a);
    rusm_ref ref;
    expect(a->world, rusm_monitor(to->pid, &ref) == RUSM_OK, "a monitor failed");
    lm_monitor(&a->world->model, a->id, to->id, ref.v, false);
    remember(a, ref);
}

static void act(struct actor *a) {
    struct links_model *m = &a->world->model;
    struct actor *to = any(a);
    uint32_t what = pick(a, 100);
    if (what < 20) {
        lm_link(m, a->id, to->id);
        (void)rusm_link(to->pid);
    } else if (what < 35) {
        lm_unlink(m, a->id, to->id);
        rusm_unlink(to->pid);
    } else if (what < 47) {
        watch(a);
    } else if (what < 55) {
        demonitor(a);
    } else if (what < 62) {
        bool trap = pick(a, 2);
        (void)rusm_trap_exit(trap);
        lm_trap(m, a->id, trap);
    } else if (what < 72) {
        send(a);
    } else if (what < 76) {
        call(a);
    } else if (what < 82) {
        send_exit(a);
    } else if (what < 86) {
        leave(a);
    } else if (what < 90) {
        spawn_actor(a->world, a);
    } else if (what < 95) {
        rusm_yield();
    } else {
        drain(a);
    }
}

static void obey(struct actor *a, enum order order) {
    if (order == ORDER_END) {
        leave(a);
    }
    for (uint32_t ops = order == ORDER_ACT ? 1 + pick(a, OPS_MAX) : 0; ops > 0; ops--) {
        act(a);
    }
    if (order == ORDER_SETTLE) {
        drain(a);
    }
    (void)rusm_send(a->world->conductor, &a->id, sizeof a->id);
}

static void body(void *arg) {
    struct actor *a = arg;
    if (pick(a, 8) == 0) {
        leave(a); /* at once */
    }
    for (;;) {
        int order = observe(a, rusm_receive());
        if (order >= 0) {
            obey(a, (enum order)order);
        }
    }
}

static void ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct actor *a = arg;
    expect(a->world, pid.v == a->pid.v, "another's end");
    a->ended = true;
    lm_ended(&a->world->model, a->id, reason_of(reason));
}

/* By an actor, linked or watched or neither; or by the conductor. */
static void spawn_actor(struct world *w, struct actor *parent) {
    if (w->actor_count == LM_PROCS) {
        return;
    }
    uint32_t way = parent ? pick(parent, 3) : 0;
    struct actor *a = &w->actors[w->actor_count];
    *a = (struct actor){.world = w, .id = w->actor_count};
    a->random.state = random_below(&w->random, UINT32_MAX);
    struct rusm_spawn_opts opts = {.on_exit = ended, .on_exit_arg = a};
    w->actor_count++; /* others may find it once this one suspends: its pid is set by then */
    lm_spawn(&w->model, parent ? parent->id : 0, a->id, way == 1);
    rusm_ref ref;
    enum rusm_err err = way == 1   ? rusm_spawn_link(body, a, &opts, &a->pid)
                        : way == 2 ? rusm_spawn_monitor(body, a, &opts, &a->pid, &ref)
                                   : rusm_spawn(NULL, body, a, &opts, &a->pid);
    expect(w, err == RUSM_OK, "a spawn failed");
    if (way == 2) {
        lm_monitor(&w->model, parent->id, a->id, ref.v, true);
        remember(parent, ref);
    }
}

/* ---- the conductor ---- */

/* One of those awaited has obeyed, or ended. Returns which; may name one again. */
static uint32_t await_any(struct world *w, const rusm_ref refs[static LM_PROCS]) {
    const struct rusm_msg *msg = rusm_receive();
    uint32_t id = 0;
    if (msg->kind == RUSM_MSG_BYTES) {
        memcpy(&id, msg->data, sizeof id);
        return id;
    }
    while (id < LM_PROCS && refs[id].v != rusm_msg_down(msg)->ref.v) {
        id++;
    }
    expect(w, id < LM_PROCS, "a DOWN of no monitor, or after demonitor");
    while (id < LM_PROCS && !w->actors[id].ended) {
        rusm_sleep(1); /* its on_exit comes last */
    }
    return id;
}

/* Give an order to all that live, or to `only`, and wait until each has obeyed or ended. */
static void order_all(struct world *w, enum order order, uint32_t only) {
    rusm_ref refs[LM_PROCS] = {{0}};
    bool awaited[LM_PROCS] = {false};
    uint32_t left = 0;
    uint32_t count = w->actor_count;
    for (uint32_t i = 0; i < count; i++) {
        if (w->actors[i].ended || (only < LM_PROCS && only != i)) {
            continue;
        }
        const struct packet packet = {CONDUCTOR, order};
        expect(w, rusm_monitor(w->actors[i].pid, &refs[i]) == RUSM_OK, "a monitor failed");
        awaited[i] = true;
        left++;
        (void)rusm_send(w->actors[i].pid, &packet, sizeof packet);
    }
    while (left > 0 && !w->wrong) {
        uint32_t id = await_any(w, refs);
        left -= awaited[id % LM_PROCS];
        awaited[id % LM_PROCS] = false;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)rusm_demonitor(refs[i], true);
    }
}

static uint32_t living(const struct world *w) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->actor_count; i++) {
        count += !w->actors[i].ended;
    }
    return count;
}

/* Until all signals have been handled, and those who end of them have ended. */
static void settle(struct world *w) {
    uint32_t before = UINT32_MAX;
    for (uint32_t quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
        order_all(w, ORDER_SETTLE, LM_PROCS);
        uint32_t now = living(w);
        if (now != before) {
            quiet = 0;
        }
        before = now;
    }
}

/* What the observer shows of the processes is what the model knows. */
static void compare_counts(struct world *w) {
    for (uint32_t i = 0; i < w->actor_count; i++) {
        struct rusm_process_info info;
        if (w->actors[i].ended) {
            continue;
        }
        expect(w, rusm_process_info(NULL, w->actors[i].pid, &info) == RUSM_OK, "it is not there");
        struct lm_counts counts = lm_count(&w->model, i);
        expect(w, info.links >= counts.links_min && info.links <= counts.links_max,
               "the number of links is wrong");
        expect(w, info.monitors == counts.monitors, "the number of monitors is wrong");
        /* One more: the conductor's, until it is heard of that it has ended. */
        expect(w,
               info.monitored_by == counts.monitored_by ||
                   info.monitored_by == counts.monitored_by + 1,
               "the number of watchers is wrong");
    }
}

static void judge(struct world *w) {
    settle(w);
    expect(w, lm_judge(&w->model) == NULL, w->model.wrong);
    compare_counts(w);
}

static void conduct(void *arg) {
    struct world *w = arg;
    for (uint32_t i = 0; i < w->first_actors; i++) {
        spawn_actor(w, NULL);
    }
    for (uint32_t round = 0; round < w->rounds && !w->wrong; round++) {
        order_all(w, ORDER_ACT, LM_PROCS);
        judge(w);
    }
    /* One after the other: who was linked with it shows. */
    while (living(w) > 0 && !w->wrong) {
        uint32_t victim = random_below(&w->random, w->actor_count);
        if (!w->actors[victim].ended) {
            order_all(w, ORDER_END, victim);
            judge(w);
        }
    }
    w->finished = true;
}

static void program(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    w->rt = rt;
    expect(w, rusm_spawn(rt, conduct, w, NULL, &w->conductor) == RUSM_OK, "a spawn failed");
}

static const char *run(struct world *w, uint64_t seed, struct sim_result *result) {
    memset(w, 0, sizeof *w);
    w->random.state = seed;
    lm_init(&w->model);
    w->first_actors = 2 + random_below(&w->random, 4);
    w->rounds = 2 + random_below(&w->random, 5);
    struct sim_options options = {.seed = seed,
                                  .schedulers = 1 + random_below(&w->random, 4),
                                  .preempt_percent = 2 + random_below(&w->random, 60)};
    sim_run(&options, program, w, result);
    expect(w, w->finished || w->wrong, "the run does not come to an end");
    return w->wrong;
}

static bool seed_is_right(uint64_t seed) {
    static struct world world;
    struct sim_result result;
    const char *wrong = run(&world, seed, &result);
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
    }
    return !wrong;
}

static void random_histories_agree_with_the_model(void **state) {
    (void)state;
    /* Continuous integration asks for 10,000. */
    assert_true(seeds_pass_times(seed_is_right, SEEDS, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
