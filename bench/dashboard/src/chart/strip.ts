// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The observer's charts: lanes of scheduler load, and one measure of one process. */

import type uPlot from "uplot";
import type { View } from "../state/columns.ts";
import { base, line, roundSplits } from "./parts.ts";
import { type Bound, extent, lowerBound, niceAbove, slowBound } from "./range.ts";
import { type Source, xRange } from "./source.ts";
import { asGiven, type ChartSpec, toColumns } from "./spec.ts";

/** A lane is higher than a full load: the bar of the lane above needs room too. */
const LANE = 1.45;

/**
 * All schedulers in one canvas, each in its own lane: a chart each would cost as many canvases as
 * there are cores. Every series has its own scale, shifted so that 0 is the floor of its lane.
 */
export function lanesSpec(source: Source, lanes: number): ChartSpec {
  let view: View = source.view();
  const scaleName = (lane: number) => (lane === 0 ? "y" : `lane${lane}`);
  const range = (lane: number): readonly [number, number] => [
    -(lanes - 1 - lane) * LANE,
    (lane + 1) * LANE,
  ];
  const all = Array.from({ length: lanes }, (_, lane) => lane);
  return {
    version: source.version,
    epoch: source.epoch,
    options: (theme) => ({
      legend: { show: false },
      padding: [0, 0, 0, 0],
      cursor: { show: false },
      scales: Object.fromEntries([
        ["x", { time: false, auto: false, range: asGiven }],
        ...all.map((lane): [string, uPlot.Scale] => [
          scaleName(lane),
          { auto: false, range: asGiven },
        ]),
      ]),
      axes: [{ show: false }, { show: false }],
      series: [
        {},
        ...all.map((lane) =>
          line({
            label: `scheduler ${lane}`,
            stroke: theme.ops,
            width: 1,
            scale: scaleName(lane),
            fill: theme.fill,
            fillTo: 0,
            absentMatters: false,
            view: () => view,
          }),
        ),
      ],
    }),
    draw: () => {
      view = source.view();
      const ranges = Object.fromEntries(all.map((lane) => [scaleName(lane), range(lane)]));
      return {
        data: toColumns(view, all),
        ranges: { ...ranges, x: xRange(view, source) },
      };
    },
    readout: () => "",
  };
}

export interface MeasureWords {
  /** Short, for the axis. */
  readonly axis: (value: number) => string;
  readonly exact: (value: number) => string;
  /** The axis is at least this long, so that a quiet process is not drawn as a wild one. */
  readonly least: number;
}

/** One series of the opened process over the last minute, from zero up. */
export function measureSpec(source: Source, series: number, words: MeasureWords): ChartSpec {
  let top: Bound | null = null;
  let view: View = source.view();
  return {
    version: source.version,
    epoch: source.epoch,
    options: (theme) => ({
      ...base({
        theme,
        time: "ago",
        y: {},
        ySplits: roundSplits,
        yValues: (value) => (value === 0 ? "0" : words.axis(value)),
        sync: true,
        empty: () => view.x.length === 0,
      }),
      series: [
        {},
        line({
          label: "value",
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
      const seen = extent(view, [series], lowerBound(view.x, min), 0);
      top = slowBound(top, niceAbove(Math.max(words.least, (seen?.most ?? 0) * 1.04)), max);
      return { data: toColumns(view, [series]), ranges: { x: [min, max], y: [0, top.at] } };
    },
    readout: (index) => {
      const at = index ?? view.x.length - 1;
      const [x, value, end] = [view.x[at], view.ys[series]?.[at], view.x[view.x.length - 1]];
      if (x === undefined || value === undefined || end === undefined) return "";
      const shown = words.exact(value);
      return index === null ? shown : `${(end - x).toFixed(1)} s ago   ${shown}`;
    },
  };
}
