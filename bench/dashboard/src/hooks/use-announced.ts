// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useEffect, useState } from "react";

const ANNOUNCE_MS = 1000;

/** Text for screen readers, taken anew once a second. */
export function useAnnounced(say: () => string): string {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setInterval(() => setSaid(say()), ANNOUNCE_MS);
    return () => clearInterval(timer);
  }, [say]);
  return said;
}
