// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The observer view: the node as a whole, or one process. */

import { bytes, count, type Figure, NOTHING, rate, text } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import type { Rates } from "../state/rates.ts";
import type { Observer as Snapshot } from "../wire/types.ts";
import type { Actions } from "./actions.ts";
import type { ChartKit } from "./chart-kit.ts";
import { Tile } from "./figure.tsx";
import { NoNode } from "./no-node.tsx";
import { ProcessPage } from "./process-page.tsx";
import { ProcessTable } from "./process-table.tsx";
import { Schedulers } from "./schedulers.tsx";
import { StaleLine } from "./stale-line.tsx";
import { SupervisionTree } from "./supervision-tree.tsx";

interface Props {
  readonly state: State;
  readonly actions: Actions;
  readonly charts: ChartKit;
}

export function Observer({ state, actions, charts }: Props) {
  const { hello, frame, choices } = state;
  if (hello === null) return <NoNode state={state} actions={actions} />;
  const pid = choices.route.view === "observer" ? choices.route.pid : null;
  const gone = state.link.phase !== "open";
  return (
    <main className={`observer ${gone ? "gone" : ""}`}>
      <h1 className="hidden">Observer</h1>
      <StaleLine state={state} />
      <ObserverTiles state={state} snapshot={frame?.observer ?? null} />
      <div className="observer-body">
        <div className="observer-side">
          <Schedulers observer={frame?.observer ?? null} charts={charts} />
          <SupervisionTree state={state} actions={actions} />
        </div>
        {pid === null ? (
          <ProcessTable state={state} actions={actions} />
        ) : (
          <ProcessPage state={state} pid={pid} charts={charts} />
        )}
      </div>
    </main>
  );
}

interface TileText {
  readonly label: string;
  readonly figure: Figure;
  readonly note: string;
  /** A count, not a three-digit figure with a point. */
  readonly whole?: boolean;
}

function ObserverTiles({
  state,
  snapshot,
}: {
  readonly state: State;
  readonly snapshot: Snapshot | null;
}) {
  const tiles = snapshot === null ? emptyTiles() : snapshotTiles(snapshot, state.rates);
  return (
    <div className="tiles seven">
      {tiles.map(({ label, figure, note, whole }) => (
        <Tile
          key={label}
          label={label}
          figure={figure}
          note={note}
          stale={state.link.phase !== "open"}
          {...(whole === true ? { kind: "whole" } : {})}
        />
      ))}
    </div>
  );
}

function snapshotTiles(node: Snapshot, rates: Rates): readonly TileText[] {
  const perSecond = (value: number | null) => (value === null ? NOTHING : rate(value));
  const procs = (value: number) => count(value, "procs");
  const inAll = (value: number) => `${text(count(value))} in all`;
  const { messagesPerSec, spawnsPerSec } = rates;
  return [
    { label: "Processes", figure: procs(node.process_count), note: "alive now", whole: true },
    { label: "Running", figure: procs(node.running), note: "on a scheduler", whole: true },
    { label: "Waiting", figure: procs(node.waiting), note: "for a message or time", whole: true },
    {
      label: "Memory",
      figure: bytes(node.total_memory_bytes),
      note: `${text(bytes(node.runtime_memory_bytes))} by processes`,
    },
    { label: "Messages", figure: perSecond(messagesPerSec), note: inAll(node.messages_total) },
    { label: "Spawns", figure: perSecond(spawnsPerSec), note: inAll(node.spawned_total) },
    {
      label: "Wasm instances",
      figure: count(node.wasm.instances, "used"),
      note:
        node.wasm.capacity === 0
          ? "no pool on this node"
          : `of ${text(count(node.wasm.capacity))} in the pool, ${text(bytes(node.wasm.memory_bytes))}`,
      whole: true,
    },
  ];
}

function emptyTiles(): readonly TileText[] {
  const labels = ["Processes", "Running", "Waiting", "Memory", "Messages", "Spawns"];
  return [...labels, "Wasm instances"].map((label) => ({
    label,
    figure: NOTHING,
    note: "no frame yet",
  }));
}
