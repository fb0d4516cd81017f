// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { memo } from "react";
import { rate } from "../lib/format.ts";
import { byPhase } from "../state/keys.ts";
import type { State } from "../state/model.ts";
import { formatRoute } from "../state/route.ts";
import { lastRecord, runningScenario, selectedScenario } from "../state/select.ts";
import type { ScenarioMeta } from "../wire/types.ts";
import type { Actions } from "./actions.ts";
import { Inline } from "./figure.tsx";
import { Shape } from "./shapes.tsx";

interface Props {
  readonly state: State;
  readonly actions: Actions;
}

/** Scenarios by phase. On a narrow window it folds into one line. */
export function ScenarioMenu({ state, actions }: Props) {
  const selected = selectedScenario(state);
  const running = runningScenario(state);
  const { menu } = state.choices;
  return (
    <nav className={`menu ${menu ? "open" : ""}`} aria-label="Scenarios">
      <button
        type="button"
        className="menu-toggle"
        aria-expanded={menu}
        onClick={() => actions.menu(!menu)}
      >
        <span className="dim">Scenario</span> {selected?.label ?? "none"}
        <span className="chevron" aria-hidden="true" />
      </button>
      <div className="menu-body">
        {byPhase(state).map((group) => (
          <section key={group.phase}>
            <h2>Phase {group.phase}</h2>
            <ul>
              {group.scenarios.map((meta) => (
                <Entry
                  key={meta.id}
                  meta={meta}
                  selected={meta.id === selected?.id}
                  running={meta.id === running?.id}
                  last={lastRecord(state, meta.id)?.ops.mean ?? null}
                />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </nav>
  );
}

interface EntryProps {
  readonly meta: ScenarioMeta;
  readonly selected: boolean;
  readonly running: boolean;
  readonly last: number | null;
}

const Entry = memo(function Entry({ meta, selected, running, last }: EntryProps) {
  return (
    <li>
      <a
        href={formatRoute({ view: "bench", scenario: meta.id, profile: null })}
        data-scenario={meta.id}
        className={meta.real ? "" : "unreal"}
        aria-current={selected ? "true" : undefined}
        title={meta.description}
      >
        <span className="menu-name">{meta.label}</span>
        <span className="menu-last">{lastOf(meta, running, last)}</span>
      </a>
    </li>
  );
});

function lastOf(meta: ScenarioMeta, running: boolean, last: number | null) {
  if (running) {
    return (
      <span className="on">
        <Shape name="play" /> runs
      </span>
    );
  }
  if (!meta.real) return <span className="not-yet">not yet</span>;
  return last === null ? null : <Inline figure={rate(last, meta.unit)} />;
}
