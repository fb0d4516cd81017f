// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Where a line must not be drawn, as pixel intervals: nothing is interpolated over a loss. */

import { ABSENT, BREAK } from "../state/columns.ts";

/** Width of a line's end: without it, a lone point that is absent would leave a dot. */
const CAP = 8;

export type Gap = [from: number, to: number];

export function gapsOf(
  flags: Uint8Array,
  absentMatters: boolean,
  from: number,
  to: number,
  pixel: (index: number) => number,
): Gap[] {
  const gaps: Gap[] = [];
  const absent = (index: number) => absentMatters && ((flags[index] ?? 0) & ABSENT) !== 0;
  if (absent(from)) append(gaps, pixel(from) - CAP, pixel(from));
  for (let i = Math.max(1, from); i <= to; i += 1) {
    if (brokenBetween(flags, i, absentMatters)) append(gaps, pixel(i - 1), pixel(i));
  }
  if (absent(to)) append(gaps, pixel(to), pixel(to) + CAP);
  return gaps;
}

/** Whether the segment from point i-1 to point i stands for data. */
function brokenBetween(flags: Uint8Array, i: number, absentMatters: boolean): boolean {
  const here = flags[i] ?? 0;
  if ((here & BREAK) !== 0) return true;
  return absentMatters && ((here | (flags[i - 1] ?? 0)) & ABSENT) !== 0;
}

/** Neighbouring gaps join; each is at least a pixel wide, or a short loss could not be seen. */
function append(gaps: Gap[], from: number, to: number): void {
  const last = gaps[gaps.length - 1];
  const end = Math.max(to, from + 1);
  if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], end);
  else gaps.push([from, end]);
}
