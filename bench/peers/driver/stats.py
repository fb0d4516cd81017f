# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""Median, spread and per-round ratios."""
from dataclasses import dataclass
from statistics import median
from typing import List, Optional


@dataclass(frozen=True)
class Summary:
    median: float
    min: float
    max: float

    @property
    def spread_percent(self) -> float:
        """From the lowest to the highest, in parts of the median."""
        return 100 * (self.max - self.min) / self.median if self.median else 0.0


def summarise(values: List[float]) -> Summary:
    return Summary(median(values), min(values), max(values))


def ratios(ours: List[float], peer: List[float]) -> Optional[Summary]:
    """Ours through the peer's, round by round: the two runs of a round saw nearly the same machine."""
    per_round = [mine / theirs for mine, theirs in zip(ours, peer) if theirs]
    return summarise(per_round) if per_round else None
