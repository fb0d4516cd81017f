// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! module-storm and component-storm: store, instance, call, drop, one after the other on each thread. Imports are
//! resolved and the export is found once.

use crate::run_to_end;
use harness::{Worker, SAMPLE_EVERY};
use std::sync::Arc;
use std::time::Instant;
use wasmtime::{component, Engine, Error, Linker, Module, Result, Store};

const MODULE: &str = include_str!("../../../../guests/module_storm.wat");
const COMPONENT: &str = include_str!("../../../../guests/component_storm.wat");

pub fn modules(engine: &Engine, worker: Arc<Worker>) -> Result<()> {
    let module = Module::new(engine, MODULE)?;
    let prepared = Linker::new(engine).instantiate_pre(&module)?;
    let run = module.get_export_index("run").ok_or_else(no_run)?;
    run_to_end(storm(&worker, async || {
        let mut store = Store::new(engine, ());
        let instance = prepared.instantiate_async(&mut store).await?;
        let run = instance.get_module_export(&mut store, &run).and_then(|run| run.into_func()).ok_or_else(no_run)?;
        run.typed::<(), ()>(&store)?.call_async(&mut store, ()).await
    }))
}

pub fn components(engine: &Engine, worker: Arc<Worker>) -> Result<()> {
    let component = component::Component::new(engine, COMPONENT)?;
    let prepared = component::Linker::new(engine).instantiate_pre(&component)?;
    let run = component.get_export_index(None, "run").ok_or_else(no_run)?;
    run_to_end(storm(&worker, async || {
        let mut store = Store::new(engine, ());
        let instance = prepared.instantiate_async(&mut store).await?;
        instance.get_typed_func::<(), ()>(&mut store, run)?.call_async(&mut store, ()).await
    }))
}

async fn storm(worker: &Worker, run_guest: impl AsyncFn() -> Result<()>) -> Result<()> {
    loop {
        let start = Instant::now();
        run_guest().await?;
        worker.latency.record(start.elapsed().as_nanos() as u64);
        for _ in 1..SAMPLE_EVERY {
            run_guest().await?;
        }
        worker.ops.add(SAMPLE_EVERY);
    }
}

fn no_run() -> Error {
    Error::msg("the guest does not export the function run")
}
