// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What views pass on to charts, so that they need not know where points come from. */

import type { Subscribe } from "../chart/chart.tsx";
import type { History } from "../state/history.ts";

export interface ChartKit {
  readonly history: History;
  readonly subscribe: Subscribe;
  /** The theme in effect, light or dark. */
  readonly theme: string;
}
