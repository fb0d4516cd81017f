// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect, useMemo, useRef } from "react";
import type { Store } from "../state/store.ts";
import type { ClientMessage } from "../wire/types.ts";
import { browserWorld, Connection } from "./connection.ts";

/** The age of the last frame is shown, so time must pass even when nothing arrives. */
const CLOCK_MS = 250;

export interface NodeLink {
  readonly send: (message: ClientMessage) => boolean;
  readonly retryNow: () => void;
}

export function useConnection(store: Store): NodeLink {
  const connection = useRef<Connection | null>(null);
  useEffect(() => {
    const made = new Connection(store, browserWorld());
    connection.current = made;
    const timer = setInterval(() => store.dispatch({ type: "clock", at: Date.now() }), CLOCK_MS);
    return () => {
      clearInterval(timer);
      made.end();
      connection.current = null;
    };
  }, [store]);
  return useMemo(
    () => ({
      send: (message) => connection.current?.send(message) ?? false,
      retryNow: () => connection.current?.retryNow(),
    }),
    [],
  );
}
