// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * A run as the page sees it: a live fold over frames, and the immutable record it ends as.
 * Warm-up frames are drawn but never counted.
 */

import { add, deviation, EMPTY, type Stat } from "../lib/stat.ts";
import type {
  Frame,
  Hello,
  Latency,
  Machine,
  Metric,
  ProfileId,
  ScenarioUnit,
} from "../wire/types.ts";
import type { TraceData } from "./trace.ts";

export type RunEnd = "stopped" | "replaced" | "node restarted" | "connection lost";

export interface LiveRun {
  readonly id: string;
  readonly scenario: string;
  readonly profile: ProfileId;
  readonly startedUnixMs: number;
  /** Which life of the node it belongs to. */
  readonly nodeStartedUnixMs: number;
  readonly elapsedMs: number;
  readonly end: RunEnd | null;
  readonly endedUnixMs: number | null;
  readonly warmingUp: boolean;
  readonly stalled: boolean;
  readonly ops: Stat;
  readonly p50: Stat;
  readonly p95: Stat;
  readonly p99: Stat;
  readonly p999: Stat;
  readonly opsNow: number;
  readonly latencyNow: Latency | null;
  readonly peak: number;
  readonly population: number;
  readonly metrics: readonly Metric[];
}

/** Latency of a recorded run: means over the one-second windows the node reported. */
export interface LatencySummary {
  readonly p50_ns: number;
  readonly p95_ns: number;
  readonly p99_ns: number;
  readonly p999_ns: number;
}

/** What is stored in the browser and exported; never changed once written. */
export interface RunRecord {
  readonly schema: 1;
  readonly id: string;
  readonly scenario: string;
  readonly label: string;
  readonly unit: ScenarioUnit;
  readonly profile: ProfileId;
  readonly workers: number;
  readonly time: string;
  readonly seconds: number;
  readonly end: RunEnd;
  readonly node: string;
  readonly version: string;
  readonly commit: string;
  readonly dirty: boolean;
  readonly machine: Machine;
  readonly samples: number;
  readonly ops: {
    readonly mean: number;
    readonly sd: number;
    readonly min: number;
    readonly max: number;
  };
  readonly peak: number;
  readonly latency: LatencySummary | null;
  readonly metrics: readonly Metric[];
  readonly trace: TraceData | null;
}

/** The run of this frame, given the one before: continued, begun, ended, or none. */
export function continues(run: LiveRun, frame: Frame, nodeStarted: number): boolean {
  return (
    frame.running &&
    frame.scenario === run.scenario &&
    frame.profile === run.profile &&
    frame.elapsed_ms >= run.elapsedMs &&
    nodeStarted === run.nodeStartedUnixMs
  );
}

export function begin(frame: Frame, scenario: string, nodeStarted: number, at: number): LiveRun {
  const startedUnixMs = Math.round(at - frame.elapsed_ms);
  const empty: LiveRun = {
    id: `${scenario}-${frame.profile}-${startedUnixMs}`,
    scenario,
    profile: frame.profile,
    startedUnixMs,
    nodeStartedUnixMs: nodeStarted,
    elapsedMs: 0,
    end: null,
    endedUnixMs: null,
    warmingUp: false,
    stalled: false,
    ops: EMPTY,
    p50: EMPTY,
    p95: EMPTY,
    p99: EMPTY,
    p999: EMPTY,
    opsNow: 0,
    latencyNow: null,
    peak: 0,
    population: 0,
    metrics: [],
  };
  return advance(empty, frame);
}

export function advance(run: LiveRun, frame: Frame): LiveRun {
  const measured = frame.latency.count > 0;
  const next: LiveRun = {
    ...run,
    end: null,
    endedUnixMs: null,
    elapsedMs: frame.elapsed_ms,
    warmingUp: frame.warming_up,
    stalled: frame.stalled,
    opsNow: frame.ops_per_sec,
    latencyNow: measured ? frame.latency : null,
    peak: frame.peak_concurrent,
    population: frame.observer.process_count,
    metrics: frame.metrics,
  };
  if (frame.warming_up) return next;
  const ops = add(run.ops, frame.ops_per_sec);
  if (!measured) return { ...next, ops };
  return {
    ...next,
    ops,
    p50: add(run.p50, frame.latency.p50_ns),
    p95: add(run.p95, frame.latency.p95_ns),
    p99: add(run.p99, frame.latency.p99_ns),
    p999: add(run.p999, frame.latency.p999_ns),
  };
}

export function finish(run: LiveRun, end: RunEnd, at: number): LiveRun {
  return run.end === null ? { ...run, end, endedUnixMs: at } : run;
}

/** A run with no sample after the warm-up says nothing and leaves no record. */
export function toRecord(run: LiveRun, hello: Hello): RunRecord | null {
  const meta = hello.scenarios.find((scenario) => scenario.id === run.scenario);
  if (meta === undefined || run.end === null || run.ops.n === 0) return null;
  return {
    schema: 1,
    id: run.id,
    scenario: run.scenario,
    label: meta.label,
    unit: meta.unit,
    profile: run.profile,
    workers: hello.profiles.find((profile) => profile.id === run.profile)?.workers ?? 0,
    time: new Date(run.startedUnixMs).toISOString(),
    seconds: Math.round(run.elapsedMs) / 1000,
    end: run.end,
    node: hello.node.name,
    version: hello.node.version,
    commit: hello.node.commit,
    dirty: hello.node.dirty,
    machine: hello.node.machine,
    samples: run.ops.n,
    ops: { mean: run.ops.mean, sd: deviation(run.ops), min: run.ops.min, max: run.ops.max },
    peak: run.peak,
    latency: summary(run),
    metrics: run.metrics,
    trace: null,
  };
}

function summary(run: LiveRun): LatencySummary | null {
  if (run.p50.n === 0) return null;
  return {
    p50_ns: run.p50.mean,
    p95_ns: run.p95.mean,
    p99_ns: run.p99.mean,
    p999_ns: run.p999.mean,
  };
}
