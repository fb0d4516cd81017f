// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * History of a chart as typed-array columns, updated in place: one x and any number of y, all of
 * the same length. The newest `capacity` points are kept in arrays of twice that size; when they
 * are full the newer half moves to the front. So a view of the points is always one contiguous
 * slice, appending costs O(1) amortized, and memory never grows.
 *
 * Values are always finite. What was lost is not a value but a flag, since a chart must break its
 * line there and a NaN would poison ranges.
 */

/** The line breaks before this point: frames were lost in between. */
export const BREAK = 1;
/** This point has no latency: nothing was measured in that tick. */
export const ABSENT = 2;

export interface View {
  readonly x: Float64Array;
  readonly ys: readonly Float64Array[];
  readonly flags: Uint8Array;
}

export class Columns {
  readonly capacity: number;
  /** Rises with each change, so that a chart can tell whether it must draw. */
  version = 0;
  #x: Float64Array;
  #ys: Float64Array[];
  #flags: Uint8Array;
  #start = 0;
  #end = 0;

  constructor(series: number, capacity: number) {
    this.capacity = capacity;
    this.#x = new Float64Array(capacity * 2);
    this.#ys = Array.from({ length: series }, () => new Float64Array(capacity * 2));
    this.#flags = new Uint8Array(capacity * 2);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  get series(): number {
    return this.#ys.length;
  }

  get lastX(): number | null {
    return this.length === 0 ? null : (this.#x[this.#end - 1] ?? null);
  }

  /** Refuses (returns false) what would not keep x ascending, and values that are not finite. */
  push(x: number, values: readonly number[], flags = 0): boolean {
    const last = this.lastX;
    if (!Number.isFinite(x) || (last !== null && x <= last)) return false;
    if (values.length !== this.#ys.length || !values.every(Number.isFinite)) return false;
    if (this.#end === this.#x.length) this.#moveToFront();
    this.#x[this.#end] = x;
    this.#ys.forEach((column, index) => {
      column[this.#end] = values[index] ?? 0;
    });
    this.#flags[this.#end] = flags;
    this.#end += 1;
    if (this.length > this.capacity) this.#start += 1;
    this.version += 1;
    return true;
  }

  /** Value of one series at the newest point; `otherwise` when there is none. */
  last(series: number, otherwise: number): number {
    if (this.length === 0) return otherwise;
    return this.#ys[series]?.[this.#end - 1] ?? otherwise;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
    this.version += 1;
  }

  /** Slices into the live arrays; valid until the next push. */
  view(): View {
    return {
      x: this.#x.subarray(this.#start, this.#end),
      ys: this.#ys.map((column) => column.subarray(this.#start, this.#end)),
      flags: this.#flags.subarray(this.#start, this.#end),
    };
  }

  #moveToFront(): void {
    for (const column of [this.#x, ...this.#ys, this.#flags]) {
      column.copyWithin(0, this.#start, this.#end);
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
