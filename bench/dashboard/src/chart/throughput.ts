// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { exact, rate, short } from "../lib/format.ts";
import type { View } from "../state/columns.ts";
import { RUN_SERIES } from "../state/history.ts";
import type { ScenarioUnit } from "../wire/types.ts";
import { drawMarks, drawWarmup } from "./marks.ts";
import { base, line, roundSplits } from "./parts.ts";
import { type Bound, extent, lowerBound, niceAbove, slowBound } from "./range.ts";
import { type Source, xRange } from "./source.ts";
import { type ChartSpec, toColumns } from "./spec.ts";

/** Operations a second over the time of a run, from zero up. */
export function throughputSpec(source: Source, unit: ScenarioUnit): ChartSpec {
  let top: Bound | null = null;
  let view: View = source.view();
  return {
    version: source.version,
    epoch: source.epoch,
    options: (theme) => ({
      ...base({
        theme,
        time: "elapsed",
        y: {},
        ySplits: roundSplits,
        yValues: (value) => (value === 0 ? "0" : short(rate(value, unit))),
        sync: true,
        empty: () => view.x.length === 0,
        hooks: {
          drawClear: [(plot) => drawWarmup(plot, source, theme)],
          draw: [(plot) => drawMarks(plot, source, theme)],
        },
      }),
      series: [
        {},
        line({
          label: "throughput",
          stroke: theme.ops,
          width: 1.5,
          fill: theme.fill,
          absentMatters: false,
          view: () => view,
        }),
      ],
    }),
    draw: () => {
      view = source.view();
      const [min, max] = xRange(view, source);
      const seen = extent(view, [RUN_SERIES.ops], lowerBound(view.x, min), 0);
      top = slowBound(top, niceAbove((seen?.most ?? 0) * 1.04), max);
      return { data: toColumns(view, [RUN_SERIES.ops]), ranges: { x: [min, max], y: [0, top.at] } };
    },
    readout: (index) => {
      if (index === null) return "";
      const [x, value] = [view.x[index], view.ys[RUN_SERIES.ops]?.[index]];
      if (x === undefined || value === undefined) return "";
      return `${x.toFixed(2)} s   ${exact(value)} ${unit === "bytes" ? "B/s" : "/s"}`;
    },
  };
}
