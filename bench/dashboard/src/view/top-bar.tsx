// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { clock } from "../lib/format.ts";
import type { State, Theme } from "../state/model.ts";
import { formatRoute, type Route } from "../state/route.ts";
import { linkStatus, type LinkStatus, runningScenario } from "../state/select.ts";
import type { Actions } from "./actions.ts";
import { Shape, type ShapeName } from "./shapes.tsx";

interface Props {
  readonly state: State;
  readonly actions: Actions;
}

export function TopBar({ state, actions }: Props) {
  const { hello, choices } = state;
  return (
    <header className="top">
      <div className="brand">
        <strong>RUSM</strong>
        {hello !== null && (
          <span className="node" title={nodeTitle(state)}>
            {hello.node.name} <span className="dim">{hello.node.version}</span>
          </span>
        )}
      </div>
      <LinkBadge status={linkStatus(state)} onRetry={actions.reconnect} />
      <nav className="views" aria-label="View">
        <ViewLink view="bench" label="Benchmark" current={choices.route} />
        <ViewLink view="observer" label="Observer" current={choices.route} />
      </nav>
      <RunBadge state={state} actions={actions} />
      <ThemeButton theme={choices.theme} onChange={actions.theme} />
      <button
        type="button"
        className="quiet"
        aria-label="Keys"
        aria-expanded={choices.help}
        title="Keys (?)"
        onClick={() => actions.help(!choices.help)}
      >
        ?
      </button>
    </header>
  );
}

function nodeTitle({ hello }: State): string {
  if (hello === null) return "";
  const { machine, commit, dirty, schedulers } = hello.node;
  const tree = dirty ? `${commit} with uncommitted changes` : commit;
  return `${machine.cpu}, ${machine.cores} cores, ${schedulers} schedulers, ${machine.kernel}, commit ${tree}`;
}

function ViewLink({
  view,
  label,
  current,
}: {
  readonly view: Route["view"];
  readonly label: string;
  readonly current: Route;
}) {
  const route: Route =
    view === "bench" ? { view, scenario: null, profile: null } : { view, pid: null };
  return (
    <a href={formatRoute(route)} aria-current={current.view === view ? "page" : undefined}>
      {label}
    </a>
  );
}

const LINK_SHAPES: Readonly<Record<LinkStatus["kind"], ShapeName>> = {
  live: "dot",
  behind: "warn",
  connecting: "ring",
  waiting: "cross",
};

export function linkText(status: LinkStatus): string {
  switch (status.kind) {
    case "live":
      return "live";
    case "behind":
      return `${(status.byMs / 1000).toFixed(1)} s behind`;
    case "connecting":
      return "connecting";
    case "waiting":
      return `reconnecting in ${Math.ceil(status.inMs / 1000)} s`;
  }
}

function LinkBadge({
  status,
  onRetry,
}: {
  readonly status: LinkStatus;
  readonly onRetry: () => void;
}) {
  return (
    <div className={`link link-${status.kind}`} data-link={status.kind}>
      <Shape name={LINK_SHAPES[status.kind]} />
      <span>{linkText(status)}</span>
      {status.kind === "waiting" && (
        <button type="button" className="quiet small" onClick={onRetry}>
          Now
        </button>
      )}
    </div>
  );
}

/** Always there, so that nothing moves when a run begins. */
function RunBadge({ state, actions }: Props) {
  const meta = runningScenario(state);
  const { run } = state;
  if (meta === null || run === null) return <div className="running none">nothing runs</div>;
  return (
    <div className="running">
      <a
        className="running-name"
        href={formatRoute({ view: "bench", scenario: meta.id, profile: null })}
      >
        {meta.label}
      </a>
      <span className="elapsed num">{clock(run.elapsedMs)}</span>
      <button type="button" className="stop" onClick={actions.stop} title="Stop (Esc)">
        <Shape name="square" /> Stop
      </button>
    </div>
  );
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const THEME_NAMES: Readonly<Record<Theme, string>> = {
  auto: "System",
  light: "Light",
  dark: "Dark",
};

function ThemeButton({
  theme,
  onChange,
}: {
  readonly theme: Theme;
  readonly onChange: (theme: Theme) => void;
}) {
  return (
    <button
      type="button"
      className="quiet theme"
      title="Theme (t)"
      aria-label={`Theme: ${THEME_NAMES[theme]}`}
      onClick={() => onChange(NEXT_THEME[theme])}
    >
      {THEME_NAMES[theme]}
    </button>
  );
}

export function nextTheme(theme: Theme): Theme {
  return NEXT_THEME[theme];
}
