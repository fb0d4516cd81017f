# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""Round-robin: repeat 1 of every peer, then repeat 2 of every peer, so that noise of the machine hits all alike."""
import sys
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional

from . import program
from .peers import WARMUP_SECONDS, Peer
from .scenarios import Scenario

# Above warm-up and measured time: starting, a million idle processes, a second part of a scenario.
GRACE_SECONDS = 60


@dataclass
class Cell:
    """All repeats of one peer on one scenario with one number of workers."""
    scenario: Scenario
    workers: int
    peer: Peer
    results: List[program.Result] = field(default_factory=list)
    failure: Optional[str] = None

    def metrics(self) -> Dict[str, str]:
        """Names and units, the headline first."""
        units = {name: unit for name, (unit, _) in self.results[0].metrics.items()} if self.results else {}
        return dict(sorted(units.items(), key=lambda item: item[0] != self.scenario.headline))

    def values(self, metric: str) -> List[float]:
        return [r.metrics[metric][1] for r in self.results if metric in r.metrics]


def plan(scenarios: List[Scenario], workers: Optional[List[int]], peers: List[Peer]) -> List[Cell]:
    return [
        Cell(scenario, count, peer)
        for scenario in scenarios
        for count in (workers if workers and not scenario.population else scenario.workers)
        for peer in peers
        if scenario.name in peer.scenarios
    ]


def run(cells: List[Cell], seconds: float, repeats: int, say: Optional[Callable[[str], None]] = None,
        grace: float = GRACE_SECONDS) -> None:
    """Fills the cells. A cell that failed once is not tried again and keeps no numbers: half a cell compares badly."""
    say = say or (lambda text: print(text, file=sys.stderr, flush=True))
    # A scenario may measure two parts, each with its warm-up.
    timeout = 2 * (WARMUP_SECONDS + seconds) + grace
    for repeat in range(1, repeats + 1):
        for cell in cells:
            if cell.failure:
                continue
            label = f"{repeat}/{repeats} {cell.scenario.name} workers={cell.workers} {cell.peer.name}"
            try:
                command = cell.peer.command(cell.scenario.name, cell.workers, seconds)
                result = program.run(command, cell.scenario.name, cell.scenario.headline, timeout)
            except program.RunError as error:
                cell.failure, cell.results = str(error), []
                say(f"{label}: FAILED: {error}")
            else:
                cell.results.append(result)
                say(f"{label}: {result.metrics[cell.scenario.headline][1]:,.0f} {cell.scenario.unit}")
