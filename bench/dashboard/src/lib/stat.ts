// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Mean and spread of a stream of samples in constant space (Welford's method), immutable. */
export interface Stat {
  readonly n: number;
  readonly mean: number;
  /** Sum of squared distances from the mean. */
  readonly m2: number;
  readonly min: number;
  readonly max: number;
}

export const EMPTY: Stat = { n: 0, mean: 0, m2: 0, min: 0, max: 0 };

export function add(stat: Stat, value: number): Stat {
  const n = stat.n + 1;
  const delta = value - stat.mean;
  const mean = stat.mean + delta / n;
  return {
    n,
    mean,
    m2: stat.m2 + delta * (value - mean),
    min: stat.n === 0 ? value : Math.min(stat.min, value),
    max: stat.n === 0 ? value : Math.max(stat.max, value),
  };
}

export function deviation(stat: Stat): number {
  return stat.n < 2 ? 0 : Math.sqrt(stat.m2 / (stat.n - 1));
}

/** Standard deviation as a share of the mean; 0 when there is no mean. */
export function relativeSpread(mean: number, sd: number): number {
  return mean > 0 ? sd / mean : 0;
}
