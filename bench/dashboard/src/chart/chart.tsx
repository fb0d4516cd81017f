// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * The only component that holds a uPlot. It is made in an effect and destroyed on unmount, redrawn
 * by the painter when `subscribe` reports news, and sized by its box, never the other way round:
 * the box has its height from the style sheet, so that no chart can move the page.
 */

import { useEffect, useRef, type ReactNode } from "react";
import uPlot from "uplot";
import { ChartController, type Size } from "./controller.ts";
import { painter } from "./painter.ts";
import type { ChartSpec } from "./spec.ts";
import { readTheme } from "./theme.ts";

export type Subscribe = (listener: () => void) => () => void;

export interface ChartProps {
  readonly spec: ChartSpec;
  /** What a screen reader says of the drawing. */
  readonly label: string;
  /** Colours are read when the chart is made; another theme makes it anew. */
  readonly theme: string;
  readonly subscribe: Subscribe;
  readonly title?: ReactNode;
  readonly className?: string;
}

export function Chart({ spec, label, theme, subscribe, title, className }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const host = box.current;
    if (host === null) return undefined;
    const controller = new ChartController(
      (options, data) => new uPlot(options, data, host),
      spec,
      readTheme(host),
      sizeOf(host),
      (text) => {
        if (readout.current !== null) readout.current.textContent = text;
      },
    );
    const resize = () => controller.resize(sizeOf(host));
    const observer = new ResizeObserver(() => painter.ask(resize));
    observer.observe(host);
    const unsubscribe = subscribe(() => painter.ask(controller.draw));
    return () => {
      unsubscribe();
      observer.disconnect();
      painter.forget(resize);
      painter.forget(controller.draw);
      controller.destroy();
    };
  }, [spec, theme, subscribe]);
  return (
    <figure className={`chart ${className ?? ""}`}>
      {title !== undefined && (
        <figcaption className="chart-title">
          {title}
          <span className="readout" ref={readout} />
        </figcaption>
      )}
      <div className="plot" role="img" aria-label={label} ref={box} />
    </figure>
  );
}

function sizeOf(host: HTMLElement): Size {
  return { width: Math.max(1, host.clientWidth), height: Math.max(1, host.clientHeight) };
}
