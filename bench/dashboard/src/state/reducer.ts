// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The one place where state changes: (state, event) → state, no clock, no I/O, no mutation. */

import type { Frame, Hello, ServerMessage } from "../wire/types.ts";
import type { Event } from "./events.ts";
import { CLOSED_MAX, RUNS_MAX, type Choices, type Opened, type State } from "./model.ts";
import { foldRates, NO_RATES } from "./rates.ts";
import type { Route } from "./route.ts";
import { firstDirection, NO_ROWS, reorder, updateRows, type Sort } from "./rows.ts";
import { advance, begin, continues, finish, toRecord, type RunEnd, type RunRecord } from "./run.ts";

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "connecting":
      return {
        ...state,
        nowMs: event.at,
        link: { ...state.link, phase: "connecting", sinceMs: event.at, retryAtMs: null },
      };
    case "connected":
      return {
        ...state,
        nowMs: event.at,
        link: { phase: "open", sinceMs: event.at, retryAtMs: null, attempts: 0 },
      };
    case "disconnected":
      return disconnected(state, event.at, event.retryAt);
    case "received":
      return received({ ...state, nowMs: event.at }, event.message, event.at);
    case "garbled":
      return {
        ...state,
        nowMs: event.at,
        problem: { kind: "protocol", message: event.error, atMs: event.at },
      };
    case "clock":
      return { ...state, nowMs: event.at };
    case "run_asked":
      return {
        ...state,
        nowMs: event.at,
        problem: null,
        pending: { scenario: event.scenario, atMs: event.at },
      };
    case "profile_chosen":
      return choose(state, { profile: event.profile });
    case "detail_switched":
      return switchDetail(state, event.enabled);
    case "sorted":
      return sorted(state, nextSort(state.choices.sort, event.key));
    case "routed":
      return routed(state, event.route);
    case "theme_chosen":
      return choose(state, { theme: event.theme });
    case "filtered":
      return choose(state, { filter: event.filter });
    case "rows_held":
      return choose(state, { held: event.held });
    case "branch_toggled":
      return choose(state, { closed: toggled(state.choices.closed, event.id) });
    case "problem_dismissed":
      return { ...state, problem: null };
    case "help_toggled":
      return choose(state, { help: event.open });
    case "menu_toggled":
      return choose(state, { menu: event.open });
    case "run_compared":
      return choose(state, { compared: compared(state.choices.compared, event.id) });
    case "run_deleted":
      return deleteRun(state, event.id);
    case "runs_loaded":
      return { ...state, runs: event.runs.slice(0, RUNS_MAX) };
    case "run_traced":
      return {
        ...state,
        runs: state.runs.map((run) => (run.id === event.id ? { ...run, trace: event.trace } : run)),
      };
    default:
      return unreachable(event);
  }
}

function unreachable(event: never): never {
  throw new Error(`no such event: ${JSON.stringify(event)}`);
}

function choose(state: State, choices: Partial<Choices>): State {
  return { ...state, choices: { ...state.choices, ...choices } };
}

// --- the connection -------------------------------------------------------------------------

function disconnected(state: State, at: number, retryAt: number): State {
  const attempts = state.link.phase === "open" ? 1 : state.link.attempts + 1;
  // The node may be there and the run go on; if it does, the next frame takes the run up again.
  const kept = endRun(state, "connection lost", at);
  return {
    ...kept,
    nowMs: at,
    pending: null,
    link: { phase: "closed", sinceMs: at, retryAtMs: retryAt, attempts },
  };
}

function received(state: State, message: ServerMessage, at: number): State {
  switch (message.type) {
    case "hello":
      return greeted(state, message, at);
    case "tick":
      return ticked(state, message.frame, at);
    case "error":
      return {
        ...state,
        pending: null,
        problem: { kind: "node", message: message.message, atMs: at },
      };
    default:
      return unreachable(message);
  }
}

/** A node that started anew knows nothing of the run and its processes are others. */
function greeted(state: State, hello: Hello, at: number): State {
  const restarted =
    state.hello !== null && state.hello.node.started_unix_ms !== hello.node.started_unix_ms;
  const problem = state.problem?.kind === "protocol" ? null : state.problem;
  if (!restarted) return { ...state, hello, problem };
  const ended = endRun(state, "node restarted", at);
  return {
    ...ended,
    hello,
    problem,
    frame: null,
    frameAtMs: null,
    rates: NO_RATES,
    rows: NO_ROWS,
    opened: null,
    choices: { ...ended.choices, closed: [] },
  };
}

// --- frames ---------------------------------------------------------------------------------

function ticked(state: State, frame: Frame, at: number): State {
  const { choices } = state;
  const started = state.pending !== null && frame.running;
  const next: State = {
    ...withRun(state, frame, at),
    frame,
    frameAtMs: at,
    pending: started ? null : state.pending,
    rates: foldRates(state.rates, frame.observer),
    rows: frame.observer.detail
      ? updateRows(
          state.rows,
          frame.observer.processes,
          choices.sort,
          frame.uptime_ms,
          choices.held,
        )
      : NO_ROWS,
  };
  return { ...next, opened: findOpened(next, frame) };
}

function withRun(state: State, frame: Frame, at: number): State {
  const nodeStarted = state.hello?.node.started_unix_ms ?? 0;
  const { run } = state;
  if (run !== null && continues(run, frame, nodeStarted)) {
    // Only a lost connection can be taken up again; after a stop, it is another run.
    const lives = run.end === null || run.end === "connection lost";
    if (lives) return { ...state, run: advance(run, frame) };
  }
  const ended = endRun(state, frame.running ? "replaced" : "stopped", at);
  if (!frame.running || frame.scenario === null) return ended;
  return { ...ended, run: begin(frame, frame.scenario, nodeStarted, at) };
}

function endRun(state: State, end: RunEnd, at: number): State {
  if (state.run === null || state.run.end !== null) return state;
  const run = finish(state.run, end, at);
  const record = state.hello === null ? null : toRecord(run, state.hello);
  return { ...state, run, runs: record === null ? state.runs : addRun(state.runs, record) };
}

/** A run taken up after a lost connection ends twice; the later record replaces the first. */
function addRun(runs: readonly RunRecord[], record: RunRecord): readonly RunRecord[] {
  return [record, ...runs.filter((run) => run.id !== record.id)].slice(0, RUNS_MAX);
}

function findOpened(state: State, frame: Frame): Opened | null {
  const { route } = state.choices;
  if (route.view !== "observer" || route.pid === null) return null;
  const process = frame.observer.processes.find(({ id }) => id === route.pid);
  return process === undefined ? state.opened : { process, seenUptimeMs: frame.uptime_ms };
}

// --- choices --------------------------------------------------------------------------------

function routed(state: State, route: Route): State {
  const { choices } = state;
  const pid = route.view === "observer" ? route.pid : null;
  const bench = route.view === "bench" ? route : null;
  const profile = bench?.profile ?? choices.profile;
  const scenario = bench?.scenario ?? choices.scenario;
  // A link to a process is a request for detail: without it there is nothing to show.
  const detail = choices.detail || pid !== null;
  const row = state.rows.list.find(({ process }) => process.id === pid);
  const opened =
    state.opened?.process.id === pid
      ? state.opened
      : row === undefined
        ? null
        : { process: row.process, seenUptimeMs: state.frame?.uptime_ms ?? 0 };
  const changes = { route, profile, scenario, detail, held: false, menu: false };
  return choose({ ...state, opened }, changes);
}

function switchDetail(state: State, enabled: boolean): State {
  const next = choose(state, { detail: enabled, held: false });
  return enabled ? next : { ...next, rows: NO_ROWS };
}

function nextSort(sort: Sort, key: Sort["key"]): Sort {
  return key === sort.key
    ? { key, descending: !sort.descending }
    : { key, descending: firstDirection(key) };
}

function sorted(state: State, sort: Sort): State {
  return choose({ ...state, rows: reorder(state.rows, sort) }, { sort });
}

/** The oldest fall out; their processes have most likely ended. */
function toggled(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id].slice(-CLOSED_MAX);
}

/** Two at most: a third choice drops the older one. */
function compared(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id].slice(-2);
}

function deleteRun(state: State, id: string): State {
  const compared = state.choices.compared.filter((other) => other !== id);
  return choose({ ...state, runs: state.runs.filter((run) => run.id !== id) }, { compared });
}
