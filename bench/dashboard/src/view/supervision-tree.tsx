// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The processes that the node sent rows for, each under the one that started it. */

import { count, plural, text } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { formatRoute } from "../state/route.ts";
import type { Row } from "../state/rows.ts";
import { type Branch, treeOf } from "../state/tree.ts";
import type { Process } from "../wire/types.ts";
import type { Actions } from "./actions.ts";

interface Props {
  readonly state: State;
  readonly actions: Actions;
}

export function SupervisionTree({ state, actions }: Props) {
  const tree = treeOf(state.rows.list);
  return (
    <section className="panel supervision">
      <h2>Supervision tree</h2>
      {tree.roots.length === 0 ? (
        <p className="dim">{emptyWords(state)}</p>
      ) : (
        <>
          <div
            className="tree"
            onPointerEnter={() => actions.hold(true)}
            onPointerLeave={() => actions.hold(false)}
          >
            <Branches branches={tree.roots} state={state} actions={actions} />
          </div>
          <p className="dim tree-note">{knownWords(state, tree.alone)}</p>
        </>
      )}
    </section>
  );
}

function emptyWords({ rows, choices }: State): string {
  if (!choices.detail) return "Made of the rows of the process table, which are off.";
  if (rows.list.length === 0) return "No rows yet.";
  return `${plural(rows.list.length, "row")}: no supervisor, and none that started another.`;
}

/** What the tree cannot show has to be said: it looks the same as what is not there. */
function knownWords({ rows, frame }: State, alone: number): string {
  const all = frame?.observer.process_count ?? 0;
  const known = rows.list.filter(({ gone }) => !gone).length;
  const range =
    known < all
      ? `Only processes with a row are known: ${known} of ${text(count(all))}.`
      : `All ${plural(known, "process", "processes")} are known.`;
  return alone === 0 ? range : `${range} Not in the tree: ${alone} without parent or children.`;
}

function Branches({ branches, state, actions }: Props & { readonly branches: readonly Branch[] }) {
  return (
    <ul>
      {branches.map((branch) => (
        <Twig key={branch.id} branch={branch} state={state} actions={actions} />
      ))}
    </ul>
  );
}

function Twig({ branch, state, actions }: Props & { readonly branch: Branch }) {
  const { route, closed } = state.choices;
  const { id, row, children, below } = branch;
  const open = !closed.includes(id);
  const here = route.view === "observer" && route.pid === id;
  return (
    <li>
      <div className={`twig ${row?.gone === true ? "row-gone" : ""}`}>
        {children.length === 0 ? (
          <span className="twist" />
        ) : (
          <button
            type="button"
            className="twist"
            aria-expanded={open}
            aria-label={`Children of ${id}`}
            onClick={() => actions.branch(id)}
          >
            {open ? "▾" : "▸"}
          </button>
        )}
        <a
          href={formatRoute({ view: "observer", pid: id })}
          title={id}
          aria-current={here ? "page" : undefined}
        >
          {row === null ? id : processName(row.process)}
        </a>
        {row?.process.supervisor === true && <span className="mark">supervisor</span>}
        <span className="dim">{open ? rowNote(row) : `${below} below`}</span>
      </div>
      {open && children.length > 0 && (
        <Branches branches={children} state={state} actions={actions} />
      )}
    </li>
  );
}

function rowNote(row: Row | null): string {
  if (row === null) return "no row";
  return row.gone ? "gone" : "";
}

export function processName(process: Process): string {
  return process.name ?? process.label ?? process.id;
}
