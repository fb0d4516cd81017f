// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import type uPlot from "uplot";
import { noise } from "../dev/fake-data.ts";
import { ChartController, type Plot } from "../src/chart/controller.ts";
import { gapsOf } from "../src/chart/gaps.ts";
import { latencySpec } from "../src/chart/latency.ts";
import { spreadLabels } from "../src/chart/marks.ts";
import { Painter } from "../src/chart/painter.ts";
import { type Bound, lowerBound, niceAbove, slowBound } from "../src/chart/range.ts";
import { liveRunSource, observerSource, recordSource } from "../src/chart/source.ts";
import { toColumns } from "../src/chart/spec.ts";
import { lanesSpec } from "../src/chart/strip.ts";
import type { ChartTheme } from "../src/chart/theme.ts";
import { throughputSpec } from "../src/chart/throughput.ts";
import { ABSENT, BREAK } from "../src/state/columns.ts";
import { Store } from "../src/state/store.ts";
import { CONNECTED, idle, record, running, runEvents, T0, tick } from "./sample.ts";

const THEME: ChartTheme = {
  ops: "#000",
  p50: "#111",
  p95: "#222",
  p99: "#333",
  grid: "#444",
  text: "#555",
  mark: "#666",
  warmup: "#777",
  fill: "#888",
};

class FakePlot implements Plot {
  readonly calls: string[] = [];
  readonly scales: Record<string, unknown> = {};
  data: uPlot.AlignedData = [[]];
  readonly options: uPlot.Options;

  constructor(options: uPlot.Options) {
    this.options = options;
  }

  batch(change: Function): void {
    this.calls.push("batch");
    change(this);
  }
  setData(data: uPlot.AlignedData): void {
    this.calls.push("setData");
    this.data = data;
  }
  setScale(name: string, limits: { min: number; max: number }): void {
    this.scales[name] = limits;
  }
  setSize(): void {
    this.calls.push("setSize");
  }
  destroy(): void {
    this.calls.push("destroy");
  }
}

function runStore(untilMs: number): Store {
  const store = new Store(CONNECTED);
  for (const event of runEvents(untilMs)) store.dispatch(event);
  return store;
}

function mounted(store: Store) {
  const spec = throughputSpec(liveRunSource(store.history), "count");
  let plot: FakePlot | null = null;
  const said: string[] = [];
  const controller = new ChartController(
    (options) => (plot = new FakePlot(options)),
    spec,
    THEME,
    { width: 600, height: 200 },
    (text) => said.push(text),
  );
  if (plot === null) throw new Error("no plot was made");
  const made: FakePlot = plot;
  return { controller, plot: made, said };
}

describe("axes", () => {
  test("grow at once and shrink after five seconds of calm", () => {
    let bound: Bound | null = null;
    const at = (wanted: number, x: number) => {
      bound = slowBound(bound, wanted, x);
      return bound.at;
    };
    expect(at(5, 0)).toBe(5);
    expect(at(8, 0.05)).toBe(8);
    expect(at(5, 1)).toBe(8);
    expect(at(6, 3)).toBe(8);
    expect(at(5, 5.9)).toBe(8);
    expect(at(5, 6)).toBe(6);
    expect(at(10, 6.1)).toBe(10);
  });

  test("never clip: the bound is never below what is wanted", () => {
    let bound: Bound | null = null;
    for (let i = 0; i < 2000; i += 1) {
      const wanted = 10 * (1.5 + noise(6, i));
      bound = slowBound(bound, wanted, i / 20);
      expect(bound.at).toBeGreaterThanOrEqual(wanted);
    }
  });

  test("end on round numbers above the value", () => {
    for (let exponent = -2; exponent < 12; exponent += 0.07) {
      const value = 10 ** exponent;
      const end = niceAbove(value);
      expect(end).toBeGreaterThanOrEqual(value);
      expect(end).toBeLessThanOrEqual(value * 1.67);
    }
    expect([niceAbove(0), niceAbove(4_100_000), niceAbove(10)]).toEqual([1, 5_000_000, 10]);
  });

  test("the visible part begins at the first x within the window", () => {
    const x = Float64Array.from([1, 2, 3, 5, 8]);
    expect([0, 1, 2.5, 5, 9].map((from) => lowerBound(x, from))).toEqual([0, 0, 2, 3, 5]);
  });
});

describe("gaps", () => {
  const pixel = (index: number) => index * 10;
  const gaps = (flags: number[], absentMatters = true) =>
    gapsOf(Uint8Array.from(flags), absentMatters, 0, flags.length - 1, pixel);

  test("lie between the points around a loss", () => {
    expect(gaps([0, 0, BREAK, 0])).toEqual([[10, 20]]);
    expect(gaps([0, 0, 0])).toEqual([]);
  });

  test("reach over points without latency, and join", () => {
    expect(gaps([0, 0, ABSENT, ABSENT, 0, 0])).toEqual([[10, 40]]);
    expect(gaps([0, 0, ABSENT, 0], false)).toEqual([]);
  });

  test("take in the ends, or a dot would be left there", () => {
    expect(gaps([ABSENT, 0, 0])).toEqual([[-8, 10]]);
    expect(gaps([0, 0, ABSENT])).toEqual([[10, 28]]);
  });

  test("are as wide as a pixel at least", () => {
    expect(gapsOf(Uint8Array.from([0, BREAK]), true, 0, 1, () => 7)).toEqual([[7, 8]]);
  });
});

describe("labels at the lines", () => {
  test("keep their order, their distance and the frame", () => {
    for (let i = 0; i < 200; i += 1) {
      const ys = [0, 1, 2].map((j) => 50 + 50 * noise(i, j));
      const placed = spreadLabels(ys, 13, 0, 100);
      const order = [0, 1, 2].sort((a, b) => (ys[a] ?? 0) - (ys[b] ?? 0));
      const sorted = order.map((index) => placed[index] ?? 0);
      expect(sorted[0]).toBeGreaterThanOrEqual(0);
      expect(sorted[2]).toBeLessThanOrEqual(100);
      expect((sorted[1] ?? 0) - (sorted[0] ?? 0)).toBeGreaterThanOrEqual(12.999);
      expect((sorted[2] ?? 0) - (sorted[1] ?? 0)).toBeGreaterThanOrEqual(12.999);
    }
  });
});

describe("the painter", () => {
  test("draws everything asked for once per animation frame", () => {
    const frames: (() => void)[] = [];
    const painter = new Painter((callback) => frames.push(callback));
    const drawn: string[] = [];
    const one = () => drawn.push("one");
    const other = () => drawn.push("other");
    painter.ask(one);
    painter.ask(other);
    painter.ask(one);
    expect(frames).toHaveLength(1);
    frames.pop()?.();
    expect(drawn).toEqual(["one", "other"]);
    painter.ask(one);
    painter.forget(one);
    frames.pop()?.();
    expect(drawn).toHaveLength(2);
  });
});

describe("the chart's life", () => {
  test("data is set in one batch, with the live columns and no copy", () => {
    const store = runStore(3000);
    const { plot } = mounted(store);
    expect(plot.calls).toEqual(["batch", "setData"]);
    expect(plot.data[0]).toHaveLength(60);
    const live = store.history.run.view().x;
    expect((plot.data[0] as Float64Array).buffer).toBe(live.buffer);
    expect(plot.scales).toEqual({ x: { min: 0, max: 15 }, y: { min: 0, max: 5_000_000 } });
  });

  test("nothing is drawn when nothing is new", () => {
    const store = runStore(3000);
    const { controller, plot } = mounted(store);
    controller.draw();
    controller.draw();
    expect(plot.calls).toHaveLength(2);
    store.dispatch(tick(T0 + 3200, running(3050)));
    controller.draw();
    expect(plot.calls).toHaveLength(4);
  });

  test("less than a pixel of news waits, a mark does not", () => {
    const store = runStore(31_000);
    const { controller, plot } = mounted(store);
    const drawnAfter = (elapsed: number) => {
      store.dispatch(tick(T0 + 100 + elapsed, running(elapsed)));
      controller.draw();
      return plot.calls.filter((call) => call === "setData").length;
    };
    // A minute on 600 pixels: a tick is half a pixel.
    expect([31_050, 31_100, 31_150, 31_200].map(drawnAfter)).toEqual([1, 2, 2, 3]);
    drawnAfter(31_250);
    store.dispatch(tick(T0 + 31_400, idle(41_300)));
    controller.draw();
    expect(plot.calls.filter((call) => call === "setData")).toHaveLength(4);
  });

  test("hover tells the exact value, and forgets it on leaving", () => {
    const { plot, said } = mounted(runStore(3000));
    const hook = plot.options.hooks?.setCursor?.[0];
    hook?.({ cursor: { idx: 9 } } as uPlot);
    expect(said.at(-1)).toMatch(/^0\.50 s {3}\d,\d{3},\d{3} \/s$/);
    hook?.({ cursor: { idx: null } } as uPlot);
    expect(said.at(-1)).toBe("");
  });

  test("it is resized only by another size, and destroyed", () => {
    const { controller, plot } = mounted(runStore(1000));
    controller.resize({ width: 600, height: 200 });
    controller.resize({ width: 601, height: 200 });
    controller.destroy();
    expect(plot.calls.slice(2)).toEqual(["setSize", "destroy"]);
  });
});

describe("what charts read", () => {
  test("a run takes the first span that fits, then slides", () => {
    const range = (ms: number) =>
      throughputSpec(liveRunSource(runStore(ms).history), "count").draw().ranges["x"];
    expect(range(0)).toEqual([0, 15]);
    expect(range(15_000)).toEqual([0, 15]);
    expect(range(16_000)).toEqual([0, 30]);
    expect(range(31_000)).toEqual([0, 60]);
    expect(range(90_000)).toEqual([30, 90]);
  });

  test("latency has whole decades, and some before anything was measured", () => {
    const empty = latencySpec(recordSource(null)).draw();
    expect(empty.ranges["y"]).toEqual([1e3, 1e6]);
    const drawn = latencySpec(liveRunSource(runStore(3000).history)).draw();
    expect(drawn.data).toHaveLength(4);
    expect(drawn.ranges["y"]?.map((end) => Math.log10(end) % 1)).toEqual([0, 0]);
  });

  test("a stored run is drawn whole, with its marks", () => {
    const store = runStore(5000);
    store.dispatch(tick(T0 + 5200, idle(15_100)));
    const run = store.state.runs[0] ?? record();
    const source = recordSource(run);
    expect(throughputSpec(source, "count").draw().ranges["x"]).toEqual([0, 5]);
    expect(source.stopS()).toBe(5);
    expect(source.warmupS()).toBeCloseTo(1.95);
  });

  test("schedulers share a chart, a lane each", () => {
    const { history } = runStore(3000);
    const { data, ranges } = lanesSpec(
      observerSource(() => history.loads),
      8,
    ).draw();
    expect(data).toHaveLength(9);
    const y = ranges["y"] ?? [0, 0];
    const lowest = ranges["lane7"] ?? [0, 0];
    expect(y[1] - y[0]).toBeCloseTo(lowest[1] - lowest[0]);
    expect(y[1]).toBeGreaterThanOrEqual(1); // a full load fits the first lane
    expect(Math.abs(lowest[0])).toBe(0); // the last lane stands on the floor
  });

  test("columns of unlike length are refused", () => {
    const view = {
      x: new Float64Array(2),
      ys: [new Float64Array(3)],
      flags: new Uint8Array(2),
    };
    expect(() => toColumns(view, [0])).toThrow("one length");
  });
});
