;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; stream-pipe: its first message is the consumer's pid, 8 bytes. It opens a stream to it and writes chunks of 4096
;; bytes for ever. A chunk begins with 0 or, one in 64, with the time it is written at, i64 nanoseconds of the real-time
;; clock.
(module
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "stream_open" (func $open (param i64) (result i64)))
  (import "rusm" "stream_write" (func $write (param i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (local $stream i64) (local $chunk i32)
    (if (i32.ne (call $receive (i32.const 0) (i32.const 8)) (i32.const 8)) (then unreachable))
    (local.set $stream (call $open (i64.load (i32.const 0))))
    (if (i64.lt_s (local.get $stream) (i64.const 0)) (then unreachable))
    (loop $next
      (if (i32.and (local.get $chunk) (i32.const 63))
        (then (i64.store (i32.const 4096) (i64.const 0)))
        (else (if (call $clock (i32.const 0) (i64.const 1) (i32.const 4096)) (then unreachable))))
      (if (call $write (local.get $stream) (i32.const 4096) (i32.const 4096))
        (then return)) ;; the consumer has ended
      (local.set $chunk (i32.add (local.get $chunk) (i32.const 1)))
      (br $next))))
