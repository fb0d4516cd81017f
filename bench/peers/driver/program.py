# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""Runs a program once and reads its result line."""
import json
import math
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import Dict, List, Tuple

# What would change a peer behind the driver's back: backtraces make every Rust crash slow, the others are tuning.
UNSET = ("RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "WASMTIME_BACKTRACE_DETAILS", "TOKIO_WORKER_THREADS", "GOGC", "GODEBUG",
         "GOMAXPROCS", "GOMEMLIMIT", "ERL_FLAGS", "ERL_AFLAGS", "ERL_ZFLAGS", "ERL_LIBS", "MALLOC_ARENA_MAX", "LD_PRELOAD")


class RunError(Exception):
    """The program gave no usable result."""


@dataclass(frozen=True)
class Result:
    version: str
    metrics: Dict[str, Tuple[str, float]]  # name -> (unit, value)


def environment() -> Dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, "ERL_CRASH_DUMP_SECONDS": "0"}  # no dump file in the working directory


def run(command: List[str], scenario: str, headline: str, timeout: float) -> Result:
    """Starts the program in a session of its own, so that on a timeout its children go with it."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", env=environment(), start_new_session=True)
    except OSError as error:
        raise RunError(f"cannot start: {error}") from error
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RunError(f"still running after {timeout:g} s, killed") from None
    finally:
        if process.poll() is None:  # a timeout, or the user pressed Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        raise RunError(f"{ending(process.returncode)}{last_line(err, prefix=': ')}")
    return parse(last_line(out), scenario, headline)


def ending(returncode: int) -> str:
    return f"exit status {returncode}" if returncode > 0 else f"killed by signal {-returncode}"


def last_line(text: str, prefix: str = "") -> str:
    lines = text.strip().splitlines()
    return prefix + lines[-1].strip() if lines else ""


def parse(line: str, scenario: str, headline: str) -> Result:
    """Checks and reads a result line; a metric has a `value`, or rusm-bench's `median`."""
    try:
        record = json.loads(line)
    except ValueError:
        raise RunError(f"last line is not JSON: {line[:80]!r}") from None
    try:
        if record["schema"] != 1 or record["scenario"] != scenario:
            raise RunError(f"result is of schema {record['schema']}, scenario {record['scenario']}")
        metrics = {m["name"]: (m["unit"], float(m["median"] if "median" in m else m["value"]))
                   for m in record["metrics"]}
        version = str(record.get("peer_version") or record.get("commit") or "unknown")
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"result line lacks something: {error!r}") from None
    if headline not in metrics:
        raise RunError(f"result has no {headline}")
    for name, (_, value) in metrics.items():
        if not math.isfinite(value) or value < 0:
            raise RunError(f"{name} is {value}")
    if metrics[headline][1] == 0:
        raise RunError(f"{headline} is 0: it did no work")
    return Result(version, metrics)
