// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import type uPlot from "uplot";
import { duration, short, text } from "../lib/format.ts";
import { ABSENT, type View } from "../state/columns.ts";
import { RUN_SERIES } from "../state/history.ts";
import { drawLineLabels, drawMarks, drawWarmup, type LineLabel } from "./marks.ts";
import { base, line } from "./parts.ts";
import { type Bound, extent, lowerBound, slowBound } from "./range.ts";
import { type Source, xRange } from "./source.ts";
import { type ChartSpec, toColumns } from "./spec.ts";
import type { ChartTheme } from "./theme.ts";

const NAMES = ["p50", "p95", "p99"] as const;
const SERIES = NAMES.map((name) => RUN_SERIES[name]);
const WIDTHS = { p50: 1.25, p95: 1.5, p99: 2 } as const;
/** Shown while there is no latency to show: 1 µs to 1 ms. */
const EMPTY_EXPONENTS = { low: 3, high: 6 } as const;

/** Percentiles over the time of a run on a log axis of whole decades. */
export function latencySpec(source: Source): ChartSpec {
  let high: Bound | null = null;
  let low: Bound | null = null;
  let view: View = source.view();
  return {
    version: source.version,
    epoch: source.epoch,
    options: (theme) => ({
      ...base({
        theme,
        time: "elapsed",
        y: { distr: 3, log: 10 },
        yValues: (value) => short(duration(value)),
        ySplits: decades,
        sync: true,
        empty: () => view.x.length === 0,
        hooks: {
          drawClear: [(plot) => drawWarmup(plot, source, theme)],
          draw: [
            (plot) => drawMarks(plot, source, theme),
            (plot) => drawLineLabels(plot, labels(plot, view, theme)),
          ],
        },
      }),
      series: [
        {},
        ...NAMES.map((name) =>
          line({
            label: name,
            stroke: theme[name],
            width: WIDTHS[name],
            absentMatters: true,
            view: () => view,
          }),
        ),
      ],
    }),
    draw: () => {
      view = source.view();
      const [min, max] = xRange(view, source);
      const seen = extent(view, SERIES, lowerBound(view.x, min), ABSENT);
      const wanted = exponents(seen);
      if (seen !== null) {
        high = slowBound(high, wanted.high, max);
        // The lower end grows downwards: the same rule with the sign turned.
        low = slowBound(low, -wanted.low, max);
      }
      const top = high?.at ?? wanted.high;
      const bottom = low === null ? wanted.low : -low.at;
      return {
        data: toColumns(view, SERIES),
        ranges: { x: [min, max], y: [10 ** bottom, 10 ** top] },
      };
    },
    readout: (index) => readout(view, index),
  };
}

function exponents(seen: { readonly least: number; readonly most: number } | null) {
  if (seen === null) return EMPTY_EXPONENTS;
  const low = Math.floor(Math.log10(seen.least));
  return { low, high: Math.max(low + 1, Math.ceil(Math.log10(seen.most * 1.02))) };
}

/** A grid line a decade; with few decades, also at 2 and 5. */
const decades: uPlot.Axis.Splits = (_plot, _axis, min, max) => {
  const [from, to] = [Math.round(Math.log10(min)), Math.round(Math.log10(max))];
  const factors = to - from <= 1 ? [1, 2, 5] : [1];
  const splits: number[] = [];
  for (let exponent = from; exponent < to; exponent += 1) {
    for (const factor of factors) splits.push(factor * 10 ** exponent);
  }
  return [...splits, 10 ** to];
};

function labels(plot: uPlot, view: View, theme: ChartTheme): LineLabel[] {
  const last = view.x.length - 1;
  if (last < 0 || ((view.flags[last] ?? 0) & ABSENT) !== 0) return [];
  const x = plot.valToPos(view.x[last] ?? 0, "x", true);
  // From the top down, so that the higher percentile stays on top where lines meet.
  return [...NAMES].reverse().map((name) => {
    const value = view.ys[RUN_SERIES[name]]?.[last] ?? 1;
    return { name, colour: theme[name], x, y: plot.valToPos(value, "y", true) };
  });
}

function readout(view: View, index: number | null): string {
  const x = index === null ? undefined : view.x[index];
  if (index === null || x === undefined) return "";
  const absent = ((view.flags[index] ?? 0) & ABSENT) !== 0;
  const values = NAMES.map((name) => {
    const value = view.ys[RUN_SERIES[name]]?.[index];
    return `${name} ${absent || value === undefined ? "–" : text(duration(value))}`;
  });
  return [`${x.toFixed(2)} s`, ...values].join("   ");
}
