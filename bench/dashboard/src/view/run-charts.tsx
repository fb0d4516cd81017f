// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useMemo } from "react";
import { Chart } from "../chart/chart.tsx";
import { latencySpec } from "../chart/latency.ts";
import { liveRunSource, recordSource } from "../chart/source.ts";
import { throughputSpec } from "../chart/throughput.ts";
import type { State } from "../state/model.ts";
import { selectedRecord } from "../state/select.ts";
import type { ScenarioMeta } from "../wire/types.ts";
import type { ChartKit } from "./chart-kit.ts";

interface Props {
  readonly state: State;
  readonly meta: ScenarioMeta;
  readonly charts: ChartKit;
}

/** Throughput and latency under each other, with one time axis and one cursor. */
export function RunCharts({ state, meta, charts }: Props) {
  const { history, subscribe, theme } = charts;
  const live = state.run !== null && state.run.scenario === meta.id;
  const record = live ? null : selectedRecord(state);
  const specs = useMemo(() => {
    const source = live ? liveRunSource(history) : recordSource(record);
    return { throughput: throughputSpec(source, meta.unit), latency: latencySpec(source) };
  }, [live, record, history, meta.unit]);
  return (
    <div className="run-charts">
      <Chart
        spec={specs.throughput}
        label={`${meta.label}: ${meta.ops_label} a second over time`}
        theme={theme}
        subscribe={subscribe}
        title={<h2>Throughput</h2>}
      />
      <Chart
        spec={specs.latency}
        label={`${meta.label}: latency p50, p95 and p99 over time`}
        theme={theme}
        subscribe={subscribe}
        title={
          <h2>
            Latency <span className="dim">{meta.latency_label ?? "not measured here"}</span>
          </h2>
        }
      />
    </div>
  );
}
