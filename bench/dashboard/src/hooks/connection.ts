// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * The WebSocket to the node: connects, decodes, reports to the store, and tries again with growing
 * pauses when it is gone. What it needs of the world is given to it, so that tests can fake it.
 */

import type { Store } from "../state/store.ts";
import { resync } from "../state/select.ts";
import { decode, encode } from "../wire/decode.ts";
import type { ClientMessage } from "../wire/types.ts";

export interface Socket {
  readonly send: (text: string) => void;
  readonly close: () => void;
}

export interface SocketEvents {
  readonly opened: () => void;
  readonly received: (data: unknown) => void;
  readonly closed: () => void;
}

export interface World {
  readonly open: (events: SocketEvents) => Socket;
  readonly now: () => number;
  readonly random: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** A connection that does not open within this is given up. */
const OPEN_WITHIN_MS = 5000;

/** Doubles with each attempt; up to a fifth is random, so that pages do not come back all at once. */
export function pauseMs(attempt: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1));
  return Math.round(pause * (1 - 0.2 * random));
}

export class Connection {
  readonly #store: Store;
  readonly #world: World;
  #socket: Socket | null = null;
  #cancelTimer: () => void = () => {};
  #open = false;
  #attempt = 0;
  #ended = false;

  constructor(store: Store, world: World) {
    this.#store = store;
    this.#world = world;
    this.#connect();
  }

  /** What cannot be sent is dropped: after a reconnect `resync` says what matters. */
  readonly send = (message: ClientMessage): boolean => {
    if (!this.#open || this.#socket === null) return false;
    this.#socket.send(encode(message));
    return true;
  };

  /** Does not wait for the next attempt. */
  readonly retryNow = (): void => {
    if (this.#socket === null && !this.#ended) this.#connect();
  };

  end(): void {
    this.#ended = true;
    this.#cancelTimer();
    const socket = this.#socket;
    this.#forget();
    socket?.close();
  }

  #connect(): void {
    this.#cancelTimer();
    this.#attempt += 1;
    this.#store.dispatch({ type: "connecting", at: this.#world.now() });
    // A socket that was given up may still speak; only the current one is heard.
    const current = () => this.#socket === socket;
    const socket = this.#world.open({
      opened: () => current() && this.#opened(),
      received: (data) => current() && this.#received(data),
      closed: () => current() && this.#closed(),
    });
    this.#socket = socket;
    this.#cancelTimer = this.#world.after(OPEN_WITHIN_MS, () => {
      this.#closed();
      socket.close();
    });
  }

  #opened(): void {
    this.#cancelTimer();
    this.#open = true;
    this.#attempt = 0;
    this.#store.dispatch({ type: "connected", at: this.#world.now() });
  }

  #received(data: unknown): void {
    const at = this.#world.now();
    const decoded = decode(data);
    if (!decoded.ok) {
      this.#store.dispatch({ type: "garbled", at, error: decoded.error });
      return;
    }
    this.#store.dispatch({ type: "received", at, message: decoded.message });
    if (decoded.message.type === "hello") resync(this.#store.state).forEach(this.send);
  }

  #closed(): void {
    this.#forget();
    if (this.#ended) return;
    const at = this.#world.now();
    const pause = pauseMs(this.#attempt, this.#world.random());
    this.#store.dispatch({ type: "disconnected", at, retryAt: at + pause });
    this.#cancelTimer();
    this.#cancelTimer = this.#world.after(pause, () => this.#connect());
  }

  #forget(): void {
    this.#open = false;
    this.#socket = null;
  }
}

export function browserWorld(): World {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return {
    open: (events) => {
      const socket = new WebSocket(`${scheme}://${location.host}/ws`);
      socket.onopen = events.opened;
      socket.onmessage = ({ data }: MessageEvent<unknown>) => events.received(data);
      socket.onclose = events.closed;
      return { send: (text) => socket.send(text), close: () => socket.close() };
    },
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
}
