use harness::*;
use tokio::runtime::Handle;
pub fn run(config: &Config) -> Vec<Metric> {
    let shape = std::env::var("SHAPE").unwrap_or_default();
    let batch: u64 = std::env::var("BATCH").ok().and_then(|s| s.parse().ok()).unwrap_or(256);
    let cap = LIVE_CAP_PER_CORE * config.cores as u64;
    let ws = workers(config.workers);
    for w in &ws {
        let w = w.clone();
        let shape = shape.clone();
        tokio::spawn(async move {
            match shape.as_str() {
                "win" => { let mut s = 0; loop {
                    for _ in 0..batch / 2 { let w = w.clone(); tokio::spawn(async move { w.ops.add_shared(1); }); }
                    s += batch / 2;
                    while s - w.ops.get() > batch { tokio::task::yield_now().await; }
                }},
                "join" => loop {
                    let mut v = Vec::with_capacity(batch as usize);
                    for _ in 0..batch { v.push(tokio::spawn(async {})); }
                    for h in v { let _ = h.await; }
                    w.ops.add(batch);
                },
                "live" => { let m = Handle::current().metrics(); loop {
                    for _ in 0..batch { tokio::spawn(async {}); }
                    w.ops.add(batch);
                    tokio::task::yield_now().await;
                    while m.num_alive_tasks() as u64 > cap { tokio::task::yield_now().await; }
                }},
                _ => { let m = Handle::current().metrics(); loop {
                    for _ in 0..batch { tokio::spawn(async {}); }
                    w.ops.add(batch);
                    while m.num_alive_tasks() as u64 > cap { tokio::task::yield_now().await; }
                }},
            }
        });
    }
    measure_workers(config, &ws)
}
