// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! What every Rust peer shares: the command line, per-worker counters, the measured interval, the result line.
//!
//! A peer's `main` parses a [`Config`], runs one workload and hands its metrics to [`print_result`]. A workload
//! starts its tasks, then calls [`measure`] on the main thread, which only sleeps: no scheduler thread is taken.

mod histogram;
mod result;

pub use histogram::{Histogram, Snapshot};
pub use result::{print_result, Metric};

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One of this many operations is timed.
pub const SAMPLE_EVERY: u64 = 64;

/// Live population a spawner may reach, per core: a safety net for memory.
pub const LIVE_CAP_PER_CORE: u64 = 5000;

/// The command line: `WORKLOAD --workers N --seconds S --warmup S --cores C`.
pub struct Config {
    pub workload: String,
    pub workers: u64,
    pub seconds: f64,
    pub warmup: f64,
    pub cores: usize,
}

impl Config {
    /// Reads the process's arguments; on a bad one, says so and exits with status 2.
    pub fn from_args() -> Config {
        parse(std::env::args().skip(1)).unwrap_or_else(|message| {
            eprintln!("{message}\nusage: WORKLOAD [--workers N] [--seconds S] [--warmup S] [--cores C]");
            std::process::exit(2);
        })
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config {
        workload: args.next().ok_or("which workload?")?,
        workers: 1,
        seconds: 3.0,
        warmup: 2.0,
        cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
    };
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        let bad = |_| format!("{name}: not a number: {value}");
        match name.as_str() {
            "--workers" => config.workers = value.parse().map_err(|_| bad(()))?,
            "--seconds" => config.seconds = value.parse().map_err(|_| bad(()))?,
            "--warmup" => config.warmup = value.parse().map_err(|_| bad(()))?,
            "--cores" => config.cores = value.parse().map_err(|_| bad(()))?,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    if config.workers == 0 || config.cores == 0 || !(config.seconds > 0.0) || !(config.warmup >= 0.0) {
        return Err("workers, cores and seconds must be above 0, warmup not below".into());
    }
    Ok(config)
}

/// A counter with a single writer, alone on its pair of cache lines, so that no worker slows another.
#[repr(align(128))]
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to a counter that only the caller writes.
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed) + n, Relaxed);
    }

    /// Adds to a counter that several tasks of one worker write.
    pub fn add_shared(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one worker reports: operations done and sampled latencies, in nanoseconds.
#[derive(Default)]
pub struct Worker {
    pub ops: Counter,
    pub latency: Histogram,
}

impl Worker {
    /// Counts a call that a guest makes in a loop. One of 64 is timed, from its arrival to that of the same guest's next
    /// one: the call, its answer and the guest's way back to it. `timed` is the caller's own, at first none.
    pub fn count_call(&self, guest: u64, timed: &Cell<Option<(u64, Instant)>>) {
        if let Some((timed_guest, start)) = timed.take() {
            if timed_guest == guest {
                self.latency.record(start.elapsed().as_nanos() as u64);
            }
        }
        self.ops.add(1);
        if self.ops.get() % SAMPLE_EVERY == 0 {
            timed.set(Some((guest, Instant::now())));
        }
    }
}

/// One [`Worker`] for each of `n` workers.
pub fn workers(n: u64) -> Vec<Arc<Worker>> {
    (0..n).map(|_| Arc::default()).collect()
}

/// Sleeps through the warm-up, reads, sleeps through the measured time, reads again.
/// Returns both readings and the seconds between them.
pub fn measure<T>(config: &Config, read: impl Fn() -> T) -> (T, T, f64) {
    std::thread::sleep(Duration::from_secs_f64(config.warmup));
    let before = read();
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs_f64(config.seconds));
    let after = read();
    (before, after, start.elapsed().as_secs_f64())
}

/// Measures a counter of operations.
pub fn measure_rate(name: &'static str, config: &Config, total: impl Fn() -> u64) -> Metric {
    let (before, after, seconds) = measure(config, total);
    Metric::rate(name, after - before, seconds)
}

/// Measures operations and latencies of `workers`; the warm-up's are in neither.
pub fn measure_workers<W: Deref<Target = Worker>>(config: &Config, workers: &[W]) -> Vec<Metric> {
    measure_ops(config, "1/s", workers, || workers.iter().map(|w| w.ops.get()).sum())
}

/// The same where operations are counted elsewhere, by `total`, and `workers` have the latencies only.
pub fn measure_ops<W: Deref<Target = Worker>>(
    config: &Config,
    unit: &'static str,
    workers: &[W],
    total: impl Fn() -> u64,
) -> Vec<Metric> {
    let (before, after, seconds) = measure(config, || (total(), Snapshot::of(workers.iter().map(|w| &w.latency))));
    let mut metrics = vec![Metric::new("ops_per_sec", unit, (after.0 - before.0) as f64 / seconds)];
    metrics.extend(after.1.since(&before.1).percentiles());
    metrics
}

/// Resident memory of this process, in bytes.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|v| v.parse().ok()).expect("VmRSS in kB");
    kib * 1024
}

/// Growth of resident memory per process while `start` makes `config.workers` idle ones.
/// What `start` returns is kept alive until the second reading.
pub fn measure_idle<T>(config: &Config, start: impl FnOnce(u64) -> T) -> Vec<Metric> {
    let before = resident_bytes();
    let kept = start(config.workers);
    // The last processes have yet to run and park.
    std::thread::sleep(Duration::from_secs_f64(config.seconds));
    let grown = resident_bytes().saturating_sub(before);
    drop(kept);
    vec![Metric::new("bytes_per_process", "B", grown as f64 / config.workers as f64)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_timed_to_the_same_guests_next_one() {
        let (worker, timed) = (Worker::default(), Cell::new(None));
        let recorded = || Snapshot::of([&worker.latency].into_iter()).count();
        (0..SAMPLE_EVERY).for_each(|_| worker.count_call(1, &timed));
        assert_eq!((worker.ops.get(), recorded()), (SAMPLE_EVERY, 0));
        worker.count_call(1, &timed);
        assert_eq!((worker.ops.get(), recorded()), (SAMPLE_EVERY + 1, 1));
        (1..SAMPLE_EVERY).for_each(|_| worker.count_call(1, &timed));
        worker.count_call(2, &timed);
        worker.count_call(1, &timed);
        assert_eq!(recorded(), 1, "another guest's call came between");
    }
}
