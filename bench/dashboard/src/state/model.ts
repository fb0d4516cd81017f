// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** All that the page knows, except for the points of its charts (history.ts). Immutable. */

import type { Frame, Hello, Process, ProfileId } from "../wire/types.ts";
import { NO_RATES, type Rates } from "./rates.ts";
import { HOME, type Route } from "./route.ts";
import { NO_FILTER, NO_ROWS, type RowFilter, type Rows, type Sort } from "./rows.ts";
import type { LiveRun, RunRecord } from "./run.ts";

export interface Link {
  readonly phase: "connecting" | "open" | "closed";
  readonly sinceMs: number;
  /** When the next attempt is due, while closed. */
  readonly retryAtMs: number | null;
  /** Attempts since the last connection. */
  readonly attempts: number;
}

export interface Problem {
  readonly kind: "node" | "protocol";
  readonly message: string;
  readonly atMs: number;
}

/** A run asked for that no frame has shown yet. */
export interface Pending {
  readonly scenario: string;
  readonly atMs: number;
}

/** The process whose page is open, as last seen. */
export interface Opened {
  readonly process: Process;
  readonly seenUptimeMs: number;
}

export type Theme = "auto" | "light" | "dark";

export interface Choices {
  readonly route: Route;
  /** Last scenario chosen: what the benchmark view goes back to. */
  readonly scenario: string | null;
  readonly theme: Theme;
  /** Asked for by this page's user; sent again after a reconnect. Null: the node's own. */
  readonly profile: ProfileId | null;
  readonly detail: boolean;
  readonly sort: Sort;
  readonly filter: RowFilter;
  /** Someone points at the rows: they stay where they are. */
  readonly held: boolean;
  /** Ids of processes whose children the tree does not show; at most CLOSED_MAX. */
  readonly closed: readonly string[];
  /** Ids of at most two runs. */
  readonly compared: readonly string[];
  readonly help: boolean;
  readonly menu: boolean;
}

export interface State {
  /** Wall clock of the newest event. */
  readonly nowMs: number;
  readonly link: Link;
  readonly hello: Hello | null;
  readonly frame: Frame | null;
  readonly frameAtMs: number | null;
  readonly pending: Pending | null;
  readonly run: LiveRun | null;
  /** Newest first, at most RUNS_MAX. */
  readonly runs: readonly RunRecord[];
  readonly rates: Rates;
  readonly rows: Rows;
  readonly opened: Opened | null;
  readonly problem: Problem | null;
  readonly choices: Choices;
}

export const RUNS_MAX = 60;
export const CLOSED_MAX = 256;

export const INITIAL: State = {
  nowMs: 0,
  link: { phase: "connecting", sinceMs: 0, retryAtMs: null, attempts: 0 },
  hello: null,
  frame: null,
  frameAtMs: null,
  pending: null,
  run: null,
  runs: [],
  rates: NO_RATES,
  rows: NO_ROWS,
  opened: null,
  problem: null,
  choices: {
    route: HOME,
    scenario: null,
    theme: "auto",
    profile: null,
    detail: false,
    sort: { key: "reductions", descending: true },
    filter: NO_FILTER,
    held: false,
    closed: [],
    compared: [],
    help: false,
    menu: false,
  },
};
