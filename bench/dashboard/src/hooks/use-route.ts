// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect } from "react";
import { parseRoute, type Route } from "../state/route.ts";

/** The address is where routes come from; `onRoute` hears each change. */
export function useRoute(onRoute: (route: Route) => void): void {
  useEffect(() => {
    const read = () => onRoute(parseRoute(location.hash));
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, [onRoute]);
}
