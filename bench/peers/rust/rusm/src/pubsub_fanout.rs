// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Publishers with a group of subscriber processes each; one op is one delivery. Two parts: W publishers with 8
//! subscribers each are the headline, then 1 publisher with 1000 (`wide_ops_per_sec`).
//!
//! A publisher reads its group once and sends each member a copy of the 16-byte message (the mailbox owns it). It stays
//! at most [`ROUNDS_AHEAD`] rounds before a subscriber; it looks at another one after each round. Of the deliveries one
//! in 64, to a subscriber chosen at random, carries its publish time.

use harness::{measure_rate, measure_workers, workers, Config, Metric, Worker, SAMPLE_EVERY};
use rusm_otp::{Context, Pid, Received, Runtime};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;

const ROUNDS_AHEAD: u64 = 4;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let headline = Storm::start(&runtime, config.workers, 8);
    let mut metrics = measure_workers(config, &headline.subscribers);
    headline.stop();

    let wide = Storm::start(&runtime, 1, 1000);
    let delivered = || wide.subscribers.iter().map(|s| s.ops.get()).sum();
    metrics.push(measure_rate("wide_ops_per_sec", config, delivered));
    metrics
}

struct Storm {
    subscribers: Vec<Arc<Worker>>,
    stopping: Arc<AtomicBool>,
    publishers: Vec<tokio::task::JoinHandle<()>>,
}

impl Storm {
    fn start(runtime: &Runtime, publishers: u64, group_size: u64) -> Storm {
        let epoch = Instant::now();
        let subscribers = workers(publishers * group_size);
        let stopping = Arc::new(AtomicBool::new(false));
        let publishers = subscribers
            .chunks(group_size as usize)
            .enumerate()
            .map(|(number, group)| {
                let tag = format!("group {number} of {group_size}");
                for subscriber in group {
                    let subscriber = subscriber.clone();
                    let process = runtime.spawn(move |context| subscribe(context, subscriber, epoch));
                    runtime.register_tag(tag.as_str(), process.pid());
                }
                let members = runtime.whereis_tag(&tag);
                let publisher = publish(runtime.clone(), members, group.to_vec(), epoch, stopping.clone());
                tokio::spawn(publisher)
            })
            .collect();
        Storm { subscribers, stopping, publishers }
    }

    /// Ends the publishers; the subscribers stay, idle.
    fn stop(&self) {
        self.stopping.store(true, Relaxed);
        while self.publishers.iter().any(|p| !p.is_finished()) {
            std::thread::yield_now();
        }
    }
}

async fn subscribe(mut context: Context, subscriber: Arc<Worker>, epoch: Instant) {
    loop {
        if let Received::Message(event) = context.recv().await {
            let published_ns = u64::from_le_bytes(event[..8].try_into().expect("16-byte event"));
            if published_ns != 0 {
                subscriber.latency.record(epoch.elapsed().as_nanos() as u64 - published_ns);
            }
            subscriber.ops.add(1);
        }
    }
}

async fn publish(
    runtime: Runtime,
    members: Vec<Pid>,
    subscribers: Vec<Arc<Worker>>,
    epoch: Instant,
    stopping: Arc<AtomicBool>,
) {
    let mut random = Random(members[0].raw());
    let mut deliveries_to_sample = random.below(2 * SAMPLE_EVERY);
    let mut round = 0u64;
    while !stopping.load(Relaxed) {
        for &member in &members {
            let mut event = vec![0; 16];
            if deliveries_to_sample == 0 {
                event[..8].copy_from_slice(&(epoch.elapsed().as_nanos() as u64).to_le_bytes());
                deliveries_to_sample = random.below(2 * SAMPLE_EVERY);
            } else {
                deliveries_to_sample -= 1;
            }
            runtime.send(member, event);
        }
        round += 1;
        let watched = &subscribers[(round % subscribers.len() as u64) as usize].ops;
        while round.saturating_sub(watched.get()) > ROUNDS_AHEAD {
            tokio::task::yield_now().await;
        }
    }
}

/// Marsaglia's xorshift: a process id is seed enough to choose samples.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
