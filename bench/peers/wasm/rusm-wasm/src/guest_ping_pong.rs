// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Pairs of core-module guests, one message of 8 bytes in flight each, both ways. One op is one message; a mark is 64
//! round trips, of which the first is timed.

use crate::guests;
use harness::{measure_ops, workers, Config, Metric, SAMPLE_EVERY};
use rusm_otp::Runtime;
use rusm_wasm::WasmRuntime;

const PING: &str = include_str!("../../../../guests/ping.wat");
const PONG: &str = include_str!("../../../../guests/pong.wat");

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let wasm = WasmRuntime::new(runtime.clone()).expect("wasm runtime");
    let (ping, pong) = (guests::module(&wasm, PING), guests::module(&wasm, PONG));
    let pairs = workers(config.workers);
    for pair in &pairs {
        let answerer = wasm.spawn(&pong).pid();
        let collector = guests::collector(&runtime, pair.clone());
        guests::tell(&runtime, wasm.spawn(&ping).pid(), &[answerer, collector]);
    }
    measure_ops(config, "1/s", &pairs, || wasm.notifications() * 2 * SAMPLE_EVERY)
}
