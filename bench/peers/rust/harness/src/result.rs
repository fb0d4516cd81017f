// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! The result: one JSON line, the last on stdout.

use crate::Config;
use std::time::{SystemTime, UNIX_EPOCH};

pub struct Metric {
    name: &'static str,
    unit: &'static str,
    value: f64,
}

impl Metric {
    pub fn new(name: &'static str, unit: &'static str, value: f64) -> Metric {
        Metric { name, unit, value }
    }

    pub fn rate(name: &'static str, count: u64, seconds: f64) -> Metric {
        Metric::new(name, "1/s", count as f64 / seconds)
    }

    pub fn value(&self) -> f64 {
        self.value
    }
}

/// Variables with which the standard library captures a backtrace for each error that is made, and so do libraries that
/// ask it: with one of them set, a Rust peer may be several times slower.
const BACKTRACES: [&str; 2] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];

/// The version, marked as not to be compared when backtraces are on.
fn labelled(version: &str, is_set: impl Fn(&str) -> bool) -> String {
    match BACKTRACES.into_iter().find(|name| is_set(name)) {
        Some(name) => format!("{version} slowed by {name}"),
        None => version.to_string(),
    }
}

/// Prints the line; no string in it needs escaping.
pub fn print_result(config: &Config, peer: &str, version: &str, metrics: &[Metric]) {
    let version = labelled(version, |name| std::env::var_os(name).is_some_and(|value| value != "0"));
    let metrics: Vec<String> = metrics
        .iter()
        .map(|m| format!(r#"{{"name":"{}","unit":"{}","value":{:.1}}}"#, m.name, m.unit, m.value))
        .collect();
    println!(
        r#"{{"schema":1,"time":"{}","peer":"{peer}","peer_version":"{version}","scenario":"{}","workers":{},"seconds":{},"metrics":[{}]}}"#,
        utc_now(),
        config.workload,
        config.workers,
        config.seconds,
        metrics.join(",")
    );
}

fn utc_now() -> String {
    iso8601(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
}

/// Days to a civil date by Howard Hinnant's `civil_from_days`: years begin in March, eras have 400 of them.
fn iso8601(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / 86_400 + 719_468, unix_seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::{iso8601, labelled};

    #[test]
    fn backtraces_are_told() {
        assert_eq!(labelled("1.2", |_| false), "1.2");
        assert_eq!(labelled("1.2", |name| name == "RUST_BACKTRACE"), "1.2 slowed by RUST_BACKTRACE");
        assert_eq!(labelled("1.2", |name| name == "RUST_LIB_BACKTRACE"), "1.2 slowed by RUST_LIB_BACKTRACE");
    }

    #[test]
    fn dates_around_a_leap_day() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso8601(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(iso8601(1_709_251_200), "2024-03-01T00:00:00Z");
    }
}
