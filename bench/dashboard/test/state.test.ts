// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import { compareRuns } from "../src/state/compare.ts";
import { commandFor } from "../src/state/keys.ts";
import { foldRates, NO_RATES } from "../src/state/rates.ts";
import { formatRoute, parseRoute, type Route } from "../src/state/route.ts";
import {
  filterRows,
  NO_FILTER,
  NO_ROWS,
  type ProcessKey,
  REORDER_MS,
  updateRows,
} from "../src/state/rows.ts";
import {
  bestEarlier,
  detailRequest,
  lastRecord,
  peersOf,
  selectedScenario,
} from "../src/state/select.ts";
import { exportRun, readRuns, writeRuns } from "../src/state/storage.ts";
import { CONNECTED, fold, HELLO, idle, process, record, runEvents } from "./sample.ts";

describe("routes", () => {
  test.each<[string, Route]>([
    ["#/bench/spawn-storm?profile=max", { view: "bench", scenario: "spawn-storm", profile: "max" }],
    ["#/bench/spawn-storm", { view: "bench", scenario: "spawn-storm", profile: null }],
    ["#/bench", { view: "bench", scenario: null, profile: null }],
    ["#/observer", { view: "observer", pid: null }],
    ["#/observer/18446744073709551615", { view: "observer", pid: "18446744073709551615" }],
  ])("%s there and back", (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
    expect(formatRoute(route)).toBe(hash);
  });

  test.each(["", "#", "#/", "#/nonsense", "#/bench/%E0%A4%A", "#/bench/?profile=turbo"])(
    "%s opens the benchmark view",
    (hash) => {
      expect(parseRoute(hash)).toEqual({ view: "bench", scenario: null, profile: null });
    },
  );

  test("a pid that is none opens the list", () => {
    expect(parseRoute("#/observer/12;rm")).toEqual({ view: "observer", pid: null });
  });
});

describe("keys", () => {
  const busy = fold(runEvents(3000), CONNECTED);
  test.each([
    ["ArrowDown", CONNECTED, { type: "select", scenario: "ping-pong" }],
    ["ArrowUp", CONNECTED, null],
    ["Enter", CONNECTED, { type: "run" }],
    ["Escape", CONNECTED, null],
    ["Escape", busy, { type: "stop" }],
    ["3", CONNECTED, { type: "profile", profile: "max" }],
    ["o", CONNECTED, { type: "view", view: "observer" }],
    ["/", CONNECTED, { type: "filter" }],
    ["?", CONNECTED, { type: "help", open: true }],
    ["x", CONNECTED, null],
  ] as const)("%s", (key, state, command) => {
    expect(commandFor(key, state)).toEqual(command);
  });

  test("Esc takes one step back at a time", () => {
    const open = fold(
      [
        { type: "routed", route: { view: "observer", pid: "7" } },
        { type: "help_toggled", open: true },
      ],
      busy,
    );
    expect(commandFor("Escape", open)).toEqual({ type: "help", open: false });
    const closed = fold([{ type: "help_toggled", open: false }], open);
    expect(commandFor("Escape", closed)).toEqual({ type: "leave" });
  });

  test("arrows walk the scenarios in the order of the menu, to its end", () => {
    let state = CONNECTED;
    const seen = [selectedScenario(state)?.id];
    for (;;) {
      const command = commandFor("ArrowDown", state);
      if (command?.type !== "select") break;
      const { scenario } = command;
      seen.push(scenario);
      state = fold([{ type: "routed", route: { view: "bench", scenario, profile: null } }], state);
    }
    expect(seen).toEqual(HELLO.scenarios.map(({ id }) => id));
  });
});

describe("rows of the process table", () => {
  const sort = { key: "reductions", descending: true } as const;
  const a = process("1", { reductions: 10 });
  const b = process("2", { reductions: 20 });
  const ids = (rows: typeof NO_ROWS) => rows.list.map((row) => row.process.id);

  test("keep their places while values change, and are ordered anew after a second", () => {
    const first = updateRows(NO_ROWS, [a, b], sort, 0, false);
    expect(ids(first)).toEqual(["2", "1"]);
    const faster = { ...a, reductions: 99 };
    const soon = updateRows(first, [faster, b], sort, 500, false);
    expect(ids(soon)).toEqual(["2", "1"]);
    expect(soon.list[1]?.process.reductions).toBe(99);
    const later = updateRows(soon, [faster, b], sort, REORDER_MS, false);
    expect(ids(later)).toEqual(["1", "2"]);
  });

  test("stay as long as someone points at them, gone ones marked", () => {
    const first = updateRows(NO_ROWS, [a, b], sort, 0, false);
    const held = updateRows(first, [a], sort, REORDER_MS * 9, true);
    expect(held.list.map(({ gone }) => gone)).toEqual([true, false]);
    const free = updateRows(held, [a], sort, REORDER_MS * 9 + 50, false);
    expect(ids(free)).toEqual(["1"]);
  });

  test("sort ids as numbers of any length, and the nameless last", () => {
    const rows = [process("9"), process("10", { name: "b" }), process("123456789012345678901")];
    const by = (key: "id" | "name") =>
      ids(updateRows(NO_ROWS, rows, { key, descending: false }, 0, false));
    expect(by("id")).toEqual(["9", "10", "123456789012345678901"]);
    expect(by("name")[0]).toBe("10");
  });

  test("filter by text, kind and state together", () => {
    const rows = [
      process("1", { name: "Logger", kind: "native" }),
      process("2", { label: "log worker", kind: "ts", status: "running" }),
      process("3", { current: "epoll" }),
    ].map((p) => ({ process: p, gone: false }));
    const found = (change: object) =>
      filterRows(rows, { ...NO_FILTER, ...change }).map((row) => row.process.id);
    expect(found({})).toEqual(["1", "2", "3"]);
    expect(found({ text: " LOG " })).toEqual(["1", "2"]);
    expect(found({ text: "log", kind: "ts" })).toEqual(["2"]);
    expect(found({ status: "running" })).toEqual(["2"]);
    expect(found({ text: "epoll" })).toEqual(["3"]);
  });
});

test("the node is asked only for orders that it knows", () => {
  const asked = (key: ProcessKey) =>
    detailRequest(fold([{ type: "sorted", key }], CONNECTED)) as { sort?: string };
  expect(asked("mailbox_depth").sort).toBe("mailbox");
  expect(asked("cpu_ns")).toEqual({
    type: "set_observer_detail",
    enabled: false,
    sort: "cpu",
    descending: true,
  } as object);
  expect(asked("links")).not.toHaveProperty("sort");
});

describe("rates of the observer", () => {
  const at = (uptime_ms: number, messages_total: number) => ({
    ...idle(0).observer,
    uptime_ms,
    messages_total,
    spawned_total: messages_total * 2,
  });

  test("come from half a second or more, never from two ticks", () => {
    let rates = foldRates(NO_RATES, at(1000, 100));
    expect(rates.messagesPerSec).toBeNull();
    rates = foldRates(rates, at(1050, 9999));
    expect(rates.messagesPerSec).toBeNull();
    rates = foldRates(rates, at(1500, 600));
    expect(rates.messagesPerSec).toBe(1000);
    expect(rates.spawnsPerSec).toBe(2000);
  });

  test("begin anew with another life of the node", () => {
    const rates = foldRates(foldRates(NO_RATES, at(9000, 1)), at(9500, 2));
    expect(foldRates(rates, at(50, 0)).messagesPerSec).toBeNull();
  });
});

describe("comparison of two runs", () => {
  const older = record({ id: "a", time: "2026-03-01T00:00:00.000Z" });
  const faster = record({
    id: "b",
    time: "2026-03-02T00:00:00.000Z",
    ops: { mean: 5_000_000, sd: 50_000, min: 0, max: 0 },
  });

  test("takes the older as the base, whichever was chosen first", () => {
    for (const result of [compareRuns(older, faster), compareRuns(faster, older)]) {
      expect(result.first.id).toBe("a");
      expect(result.ops?.value).toBe(1.25);
      expect(result.verdict).toBe("faster");
    }
  });

  test("claims nothing within the spread, and nothing of unlike things", () => {
    const close = record({ ...faster, ops: { mean: 4_040_000, sd: 40_000, min: 0, max: 0 } });
    expect(compareRuns(older, close).verdict).toBe("within the spread");
    const other = compareRuns(older, record({ scenario: "ping-pong", profile: "max" }));
    expect(other.verdict).toBe("not comparable");
    expect(other.caveats).toEqual(["different scenarios", "different profiles"]);
  });
});

describe("results of this machine", () => {
  const elsewhere = record({ id: "far", machine: { ...HELLO.node.machine, cores: 96 } });
  const good = record({ id: "good", ops: { mean: 9_000_000, sd: 1, min: 0, max: 0 } });
  const state = fold([{ type: "runs_loaded", runs: [elsewhere, record(), good] }], CONNECTED);

  test("are not mixed with those of another", () => {
    expect(lastRecord(state, "spawn-storm")?.id).toBe(record().id);
  });

  test("the best earlier run leaves out the one shown", () => {
    expect(bestEarlier(state, "spawn-storm", null)?.id).toBe("good");
    expect(bestEarlier(state, "spawn-storm", "good")?.id).toBe(record().id);
    expect(bestEarlier(state, "ping-pong", null)).toBeNull();
  });

  test("of a peer's results the newest counts", () => {
    const [first] = HELLO.peers;
    if (first === undefined) throw new Error("the sample has no peers");
    const newer = { ...first, date: "2027-01-01", ops_per_sec: 1 };
    const hello = { ...HELLO, peers: [newer, ...HELLO.peers] };
    const found = peersOf({ ...CONNECTED, hello }, first.scenario);
    expect(found.filter(({ peer }) => peer === first.peer)).toEqual([newer]);
  });
});

describe("stored runs", () => {
  test("there and back", () => {
    const runs = [record(), record({ id: "2", latency: null })];
    expect(readRuns(writeRuns(runs))).toEqual(runs);
  });

  test.each([
    ["nothing", null],
    ["no JSON", "{{"],
    ["no list", "{}"],
    ["other things", '[1,null,{"schema":2}]'],
  ])("%s gives none", (_name, stored) => {
    expect(readRuns(stored)).toEqual([]);
  });

  test("one that does not fit is left out alone", () => {
    const stored = JSON.stringify([{ ...record(), ops: null }, record({ id: "fits" })]);
    expect(readRuns(stored).map(({ id }) => id)).toEqual(["fits"]);
  });

  test("an export is one JSON line in the form of a headless run", () => {
    const line = exportRun(record());
    expect(line.indexOf("\n")).toBe(line.length - 1);
    const parsed: unknown = JSON.parse(line);
    expect(parsed).toMatchObject({
      schema: 1,
      scenario: "spawn-storm",
      repeats: 1,
      metrics: [
        { name: "ops_per_sec", median: 4_000_000, min: 4_000_000, max: 4_000_000 },
        { name: "p50_ns", unit: "ns", median: 1200 },
        { name: "p95_ns" },
        { name: "p99_ns" },
        { name: "p999_ns" },
        { name: "peak_concurrent" },
        { name: "descriptor_bytes", unit: "bytes", median: 412 },
      ],
    });
  });
});
