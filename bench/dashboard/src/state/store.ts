// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Holds the state, passes events to the reducer and the history, and tells who listens. */

import type { Event } from "./events.ts";
import { History } from "./history.ts";
import { INITIAL, type State } from "./model.ts";
import { reduce } from "./reducer.ts";

/** Ticks come many times a second and can wait for the next repaint of figures; the rest cannot. */
export type Urgency = "tick" | "now";

export type Listener = (urgency: Urgency) => void;

export class Store {
  readonly history = new History();
  #state: State;
  readonly #listeners = new Set<Listener>();

  constructor(initial: State = INITIAL) {
    this.#state = initial;
  }

  get state(): State {
    return this.#state;
  }

  readonly dispatch = (event: Event): void => {
    const before = this.#state;
    this.#state = reduce(before, event);
    this.history.record(event, this.#state);
    this.#attachTrace(before);
    const sameRun =
      this.#state.run?.id === before.run?.id && this.#state.run?.end === before.run?.end;
    const urgency = isSteady(event) && sameRun ? "tick" : "now";
    for (const listener of this.#listeners) listener(urgency);
  };

  /** Returns what undoes it. */
  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A run that just ended takes its points along. */
  #attachTrace(before: State): void {
    const newest = this.#state.runs[0];
    if (newest === undefined || newest === before.runs[0] || newest.trace !== null) return;
    if (newest.id !== this.history.runId) return;
    const trace = this.history.trace();
    this.#state = reduce(this.#state, { type: "run_traced", id: newest.id, trace });
  }
}

function isSteady(event: Event): boolean {
  if (event.type === "received") return event.message.type === "tick";
  return event.type === "clock";
}
