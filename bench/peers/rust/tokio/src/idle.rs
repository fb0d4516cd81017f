// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Memory of a task that waits on its own channel; the senders are kept, as they are the only way to reach it.

use harness::{measure_idle, Config, Metric};
use tokio::sync::mpsc;

pub fn run(config: &Config) -> Vec<Metric> {
    measure_idle(config, |count| {
        let mut senders = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let (sender, mut mailbox) = mpsc::unbounded_channel::<Vec<u8>>();
            senders.push(sender);
            tokio::spawn(async move {
                mailbox.recv().await;
            });
        }
        senders
    })
}
