;; SPDX-License-Identifier: MIT
;; Waits for ever in one import: each export is an entry. The first message to stream_write is a pid.
(module
  (import "rusm" "own_pid" (func $own_pid (result i64)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "receive_timeout" (func $receive_timeout (param i32 i32 i64) (result i32)))
  (import "rusm" "receive_match" (func $receive_match (param i32 i32 i32 i32 i64) (result i32)))
  (import "rusm" "stream_open" (func $stream_open (param i64) (result i64)))
  (import "rusm" "stream_write" (func $stream_write (param i64 i32 i32) (result i32)))
  (import "rusm" "stream_accept" (func $stream_accept (result i64)))
  (import "rusm" "stream_read" (func $stream_read (param i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "never sent")

  (func (export "run") (loop $again
    (drop (call $receive (i32.const 0) (i32.const 8)))
    (br $again)))
  (func (export "receive_timeout")
    (drop (call $receive_timeout (i32.const 0) (i32.const 8) (i64.const -1))))
  (func (export "receive_long")
    ;; An hour: there is a timer to be removed.
    (drop (call $receive_timeout (i32.const 0) (i32.const 8) (i64.const 3600000))))
  (func (export "receive_match")
    (drop (call $receive_match (i32.const 16) (i32.const 10) (i32.const 0) (i32.const 8)
                               (i64.const -1))))
  (func (export "stream_accept") (drop (call $stream_accept)))
  (func (export "stream_read")
    ;; Of a stream to itself, to which nobody writes.
    (drop (call $stream_open (call $own_pid)))
    (drop (call $stream_read (call $stream_accept) (i32.const 0) (i32.const 8))))
  (func (export "stream_write")
    (local $stream i64)
    ;; To a process that does not read it, until it is full. One to itself would be refused then.
    (drop (call $receive (i32.const 0) (i32.const 8)))
    (local.set $stream (call $stream_open (i64.load (i32.const 0))))
    (loop $again
      (br_if $again
        (i32.eqz (call $stream_write (local.get $stream) (i32.const 0) (i32.const 4096))))))
  (func (export "poll_oneoff")
    ;; One subscription at 64: a monotonic clock, an hour from now.
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 3600000000000))
    (drop (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))))
