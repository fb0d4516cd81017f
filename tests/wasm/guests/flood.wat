;; SPDX-License-Identifier: MIT
;; Its first message is a pid, to which it sends messages of 64 bytes without end.
(module
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (memory (export "memory") 1)
  (func (export "run")
    (drop (call $receive (i32.const 0) (i32.const 8)))
    (loop $again
      (call $send (i64.load (i32.const 0)) (i32.const 0) (i32.const 64))
      (br $again))))
