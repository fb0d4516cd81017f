// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

// idle measures the memory of a goroutine that waits on its own channel; the channels are kept, as they are the only
// way to reach it.
func idle(c config) []metric {
	before := residentBytes()
	mailboxes := make([]chan []byte, c.workers)
	for i := range mailboxes {
		mailbox := make(chan []byte, 1)
		mailboxes[i] = mailbox
		go func() { <-mailbox }()
	}
	time.Sleep(duration(c.seconds)) // the last ones have yet to run and park
	grown := residentBytes() - before
	runtime.KeepAlive(mailboxes)
	return []metric{{"bytes_per_process", "B", float64(grown) / float64(c.workers)}}
}

func residentBytes() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	if err != nil {
		fail(err)
	}
	return pages * int64(os.Getpagesize())
}
