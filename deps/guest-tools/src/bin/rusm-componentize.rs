// SPDX-License-Identifier: MIT
//! Makes a component of a core module, by crate wit-component, with the adapter of WASI preview 1
//! where the module imports that.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rusm_guest_tools::{Args, run, world};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

const USAGE: &str = "usage: rusm-componentize --out FILE [--wit PATH]... [--world NAME] \
[--adapter reactor|command] MODULE
Makes a component of a core module. --wit says what world it is written for, unless the module says so
itself, as bindings in C do. `command` is for a module with main and _start: it exports wasi:cli/run.";

fn componentize() -> Result<()> {
    let args = Args::read(&["--wit", "--world", "--out", "--adapter"])?;
    let input = args.input()?;
    let mut module =
        wat::parse_file(input).with_context(|| format!("cannot read {}", input.display()))?;
    if args.value("--wit").is_some() {
        let (resolve, world) = world(&args)?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    }
    let adapter = match args.value("--adapter") {
        None | Some("reactor") => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        Some("command") => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        Some(other) => bail!("--adapter is reactor or command, not {other}"),
    };
    let component = ComponentEncoder::default()
        .module(&module)?
        .validate(true)
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .encode()?;
    let out = args.required("--out")?;
    std::fs::write(out, component).with_context(|| format!("cannot write {out}"))
}

fn main() -> ExitCode {
    run(USAGE, componentize)
}
