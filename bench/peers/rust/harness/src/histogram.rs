// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! A latency histogram: exact below 256 ns, then 128 buckets to each power of two (an error under 0.8 %), up to 68 s.

use crate::Metric;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const SUB_BITS: u32 = 7;
const EXACT: u64 = 2 << SUB_BITS;
const VALUE_MAX: u64 = (1 << 36) - 1;
const BUCKETS: usize = index(VALUE_MAX) + 1;

const fn index(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - SUB_BITS;
    ((shift as usize) << SUB_BITS) + (value >> shift) as usize
}

/// The middle of a bucket.
fn value_at(index: usize) -> u64 {
    if (index as u64) < EXACT {
        return index as u64;
    }
    let shift = (index >> SUB_BITS) - 1;
    let mantissa = (index - (shift << SUB_BITS)) as u64;
    (mantissa << shift) + (1 << shift) / 2
}

/// Written by one worker, read by the measuring thread.
pub struct Histogram(Box<[AtomicU64]>);

impl Default for Histogram {
    fn default() -> Self {
        Histogram((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Histogram {
    pub fn record(&self, ns: u64) {
        let bucket = &self.0[index(ns.min(VALUE_MAX))];
        bucket.store(bucket.load(Relaxed) + 1, Relaxed);
    }
}

/// The sum of some histograms at one moment.
pub struct Snapshot(Vec<u64>);

impl Snapshot {
    pub fn of<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Snapshot {
        let mut sum = vec![0; BUCKETS];
        for histogram in histograms {
            for (total, bucket) in sum.iter_mut().zip(histogram.0.iter()) {
                *total += bucket.load(Relaxed);
            }
        }
        Snapshot(sum)
    }

    /// What was recorded after `earlier`.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        Snapshot(self.0.iter().zip(&earlier.0).map(|(now, then)| now - then).collect())
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The value that `fraction` of all do not exceed; none when nothing was recorded.
    pub fn percentile(&self, fraction: f64) -> Option<u64> {
        let rank = ((self.count() as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        let index = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(value_at(index))
    }

    /// p50, p95, p99 and p99.9; nothing when nothing was recorded.
    pub fn percentiles(&self) -> Vec<Metric> {
        [("p50_ns", 0.5), ("p95_ns", 0.95), ("p99_ns", 0.99), ("p999_ns", 0.999)]
            .into_iter()
            .filter_map(|(name, fraction)| Some(Metric::new(name, "ns", self.percentile(fraction)? as f64)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_within_a_hundredth_of_its_values() {
        for value in (0..36).flat_map(|bit| [1u64 << bit, (1 << bit) + (1 << bit) / 3]) {
            let middle = value_at(index(value));
            assert!(middle.abs_diff(value) * 100 <= value, "{value} became {middle}");
        }
    }

    #[test]
    fn percentiles_count_only_what_came_later() {
        let histogram = Histogram::default();
        histogram.record(9_000);
        let before = Snapshot::of([&histogram].into_iter());
        (1..=100).for_each(|ns| histogram.record(ns));
        let later = Snapshot::of([&histogram].into_iter()).since(&before);
        assert_eq!(later.percentile(0.5), Some(50));
        assert_eq!(later.percentile(0.999), Some(100));
    }
}
