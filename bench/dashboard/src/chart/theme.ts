// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Colours of the charts, taken from the style sheet so that there is one place for them. */

export interface ChartTheme {
  readonly ops: string;
  readonly p50: string;
  readonly p95: string;
  readonly p99: string;
  readonly grid: string;
  readonly text: string;
  readonly mark: string;
  readonly warmup: string;
  readonly fill: string;
}

export function readTheme(element: Element): ChartTheme {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim() || "currentColor";
  return {
    ops: colour("--ops"),
    p50: colour("--p50"),
    p95: colour("--p95"),
    p99: colour("--p99"),
    grid: colour("--grid"),
    text: colour("--ink-2"),
    mark: colour("--ink-3"),
    warmup: colour("--warmup"),
    fill: colour("--ops-fill"),
  };
}
