// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The observer view: the node as a whole, or one process. */

import { bytes, count, type Figure, NOTHING, rate } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import type { Observer as Snapshot } from "../wire/types.ts";
import type { Actions } from "./actions.ts";
import type { ChartKit } from "./chart-kit.ts";
import { Tile } from "./figure.tsx";
import { NoNode } from "./no-node.tsx";
import { ProcessPage } from "./process-page.tsx";
import { ProcessTable } from "./process-table.tsx";
import { Schedulers } from "./schedulers.tsx";
import { StaleLine } from "./stale-line.tsx";

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
          <section className="panel">
            <h2>Supervision tree</h2>
            <p className="dim">No supervisors yet.</p>
          </section>
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

function ObserverTiles({
  state,
  snapshot,
}: {
  readonly state: State;
  readonly snapshot: Snapshot | null;
}) {
  const { rates, link } = state;
  const stale = link.phase !== "open";
  const of = (take: (observer: Snapshot) => Figure) =>
    snapshot === null ? NOTHING : take(snapshot);
  const perSecond = (value: number | null) => (value === null ? NOTHING : rate(value));
  const tile = (label: string, figure: Figure, note: string) => (
    <Tile label={label} figure={figure} note={note} stale={stale} />
  );
  return (
    <div className="tiles seven">
      {tile(
        "Processes",
        of((o) => count(o.process_count, "procs")),
        "alive now",
      )}
      {tile(
        "Running",
        of((o) => count(o.running, "procs")),
        "on a scheduler",
      )}
      {tile(
        "Waiting",
        of((o) => count(o.waiting, "procs")),
        "for a message or time",
      )}
      {tile(
        "Memory",
        of((o) => bytes(o.total_memory_bytes)),
        "all processes",
      )}
      {tile(
        "Messages",
        perSecond(rates.messagesPerSec),
        of((o) => count(o.messages_total)).value === "–"
          ? "delivered"
          : `${join(count(snapshot?.messages_total ?? 0))} in all`,
      )}
      {tile(
        "Spawns",
        perSecond(rates.spawnsPerSec),
        snapshot === null ? "started" : `${join(count(snapshot.spawned_total))} in all`,
      )}
      {tile(
        "Wasm instances",
        of((o) => count(o.wasm.instances, "used")),
        snapshot === null ? "of the pool" : `of ${join(count(snapshot.wasm.capacity))} in the pool`,
      )}
    </div>
  );
}

function join(figure: Figure): string {
  return figure.unit === "" ? figure.value : `${figure.value} ${figure.unit}`;
}
