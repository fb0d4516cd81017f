// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Messages and spawns a second from the node's totals. Taken over half to one second of node time:
 * the difference of two ticks would flicker, and a longer window would lie about a change.
 */

import type { Observer } from "../wire/types.ts";

interface Sample {
  readonly uptimeMs: number;
  readonly messages: number;
  readonly spawned: number;
}

export interface Rates {
  readonly older: Sample | null;
  readonly newer: Sample | null;
  /** Null until half a second has been seen. */
  readonly messagesPerSec: number | null;
  readonly spawnsPerSec: number | null;
}

const WINDOW_MS = 500;

export const NO_RATES: Rates = {
  older: null,
  newer: null,
  messagesPerSec: null,
  spawnsPerSec: null,
};

export function foldRates(rates: Rates, observer: Observer): Rates {
  const now: Sample = {
    uptimeMs: observer.uptime_ms,
    messages: observer.messages_total,
    spawned: observer.spawned_total,
  };
  const { newer } = rates;
  const restarted = newer !== null && now.uptimeMs < newer.uptimeMs;
  if (newer === null || restarted) return { ...NO_RATES, newer: now };
  if (now.uptimeMs - newer.uptimeMs < WINDOW_MS) return rates;
  const base = rates.older ?? newer;
  const seconds = (now.uptimeMs - base.uptimeMs) / 1000;
  return {
    older: newer,
    newer: now,
    messagesPerSec: Math.max(0, now.messages - base.messages) / seconds,
    spawnsPerSec: Math.max(0, now.spawned - base.spawned) / seconds,
  };
}
