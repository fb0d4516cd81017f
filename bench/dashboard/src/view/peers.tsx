// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { bytes, day, plural, rate, text } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { bestEarlier, peersOf, selectedRecord, selectedRun } from "../state/select.ts";
import type { PeerResult, ScenarioMeta } from "../wire/types.ts";

/** Systems everyone asks about: listed even while nobody measured them here. */
const EXPECTED = ["rusm", "beam"] as const;

const NAMES: Readonly<Record<string, string>> = {
  ours: "Ours, headless",
  rusm: "RUSM",
  beam: "BEAM",
  go: "Go",
  tokio: "Tokio",
};

interface Bar {
  readonly name: string;
  readonly value: number | null;
  readonly note: string;
  readonly own: boolean;
}

export function Peers({ state, meta }: { readonly state: State; readonly meta: ScenarioMeta }) {
  const bars = peerBars(state, meta);
  const most = Math.max(1, ...bars.map((bar) => bar.value ?? 0));
  const own = bars[0]?.value ?? null;
  return (
    <section className="panel peers" aria-label="Comparison with others">
      <h2>
        Against{" "}
        <span className="dim">
          {meta.ops_label} a second on {machineWords(state)}
        </span>
      </h2>
      <ul>
        {bars.map((bar) => (
          <li key={bar.name} className={bar.own ? "own" : ""}>
            <span className="peer-name">{bar.name}</span>
            <span className="peer-bar" aria-hidden="true">
              <span style={{ width: `${(100 * (bar.value ?? 0)) / most}%` }} />
            </span>
            <span className="peer-value num">
              {bar.value === null ? "–" : text(rate(bar.value, meta.unit))}
            </span>
            <span className="peer-ratio num" title="against this run">
              {ratioText(bar, own)}
            </span>
            <span className="peer-note">{bar.note}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ratioText(bar: Bar, own: number | null): string {
  if (bar.value === null || own === null || own <= 0 || bar.own) return "";
  return `${(bar.value / own).toPrecision(3)}×`;
}

function machineWords({ hello }: State): string {
  if (hello === null) return "this machine";
  const { cpu, cores, memory_bytes } = hello.node.machine;
  return `${cpu}, ${plural(cores, "core")}, ${text(bytes(memory_bytes))}`;
}

export function peerBars(state: State, meta: ScenarioMeta): readonly Bar[] {
  const found = peersOf(state, meta.id);
  const others = found.map(({ peer }) => peer).filter((peer) => !isExpected(peer));
  return [
    ownBar(state),
    bestBar(state, meta),
    ...[...EXPECTED, ...others].map((peer): Bar => {
      const name = NAMES[peer] ?? peer;
      const result = found.find((candidate) => candidate.peer === peer);
      return result === undefined
        ? { name, value: null, note: "not measured here; run make peers", own: false }
        : { name, value: result.ops_per_sec, note: peerNote(result), own: false };
    }),
  ];
}

function isExpected(peer: string): boolean {
  return EXPECTED.some((expected) => expected === peer);
}

function peerNote({ date, version, machine, workers }: PeerResult): string {
  return [date.slice(0, 10), version, plural(workers, "worker"), machine].join(", ");
}

function ownBar(state: State): Bar {
  const run = selectedRun(state);
  const name = "This run";
  if (run !== null && run.ops.n > 0) {
    const note = run.end === null ? "average so far" : "average";
    return { name, value: run.ops.mean, note: `${note}, ${run.profile}`, own: true };
  }
  const record = run === null ? selectedRecord(state) : null;
  return record === null
    ? { name, value: null, note: run === null ? "no run yet" : "after the warm-up", own: true }
    : { name: "Last run", value: record.ops.mean, note: runNote(record), own: true };
}

function bestBar(state: State, meta: ScenarioMeta): Bar {
  const shown = selectedRun(state)?.id ?? selectedRecord(state)?.id ?? null;
  const best = bestEarlier(state, meta.id, shown);
  return best === null
    ? { name: "Best earlier", value: null, note: "no earlier run", own: false }
    : { name: "Best earlier", value: best.ops.mean, note: runNote(best), own: false };
}

function runNote(run: { time: string; profile: string; version: string }): string {
  return `${day(Date.parse(run.time))}, ${run.version}, ${run.profile}`;
}
