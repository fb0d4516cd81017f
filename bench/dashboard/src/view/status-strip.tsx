// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { clock, count, day, plural, text, timeOfDay } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import {
  condition,
  type Condition,
  runningScenario,
  selectedRecord,
  selectedRun,
} from "../state/select.ts";
import type { ScenarioMeta } from "../wire/types.ts";
import { Shape, type ShapeName } from "./shapes.tsx";

const SHAPES: Readonly<Record<Condition, ShapeName>> = {
  "never-connected": "cross",
  connecting: "ring",
  "node-gone": "cross",
  "not-real": "ring",
  starting: "half",
  "warming-up": "half",
  running: "play",
  stalled: "warn",
  stopped: "square",
  recorded: "square",
  idle: "ring",
};

/** One line that says what is on screen and how far to trust it. It is always there. */
export function StatusStrip({
  state,
  meta,
}: {
  readonly state: State;
  readonly meta: ScenarioMeta;
}) {
  const now = condition(state);
  const words = statusWords(state, meta);
  const warnings = state.link.phase === "open" ? (state.frame?.warnings ?? []) : [];
  const dropped = state.frame?.dropped_ticks ?? 0;
  return (
    <div className={`strip strip-${now}`}>
      <span className="strip-state" title={words}>
        <Shape name={SHAPES[now]} />
        <span>{words}</span>
      </span>
      <span className={`strip-warnings ${warnings.length > 0 ? "some" : ""}`}>
        {warnings.length > 0 && <Shape name="warn" />}
        <span title={warnings.join("\n")}>{warningWords(warnings)}</span>
      </span>
      <span className="strip-dropped num" title="Frames the node left out as this page was slow">
        {text(count(dropped))} dropped
      </span>
    </div>
  );
}

function warningWords(warnings: readonly string[]): string {
  const [first, ...others] = warnings;
  if (first === undefined) return "no warnings";
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}

export function statusWords(state: State, meta: ScenarioMeta): string {
  const run = selectedRun(state);
  switch (condition(state)) {
    case "never-connected":
    case "connecting":
      return "Connecting";
    case "node-gone":
      return `Node gone since ${timeOfDay(lastSeen(state))}. Results are kept; figures are of then.`;
    case "not-real":
      return `Not yet real: its engine comes with phase ${meta.real_after_phase}.`;
    case "starting":
      return "Starting";
    case "warming-up":
      return "Warming up: samples are drawn but not counted";
    case "running":
      return run === null ? "Running" : `Running, ${plural(run.ops.n, "sample")} counted`;
    case "stalled":
      return "Stalled: it runs, but nothing gets done";
    case "stopped":
      return stoppedWords(state);
    case "recorded":
      return recordedWords(state);
    case "idle":
      return idleWords(state);
  }
}

function lastSeen(state: State): number {
  return state.frameAtMs ?? state.link.sinceMs;
}

function stoppedWords(state: State): string {
  const run = selectedRun(state);
  if (run === null || run.end === null) return "Stopped";
  const why = run.end === "stopped" ? "Stopped" : `Ended (${run.end})`;
  const when = timeOfDay(run.endedUnixMs ?? run.startedUnixMs);
  return `${why} at ${when} after ${clock(run.elapsedMs)}; figures are of that run`;
}

function recordedWords(state: State): string {
  const record = selectedRecord(state);
  if (record === null) return "";
  const started = Date.parse(record.time);
  const length = clock(record.seconds * 1000);
  return `Last run here: ${day(started)} ${timeOfDay(started)}, ${length}, ${record.profile}`;
}

function idleWords(state: State): string {
  const other = runningScenario(state);
  return other === null
    ? "Ready; no run on this machine yet"
    : `${other.label} runs; Run stops it and starts this one`;
}
