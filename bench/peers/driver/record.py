# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""One JSON line for each cell, appended to the results file."""
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Dict, List

from .rounds import Cell
from .stats import summarise


def append(path: Path, cells: List[Cell], root: Path, seconds: float, repeats: int) -> None:
    """Writes what was measured; a failed cell has no line."""
    common = {"schema": 1, "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              **commit(root), "machine": machine()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for cell in cells:
            if cell.results:
                file.write(json.dumps({**common, **record(cell, seconds, repeats)}) + "\n")


def record(cell: Cell, seconds: float, repeats: int) -> Dict:
    return {"scenario": cell.scenario.name, "peer": cell.peer.name, "peer_version": cell.results[0].version,
            "flags": cell.peer.flags, "workers": cell.workers, "seconds": seconds, "repeats": repeats,
            "metrics": [metric(cell, name, unit) for name, unit in cell.metrics().items()]}


def metric(cell: Cell, name: str, unit: str) -> Dict:
    summary = summarise(cell.values(name))
    return {"name": name, "unit": unit, "median": summary.median, "min": summary.min, "max": summary.max}


def commit(root: Path) -> Dict:
    head = git(root, "rev-parse", "HEAD")
    return {"commit": head or "unknown", "dirty": bool(git(root, "status", "--porcelain"))}


def git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> Dict:
    return {"cpu": proc_field("/proc/cpuinfo", "model name") or platform.machine(), "cores": cores(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "kernel": platform.release()}


def cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0))


def proc_field(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name)), "")
    except OSError:
        return ""
