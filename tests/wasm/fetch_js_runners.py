# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""fetch_js_runners.py OUTDIR: put the two JavaScript runners of crate rusm-wasm 0.7.0 into OUTDIR.

They are components of the reference, used as black boxes to show that what was built for it runs
here. cargo downloads the crate and checks it; nothing of it is kept in the project.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CRATE, VERSION = "rusm-wasm", "0.7.0"
RUNNERS = ("js_runner.wasm", "js_http_runner.wasm")
MANIFEST = f"""[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[dependencies]
{CRATE} = "={VERSION}"
"""


def crate_folder(scratch):
    (scratch / "Cargo.toml").write_text(MANIFEST)
    (scratch / "lib.rs").write_text("")
    env = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--quiet"],
        cwd=scratch, env=env, check=True, capture_output=True, text=True,
    ).stdout
    package = next(p for p in json.loads(metadata)["packages"] if p["name"] == CRATE)
    return Path(package["manifest_path"]).parent


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    out = Path(sys.argv[1])
    if all((out / name).is_file() for name in RUNNERS):
        return 0
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = crate_folder(Path(scratch))
        for name in RUNNERS:
            part = out / f"{name}.part"
            shutil.copyfile(folder / "runtimes" / name, part)
            part.rename(out / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
