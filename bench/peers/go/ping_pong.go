// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import "time"

// pingPong runs pairs of goroutines with one message in flight each: an 8-byte ping, an empty pong. Channels with room
// for one message are faster here than unbuffered ones, as the sender need not wait for the receiver.
func pingPong(c config) []metric {
	pairs := make([]worker, c.workers)
	for i := range pairs {
		pings, pongs := make(chan uint64, 1), make(chan struct{}, 1)
		go answer(pings, pongs)
		go ask(&pairs[i], pings, pongs)
	}
	return measure(c, pairs)
}

func answer(pings <-chan uint64, pongs chan<- struct{}) {
	for range pings {
		pongs <- struct{}{}
	}
}

func ask(pair *worker, pings chan<- uint64, pongs <-chan struct{}) {
	for {
		start := time.Now()
		pings <- 0
		<-pongs
		pair.latency.record(time.Since(start))
		for ping := uint64(1); ping < sampleEvery; ping++ {
			pings <- ping
			<-pongs
		}
		pair.ops.Add(2 * sampleEvery)
	}
}
