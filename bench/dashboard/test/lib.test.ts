// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import { noise } from "../dev/fake-data.ts";
import * as format from "../src/lib/format.ts";
import { highlight } from "../src/lib/highlight.ts";
import { add, deviation, EMPTY } from "../src/lib/stat.ts";

const { text } = format;

describe("figures", () => {
  test.each([
    [text(format.rate(0)), "0 /s"],
    [text(format.rate(0.25)), "0.25 /s"],
    [text(format.rate(812)), "812 /s"],
    [text(format.rate(13_412_332)), "13.4 M/s"],
    [text(format.rate(999_499)), "999 k/s"],
    [text(format.rate(999_500)), "1.00 M/s"],
    [text(format.rate(1.21e9, "bytes")), "1.21 GB/s"],
    [text(format.duration(812)), "812 ns"],
    [text(format.duration(1240)), "1.24 µs"],
    [text(format.duration(999.7e6)), "1.00 s"],
    [text(format.duration(4.2e12)), "4200 s"],
    [text(format.bytes(412)), "412 B"],
    [text(format.bytes(33_566_408_704)), "33.6 GB"],
    [text(format.count(0, "procs")), "0 procs"],
    [text(format.count(999, "procs")), "999 procs"],
    [text(format.count(12_345, "procs")), "12.3 k procs"],
    [text(format.count(83_400_000)), "83.4 M"],
    [text(format.percent(0.874)), "87 %"],
    [text(format.metric(168, "ns")), "168 ns"],
    [text(format.metric(2, "ms")), "2.00 ms"],
    [text(format.metric(3e6, "ops_per_sec")), "3.00 M/s"],
    [text(format.metric(7, "slots")), "7 slots"],
    [format.spread(0.0042), "± 0.4 %"],
    [format.spread(0.71), "± 71 %"],
    [format.short(format.rate(5e6)), "5 M/s"],
    [format.short(format.rate(2.5e6)), "2.5 M/s"],
    [format.short(format.rate(200)), "200 /s"],
    [format.exact(13_412_332.4), "13,412,332"],
    [format.clock(4200), "4.2 s"],
    [format.clock(59_940), "59.9 s"],
    [format.clock(64_000), "1:04"],
    [format.clock(7_389_000), "2:03:09"],
    [format.plural(1, "worker"), "1 worker"],
    [format.plural(4, "worker"), "4 workers"],
  ])("%s", (got, wanted) => {
    expect(got).toBe(wanted);
  });

  test("have three digits and a unit over the whole range, and never shrink in value", () => {
    for (let exponent = 0; exponent < 15; exponent += 0.013) {
      const { value, unit } = format.rate(10 ** exponent);
      expect(value.replace(".", "")).toHaveLength(3);
      expect(value.length).toBeLessThanOrEqual(4);
      expect(unit).toMatch(/^[kMGTP]?\/s$/);
    }
  });
});

describe("highlighting", () => {
  const joined = (source: string) =>
    highlight(source)
      .map((token) => token.text)
      .join("");

  test.each([
    "",
    "int main(void) { return 0; }",
    '#include "a.h"\n/* open',
    "const a = `x${1}` // end",
    'char *s = "never closed\nint b;',
    "'",
    "/**/ // \n\t#define A 0xffu\n",
  ])("keeps every byte of %j", (source) => {
    expect(joined(source)).toBe(source);
  });

  test("keeps every byte of anything", () => {
    const alphabet = "a1 \n\"'`/*#_.{}\\é";
    for (let seed = 0; seed < 300; seed += 1) {
      const source = Array.from({ length: 60 }, (_, i) => {
        const at = Math.floor(((noise(seed, i) + 1) / 2) * alphabet.length);
        return alphabet[at] ?? "";
      }).join("");
      expect(joined(source)).toBe(source);
    }
  });

  test("knows what is what", () => {
    const kinds = highlight('static uint64_t n = 42; // "no"\n#define MAX 5').map(
      ({ kind, text: word }) => [kind, word.trim()],
    );
    expect(kinds).toContainEqual(["keyword", "static"]);
    expect(kinds).toContainEqual(["type", "uint64_t"]);
    expect(kinds).toContainEqual(["number", "42"]);
    expect(kinds).toContainEqual(["comment", '// "no"']);
    expect(kinds).toContainEqual(["macro", "#define"]);
  });
});

test("mean and deviation are those of the textbook", () => {
  const values = Array.from({ length: 500 }, (_, i) => 1000 + 50 * noise(8, i));
  const stat = values.reduce(add, EMPTY);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  expect(stat.mean).toBeCloseTo(mean, 8);
  expect(deviation(stat)).toBeCloseTo(Math.sqrt(variance), 8);
  expect([stat.min, stat.max]).toEqual([Math.min(...values), Math.max(...values)]);
});
