// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Who started whom, as far as the rows tell. A node sends some of its processes only, so the parent
 * of a row may not be among them: it then stands in the tree by its number alone. A process with
 * neither parent nor children is no part of the tree, unless it is a supervisor.
 */

import { compareIds, type Row } from "./rows.ts";

export interface Branch {
  readonly id: string;
  /** Null: no row tells more of it than its number. */
  readonly row: Row | null;
  /** In the order of their numbers, so that they keep their places. */
  readonly children: readonly Branch[];
  /** Rows below it, at any depth. */
  readonly below: number;
}

export interface Tree {
  readonly roots: readonly Branch[];
  /** Rows that are no part of it. */
  readonly alone: number;
}

export function treeOf(rows: readonly Row[]): Tree {
  const byId = new Map(rows.map((row) => [row.process.id, row]));
  // One row an id: each then has one parent, and nothing stands in the tree twice.
  const families = childIds(byId.values());
  const branch = (id: string): Branch => {
    const children = (families.get(id) ?? []).map(branch);
    const below = children.reduce((sum, child) => sum + 1 + child.below, 0);
    return { id, row: byId.get(id) ?? null, children, below };
  };
  const unknown = [...families.keys()].filter((id) => !byId.has(id));
  const first = rows.filter(
    ({ process }) => process.parent === null && (process.supervisor || families.has(process.id)),
  );
  const ids = [...unknown, ...first.map(({ process }) => process.id)].sort(compareIds);
  const roots = ids.map(branch);
  const placed = roots.reduce((sum, root) => sum + root.below + (root.row === null ? 0 : 1), 0);
  return { roots, alone: rows.length - placed };
}

/** The rows whose parent is `id`, in the order of their numbers. */
export function childrenOf(rows: readonly Row[], id: string): readonly Row[] {
  return rows
    .filter(({ process }) => process.parent === id)
    .sort((a, b) => compareIds(a.process.id, b.process.id));
}

function childIds(rows: Iterable<Row>): ReadonlyMap<string, readonly string[]> {
  const families = new Map<string, string[]>();
  for (const { process } of rows) {
    if (process.parent === null) continue;
    const siblings = families.get(process.parent);
    if (siblings === undefined) families.set(process.parent, [process.id]);
    else siblings.push(process.id);
  }
  for (const siblings of families.values()) siblings.sort(compareIds);
  return families;
}
