// SPDX-License-Identifier: MIT
//! C bindings of a WIT world, by crate wit-bindgen-c: WORLD.h, WORLD.c and WORLD_component_type.o.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rusm_guest_tools::{Args, run, world};
use wit_bindgen_core::Files;

const USAGE: &str = "usage: rusm-wit-c --wit PATH [--wit PATH]... [--world NAME] --out FOLDER
Writes C bindings of the world in the last PATH; the others are packages that it needs.";

fn bindings() -> Result<()> {
    let args = Args::read(&["--wit", "--world", "--out"])?;
    let out = Path::new(args.required("--out")?);
    let (mut resolve, world) = world(&args)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for (name, content) in files.iter() {
        let path = out.join(name);
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    run(USAGE, bindings)
}
