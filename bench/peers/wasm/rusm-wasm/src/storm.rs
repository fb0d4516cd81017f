// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! module-storm, component-storm and dynamic-wasm: each spawner keeps 100 guests in flight and spawns another whenever
//! one is reaped.
//!
//! Shapes tried on two cores: joined batches of 100 and of 8, and 8 in flight. None was faster by more than the noise.
//! What a guest costs here is the page it touches: one that touches none is two to three times as fast.
//!
//! In dynamic-wasm the bytes are looked up in the library's compile cache before each spawn. That it compiles
//! components only, and takes them inline as text only, is the library's; the text is compiled once, and that is
//! `cold_compile_ns`.

use crate::guests;
use futures_util::stream::{FuturesUnordered, StreamExt};
use harness::{measure_workers, workers, Config, Metric, Worker, SAMPLE_EVERY};
use rusm_otp::{ProcessHandle, Runtime};
use rusm_wasm::{PreparedComponent, PreparedModule, WasmRuntime, DEFAULT_MAX_INSTANCES, DEFAULT_MAX_MEMORY};
use std::sync::Arc;
use std::time::Instant;

const IN_FLIGHT: usize = 100;
const MODULE: &str = include_str!("../../../../guests/module_storm.wat");
const COMPONENT: &str = include_str!("../../../../guests/component_storm.wat");

enum Guest {
    Module(PreparedModule),
    Component(PreparedComponent),
    Dynamic(String),
}

impl Guest {
    async fn spawn(&self, wasm: &WasmRuntime) -> ProcessHandle {
        match self {
            Guest::Module(prepared) => wasm.spawn(prepared),
            Guest::Component(prepared) => wasm.spawn_component(prepared),
            Guest::Dynamic(source) => {
                let prepared = wasm.prepare_dynamic(source, "run").await.expect("it compiled before");
                wasm.spawn_component(&prepared)
            }
        }
    }
}

pub fn modules(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = roomy(config, &runtime);
    let prepared = guests::module(&wasm, MODULE);
    let (checked, spawning) = (prepared.clone(), wasm.clone());
    guests::check_it_runs(&runtime, move || spawning.spawn(&checked));
    run(config, wasm, Guest::Module(prepared))
}

pub fn components(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = roomy(config, &runtime);
    let prepared = wasm.prepare_component_bytes(COMPONENT.as_bytes()).expect("the guest compiles");
    let (checked, spawning) = (prepared.clone(), wasm.clone());
    guests::check_it_runs(&runtime, move || spawning.spawn_component(&checked));
    run(config, wasm, Guest::Component(prepared))
}

pub fn dynamic(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = roomy(config, &runtime);
    let source = format!("inline:{COMPONENT}");
    let start = Instant::now();
    let compiling = wasm.prepare_dynamic(&source, "run");
    let prepared = tokio::runtime::Handle::current().block_on(compiling).expect("the guest compiles");
    let cold = Metric::new("cold_compile_ns", "ns", start.elapsed().as_nanos() as f64);
    let spawning = wasm.clone();
    guests::check_it_runs(&runtime, move || spawning.spawn_component(&prepared));
    let mut metrics = run(config, wasm, Guest::Dynamic(source));
    metrics.push(cold);
    metrics
}

/// A runtime with a pool that holds all that are in flight.
fn roomy(config: &Config, runtime: &Runtime) -> Arc<WasmRuntime> {
    let needed =
        u32::try_from(config.workers).ok().and_then(|n| n.checked_mul(IN_FLIGHT as u32)).expect("fewer spawners");
    let instances = needed.max(DEFAULT_MAX_INSTANCES);
    Arc::new(WasmRuntime::with_limits(runtime.clone(), instances, DEFAULT_MAX_MEMORY).expect("wasm runtime"))
}

fn run(config: &Config, wasm: Arc<WasmRuntime>, guest: Guest) -> Vec<Metric> {
    let spawners = workers(config.workers);
    let guest = Arc::new(guest);
    for spawner in &spawners {
        tokio::spawn(storm(wasm.clone(), guest.clone(), spawner.clone()));
    }
    measure_workers(config, &spawners)
}

async fn storm(wasm: Arc<WasmRuntime>, guest: Arc<Guest>, spawner: Arc<Worker>) {
    let mut in_flight = FuturesUnordered::new();
    let mut spawned = 0;
    loop {
        while in_flight.len() < IN_FLIGHT {
            let timed = (spawned % SAMPLE_EVERY == 0).then(Instant::now);
            spawned += 1;
            let process = guest.spawn(&wasm).await;
            in_flight.push(async move {
                process.join().await;
                timed
            });
        }
        if let Some(Some(start)) = in_flight.next().await {
            spawner.latency.record(start.elapsed().as_nanos() as u64);
        }
        spawner.ops.add(1);
    }
}
