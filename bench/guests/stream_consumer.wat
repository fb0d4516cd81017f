;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; stream-pipe: its first message is a pid, 8 bytes, to which it reports. It accepts a stream and makes a progress mark
;; for each chunk of 4096 bytes; for a chunk with a time in it, it reports how long ago that is (stream_producer.wat).
(module
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "stream_accept" (func $accept (result i64)))
  (import "rusm" "stream_read" (func $read (param i64 i32 i32) (result i32)))
  (import "rusm" "notify" (func $notify))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (local $stream i64) (local $collector i64)
    (if (i32.ne (call $receive (i32.const 0) (i32.const 8)) (i32.const 8)) (then unreachable))
    (local.set $collector (i64.load (i32.const 0)))
    (local.set $stream (call $accept))
    (loop $next
      (if (i32.ne (call $read (local.get $stream) (i32.const 4096) (i32.const 4096)) (i32.const 4096))
        (then return)) ;; the producer has ended
      (call $notify)
      (br_if $next (i64.eqz (i64.load (i32.const 4096))))
      (if (call $clock (i32.const 0) (i64.const 1) (i32.const 0)) (then unreachable))
      (i64.store (i32.const 0) (i64.sub (i64.load (i32.const 0)) (i64.load (i32.const 4096))))
      (call $send (local.get $collector) (i32.const 0) (i32.const 8))
      (br $next))))
