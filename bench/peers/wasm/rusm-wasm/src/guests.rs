// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! What the workloads share: a guest made ready to be spawned, and a process that collects the latencies guests report.

use harness::Worker;
use rusm_otp::{Context, ExitReason, Pid, ProcessHandle, Received, Runtime};
use rusm_wasm::{PreparedModule, WasmRuntime};
use std::sync::{mpsc, Arc};

/// Compiles a core module from its text and finds its `run`.
pub fn module(wasm: &WasmRuntime, text: &str) -> PreparedModule {
    let module = wasm.compile(text).expect("the guest compiles");
    wasm.prepare(&module, "run").expect("the guest's imports are there, and its run")
}

/// Sends pids, 8 bytes each: what guests are told first.
pub fn tell(runtime: &Runtime, guest: Pid, pids: &[Pid]) {
    runtime.send(guest, pids.iter().flat_map(|pid| pid.raw().to_le_bytes()).collect());
}

/// Starts a process that records what it is sent: nanoseconds, an i64. The real-time clock of guests may be set back.
pub fn collector(runtime: &Runtime, worker: Arc<Worker>) -> Pid {
    let collect = |mut context: Context| async move {
        loop {
            if let Received::Message(report) = context.recv().await {
                let ns = i64::from_le_bytes(report[..].try_into().expect("8-byte report"));
                worker.latency.record(ns.max(0) as u64);
            }
        }
    };
    runtime.spawn(collect).pid()
}

/// Panics unless a process that `spawn` makes ends normally: one that crashes at once would be counted as well.
pub fn check_it_runs(runtime: &Runtime, spawn: impl Fn() -> ProcessHandle + Send + 'static) {
    let (tell_reason, reason) = mpsc::channel();
    let watching = runtime.clone();
    runtime.spawn(move |mut context| async move {
        loop {
            watching.monitor(context.pid(), spawn().pid());
            match context.recv().await {
                // It was gone before it was monitored; nobody knows how it ended.
                Received::Down { reason: ExitReason::NoProc, .. } => {}
                Received::Down { reason, .. } => return tell_reason.send(reason).expect("the main thread waits"),
                _ => {}
            }
        }
    });
    assert_eq!(reason.recv().expect("the watcher answers"), ExitReason::Normal, "the guest fails");
}
