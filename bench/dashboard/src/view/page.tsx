// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import type { State } from "../state/model.ts";
import type { Actions } from "./actions.ts";
import { Bench } from "./bench.tsx";
import type { ChartKit } from "./chart-kit.ts";
import { Observer } from "./observer.tsx";
import { Help, ProblemBanner } from "./overlays.tsx";
import { TopBar } from "./top-bar.tsx";

export interface PageProps {
  readonly state: State;
  readonly actions: Actions;
  readonly charts: ChartKit;
  /** What screen readers hear; changes once a second at most. */
  readonly announced: string;
}

/** The whole page from its state; no component below knows where that comes from. */
export function Page({ state, actions, charts, announced }: PageProps) {
  const { route, help } = state.choices;
  return (
    <>
      <TopBar state={state} actions={actions} />
      {route.view === "bench" ? (
        <Bench state={state} actions={actions} charts={charts} />
      ) : (
        <Observer state={state} actions={actions} charts={charts} />
      )}
      {state.problem !== null && (
        <ProblemBanner problem={state.problem} onDismiss={actions.dismiss} />
      )}
      {help && <Help onClose={() => actions.help(false)} />}
      <div className="hidden" role="status" aria-live="polite">
        {announced}
      </div>
    </>
  );
}
