// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { exact, rate, short, text } from "../lib/format.ts";
import type { View } from "../state/columns.ts";
import { RUN_SERIES } from "../state/history.ts";
import type { ScenarioUnit } from "../wire/types.ts";
import { drawMarks, drawWarmup } from "./marks.ts";
import { base, line } from "./parts.ts";
import { type Bound, extent, lowerBound, niceAbove, slowBound } from "./range.ts";
import { type Source, xRange } from "./source.ts";
import { type ChartSpec, toColumns } from "./spec.ts";

/** Operations a second over the time of a run, from zero up. */
export function throughputSpec(source: Source, unit: ScenarioUnit): ChartSpec {
  let top: Bound | null = null;
  let view: View = source.view();
  return {
    version: source.version,
    options: (theme) => ({
      ...base({
        theme,
        time: "elapsed",
        y: {},
        yValues: (value) => (value === 0 ? "0" : short(rate(value, unit))),
        sync: true,
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
      const [min, max] = xRange(view, source.spanS);
      const seen = extent(view, [RUN_SERIES.ops], lowerBound(view.x, min), 0);
      top = slowBound(top, niceAbove((seen?.most ?? 0) * 1.04), max);
      return { data: toColumns(view, [RUN_SERIES.ops]), ranges: { x: [min, max], y: [0, top.at] } };
    },
    readout: (index) => {
      const at = index ?? view.x.length - 1;
      const [x, value] = [view.x[at], view.ys[RUN_SERIES.ops]?.[at]];
      if (x === undefined || value === undefined) return "";
      const figure = text(rate(value, unit));
      const all = unit === "bytes" ? `${exact(value)} B/s` : `${exact(value)} /s`;
      return index === null ? `${figure} now` : `${x.toFixed(2)} s   ${all}`;
    },
  };
}
