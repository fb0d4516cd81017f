// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * The points of the charts: the only mutable state of the page, kept beside the pure reducer since
 * copying columns of thousands of points twenty times a second would be waste. It is a fold over
 * the same events: feed it each event with the state that came of it. Its size is fixed.
 */

import type { Frame } from "../wire/types.ts";
import { ABSENT, BREAK, Columns } from "./columns.ts";
import type { Event } from "./events.ts";
import type { State } from "./model.ts";
import { Trace, type TraceData } from "./trace.ts";

/** A minute at the highest tick rate, 60 a second, and some to spare. */
const POINTS_MAX = 4096;
/** A tick may be late; more than this many periods without one and something was lost. */
const LOST_AFTER_PERIODS = 2.5;

export const RUN_SERIES = { ops: 0, p50: 1, p95: 2, p99: 3 } as const;
export const PROCESS_SERIES = { mailbox: 0, cpu: 1, memory: 2 } as const;

export class History {
  /** Operations a second and latencies of the newest run; x is seconds of the run. */
  readonly run = new Columns(4, POINTS_MAX);
  /** Share of a core used and others of the opened process; x is node uptime in seconds. */
  readonly process = new Columns(3, POINTS_MAX);
  /** Load of each scheduler; x is node uptime in seconds. Made anew if their number changes. */
  loads = new Columns(1, POINTS_MAX);
  runId: string | null = null;
  warmupS = 0;
  /** Where the newest run ended, null while it goes on. */
  stopS: number | null = null;

  #trace = new Trace();
  #dropped = 0;
  #pid: string | null = null;
  #cpu: { ns: number; atS: number } | null = null;

  record(event: Event, state: State): void {
    if (event.type === "connected") this.#dropped = 0;
    if (event.type === "received" && event.message.type === "tick") {
      const { frame } = event.message;
      const lost = frame.dropped_ticks > this.#dropped;
      this.#dropped = frame.dropped_ticks;
      const period = 1 / Math.max(1, state.hello?.node.ticks_per_second ?? 20);
      this.#recordRun(frame, state, lost, period);
      this.#recordLoads(frame, lost, period);
      this.#recordProcess(frame, state, lost, period);
    }
    if (state.run !== null && state.run.end !== null && state.run.id === this.runId) {
      this.stopS = state.run.elapsedMs / 1000;
    }
  }

  trace(): TraceData {
    return this.#trace.data(this.warmupS);
  }

  #recordRun(frame: Frame, state: State, lost: boolean, period: number): void {
    if (state.run === null || state.run.end !== null) return;
    if (state.run.id !== this.runId) this.#startRun(state.run.id);
    this.stopS = null;
    const x = frame.elapsed_ms / 1000;
    if (frame.warming_up) this.warmupS = Math.max(this.warmupS, x);
    const measured = frame.latency.count > 0;
    const { p50_ns, p95_ns, p99_ns } = frame.latency;
    const latencies = measured
      ? [p50_ns, p95_ns, p99_ns]
      : // The chart will not draw these; any value that does not move the axis serves.
        [1, 2, 3].map((series) => this.run.last(series, 1));
    const flags = breakFlag(this.run, x, lost, period) | (measured ? 0 : ABSENT);
    if (!this.run.push(x, [frame.ops_per_sec, ...latencies], flags)) return;
    const kept = measured ? ([p50_ns, p95_ns, p99_ns] as const) : ([0, 0, 0] as const);
    this.#trace.push(x, frame.ops_per_sec, ...kept);
  }

  #startRun(id: string): void {
    this.runId = id;
    this.run.clear();
    this.#trace.clear();
    this.warmupS = 0;
  }

  #recordLoads(frame: Frame, lost: boolean, period: number): void {
    const loads = frame.observer.scheduler_load;
    if (loads.length !== this.loads.series) this.loads = new Columns(loads.length, POINTS_MAX);
    const x = frame.observer.uptime_ms / 1000;
    restartIfBack(this.loads, x);
    this.loads.push(x, loads, breakFlag(this.loads, x, lost, period));
  }

  #recordProcess(frame: Frame, state: State, lost: boolean, period: number): void {
    const pid = state.opened?.process.id ?? null;
    if (pid !== this.#pid) {
      this.#pid = pid;
      this.#cpu = null;
      this.process.clear();
    }
    const process = frame.observer.processes.find(({ id }) => id === pid);
    if (process === undefined) return;
    const x = frame.observer.uptime_ms / 1000;
    if (restartIfBack(this.process, x)) this.#cpu = null;
    const before = this.#cpu;
    const share =
      before === null || x <= before.atS
        ? 0
        : Math.max(0, process.cpu_ns - before.ns) / 1e9 / (x - before.atS);
    const flags = breakFlag(this.process, x, lost, period);
    const values = [process.mailbox_depth, share, process.memory_bytes];
    if (this.process.push(x, values, flags)) this.#cpu = { ns: process.cpu_ns, atS: x };
  }
}

function breakFlag(columns: Columns, x: number, lost: boolean, period: number): number {
  const last = columns.lastX;
  if (last === null) return 0;
  return lost || x - last > period * LOST_AFTER_PERIODS ? BREAK : 0;
}

/** Node time that goes back is another node. */
function restartIfBack(columns: Columns, x: number): boolean {
  const back = columns.lastX !== null && x < columns.lastX;
  if (back) columns.clear();
  return back;
}
