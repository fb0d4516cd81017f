// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import (
	"sync/atomic"
	"time"
)

// sampleEvery: one of this many operations is timed.
const sampleEvery = 64

// liveCapPerCore is the live population that spawners may reach, per core: a safety net for memory.
const liveCapPerCore = 5000

// worker is what one worker reports. It alone writes it, and the padding keeps it on cache lines of its own.
type worker struct {
	_       [128]byte
	ops     atomic.Uint64
	latency histogram
	_       [128]byte
}

// measure sleeps through the warm-up, reads, sleeps through the measured time and reads again.
func measure(c config, workers []worker) []metric {
	time.Sleep(duration(c.warmup))
	opsBefore, latencyBefore := read(workers)
	start := time.Now()
	time.Sleep(duration(c.seconds))
	ops, latency := read(workers)
	elapsed := time.Since(start).Seconds()
	latency.subtract(latencyBefore)
	metrics := []metric{{"ops_per_sec", "1/s", float64(ops-opsBefore) / elapsed}}
	return append(metrics, latency.percentiles()...)
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

func read(workers []worker) (ops uint64, latency *snapshot) {
	latency = new(snapshot)
	for i := range workers {
		ops += workers[i].ops.Load()
		latency.add(&workers[i].latency)
	}
	return ops, latency
}
