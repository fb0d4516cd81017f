;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; guest-ping-pong: sends each message of 8 bytes back to the pid that it is.
(module
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run")
    (loop $answer
      (if (i32.ne (call $receive (i32.const 0) (i32.const 8)) (i32.const 8)) (then unreachable))
      (call $send (i64.load (i32.const 0)) (i32.const 0) (i32.const 8))
      (br $answer))))
