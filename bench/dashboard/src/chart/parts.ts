// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Parts that the options of several charts share. */

import type uPlot from "uplot";
import type { View } from "../state/columns.ts";
import { gapsOf } from "./gaps.ts";
import { asGiven, FONT, RIGHT_MARGIN, SYNC_KEY, Y_AXIS_WIDTH } from "./spec.ts";
import type { ChartTheme } from "./theme.ts";

type Bare = Omit<uPlot.Options, "width" | "height" | "series">;

export interface BaseParts {
  readonly theme: ChartTheme;
  /** "elapsed" counts from the start of a run, "ago" back from now. */
  readonly time: "elapsed" | "ago";
  readonly y: uPlot.Scale;
  readonly yValues: (value: number) => string;
  readonly ySplits?: uPlot.Axis["splits"];
  readonly sync: boolean;
  /** While there is nothing to draw, an axis of figures would mean nothing. */
  readonly empty: () => boolean;
  readonly hooks?: uPlot.Hooks.Arrays;
}

export function base(parts: BaseParts): Bare {
  const { theme } = parts;
  return {
    legend: { show: false },
    padding: [8, RIGHT_MARGIN, 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { size: 6, width: 1.5 },
      ...(parts.sync ? { sync: { key: SYNC_KEY } } : {}),
    },
    scales: {
      x: { time: false, auto: false, range: asGiven },
      y: { auto: false, range: asGiven, ...parts.y },
    },
    axes: [xAxis(theme, parts.time), yAxis(theme, parts)],
    ...(parts.hooks === undefined ? {} : { hooks: parts.hooks }),
  };
}

function xAxis(theme: ChartTheme, time: "elapsed" | "ago"): uPlot.Axis {
  return {
    ...axisLook(theme),
    size: 26,
    gap: 6,
    grid: { show: false },
    ...(time === "ago"
      ? { splits: splitsAgo }
      : { incrs: [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300] }),
    values: (plot, splits) => {
      const end = plot.scales["x"]?.max ?? 0;
      return splits.map((split) =>
        time === "elapsed" ? `${Number(split.toFixed(1))} s` : agoLabel(end - split),
      );
    },
  };
}

function yAxis(theme: ChartTheme, parts: BaseParts): uPlot.Axis {
  return {
    ...axisLook(theme),
    size: Y_AXIS_WIDTH,
    gap: 8,
    grid: { stroke: theme.grid, width: 1 },
    values: (_plot, splits) => splits.map((split) => (parts.empty() ? "" : parts.yValues(split))),
    ...(parts.ySplits === undefined ? { space: 38 } : { splits: parts.ySplits, filter: keepAll }),
  };
}

/** Divides an axis from zero to one of the round ends of `niceAbove` into round parts. */
export const roundSplits: uPlot.Axis.Splits = (_plot, _axis, _min, max) => {
  const lead = max / 10 ** Math.floor(Math.log10(max));
  const parts = PARTS.find(([end]) => Math.abs(lead - end) < 0.01)?.[1] ?? 4;
  return Array.from({ length: parts + 1 }, (_, index) => (max * index) / parts);
};

const PARTS = [
  [1, 5],
  [1.5, 3],
  [2, 4],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 3],
  [8, 4],
] as const;

const keepAll: uPlot.Axis.Filter = (_plot, splits) => splits;

function axisLook(theme: ChartTheme): uPlot.Axis {
  return { stroke: theme.text, font: FONT, ticks: { show: false }, border: { show: false } };
}

/** Fixed places on the axis, so that nothing moves but the line. */
const splitsAgo: uPlot.Axis.Splits = (_plot, _axis, min, max) => {
  const step = (max - min) / 4;
  return [0, 1, 2, 3, 4].map((index) => min + index * step);
};

function agoLabel(seconds: number): string {
  const whole = Math.round(seconds);
  return whole === 0 ? "now" : `−${whole} s`;
}

export interface LineParts {
  readonly label: string;
  readonly stroke: string;
  readonly width: number;
  readonly scale?: string;
  readonly fill?: string;
  readonly fillTo?: number;
  readonly dash?: number[];
  readonly absentMatters: boolean;
  /** The points drawn now. */
  readonly view: () => View;
}

export function line(parts: LineParts): uPlot.Series {
  return {
    label: parts.label,
    scale: parts.scale ?? "y",
    stroke: parts.stroke,
    width: parts.width,
    auto: false,
    points: { show: false },
    ...(parts.fill === undefined ? {} : { fill: parts.fill }),
    ...(parts.fillTo === undefined ? {} : { fillTo: parts.fillTo }),
    ...(parts.dash === undefined ? {} : { dash: parts.dash }),
    gaps: (plot, _series, from, to) => {
      const { x, flags } = parts.view();
      return gapsOf(flags, parts.absentMatters, from, to, (index) =>
        Math.round(plot.valToPos(x[index] ?? 0, "x", true)),
      );
    },
  };
}
