// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { clock, count, text, timeOfDay } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { linkStatus } from "../state/select.ts";
import { Shape } from "./shapes.tsx";

/** Says of when the observer's figures are, and what went wrong on the way. Always one line. */
export function StaleLine({ state }: { readonly state: State }) {
  const { frame, link, hello } = state;
  const warnings = link.phase === "open" ? (frame?.warnings ?? []) : [];
  const gone = link.phase !== "open";
  const behind = linkStatus(state).kind === "behind";
  return (
    <div className={`strip ${gone ? "strip-node-gone" : behind ? "strip-stalled" : ""}`}>
      <span className="strip-state">
        <Shape name={gone ? "cross" : behind ? "warn" : "dot"} />
        <span>
          {gone
            ? `Node gone since ${timeOfDay(state.frameAtMs ?? link.sinceMs)}; figures are of then`
            : `Up ${clock(frame?.uptime_ms ?? 0)}, ${hello?.node.ticks_per_second ?? 0} snapshots a second`}
        </span>
      </span>
      <span className={`strip-warnings ${warnings.length > 0 ? "some" : ""}`}>
        {warnings.length > 0 && <Shape name="warn" />}
        <span title={warnings.join("\n")}>{warnings[0] ?? "no warnings"}</span>
      </span>
      <span className="strip-dropped num">{text(count(frame?.dropped_ticks ?? 0))} dropped</span>
    </div>
  );
}
