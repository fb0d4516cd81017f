;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; fairness: tells how late it runs. Its first message is a pid, 8 bytes, to which it reports. Each further message is
;; the time it was sent at, i64 nanoseconds of the real-time clock; the report to it is how long ago that is.
(module
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (local $collector i64)
    (if (i32.ne (call $receive (i32.const 0) (i32.const 8)) (i32.const 8)) (then unreachable))
    (local.set $collector (i64.load (i32.const 0)))
    (loop $wait
      (if (i32.ne (call $receive (i32.const 0) (i32.const 8)) (i32.const 8)) (then unreachable))
      (if (call $clock (i32.const 0) (i64.const 1) (i32.const 8)) (then unreachable))
      (i64.store (i32.const 0) (i64.sub (i64.load (i32.const 8)) (i64.load (i32.const 0))))
      (call $send (local.get $collector) (i32.const 0) (i32.const 8))
      (br $wait))))
