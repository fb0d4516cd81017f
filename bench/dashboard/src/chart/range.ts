// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Ends of axes. An axis grows at once, since a clipped line would be a lie, and shrinks only after
 * it has been too large for a while, since a jumping axis cannot be read. Pure: the caller keeps
 * the `Bound` between draws.
 */

import type { View } from "../state/columns.ts";

/** Seconds of data for which an axis stays larger than needed. */
const SHRINK_AFTER_S = 5;

export interface Bound {
  readonly at: number;
  /** Since when (x of the chart) a smaller bound would do, and the largest wanted since then. */
  readonly calmSince: number | null;
  readonly calmMost: number;
}

export function slowBound(previous: Bound | null, wanted: number, x: number): Bound {
  const fresh = { at: wanted, calmSince: null, calmMost: wanted };
  if (previous === null || wanted >= previous.at) return fresh;
  const { at, calmSince } = previous;
  // x goes back when another run begins: its first points decide anew.
  if (calmSince === null || x < calmSince) return { at, calmSince: x, calmMost: wanted };
  const calmMost = Math.max(previous.calmMost, wanted);
  if (x - calmSince < SHRINK_AFTER_S) return { at, calmSince, calmMost };
  return { at: calmMost, calmSince: null, calmMost };
}

const NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10] as const;

/** The next round number above: an axis ends on something a person can name. */
export function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = NICE.find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}

/** First index whose x is at least `from`. */
export function lowerBound(x: Float64Array, from: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((x[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Least and greatest positive value of some series from an index on; null if there is none. */
export function extent(
  view: View,
  series: readonly number[],
  from: number,
  skipFlag: number,
): { readonly least: number; readonly most: number } | null {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const index of series) {
    const column = view.ys[index];
    if (column === undefined) continue;
    for (let i = from; i < column.length; i += 1) {
      const value = column[i] ?? 0;
      if (value <= 0 || ((view.flags[i] ?? 0) & skipFlag) !== 0) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return most > 0 ? { least, most } : null;
}
