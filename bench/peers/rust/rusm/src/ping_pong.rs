// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Pairs of processes, one message in flight each: an 8-byte ping that carries the pinger's pid, an empty pong.

use harness::{measure_workers, workers, Config, Metric, Worker, SAMPLE_EVERY};
use rusm_otp::{Context, Pid, Received, Runtime};
use std::sync::Arc;
use std::time::Instant;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let pairs = workers(config.workers);
    for pair in &pairs {
        let answering = runtime.clone();
        let pong = runtime.spawn(move |context| answer(context, answering)).pid();
        let (asking, pair) = (runtime.clone(), pair.clone());
        runtime.spawn(move |context| ask(context, asking, pong, pair));
    }
    measure_workers(config, &pairs)
}

async fn answer(mut context: Context, runtime: Runtime) {
    loop {
        if let Received::Message(ping) = context.recv().await {
            let pinger = u64::from_le_bytes(ping[..].try_into().expect("8-byte ping"));
            runtime.send(Pid::from_raw(pinger), Vec::new());
        }
    }
}

async fn ask(mut context: Context, runtime: Runtime, pong: Pid, pair: Arc<Worker>) {
    let ping = context.pid().raw().to_le_bytes();
    loop {
        let start = Instant::now();
        runtime.send(pong, ping.to_vec());
        context.recv().await;
        pair.latency.record(start.elapsed().as_nanos() as u64);
        for _ in 1..SAMPLE_EVERY {
            runtime.send(pong, ping.to_vec());
            context.recv().await;
        }
        pair.ops.add(2 * SAMPLE_EVERY);
    }
}
