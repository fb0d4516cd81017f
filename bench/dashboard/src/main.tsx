// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import { App } from "./app.tsx";
import { storedRuns, storedTheme } from "./hooks/use-persistence.ts";
import { applyTheme } from "./hooks/use-theme.ts";
import { parseRoute } from "./state/route.ts";
import { Store } from "./state/store.ts";
import "./style.css";

const host = document.getElementById("page");
if (host === null) throw new Error("index.html has no element with the id page");

const store = new Store();
store.dispatch({ type: "clock", at: Date.now() });
store.dispatch({ type: "runs_loaded", runs: storedRuns() });
store.dispatch({ type: "theme_chosen", theme: storedTheme() });
store.dispatch({ type: "routed", route: parseRoute(location.hash) });
applyTheme(store.state.choices.theme);
createRoot(host).render(<App store={store} />);
