// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Each spawner creates a batch of processes with an empty body and waits until all are reaped.
//!
//! The batch bounds the live population far below the cap. Shapes tried on two cores: joined batches (8 to 1024), a
//! window over the runtime's spawned/finished counts, a yield after each batch up to the cap. Joined batches of 8 were
//! the fastest with one spawner and with two: what a process occupies is still in the cache when it is
//! reaped.

use harness::{measure_rate, Config, Metric};
use rusm_otp::{ProcessHandle, Runtime};

const BATCH: usize = 8;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    for _ in 0..config.workers {
        tokio::spawn(storm(runtime.clone()));
    }
    // The runtime's own count of processes that have ended and left its table.
    vec![measure_rate("ops_per_sec", config, || runtime.finished())]
}

async fn storm(runtime: Runtime) {
    let mut batch: Vec<ProcessHandle> = Vec::with_capacity(BATCH);
    loop {
        for _ in 0..BATCH {
            batch.push(runtime.spawn(|_context| async {}));
        }
        for process in batch.drain(..) {
            process.join().await;
        }
    }
}
