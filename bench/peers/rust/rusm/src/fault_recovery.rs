// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Supervisors whose four children crash as soon as they run. One op is one restart; its latency runs from the crash
//! to the replacement's first instruction.
//!
//! The library's own supervisor, with the budget that lets it go on for ever: `max_restarts(0).over_lifetime()`. Its
//! time window would keep a list of all restarts in the window and search it at each one, which is many times slower.
//! A child crashes by `exit(self, Crashed)`: a panic ends the same way and is several times slower to unwind.

use harness::{measure_workers, Config, Metric, Worker, SAMPLE_EVERY};
use rusm_otp::{Context, ExitReason, Runtime, Strategy};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;

const CHILDREN: usize = 4;

/// One child's place under its supervisor; at any moment one process writes it.
#[derive(Default)]
struct Place {
    worker: Worker,
    /// When the last timed crash was, in nanoseconds since the start; 0 if it was not timed.
    crashed_ns: AtomicU64,
}

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let epoch = Instant::now();
    let mut places = Vec::new();
    for _ in 0..config.workers {
        let mut supervisor = runtime.supervisor(Strategy::OneForOne).max_restarts(0).over_lifetime();
        for _ in 0..CHILDREN {
            let place = Arc::new(Place::default());
            places.push(place.clone());
            supervisor = supervisor.child(move |runtime: &Runtime| {
                let (place, runtime_of_child) = (place.clone(), runtime.clone());
                runtime.spawn(move |context| crash(context, runtime_of_child, place, epoch))
            });
        }
        supervisor.start();
    }
    measure_workers(config, &places.iter().map(|p| &p.worker).collect::<Vec<_>>())
}

async fn crash(context: Context, runtime: Runtime, place: Arc<Place>, epoch: Instant) {
    let crashed_ns = place.crashed_ns.load(Relaxed);
    if crashed_ns != 0 {
        place.worker.latency.record(epoch.elapsed().as_nanos() as u64 - crashed_ns);
        place.crashed_ns.store(0, Relaxed);
    }
    place.worker.ops.add(1);
    if place.worker.ops.get() % SAMPLE_EVERY == 0 {
        place.crashed_ns.store(epoch.elapsed().as_nanos() as u64, Relaxed);
    }
    runtime.exit(context.pid(), ExitReason::Crashed);
    std::future::pending::<()>().await;
}
