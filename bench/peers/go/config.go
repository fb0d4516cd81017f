// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// config is the command line: WORKLOAD --workers N --seconds S --warmup S --cores C.
type config struct {
	workload        string
	workers         int
	seconds, warmup float64
	cores           int
}

func parseConfig(args []string) (config, error) {
	if len(args) == 0 {
		return config{}, errors.New("usage: WORKLOAD [--workers N] [--seconds S] [--warmup S] [--cores C]")
	}
	c := config{workload: args[0]}
	flags := flag.NewFlagSet("peer-go", flag.ContinueOnError)
	flags.IntVar(&c.workers, "workers", 1, "spawners, pairs, or idle goroutines")
	flags.Float64Var(&c.seconds, "seconds", 3, "measured time")
	flags.Float64Var(&c.warmup, "warmup", 2, "time before it")
	flags.IntVar(&c.cores, "cores", runtime.NumCPU(), "threads that run goroutines")
	if err := flags.Parse(args[1:]); err != nil {
		return c, err
	}
	if c.workers < 1 || c.cores < 1 || !(c.seconds > 0) || !(c.warmup >= 0) {
		return c, errors.New("workers, cores and seconds must be above 0, warmup not below")
	}
	return c, nil
}

type metric struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
}

func printResult(c config, metrics []metric) {
	line, err := json.Marshal(struct {
		Schema      int      `json:"schema"`
		Time        string   `json:"time"`
		Peer        string   `json:"peer"`
		PeerVersion string   `json:"peer_version"`
		Scenario    string   `json:"scenario"`
		Workers     int      `json:"workers"`
		Seconds     float64  `json:"seconds"`
		Metrics     []metric `json:"metrics"`
	}{1, time.Now().UTC().Format(time.RFC3339), "go", strings.TrimPrefix(runtime.Version(), "go"),
		c.workload, c.workers, c.seconds, metrics})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))
}
