// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** All that can happen to the page. Times are wall clock in ms, given by whoever saw the event. */

import type { ProfileId, ServerMessage } from "../wire/types.ts";
import type { Theme } from "./model.ts";
import type { Route } from "./route.ts";
import type { ProcessKey, RowFilter } from "./rows.ts";
import type { RunRecord } from "./run.ts";
import type { TraceData } from "./trace.ts";

export type Event =
  // the connection
  | { readonly type: "connecting"; readonly at: number }
  | { readonly type: "connected"; readonly at: number }
  | { readonly type: "disconnected"; readonly at: number; readonly retryAt: number }
  | { readonly type: "received"; readonly at: number; readonly message: ServerMessage }
  | { readonly type: "garbled"; readonly at: number; readonly error: string }
  | { readonly type: "clock"; readonly at: number }
  // what the user asked the node for
  | { readonly type: "run_asked"; readonly at: number; readonly scenario: string }
  | { readonly type: "profile_chosen"; readonly profile: ProfileId }
  | { readonly type: "detail_switched"; readonly enabled: boolean }
  | { readonly type: "sorted"; readonly key: ProcessKey }
  // what stays in the page
  | { readonly type: "routed"; readonly route: Route }
  | { readonly type: "theme_chosen"; readonly theme: Theme }
  | { readonly type: "filtered"; readonly filter: RowFilter }
  | { readonly type: "rows_held"; readonly held: boolean }
  | { readonly type: "branch_toggled"; readonly id: string }
  | { readonly type: "problem_dismissed" }
  | { readonly type: "help_toggled"; readonly open: boolean }
  | { readonly type: "menu_toggled"; readonly open: boolean }
  | { readonly type: "run_compared"; readonly id: string }
  | { readonly type: "run_deleted"; readonly id: string }
  | { readonly type: "runs_loaded"; readonly runs: readonly RunRecord[] }
  | { readonly type: "run_traced"; readonly id: string; readonly trace: TraceData };
