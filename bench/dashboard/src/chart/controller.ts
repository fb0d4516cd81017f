// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Life of one uPlot: made with a size, given data when there is something new, destroyed. Knows no
 * React, and takes uPlot as a parameter, so that tests can hand it a fake.
 */

import type uPlot from "uplot";
import type { ChartSpec } from "./spec.ts";
import type { ChartTheme } from "./theme.ts";

export type Plot = Pick<uPlot, "batch" | "setData" | "setScale" | "setSize" | "destroy">;

export type PlotMaker = (options: uPlot.Options, data: uPlot.AlignedData) => Plot;

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Drawn {
  readonly version: number;
  readonly epoch: string;
  readonly lastX: number;
  readonly spanX: number;
}

export class ChartController {
  readonly #spec: ChartSpec;
  readonly #plot: Plot;
  readonly #onReadout: (text: string) => void;
  #drawn: Drawn | null = null;
  #cursor: number | null = null;
  #size: Size;

  constructor(
    make: PlotMaker,
    spec: ChartSpec,
    theme: ChartTheme,
    size: Size,
    onReadout: (text: string) => void,
  ) {
    this.#spec = spec;
    this.#size = size;
    this.#onReadout = onReadout;
    const options = spec.options(theme);
    const hooks = options.hooks ?? {};
    this.#plot = make(
      { ...options, ...size, hooks: { ...hooks, setCursor: [this.#moved] } },
      spec.draw().data,
    );
    this.draw();
  }

  /**
   * Does nothing when nothing is new, or when what is new is less than a pixel wide: a minute over
   * a thousand pixels is as good drawn ten times a second as twenty, at half the cost.
   */
  readonly draw = (): void => {
    const { version, epoch } = { version: this.#spec.version(), epoch: this.#spec.epoch() };
    const before = this.#drawn;
    if (before !== null && before.version === version && before.epoch === epoch) return;
    const { data, ranges } = this.#spec.draw();
    const [x] = data;
    const lastX = x[x.length - 1] ?? 0;
    const spanX = (ranges["x"]?.[1] ?? 0) - (ranges["x"]?.[0] ?? 0);
    if (before !== null && before.epoch === epoch && before.spanX === spanX) {
      const newPixels = ((lastX - before.lastX) / spanX) * this.#size.width;
      if (newPixels >= 0 && newPixels < 0.95) return;
    }
    this.#drawn = { version, epoch, lastX, spanX };
    this.#plot.batch(() => {
      this.#plot.setData(data, false);
      for (const [scale, [min, max]] of Object.entries(ranges)) {
        this.#plot.setScale(scale, { min, max });
      }
    });
    this.#tell();
  };

  resize(size: Size): void {
    if (size.width === this.#size.width && size.height === this.#size.height) return;
    this.#size = size;
    this.#plot.setSize({ ...size });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  readonly #moved = (plot: uPlot): void => {
    this.#cursor = plot.cursor.idx ?? null;
    this.#tell();
  };

  #tell(): void {
    this.#onReadout(this.#spec.readout(this.#cursor));
  }
}
