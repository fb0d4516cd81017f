// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Memory of a process that waits for its first message.

use harness::{measure_idle, Config, Metric};
use rusm_otp::Runtime;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    measure_idle(config, |count| {
        for _ in 0..count {
            runtime.spawn(|mut context| async move {
                context.recv().await;
            });
        }
    })
}
