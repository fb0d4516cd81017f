// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** States by shape and word; colour only repeats what they say. */

import type { ProcessStatus } from "../wire/types.ts";

export type ShapeName = "dot" | "ring" | "half" | "play" | "warn" | "cross" | "check" | "square";

const PATHS: Readonly<Record<ShapeName, string>> = {
  dot: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
  ring: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zm0 1.6a2.9 2.9 0 1 1 0 5.8a2.9 2.9 0 1 1 0-5.8z",
  half: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zm0 1.5v6a3 3 0 0 1 0-6z",
  play: "M3 1.5v9l7.5-4.5z",
  warn: "M6 1L11.3 10.8H0.7z",
  cross: "M2 3.2L3.2 2L6 4.8L8.8 2L10 3.2L7.2 6L10 8.8L8.8 10L6 7.2L3.2 10L2 8.8L4.8 6z",
  check: "M1.6 6.4L2.9 5.1L4.8 7L9.2 2.6L10.5 3.9L4.8 9.6z",
  square: "M2 2h8v8h-8z",
};

export function Shape({ name }: { readonly name: ShapeName }) {
  return (
    <svg className="shape" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="currentColor" fillRule="evenodd" />
    </svg>
  );
}

const STATUS_SHAPES: Readonly<Record<ProcessStatus, ShapeName>> = {
  running: "play",
  runnable: "half",
  waiting: "ring",
  finished: "check",
  crashed: "cross",
};

export function Status({ status }: { readonly status: ProcessStatus | "gone" }) {
  const shape = status === "gone" ? "check" : STATUS_SHAPES[status];
  return (
    <span className={`status status-${status}`}>
      <Shape name={shape} />
      {status}
    </span>
  );
}
