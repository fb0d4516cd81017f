// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect, useLayoutEffect, useState } from "react";
import type { Theme } from "../state/model.ts";

const DARK = "(prefers-color-scheme: dark)";

export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Puts the theme on the document and says which one is in effect. */
export function useTheme(theme: Theme): "light" | "dark" {
  const [systemDark, setSystemDark] = useState(() => matchMedia(DARK).matches);
  useEffect(() => {
    const query = matchMedia(DARK);
    const changed = () => setSystemDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  // Before paint and before the charts read their colours, which is in later effects.
  useLayoutEffect(() => applyTheme(theme), [theme]);
  return theme === "auto" ? (systemDark ? "dark" : "light") : theme;
}
