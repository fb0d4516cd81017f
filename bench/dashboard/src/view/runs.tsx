// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { memo } from "react";
import { clock, day, duration, plural, rate, spread, text, timeOfDay } from "../lib/format.ts";
import { relativeSpread } from "../lib/stat.ts";
import { compareRuns, type Ratio } from "../state/compare.ts";
import type { State } from "../state/model.ts";
import type { RunRecord } from "../state/run.ts";
import type { Actions } from "./actions.ts";

interface Props {
  readonly state: State;
  readonly actions: Actions;
}

/** Runs so far, kept in this browser. Two of them can be set against each other. */
export function Runs({ state, actions }: Props) {
  const { runs } = state;
  const { compared } = state.choices;
  const chosen = runs.filter((run) => compared.includes(run.id));
  return (
    <aside className="runs" aria-label="Runs so far">
      <h2>Runs so far</h2>
      <Compare chosen={chosen} some={runs.length > 0} />
      {runs.length === 0 ? (
        <p className="dim">A run is kept here when it ends, in this browser only.</p>
      ) : (
        <ul>
          {runs.map((run) => (
            <Entry
              key={run.id}
              run={run}
              chosen={compared.includes(run.id)}
              today={day(state.nowMs)}
              actions={actions}
            />
          ))}
        </ul>
      )}
    </aside>
  );
}

interface EntryProps {
  readonly run: RunRecord;
  readonly chosen: boolean;
  readonly today: string;
  readonly actions: Actions;
}

const Entry = memo(function Entry({ run, chosen, today, actions }: EntryProps) {
  const started = Date.parse(run.time);
  const when = day(started) === today ? timeOfDay(started) : day(started);
  return (
    <li className={chosen ? "run-entry chosen" : "run-entry"} title={originOf(run)}>
      <label>
        <input type="checkbox" checked={chosen} onChange={() => actions.compare(run.id)} />
        <span className="run-label">{run.label}</span>
        <span className="run-value num">{text(rate(run.ops.mean, run.unit))}</span>
        <span className="run-note">
          {when} · {clock(run.seconds * 1000)} · {run.profile}
          {" · "}
          {spread(relativeSpread(run.ops.mean, run.ops.sd))}
          {run.end === "stopped" || run.end === "replaced" ? "" : ` · ${run.end}`}
        </span>
      </label>
      <span className="run-actions">
        <button type="button" className="quiet small" onClick={() => actions.exportRun(run)}>
          Export
        </button>
        <button
          type="button"
          className="quiet small"
          aria-label={`Delete the run of ${when}`}
          onClick={() => actions.deleteRun(run.id)}
        >
          Delete
        </button>
      </span>
    </li>
  );
});

/** What a figure is worth depends on where it comes from. */
function originOf({ machine, version, commit, dirty, workers }: RunRecord): string {
  const tree = dirty ? `${commit} with uncommitted changes` : commit;
  return `${plural(workers, "worker")} on ${machine.cpu}, ${machine.cores} cores; ${version}, ${tree}`;
}

function Compare({
  chosen,
  some,
}: {
  readonly chosen: readonly RunRecord[];
  readonly some: boolean;
}) {
  const [one, other] = chosen;
  if (one === undefined || other === undefined) {
    return some ? (
      <p className="compare-hint dim">
        {one === undefined ? "Select two to compare." : "Select one more to compare."}
      </p>
    ) : null;
  }
  const result = compareRuns(one, other);
  return (
    <section className="compare" aria-label="Comparison of two runs">
      <p className="compare-head">
        <span className="num">{result.ops === null ? "–" : `${result.ops.value.toFixed(3)}×`}</span>{" "}
        <strong>{result.verdict}</strong>
      </p>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">{timeOfDay(Date.parse(result.first.time))}</th>
            <th scope="col">{timeOfDay(Date.parse(result.second.time))}</th>
            <th scope="col">ratio</th>
          </tr>
        </thead>
        <tbody>
          <CompareRow
            name="rate"
            first={text(rate(result.first.ops.mean, result.first.unit))}
            second={text(rate(result.second.ops.mean, result.second.unit))}
            ratio={result.ops}
          />
          <CompareRow
            name="spread"
            first={spread(relativeSpread(result.first.ops.mean, result.first.ops.sd))}
            second={spread(relativeSpread(result.second.ops.mean, result.second.ops.sd))}
            ratio={null}
          />
          <CompareRow
            name="p50"
            first={nanoseconds(result.first.latency?.p50_ns)}
            second={nanoseconds(result.second.latency?.p50_ns)}
            ratio={result.p50}
          />
          <CompareRow
            name="p99"
            first={nanoseconds(result.first.latency?.p99_ns)}
            second={nanoseconds(result.second.latency?.p99_ns)}
            ratio={result.p99}
          />
        </tbody>
      </table>
      {result.ops?.spread != null && (
        <p className="dim">Ratio {spread(result.ops.spread)} by the spread of both.</p>
      )}
      {result.caveats.length > 0 && <p className="caveats">{result.caveats.join(", ")}</p>}
    </section>
  );
}

interface CompareRowProps {
  readonly name: string;
  readonly first: string;
  readonly second: string;
  readonly ratio: Ratio | null;
}

function CompareRow({ name, first, second, ratio }: CompareRowProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="num">{first}</td>
      <td className="num">{second}</td>
      <td className="num">{ratio === null ? "" : `${ratio.value.toFixed(3)}×`}</td>
    </tr>
  );
}

function nanoseconds(value: number | undefined): string {
  return value === undefined ? "–" : text(duration(value));
}
