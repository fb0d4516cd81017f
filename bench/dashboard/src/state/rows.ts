// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * The rows of the process table. Values change with each frame, places do not: the order is taken
 * anew at most once a second, and not at all while someone points at the table. A process that went
 * away meanwhile keeps its row, marked as gone, until the next ordering.
 */

import type { Process, ProcessKind, ProcessStatus } from "../wire/types.ts";

/** Any column of the process table. */
export type ProcessKey = keyof Process;

export interface Row {
  readonly process: Process;
  readonly gone: boolean;
}

export interface Rows {
  readonly list: readonly Row[];
  /** Node time of the last ordering. */
  readonly orderedAtMs: number;
}

export interface Sort {
  readonly key: ProcessKey;
  readonly descending: boolean;
}

export interface RowFilter {
  readonly text: string;
  readonly kind: ProcessKind | "all";
  readonly status: ProcessStatus | "all";
}

export const REORDER_MS = 1000;
export const NO_ROWS: Rows = { list: [], orderedAtMs: Number.NEGATIVE_INFINITY };
export const NO_FILTER: RowFilter = { text: "", kind: "all", status: "all" };

const TEXT_KEYS: ReadonlySet<ProcessKey> = new Set([
  "name",
  "label",
  "kind",
  "status",
  "current",
] as const);

/** Figures are of interest from the top, names from the start of the alphabet. */
export function firstDirection(key: ProcessKey): boolean {
  return !TEXT_KEYS.has(key) && key !== "id";
}

export function updateRows(
  rows: Rows,
  processes: readonly Process[],
  sort: Sort,
  nowMs: number,
  held: boolean,
): Rows {
  const due = nowMs - rows.orderedAtMs >= REORDER_MS || nowMs < rows.orderedAtMs;
  if (rows.list.length === 0 || (due && !held)) return order(processes, sort, nowMs);
  const byId = new Map(processes.map((process) => [process.id, process]));
  const list = rows.list.map((row): Row => {
    const process = byId.get(row.process.id);
    return process === undefined ? { ...row, gone: true } : { process, gone: false };
  });
  return { list, orderedAtMs: rows.orderedAtMs };
}

/** The rows there are, in a new order at once: someone chose another column. */
export function reorder(rows: Rows, sort: Sort): Rows {
  const list = [...rows.list].sort((a, b) => compare(a.process, b.process, sort));
  return { list, orderedAtMs: rows.orderedAtMs };
}

function order(processes: readonly Process[], sort: Sort, nowMs: number): Rows {
  const list = [...processes]
    .sort((a, b) => compare(a, b, sort))
    .map((process): Row => ({ process, gone: false }));
  return { list, orderedAtMs: nowMs };
}

function compare(a: Process, b: Process, sort: Sort): number {
  const direction = sort.descending ? -1 : 1;
  const first = direction * compareField(a, b, sort.key);
  return first !== 0 ? first : compareIds(a.id, b.id);
}

function compareField(a: Process, b: Process, key: ProcessKey): number {
  if (key === "id") return compareIds(a.id, b.id);
  const [left, right] = [a[key], b[key]];
  if (typeof left === "number" && typeof right === "number") return left - right;
  // Those without a name come after all names.
  return String(left ?? "\uffff").localeCompare(String(right ?? "\uffff"));
}

/** Decimal texts of any length: the longer is the greater. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function filterRows(rows: readonly Row[], filter: RowFilter): readonly Row[] {
  const wanted = filter.text.trim().toLowerCase();
  if (wanted === "" && filter.kind === "all" && filter.status === "all") return rows;
  return rows.filter(({ process }) => {
    if (filter.kind !== "all" && process.kind !== filter.kind) return false;
    if (filter.status !== "all" && process.status !== filter.status) return false;
    const texts = [process.id, process.name ?? "", process.label ?? "", process.current];
    return texts.some((value) => value.toLowerCase().includes(wanted));
  });
}
