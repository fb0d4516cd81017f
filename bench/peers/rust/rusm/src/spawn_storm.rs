use harness::*;
use rusm_otp::Runtime;
use std::time::Duration;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let shape = std::env::var("SHAPE").unwrap_or_default();
    let batch: u64 = std::env::var("BATCH").ok().and_then(|s| s.parse().ok()).unwrap_or(256);
    let cap = LIVE_CAP_PER_CORE * config.cores as u64;
    let n = config.workers;
    for _ in 0..config.workers {
        let runtime = runtime.clone();
        let shape = shape.clone();
        tokio::spawn(async move {
            match shape.as_str() {
                "win" => loop {
                    for _ in 0..batch / 2 { runtime.spawn(|_| async {}); }
                    while runtime.spawned() - runtime.finished() > batch * n { tokio::task::yield_now().await; }
                },
                "join" => loop {
                    let mut v = Vec::with_capacity(batch as usize);
                    for _ in 0..batch { v.push(runtime.spawn(|_| async {})); }
                    for h in v { h.join().await; }
                },
                "cap" => loop {
                    for _ in 0..batch { runtime.spawn(|_| async {}); }
                    while runtime.spawned() - runtime.finished() > cap { tokio::task::yield_now().await; }
                },
                "noyield" => loop {
                    for _ in 0..batch { runtime.spawn(|_| async {}); }
                    while runtime.spawned() - runtime.finished() > cap { std::hint::spin_loop(); std::thread::sleep(Duration::from_micros(50)); }
                },
                _ => loop {
                    for _ in 0..batch { runtime.spawn(|_| async {}); }
                    tokio::task::yield_now().await;
                    while runtime.spawned() - runtime.finished() > cap { tokio::task::yield_now().await; }
                },
            }
        });
    }
    measure_rate(config, || runtime.finished())
}
