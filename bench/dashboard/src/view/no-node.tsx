// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { timeOfDay } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { linkStatus } from "../state/select.ts";
import type { Actions } from "./actions.ts";
import { Shape } from "./shapes.tsx";
import { linkText } from "./top-bar.tsx";

/** Before the first hello there is nothing to show but why. */
export function NoNode({ state, actions }: { readonly state: State; readonly actions: Actions }) {
  const failed = state.link.phase === "closed" || state.link.attempts > 0;
  if (!failed) {
    return (
      <main className="empty-page" data-condition="connecting">
        <Shape name="ring" />
        <h1>Connecting to the node</h1>
        <p className="dim">The page is here; the stream of figures is not open yet.</p>
      </main>
    );
  }
  return (
    <main className="empty-page" data-condition="never-connected">
      <Shape name="cross" />
      <h1>No node answers</h1>
      <p>
        Start one with <code>rusm-bench start</code>, or check that this page has the address of the
        one that runs.
      </p>
      <p className="dim">
        Tried {state.link.attempts === 1 ? "once" : `${state.link.attempts} times`}, last at{" "}
        {timeOfDay(state.link.sinceMs)}; {linkText(linkStatus(state))}.
      </p>
      <button type="button" className="primary" onClick={actions.reconnect}>
        Try now
      </button>
    </main>
  );
}
