// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What a chart reads: points and what to mark on them. Live history and stored runs look alike. */

import { ABSENT, Columns, type View } from "../state/columns.ts";
import type { History } from "../state/history.ts";
import type { RunRecord } from "../state/run.ts";

export interface Source {
  /** Changes whenever there is something new to draw. */
  version(): number | string;
  view(): View;
  /** Seconds the x axis spans; the end slides along with the newest point. Null: all points. */
  readonly spanS: number | null;
  warmupS(): number;
  stopS(): number | null;
}

export const SPAN_S = 60;

export function liveRunSource(history: History): Source {
  return {
    version: () => `${history.runId}/${history.run.version}/${history.stopS}`,
    view: () => history.run.view(),
    spanS: SPAN_S,
    warmupS: () => history.warmupS,
    stopS: () => history.stopS,
  };
}

export function recordSource(run: RunRecord | null): Source {
  const trace = run?.trace ?? null;
  const columns = new Columns(4, Math.max(1, trace?.x.length ?? 0));
  trace?.x.forEach((x, i) => {
    const [ops = 0, p50 = 0, p95 = 0, p99 = 0] = [
      trace.ops[i],
      trace.p50[i],
      trace.p95[i],
      trace.p99[i],
    ];
    columns.push(x, [ops, p50, p95, p99], p50 > 0 ? 0 : ABSENT);
  });
  return {
    version: () => run?.id ?? "none",
    view: () => columns.view(),
    spanS: trace === null ? SPAN_S : null,
    warmupS: () => trace?.warmup_s ?? 0,
    stopS: () => (trace === null ? null : columns.lastX),
  };
}

export function observerSource(columns: () => Columns): Source {
  return {
    version: () => columns().version,
    view: () => columns().view(),
    spanS: SPAN_S,
    warmupS: () => 0,
    stopS: () => null,
  };
}

/** From where to where the x axis goes. */
export function xRange(view: View, spanS: number | null): readonly [min: number, max: number] {
  const last = view.x[view.x.length - 1] ?? 0;
  if (spanS === null) return [0, Math.max(last, 1)];
  const end = Math.max(last, spanS);
  return [end - spanS, end];
}
