// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import {
  count,
  duration,
  type Figure,
  NOTHING,
  plural,
  rate,
  spread,
  text,
} from "../lib/format.ts";
import { deviation, relativeSpread, type Stat } from "../lib/stat.ts";
import type { State } from "../state/model.ts";
import type { LiveRun, RunRecord } from "../state/run.ts";
import { selectedRecord, selectedRun } from "../state/select.ts";
import type { ScenarioMeta } from "../wire/types.ts";
import { Tile } from "./figure.tsx";

interface Tiles {
  readonly ops: readonly [Figure, string];
  readonly peak: readonly [Figure, string];
  readonly p50: readonly [Figure, string];
  readonly p99: readonly [Figure, string];
}

/** While it runs: the newest figures large, averages small. Afterwards: the averages. */
export function BenchTiles({
  state,
  meta,
}: {
  readonly state: State;
  readonly meta: ScenarioMeta;
}) {
  const run = selectedRun(state);
  const record = selectedRecord(state);
  const tiles =
    run !== null
      ? run.end === null
        ? liveTiles(run, meta)
        : endedTiles(run, meta)
      : record !== null
        ? recordTiles(record, meta)
        : emptyTiles(meta);
  const stale = state.link.phase !== "open";
  return (
    <div className="tiles four">
      <Tile
        label={`Throughput, ${meta.ops_label}`}
        figure={tiles.ops[0]}
        note={tiles.ops[1]}
        kind="ops"
        stale={stale}
      />
      <Tile
        label="Peak concurrent"
        figure={tiles.peak[0]}
        note={tiles.peak[1]}
        kind="whole"
        stale={stale}
      />
      <Tile label="p50" figure={tiles.p50[0]} note={tiles.p50[1]} stale={stale} />
      <Tile label="p99" figure={tiles.p99[0]} note={tiles.p99[1]} stale={stale} />
    </div>
  );
}

function liveTiles(run: LiveRun, meta: ScenarioMeta): Tiles {
  const latency = run.latencyNow;
  const none = noLatency(meta);
  return {
    ops: [rate(run.opsNow, meta.unit), averageOps(run.ops, meta)],
    peak: [count(run.peak, "procs"), `now ${text(count(run.population))}`],
    p50: [latency === null ? NOTHING : duration(latency.p50_ns), averageOf(run.p50, none)],
    p99: [latency === null ? NOTHING : duration(latency.p99_ns), averageOf(run.p99, none)],
  };
}

function endedTiles(run: LiveRun, meta: ScenarioMeta): Tiles {
  const samples = `mean of ${plural(run.ops.n, "sample")}`;
  const share = spread(relativeSpread(run.ops.mean, deviation(run.ops)));
  const mean = (stat: Stat) => (stat.n === 0 ? NOTHING : duration(stat.mean));
  const note = run.p50.n === 0 ? noLatency(meta) : "mean of the run";
  return {
    ops: [run.ops.n === 0 ? NOTHING : rate(run.ops.mean, meta.unit), `${samples}, ${share}`],
    peak: [count(run.peak, "procs"), "highest of the run"],
    p50: [mean(run.p50), note],
    p99: [mean(run.p99), note],
  };
}

function recordTiles(run: RunRecord, meta: ScenarioMeta): Tiles {
  const share = spread(relativeSpread(run.ops.mean, run.ops.sd));
  const note = run.latency === null ? noLatency(meta) : "mean of the run";
  return {
    ops: [rate(run.ops.mean, meta.unit), `mean of ${plural(run.samples, "sample")}, ${share}`],
    peak: [count(run.peak, "procs"), "highest of the run"],
    p50: [run.latency === null ? NOTHING : duration(run.latency.p50_ns), note],
    p99: [run.latency === null ? NOTHING : duration(run.latency.p99_ns), note],
  };
}

function emptyTiles(meta: ScenarioMeta): Tiles {
  const none = meta.real ? "no run yet" : "not yet real";
  return {
    ops: [NOTHING, none],
    peak: [NOTHING, none],
    p50: [NOTHING, none],
    p99: [NOTHING, none],
  };
}

function averageOps(ops: Stat, meta: ScenarioMeta): string {
  if (ops.n === 0) return "avg after warm-up";
  const share = spread(relativeSpread(ops.mean, deviation(ops)));
  return `avg ${text(rate(ops.mean, meta.unit))} ${share}`;
}

function averageOf(stat: Stat, none: string): string {
  return stat.n === 0 ? none : `avg ${text(duration(stat.mean))}`;
}

function noLatency(meta: ScenarioMeta): string {
  return meta.latency_label === null ? "no latency here" : "none measured yet";
}
