// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Where effects and views meet: nothing but wiring. */

import { useCallback, useMemo } from "react";
import { download } from "./hooks/download.ts";
import { useAnnounced } from "./hooks/use-announced.ts";
import { type NodeLink, useConnection } from "./hooks/use-connection.ts";
import { followSelection, useKeyboard } from "./hooks/use-keyboard.ts";
import { usePersistence } from "./hooks/use-persistence.ts";
import { useRoute } from "./hooks/use-route.ts";
import { useStoreState } from "./hooks/use-store-state.ts";
import { useTheme } from "./hooks/use-theme.ts";
import type { Command } from "./state/keys.ts";
import { formatRoute, type Route } from "./state/route.ts";
import { condition, detailRequest, runningScenario, selectedScenario } from "./state/select.ts";
import { exportName, exportRun } from "./state/storage.ts";
import type { Store } from "./state/store.ts";
import type { Actions } from "./view/actions.ts";
import { announcement } from "./view/announce.ts";
import { Page } from "./view/page.tsx";
import { nextTheme } from "./view/top-bar.tsx";

export function App({ store }: { readonly store: Store }) {
  const state = useStoreState(store);
  const link = useConnection(store);
  const theme = useTheme(state.choices.theme);
  const actions = useMemo(() => makeActions(store, link), [store, link]);
  const charts = useMemo(
    () => ({ history: store.history, subscribe: store.subscribe, theme }),
    [store, theme],
  );
  const announced = useAnnounced(useCallback(() => announcement(store.state), [store]));
  usePersistence(state.runs, state.choices.theme);
  useKeyboard(
    store,
    useCallback((command: Command) => obey(command, store, actions), [store, actions]),
  );
  useRoute(
    useCallback(
      (route: Route) => {
        const { detail } = store.state.choices;
        store.dispatch({ type: "routed", route });
        if (route.view === "bench" && route.profile !== null) {
          link.send({ type: "set_resource_profile", profile: route.profile });
        }
        // A process page asks for rows by itself.
        if (store.state.choices.detail !== detail) link.send(detailRequest(store.state));
      },
      [store, link],
    ),
  );
  return <Page state={state} actions={actions} charts={charts} announced={announced} />;
}

function makeActions(store: Store, link: NodeLink): Actions {
  const { dispatch } = store;
  return {
    run: (scenario) => {
      if (runningScenario(store.state) !== null) link.send({ type: "stop" });
      if (!link.send({ type: "run", scenario })) return;
      dispatch({ type: "run_asked", at: Date.now(), scenario });
    },
    stop: () => void link.send({ type: "stop" }),
    profile: (profile) => {
      dispatch({ type: "profile_chosen", profile });
      link.send({ type: "set_resource_profile", profile });
      const scenario = selectedScenario(store.state)?.id ?? null;
      if (store.state.choices.route.view !== "bench") return;
      // The address follows without an entry of its own: Back leaves the page, not the profile.
      history.replaceState(null, "", formatRoute({ view: "bench", scenario, profile }));
    },
    detail: (enabled) => {
      dispatch({ type: "detail_switched", enabled });
      link.send(detailRequest(store.state));
    },
    sort: (key) => {
      dispatch({ type: "sorted", key });
      link.send(detailRequest(store.state));
    },
    filter: (filter) => dispatch({ type: "filtered", filter }),
    hold: (held) => dispatch({ type: "rows_held", held }),
    branch: (id) => dispatch({ type: "branch_toggled", id }),
    go: (route) => {
      location.hash = formatRoute(route);
    },
    theme: (theme) => dispatch({ type: "theme_chosen", theme }),
    help: (open) => dispatch({ type: "help_toggled", open }),
    menu: (open) => dispatch({ type: "menu_toggled", open }),
    compare: (id) => dispatch({ type: "run_compared", id }),
    deleteRun: (id) => dispatch({ type: "run_deleted", id }),
    exportRun: (run) => download(exportName(run), exportRun(run)),
    dismiss: () => dispatch({ type: "problem_dismissed" }),
    reconnect: link.retryNow,
  };
}

function obey(command: Command, store: Store, actions: Actions): void {
  const { state } = store;
  switch (command.type) {
    case "select":
      actions.go({ view: "bench", scenario: command.scenario, profile: null });
      followSelection(command.scenario);
      return;
    case "run":
      return runSelected(store, actions);
    case "stop":
      return actions.stop();
    case "profile":
      return actions.profile(command.profile);
    case "view":
      return actions.go(
        command.view === "bench"
          ? { view: "bench", scenario: state.choices.scenario, profile: null }
          : { view: "observer", pid: null },
      );
    case "filter":
      return focusFilter(store, actions);
    case "detail":
      return actions.detail(!state.choices.detail);
    case "theme":
      return actions.theme(nextTheme(state.choices.theme));
    case "help":
      return actions.help(command.open);
    case "leave":
      return actions.go({ view: "observer", pid: null });
  }
}

function runSelected(store: Store, actions: Actions): void {
  const meta = selectedScenario(store.state);
  const now = condition(store.state);
  const can = now === "idle" || now === "stopped" || now === "recorded";
  if (meta !== null && can) actions.run(meta.id);
}

/** The filter is of use only with rows to filter. */
function focusFilter(store: Store, actions: Actions): void {
  const { choices } = store.state;
  if (choices.route.view !== "observer") actions.go({ view: "observer", pid: null });
  if (!choices.detail) actions.detail(true);
  const focus = () => document.getElementById("process-filter")?.focus();
  focus();
  // The field may come, or be enabled, only with the next paint. If it is there, that was all: to
  // focus it again would undo an Esc pressed meanwhile.
  if (document.activeElement?.id === "process-filter") return;
  requestAnimationFrame(() => requestAnimationFrame(focus));
}
