// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! The `wasmtime` peer: bare Wasmtime, nothing else. It is the floor under every runtime on it: no processes, no
//! mailboxes, no capabilities, one guest after the other.
//!
//! As fast as it was found to go: an engine per thread (in a shared one, threads wait for each other's page faults),
//! the pooling allocator, a slot reset by PAGEMAP_SCAN, which tells the touched pages, and 64 KiB kept resident, so
//! that they are zeroed in place. Calls are async, on a stack of their own, as a runtime needs them in order to suspend
//! a guest; nothing here ever suspends.

mod custom_bridge;
mod storm;

use harness::{measure_workers, workers, Config, Worker};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// As in Cargo.lock; a test keeps the two together.
const VERSION: &str = "48.0.8";

/// Instances a thread has room for; it needs one at a time.
const SLOTS: u32 = 16;
const MEMORY_BYTES_MAX: usize = 16 << 20;
const KEPT_RESIDENT_BYTES: usize = 64 << 10;

/// What a thread runs; it only comes back with an error.
type Workload = fn(&Engine, Arc<Worker>) -> Result<()>;

fn main() {
    let config = Config::from_args();
    let workload: Workload = match config.workload.as_str() {
        "module-storm" => storm::modules,
        "component-storm" => storm::components,
        "custom-bridge" => custom_bridge::run,
        other => {
            eprintln!("wasmtime has no workload {other}");
            std::process::exit(2);
        }
    };
    let threads = workers(config.workers);
    for thread in &threads {
        let thread = thread.clone();
        std::thread::spawn(move || {
            let error = engine().and_then(|engine| workload(&engine, thread)).expect_err("a workload never ends");
            eprintln!("wasmtime: {error:?}");
            std::process::exit(1);
        });
    }
    let metrics = measure_workers(&config, &threads);
    harness::print_result(&config, "wasmtime", VERSION, &metrics);
    // The workload never ends by itself; there is nothing to save.
    std::process::exit(0);
}

/// Fails on a kernel without PAGEMAP_SCAN (Linux 6.7): the floor is not the same there.
fn engine() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(SLOTS)
        .total_component_instances(SLOTS)
        .total_memories(SLOTS)
        .total_tables(SLOTS)
        .total_stacks(SLOTS)
        .max_memory_size(MEMORY_BYTES_MAX)
        .linear_memory_keep_resident(KEPT_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Yes);
    let mut config = wasmtime::Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Runs a future that has nothing to wait for.
fn run_to_end<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here can suspend a guest"),
    }
}
