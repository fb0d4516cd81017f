// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Pictures of the page in its states, against the fake node, to look at: node dev/shots.mjs DIR
 * [filter]. Not a test; e2e/ has those.
 */

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, openPage } from "../e2e/browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dir = process.argv[2] ?? "shots";
const only = process.argv[3] ?? "";
mkdirSync(dir, { recursive: true });

let port = 4310;
async function withNode(args, use) {
  port += 1;
  const address = `127.0.0.1:${port}`;
  const node = spawn(join(here, "fake-node"), ["start", "--listen", address, ...args]);
  await new Promise((resolve) => node.stdout.once("data", resolve));
  try {
    await use(`http://${address}/`, node);
  } finally {
    node.kill();
  }
}

const browser = await launch();
async function shot(name, size, url, act = async () => {}) {
  if (!name.includes(only)) return;
  const { page, context, complaints } = await openPage(browser, size);
  await page.goto(url);
  await act(page);
  await page.screenshot({ path: join(dir, `${name}.png`), fullPage: size.full ?? false });
  console.log(name, complaints.join(" | "));
  await context.close();
}

const samples = (page, n) =>
  page.waitForFunction(
    (least) =>
      Number(/(\d+) samples/.exec(document.querySelector(".strip")?.textContent)?.[1]) >= least,
    n,
    { timeout: 60000 },
  );
const run = (n) => async (page) => {
  await page.click(".run-button");
  await samples(page, n);
};
const sizes = [
  ["1440-light", { width: 1440, scheme: "light" }],
  ["1440-dark", { width: 1440, scheme: "dark" }],
  ["900-light", { width: 900, scheme: "light", full: true }],
  ["900-dark", { width: 900, scheme: "dark", full: true }],
  ["400-light", { width: 400, height: 860, scheme: "light", full: true }],
  ["400-dark", { width: 400, height: 860, scheme: "dark", full: true }],
];

for (const [name, size] of sizes) {
  if (!`bench-${name} observer-${name}`.includes(only)) continue;
  await withNode([], async (url) => {
    await shot(`bench-${name}`, size, url, run(240));
    await shot(`observer-${name}`, size, `${url}#/observer`, async (page) => {
      await page.click(".switch");
      await page.waitForSelector("tbody tr");
      await page.waitForTimeout(6000);
    });
  });
}
await withNode([], async (url, node) => {
  const size = { width: 1440 };
  await shot("state-idle", size, url, (page) => page.waitForSelector(".run-button"));
  await shot("state-unreal", size, `${url}#/bench/kv-storm`, (page) =>
    page.waitForSelector(".strip"),
  );
  await shot("state-no-detail", size, `${url}#/observer`, (page) => page.waitForSelector(".empty"));
  await shot("state-help-error", size, url, async (page) => {
    await page.waitForSelector(".run-button");
    await page.keyboard.press("?");
  });
  await shot("state-stopped-compare", { ...size, full: true }, url, async (page) => {
    await run(60)(page);
    await page.hover(".plot");
    await page.click(".run-button");
    await page.waitForSelector(".run-entry");
    await run(50)(page);
    await page.keyboard.press("Escape");
    await page.waitForSelector(".run-entry + .run-entry");
    for (const box of await page.$$(".run-entry input")) await box.click();
    await page.click("details:last-of-type summary");
  });
  await shot("state-process", size, `${url}#/observer`, async (page) => {
    await page.click(".switch");
    await page.click("tbody tr:nth-child(3) a");
    await page.waitForTimeout(8000);
  });
  await shot("state-gone", size, url, async (page) => {
    await run(100)(page);
    node.kill();
    await page.waitForSelector(".link-waiting");
  });
  await shot("state-never", size, "about:blank", async () => {});
});
await withNode(["--stall-after", "6", "--lose", "60"], async (url) => {
  await shot("state-stalled-gaps", { width: 1440 }, url, async (page) => {
    await page.click(".run-button");
    await page.waitForSelector(".strip-stalled", { timeout: 20000 });
    await page.waitForTimeout(1500);
  });
});
await withNode(["--garble-after", "40"], async (url) => {
  await shot("state-garbled", { width: 1440 }, url, (page) =>
    page.waitForSelector(".problem", { timeout: 20000 }),
  );
});
await browser.close();
