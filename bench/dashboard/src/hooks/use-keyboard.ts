// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect } from "react";
import { type Command, commandFor } from "../state/keys.ts";
import type { Store } from "../state/store.ts";

export function useKeyboard(store: Store, obey: (command: Command) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      if (belongsToElement(event)) return;
      const command = commandFor(event.key, store.state);
      if (command === null) return;
      event.preventDefault();
      obey(command);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [store, obey]);
}

/** Keys that the focused element uses itself are not ours. */
function belongsToElement(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (event.key === "Escape") {
    // Leaves a field first; the next Esc means what Esc means.
    if (!target.matches("input[type=search], select")) return false;
    target.blur();
    return true;
  }
  if (target.matches("input[type=search], select, textarea")) return true;
  if (event.key.startsWith("Arrow")) return target.matches("input[type=radio], pre");
  if (event.key !== "Enter") return false;
  // Enter on the chosen scenario runs it; on anything else that can be pressed, it presses.
  const chosen = target.matches("a[data-scenario][aria-current]");
  return !chosen && target.matches("a, button, summary, input:not([type=radio])");
}

/** Keeps the focus on the chosen scenario while arrows move through a focused list. */
export function followSelection(scenario: string): void {
  requestAnimationFrame(() => {
    const entry = document.querySelector(`a[data-scenario="${CSS.escape(scenario)}"]`);
    if (!(entry instanceof HTMLElement)) return;
    if (document.activeElement?.matches("a[data-scenario]") === true) entry.focus();
    entry.scrollIntoView({ block: "nearest" });
  });
}
