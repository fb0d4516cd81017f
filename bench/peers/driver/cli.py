# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""The command line: reads the arguments, runs what is there, prints the tables, appends the results."""
import argparse
import sys
from pathlib import Path
from typing import List

from . import record, rounds, table
from .peers import all_peers
from .scenarios import DEFAULT_SCENARIOS, SCENARIOS


def main(arguments: List[str], root: Path) -> int:
    """0: whatever is installed was measured; 1: a program failed or none was there; 2: bad arguments."""
    options = parse(arguments, root)
    peers = [p for p in all_peers(root, record.cores(), options.ours) if p.name in options.peers]
    cells = present(rounds.plan([SCENARIOS[name] for name in options.scenario], options.workers, peers))
    if not cells:
        print("nothing to measure", file=sys.stderr)
        return 1
    rounds.run(cells, options.seconds, options.repeats)
    print(table.rate_table(cells))
    latencies = table.latency_table(cells)
    if latencies:
        print("\n" + latencies)
    record.append(options.json, cells, root, options.seconds, options.repeats)
    print(f"\nmedian of {options.repeats}, {options.seconds:g} s each; appended to {options.json}")
    return 1 if any(cell.failure for cell in cells) else 0


def present(cells: List[rounds.Cell]) -> List[rounds.Cell]:
    """Those whose program is there; what is not is told, once."""
    missing = [cell.peer.missing(cell.scenario.name) for cell in cells]
    for name, reason in dict.fromkeys((cell.peer.name, reason) for cell, reason in zip(cells, missing) if reason):
        print(f"{name}: absent: {reason}", file=sys.stderr)
    return [cell for cell, reason in zip(cells, missing) if not reason]


def parse(arguments: List[str], root: Path) -> argparse.Namespace:
    names = [p.name for p in all_peers(root, 1)]
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__, allow_abbrev=False)
    parser.add_argument("--scenario", type=some_of(SCENARIOS), default=list(DEFAULT_SCENARIOS), metavar="A,B",
                        help=f"of {', '.join(SCENARIOS)} (default: {','.join(DEFAULT_SCENARIOS)})")
    parser.add_argument("--workers", type=counts, metavar="N,N",
                        help="spawners, pairs, ... (default: the scenario's own; idle has always a million processes)")
    parser.add_argument("--seconds", type=positive(float), default=3.0, help="measured time of a run (default: 3)")
    parser.add_argument("--repeats", type=positive(int), default=5, help="rounds (default: 5)")
    parser.add_argument("--peers", type=some_of(names), default=names, metavar="A,B",
                        help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--json", type=Path, default=root / "build" / "peers" / "results.jsonl", metavar="FILE",
                        help="where results are appended (default: build/peers/results.jsonl)")
    parser.add_argument("--ours", type=Path, metavar="BIN",
                        help="another rusm-bench to measure; wasm_bench is taken from beside it")
    return parser.parse_args(arguments)


def some_of(known):
    def names(text: str) -> List[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return list(dict.fromkeys(chosen))
    return names


def counts(text: str) -> List[int]:
    return list(dict.fromkeys(positive(int)(part) for part in text.split(",")))


def positive(kind):
    def number(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
        return value
    return number
