// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The built site: small, complete, and in need of nobody else. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "../dev/build.ts";

const JS_GZIPPED_MAX = 150 * 1024;

const outdir = mkdtempSync(join(tmpdir(), "dashboard-"));
afterAll(() => rmSync(outdir, { recursive: true }));
const built = await build(outdir);
const ending = (suffix: string) => built.filter(({ path }) => path.endsWith(suffix));

test("scripts stay under 150 KB gzipped", () => {
  const total = ending(".js").reduce((sum, { gzipped }) => sum + gzipped, 0);
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThan(JS_GZIPPED_MAX);
});

test("the page names its files by content hash, from the root", () => {
  const html = readFileSync(join(outdir, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(named).toHaveLength(3);
  for (const name of named) {
    expect(name).toMatch(/^\/[a-z]+-[a-z0-9]{8}\.(js|css|svg)$/);
    expect(built.some(({ path }) => basename(path) === name.slice(1))).toBe(true);
  }
});

test("nothing is loaded from elsewhere", () => {
  for (const { path } of [...ending(".css"), ...ending(".html")]) {
    expect(readFileSync(path, "utf8")).not.toMatch(
      /(?:url\(|src=|href=|@import)\s*["']?(?:https?:)?\/\//,
    );
  }
});

test("React is the production build", () => {
  const [script] = ending(".js");
  expect(readFileSync(script?.path ?? "", "utf8")).not.toContain("react-dom.development");
});
