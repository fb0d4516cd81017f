// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { count, duration, rate, text } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { scenarioById } from "../state/select.ts";

/** The tiles as a sentence for screen readers; whoever shows it does so once a second at most. */
export function announcement(state: State): string {
  if (state.link.phase !== "open") return "Not connected to the node";
  const { run } = state;
  if (run === null || run.end !== null) return "Nothing runs";
  const meta = scenarioById(state, run.scenario);
  const latency = run.latencyNow;
  return [
    `${meta?.label ?? run.scenario}: ${text(rate(run.opsNow, meta?.unit ?? "count"))}`,
    `peak ${text(count(run.peak))}`,
    ...(latency === null
      ? []
      : [`p50 ${text(duration(latency.p50_ns))}`, `p99 ${text(duration(latency.p99_ns))}`]),
  ].join(", ");
}
