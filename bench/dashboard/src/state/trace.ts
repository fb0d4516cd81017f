// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * A whole run in at most `TRACE_POINTS` points, whatever its length: when the points are full, each
 * two neighbours become their mean and every later point stands for twice as many samples. This is
 * what is stored with a run; the live chart has its own, finer history.
 */

export const TRACE_POINTS = 240;

/** Column by column, equal lengths; seconds, operations a second, nanoseconds (0: not measured). */
export interface TraceData {
  readonly x: readonly number[];
  readonly ops: readonly number[];
  readonly p50: readonly number[];
  readonly p95: readonly number[];
  readonly p99: readonly number[];
  /** End of the warm-up in seconds, 0 if there was none. */
  readonly warmup_s: number;
}

type Point = readonly [x: number, ops: number, p50: number, p95: number, p99: number];

export class Trace {
  #points: Point[] = [];
  #pending: Point[] = [];
  #stride = 1;

  push(x: number, ops: number, p50: number, p95: number, p99: number): void {
    this.#pending.push([x, ops, p50, p95, p99]);
    if (this.#pending.length < this.#stride) return;
    this.#points.push(mean(this.#pending));
    this.#pending = [];
    if (this.#points.length >= TRACE_POINTS) this.#halve();
  }

  clear(): void {
    this.#points = [];
    this.#pending = [];
    this.#stride = 1;
  }

  data(warmupS: number): TraceData {
    const points =
      this.#pending.length === 0 ? this.#points : [...this.#points, mean(this.#pending)];
    const column = (index: 0 | 1 | 2 | 3 | 4) => points.map((point) => rounded(point[index]));
    return {
      x: column(0),
      ops: column(1),
      p50: column(2),
      p95: column(3),
      p99: column(4),
      warmup_s: rounded(warmupS),
    };
  }

  #halve(): void {
    const halved: Point[] = [];
    for (let index = 0; index + 1 < this.#points.length; index += 2) {
      halved.push(mean(this.#points.slice(index, index + 2)));
    }
    this.#points = halved;
    this.#stride *= 2;
  }
}

/** Latencies of 0 mean "none" and do not count; x is where the last of the points stood. */
function mean(points: readonly Point[]): Point {
  const of = (index: 1 | 2 | 3 | 4, skipZero: boolean) => {
    const values = points.map((point) => point[index]).filter((v) => !skipZero || v > 0);
    return values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length;
  };
  const x = points[points.length - 1]?.[0] ?? 0;
  return [x, of(1, false), of(2, true), of(3, true), of(4, true)];
}

/** Five digits are more than a chart can show, and keep the stored runs small. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
