// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// The latency histogram: exact below 256 ns, then 128 buckets to each power of two (an error under 0.8 %), up to 68 s.
const (
	subBits  = 7
	exact    = 2 << subBits
	valueMax = 1<<36 - 1
	buckets  = 3968 // bucketOf(valueMax) + 1
)

func bucketOf(ns uint64) int {
	if ns < exact {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - subBits
	return shift<<subBits + int(ns>>shift)
}

// valueOf is the middle of a bucket.
func valueOf(bucket int) uint64 {
	if bucket < exact {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return uint64(bucket-shift<<subBits)<<shift + uint64(1)<<shift/2
}

type histogram [buckets]atomic.Uint64

func (h *histogram) record(d time.Duration) {
	h[bucketOf(min(uint64(d), valueMax))].Add(1)
}

// snapshot is the sum of some histograms at one moment.
type snapshot [buckets]uint64

func (s *snapshot) add(h *histogram) {
	for i := range h {
		s[i] += h[i].Load()
	}
}

func (s *snapshot) subtract(earlier *snapshot) {
	for i := range s {
		s[i] -= earlier[i]
	}
}

func (s *snapshot) percentiles() []metric {
	var total uint64
	for _, count := range s {
		total += count
	}
	if total == 0 {
		return nil
	}
	return []metric{
		{"p50_ns", "ns", s.percentile(total, 0.5)},
		{"p95_ns", "ns", s.percentile(total, 0.95)},
		{"p99_ns", "ns", s.percentile(total, 0.99)},
		{"p999_ns", "ns", s.percentile(total, 0.999)},
	}
}

func (s *snapshot) percentile(total uint64, fraction float64) float64 {
	rank := uint64(math.Ceil(float64(total) * fraction))
	var seen uint64
	for bucket, count := range s {
		seen += count
		if seen >= rank {
			return float64(valueOf(bucket))
		}
	}
	return math.NaN()
}
