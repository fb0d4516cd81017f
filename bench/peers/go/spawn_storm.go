// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import "runtime"

// spawnBatch goroutines are created before the spawner yields.
const spawnBatch = 8

// spawnStorm runs spawners that create goroutines with an empty body, give way after each batch, and wait while the
// live population is at the cap. Shapes tried on two cores: this one (batches of 8 to 512), batches joined by a
// WaitGroup, a window over a counter that the goroutines bump. This one was the fastest with one spawner (joined
// batches of 32 were a tenth faster with two, a fifth slower with one).
//
// An operation is counted when it is created; at most the cap, has yet to be reaped.
func spawnStorm(c config) []metric {
	spawners := make([]worker, c.workers)
	for i := range spawners {
		go storm(&spawners[i], liveCapPerCore*c.cores)
	}
	return measure(c, spawners)
}

func storm(spawner *worker, liveCap int) {
	for {
		for range spawnBatch {
			go func() {}()
		}
		spawner.ops.Add(spawnBatch)
		runtime.Gosched()
		for runtime.NumGoroutine() > liveCap {
			runtime.Gosched()
		}
	}
}
