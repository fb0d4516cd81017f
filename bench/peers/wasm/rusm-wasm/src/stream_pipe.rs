// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Pairs of core-module guests: one writes chunks of 4 KiB into a stream of the default depth, the other reads them and
//! makes a mark for each. One op is one byte read; one chunk in 64 carries the time it was written at.

use crate::guests;
use harness::{measure_ops, workers, Config, Metric};
use rusm_otp::Runtime;
use rusm_wasm::WasmRuntime;

const CHUNK_BYTES: u64 = 4096; // as in the guests
const PRODUCER: &str = include_str!("../../../../guests/stream_producer.wat");
const CONSUMER: &str = include_str!("../../../../guests/stream_consumer.wat");

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = WasmRuntime::new(runtime.clone()).expect("wasm runtime");
    let (producer, consumer) = (guests::module(&wasm, PRODUCER), guests::module(&wasm, CONSUMER));
    let pairs = workers(config.workers);
    for pair in &pairs {
        let reader = wasm.spawn(&consumer).pid();
        // Before the stream: waiting for a message, a guest drops the streams that come.
        guests::tell(&runtime, reader, &[guests::collector(&runtime, pair.clone())]);
        guests::tell(&runtime, wasm.spawn(&producer).pid(), &[reader]);
    }
    measure_ops(config, "B/s", &pairs, || wasm.notifications() * CHUNK_BYTES)
}
