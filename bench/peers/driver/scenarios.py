# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""The scenarios the driver knows. A new workload is a row here and a file in each peer that has it."""
from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple


@dataclass(frozen=True)
class Scenario:
    name: str
    workers: Tuple[int, ...]  # measured when --workers is not given
    headline: str = "ops_per_sec"
    unit: str = "1/s"
    population: bool = False  # workers is the number of processes, so --workers does not apply
    # Ours is a program of this name beside rusm-bench, for what the page does not show.
    program: Optional[str] = None
    # Metrics of a peer that are compared with one of ours of another name.
    against: Dict[str, str] = field(default_factory=dict, hash=False)


SCENARIOS = {
    s.name: s
    for s in (
        Scenario("spawn-storm", (1, 2)),
        Scenario("ping-pong", (1, 2, 100)),
        Scenario("fault-recovery", (1, 2), against={"bare_ops_per_sec": "ops_per_sec"}),
        Scenario("pubsub-fanout", (1, 2)),
        Scenario("idle", (1_000_000,), headline="bytes_per_process", unit="B", population=True),
        Scenario("byte-streams", (1, 2), program="streams_bench"),
        # Guests of WebAssembly.
        Scenario("module-storm", (1, 2)),
        Scenario("component-storm", (1, 2)),
        Scenario("dynamic-wasm", (1, 2)),
        Scenario("stream-pipe", (1, 2), unit="B/s"),
        Scenario("fairness", (2,)),
        Scenario("custom-bridge", (1, 2)),
        Scenario("guest-ping-pong", (1, 2), program="wasm_bench"),
    )
}
DEFAULT_SCENARIOS = ("spawn-storm", "ping-pong", "fault-recovery", "pubsub-fanout")
