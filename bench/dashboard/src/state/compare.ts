// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Two runs side by side: ratios, and whether they say anything beyond the spread. */

import { relativeSpread } from "../lib/stat.ts";
import type { RunRecord } from "./run.ts";

export interface Ratio {
  /** second / first */
  readonly value: number;
  /** Relative spread of the ratio, both runs taken together; null where no spread is known. */
  readonly spread: number | null;
}

export interface Comparison {
  readonly first: RunRecord;
  readonly second: RunRecord;
  readonly ops: Ratio | null;
  readonly p50: Ratio | null;
  readonly p99: Ratio | null;
  readonly peak: Ratio | null;
  readonly verdict: "faster" | "slower" | "within the spread" | "not comparable";
  /** Differences that make the comparison weaker: another scenario, profile, machine, commit. */
  readonly caveats: readonly string[];
}

/** The older run is the base, whichever was chosen first. */
export function compareRuns(a: RunRecord, b: RunRecord): Comparison {
  const [first, second] = a.time <= b.time ? [a, b] : [b, a];
  const sameThing = first.scenario === second.scenario && first.unit === second.unit;
  const ops = sameThing ? opsRatio(first, second) : null;
  return {
    first,
    second,
    ops,
    p50: sameThing ? ratio(first.latency?.p50_ns, second.latency?.p50_ns) : null,
    p99: sameThing ? ratio(first.latency?.p99_ns, second.latency?.p99_ns) : null,
    peak: sameThing ? ratio(first.peak, second.peak) : null,
    verdict: verdictOf(ops),
    caveats: caveats(first, second),
  };
}

function opsRatio(first: RunRecord, second: RunRecord): Ratio | null {
  const plain = ratio(first.ops.mean, second.ops.mean);
  if (plain === null) return null;
  const one = relativeSpread(first.ops.mean, first.ops.sd);
  const other = relativeSpread(second.ops.mean, second.ops.sd);
  return { value: plain.value, spread: Math.hypot(one, other) };
}

function ratio(first: number | undefined, second: number | undefined): Ratio | null {
  if (first === undefined || second === undefined || first <= 0 || second <= 0) return null;
  return { value: second / first, spread: null };
}

function verdictOf(ops: Ratio | null): Comparison["verdict"] {
  if (ops === null) return "not comparable";
  if (Math.abs(ops.value - 1) <= (ops.spread ?? 0)) return "within the spread";
  return ops.value > 1 ? "faster" : "slower";
}

function caveats(first: RunRecord, second: RunRecord): readonly string[] {
  const found: string[] = [];
  if (first.scenario !== second.scenario) found.push("different scenarios");
  if (first.profile !== second.profile) found.push("different profiles");
  if (first.machine.cpu !== second.machine.cpu || first.machine.cores !== second.machine.cores) {
    found.push("different machines");
  }
  if (first.commit !== second.commit) found.push("different commits");
  if (first.dirty || second.dirty) found.push("uncommitted changes");
  return found;
}
