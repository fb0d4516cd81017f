// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Runs as the browser keeps them. What is read back may be of an older page or edited by hand, so
 * it is checked like anything from outside; entries that do not fit are left out.
 */

import { amount, type Check, flag, list, nullable, object, oneOf, text } from "../wire/check.ts";
import type { Machine, Metric } from "../wire/types.ts";
import { RUNS_MAX } from "./model.ts";
import type { LatencySummary, RunRecord } from "./run.ts";
import { TRACE_POINTS, type TraceData } from "./trace.ts";

const schemaOne: Check<1> = (value, path) => {
  if (value !== 1) oneOf("1")(value, path, { strict: false });
  return 1;
};

const points = list(amount, TRACE_POINTS + 1);

const trace = object<TraceData>({
  x: points,
  ops: points,
  p50: points,
  p95: points,
  p99: points,
  warmup_s: amount,
});

const record = object<RunRecord>({
  schema: schemaOne,
  id: text,
  scenario: text,
  label: text,
  unit: oneOf("count", "bytes"),
  profile: oneOf("light", "balanced", "max"),
  workers: amount,
  time: text,
  seconds: amount,
  end: oneOf("stopped", "replaced", "node restarted", "connection lost"),
  node: text,
  version: text,
  commit: text,
  dirty: flag,
  machine: object<Machine>({ cpu: text, cores: amount, memory_bytes: amount, kernel: text }),
  samples: amount,
  ops: object<RunRecord["ops"]>({ mean: amount, sd: amount, min: amount, max: amount }),
  peak: amount,
  latency: nullable(
    object<LatencySummary>({ p50_ns: amount, p95_ns: amount, p99_ns: amount, p999_ns: amount }),
  ),
  metrics: list(object<Metric>({ name: text, unit: text, value: amount }), 64),
  trace: nullable(trace),
});

export function readRuns(stored: string | null): RunRecord[] {
  if (stored === null) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(stored);
  } catch {
    return [];
  }
  if (!Array.isArray(parsed)) return [];
  return parsed.slice(0, RUNS_MAX).flatMap((entry: unknown) => {
    try {
      return [record(entry, "", { strict: false })];
    } catch {
      return [];
    }
  });
}

export function writeRuns(runs: readonly RunRecord[]): string {
  return JSON.stringify(runs);
}

/**
 * A run in the form of a headless run's JSON line, so that the same tools read both. One repeat:
 * median, min and max of a metric are the same figure; the spread within the run stands apart.
 */
export function exportRun(run: RunRecord): string {
  const once = (name: string, unit: string, value: number) => ({
    name,
    unit,
    median: value,
    min: value,
    max: value,
  });
  const latency = run.latency;
  const line = {
    schema: 1,
    time: run.time,
    commit: run.commit,
    dirty: run.dirty,
    machine: run.machine,
    scenario: run.scenario,
    profile: run.profile,
    workers: run.workers,
    seconds: run.seconds,
    repeats: 1,
    end: run.end,
    metrics: [
      once("ops_per_sec", run.unit === "bytes" ? "bytes_per_sec" : "ops_per_sec", run.ops.mean),
      ...(latency === null
        ? []
        : (["p50_ns", "p95_ns", "p99_ns", "p999_ns"] as const).map((name) =>
            once(name, "ns", latency[name]),
          )),
      once("peak_concurrent", "count", run.peak),
      ...run.metrics.map((metric) => once(metric.name, metric.unit, metric.value)),
    ],
    within_run: { samples: run.samples, ...run.ops },
  };
  return `${JSON.stringify(line)}\n`;
}

export function exportName(run: RunRecord): string {
  return `${run.scenario}-${run.profile}-${run.time.replace(/[:.]/g, "-")}.json`;
}
