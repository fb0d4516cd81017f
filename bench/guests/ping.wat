;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; guest-ping-pong: its first message is two pids of 8 bytes, the answerer's (pong.wat) and the one to which it reports.
;; Sends its own pid and waits for the answer, one message in flight. For each 64 round trips it makes a progress mark
;; and reports how long the first of them took, i64 nanoseconds.
(module
  (import "rusm" "own_pid" (func $own_pid (result i64)))
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "notify" (func $notify))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func $round_trip (param $pong i64)
    (call $send (local.get $pong) (i32.const 0) (i32.const 8))
    (if (i32.ne (call $receive (i32.const 8) (i32.const 8)) (i32.const 8)) (then unreachable)))
  (func (export "run") (local $pong i64) (local $collector i64) (local $left i32)
    (if (i32.ne (call $receive (i32.const 0) (i32.const 16)) (i32.const 16)) (then unreachable))
    (local.set $pong (i64.load (i32.const 0)))
    (local.set $collector (i64.load (i32.const 8)))
    (i64.store (i32.const 0) (call $own_pid))
    (loop $batch
      (if (call $clock (i32.const 0) (i64.const 1) (i32.const 16)) (then unreachable))
      (call $round_trip (local.get $pong))
      (if (call $clock (i32.const 0) (i64.const 1) (i32.const 24)) (then unreachable))
      (local.set $left (i32.const 63))
      (loop $untimed
        (call $round_trip (local.get $pong))
        (br_if $untimed (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $notify)
      (i64.store (i32.const 16) (i64.sub (i64.load (i32.const 24)) (i64.load (i32.const 16))))
      (call $send (local.get $collector) (i32.const 16) (i32.const 8))
      (br $batch))))
