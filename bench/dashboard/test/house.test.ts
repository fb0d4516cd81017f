// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Rules of the house, checked on the source: who may import whom, and what may not be written. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dir, "..");
const SRC = join(ROOT, "src");

/** What each folder may import, besides itself. Files right under src/ may import everything. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  wire: ["lib"],
  state: ["wire", "lib"],
  chart: ["wire", "state", "lib"],
  hooks: ["wire", "state", "lib"],
  view: ["wire", "state", "chart", "lib"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), "utf8") }));

function imports(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s+"([^"]+)"/g)].map((match) => match[1] ?? "");
}

test("imports point from views down to the wire", () => {
  const wrong: string[] = [];
  for (const { name, text } of files) {
    const [folder] = name.split("/");
    const may = name.includes("/") && folder !== undefined ? MAY[folder] : undefined;
    if (may === undefined || folder === undefined) {
      expect(name).not.toContain("/"); // a new folder needs a line in MAY
      continue;
    }
    for (const target of imports(text).filter((path) => path.startsWith("."))) {
      const [to = ""] = relative(SRC, join(SRC, dirname(name), target)).split("/");
      if (to !== folder && !may.includes(to)) wrong.push(`${name} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only chart/ knows uPlot, and wire/ and state/ know no library at all", () => {
  for (const { name, text } of files) {
    const packages = imports(text).filter((path) => !path.startsWith("."));
    if (packages.some((path) => path === "uplot")) expect(name).toStartWith("chart/");
    if (/^(wire|state|lib)\//.test(name))
      expect({ name, packages }).toEqual({ name, packages: [] });
  }
});

test("effects and timers are in hooks/ and chart/ only", () => {
  const effects =
    /\b(useEffect|useLayoutEffect|useState|setTimeout|setInterval|requestAnimationFrame|localStorage|new WebSocket)\b/;
  const wrong = files.filter(
    ({ name, text }) => /^(view|state|wire|lib)\//.test(name) && effects.test(text),
  );
  expect(wrong.map(({ name }) => name)).toEqual([]);
});

test("state/ asks no clock and no chance", () => {
  const impure = /\b(Date\.now|performance\.now|Math\.random|new Date\(\))/;
  const wrong = files.filter(
    ({ name, text }) => /^(state|wire|lib|view)\//.test(name) && impure.test(text),
  );
  expect(wrong.map(({ name }) => name)).toEqual([]);
});

test("no any, no markup from strings, no silenced checks, no long files", () => {
  for (const { name, text } of files) {
    expect({ name, any: /[:<(,]\s*any\b|\bas any\b/.test(text) }).toEqual({ name, any: false });
    expect({ name, html: /innerHTML/i.test(text) }).toEqual({ name, html: false });
    expect({ name, off: /@ts-|eslint-disable/.test(text) }).toEqual({ name, off: false });
    expect({ name, long: text.split("\n").length > 800 }).toEqual({ name, long: false });
    expect(text).toStartWith("// SPDX-License-Identifier: MIT\n");
  }
});

test("versions are exact, and the lock file names no registry", () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { dependencies, devDependencies } = manifest as Record<string, Record<string, string>>;
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
  const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  expect(lock).not.toContain('"resolved"');
});
