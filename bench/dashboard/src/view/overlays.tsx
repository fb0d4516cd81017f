// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** What lies over the page and moves nothing in it: errors and the list of keys. */

import { timeOfDay } from "../lib/format.ts";
import { KEYS } from "../state/keys.ts";
import type { Problem } from "../state/model.ts";
import { Shape } from "./shapes.tsx";

const ADVICE: Readonly<Record<Problem["kind"], string>> = {
  node: "The node refused or failed; nothing else was changed. Its log may say more.",
  protocol:
    "Node and page do not speak the same protocol. Reload the page; if it stays, rebuild both.",
};

export function ProblemBanner({
  problem,
  onDismiss,
}: {
  readonly problem: Problem;
  readonly onDismiss: () => void;
}) {
  return (
    <div className="problem" role="alert">
      <Shape name="warn" />
      <div>
        <strong>{problem.kind === "node" ? problem.message : "A message made no sense"}</strong>
        <p>
          {problem.kind === "protocol" && <code>{problem.message}</code>} {ADVICE[problem.kind]}{" "}
          <span className="dim">{timeOfDay(problem.atMs)}</span>
        </p>
      </div>
      <button type="button" className="quiet" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <div className="help" role="dialog" aria-label="Keys">
      <div className="table-head">
        <h2>Keys</h2>
        <button type="button" className="quiet small" onClick={onClose}>
          Close
        </button>
      </div>
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
