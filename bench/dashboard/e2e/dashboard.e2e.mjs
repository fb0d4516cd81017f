// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * The page in Chromium against a node:
 *
 *   node e2e/dashboard.e2e.mjs --node-binary PATH --dist PATH [--shots DIR] [--only TEXT]
 *
 * The node is started as `PATH start --listen 127.0.0.1:PORT --ticks 20 --dashboard DIST`. Cases
 * run in order on one page and build on each other; each waits for a condition, never for a time.
 */

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { launch, openPage } from "./browser.mjs";
import { freePort, startNode } from "./node-process.mjs";

const { values: options } = parseArgs({
  options: {
    "node-binary": { type: "string" },
    dist: { type: "string" },
    shots: { type: "string" },
    only: { type: "string", default: "" },
  },
});
if (options["node-binary"] === undefined || options.dist === undefined) {
  console.error("usage: dashboard.e2e.mjs --node-binary PATH --dist PATH [--shots DIR]");
  process.exit(2);
}

const WAIT_MS = 20_000;
/** Results there were before the node was killed. */
let kept = 0;
const binary = resolve(options["node-binary"]);
const dist = resolve(options.dist);

const port = await freePort();
const url = `http://127.0.0.1:${port}/`;
const start = () => startNode(binary, port, dist);
let node = await start();
const browser = await launch();
const { page, complaints } = await openPage(browser, { width: 1440 });
page.setDefaultTimeout(WAIT_MS);

// --- what cases are made of -----------------------------------------------------------------

function check(condition, what) {
  if (!condition) throw new Error(what);
}

const textOf = (selector, on = page) => on.locator(selector).first().innerText();

/** Waits until `predicate(document text of selector)` holds, in the page. */
async function waitText(selector, pattern, on = page) {
  await on.waitForFunction(
    ([wanted, source, flags]) => {
      const found = document.querySelector(wanted);
      return found !== null && new RegExp(source, flags).test(found.textContent ?? "");
    },
    [selector, pattern.source, `${pattern.flags}s`],
    { timeout: WAIT_MS },
  );
}

const condition = (name) => page.waitForSelector(`[data-condition="${name}"]`);
const live = (on = page) => on.waitForSelector('[data-link="live"]');

async function shot(name, on = page) {
  if (options.shots === undefined) return;
  mkdirSync(options.shots, { recursive: true });
  await on.screenshot({ path: join(options.shots, `${name}.png`) });
}

/** Boxes of everything that must stay where it is while figures change. */
function boxes(on, selectors) {
  return on.evaluate(
    (wanted) =>
      wanted.flatMap((selector) =>
        [...document.querySelectorAll(selector)].map((element) => {
          const { x, y, width, height } = element.getBoundingClientRect();
          return [selector, x, y, width, height].join(" ");
        }),
      ),
    selectors,
  );
}

async function samplesBeyond(least) {
  await page.waitForFunction(
    (n) =>
      Number(
        /(\d+) samples? counted/.exec(document.querySelector(".strip")?.textContent ?? "")?.[1],
      ) > n,
    least,
    { timeout: WAIT_MS },
  );
}

/** Coloured pixels of a chart: says whether a line was drawn, without knowing where. */
function inked(index) {
  return page.evaluate((at) => {
    const canvas = document.querySelectorAll(".run-charts canvas")[at];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
      const spread =
        Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]);
      if (data[i + 3] > 40 && spread > 40) coloured += 1;
    }
    return coloured;
  }, index);
}

async function noOverflow(on) {
  const [scroll, client] = await on.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  check(scroll <= client, `the page is ${scroll} px wide in a window of ${client} px`);
  const outside = await on.evaluate(() =>
    [...document.querySelectorAll("#page *")]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        const scrolls = element.closest(".table-scroll, .source, .hidden, .plot") !== null;
        return !scrolls && box.width > 0 && box.right > innerWidth + 0.5;
      })
      .map((element) => element.className || element.tagName),
  );
  check(outside.length === 0, `outside of the window: ${outside.slice(0, 5).join(", ")}`);
}

// --- cases ----------------------------------------------------------------------------------

const cases = [
  [
    "the page loads from the node and says that it is live",
    async () => {
      await page.goto(url);
      await live();
      await page.waitForSelector(".run-button:enabled");
      const paint = await page.evaluate(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      );
      console.log(`  first contentful paint after ${Math.round(paint)} ms`);
      await shot("01-idle");
    },
  ],
  [
    "all scenarios are listed, those not real cannot be run",
    async () => {
      const count = await page.locator("a[data-scenario]").count();
      check(count === 21, `${count} scenarios are listed`);
      const unreal = page.locator("a[data-scenario].unreal").first();
      if ((await unreal.count()) === 0) return;
      await unreal.click();
      await condition("not-real");
      check(await page.locator(".run-button").isDisabled(), "Run is enabled");
    },
  ],
  [
    "a link opens its scenario and profile",
    async () => {
      await page.goto(`${url}#/bench/spawn-storm?profile=max`);
      await page.reload();
      await waitText("h1", /Spawn storm/i);
      await page.waitForSelector('[data-profile="max"] input:checked');
      await page.goto(`${url}#/bench/spawn-storm?profile=balanced`);
      await page.waitForSelector('[data-profile="balanced"] input:checked');
    },
  ],
  [
    "spawn-storm runs and the figures move",
    async () => {
      await page.locator('a[data-scenario="spawn-storm"]').click();
      await page.locator(".run-button").click();
      await page.waitForSelector('[data-condition="warming-up"], [data-condition="running"]');
      await condition("running");
      await samplesBeyond(5);
      const before = await textOf(".tiles");
      check(/\d[\d.]* [kMG]?\/s/.test(before.replace(/\s+/g, " ")), `no rate in: ${before}`);
      await page.waitForFunction(
        (old) => document.querySelector(".tiles").innerText !== old,
        before,
      );
      check(/\d/.test(await textOf(".tile:nth-child(3) .value")), "p50 has no figure");
      await shot("02-running");
    },
  ],
  [
    "both charts draw",
    async () => {
      check((await inked(0)) > 100, "the throughput chart is empty");
      check((await inked(1)) > 100, "the latency chart is empty");
    },
  ],
  [
    "nothing moves between ticks",
    async () => {
      const still = [
        ".tile",
        ".plot",
        ".strip",
        ".run-button",
        ".profiles label",
        ".menu li",
        ".peers li",
      ];
      const first = await boxes(page, still);
      const from = Number(/(\d+) samples?/.exec(await textOf(".strip"))?.[1]);
      await samplesBeyond(from + 40);
      check(JSON.stringify(await boxes(page, still)) === JSON.stringify(first), "boxes moved");
    },
  ],
  [
    "hover shows exact values on both charts",
    async () => {
      const plot = page.locator(".run-charts .u-over").first();
      const box = await plot.boundingBox();
      await plot.hover({ position: { x: Math.min(60, box.width / 8), y: 40 } });
      await waitText(".chart:nth-of-type(1) .readout", /\d s.*\d,\d{3}.*\/s/);
      await waitText(".chart:nth-of-type(2) .readout", /p50 .*p95 .*p99 /);
      await shot("03-hover");
      await page.mouse.move(2, 2);
    },
  ],
  [
    "Esc stops, the results freeze and are kept",
    async () => {
      await page.keyboard.press("Escape");
      await condition("stopped");
      await page.waitForSelector(".run-entry");
      await waitText(".strip", /Stopped at/);
      await waitText(".tile:first-child", /mean of \d+ samples?/);
      await waitText('a[data-scenario="spawn-storm"]', /\/s/);
      await shot("04-stopped");
    },
  ],
  [
    "the profile is switched by key and by click",
    async () => {
      await page.keyboard.press("1");
      await page.waitForSelector('[data-profile="light"] input:checked');
      check(page.url().endsWith("?profile=light"), `the address is ${page.url()}`);
      await page.locator('[data-profile="max"]').click();
      await page.waitForSelector('[data-profile="max"] input:checked');
    },
  ],
  [
    "Enter runs with the new profile, and two runs compare",
    async () => {
      await page.locator("h1").click();
      await page.keyboard.press("Enter");
      await condition("running");
      await samplesBeyond(5);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".run-entry + .run-entry");
      await waitText(".run-entry", /max/);
      for (const box of await page.locator(".run-entry input").all()) await box.check();
      await waitText(".compare", /ratio.*×/);
      await waitText(".compare", /different profiles/);
      await shot("05-compared");
    },
  ],
  [
    "a run is exported as one JSON line",
    async () => {
      const waiting = page.waitForEvent("download");
      await page.locator(".run-entry button").first().click();
      const stream = await (await waiting).createReadStream();
      let text = "";
      for await (const part of stream) text += part;
      const line = JSON.parse(text);
      check(line.scenario === "spawn-storm" && line.profile === "max", `exported ${text}`);
      check(line.metrics[0].name === "ops_per_sec" && line.metrics[0].median > 0, "no headline");
    },
  ],
  [
    "arrows choose another scenario",
    async () => {
      await page.locator("h1").click();
      await page.keyboard.press("ArrowDown");
      await waitText("h1", /ping/i);
      check(page.url().includes("#/bench/ping-pong"), `the address is ${page.url()}`);
      await page.keyboard.press("ArrowUp");
      await waitText("h1", /spawn/i);
    },
  ],
  [
    "the observer shows the node, and rows only when asked",
    async () => {
      // An idle node may have no process to show; the players of ping-pong live as long as it runs.
      await page.locator('a[data-scenario="ping-pong"]').click();
      await waitText("h1", /ping/i);
      await page.locator(".run-button").click();
      await page.waitForSelector(".running .stop");
      await page.keyboard.press("o");
      await page.waitForSelector(".observer");
      await page.waitForSelector(".lanes li");
      check((await page.locator("tbody tr").count()) === 0, "rows without detail");
      await waitText(".empty", /Rows are off/);
      await shot("06-observer");
      await page.locator(".switch").click();
      await page.waitForSelector("tbody tr");
      const rows = await page.locator("tbody tr").count();
      check(rows >= 1 && rows <= 64, `${rows} rows`);
      await shot("07-observer-detail");
    },
  ],
  [
    "any column sorts, both ways",
    async () => {
      for (const name of ["Memory", "Mailbox", "Process"]) {
        const head = page.locator("th", { hasText: name });
        await head.locator("button").click();
        const first = await head.getAttribute("aria-sort");
        await head.locator("button").click();
        const second = await head.getAttribute("aria-sort");
        check(
          first !== "none" && second !== "none" && first !== second,
          `${name}: ${first} ${second}`,
        );
      }
    },
  ],
  [
    "/ filters, Esc leaves the field",
    async () => {
      await page.keyboard.press("/");
      await page.waitForFunction(() => document.activeElement?.id === "process-filter");
      await page.keyboard.type("no such process");
      await waitText(".empty", /fits the filter/);
      await page.locator(".empty button").click();
      await page.waitForSelector("tbody tr");
      await page.keyboard.press("/");
      await page.waitForFunction(() => document.activeElement?.id === "process-filter");
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => document.activeElement?.id !== "process-filter");
    },
  ],
  [
    "a row opens its process, Esc leads back",
    async () => {
      // Rows come and go; hovering holds them, so that the link is still there when pressed.
      await page.locator(".table-scroll").hover();
      const link = page.locator("tbody tr:not(.row-gone) td a").first();
      const pid = await link.innerText();
      await link.click();
      await page.waitForSelector(".process-page");
      await waitText(".process-page", new RegExp(`Process ${pid}`));
      await waitText(".facts", /Mailbox/);
      check(page.url().endsWith(`#/observer/${pid}`), `the address is ${page.url()}`);
      await shot("08-process");
      await page.keyboard.press("Escape");
      await page.waitForSelector("tbody tr");
    },
  ],
  [
    "supervisors stand in a tree, whose branches close",
    async () => {
      await page.keyboard.press("b");
      await page.locator('a[data-scenario="fault-recovery"]').click();
      await waitText("h1", /fault/i);
      await page.locator(".run-button").click();
      await page.keyboard.press("o");
      await waitText(".tree", /supervisor/);
      await waitText(".tree-note", /known/);
      await shot("09-tree");
      // Hovering holds the rows.
      await page.locator(".tree").hover();
      await page.locator(".tree li:has(.mark) button.twist").first().click();
      await waitText(".tree", /\d+ below/);
      await page.locator(".tree button.twist[aria-expanded=false]").click();
      await page.waitForSelector(".tree li li");
    },
  ],
  [
    "a process page leads to its parent",
    async () => {
      await page.locator(".tree li li:has(.mark) a").first().click();
      await page.waitForSelector(".process-page");
      await waitText(".facts", /Parent.*Links.*Monitored by/);
      await shot("09-supervised");
      const before = page.url();
      await page.locator(".facts a.relative").first().click();
      await page.waitForFunction((old) => location.href !== old, before);
      await waitText(".facts", /Children known/);
      await page.keyboard.press("Escape");
      await page.waitForSelector("tbody tr");
    },
  ],
  [
    "detail off takes the rows away",
    async () => {
      await page.locator(".switch").click();
      await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 0);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".running.none");
      await page.keyboard.press("b");
      await page.waitForSelector(".bench");
    },
  ],
  [
    "a killed node is said to be gone, and results stay",
    async () => {
      kept = await page.locator(".run-entry").count();
      await page.locator('a[data-scenario="spawn-storm"]').click();
      await page.locator(".run-button").click();
      await condition("running");
      await samplesBeyond(5);
      await node.kill();
      await condition("node-gone");
      await page.waitForSelector('[data-link="waiting"], [data-link="connecting"]');
      check(
        (await page.locator(".run-entry").count()) === kept + 1,
        "the results are not all there",
      );
      await waitText(".strip", /Node gone since \d\d:\d\d:\d\d/);
      await waitText(".run-entry", /connection lost/);
      check(await page.locator(".run-button").isDisabled(), "Run is enabled");
      await shot("10-gone");
    },
  ],
  [
    "the page comes back with the restarted node, and keeps what it had",
    async () => {
      node = await start();
      const now = page.locator(".link button");
      if (await now.isVisible()) await now.click({ timeout: 1000 }).catch(() => {});
      await live();
      check((await page.locator(".run-entry").count()) === kept + 1, "results were lost");
      await page.waitForSelector('[data-profile="max"] input:checked');
      await page.waitForSelector(".run-button:enabled");
      await page.locator(".run-button").click();
      await condition("running");
      await samplesBeyond(5);
      await page.locator(".run-button").click();
      await page.waitForSelector('[data-condition="stopped"]');
      await shot("11-back");
    },
  ],
  [
    "results outlive a reload",
    async () => {
      await page.reload();
      await live();
      check((await page.locator(".run-entry").count()) === kept + 2, "results were lost");
      await condition("recorded");
    },
  ],
  [
    "the list of keys opens and closes",
    async () => {
      await page.keyboard.press("?");
      await page.waitForSelector(".help");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".help", { state: "detached" });
    },
  ],
  [
    "a run starts again, to be looked at",
    async () => {
      await page.locator('a[data-scenario="ping-pong"]').click();
      await page.locator(".run-button").click();
      await condition("running");
    },
  ],
  ...[1440, 1280, 900, 400].flatMap((width) =>
    ["light", "dark"].map((scheme) => [
      `${width} px, ${scheme}: colours follow, nothing overflows`,
      () => looks(width, scheme),
    ]),
  ),
  [
    "nothing was complained about in the console",
    async () => {
      // The one thing a browser reports by itself: the refused connections to the killed node.
      const others = complaints.filter((text) => !/ERR_CONNECTION_(REFUSED|RESET)/.test(text));
      check(others.length === 0, others.join("\n"));
    },
  ],
];

async function looks(width, scheme) {
  const { page: other, context, complaints: heard } = await openPage(browser, { width, scheme });
  try {
    await other.goto(url);
    await live(other);
    await other.waitForSelector(".running .stop");
    const light = await other.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.documentElement)
        .backgroundColor.match(/\d+/g)
        .map(Number);
      return (r + g + b) / 3 > 128;
    });
    check(light === (scheme === "light"), `the ground is ${light ? "light" : "dark"}`);
    await noOverflow(other);
    await shot(`20-bench-${width}-${scheme}`, other);
    await other.goto(`${url}#/observer`);
    await other.locator(".switch").click();
    await other.waitForSelector("tbody tr");
    await noOverflow(other);
    const name = await other.locator("th.col-name").boundingBox();
    check(name.width >= 80, `a name has ${name.width} px`);
    await shot(`20-observer-${width}-${scheme}`, other);
    check(heard.length === 0, heard.join("\n"));
  } finally {
    await context.close();
  }
}

// --- the run --------------------------------------------------------------------------------

let passed = 0;
let failed = 0;
try {
  for (const [name, run] of cases) {
    if (!name.includes(options.only)) continue;
    try {
      await run();
      const problem = page.locator(".problem");
      if ((await problem.count()) > 0) {
        const said = await problem.innerText();
        await problem.locator("button").click();
        throw new Error(`the page shows an error: ${said}`);
      }
      passed += 1;
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(
        `FAIL ${name}\n     ${String(error.message ?? error)
          .split("\n")
          .slice(0, 6)
          .join("\n     ")}`,
      );
      await shot(`fail-${failed}`).catch(() => {});
    }
  }
} finally {
  await browser.close();
  await node.kill();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
