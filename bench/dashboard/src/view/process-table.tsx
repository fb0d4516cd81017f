// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import type { ChangeEvent } from "react";
import { bytes, count, duration, plural, text } from "../lib/format.ts";
import type { State } from "../state/model.ts";
import { formatRoute } from "../state/route.ts";
import { filterRows, type ProcessKey, type Row, type RowFilter, type Sort } from "../state/rows.ts";
import type { Process, ProcessKind, ProcessStatus } from "../wire/types.ts";
import type { Actions } from "./actions.ts";
import { Status } from "./shapes.tsx";

interface Column {
  readonly key: ProcessKey;
  readonly name: string;
  readonly figure: boolean;
  /** Narrow windows leave these out. */
  readonly minor?: boolean;
  readonly cell: (process: Process) => string;
}

const COLUMNS: readonly Column[] = [
  { key: "id", name: "Process", figure: false, cell: ({ id }) => id },
  {
    key: "name",
    name: "Name",
    figure: false,
    cell: ({ name, label }) => name ?? label ?? "–",
  },
  { key: "kind", name: "Kind", figure: false, minor: true, cell: ({ kind }) => kind },
  { key: "status", name: "State", figure: false, cell: ({ status }) => status },
  {
    key: "mailbox_depth",
    name: "Mailbox",
    figure: true,
    cell: (p) => text(count(p.mailbox_depth)),
  },
  { key: "memory_bytes", name: "Memory", figure: true, cell: (p) => text(bytes(p.memory_bytes)) },
  { key: "cpu_ns", name: "CPU", figure: true, cell: (p) => text(duration(p.cpu_ns)) },
  { key: "reductions", name: "Reductions", figure: true, cell: (p) => text(count(p.reductions)) },
  { key: "links", name: "Links", figure: true, minor: true, cell: (p) => text(count(p.links)) },
  {
    key: "monitors",
    name: "Monitors",
    figure: true,
    minor: true,
    cell: (p) => text(count(p.monitors)),
  },
  { key: "current", name: "Where", figure: false, minor: true, cell: ({ current }) => current },
];

interface Props {
  readonly state: State;
  readonly actions: Actions;
}

export function ProcessTable({ state, actions }: Props) {
  const { rows, choices } = state;
  const shown = filterRows(rows.list, choices.filter);
  return (
    <section className="panel processes" data-detail={choices.detail}>
      <div className="table-head">
        <h2>Processes</h2>
        <DetailSwitch enabled={choices.detail} onChange={actions.detail} />
        <Filters filter={choices.filter} disabled={!choices.detail} onChange={actions.filter} />
        <span className="table-count dim">{countWords(state, shown.length)}</span>
      </div>
      <div
        className="table-scroll"
        onPointerEnter={() => actions.hold(true)}
        onPointerLeave={() => actions.hold(false)}
      >
        <table>
          <Head sort={choices.sort} onSort={actions.sort} />
          <tbody>
            {shown.map((row) => (
              <TableRow key={row.process.id} row={row} />
            ))}
          </tbody>
        </table>
        <Emptiness state={state} shown={shown.length} actions={actions} />
      </div>
    </section>
  );
}

function countWords(state: State, shown: number): string {
  const all = state.frame?.observer.process_count ?? 0;
  if (!state.choices.detail || state.rows.list.length === 0) return "";
  const held = state.choices.held ? ", order held while you point at them" : "";
  return `${shown} shown of ${plural(all, "process", "processes")}${held}`;
}

function DetailSwitch({
  enabled,
  onChange,
}: {
  readonly enabled: boolean;
  readonly onChange: (enabled: boolean) => void;
}) {
  return (
    <label
      className="switch"
      title="Rows are the only costly part of a snapshot: leave them off for clean figures (d)"
    >
      <input type="checkbox" role="switch" checked={enabled} onChange={() => onChange(!enabled)} />
      <span className="switch-track" aria-hidden="true" />
      Detail
    </label>
  );
}

const KINDS: readonly (ProcessKind | "all")[] = ["all", "native", "module", "component", "ts"];
const STATUSES: readonly (ProcessStatus | "all")[] = [
  "all",
  "running",
  "runnable",
  "waiting",
  "finished",
  "crashed",
];

interface FiltersProps {
  readonly filter: RowFilter;
  readonly disabled: boolean;
  readonly onChange: (filter: RowFilter) => void;
}

function Filters({ filter, disabled, onChange }: FiltersProps) {
  return (
    <span className="filters">
      <input
        id="process-filter"
        type="search"
        placeholder="Filter  /"
        aria-label="Filter by name, label, id or place"
        value={filter.text}
        disabled={disabled}
        onChange={(event: ChangeEvent<HTMLInputElement>) =>
          onChange({ ...filter, text: event.target.value })
        }
      />
      <Choice
        label="Kind"
        options={KINDS}
        value={filter.kind}
        disabled={disabled}
        onChange={(kind) => onChange({ ...filter, kind })}
      />
      <Choice
        label="State"
        options={STATUSES}
        value={filter.status}
        disabled={disabled}
        onChange={(status) => onChange({ ...filter, status })}
      />
    </span>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly T[];
  readonly value: T;
  readonly disabled: boolean;
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ label, options, value, disabled, onChange }: ChoiceProps<T>) {
  return (
    <select
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={(event) => {
        const found = options.find((option) => option === event.target.value);
        if (found !== undefined) onChange(found);
      }}
    >
      {options.map((option) => (
        <option key={option} value={option}>
          {option === "all" ? `${label}: all` : option}
        </option>
      ))}
    </select>
  );
}

function Head({
  sort,
  onSort,
}: {
  readonly sort: Sort;
  readonly onSort: (key: ProcessKey) => void;
}) {
  return (
    <thead>
      <tr>
        {COLUMNS.map((column) => {
          const sorted = column.key === sort.key;
          const direction = sort.descending ? "descending" : "ascending";
          return (
            <th
              key={column.key}
              scope="col"
              className={className(column)}
              aria-sort={sorted ? direction : "none"}
            >
              <button type="button" onClick={() => onSort(column.key)}>
                {column.name}
                <span className="arrow" aria-hidden="true">
                  {sorted ? (sort.descending ? "↓" : "↑") : ""}
                </span>
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function className(column: Column): string {
  return `col-${column.key} ${column.figure ? "fig" : ""} ${column.minor === true ? "minor" : ""}`;
}

function TableRow({ row }: { readonly row: Row }) {
  const { process, gone } = row;
  return (
    <tr className={gone ? "row-gone" : ""}>
      {COLUMNS.map((column) => (
        <td key={column.key} className={className(column)}>
          {cell(column, process, gone)}
        </td>
      ))}
    </tr>
  );
}

function cell(column: Column, process: Process, gone: boolean) {
  if (column.key === "id") {
    return (
      <a href={formatRoute({ view: "observer", pid: process.id })} title={process.id}>
        {process.id}
      </a>
    );
  }
  if (column.key === "status") return <Status status={gone ? "gone" : process.status} />;
  return column.cell(process);
}

function Emptiness({
  state,
  shown,
  actions,
}: {
  readonly state: State;
  readonly shown: number;
  readonly actions: Actions;
}) {
  if (shown > 0) return null;
  const { choices, rows, frame } = state;
  if (!choices.detail) {
    return (
      <div className="empty">
        <p>Rows are off, so that figures stay clean.</p>
        <button type="button" onClick={() => actions.detail(true)}>
          Show processes
        </button>
      </div>
    );
  }
  if (rows.list.length > 0) {
    return (
      <div className="empty">
        <p>No process of these {rows.list.length} fits the filter.</p>
        <button
          type="button"
          onClick={() => actions.filter({ text: "", kind: "all", status: "all" })}
        >
          Clear the filter
        </button>
      </div>
    );
  }
  return (
    <div className="empty">
      <p>{frame?.observer.detail === true ? "No processes." : "Asked the node for rows."}</p>
    </div>
  );
}
