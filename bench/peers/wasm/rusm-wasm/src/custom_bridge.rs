// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Component guests that call `greet("World")` for ever. One op is one call answered.
//!
//! The bridge is an extension of the library's linker, and asks for its own grant at each call, as the library's own
//! bridges do. Guests move between threads, so calls are counted by thread.

use harness::{measure_workers, workers, Config, Metric};
use rusm_otp::Runtime;
use rusm_wasm::wasmtime::{Error, StoreContextMut};
use rusm_wasm::{BridgeHost, Capabilities, WasmRuntime};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

const GUEST: &str = include_str!("../../../../guests/custom_bridge.wat");
const INTERFACE: &str = "bench:bridge/greeter@0.1.0";
const GRANT: &str = "greeter";

static THREADS_SEEN: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static THREAD: usize = THREADS_SEEN.fetch_add(1, Relaxed);
    static TIMED: Cell<Option<(u64, Instant)>> = const { Cell::new(None) };
}

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let threads = workers(config.cores as u64);
    let counting = threads.clone();
    let wasm = WasmRuntime::with_bridges(runtime, move |linker| {
        let threads = counting.clone();
        linker.instance(INTERFACE)?.func_wrap(
            "greet",
            move |store: StoreContextMut<'_, BridgeHost>, (name,): (String,)| {
                let host = store.data();
                if !host.caps().allows_bridge(GRANT) {
                    return Err(Error::msg("the guest may not use this bridge"));
                }
                let thread = &threads[THREAD.with(|thread| *thread)];
                TIMED.with(|timed| thread.count_call(host.pid(), timed));
                Ok((format!("Hello, {name}!"),))
            },
        )
    })
    .expect("wasm runtime");
    let guest = wasm.prepare_component_bytes(GUEST.as_bytes()).expect("the guest compiles");
    for _ in 0..config.workers {
        wasm.spawn_component_with(&guest, Capabilities::nothing().allow_bridge(GRANT));
    }
    measure_workers(config, &threads)
}
