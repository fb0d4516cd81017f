// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import type { Row } from "../src/state/rows.ts";
import { type Branch, childrenOf, treeOf } from "../src/state/tree.ts";
import type { Process } from "../src/wire/types.ts";
import { process } from "./sample.ts";

const row = (id: string, parent: string | null, change: Partial<Process> = {}): Row => ({
  process: process(id, { parent, ...change }),
  gone: false,
});

/** "1(2 3(4))": the shape of a tree, with a question mark where there is no row. */
function drawn(branches: readonly Branch[]): string {
  return branches
    .map(({ id, row: known, children }) => {
      const name = known === null ? `${id}?` : id;
      return children.length === 0 ? name : `${name}(${drawn(children)})`;
    })
    .join(" ");
}

describe("the supervision tree", () => {
  test.each<[string, readonly Row[], string, number]>([
    ["no rows", [], "", 0],
    ["processes of which none started another", [row("1", null), row("2", null)], "", 2],
    ["a supervisor without children", [row("1", null, { supervisor: true })], "1", 0],
    [
      "children under their parents, in the order of their numbers",
      [row("10", "2"), row("9", "2"), row("2", "1"), row("1", null), row("3", "1")],
      "1(2(9 10) 3)",
      0,
    ],
    ["a parent without a row", [row("5", "4"), row("6", "4"), row("7", null)], "4?(5 6)", 1],
    [
      "numbers beyond 2^53",
      [row("9007199254740993", "9007199254740992")],
      "9007199254740992?(9007199254740993)",
      0,
    ],
    ["a process that is its own parent", [row("1", "1")], "", 1],
    ["parents in a circle", [row("1", "2"), row("2", "1"), row("4", "3")], "3?(4)", 2],
  ])("%s", (_name, rows, shape, alone) => {
    const tree = treeOf(rows);
    expect({ shape: drawn(tree.roots), alone: tree.alone }).toEqual({ shape, alone });
  });

  test("it counts what is below a branch", () => {
    const [root] = treeOf([row("1", null), row("2", "1"), row("3", "2"), row("4", "2")]).roots;
    expect(root?.below).toBe(3);
    expect(root?.children[0]?.below).toBe(2);
  });

  test("each row stands in it once, even if a node sends an id twice", () => {
    const twice = Array.from({ length: 40 }, (_, i) => [
      row(`${i + 1}`, i === 0 ? null : `${i}`),
      row(`${i + 1}`, i === 0 ? null : `${i}`),
    ]).flat();
    expect(treeOf(twice).roots[0]?.below).toBe(39);
  });

  test("the children of one process", () => {
    const rows = [row("12", "1"), row("2", "1"), row("3", "2"), row("1", null)];
    expect(childrenOf(rows, "1").map(({ process: { id } }) => id)).toEqual(["2", "12"]);
    expect(childrenOf(rows, "3")).toEqual([]);
  });
});
