// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "../src/wire/decode.ts";
import type { ServerMessage } from "../src/wire/types.ts";

const ROOT = join(import.meta.dir, "../../..");
const OURS = "bench/dashboard/fixtures/wire";
/** What the node really writes: a test on its side compares these byte for byte. */
const GOLDEN = "src/node/golden";

const names = [OURS, GOLDEN].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(folder, name)),
);
const read = (name: string) =>
  readFileSync(join(ROOT, name.includes("/") ? name : join(OURS, name)), "utf8");

function strictly(name: string): ServerMessage {
  const decoded = decode(read(name), true);
  if (!decoded.ok) throw new Error(`${name}: ${decoded.error}`);
  return decoded.message;
}

describe("samples of the wire", () => {
  test.each(names)("%s has every field of types.ts and no other", (name) => {
    // Decoding keeps known fields only, so equality says that nothing was lost on the way.
    expect(strictly(name) as unknown).toEqual(JSON.parse(read(name)));
  });

  test.each([OURS, GOLDEN])("%s has each message type and each kind of list entry", (folder) => {
    const messages = names.filter((name) => name.startsWith(folder)).map(strictly);
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(["hello", "tick", "error"]));
    const hellos = messages.flatMap((m) => (m.type === "hello" ? [m] : []));
    const frames = messages.flatMap((m) => (m.type === "tick" ? [m.frame] : []));
    expect(hellos.some(({ scenarios }) => scenarios.length > 0)).toBe(true);
    expect(hellos.some(({ profiles }) => profiles.length === 3)).toBe(true);
    expect(hellos.some(({ peers }) => peers.length > 0)).toBe(true);
    expect(frames.some(({ running }) => running)).toBe(true);
    expect(frames.some(({ running, scenario }) => !running && scenario === null)).toBe(true);
    expect(frames.some(({ metrics }) => metrics.length > 0)).toBe(true);
    expect(frames.some(({ observer }) => observer.processes.length > 0)).toBe(true);
  });
});

/** Every path to a leaf or object in a JSON value, list entries by index. */
function paths(value: unknown, here: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...here, Array.isArray(value) ? Number(key) : key];
    return [at, ...paths(inner, at)];
  });
}

function edited(name: string, at: (string | number)[], edit: (parent: never) => void): string {
  const copy: unknown = JSON.parse(read(name));
  const parent = at.slice(0, -1).reduce((inner, key) => (inner as never)[key], copy);
  edit(parent as never);
  return JSON.stringify(copy);
}

describe("drift and damage", () => {
  const samples = ["hello.json", "tick-running.json", "error.json"];
  const places = samples.flatMap((name) =>
    paths(JSON.parse(read(name))).map((at) => [name, at] as const),
  );

  test("a missing field is an error, wherever it is", () => {
    for (const [name, at] of places) {
      const key = at[at.length - 1];
      if (typeof key !== "string") continue;
      const text = edited(name, at, (parent: Record<string, unknown>) => delete parent[key]);
      expect({ at, ok: decode(text).ok }).toEqual({ at, ok: false });
    }
  });

  test("a value of another type is an error, wherever it is", () => {
    for (const [name, at] of places) {
      const key = at[at.length - 1] ?? "";
      const text = edited(name, at, (parent: Record<string, unknown>) => {
        parent[key] = { unexpected: true, list: [] };
      });
      const { ok } = decode(text, true);
      expect({ at, ok }).toEqual({ at, ok: false });
    }
  });

  test("an unknown field is ignored by the page and refused by the drift test", () => {
    const text = JSON.stringify({ type: "error", message: "m", added: 1 });
    expect(decode(text)).toEqual({ ok: true, message: { type: "error", message: "m" } });
    expect(decode(text, true)).toEqual({ ok: false, error: "message: unknown field added" });
  });

  test.each([
    ["not text", new Uint8Array(2)],
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["unknown type", '{"type":"bye"}'],
    ["negative figure", read("tick-idle.json").replace('"ops_per_sec": 0', '"ops_per_sec": -1')],
    ["id as a number", read("tick-running.json").replace(/"id": "(\d+)"/, '"id": $1')],
    ["unknown status", read("tick-running.json").replace('"waiting"', '"asleep"')],
  ])("%s is an error, not a crash", (_name, data) => {
    expect(decode(data).ok).toBe(false);
  });

  test("the error names the place", () => {
    const text = read("tick-running.json").replace('"p50_ns"', '"p50"');
    expect(decode(text)).toEqual({
      ok: false,
      error: "frame.latency.p50_ns: expected a number of 0 or more, got nothing",
    });
  });
});

test("messages to the node are plain JSON", () => {
  expect(encode({ type: "run", scenario: "ping-pong" })).toBe(
    '{"type":"run","scenario":"ping-pong"}',
  );
});
