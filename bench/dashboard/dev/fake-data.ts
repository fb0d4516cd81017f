// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * FAKE. What the fake node says: scenarios as the real node lists them, with made-up figures that
 * depend only on scenario and tick. For work on the page; nothing here was measured.
 */

import type {
  Frame,
  Hello,
  Latency,
  Observer,
  Process,
  ProfileId,
  ScenarioMeta,
} from "../src/wire/types.ts";

type Row = readonly [id: string, label: string, phase: number, ops: string, latency: string];

const ROWS: readonly Row[] = [
  ["spawn-storm", "Spawn storm", 1, "spawns", "spawn call → reaped"],
  ["ping-pong", "Message ping-pong", 2, "messages", "round trip"],
  ["fault-recovery", "Fault recovery", 3, "restarts", "crash → replacement runs"],
  ["connection-storm", "Connection storm", 5, "connections", "connect → first byte"],
  ["connection-scale", "Connection scale", 5, "connections held", "connect"],
  ["fairness", "Fairness under a tight loop", 6, "marks", "runnable → running"],
  ["module-storm", "Module storm", 6, "spawns", "spawn → reaped"],
  ["component-storm", "Component storm", 7, "spawns", "spawn → reaped"],
  ["stream-pipe", "Stream pipe", 7, "bytes", "chunk write → read"],
  ["distributed-fanout", "Distributed fan-out", 9, "round trips", "round trip"],
  ["http-throughput", "HTTP throughput", 11, "requests", "request → last byte"],
  ["http-throughput-ts", "HTTP throughput, TS", 11, "requests", "request → last byte"],
  ["ws-echo", "WebSocket echo", 11, "round trips", "round trip"],
  ["ws-echo-ts", "WebSocket echo, TS", 11, "round trips", "round trip"],
  ["sse-fanout", "SSE fan-out", 11, "events", "publish → received"],
  ["sse-fanout-ts", "SSE fan-out, TS", 11, "events", "publish → received"],
  ["kv-storm", "KV storm", 11, "commits", "start → durable"],
  ["pubsub-fanout", "Pub/sub fan-out", 11, "deliveries", "publish → delivery"],
  ["crypto-ops", "Crypto ops, TS", 11, "digests", "round trip"],
  ["custom-bridge", "Custom bridge", 11, "calls", "call"],
  ["dynamic-wasm", "Dynamic wasm", 11, "spawns", "spawn → reaped"],
];

const SOURCE = `/* FAKE source, to show how an engine's file looks on the page. */
#include "engine.h"

#define IN_FLIGHT_MAX 5000u

/* One spawner a worker: creates processes as fast as the cap allows. */
static void spawner(void *arg)
{
    struct storm *storm = arg;
    uint64_t started_ns = 0;

    while (!storm_stopping(storm)) {
        if (storm_live(storm) >= IN_FLIGHT_MAX) {
            rusm_yield(); // back-pressure, not the operating point
            continue;
        }
        started_ns = rusm_mono_ns();
        if (rusm_spawn(storm->rt, empty_body, NULL, "child") != RUSM_OK) {
            storm_fail(storm, "spawn refused");
            return;
        }
        counter_add(&storm->spawned, 1);
        histogram_record(storm->latency, rusm_mono_ns() - started_ns);
    }
}
`;

const SENTENCES: Readonly<Record<string, string>> = {
  "spawn-storm": "Native processes created, run and reaped as fast as the schedulers allow.",
  "ping-pong": "Pairs of processes pass eight bytes to and fro, one message in flight each.",
};

function scenario([id, label, phase, ops, latency]: Row): ScenarioMeta {
  const real = phase <= 3;
  return {
    id,
    label,
    description: SENTENCES[id] ?? `${label}: ${ops} a second, by a real engine.`,
    details: [
      `One operation is one of the ${ops}; a round trip of messages counts as two.`,
      "Samples of the first two seconds are drawn and then left out of all summaries.",
      "Counters are kept per scheduler and merged at the tick.",
    ],
    real_after_phase: phase,
    real,
    unit: id === "stream-pipe" ? "bytes" : "count",
    ops_label: ops,
    latency_label: latency,
    source: real ? SOURCE : "",
    source_file: `bench/engines/${id.replaceAll("-", "_")}.c`,
  };
}

export const MACHINE = {
  cpu: "Fake CPU 3.1 GHz",
  cores: 8,
  memory_bytes: 33_566_408_704,
  kernel: "Linux 6.12.0",
};

export function hello(startedUnixMs: number, ticksPerSecond: number): Hello {
  const peer = (name: string, scenarioId: string, ops: number, version: string) => ({
    scenario: scenarioId,
    peer: name,
    workers: 4,
    ops_per_sec: ops,
    unit: "1/s",
    date: "2026-03-14T09:26:53Z",
    machine: MACHINE.cpu,
    version,
  });
  return {
    type: "hello",
    scenarios: ROWS.map(scenario),
    profiles: [
      { id: "light", label: "Light", description: "A quarter of the cores", workers: 2 },
      { id: "balanced", label: "Balanced", description: "Two fifths of the cores", workers: 3 },
      { id: "max", label: "Max", description: "Half of the cores", workers: 4 },
    ],
    instance_capacity: 4096,
    population_cap: 5000 * MACHINE.cores,
    node: {
      name: "fake@local",
      version: "0.0.0-fake",
      schedulers: MACHINE.cores,
      started_unix_ms: startedUnixMs,
      machine: MACHINE,
      commit: "0123abc",
      dirty: false,
      ticks_per_second: ticksPerSecond,
    },
    peers: [
      peer("rusm", "spawn-storm", 2_410_000, "0.7.0"),
      peer("beam", "spawn-storm", 1_080_000, "OTP 27"),
      peer("go", "spawn-storm", 3_150_000, "1.23"),
      peer("rusm", "ping-pong", 5_320_000, "0.7.0"),
    ],
  };
}

/** Noise from -1 to 1 that depends on its arguments only. */
export function noise(seed: number, step: number): number {
  let x = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 0x7fffffff - 1;
}

const SPEED: Readonly<Record<ProfileId, number>> = { light: 0.62, balanced: 0.85, max: 1 };

export interface Run {
  readonly scenario: string;
  readonly elapsedMs: number;
  readonly stalled: boolean;
}

export interface Moment {
  readonly tick: number;
  readonly uptimeMs: number;
  readonly profile: ProfileId;
  readonly run: Run | null;
  readonly spawned: number;
  readonly messages: number;
  readonly detail: boolean;
  readonly dropped: number;
}

export function opsOf(scenarioId: string, profile: ProfileId, tick: number, elapsedMs: number) {
  const base = scenarioId === "ping-pong" ? 13_400_000 : 4_820_000;
  const ramp = Math.min(1, 0.55 + elapsedMs / 3500);
  const wave = 1 + 0.018 * Math.sin(tick / 61) + 0.012 * noise(1, tick);
  const dip = noise(2, Math.floor(tick / 7)) > 0.965 ? 0.9 : 1;
  return base * SPEED[profile] * ramp * wave * dip;
}

const NO_LATENCY: Latency = {
  count: 0,
  min_ns: 0,
  max_ns: 0,
  mean_ns: 0,
  p50_ns: 0,
  p95_ns: 0,
  p99_ns: 0,
  p999_ns: 0,
};

function latency(moment: Moment, ops: number): Latency {
  if (moment.run === null || moment.run.stalled) return NO_LATENCY;
  const base = moment.run.scenario === "ping-pong" ? 310 : 1240;
  const p50 = base * (1 + 0.03 * noise(3, Math.floor(moment.tick / 4)));
  const p99 = p50 * (6.5 + 1.6 * noise(4, Math.floor(moment.tick / 5)));
  return {
    count: Math.round(ops / 20),
    min_ns: Math.round(p50 * 0.6),
    max_ns: Math.round(p99 * 30),
    mean_ns: Math.round(p50 * 1.2),
    p50_ns: Math.round(p50),
    p95_ns: Math.round(p50 * (2.6 + 0.3 * noise(5, Math.floor(moment.tick / 4)))),
    p99_ns: Math.round(p99),
    p999_ns: Math.round(p99 * 4),
  };
}

const NAMES = ["dashboard", "clock", "registry", "logger", "stats", "acceptor"] as const;
const PLACES = ["receive", "timer wheel", "spawner loop", "epoll", "reply"] as const;

/** Two supervisors under a third, four children each; a few are started by one without a row. */
const SUPERVISORS: ReadonlySet<number> = new Set([1, 2, 3]);

function fakeParent(index: number): string | null {
  if (index === 2 || index === 3) return fakeId(1);
  if (index >= 6 && index < 14) return fakeId(index < 10 ? 2 : 3);
  return index >= 14 && index < 18 ? "5" : null;
}

const fakeId = (index: number) => String(1000 + index * 17);

function process(index: number, moment: Moment): Process {
  const busy = moment.run !== null && index >= 6;
  const age = moment.tick * (index + 3);
  // Every few seconds one of the later rows is another process.
  const generation = index > 30 ? Math.floor((moment.tick + index * 7) / 90) : 0;
  return {
    id: String(1000 + index * 17 + generation * 4096),
    name: NAMES[index] ?? null,
    label: index >= 6 ? `worker ${index - 5}` : null,
    kind: index % 9 === 8 ? "module" : index % 13 === 12 ? "ts" : "native",
    status: busy
      ? index % 5 === 0
        ? "running"
        : index % 3 === 0
          ? "runnable"
          : "waiting"
      : "waiting",
    mailbox_depth: busy ? Math.round(12 + 11 * noise(index, moment.tick)) : 0,
    memory_bytes:
      2048 +
      512 * (index % 7) +
      (busy ? Math.round(4096 * (1 + noise(index, moment.tick >> 3))) : 0),
    cpu_ns: Math.round(age * (busy ? 31_000 + 1000 * index : 400)),
    reductions: age * (busy ? 977 : 11),
    links: index % 4,
    monitors: index % 3,
    monitored_by: index % 2,
    parent: fakeParent(index),
    scheduler: index % MACHINE.cores,
    supervisor: SUPERVISORS.has(index),
    current: PLACES[index % PLACES.length] ?? "receive",
  };
}

function observer(moment: Moment): Observer {
  const busy = moment.run !== null && !moment.run.stalled;
  const lane = (index: number) => {
    const base = busy ? (index < 4 ? 0.93 : 0.66) : 0.02;
    const sway = (busy ? 0.06 : 0.01) * noise(20 + index, moment.tick >> 1);
    return Math.max(0, Math.min(1, base + sway));
  };
  const lanes = Array.from({ length: MACHINE.cores }, (_, index) => index);
  const population = busy ? 340 + Math.round(40 * noise(9, moment.tick)) : 12;
  return {
    uptime_ms: moment.uptimeMs,
    process_count: population,
    running: busy ? 8 : 1,
    waiting: Math.max(0, population - 8),
    scheduler_load: lanes.map(lane),
    run_queue_lengths: lanes.map((index) =>
      busy ? Math.round(20 + 18 * noise(40 + index, moment.tick)) : 0,
    ),
    total_memory_bytes: 11_200_000 + population * 2100,
    runtime_memory_bytes: population * 2100,
    spawned_total: Math.round(moment.spawned),
    finished_total: Math.max(0, Math.round(moment.spawned) - population),
    messages_total: Math.round(moment.messages),
    wasm: {
      instances: 0,
      capacity: 4096,
      waiting: 0,
      started_total: 0,
      yields_total: 0,
      memory_bytes: 0,
    },
    processes: moment.detail
      ? Array.from({ length: 48 }, (_, index) => process(index, moment))
      : [],
    detail: moment.detail,
  };
}

export function frame(moment: Moment): Frame {
  const { run } = moment;
  const ops =
    run === null || run.stalled
      ? 0
      : opsOf(run.scenario, moment.profile, moment.tick, run.elapsedMs);
  const warnings = run?.stalled === true ? ["no operation for 2 s: the engine is stalled"] : [];
  return {
    scenario: run?.scenario ?? null,
    running: run !== null,
    uptime_ms: moment.uptimeMs,
    elapsed_ms: run?.elapsedMs ?? 0,
    warming_up: run !== null && run.elapsedMs < 2000,
    ops_per_sec: ops,
    peak_concurrent: run === null ? 0 : 391,
    profile: moment.profile,
    latency: latency(moment, ops),
    throughput: { points: [], capacity: 600 },
    observer: observer(moment),
    warnings,
    dropped_ticks: moment.dropped,
    metrics:
      run === null
        ? []
        : [
            { name: "descriptor_bytes", unit: "bytes", value: 412 },
            { name: "spawn_call_p50_ns", unit: "ns", value: 168 },
          ],
    stalled: run?.stalled ?? false,
  };
}
