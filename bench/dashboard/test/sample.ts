// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Messages and states that tests start from. */

import { frame, hello } from "../dev/fake-data.ts";
import type { Event } from "../src/state/events.ts";
import { INITIAL, type State } from "../src/state/model.ts";
import { reduce } from "../src/state/reducer.ts";
import type { RunRecord } from "../src/state/run.ts";
import type { Frame, Hello, Process } from "../src/wire/types.ts";

export const STARTED = 1_774_000_000_000;
export const T0 = STARTED + 60_000;
export const HELLO: Hello = hello(STARTED, 20);

export function idle(uptimeMs: number, change: Partial<Frame> = {}): Frame {
  const made = frame({
    tick: Math.round(uptimeMs / 50),
    uptimeMs,
    profile: "balanced",
    run: null,
    spawned: 0,
    messages: 0,
    detail: false,
    dropped: 0,
  });
  return { ...made, ...change };
}

/** A frame of spawn-storm, so many ms into its run; the node has been up for ten seconds more. */
export function running(elapsedMs: number, change: Partial<Frame> = {}): Frame {
  const made = frame({
    tick: Math.round(elapsedMs / 50) + 200,
    uptimeMs: elapsedMs + 10_000,
    profile: "balanced",
    run: { scenario: "spawn-storm", elapsedMs, stalled: false },
    spawned: elapsedMs * 4000,
    messages: elapsedMs * 10,
    detail: false,
    dropped: 0,
  });
  return { ...made, ...change };
}

export function detailed(uptimeMs: number, processes: Process[]): Frame {
  const base = idle(uptimeMs);
  return { ...base, observer: { ...base.observer, processes, detail: true } };
}

export function process(id: string, change: Partial<Process> = {}): Process {
  return {
    id,
    name: null,
    label: null,
    kind: "native",
    status: "waiting",
    mailbox_depth: 0,
    memory_bytes: 1024,
    cpu_ns: 1000,
    reductions: 10,
    links: 0,
    monitors: 0,
    monitored_by: 0,
    parent: null,
    scheduler: 0,
    supervisor: false,
    current: "receive",
    ...change,
  };
}

export const tick = (at: number, sent: Frame): Event => ({
  type: "received",
  at,
  message: { type: "tick", frame: sent },
});

export const greet = (at: number, sent: Hello = HELLO): Event => ({
  type: "received",
  at,
  message: sent,
});

export function fold(events: readonly Event[], from: State = INITIAL): State {
  return events.reduce(reduce, from);
}

export const CONNECTED: State = fold([
  { type: "connecting", at: T0 },
  { type: "connected", at: T0 + 5 },
  greet(T0 + 6),
]);

/** A run from its first frame to `untilMs`, a frame each 50 ms. */
export function runEvents(untilMs: number, startAt = T0 + 100): Event[] {
  const count = Math.floor(untilMs / 50);
  return Array.from({ length: count }, (_, index) => {
    const elapsed = (index + 1) * 50;
    return tick(startAt + elapsed, running(elapsed));
  });
}

export function record(change: Partial<RunRecord> = {}): RunRecord {
  return {
    schema: 1,
    id: "spawn-storm-balanced-1",
    scenario: "spawn-storm",
    label: "Spawn storm",
    unit: "count",
    profile: "balanced",
    workers: 3,
    time: "2026-03-20T10:00:00.000Z",
    seconds: 5,
    end: "stopped",
    node: HELLO.node.name,
    version: HELLO.node.version,
    commit: HELLO.node.commit,
    dirty: false,
    machine: HELLO.node.machine,
    samples: 60,
    ops: { mean: 4_000_000, sd: 40_000, min: 3_900_000, max: 4_100_000 },
    peak: 391,
    latency: { p50_ns: 1200, p95_ns: 3000, p99_ns: 8000, p999_ns: 20_000 },
    metrics: [{ name: "descriptor_bytes", unit: "bytes", value: 412 }],
    trace: null,
    ...change,
  };
}
