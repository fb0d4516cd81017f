// SPDX-License-Identifier: MIT
//! What the tools share: arguments, and WIT packages by path.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wit_parser::{PackageId, Resolve, WorldId};

/// The arguments of a tool: options that take a value, each as often as one likes, and the rest.
pub struct Args {
    options: Vec<(String, String)>,
    pub rest: Vec<PathBuf>,
}

impl Args {
    /// Reads the command line; `known` are the options that there are.
    pub fn read(known: &[&str]) -> Result<Args> {
        let mut args = Args { options: Vec::new(), rest: Vec::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                args.rest.push(word.into());
            } else if known.contains(&word.as_str()) {
                let value = words.next().with_context(|| format!("{word} needs a value"))?;
                args.options.push((word, value));
            } else {
                bail!("{word} is no option of this tool");
            }
        }
        Ok(args)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |option| option.0 == name).map(|option| option.1.as_str())
    }

    /// The value given last.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).last()
    }

    pub fn required<'a>(&'a self, name: &'a str) -> Result<&'a str> {
        self.value(name).with_context(|| format!("{name} is missing"))
    }

    /// The one argument that is no option.
    pub fn input(&self) -> Result<&PathBuf> {
        match self.rest.as_slice() {
            [one] => Ok(one),
            other => bail!("one input file is wanted, {} are given", other.len()),
        }
    }
}

/// Reads the packages given by `--wit`, a file or a folder each, those that others need first, and
/// finds `--world` in the last.
pub fn world(args: &Args) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let mut package: Option<PackageId> = None;
    for path in args.all("--wit") {
        package = Some(resolve.push_path(path).with_context(|| format!("cannot read {path}"))?.0);
    }
    let package = package.context("--wit is missing")?;
    let world = resolve.select_world(&[package], args.value("--world"))?;
    Ok((resolve, world))
}

/// Runs a tool: exit code 0, or 1 with what went wrong, or 2 with how to use it if nothing is given.
pub fn run(usage: &str, tool: impl FnOnce() -> Result<()>) -> ExitCode {
    if std::env::args().len() < 2 {
        eprintln!("{usage}");
        return ExitCode::from(2);
    }
    match tool() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let name = usage.split_whitespace().nth(1).unwrap_or_default();
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
