# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""The tables that are printed at the end."""
from typing import List

from .rounds import Cell
from .stats import ratios, summarise

LATENCIES = ("p50_ns", "p95_ns", "p99_ns", "p999_ns")


def rate_table(cells: List[Cell]) -> str:
    """The headline of each cell, and below it what else the peer counted."""
    rows = [["scenario", "workers", "peer", "metric", "median", "min", "max", "spread", "ours/peer (min-max)"]]
    for cell in cells:
        start = [cell.scenario.name, str(cell.workers), cell.peer.name]
        if cell.failure:
            rows.append(start + [f"failed: {cell.failure}"])
        rows += [start + rate(metric, cell, cells) for metric in cell.metrics() if metric not in LATENCIES]
    return layout(rows, left=4)


def rate(metric: str, cell: Cell, cells: List[Cell]) -> List[str]:
    summary = summarise(cell.values(metric))
    return [metric, number(summary.median), number(summary.min), number(summary.max),
            f"{summary.spread_percent:.0f} %", ratio_to(metric, cell, cells)]


def ratio_to(metric: str, cell: Cell, cells: List[Cell]) -> str:
    ours = next((c for c in cells if c.peer.name == "ours" and c.scenario is cell.scenario
                 and c.workers == cell.workers), None)
    if ours is None or ours is cell:
        return ""
    counterpart = cell.scenario.against.get(metric, metric)
    ratio = ratios(ours.values(counterpart), cell.values(metric))
    return f"{ratio.median:.2f} ({ratio.min:.2f}-{ratio.max:.2f})" if ratio else ""


def latency_table(cells: List[Cell]) -> str:
    """Medians over the repeats; empty when nobody measured a latency."""
    rows = [["scenario", "workers", "peer", "p50 ns", "p95 ns", "p99 ns", "p99.9 ns"]]
    for cell in cells:
        if cell.values(LATENCIES[0]):
            medians = [cell.values(name) and number(summarise(cell.values(name)).median) for name in LATENCIES]
            rows.append([cell.scenario.name, str(cell.workers), cell.peer.name] + [m or "" for m in medians])
    return layout(rows, left=3) if len(rows) > 1 else ""


def number(value: float) -> str:
    return f"{value:.3g}" if 0 < value < 100 and value != int(value) else f"{value:,.0f}"


def layout(rows: List[List[str]], left: int) -> str:
    """Aligns columns, the first `left` to the left. A row may be short: its last cell is then free in width."""
    columns = len(rows[0])
    widths = [max(len(row[i]) for row in rows if i < len(row) - (len(row) < columns)) for i in range(columns)]
    lines = []
    for row in rows:
        aligned = [text.ljust(width) if i < left else text.rjust(width)
                   for i, (text, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)
