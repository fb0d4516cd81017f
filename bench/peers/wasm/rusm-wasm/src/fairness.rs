// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Guests that get on beside one endless loop for each core: W that work without pause, one that waits for messages,
//! and a native process that does too. One op is a mark of the working ones; latency runs from a message to the waiting
//! guest's first instruction after it, `native_p50_ns` and `native_p99_ns` are the native process's.
//!
//! Before the loops start, the working guests' marks are counted for as long: `machine_percent` is the share of the
//! machine's processor time that they get beside the loops, which their marks are in proportion to.

use crate::guests;
use harness::{measure, measure_rate, Config, Metric, Snapshot, Worker};
use rusm_otp::{Context, Pid, Received, Runtime};
use rusm_wasm::WasmRuntime;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Between two messages to a waiting process; messages come from outside the schedulers.
const WAKE_EVERY: Duration = Duration::from_millis(1);
const SPINNER: &str = include_str!("../../../../guests/fairness_spinner.wat");
const BYSTANDER: &str = include_str!("../../../../guests/fairness_bystander.wat");
const WAKER: &str = include_str!("../../../../guests/fairness_waker.wat");

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = WasmRuntime::new(runtime.clone()).expect("wasm runtime");
    let [spinner, bystander, waker] = [SPINNER, BYSTANDER, WAKER].map(|text| guests::module(&wasm, text));
    for _ in 0..config.workers {
        wasm.spawn(&bystander);
    }
    let alone = measure_rate("alone_per_sec", config, || wasm.notifications());

    for _ in 0..config.cores {
        wasm.spawn(&spinner);
    }
    let (guest, native) = (Arc::<Worker>::default(), Arc::<Worker>::default());
    let waiting_guest = wasm.spawn(&waker).pid();
    guests::tell(&runtime, waiting_guest, &[guests::collector(&runtime, guest.clone())]);
    let recording = native.clone();
    let waiting_native = runtime.spawn(move |context| wait(context, recording)).pid();
    std::thread::spawn(move || wake(runtime, [waiting_guest, waiting_native]));
    let (before, after, seconds) = measure(config, || {
        let latencies = |worker: &Worker| Snapshot::of([&worker.latency].into_iter());
        (wasm.notifications(), latencies(&guest), latencies(&native))
    });

    let beside = Metric::rate("ops_per_sec", after.0 - before.0, seconds);
    let one_core_alone = alone.value() / config.workers.min(config.cores as u64) as f64;
    let share = 100.0 * beside.value() / (one_core_alone * config.cores as f64);
    let mut metrics = vec![beside, Metric::new("machine_percent", "%", share), alone];
    metrics.extend(after.1.since(&before.1).percentiles());
    let native = after.2.since(&before.2);
    for (name, fraction) in [("native_p50_ns", 0.5), ("native_p99_ns", 0.99)] {
        metrics.extend(native.percentile(fraction).map(|ns| Metric::new(name, "ns", ns as f64)));
    }
    metrics
}

/// The clock that guests have.
fn now_ns() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

async fn wait(mut context: Context, worker: Arc<Worker>) {
    loop {
        if let Received::Message(sent) = context.recv().await {
            let sent_ns = u64::from_le_bytes(sent[..].try_into().expect("8-byte time"));
            worker.latency.record(now_ns().saturating_sub(sent_ns));
        }
    }
}

fn wake(runtime: Runtime, waiting: [Pid; 2]) {
    loop {
        std::thread::sleep(WAKE_EVERY);
        for pid in waiting {
            runtime.send(pid, now_ns().to_le_bytes().to_vec());
        }
    }
}
