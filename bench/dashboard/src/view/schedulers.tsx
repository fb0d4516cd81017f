// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useMemo } from "react";
import { Chart } from "../chart/chart.tsx";
import { observerSource } from "../chart/source.ts";
import { lanesSpec } from "../chart/strip.ts";
import { count, percent, text } from "../lib/format.ts";
import type { Observer } from "../wire/types.ts";
import type { ChartKit } from "./chart-kit.ts";

interface Props {
  readonly observer: Observer | null;
  readonly charts: ChartKit;
}

/** A lane each: the load now as a bar at its foot, the last minute as a thin line behind it. */
export function Schedulers({ observer, charts }: Props) {
  const loads = observer?.scheduler_load ?? [];
  const { history, subscribe, theme } = charts;
  const spec = useMemo(
    () =>
      lanesSpec(
        observerSource(() => history.loads),
        loads.length,
      ),
    [history, loads.length],
  );
  return (
    <section className="panel schedulers">
      <h2>
        Schedulers <span className="dim">load, last minute</span>
      </h2>
      {loads.length === 0 ? (
        <p className="dim">No frame yet.</p>
      ) : (
        <div className="lanes">
          <Chart
            spec={spec}
            label={`Load of ${loads.length} schedulers over the last minute`}
            theme={theme}
            subscribe={subscribe}
            className="lanes-chart"
          />
          <ol>
            {loads.map((load, index) => (
              <Lane
                key={index}
                index={index}
                load={load}
                queue={observer?.run_queue_lengths[index] ?? 0}
              />
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

function Lane({
  index,
  load,
  queue,
}: {
  readonly index: number;
  readonly load: number;
  readonly queue: number;
}) {
  const shown = Math.min(1, load);
  return (
    <li>
      <span className="lane-name num">{index + 1}</span>
      <span className="lane-bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${shown})` }} />
      </span>
      <span className="lane-load num">{text(percent(load))}</span>
      <span className="lane-queue num" title="Processes in the run queue">
        {text(count(queue))} queued
      </span>
    </li>
  );
}
