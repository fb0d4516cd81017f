// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What a chart reads: points and what to mark on them. Live history and stored runs look alike. */

import { ABSENT, Columns, type View } from "../state/columns.ts";
import type { History } from "../state/history.ts";
import type { RunRecord } from "../state/run.ts";

export interface Source {
  /** Changes with each new point. */
  version(): number;
  /** Changes with anything else there is to draw: another run, a mark. */
  epoch(): string;
  view(): View;
  /** Seconds the x axis may span, in steps: it takes the first that fits. Null: all points. */
  readonly spansS: readonly number[] | null;
  /** Whether points start at the left and slide once they reach the end, or come in at the right. */
  readonly fills: "from start" | "from end";
  warmupS(): number;
  stopS(): number | null;
}

/** A short run need not be lost in a minute; a long one slides along in it. */
const RUN_SPANS_S = [15, 30, 60] as const;
const OBSERVER_SPANS_S = [60] as const;

export function liveRunSource(history: History): Source {
  return {
    version: () => history.run.version,
    epoch: () => `${history.runId}/${history.stopS}`,
    view: () => history.run.view(),
    spansS: RUN_SPANS_S,
    fills: "from start",
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
    version: () => columns.version,
    epoch: () => run?.id ?? "none",
    view: () => columns.view(),
    spansS: trace === null ? RUN_SPANS_S : null,
    fills: "from start",
    warmupS: () => trace?.warmup_s ?? 0,
    stopS: () => (trace === null ? null : columns.lastX),
  };
}

export function observerSource(columns: () => Columns): Source {
  return {
    version: () => columns().version,
    epoch: () => String(columns().series),
    view: () => columns().view(),
    spansS: OBSERVER_SPANS_S,
    fills: "from end",
    warmupS: () => 0,
    stopS: () => null,
  };
}

/** From where to where the x axis goes. */
export function xRange(view: View, source: Source): readonly [min: number, max: number] {
  const last = view.x[view.x.length - 1] ?? 0;
  const { spansS, fills } = source;
  if (spansS === null) return [0, Math.max(last, 1)];
  const span = spansS.find((candidate) => candidate >= last) ?? spansS[spansS.length - 1] ?? 60;
  const end = fills === "from start" ? Math.max(last, span) : last;
  return [end - span, end];
}
