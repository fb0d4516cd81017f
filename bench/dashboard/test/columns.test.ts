// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import { noise } from "../dev/fake-data.ts";
import { ABSENT, BREAK, Columns } from "../src/state/columns.ts";
import { History, RUN_SERIES } from "../src/state/history.ts";
import { Store } from "../src/state/store.ts";
import { Trace, TRACE_POINTS } from "../src/state/trace.ts";
import {
  CONNECTED,
  detailed,
  greet,
  HELLO,
  idle,
  process,
  running,
  runEvents,
  T0,
  tick,
} from "./sample.ts";

describe("columns", () => {
  test("keep the newest points, as a simple list would", () => {
    for (const capacity of [1, 2, 3, 7, 64]) {
      const columns = new Columns(2, capacity);
      const model: [number, number, number, number][] = [];
      for (let i = 0; i < capacity * 5 + 3; i += 1) {
        const point: [number, number, number, number] = [i, noise(1, i), noise(2, i), i % 3];
        expect(columns.push(point[0], [point[1], point[2]], point[3])).toBe(true);
        model.push(point);
        if (model.length > capacity) model.shift();
        const { x, ys, flags } = columns.view();
        expect([...x]).toEqual(model.map(([at]) => at));
        expect([...(ys[0] ?? [])]).toEqual(model.map(([, a]) => a));
        expect([...(ys[1] ?? [])]).toEqual(model.map(([, , b]) => b));
        expect([...flags]).toEqual(model.map(([, , , flag]) => flag));
      }
    }
  });

  test("views look into one buffer: nothing is allocated per point", () => {
    const columns = new Columns(1, 8);
    columns.push(1, [1]);
    const { buffer } = columns.view().x;
    for (let i = 2; i < 100; i += 1) columns.push(i, [i]);
    expect(columns.view().x.buffer).toBe(buffer);
  });

  test.each<[string, number, number[]]>([
    ["x that does not rise", 5, [1]],
    ["x that is no number", Number.NaN, [1]],
    ["a value that is no number", 6, [Number.POSITIVE_INFINITY]],
    ["another number of values", 6, [1, 2]],
  ])("refuse %s", (_name, x, values) => {
    const columns = new Columns(1, 4);
    columns.push(5, [1]);
    const { version } = columns;
    expect(columns.push(x, values)).toBe(false);
    expect(columns.length).toBe(1);
    expect(columns.version).toBe(version);
  });
});

describe("a trace", () => {
  test("holds a run of any length in few points, with its mean", () => {
    for (const n of [1, TRACE_POINTS - 1, TRACE_POINTS, 1000, 72_000]) {
      const trace = new Trace();
      for (let i = 1; i <= n; i += 1) trace.push(i, 10 + noise(3, i), 5, 6, 7);
      const data = trace.data(2);
      expect(data.x.length).toBeLessThanOrEqual(TRACE_POINTS);
      expect(data.x.at(-1)).toBe(n);
      expect(data.x.every((x, i) => i === 0 || x > (data.x[i - 1] ?? 0))).toBe(true);
      const mean = data.ops.reduce((sum, v) => sum + v, 0) / data.ops.length;
      expect(Math.abs(mean - 10)).toBeLessThan(n < 3 ? 1.1 : 0.3);
      expect(data.p99.every((v) => v === 7)).toBe(true);
    }
  });

  test("an absent latency does not pull the mean down", () => {
    const trace = new Trace();
    for (let i = 1; i <= TRACE_POINTS * 2; i += 1) trace.push(i, 1, i % 2 === 0 ? 100 : 0, 0, 0);
    expect(trace.data(0).p50.every((v) => v === 100)).toBe(true);
  });
});

describe("history", () => {
  function store(): Store {
    return new Store(CONNECTED);
  }

  test("draws warm-up too, and remembers where it ended and where the run stopped", () => {
    const s = store();
    for (const event of runEvents(4000)) s.dispatch(event);
    expect(s.history.run.length).toBe(80);
    expect(s.history.warmupS).toBeCloseTo(1.95);
    expect(s.history.stopS).toBeNull();
    s.dispatch(tick(T0 + 4200, idle(14_100)));
    expect(s.history.stopS).toBe(4);
    expect(s.history.run.length).toBe(80);
    expect(s.state.runs[0]?.trace?.x).toHaveLength(80);
    expect(s.state.runs[0]?.trace?.warmup_s).toBeCloseTo(1.95);
  });

  test("breaks the line where frames were dropped or time is missing", () => {
    const s = store();
    const flagsAfter = (elapsed: number, dropped: number) => {
      s.dispatch(tick(T0 + elapsed, running(elapsed, { dropped_ticks: dropped })));
      return s.history.run.view().flags.at(-1);
    };
    expect(flagsAfter(50, 0)).toBe(0);
    expect(flagsAfter(100, 0)).toBe(0);
    expect(flagsAfter(150, 2)).toBe(BREAK);
    expect(flagsAfter(200, 2)).toBe(0);
    expect(flagsAfter(300, 2)).toBe(0); // late by one period: still no loss
    expect(flagsAfter(500, 2)).toBe(BREAK);
  });

  test("marks ticks without latency instead of drawing zeros", () => {
    const s = store();
    const none = { ...running(100).latency, count: 0, p50_ns: 0, p95_ns: 0, p99_ns: 0 };
    s.dispatch(tick(T0 + 50, running(50)));
    s.dispatch(tick(T0 + 100, running(100, { latency: none })));
    const { ys, flags } = s.history.run.view();
    expect(flags[1]).toBe(ABSENT);
    expect(ys[RUN_SERIES.p50]?.[1]).toBe(ys[RUN_SERIES.p50]?.[0] ?? -1);
  });

  test("starts anew with each run and with each life of the node", () => {
    const s = store();
    for (const event of runEvents(3000)) s.dispatch(event);
    s.dispatch(tick(T0 + 3200, running(50)));
    expect(s.history.run.length).toBe(1);
    s.dispatch(tick(T0 + 3250, running(100)));
    expect(s.history.loads.length).toBe(2);
    const node = { ...HELLO.node, started_unix_ms: 1 };
    s.dispatch(greet(T0 + 4000, { ...HELLO, node }));
    s.dispatch(tick(T0 + 4100, idle(50)));
    expect(s.history.loads.length).toBe(1);
  });

  test("follows the opened process: mailbox, share of a core, memory", () => {
    const s = store();
    s.dispatch({ type: "routed", route: { view: "observer", pid: "7" } });
    const row = (cpu_ns: number) => process("7", { cpu_ns, mailbox_depth: 3, memory_bytes: 4096 });
    s.dispatch(tick(T0 + 50, detailed(1000, [row(0)])));
    s.dispatch(tick(T0 + 100, detailed(1050, [row(25_000_000)])));
    const [mailbox, share, memory] = s.history.process.view().ys.map((column) => column.at(-1));
    expect([mailbox, memory]).toEqual([3, 4096]);
    expect(share).toBeCloseTo(0.5);
    s.dispatch({ type: "routed", route: { view: "observer", pid: "8" } });
    s.dispatch(tick(T0 + 150, detailed(1100, [process("8")])));
    expect(s.history.process.length).toBe(1);
  });

  test("does not grow", () => {
    const history = new History();
    const { capacity } = history.run;
    const s = store();
    for (let i = 1; i < capacity * 3; i += 1) s.dispatch(tick(T0 + i * 50, running(i * 50)));
    expect(s.history.run.length).toBe(capacity);
    expect(s.history.loads.length).toBe(capacity);
    expect(s.history.trace().x.length).toBeLessThanOrEqual(TRACE_POINTS);
  });
});

describe("the store", () => {
  test("tells ticks from what cannot wait", () => {
    const s = new Store(CONNECTED);
    const heard: string[] = [];
    const stop = s.subscribe((urgency) => heard.push(urgency));
    s.dispatch(tick(T0 + 50, idle(1000)));
    s.dispatch(tick(T0 + 100, running(50)));
    s.dispatch(tick(T0 + 150, running(100)));
    s.dispatch({ type: "clock", at: T0 + 160 });
    s.dispatch({ type: "help_toggled", open: true });
    stop();
    s.dispatch({ type: "help_toggled", open: false });
    expect(heard).toEqual(["tick", "now", "tick", "tick", "now"]);
  });
});
