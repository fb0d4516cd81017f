// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! The `rusm` peer: rusm-otp, the native actor core of RUSM in Rust, on tokio's multi-thread scheduler.

mod byte_streams;
mod fault_recovery;
mod idle;
mod ping_pong;
mod pubsub_fanout;
mod spawn_storm;

use harness::Config;
use rusm_otp::Runtime;

/// As in Cargo.lock; a test keeps the two together.
const VERSION: &str = "0.7.0";

fn main() {
    let config = Config::from_args();
    let workload = match config.workload.as_str() {
        "spawn-storm" => spawn_storm::run,
        "ping-pong" => ping_pong::run,
        "fault-recovery" => fault_recovery::run,
        "pubsub-fanout" => pubsub_fanout::run,
        "byte-streams" => byte_streams::run,
        "idle" => idle::run,
        other => {
            eprintln!("rusm has no workload {other}");
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
    harness::print_result(&config, "rusm", VERSION, &metrics);
    drop(entered);
    // The workload never ends by itself; there is nothing to save.
    std::process::exit(0);
}
