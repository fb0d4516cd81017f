// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Pairs of processes, a byte stream between them: chunks of 4 KiB, each allocated and filled, read and freed. The
//! buffer holds 64 chunks, as ours does; with rusm's own default of 16 it is slower (6.6 and 10.1 M/s where this does
//! 8.1 and 13.4).

use harness::{measure_rate, workers, Config, Metric, Worker, SAMPLE_EVERY};
use rusm_otp::{stream_with_capacity, Runtime, StreamHandle, StreamWriter};
use std::hint::black_box;
use std::sync::Arc;

const CHUNK_BYTES: usize = 4096;
const CHUNKS: usize = 64;

pub fn run(config: &Config, runtime: Runtime) -> Vec<Metric> {
    let pipes = workers(config.workers);
    for pipe in &pipes {
        let (writer, reader) = stream_with_capacity(CHUNKS);
        let pipe = pipe.clone();
        runtime.spawn(move |_| read(reader, pipe));
        runtime.spawn(move |_| write(writer));
    }
    vec![measure_rate("ops_per_sec", config, || pipes.iter().map(|pipe| pipe.ops.get()).sum())]
}

async fn write(writer: StreamWriter) {
    while writer.write(vec![7; CHUNK_BYTES]).await.is_ok() {}
}

async fn read(mut reader: StreamHandle, pipe: Arc<Worker>) {
    loop {
        for _ in 0..SAMPLE_EVERY {
            match reader.read().await {
                Some(chunk) => black_box(chunk[0]),
                None => return,
            };
        }
        pipe.ops.add(SAMPLE_EVERY);
    }
}
