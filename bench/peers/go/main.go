// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

// The go peer: goroutines and channels on Go's own scheduler.
package main

import (
	"fmt"
	"os"
	"runtime"
)

var workloads = map[string]func(config) []metric{
	"spawn-storm": spawnStorm,
	"ping-pong":   pingPong,
	"idle":        idle,
}

func main() {
	c, err := parseConfig(os.Args[1:])
	if err != nil {
		fail(err)
	}
	workload, known := workloads[c.workload]
	if !known {
		fail(fmt.Errorf("go has no workload %q", c.workload))
	}
	runtime.GOMAXPROCS(c.cores)
	printResult(c, workload(c))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
