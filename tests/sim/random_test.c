/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Random programs under random schedules: workers send, receive with time limits and selectively,
 * put messages aside, set and cancel timers, spawn and kill each other, register names; sinks hold
 * their senders; an echo process answers. All that happens is checked against the model of
 * mailboxes and against what is known of each process and timer. In the end all must have ended.
 */
#include "base/random.h"
#include "model_internal.h"
#include "otp/sim.h"
#include "seeds_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ACTORS_MAX   24u
#define TIMERS_MAX   64u
#define CLASSES      3u
#define REPLY_CLASS  100u /* messages of the echo process */
#define TIMER_CLASS  200u /* and up: what a worker waits for itself */
#define TIMER_SENDER 1000u
#define SEEDS        10000u

enum role { WORKER, SINK, SERVER_SINK, ECHO };

struct world;

struct actor {
    struct world *world;
    uint32_t id;
    enum role role;
    rusm_pid pid;
    struct random random;
    uint32_t actions;
    uint32_t seq;
    bool bounded;
    bool leaving; /* its body is about to end */
    bool ended;   /* on_exit was called */
    uint32_t kills_asked;
    uint32_t kills_granted;
    enum rusm_exit_kind leaving_as;
    struct rusm_msg *last; /* borrowed: the message received last */
    struct model_item last_item;
    struct model_mailbox box;
};

struct armed {
    rusm_timer handle;
    uint32_t to;
    uint32_t class;
    uint64_t due_ms;
    bool own; /* waited for by its maker: nobody else cancels it */
    bool every;
    bool cancelled;
    bool received;
    bool known; /* `handle` is set */
};

struct world {
    rusm_runtime *rt;
    struct random random;
    uint64_t now; /* the model's clock: counts events */
    uint32_t actor_count;
    uint32_t workers; /* not ended */
    uint32_t timer_count;
    uint32_t name_holder; /* actor id + 1; 0 = none */
    const char *wrong;    /* the first thing that was wrong */
    struct armed timers[TIMERS_MAX];
    struct actor actors[ACTORS_MAX];
};

struct packet {
    uint32_t sender;
    uint32_t seq;
    uint32_t class;
    uint32_t tail_bytes;
};

static void expect(struct world *w, bool right, const char *otherwise) {
    if (!right && !w->wrong) {
        w->wrong = otherwise;
    }
}

static uint32_t pick(struct actor *a, uint32_t bound) {
    return random_below(&a->random, bound);
}

static bool may_be_gone(const struct actor *a) {
    return a->leaving || a->ended || a->kills_asked > 0;
}

/* ---- messages ---- */

/* A packet with a tail of up to 60 bytes, so that payloads in cells and on the heap both occur. */
static size_t fill(unsigned char bytes[static 80], struct packet packet) {
    packet.tail_bytes = (packet.seq * 7u + packet.sender) % 61u;
    memcpy(bytes, &packet, sizeof packet);
    memset(bytes + sizeof packet, (int)(packet.seq & 0xff), packet.tail_bytes);
    return sizeof packet + packet.tail_bytes;
}

static enum rusm_err send_bytes(struct actor *a, rusm_pid to, const void *bytes, size_t len) {
    if (pick(a, 8) > 0) {
        return rusm_send(to, bytes, len);
    }
    rusm_buf *buf;
    if (rusm_buf_create(len, &buf) != RUSM_OK) {
        return RUSM_ERR_NOMEM;
    }
    memcpy(rusm_buf_data(buf), bytes, len);
    return rusm_send_buf(to, buf);
}

static void send_to(struct actor *a, struct actor *to, uint32_t class) {
    struct world *w = a->world;
    unsigned char bytes[80];
    struct packet packet = {.sender = a->id, .seq = a->seq++, .class = class};
    size_t len = fill(bytes, packet);
    bool was_ended = to->ended;
    if (!was_ended) {
        model_send(&to->box, a->id, packet.seq, class, w->now++);
    }
    enum rusm_err err = send_bytes(a, to->pid, bytes, len);
    expect(w, !was_ended || err == RUSM_ERR_NOPROC, "a send to an ended process was accepted");
    if (to->ended) {
        return;
    }
    bool consistent = model_sent(&to->box, a->id, packet.seq, err == RUSM_OK, w->now++);
    expect(w, consistent, "a refused message was received");
    expect(w, err != RUSM_ERR_NOPROC || may_be_gone(to), "NOPROC for a process that lives");
    expect(w, err != RUSM_ERR_MAILBOX_FULL || to->bounded, "FULL for a mailbox without a bound");
    expect(w, err == RUSM_OK || err == RUSM_ERR_NOPROC || err == RUSM_ERR_MAILBOX_FULL,
           "a send failed for another reason");
}

static bool is_of_class(void *arg, const struct rusm_msg *msg) {
    struct packet packet;
    memcpy(&packet, msg->data, sizeof packet);
    return packet.class == *(const uint32_t *)arg;
}

static bool tail_intact(const struct rusm_msg *msg, const struct packet *packet) {
    const unsigned char *tail = (const unsigned char *)msg->data + sizeof *packet;
    if (msg->len != sizeof *packet + packet->tail_bytes) {
        return false;
    }
    for (uint32_t i = 0; i < packet->tail_bytes; i++) {
        if (tail[i] != (packet->seq & 0xff)) {
            return false;
        }
    }
    return true;
}

/* A timer's message is new to the model, unless it comes back from being put aside. */
static void note_timer_message(struct actor *a, const struct packet *packet) {
    struct world *w = a->world;
    struct armed *t = &w->timers[packet->seq];
    for (uint32_t i = 0; i < a->box.front.len; i++) {
        if (a->box.front.items[i].sender == TIMER_SENDER &&
            a->box.front.items[i].seq == packet->seq) {
            return;
        }
    }
    expect(w, t->to == a->id, "a timer's message reached another process");
    expect(w, t->every || !t->cancelled, "a cancelled timer has fired");
    expect(w, t->every || !t->received, "a timer has fired twice");
    expect(w, sim_now_ms(w->rt) >= t->due_ms, "a timer has fired early");
    t->received = true;
    model_send(&a->box, TIMER_SENDER, packet->seq, packet->class, 0);
}

static void note_received(struct actor *a, uint32_t class, struct rusm_msg *msg) {
    struct world *w = a->world;
    struct packet packet;
    memcpy(&packet, msg->data, sizeof packet);
    expect(w, tail_intact(msg, &packet), "a message arrived damaged");
    if (packet.sender == TIMER_SENDER) {
        note_timer_message(a, &packet);
    }
    a->last_item = (struct model_item){packet.sender, packet.seq, packet.class, 0, 0};
    const char *wrong = model_receive(&a->box, class, a->last_item);
    expect(w, !wrong, wrong);
}

/* Receive a message of `class` or any; false if there was none in time. */
static bool receive(struct actor *a, uint32_t class, uint64_t timeout_ms) {
    bool must_find = model_must_find(&a->box, class);
    a->last = class == MODEL_ANY_CLASS ? rusm_receive_timeout(timeout_ms)
                                       : rusm_receive_match(is_of_class, &class, timeout_ms);
    if (a->last) {
        note_received(a, class, a->last);
    } else {
        expect(a->world, !must_find, "a message was lost, or a receiver not woken for it");
    }
    return a->last != NULL;
}

/* ---- what workers do ---- */

static struct actor *anybody(struct actor *a) {
    return &a->world->actors[pick(a, a->world->actor_count)];
}

static void do_send(struct actor *a) {
    struct actor *to = anybody(a);
    if (to->role != ECHO) {
        send_to(a, to, pick(a, CLASSES));
    }
}

static void do_receive(struct actor *a) {
    if (receive(a, MODEL_ANY_CLASS, pick(a, 4)) && pick(a, 8) == 0) {
        rusm_msg_free(rusm_msg_take(a->last));
    }
}

static void do_receive_match(struct actor *a) {
    (void)receive(a, pick(a, CLASSES), pick(a, 4));
}

static void do_stash(struct actor *a) {
    if (receive(a, MODEL_ANY_CLASS, 0)) {
        rusm_stash(a->last);
        model_stash(&a->box, a->last_item);
    }
}

static void do_unstash(struct actor *a) {
    model_unstash(&a->box);
    rusm_unstash();
}

/* Ask the echo process and wait for the answer, however long it takes. */
static void do_call(struct actor *a) {
    if (a->bounded) {
        return; /* the answer might be refused */
    }
    uint32_t class = REPLY_CLASS + a->id;
    send_to(a, &a->world->actors[0], class);
    (void)receive(a, class, RUSM_FOREVER);
}

static struct armed *arm(struct actor *a, const struct actor *to, uint32_t class, bool own,
                         bool every) {
    struct world *w = a->world;
    if (w->timer_count == TIMERS_MAX) {
        return NULL;
    }
    uint32_t index = w->timer_count++;
    struct armed *t = &w->timers[index];
    uint64_t delay_ms = pick(a, 5) + every;
    *t = (struct armed){.to = to->id,
                        .class = class,
                        .own = own,
                        .every = every,
                        .due_ms = sim_now_ms(w->rt) + delay_ms};
    unsigned char bytes[80];
    size_t len = fill(bytes, (struct packet){.sender = TIMER_SENDER, .seq = index, .class = class});
    enum rusm_err err = every ? rusm_send_interval(to->pid, delay_ms, bytes, len, &t->handle)
                              : rusm_send_after(to->pid, delay_ms, bytes, len, &t->handle);
    expect(w, err == RUSM_OK, "a timer could not be set");
    t->known = true;
    return t;
}

static void do_arm(struct actor *a) {
    struct actor *to = anybody(a);
    if (to->role == WORKER) {
        (void)arm(a, to, pick(a, CLASSES), false, false);
    }
}

static void do_wait_for_timer(struct actor *a) {
    uint32_t class = TIMER_CLASS + a->world->timer_count;
    if (!a->bounded && arm(a, a, class, true, false)) {
        (void)receive(a, class, RUSM_FOREVER);
    }
}

static void cancel(struct actor *a, struct armed *t) {
    struct world *w = a->world;
    bool was_over = !t->every && (t->received || t->cancelled);
    enum rusm_err err = rusm_cancel_timer(t->handle, NULL);
    expect(w, err == RUSM_OK || err == RUSM_ERR_NO_TIMER, "a cancel failed for another reason");
    expect(w, !was_over || err == RUSM_ERR_NO_TIMER, "a timer that is over was cancelled");
    if (err == RUSM_OK) {
        expect(w, t->every || !t->received, "a cancelled timer had fired");
        t->cancelled = true;
    }
}

static void do_cancel(struct actor *a) {
    struct world *w = a->world;
    if (w->timer_count > 0) {
        struct armed *t = &w->timers[pick(a, w->timer_count)];
        if (t->known && !t->own) {
            cancel(a, t);
        }
    }
}

/* Two ticks of an interval to itself, then no more. */
static void do_interval(struct actor *a) {
    uint32_t class = TIMER_CLASS + a->world->timer_count;
    struct armed *t = a->bounded ? NULL : arm(a, a, class, true, true);
    if (t) {
        (void)receive(a, class, RUSM_FOREVER);
        (void)receive(a, class, RUSM_FOREVER);
        cancel(a, t);
    }
}

static void do_kill(struct actor *a) {
    struct world *w = a->world;
    struct actor *victim = anybody(a);
    if (victim->role != WORKER) {
        return;
    }
    bool was_ended = victim->ended;
    victim->kills_asked++;
    bool granted = rusm_kill(NULL, victim->pid);
    expect(w, !granted || !was_ended, "an ended process was killed");
    expect(w, granted || victim->leaving || victim->ended || victim->kills_granted > 0,
           "a process that lives was not killed");
    victim->kills_granted += granted;
}

static void spawn_actor(struct world *w, enum role role, uint32_t actions);

static void do_spawn(struct actor *a) {
    spawn_actor(a->world, WORKER, a->actions / 2);
}

static void do_names(struct actor *a) {
    static const char name[] = "the one";
    struct world *w = a->world;
    if (w->name_holder == a->id + 1) {
        w->name_holder = 0;
        expect(w, rusm_unregister(NULL, name) == RUSM_OK, "a name held was not given up");
        return;
    }
    enum rusm_err err = rusm_register(NULL, name, a->pid);
    expect(w, err == RUSM_OK || err == RUSM_ERR_NAME_TAKEN, "a name failed for another reason");
    if (err == RUSM_OK) {
        expect(w, w->name_holder == 0 || may_be_gone(&w->actors[w->name_holder - 1]),
               "a name was given to a second process");
        w->name_holder = a->id + 1;
    }
}

static void do_look(struct actor *a) {
    struct world *w = a->world;
    struct actor *at = anybody(a);
    bool was_ended = at->ended;
    bool alive = rusm_is_alive(NULL, at->pid);
    expect(w, !alive || !was_ended, "an ended process is called alive");
    expect(w, alive || may_be_gone(at), "a process that lives is called dead");
    struct rusm_process_info info;
    enum rusm_err err = rusm_process_info(w->rt, at->pid, &info);
    expect(w, err == RUSM_OK || may_be_gone(at), "no information on a process that lives");
}

static void do_pause(struct actor *a) {
    if (pick(a, 2)) {
        rusm_yield();
    } else {
        rusm_sleep(pick(a, 3));
    }
}

static void act(struct actor *a) {
    static void (*const actions[])(struct actor *) = {
        do_send,    do_send,          do_send,          do_send,    do_send,     do_send,
        do_receive, do_receive,       do_receive,       do_receive, do_stash,    do_unstash,
        do_arm,     do_receive_match, do_receive_match, do_cancel,  do_kill,     do_spawn,
        do_names,   do_look,          do_pause,         do_call,    do_interval, do_wait_for_timer,
    };
    actions[pick(a, sizeof actions / sizeof actions[0])](a);
}

static void worker(void *arg) {
    struct actor *a = arg;
    for (uint32_t i = 0; i < a->actions && !a->world->wrong; i++) {
        act(a);
    }
    a->leaving = true;
    if (pick(a, 2)) {
        a->leaving_as = RUSM_EXIT_ERROR;
        rusm_exit(&(struct rusm_exit_reason){RUSM_EXIT_ERROR, "done", 4});
    }
}

/* ---- the others ---- */

static void sink(void *arg) {
    struct actor *a = arg;
    while (a->world->workers > 0 || a->box.sent.len > 0) {
        (void)receive(a, MODEL_ANY_CLASS, 5);
    }
    a->leaving = true;
}

static enum rusm_err server_init(void *state, void *arg) {
    *(struct actor **)state = arg;
    rusm_server_timeout(5);
    return RUSM_OK;
}

static void server_message(void *state, struct rusm_msg *msg) {
    struct actor *a = *(struct actor **)state;
    note_received(a, MODEL_ANY_CLASS, msg);
    if (pick(a, 4) == 0) {
        rusm_yield(); /* a callback may suspend */
    }
}

static void server_idle(void *state) {
    struct actor *a = *(struct actor **)state;
    if (a->world->workers == 0) {
        a->leaving = true;
        rusm_exit(NULL);
    }
    rusm_server_timeout(5);
}

static const struct rusm_server server_sink = {
    .state_bytes = sizeof(struct actor *),
    .init = server_init,
    .message = server_message,
    .timeout = server_idle,
};

static void echo(void *arg) {
    struct actor *a = arg;
    while (a->world->workers > 0 || a->box.sent.len > 0) {
        if (receive(a, MODEL_ANY_CLASS, 5)) {
            struct model_item asked = a->last_item;
            send_to(a, &a->world->actors[asked.sender], asked.class);
        }
    }
    a->leaving = true;
}

static void actor_ended(void *arg, rusm_pid pid, const struct rusm_exit_reason *reason) {
    struct actor *a = arg;
    struct world *w = a->world;
    expect(w, !a->ended, "a process has ended twice");
    expect(w, a->pid.v == pid.v, "an end was told under another pid");
    a->ended = true;
    w->workers -= a->role == WORKER;
    if (reason->kind == RUSM_EXIT_KILLED) {
        expect(w, a->kills_asked > 0, "a process was killed by nobody");
        return;
    }
    expect(w, a->leaving && reason->kind == a->leaving_as, "a process ended for another reason");
    bool payload_right = reason->kind == RUSM_EXIT_NORMAL
                             ? reason->payload_bytes == 0
                             : reason->payload_bytes == 4 && !memcmp(reason->payload, "done", 4);
    expect(w, payload_right, "the payload of an exit is not what was given");
}

static void spawn_actor(struct world *w, enum role role, uint32_t actions) {
    if (w->actor_count == ACTORS_MAX) {
        return;
    }
    struct actor *a = &w->actors[w->actor_count];
    struct random random = {random_next(&w->random)};
    a->world = w;
    a->id = w->actor_count;
    a->role = role;
    a->random = random;
    a->actions = actions;
    a->seq = 0;
    a->bounded = role == WORKER && pick(a, 3) == 0;
    a->leaving = a->ended = false;
    a->kills_asked = a->kills_granted = 0;
    a->leaving_as = RUSM_EXIT_NORMAL;
    a->box.sent.len = a->box.aside.len = a->box.front.len = 0;
    struct rusm_spawn_opts opts = {.on_exit = actor_ended, .on_exit_arg = a};
    opts.mailbox_hold = role == SINK || role == SERVER_SINK;
    opts.mailbox_len_max = opts.mailbox_hold || a->bounded ? 1 + pick(a, 3) : 0;
    static const rusm_fiber_fn bodies[] = {[WORKER] = worker, [SINK] = sink, [ECHO] = echo};
    w->workers += role == WORKER;
    w->actor_count++; /* from here on others may find it, so its pid must be set */
    enum rusm_err err = role == SERVER_SINK
                            ? rusm_spawn_server(w->rt, &server_sink, a, &opts, &a->pid)
                            : rusm_spawn(w->rt, bodies[role], a, &opts, &a->pid);
    expect(w, err == RUSM_OK, "a spawn failed");
}

static void program(rusm_runtime *rt, void *arg) {
    struct world *w = arg;
    w->rt = rt;
    spawn_actor(w, ECHO, 0);
    spawn_actor(w, SINK, 0);
    spawn_actor(w, SERVER_SINK, 0);
    uint32_t workers = 2 + random_below(&w->random, 5);
    for (uint32_t i = 0; i < workers; i++) {
        spawn_actor(w, WORKER, 5 + random_below(&w->random, 15));
    }
}

/* One run; what was wrong, or NULL. */
static const char *run(struct world *w, uint64_t seed, struct sim_result *result) {
    w->random.state = seed;
    w->now = 1;
    w->actor_count = w->workers = w->timer_count = w->name_holder = 0;
    w->wrong = NULL;
    struct sim_options options = {.seed = seed,
                                  .schedulers = 1 + random_below(&w->random, 4),
                                  .preempt_percent = 5 + random_below(&w->random, 60)};
    sim_run(&options, program, w, result);
    /* First, since the end of such a run kills them, which is wrong, too. */
    if (result->process_count > 0) {
        w->wrong = result->stuck ? "the run does not come to an end" : "processes wait for ever";
    }
    for (uint32_t i = 0; i < w->actor_count; i++) {
        expect(w, w->actors[i].ended, "the end of a process was not told");
    }
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

static void random_programs_agree_with_the_model(void **state) {
    (void)state;
    assert_true(seeds_pass(seed_is_right, SEEDS));
}

static void a_random_program_replays(void **state) {
    (void)state;
    static struct world world;
    struct sim_result first;
    struct sim_result second;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        (void)run(&world, seed, &first);
        (void)run(&world, seed, &second);
        assert_true(first.hash == second.hash);
        assert_true(first.steps == second.steps);
        (void)run(&world, seed + 1000, &second);
        assert_true(first.hash != second.hash);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_agree_with_the_model),
        cmocka_unit_test(a_random_program_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
