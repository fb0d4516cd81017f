;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; guest-ping-pong as a component: ping.wat over the interface `actor`. No times: the one it reports to counts.
(component
  (import "rusm:runtime/actor@0.1.0" (instance $actor
    (export "own-pid" (func (result u64)))
    (export "send" (func (param "to" u64) (param "msg" (list u8))))
    (export "receive" (func (result (list u8))))))
  (core module $heap
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (i32.gt_u (local.get 3) (i32.const 4096)) (then unreachable))
      (i32.const 1024)))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))
  (core func $own_pid (canon lower (func $actor "own-pid")))
  (core func $send (canon lower (func $actor "send") (memory $memory)))
  (core func $receive
    (canon lower (func $actor "receive") (memory $memory) (realloc $realloc)))
  (core module $main
    (import "heap" "memory" (memory 1))
    (import "actor" "own-pid" (func $own_pid (result i64)))
    (import "actor" "send" (func $send (param i64 i32 i32)))
    (import "actor" "receive" (func $receive (param i32)))
    (func $expect (param $len i32)
      (call $receive (i32.const 64))
      (if (i32.ne (i32.load (i32.const 68)) (local.get $len)) (then unreachable)))
    (func (export "run") (local $pong i64) (local $collector i64) (local $left i32)
      (call $expect (i32.const 16))
      (local.set $pong (i64.load (i32.load (i32.const 64))))
      (local.set $collector (i64.load offset=8 (i32.load (i32.const 64))))
      (i64.store (i32.const 0) (call $own_pid))
      (loop $batch
        (local.set $left (i32.const 64))
        (loop $trip
          (call $send (local.get $pong) (i32.const 0) (i32.const 8))
          (call $expect (i32.const 8))
          (br_if $trip (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $send (local.get $collector) (i32.const 0) (i32.const 8))
        (br $batch))))
  (core instance $main (instantiate $main
    (with "heap" (instance $heap))
    (with "actor" (instance
      (export "own-pid" (func $own_pid))
      (export "send" (func $send))
      (export "receive" (func $receive))))))
  (func (export "run") (canon lift (core func $main "run"))))
