// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Takes the pictures in this folder: a real node runs spawn-storm, Chromium looks at it. After
 * `make build` and `make dashboard`, on a machine with nothing else to do: node docs/img/take.mjs
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, openPage } from "../../bench/dashboard/e2e/browser.mjs";
import { freePort, startNode } from "../../bench/dashboard/e2e/node-process.mjs";

const RUN_MS = 14_500;
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

for (const [scheme, file] of [
  ["light", "dashboard.png"],
  ["dark", "dashboard-dark.png"],
]) {
  const port = await freePort();
  const node = await startNode(
    join(root, "build/release/bin/rusm-bench"),
    port,
    join(root, "bench/dashboard/dist"),
  );
  const browser = await launch();
  try {
    const { page } = await openPage(browser, { width: 1280, height: 840, scheme });
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.click(".run-button");
    await page.waitForTimeout(RUN_MS);
    await page.screenshot({ path: join(here, file) });
  } finally {
    await browser.close();
    await node.kill();
  }
}
