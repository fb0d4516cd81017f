// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The benchmark view: menu, the selected scenario, runs so far. */

import type { ChartKit } from "./chart-kit.ts";
import type { State } from "../state/model.ts";
import { condition, selectedScenario } from "../state/select.ts";
import type { Actions } from "./actions.ts";
import { BenchTiles } from "./bench-tiles.tsx";
import { Details } from "./details.tsx";
import { NoNode } from "./no-node.tsx";
import { Peers } from "./peers.tsx";
import { RunBar } from "./run-bar.tsx";
import { RunCharts } from "./run-charts.tsx";
import { Runs } from "./runs.tsx";
import { ScenarioMenu } from "./scenario-menu.tsx";
import { StatusStrip } from "./status-strip.tsx";

interface Props {
  readonly state: State;
  readonly actions: Actions;
  readonly charts: ChartKit;
}

export function Bench({ state, actions, charts }: Props) {
  const meta = selectedScenario(state);
  const now = condition(state);
  if (meta === null) return <NoNode state={state} actions={actions} />;
  return (
    <div className="bench" data-condition={now}>
      <ScenarioMenu state={state} actions={actions} />
      <main className={`centre ${now === "node-gone" ? "gone" : ""}`}>
        <div className="heading">
          <div className="heading-text">
            <h1>{meta.label}</h1>
            <p className="sentence">{meta.description}</p>
          </div>
          <RunBar state={state} actions={actions} meta={meta} />
        </div>
        <StatusStrip state={state} meta={meta} />
        <BenchTiles state={state} meta={meta} />
        <RunCharts state={state} meta={meta} charts={charts} />
        <Peers state={state} meta={meta} />
        <Details meta={meta} metrics={state.run?.scenario === meta.id ? state.run.metrics : []} />
      </main>
      <Runs state={state} actions={actions} />
    </div>
  );
}
