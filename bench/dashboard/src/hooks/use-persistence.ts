// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect } from "react";
import type { Theme } from "../state/model.ts";
import type { RunRecord } from "../state/run.ts";
import { readRuns, writeRuns } from "../state/storage.ts";

const RUNS_KEY = "rusm.runs.1";
const THEME_KEY = "rusm.theme";

/** Storage may be full or forbidden; the page works without, it only forgets. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing to do: see above.
  }
}

export function storedRuns(): RunRecord[] {
  return readRuns(read(RUNS_KEY));
}

export function storedTheme(): Theme {
  const theme = read(THEME_KEY);
  return theme === "light" || theme === "dark" ? theme : "auto";
}

export function usePersistence(runs: readonly RunRecord[], theme: Theme): void {
  useEffect(() => write(RUNS_KEY, writeRuns(runs)), [runs]);
  useEffect(() => write(THEME_KEY, theme), [theme]);
}
