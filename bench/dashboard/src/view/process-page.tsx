// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { useMemo } from "react";
import { Chart } from "../chart/chart.tsx";
import { observerSource } from "../chart/source.ts";
import { measureSpec } from "../chart/strip.ts";
import { bytes, clock, count, duration, percent, plural, short, text } from "../lib/format.ts";
import { PROCESS_SERIES } from "../state/history.ts";
import type { State } from "../state/model.ts";
import { formatRoute } from "../state/route.ts";
import type { Row } from "../state/rows.ts";
import { childrenOf } from "../state/tree.ts";
import type { Process } from "../wire/types.ts";
import type { ChartKit } from "./chart-kit.ts";
import { Status } from "./shapes.tsx";
import { processName } from "./supervision-tree.tsx";

interface Props {
  readonly state: State;
  readonly pid: string;
  readonly charts: ChartKit;
}

/** One process: what the node says of it, and its last minute as this page saw it. */
export function ProcessPage({ state, pid, charts }: Props) {
  const opened = state.opened?.process.id === pid ? state.opened : null;
  return (
    <section className="panel process-page" aria-label={`Process ${pid}`}>
      <div className="table-head">
        <a className="back" href={formatRoute({ view: "observer", pid: null })}>
          ← Processes
        </a>
        <h2>
          Process <span className="num">{pid}</span>
        </h2>
        <span className="dim">{opened?.process.name ?? opened?.process.label ?? ""}</span>
      </div>
      {opened === null ? (
        <div className="empty">
          <p>
            The node has not sent a row for this process. It sends 64 of them, those first in the
            order of the table; or the process has ended.
          </p>
        </div>
      ) : (
        <>
          <Facts state={state} process={opened.process} seenMs={opened.seenUptimeMs} />
          <ProcessCharts charts={charts} />
        </>
      )}
    </section>
  );
}

interface FactsProps {
  readonly state: State;
  readonly process: Process;
  readonly seenMs: number;
}

function Facts({ state, process, seenMs }: FactsProps) {
  const unseenMs = (state.frame?.uptime_ms ?? seenMs) - seenMs;
  const fresh = unseenMs < 1000;
  return (
    <dl className={`facts ${fresh ? "" : "stale"}`}>
      <Fact name="State">
        <Status status={process.status} />
        {!fresh && <span className="dim">, last seen {clock(unseenMs)} ago</span>}
      </Fact>
      <Fact name="Kind">{process.supervisor ? `${process.kind}, supervisor` : process.kind}</Fact>
      <Fact name="Where">
        <code>{process.current === "" ? "–" : process.current}</code>
      </Fact>
      <Fact name="Mailbox">{text(count(process.mailbox_depth))} messages</Fact>
      <Fact name="Memory">{text(bytes(process.memory_bytes))}</Fact>
      <Fact name="CPU">{text(duration(process.cpu_ns))}</Fact>
      <Fact name="Reductions">{text(count(process.reductions))}</Fact>
      <Fact name="Scheduler">{process.scheduler + 1}, last</Fact>
      <Fact name="Parent">
        {process.parent === null ? (
          "none: started from outside"
        ) : (
          <Relative id={process.parent} rows={state.rows.list} />
        )}
      </Fact>
      <Fact name="Links">{linkWords(process.links, "link")}</Fact>
      <Fact name="Monitors">{linkWords(process.monitors, "monitor")}</Fact>
      <Fact name="Monitored by">{plural(process.monitored_by, "monitor")} of others</Fact>
      <Fact name="Children known">
        <Children rows={state.rows.list} id={process.id} />
      </Fact>
    </dl>
  );
}

/** A link to walk along. */
function Relative({ id, rows }: { readonly id: string; readonly rows: readonly Row[] }) {
  const row = rows.find(({ process }) => process.id === id);
  return (
    <a className="relative" href={formatRoute({ view: "observer", pid: id })} title={id}>
      {row === undefined ? id : processName(row.process)}
    </a>
  );
}

/** More than these would push all else off the page; the tree has them all. */
const CHILDREN_MAX = 8;

function Children({ id, rows }: { readonly id: string; readonly rows: readonly Row[] }) {
  const children = childrenOf(rows, id);
  const more = children.length - CHILDREN_MAX;
  if (children.length === 0) return "none";
  return (
    <ul className="relatives">
      {children.slice(0, CHILDREN_MAX).map(({ process }) => (
        <li key={process.id}>
          <Relative id={process.id} rows={rows} />
        </li>
      ))}
      {more > 0 && <li className="dim">and {more} more</li>}
    </ul>
  );
}

/** The node tells how many, not yet which ones: there is no list to walk. */
function linkWords(amount: number, one: string): string {
  if (amount === 0) return `no ${one}s`;
  return `${text(count(amount))} ${amount === 1 ? one : `${one}s`}; the list is not sent yet`;
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">{children}</dd>
    </div>
  );
}

const MEASURES = [
  {
    name: "Mailbox",
    series: PROCESS_SERIES.mailbox,
    axis: (value: number) => short(count(value, "msg")),
    exact: (value: number) => plural(value, "message"),
    least: 4,
  },
  {
    name: "CPU",
    series: PROCESS_SERIES.cpu,
    axis: (value: number) => text(percent(value)),
    exact: (value: number) => `${text(percent(value))} of a core`,
    least: 0.2,
  },
  {
    name: "Memory",
    series: PROCESS_SERIES.memory,
    axis: (value: number) => short(bytes(value)),
    exact: (value: number) => text(bytes(value)),
    least: 1000,
  },
] as const;

function ProcessCharts({ charts }: { readonly charts: ChartKit }) {
  const { history, subscribe, theme } = charts;
  const specs = useMemo(() => {
    const source = observerSource(() => history.process);
    return MEASURES.map((measure) => measureSpec(source, measure.series, measure));
  }, [history]);
  return (
    <div className="process-charts">
      {MEASURES.map((measure, index) => {
        const spec = specs[index];
        return spec === undefined ? null : (
          <Chart
            key={measure.name}
            spec={spec}
            label={`${measure.name} over the last minute`}
            theme={theme}
            subscribe={subscribe}
            title={<h3>{measure.name}</h3>}
          />
        );
      })}
    </div>
  );
}
