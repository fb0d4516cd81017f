// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Pairs of tasks, one message in flight each, over two unbounded channels: an 8-byte ping, an empty pong. Both travel
//! by value, so nothing is allocated per message.

use harness::{measure_workers, workers, Config, Metric, Worker, SAMPLE_EVERY};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

pub fn run(config: &Config) -> Vec<Metric> {
    let pairs = workers(config.workers);
    for pair in &pairs {
        let (to_pong, pings) = unbounded_channel();
        let (to_ping, pongs) = unbounded_channel();
        tokio::spawn(answer(pings, to_ping));
        tokio::spawn(ask(to_pong, pongs, pair.clone()));
    }
    measure_workers(config, &pairs)
}

async fn answer(mut pings: UnboundedReceiver<u64>, to_ping: UnboundedSender<()>) {
    while pings.recv().await.is_some() {
        let _ = to_ping.send(());
    }
}

async fn ask(to_pong: UnboundedSender<u64>, mut pongs: UnboundedReceiver<()>, pair: Arc<Worker>) {
    loop {
        let start = Instant::now();
        let _ = to_pong.send(0);
        pongs.recv().await;
        pair.latency.record(start.elapsed().as_nanos() as u64);
        for ping in 1..SAMPLE_EVERY {
            let _ = to_pong.send(ping);
            pongs.recv().await;
        }
        pair.ops.add(2 * SAMPLE_EVERY);
    }
}
