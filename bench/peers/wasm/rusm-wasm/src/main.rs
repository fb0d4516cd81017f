// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! The `rusm-wasm` peer: guests as processes of RUSM in Rust, on Wasmtime and tokio's multi-thread scheduler.

mod custom_bridge;
mod fairness;
mod guest_ping_pong;
mod guests;
mod storm;
mod stream_pipe;

use harness::Config;
use rusm_otp::Runtime;

/// As in Cargo.lock; a test keeps the two together.
const VERSION: &str = "0.7.0";

fn main() {
    let config = Config::from_args();
    let workload = match config.workload.as_str() {
        "module-storm" => storm::modules,
        "component-storm" => storm::components,
        "dynamic-wasm" => storm::dynamic,
        "stream-pipe" => stream_pipe::run,
        "fairness" => fairness::run,
        "custom-bridge" => custom_bridge::run,
        "guest-ping-pong" => guest_ping_pong::run,
        other => {
            eprintln!("rusm-wasm has no workload {other}");
            std::process::exit(2);
        }
    };
    let scheduler = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.cores)
        .enable_all()
        .build()
        .expect("tokio runtime");
    let entered = scheduler.enter();
    let metrics = workload(&config, Runtime::new());
    harness::print_result(&config, "rusm-wasm", VERSION, &metrics);
    drop(entered);
    // The workload never ends by itself; there is nothing to save.
    std::process::exit(0);
}
