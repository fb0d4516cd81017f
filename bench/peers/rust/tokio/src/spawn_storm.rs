// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Each spawner creates a batch of tasks with an empty body and waits until all are finished.
//!
//! The batch bounds the live population far below the cap. Shapes tried on two cores: joined batches (16 to 1024), a
//! window over a counter that the tasks bump, a yield after each batch up to the cap. Joined batches were the fastest,
//! and 128 the best size of them.

use harness::{measure_workers, workers, Config, Metric, Worker};
use std::sync::Arc;
use tokio::task::JoinHandle;

const BATCH: usize = 128;

pub fn run(config: &Config) -> Vec<Metric> {
    let spawners = workers(config.workers);
    for spawner in &spawners {
        tokio::spawn(storm(spawner.clone()));
    }
    measure_workers(config, &spawners)
}

async fn storm(spawner: Arc<Worker>) {
    let mut batch: Vec<JoinHandle<()>> = Vec::with_capacity(BATCH);
    loop {
        for _ in 0..BATCH {
            batch.push(tokio::spawn(async {}));
        }
        for task in batch.drain(..) {
            task.await.expect("an empty task");
        }
        spawner.ops.add(BATCH as u64);
    }
}
