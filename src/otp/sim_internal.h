/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
/*
 * Simulation hooks. In a simulation build every scheduler is a coroutine of one thread, and at each
 * SIM_POINT, placed before each access to memory that schedulers share, the seed decides which one
 * goes on. In other builds all of this is nothing. See sim.h for running programs under it.
 */
#ifndef OTP_SIM_INTERNAL_H
#define OTP_SIM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct rusm_runtime;
struct sched;

#ifdef RUSM_SIM

#include "otp/sim.h"

/* A place where another scheduler may go on before this one does. No-op outside schedulers. */
void sim_point(void);
/* The caller waits for another scheduler by looking again: another one must go on. */
void sim_spin(void);
/* One of `options` ways; the seed's or the exploration's choice. */
uint32_t sim_choose(struct sched *s, uint32_t options);
/* Sleep as a simulated thread until unparked, or until logical time reaches `wake_ms`. */
void sim_park(struct sched *s, uint64_t wake_ms);
void sim_unpark(struct sched *s);
/* A clock that advances by one at every reading. */
uint64_t sim_ticks(struct rusm_runtime *rt);
/* Fold an event into the history's hash. */
void sim_event(struct sched *s, uint32_t what, uint64_t value);
/* Whether this bug is planted in the run. */
bool sim_planted(enum sim_bug bug);
/* Bind a runtime under creation to the simulation, and unbind it. */
enum rusm_err sim_attach(struct rusm_runtime *rt);
void sim_detach(struct rusm_runtime *rt);
/* Run the schedulers until every one is parked with nothing to wait for. */
void sim_run_to_rest(struct rusm_runtime *rt);

#define SIM_POINT()               sim_point()
#define SIM_SPIN()                sim_spin()
#define SIM_EVENT(s, what, value) sim_event((s), (what), (value))
#define SIM_PLANTED(bug)          sim_planted(bug)

#else

#define SIM_POINT()               ((void)0)
#define SIM_SPIN()                ((void)0)
#define SIM_EVENT(s, what, value) ((void)(s))
#define SIM_PLANTED(bug)          (false)

#endif

/* What SIM_EVENT records. */
enum sim_event_kind {
    SIM_EV_RUN = 1,
    SIM_EV_PUSH,
    SIM_EV_TAKE,
    SIM_EV_END,
    SIM_EV_TIMER,
    SIM_EV_CHOICE,
};

#endif
