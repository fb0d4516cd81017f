// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Questions about the state, answered in one place so that all views agree. */

import type {
  ClientMessage,
  Machine,
  PeerResult,
  ProfileId,
  ScenarioMeta,
  SortKey,
} from "../wire/types.ts";
import type { State } from "./model.ts";
import type { ProcessKey } from "./rows.ts";
import type { LiveRun, RunRecord } from "./run.ts";

/** Without a frame for longer than this the page is behind, and says by how much. */
export const BEHIND_MS = 1000;

// --- the connection -------------------------------------------------------------------------

export type LinkStatus =
  | { readonly kind: "live" }
  | { readonly kind: "behind"; readonly byMs: number }
  | { readonly kind: "connecting" }
  | { readonly kind: "waiting"; readonly inMs: number };

export function linkStatus(state: State): LinkStatus {
  const { link, nowMs, frameAtMs } = state;
  if (link.phase === "closed") {
    return { kind: "waiting", inMs: Math.max(0, (link.retryAtMs ?? nowMs) - nowMs) };
  }
  if (link.phase === "connecting" || state.hello === null) return { kind: "connecting" };
  const byMs = nowMs - Math.max(frameAtMs ?? 0, link.sinceMs);
  return byMs > BEHIND_MS ? { kind: "behind", byMs } : { kind: "live" };
}

// --- the benchmark view ---------------------------------------------------------------------

/** What the benchmark view is in; each has its own words and looks. */
export type Condition =
  | "never-connected"
  | "connecting"
  | "node-gone"
  | "not-real"
  | "starting"
  | "warming-up"
  | "running"
  | "stalled"
  | "stopped"
  | "recorded"
  | "idle";

export function condition(state: State): Condition {
  if (state.hello === null) {
    return state.link.phase === "closed" || state.link.attempts > 0
      ? "never-connected"
      : "connecting";
  }
  if (state.link.phase !== "open") return "node-gone";
  const meta = selectedScenario(state);
  if (meta !== null && !meta.real) return "not-real";
  if (state.pending !== null && state.pending.scenario === meta?.id) return "starting";
  const run = selectedRun(state);
  if (run === null) return selectedRecord(state) === null ? "idle" : "recorded";
  if (run.end !== null) return "stopped";
  if (run.stalled) return "stalled";
  return run.warmingUp ? "warming-up" : "running";
}

/** The scenario that runs now, whichever is shown. */
export function runningScenario(state: State): ScenarioMeta | null {
  const { run } = state;
  return run === null || run.end !== null ? null : scenarioById(state, run.scenario);
}

export function scenarioById(state: State, id: string): ScenarioMeta | null {
  return state.hello?.scenarios.find((scenario) => scenario.id === id) ?? null;
}

/** The link's, else the last one chosen, else what runs or ran, else the first that is real. */
export function selectedScenario(state: State): ScenarioMeta | null {
  const { route, scenario } = state.choices;
  const wanted = route.view === "bench" ? route.scenario : null;
  const id = wanted ?? scenario ?? state.run?.scenario ?? null;
  const found = id === null ? null : scenarioById(state, id);
  const all = state.hello?.scenarios ?? [];
  return found ?? all.find(({ real }) => real) ?? all[0] ?? null;
}

/** The run of this page, if it is one of the selected scenario. */
export function selectedRun(state: State): LiveRun | null {
  const meta = selectedScenario(state);
  return meta !== null && state.run?.scenario === meta.id ? state.run : null;
}

/** The newest stored run of the selected scenario on this machine. */
export function selectedRecord(state: State): RunRecord | null {
  const meta = selectedScenario(state);
  return meta === null ? null : lastRecord(state, meta.id);
}

export function lastRecord(state: State, scenario: string): RunRecord | null {
  return state.runs.find((run) => run.scenario === scenario && isHere(state, run)) ?? null;
}

/** The best stored run of a scenario, the newest run left out. */
export function bestEarlier(state: State, scenario: string, except: string | null) {
  let best: RunRecord | null = null;
  for (const run of state.runs) {
    if (run.scenario !== scenario || run.id === except || !isHere(state, run)) continue;
    if (best === null || run.ops.mean > best.ops.mean) best = run;
  }
  return best;
}

/** Figures of another machine are not this machine's results. */
export function isHere(state: State, run: RunRecord): boolean {
  const machine = state.hello?.node.machine;
  return machine !== undefined && sameMachine(machine, run.machine);
}

export function sameMachine(a: Machine, b: Machine): boolean {
  return a.cpu === b.cpu && a.cores === b.cores && a.memory_bytes === b.memory_bytes;
}

export function profileNow(state: State): ProfileId {
  return state.choices.profile ?? state.frame?.profile ?? "balanced";
}

/** Newest result of each peer for a scenario. */
export function peersOf(state: State, scenario: string): readonly PeerResult[] {
  const newest = new Map<string, PeerResult>();
  for (const result of state.hello?.peers ?? []) {
    if (result.scenario !== scenario) continue;
    const known = newest.get(result.peer);
    if (known === undefined || known.date < result.date) newest.set(result.peer, result);
  }
  return [...newest.values()];
}

// --- what the node must be told -------------------------------------------------------------

const SORT_KEYS: Readonly<Partial<Record<ProcessKey, SortKey>>> = {
  id: "id",
  name: "name",
  mailbox_depth: "mailbox",
  memory_bytes: "memory",
  cpu_ns: "cpu",
  reductions: "reductions",
};

/** Columns the node cannot order by are ordered here, among the rows it sends by its own choice. */
export function detailRequest(state: State): ClientMessage {
  const { detail, sort } = state.choices;
  const key = SORT_KEYS[sort.key];
  const request = { type: "set_observer_detail", enabled: detail } as const;
  return key === undefined ? request : { ...request, sort: key, descending: sort.descending };
}

/** Sent after each hello: the node that greets may not be the one that knew our choices. */
export function resync(state: State): readonly ClientMessage[] {
  const messages: ClientMessage[] = [];
  const { profile, detail } = state.choices;
  if (profile !== null) messages.push({ type: "set_resource_profile", profile });
  if (detail) messages.push(detailRequest(state));
  return messages;
}
