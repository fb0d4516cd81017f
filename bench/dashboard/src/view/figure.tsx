// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import type { ReactNode } from "react";
import { type Figure, text } from "../lib/format.ts";

/** A value and its unit in fixed places, so that neither moves when digits change. */
export function FigureView({ figure }: { readonly figure: Figure }) {
  return (
    <span className="figure">
      <span className="value">{figure.value}</span>
      <span className="unit">{figure.unit}</span>
    </span>
  );
}

/** Figure in running text or a table cell. */
export function Inline({ figure }: { readonly figure: Figure }) {
  return <span className="num">{text(figure)}</span>;
}

export interface TileProps {
  readonly label: string;
  readonly figure: Figure;
  readonly note: ReactNode;
  readonly kind?: "ops" | "whole";
  readonly stale?: boolean;
}

export function Tile({ label, figure, note, kind, stale = false }: TileProps) {
  return (
    <div className={`tile ${kind ?? ""} ${stale ? "stale" : ""}`}>
      <div className="tile-label">{label}</div>
      <FigureView figure={figure} />
      <div className="tile-note">{note}</div>
    </div>
  );
}
