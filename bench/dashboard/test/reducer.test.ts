// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import type { Event } from "../src/state/events.ts";
import { CLOSED_MAX, INITIAL, RUNS_MAX, type State } from "../src/state/model.ts";
import { reduce } from "../src/state/reducer.ts";
import { condition, linkStatus, resync } from "../src/state/select.ts";
import { hello } from "../dev/fake-data.ts";
import {
  CONNECTED,
  detailed,
  fold,
  greet,
  HELLO,
  idle,
  process,
  record,
  running,
  runEvents,
  STARTED,
  T0,
  tick,
} from "./sample.ts";

const lost = (at: number): Event => ({ type: "disconnected", at, retryAt: at + 500 });

function frozen(state: State): State {
  for (const value of Object.values(state)) {
    if (typeof value === "object" && value !== null) Object.freeze(value);
  }
  return Object.freeze(state);
}

describe("the connection", () => {
  test("never connected, then connected, then live", () => {
    const first = fold([{ type: "connecting", at: T0 }]);
    expect(condition(first)).toBe("connecting");
    const failed = fold([lost(T0 + 10)], first);
    expect(condition(failed)).toBe("never-connected");
    expect(failed.link.attempts).toBe(1);
    expect(linkStatus(failed)).toEqual({ kind: "waiting", inMs: 500 });
    const again = fold([{ type: "connecting", at: T0 + 510 }, lost(T0 + 520)], failed);
    expect(again.link.attempts).toBe(2);
    const live = fold([{ type: "connected", at: T0 + 600 }, greet(T0 + 601)], again);
    expect(linkStatus(live).kind).toBe("live");
    expect(live.link.attempts).toBe(0);
    expect(condition(live)).toBe("idle");
  });

  test("without frames the page says by how much it is behind", () => {
    const state = fold([tick(T0 + 50, idle(1000)), { type: "clock", at: T0 + 3250 }], CONNECTED);
    expect(linkStatus(state)).toEqual({ kind: "behind", byMs: 3200 });
  });

  test("what makes no sense is shown, until a node greets that does", () => {
    const garbled = fold([{ type: "garbled", at: T0 + 9, error: "frame: nonsense" }], CONNECTED);
    expect(garbled.problem).toEqual({ kind: "protocol", message: "frame: nonsense", atMs: T0 + 9 });
    expect(fold([greet(T0 + 10)], garbled).problem).toBeNull();
  });

  test("an error of the node ends the waiting for a run and can be dismissed", () => {
    const asked = fold([{ type: "run_asked", at: T0 + 9, scenario: "spawn-storm" }], CONNECTED);
    expect(condition(asked)).toBe("starting");
    const refused = fold(
      [{ type: "received", at: T0 + 10, message: { type: "error", message: "busy" } }],
      asked,
    );
    expect(refused.pending).toBeNull();
    expect(refused.problem?.message).toBe("busy");
    expect(fold([{ type: "problem_dismissed" }], refused).problem).toBeNull();
  });
});

describe("runs", () => {
  test("warm-up is not counted, later frames are", () => {
    const warming = fold(runEvents(1900), CONNECTED);
    expect(condition(warming)).toBe("warming-up");
    expect(warming.run?.ops.n).toBe(0);
    const counted = fold(runEvents(3000), CONNECTED);
    expect(condition(counted)).toBe("running");
    expect(counted.run?.ops.n).toBe(21);
    expect(counted.run?.startedUnixMs).toBe(T0 + 100);
  });

  test("a stop freezes the run and leaves a record", () => {
    const state = fold([...runEvents(4000), tick(T0 + 4200, idle(14_100))], CONNECTED);
    expect(condition(state)).toBe("stopped");
    expect(state.run?.end).toBe("stopped");
    expect(state.runs).toHaveLength(1);
    expect(state.runs[0]).toMatchObject({
      scenario: "spawn-storm",
      profile: "balanced",
      workers: 3,
      end: "stopped",
      seconds: 4,
      samples: 41,
      commit: HELLO.node.commit,
    });
    const later = fold([tick(T0 + 4250, idle(14_150))], state);
    expect(later.runs).toBe(state.runs);
  });

  test("a run without a counted sample leaves no record", () => {
    const state = fold([...runEvents(1000), tick(T0 + 1200, idle(11_100))], CONNECTED);
    expect(state.runs).toHaveLength(0);
  });

  test("a stall is a state of its own", () => {
    const stalled = tick(T0 + 4000, running(3900, { stalled: true, ops_per_sec: 0 }));
    expect(condition(fold([...runEvents(3000), stalled], CONNECTED))).toBe("stalled");
  });

  test.each([
    ["another profile", { profile: "max" as const }],
    ["another scenario", { scenario: "ping-pong" }],
    ["time that goes back", { elapsed_ms: 50 }],
  ])("%s begins another run", (_name, change) => {
    const before = fold(runEvents(3000), CONNECTED);
    const after = fold([tick(T0 + 3200, running(3050, change))], before);
    expect(after.run?.id).not.toBe(before.run?.id);
    expect(after.runs[0]).toMatchObject({ id: before.run?.id, end: "replaced" });
  });

  test("a run goes on after a lost connection, and counts once", () => {
    const events = runEvents(6000);
    const before = fold([...events.slice(0, 60), lost(T0 + 3200)], CONNECTED);
    expect(condition(before)).toBe("node-gone");
    expect(before.runs[0]?.end).toBe("connection lost");
    const back = fold(
      [
        { type: "connected", at: T0 + 4000 },
        greet(T0 + 4001),
        ...events.slice(80),
        tick(T0 + 6200, idle(16_200)),
      ],
      before,
    );
    expect(back.runs).toHaveLength(1);
    expect(back.runs[0]).toMatchObject({ end: "stopped", seconds: 6 });
  });

  test("another life of the node ends the run and forgets frames, not results", () => {
    const before = fold([...runEvents(3000), lost(T0 + 3200)], CONNECTED);
    const after = fold([greet(T0 + 4000, hello(STARTED + 99_000, 20))], before);
    expect(after.frame).toBeNull();
    expect(after.runs).toHaveLength(1);
    expect(after.run?.end).toBe("connection lost");
    const again = fold([tick(T0 + 5000, running(4000))], after);
    expect(again.run?.id).not.toBe(before.run?.id);
  });

  test("runs are bounded, newest first", () => {
    const many = Array.from({ length: RUNS_MAX + 9 }, (_, i) => record({ id: `r${i}` }));
    const state = fold([{ type: "runs_loaded", runs: many }], CONNECTED);
    expect(state.runs).toHaveLength(RUNS_MAX);
    const more = fold([...runEvents(4000), tick(T0 + 4200, idle(14_100))], state);
    expect(more.runs).toHaveLength(RUNS_MAX);
    expect(more.runs[0]?.scenario).toBe("spawn-storm");
    expect(more.runs[1]?.id).toBe("r0");
  });

  test("two runs are compared at most, and a deleted one no more", () => {
    const compare = (id: string): Event => ({ type: "run_compared", id });
    const loaded: Event = {
      type: "runs_loaded",
      runs: ["a", "b", "c"].map((id) => record({ id })),
    };
    const state = fold([loaded, compare("a"), compare("b"), compare("c")]);
    expect(state.choices.compared).toEqual(["b", "c"]);
    expect(fold([compare("b")], state).choices.compared).toEqual(["c"]);
    const deleted = fold([{ type: "run_deleted", id: "c" }], state);
    expect(deleted.choices.compared).toEqual(["b"]);
    expect(deleted.runs.map(({ id }) => id)).toEqual(["a", "b"]);
  });
});

describe("choices", () => {
  test("a link chooses view, scenario, profile and process", () => {
    const bench = fold([
      { type: "routed", route: { view: "bench", scenario: "kv-storm", profile: "max" } },
    ]);
    expect(bench.choices).toMatchObject({ scenario: "kv-storm", profile: "max", detail: false });
    const pid = fold([{ type: "routed", route: { view: "observer", pid: "42" } }], bench);
    expect(pid.choices).toMatchObject({ scenario: "kv-storm", detail: true });
    expect(resync(pid).map(({ type }) => type)).toEqual([
      "set_resource_profile",
      "set_observer_detail",
    ]);
  });

  test("a first click sorts figures from the top and names from a, a second turns it", () => {
    const by = (key: "memory_bytes" | "name"): Event => ({ type: "sorted", key });
    expect(fold([by("memory_bytes")]).choices.sort).toEqual({
      key: "memory_bytes",
      descending: true,
    });
    expect(fold([by("name")]).choices.sort).toEqual({ key: "name", descending: false });
    expect(fold([by("name"), by("name")]).choices.sort.descending).toBe(true);
  });

  test("the opened process keeps its last row when the node sends it no more", () => {
    const open: Event = { type: "routed", route: { view: "observer", pid: "7" } };
    const state = fold([open, tick(T0 + 50, detailed(1000, [process("7")]))], CONNECTED);
    expect(state.opened?.seenUptimeMs).toBe(1000);
    const without = fold([tick(T0 + 100, detailed(1050, [process("8")]))], state);
    expect(without.opened?.process.id).toBe("7");
    expect(without.opened?.seenUptimeMs).toBe(1000);
  });

  test("branches close and open, and a node that started anew has none closed", () => {
    const toggle = (id: string): Event => ({ type: "branch_toggled", id });
    const state = fold([toggle("1"), toggle("2"), toggle("1")], CONNECTED);
    expect(state.choices.closed).toEqual(["2"]);
    const many = Array.from({ length: CLOSED_MAX + 5 }, (_, i) => toggle(`${i + 10}`));
    const full = fold(many, state).choices.closed;
    expect(full).toHaveLength(CLOSED_MAX);
    expect(full).toContain(`${CLOSED_MAX + 14}`);
    expect(fold([greet(T0, hello(STARTED + 1, 20))], state).choices.closed).toEqual([]);
  });

  test("rows go when detail is switched off", () => {
    const on = fold([tick(T0 + 50, detailed(1000, [process("7")]))], CONNECTED);
    expect(on.rows.list).toHaveLength(1);
    const off = fold([{ type: "detail_switched", enabled: false }], on);
    expect(off.rows.list).toHaveLength(0);
  });

  test.each<[string, Event, Partial<State["choices"]>]>([
    ["theme", { type: "theme_chosen", theme: "dark" }, { theme: "dark" }],
    ["profile", { type: "profile_chosen", profile: "light" }, { profile: "light" }],
    ["help", { type: "help_toggled", open: true }, { help: true }],
    ["menu", { type: "menu_toggled", open: true }, { menu: true }],
    ["hold", { type: "rows_held", held: true }, { held: true }],
    [
      "filter",
      { type: "filtered", filter: { text: "a", kind: "ts", status: "all" } },
      { filter: { text: "a", kind: "ts", status: "all" } },
    ],
  ])("%s", (_name, event, expected) => {
    expect(reduce(INITIAL, event).choices).toMatchObject(expected);
  });
});

test("the reducer changes nothing it is given", () => {
  const events = [...runEvents(3000), lost(T0 + 3300), greet(T0 + 3400)];
  events.reduce((state, event) => frozen(reduce(state, event)), frozen(CONNECTED));
});

test("an event that does not exist is a programmer's error", () => {
  const event: unknown = { type: "nonsense" };
  expect(() => reduce(INITIAL, event as Event)).toThrow("no such event");
});
