// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The keyboard, as data: which key asks for what. Also what the help panel lists. */

import type { ProfileId } from "../wire/types.ts";
import type { State } from "./model.ts";
import { runningScenario, selectedScenario } from "./select.ts";

export type Command =
  | { readonly type: "select"; readonly scenario: string }
  | { readonly type: "run" }
  | { readonly type: "stop" }
  | { readonly type: "profile"; readonly profile: ProfileId }
  | { readonly type: "view"; readonly view: "bench" | "observer" }
  | { readonly type: "filter" }
  | { readonly type: "detail" }
  | { readonly type: "theme" }
  | { readonly type: "help"; readonly open: boolean }
  | { readonly type: "leave" };

export const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["↑ ↓", "choose a scenario"],
  ["Enter", "run it"],
  ["Esc", "close what is open, else stop the run"],
  ["1 2 3", "profile: light, balanced, max"],
  ["b", "benchmark"],
  ["o", "observer"],
  ["/", "filter the processes"],
  ["d", "process detail on or off"],
  ["t", "theme: system, light, dark"],
  ["?", "this list"],
];

const PROFILES: Readonly<Record<string, ProfileId>> = { "1": "light", "2": "balanced", "3": "max" };

export function commandFor(key: string, state: State): Command | null {
  const { route, help } = state.choices;
  const profile = PROFILES[key];
  if (profile !== undefined) return { type: "profile", profile };
  switch (key) {
    case "ArrowDown":
      return route.view === "bench" ? step(state, 1) : null;
    case "ArrowUp":
      return route.view === "bench" ? step(state, -1) : null;
    case "Enter":
      return route.view === "bench" && !help ? { type: "run" } : null;
    case "Escape":
      return escape(state);
    case "b":
      return { type: "view", view: "bench" };
    case "o":
      return { type: "view", view: "observer" };
    case "/":
      return { type: "filter" };
    case "d":
      return { type: "detail" };
    case "t":
      return { type: "theme" };
    case "?":
      return { type: "help", open: !help };
    default:
      return null;
  }
}

/** One step back at a time: help, then a process page, then the run. */
function escape(state: State): Command | null {
  const { route, help } = state.choices;
  if (help) return { type: "help", open: false };
  if (route.view === "observer" && route.pid !== null) return { type: "leave" };
  return runningScenario(state) === null ? null : { type: "stop" };
}

/** Scenarios in the order in which they are listed; the ends do not wrap. */
function step(state: State, by: 1 | -1): Command | null {
  const listed = byPhase(state).flatMap((group) => group.scenarios);
  const at = listed.findIndex(({ id }) => id === selectedScenario(state)?.id);
  const next = listed[at + by];
  return next === undefined ? null : { type: "select", scenario: next.id };
}

export interface PhaseGroup {
  readonly phase: number;
  readonly scenarios: NonNullable<State["hello"]>["scenarios"];
}

export function byPhase(state: State): readonly PhaseGroup[] {
  const scenarios = state.hello?.scenarios ?? [];
  const phases = [...new Set(scenarios.map((s) => s.real_after_phase))].sort((a, b) => a - b);
  return phases.map((phase) => ({
    phase,
    scenarios: scenarios.filter((scenario) => scenario.real_after_phase === phase),
  }));
}
