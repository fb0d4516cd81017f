// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Links that open where they say: `#/bench/spawn-storm?profile=max`, `#/observer`,
 * `#/observer/<pid>`. Anything else opens the benchmark view.
 */

import type { ProfileId } from "../wire/types.ts";

export type Route =
  | {
      readonly view: "bench";
      readonly scenario: string | null;
      readonly profile: ProfileId | null;
    }
  | { readonly view: "observer"; readonly pid: string | null };

export const HOME: Route = { view: "bench", scenario: null, profile: null };

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, name] = path.split("/");
  if (view === "observer") {
    return { view, pid: name !== undefined && /^[0-9]{1,20}$/.test(name) ? name : null };
  }
  if (view === "bench") {
    const scenario = name === undefined || name === "" ? null : plainName(name);
    return { view, scenario, profile: profileOf(new URLSearchParams(query).get("profile")) };
  }
  return HOME;
}

export function formatRoute(route: Route): string {
  if (route.view === "observer") {
    return route.pid === null ? "#/observer" : `#/observer/${route.pid}`;
  }
  if (route.scenario === null) return "#/bench";
  const query = route.profile === null ? "" : `?profile=${route.profile}`;
  return `#/bench/${encodeURIComponent(route.scenario)}${query}`;
}

function plainName(name: string): string | null {
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

function profileOf(name: string | null): ProfileId | null {
  return name === "light" || name === "balanced" || name === "max" ? name : null;
}
