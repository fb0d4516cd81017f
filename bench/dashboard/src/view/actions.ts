// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What a user can ask for. Views call these and know nothing of sockets, storage or history. */

import type { Theme } from "../state/model.ts";
import type { Route } from "../state/route.ts";
import type { ProcessKey, RowFilter } from "../state/rows.ts";
import type { RunRecord } from "../state/run.ts";
import type { ProfileId } from "../wire/types.ts";

export interface Actions {
  readonly run: (scenario: string) => void;
  readonly stop: () => void;
  readonly profile: (profile: ProfileId) => void;
  readonly detail: (enabled: boolean) => void;
  readonly sort: (key: ProcessKey) => void;
  readonly filter: (filter: RowFilter) => void;
  readonly hold: (held: boolean) => void;
  /** Open or close a branch of the supervision tree. */
  readonly branch: (id: string) => void;
  readonly go: (route: Route) => void;
  readonly theme: (theme: Theme) => void;
  readonly help: (open: boolean) => void;
  readonly menu: (open: boolean) => void;
  readonly compare: (id: string) => void;
  readonly deleteRun: (id: string) => void;
  readonly exportRun: (run: RunRecord) => void;
  readonly dismiss: () => void;
  readonly reconnect: () => void;
}
