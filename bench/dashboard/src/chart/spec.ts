// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** A chart of ours: options for uPlot, and how to get from a source to its columns and ranges. */

import type uPlot from "uplot";
import type { View } from "../state/columns.ts";
import type { ChartTheme } from "./theme.ts";

export interface Drawing {
  readonly data: uPlot.AlignedData;
  readonly ranges: Readonly<Record<string, readonly [min: number, max: number]>>;
}

export interface ChartSpec {
  version(): number;
  epoch(): string;
  options(theme: ChartTheme): Omit<uPlot.Options, "width" | "height">;
  draw(): Drawing;
  /** Exact values of all series at a point; null is "no point under the cursor". */
  readout(index: number | null): string;
}

/**
 * uPlot wants x ascending and columns of equal length. `Columns` promises both; this is the border,
 * so it is checked here, in O(columns).
 */
export function toColumns(view: View, series: readonly number[]): uPlot.AlignedData {
  const columns = series.map((index) => view.ys[index] ?? new Float64Array(view.x.length));
  if (columns.some((column) => column.length !== view.x.length)) {
    throw new Error("columns of a chart must have one length");
  }
  return [view.x, ...columns];
}

/** All our scales are set by hand at each draw; this only keeps uPlot from choosing its own. */
export const asGiven: uPlot.Range.Function = (_plot, min, max) => [min ?? 0, max ?? 1];

export const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
/** One width for all y axes and right margins: charts above each other share their x positions. */
export const Y_AXIS_WIDTH = 66;
export const RIGHT_MARGIN = 40;
export const SYNC_KEY = "run";
