// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Every state the page can be in, rendered: what it must say, and what it must not. */

import { describe, expect, test } from "bun:test";
import { renderToStaticMarkup } from "react-dom/server";
import { History } from "../src/state/history.ts";
import { INITIAL, type State } from "../src/state/model.ts";
import type { Route } from "../src/state/route.ts";
import type { Actions } from "../src/view/actions.ts";
import { announcement } from "../src/view/announce.ts";
import { Page } from "../src/view/page.tsx";
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
  T0,
  tick,
} from "./sample.ts";

const nothing = () => {};
const ACTIONS: Actions = {
  run: nothing,
  stop: nothing,
  profile: nothing,
  detail: nothing,
  sort: nothing,
  filter: nothing,
  hold: nothing,
  branch: nothing,
  go: nothing,
  theme: nothing,
  help: nothing,
  menu: nothing,
  compare: nothing,
  deleteRun: nothing,
  exportRun: nothing,
  dismiss: nothing,
  reconnect: nothing,
};

function render(state: State): string {
  const charts = { history: new History(), subscribe: () => nothing, theme: "light" };
  return renderToStaticMarkup(
    <Page state={state} actions={ACTIONS} charts={charts} announced={announcement(state)} />,
  );
}

/** Text as a reader sees it. */
function words(state: State): string {
  return render(state)
    .replace(/<[^>]+>/g, " ")
    .replaceAll("&#x27;", "'")
    .replace(/\s+/g, " ");
}

const at = (route: Route) => ({ type: "routed", route }) as const;
const OBSERVER = at({ view: "observer", pid: null });
const LOST = { type: "disconnected", at: T0 + 5000, retryAt: T0 + 8200 } as const;
const RUNNING = fold(runEvents(4000), CONNECTED);
const STOPPED = fold([tick(T0 + 4200, idle(14_100))], RUNNING);
const TWO = [
  record({ id: "a", time: "2026-03-01T00:00:00.000Z" }),
  record({ id: "b", ops: { mean: 5e6, sd: 5e4, min: 0, max: 0 } }),
];

const FAMILY = tick(
  T0 + 50,
  detailed(1000, [
    process("1", { name: "root", supervisor: true }),
    process("12", { name: "store", parent: "1", supervisor: true }),
    process("13", { label: "cache", parent: "12", scheduler: 2, monitored_by: 1 }),
    process("14", { label: "orphan", parent: "900" }),
    process("15", { name: "alone" }),
  ]),
);

const STATES: readonly (readonly [
  name: string,
  state: State,
  says: readonly string[],
  saysNot: readonly string[],
])[] = [
  ["connecting", fold([{ type: "connecting", at: T0 }]), ["Connecting to the node"], ["No node"]],
  [
    "never connected",
    fold([{ type: "connecting", at: T0 }, LOST]),
    ["No node answers", "rusm-bench start", "reconnecting in 4 s", "Try now"],
    [],
  ],
  [
    "connected and idle",
    fold([tick(T0 + 50, idle(1000))], CONNECTED),
    ["live", "Ready", "no run yet", "nothing runs", "Run", "3 workers"],
    ["NaN", "undefined"],
  ],
  [
    "starting",
    fold([{ type: "run_asked", at: T0 + 50, scenario: "spawn-storm" }], CONNECTED),
    ["Starting"],
    [],
  ],
  ["warming up", fold(runEvents(1000), CONNECTED), ["Warming up", "avg after warm-up"], ["NaN"]],
  [
    "running",
    RUNNING,
    ["Running, 41 samples counted", "4.0 s", "Stop", "M/s", "procs", "µs", "average so far"],
    ["NaN", "undefined"],
  ],
  [
    "stalled",
    fold(
      [tick(T0 + 4200, running(4100, { stalled: true, warnings: ["no operation for 2 s"] }))],
      RUNNING,
    ),
    ["Stalled", "no operation for 2 s"],
    ["no warnings"],
  ],
  ["behind", fold([{ type: "clock", at: T0 + 7300 }], RUNNING), ["3.2 s behind"], ["fake live"]],
  [
    "dropped frames",
    fold([tick(T0 + 4200, running(4100, { dropped_ticks: 17 }))], RUNNING),
    ["17 dropped"],
    [],
  ],
  [
    "stopped",
    STOPPED,
    ["Stopped at", "after 4.0 s", "mean of 41 samples", "± 0", "highest of the run"],
    ["nothing was"],
  ],
  [
    "node gone",
    fold([LOST], RUNNING),
    ["Node gone since", "Results are kept", "reconnecting in 4 s", "mean of 41 samples"],
    [],
  ],
  [
    "an error of the node",
    fold([{ type: "received", at: T0, message: { type: "error", message: "busy" } }], CONNECTED),
    ["busy", "The node refused or failed"],
    [],
  ],
  [
    "an error of the protocol",
    fold([{ type: "garbled", at: T0, error: "frame.observer: expected an object" }], CONNECTED),
    ["frame.observer: expected an object", "Reload the page"],
    [],
  ],
  [
    "scenario not yet real",
    fold([at({ view: "bench", scenario: "kv-storm", profile: null })], CONNECTED),
    ["KV storm", "Not yet real: its engine comes with phase 11"],
    ["NaN"],
  ],
  [
    "a stored run of the scenario",
    fold([{ type: "runs_loaded", runs: TWO }], CONNECTED),
    ["Last run here: 2026-03-01", "4.00 M/s", "Best earlier", "5.00 M/s"],
    ["no run yet"],
  ],
  [
    "peers, measured and not",
    fold([at({ view: "bench", scenario: "ping-pong", profile: null })], CONNECTED),
    ["RUSM", "5.32 M/s", "0.7.0", "BEAM", "not measured here; run make peers"],
    [],
  ],
  [
    "another scenario runs",
    fold([at({ view: "bench", scenario: "ping-pong", profile: null })], RUNNING),
    ["Spawn storm runs; Run stops it and starts this one"],
    [],
  ],
  [
    "two runs compared",
    fold(
      [
        { type: "runs_loaded", runs: TWO },
        { type: "run_compared", id: "a" },
        { type: "run_compared", id: "b" },
      ],
      CONNECTED,
    ),
    ["faster", "ratio", "by the spread of both", "Export"],
    [],
  ],
  [
    "observer without detail",
    fold([tick(T0 + 50, idle(1000)), OBSERVER], CONNECTED),
    [
      "Rows are off",
      "Show processes",
      "Supervision tree Made of the rows of",
      "of 4.10 k in the pool",
    ],
    ["NaN"],
  ],
  ["observer without a frame", fold([OBSERVER], CONNECTED), ["no frame yet"], ["NaN", "Infinity"]],
  [
    "observer with rows",
    fold(
      [
        OBSERVER,
        { type: "detail_switched", enabled: true },
        tick(T0 + 50, detailed(1000, [process("77", { name: "logger", status: "crashed" })])),
      ],
      CONNECTED,
    ),
    ["77", "logger", "crashed", "1 shown of 12 processes", "1 row: no supervisor"],
    ["Rows are off"],
  ],
  [
    "a tree of supervisors",
    fold([OBSERVER, { type: "detail_switched", enabled: true }, FAMILY], CONNECTED),
    ["▾ root supervisor ▾ store supervisor cache", "900 no row orphan"],
    ["below"],
  ],
  [
    "what the tree does not know",
    fold([OBSERVER, { type: "detail_switched", enabled: true }, FAMILY], CONNECTED),
    ["Only processes with a row are known: 5 of 12.", "Not in the tree: 1 without parent"],
    ["All 5"],
  ],
  [
    "a closed branch",
    fold([OBSERVER, FAMILY, { type: "branch_toggled", id: "1" }], CONNECTED),
    ["▸ root supervisor 2 below ▾ 900 no row orphan"],
    ["▾ root"],
  ],
  [
    "observer waiting for rows",
    fold([OBSERVER, { type: "detail_switched", enabled: true }], CONNECTED),
    ["Asked the node for rows"],
    [],
  ],
  [
    "observer with an empty table",
    fold(
      [OBSERVER, { type: "detail_switched", enabled: true }, tick(T0 + 50, detailed(1000, []))],
      CONNECTED,
    ),
    ["No processes."],
    [],
  ],
  [
    "a filter that fits nothing",
    fold(
      [
        OBSERVER,
        { type: "detail_switched", enabled: true },
        tick(T0 + 50, detailed(1000, [process("77")])),
        { type: "filtered", filter: { text: "zzz", kind: "all", status: "all" } },
      ],
      CONNECTED,
    ),
    ["No process of these 1 fits the filter"],
    [],
  ],
  [
    "a process",
    fold(
      [
        at({ view: "observer", pid: "77" }),
        tick(T0 + 50, detailed(1000, [process("77", { links: 2, current: "receive" })])),
      ],
      CONNECTED,
    ),
    ["Process 77", "waiting", "receive", "2 links; the list is not sent yet", "no monitors"],
    ["last seen"],
  ],
  [
    "a process and its relatives",
    fold([at({ view: "observer", pid: "12" }), FAMILY], CONNECTED),
    ["native, supervisor", "Parent root", "Children known cache", "no links"],
    ["started from outside"],
  ],
  [
    "a process somebody watches",
    fold([at({ view: "observer", pid: "13" }), FAMILY], CONNECTED),
    [
      "Scheduler 3, last",
      "Parent store",
      "Monitored by 1 monitor of others",
      "Children known none",
    ],
    [],
  ],
  [
    "a process that none started, and one whose parent is not known",
    fold([at({ view: "observer", pid: "1" }), FAMILY], CONNECTED),
    ["Parent none: started from outside"],
    [],
  ],
  [
    "a process not seen for a while",
    fold(
      [
        at({ view: "observer", pid: "77" }),
        tick(T0 + 50, detailed(1000, [process("77")])),
        tick(T0 + 5050, detailed(6000, [])),
      ],
      CONNECTED,
    ),
    ["last seen 5.0 s ago"],
    [],
  ],
  [
    "a process never seen",
    fold([at({ view: "observer", pid: "99" }), tick(T0 + 50, detailed(1000, []))], CONNECTED),
    ["The node has not sent a row for this process"],
    [],
  ],
  [
    "observer of a node that is gone",
    fold([tick(T0 + 50, idle(1000)), OBSERVER, LOST], CONNECTED),
    ["Node gone since", "figures are of then"],
    [],
  ],
  [
    "the list of keys",
    fold([{ type: "help_toggled", open: true }], CONNECTED),
    ["Keys", "run it"],
    [],
  ],
];

describe("the page says", () => {
  test.each(STATES)("%s", (_name, state, says, saysNot) => {
    const text = words(state);
    for (const wanted of says) expect(text).toContain(wanted);
    for (const unwanted of saysNot) expect(text).not.toContain(unwanted);
  });
});

describe("what must hold in every state", () => {
  test.each(STATES)("%s", (_name, state) => {
    const html = render(state);
    expect(html).not.toContain("NaN");
    expect(html).not.toContain("undefined");
    expect(html).toContain('aria-live="polite"');
    // Every button says what it does.
    for (const [, attributes = "", inner = ""] of html.matchAll(
      /<button([^>]*)>(.*?)<\/button>/gs,
    )) {
      const said = inner.replace(/<svg.*?<\/svg>/gs, "").replace(/<[^>]+>/g, "");
      expect(said !== "" || attributes.includes("aria-label")).toBe(true);
    }
  });
});

test("Run is disabled for what is not real, and while there is no node", () => {
  const button = (state: State) => /<button[^>]*run-button[^>]*>/.exec(render(state))?.[0] ?? "";
  const unreal = fold([at({ view: "bench", scenario: "kv-storm", profile: null })], CONNECTED);
  expect(button(CONNECTED)).not.toContain("disabled");
  expect(button(unreal)).toContain("disabled");
  expect(button(fold([LOST], STOPPED))).toContain("disabled");
});

test("all scenarios are listed by phase, those not real with a mark", () => {
  const html = render(CONNECTED);
  expect(html.match(/data-scenario=/g)).toHaveLength(21);
  expect(html.match(/not yet</g)).toHaveLength(18);
  expect(
    [...html.matchAll(/<h2>Phase (?:<!-- -->)?(\d+)/g)].map((found) => Number(found[1])),
  ).toEqual([1, 2, 3, 5, 6, 7, 9, 11]);
});

test("what a node sends is text, never markup", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const scenarios = HELLO.scenarios.map((meta) => ({ ...meta, label: evil, source: evil }));
  const html = render(fold([greet(T0, { ...HELLO, scenarios })], INITIAL));
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img");
});

test("screen readers hear the tiles", () => {
  expect(announcement(RUNNING)).toMatch(/^Spawn storm: .* M\/s, peak 391, p50 .*, p99 .*$/);
  expect(announcement(STOPPED)).toBe("Nothing runs");
});
