// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The browser as all our checks use it: headless, offline but for the page, nothing kept. */

import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page that remembers what it complained about. */
export async function openPage(browser, { width, height = 900, scheme = "light" }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}
