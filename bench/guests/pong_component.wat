;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; guest-ping-pong as a component: sends each message of 8 bytes back to the pid that it is.
(component
  (import "rusm:runtime/actor@0.1.0" (instance $actor
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
  (core func $send (canon lower (func $actor "send") (memory $memory)))
  (core func $receive
    (canon lower (func $actor "receive") (memory $memory) (realloc $realloc)))
  (core module $main
    (import "heap" "memory" (memory 1))
    (import "actor" "send" (func $send (param i64 i32 i32)))
    (import "actor" "receive" (func $receive (param i32)))
    (func (export "run") (local $from i32)
      (loop $answer
        (call $receive (i32.const 64))
        (if (i32.ne (i32.load (i32.const 68)) (i32.const 8)) (then unreachable))
        (local.set $from (i32.load (i32.const 64)))
        (call $send (i64.load (local.get $from)) (local.get $from) (i32.const 8))
        (br $answer))))
  (core instance $main (instantiate $main
    (with "heap" (instance $heap))
    (with "actor" (instance (export "send" (func $send)) (export "receive" (func $receive))))))
  (func (export "run") (canon lift (core func $main "run"))))
