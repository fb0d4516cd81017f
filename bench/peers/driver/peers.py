# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""The programs that are measured: where each one is, how it is started, what to do when it is missing.

A new peer is a subclass and a line in `all_peers`.
"""
import shutil
from pathlib import Path
from typing import List, Optional

from .scenarios import SCENARIOS

INSTALL = "run bench/peers/install"
NATIVE = ("spawn-storm", "ping-pong", "fault-recovery", "pubsub-fanout", "idle")
GUESTS = ("module-storm", "component-storm", "dynamic-wasm", "stream-pipe", "fairness", "custom-bridge",
          "guest-ping-pong")
WARMUP_SECONDS = 2  # rusm-bench's own; the peers are told to do the same


class Peer:
    """A program that prints its result as one JSON line, the last on stdout."""

    name: str
    flags = ""  # how it is built and started, for the record
    scenarios = frozenset(SCENARIOS)

    def missing(self, scenario: str) -> Optional[str]:
        """Why it cannot run the scenario and what to do about it; None when it can."""
        raise NotImplementedError

    def command(self, scenario: str, workers: int, seconds: float) -> List[str]:
        raise NotImplementedError


class Ours(Peer):
    name = "ours"
    flags = "profile max"

    def __init__(self, binary: Path):
        self.binary = binary

    def program(self, scenario: str) -> Path:
        """rusm-bench, or what stands beside it for this scenario."""
        name = SCENARIOS[scenario].program
        return self.binary.with_name(name) if name else self.binary

    def missing(self, scenario):
        program = self.program(scenario)
        if shutil.which(str(program)):
            return None
        return f"{program} is not there; run make build, or name another rusm-bench with --ours"

    def command(self, scenario, workers, seconds):
        program = str(self.program(scenario))
        if SCENARIOS[scenario].population:
            return [program, scenario, str(workers), "--json"]
        if SCENARIOS[scenario].program:
            return [program, scenario, f"{seconds:g}", "--workers", str(workers), "--json"]
        return [program, "run", scenario, f"{seconds:g}", "max", "--workers", str(workers), "--json"]


class Program(Peer):
    """A peer that is one executable, built by one tool."""

    def __init__(self, name: str, binary: Path, cores: int, tool: str, flags: str, scenarios):
        self.name, self.binary, self.cores, self.tool, self.flags = name, binary, cores, tool, flags
        self.scenarios = frozenset(scenarios)

    def missing(self, scenario):
        if shutil.which(str(self.binary)):
            return None
        if not shutil.which(self.tool):
            return f"not built, and no {self.tool} to build it with; {INSTALL}: it says what to install"
        return f"not built; {INSTALL}"

    def start(self) -> List[str]:
        return [str(self.binary)]

    def command(self, scenario, workers, seconds):
        return self.start() + [scenario, "--workers", str(workers), "--seconds", f"{seconds:g}",
                               "--warmup", str(WARMUP_SECONDS), "--cores", str(self.cores)]


class Beam(Program):
    """Erlang: modules in a folder, run by the emulator."""

    def __init__(self, folder: Path, cores: int):
        emulator_flags = f"+S {cores}:{cores} +P 5000000"
        super().__init__("beam", folder / "bench_peer.beam", cores, "erlc", emulator_flags, NATIVE)
        self.folder = folder

    def missing(self, scenario):
        if not shutil.which("erl"):
            return f"no erl; {INSTALL}, or install Erlang/OTP (Debian: erlang-base)"
        return None if self.binary.is_file() else f"not built; {INSTALL}"

    def start(self):
        return ["erl", *self.flags.split(), "-noshell", "-pa", str(self.folder),
                "-run", "bench_peer", "main", "-extra"]


def all_peers(root: Path, cores: int, ours: Optional[Path] = None) -> List[Peer]:
    """Every peer, in the order of the table; `root` is the top of the source tree."""
    build = root / "build" / "peers"
    rust_flags = "release, lto=fat, codegen-units=1, panic=unwind"
    return [
        Ours(ours or root / "build" / "release" / "bin" / "rusm-bench"),
        Program("rusm", build / "rust" / "release" / "peer-rusm", cores, "cargo", rust_flags,
                [*NATIVE, "byte-streams"]),
        Beam(build / "beam", cores),
        Program("go", build / "go" / "peer-go", cores, "go", "GOGC=100",
                ["spawn-storm", "ping-pong", "idle"]),
        Program("tokio", build / "rust" / "release" / "peer-tokio", cores, "cargo", rust_flags,
                ["spawn-storm", "ping-pong", "idle"]),
        Program("rusm-wasm", build / "wasm" / "release" / "peer-rusm-wasm", cores, "cargo", rust_flags, GUESTS),
        Program("wasmtime", build / "wasm" / "release" / "peer-wasmtime", cores, "cargo", rust_flags,
                ["module-storm", "component-storm", "custom-bridge"]),
    ]
