// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! The `tokio` peer: bare tasks and unbounded channels, without mailboxes, pids, links or a process table.
//! It is the floor under `rusm`: what an actor runtime on tokio can at best reach.

mod idle;
mod ping_pong;
mod spawn_storm;

use harness::Config;

/// As in Cargo.lock; a test keeps the two together.
const VERSION: &str = "1.54.1";

fn main() {
    let config = Config::from_args();
    let workload = match config.workload.as_str() {
        "spawn-storm" => spawn_storm::run,
        "ping-pong" => ping_pong::run,
        "idle" => idle::run,
        other => {
            eprintln!("tokio has no workload {other}");
            std::process::exit(2);
        }
    };
    let scheduler = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.cores)
        .enable_all()
        .build()
        .expect("tokio runtime");
    let entered = scheduler.enter();
    let metrics = workload(&config);
    harness::print_result(&config, "tokio", VERSION, &metrics);
    drop(entered);
    // The workload never ends by itself; there is nothing to save.
    std::process::exit(0);
}
