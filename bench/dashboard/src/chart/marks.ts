// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What is drawn on the canvas besides the lines: warm-up, start and stop, names of the lines. */

import type uPlot from "uplot";
import { FONT } from "./spec.ts";
import type { Source } from "./source.ts";
import type { ChartTheme } from "./theme.ts";

const LABEL_HEIGHT = 13;
/** A name stands to the right of its line if there is this much room. */
const NAME_WIDTH = 50;

function canvasFont(): string {
  return FONT.replace("11px", `${11 * devicePixelRatio}px`);
}

/** Behind the lines: the warm-up as a shaded strip. */
export function drawWarmup(plot: uPlot, source: Source, theme: ChartTheme): void {
  const end = source.warmupS();
  const { left, top, width, height } = plot.bbox;
  const from = Math.max(left, plot.valToPos(0, "x", true));
  const to = Math.min(left + width, plot.valToPos(end, "x", true));
  if (end <= 0 || to <= from) return;
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = theme.warmup;
  ctx.fillRect(from, top, to - from, height);
  ctx.restore();
}

/** Start, end of warm-up and stop, each a thin line with its name. */
export function drawMarks(plot: uPlot, source: Source, theme: ChartTheme): void {
  if (source.view().x.length === 0) return;
  const warmup = source.warmupS();
  const stop = source.stopS();
  mark(plot, theme, 0, warmup > 0 ? "warm-up" : "start");
  if (stop !== null) mark(plot, theme, stop, "stop");
}

function mark(plot: uPlot, theme: ChartTheme, x: number, name: string): void {
  const { left, top, width, height } = plot.bbox;
  const at = Math.round(plot.valToPos(x, "x", true));
  if (at < left || at > left + width + 1) return;
  const { ctx } = plot;
  const unit = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = theme.mark;
  ctx.lineWidth = unit;
  ctx.setLineDash([2 * unit, 3 * unit]);
  ctx.beginPath();
  ctx.moveTo(at, top);
  ctx.lineTo(at, top + height);
  ctx.stroke();
  ctx.font = canvasFont();
  ctx.fillStyle = theme.text;
  ctx.textBaseline = "top";
  const room = at + NAME_WIDTH * unit < left + width;
  ctx.textAlign = room ? "left" : "right";
  ctx.fillText(name, at + (room ? 5 : -5) * unit, top + 2 * unit);
  ctx.restore();
}

export interface LineLabel {
  readonly name: string;
  readonly colour: string;
  /** Where the line ends, in canvas pixels. */
  readonly x: number;
  readonly y: number;
}

/** Moves labels apart just enough not to overlap, keeping their order. Pure. */
export function spreadLabels(ys: readonly number[], gap: number, top: number, bottom: number) {
  const order = ys.map((_, index) => index).sort((a, b) => (ys[a] ?? 0) - (ys[b] ?? 0));
  const placed = [...ys];
  let free = top;
  for (const index of order) {
    placed[index] = Math.max(free, ys[index] ?? 0);
    free = (placed[index] ?? 0) + gap;
  }
  let limit = bottom;
  for (const index of order.reverse()) {
    placed[index] = Math.min(limit, placed[index] ?? 0);
    limit = (placed[index] ?? 0) - gap;
  }
  return placed;
}

/** Names where the lines end, instead of a legend. */
export function drawLineLabels(plot: uPlot, labels: readonly LineLabel[]): void {
  const { left, top, width, height } = plot.bbox;
  const { ctx } = plot;
  const unit = devicePixelRatio;
  const half = (LABEL_HEIGHT / 2) * unit;
  const ys = spreadLabels(
    labels.map(({ y }) => y),
    LABEL_HEIGHT * unit,
    top + half,
    top + height - half,
  );
  ctx.save();
  ctx.font = canvasFont();
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  labels.forEach((label, index) => {
    ctx.fillStyle = label.colour;
    ctx.fillText(label.name, Math.min(label.x, left + width) + 7 * unit, ys[index] ?? label.y);
  });
  ctx.restore();
}
