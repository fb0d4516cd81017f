// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { memo, useMemo } from "react";
import { metric, text } from "../lib/format.ts";
import { highlight } from "../lib/highlight.ts";
import type { Metric, ScenarioMeta } from "../wire/types.ts";

interface Props {
  readonly meta: ScenarioMeta;
  readonly metrics: readonly Metric[];
}

/** What exactly is measured, further figures of the run, and the code that does it; folded. */
export function Details({ meta, metrics }: Props) {
  return (
    <section className="panel details">
      <details>
        <summary>What is measured</summary>
        <ul className="prose">
          {meta.details.map((detail) => (
            <li key={detail}>{detail}</li>
          ))}
        </ul>
      </details>
      <details open>
        <summary>Also measured</summary>
        <Metrics metrics={metrics} />
      </details>
      {meta.source !== "" && <Source source={meta.source} file={meta.source_file} />}
    </section>
  );
}

function Metrics({ metrics }: { readonly metrics: readonly Metric[] }) {
  if (metrics.length === 0) return <p className="dim">Nothing beyond the tiles yet.</p>;
  return (
    <dl className="metrics">
      {metrics.map(({ name, unit, value }) => (
        <div key={name}>
          <dt>{spoken(name, unit)}</dt>
          <dd className="num">{text(metric(value, unit))}</dd>
        </div>
      ))}
    </dl>
  );
}

/** "spawn_call_p50_ns" in ns is "spawn call p50": the figure has its unit beside it. */
function spoken(name: string, unit: string): string {
  const bare = name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name;
  return bare.replaceAll("_", " ");
}

const Source = memo(function Source({
  source,
  file,
}: {
  readonly source: string;
  readonly file: string;
}) {
  const tokens = useMemo(() => highlight(source), [source]);
  return (
    <details>
      <summary>
        Source <code>{file}</code>
      </summary>
      <pre className="source" tabIndex={0}>
        <code>
          {tokens.map((token, index) =>
            token.kind === "plain" ? (
              token.text
            ) : (
              <span key={index} className={`t-${token.kind}`}>
                {token.text}
              </span>
            ),
          )}
        </code>
      </pre>
    </details>
  );
});
