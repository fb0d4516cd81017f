// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect, useState } from "react";
import type { State } from "../state/model.ts";
import type { Store } from "../state/store.ts";

/** Figures are read by people: five new ones a second is as many as the eye can follow. */
const REPAINT_MS = 200;
/**
 * Figures are repainted along with a tick, in the frame in which the charts are drawn anyway; only
 * when no tick comes in time does a timer do it.
 */
const EARLY_MS = 15;
const LATE_MS = 100;

/**
 * The state for React. What a user did shows at once; ticks are gathered, since the tree of figures
 * need not be gone through for each. Charts do not wait for this: they listen to the store.
 */
export function useStoreState(store: Store): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let shownAt = 0;
    const show = () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      shownAt = performance.now();
      setState(store.state);
    };
    const unsubscribe = store.subscribe((urgency) => {
      const dueIn = REPAINT_MS - (performance.now() - shownAt);
      if (urgency === "now" || dueIn <= EARLY_MS) show();
      else timer ??= setTimeout(show, dueIn + LATE_MS);
    });
    show();
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  }, [store]);
  return state;
}
