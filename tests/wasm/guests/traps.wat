;; SPDX-License-Identifier: MIT
;; Ways to trap: each export is an entry.
(module
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "register" (func $register (param i32 i32) (result i32)))
  (import "rusm" "log" (func $log (param i32 i32 i32)))
  (import "rusm" "exit" (func $exit (param i32 i32 i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 1) $takes_one)
  (type $nothing (func))
  (data (i32.const 16) "\ff\fe")
  (func $takes_one (param i32))

  (func (export "run") unreachable)
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "divide_overflow") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (func (export "truncate") (drop (i32.trunc_f64_s (f64.const nan))))
  (func (export "load") (drop (i64.load (i32.const 65529))))
  (func (export "store_far") (i32.store8 (i32.const -1) (i32.const 0)))
  (func (export "call_null") (call_indirect (type $nothing) (i32.const 0)))
  (func (export "call_mistyped") (call_indirect (type $nothing) (i32.const 1)))
  (func (export "call_outside") (call_indirect (type $nothing) (i32.const 2)))

  ;; In host functions.
  (func (export "send_outside") (call $send (i64.const 1) (i32.const 65530) (i32.const 7)))
  (func (export "send_wrapping") (call $send (i64.const 1) (i32.const -8) (i32.const 16)))
  (func (export "send_negative") (call $send (i64.const 1) (i32.const 0) (i32.const -1)))
  (func (export "receive_outside") (drop (call $receive (i32.const 65535) (i32.const 2))))
  (func (export "register_not_utf8") (drop (call $register (i32.const 16) (i32.const 2))))
  (func (export "log_level") (call $log (i32.const 4) (i32.const 0) (i32.const 0)))
  (func (export "exit_reason") (call $exit (i32.const 3) (i32.const 0) (i32.const 0)))
  (func (export "wasi_outside")
    ;; WASI answers an error where it can; here there is nothing to answer with.
    (if (i32.ne (call $random (i32.const 65535) (i32.const 2)) (i32.const 0))
      (then unreachable))))
