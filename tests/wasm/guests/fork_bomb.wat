;; SPDX-License-Identifier: MIT
;; Spawns the component "fork_bomb", which it should be itself, until that is refused; then it waits for
;; ever, and so keeps its place.
(module
  (import "rusm" "spawn" (func $spawn (param i32 i32 i32) (result i64)))
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "fork_bomb")
  (func (export "run")
    (loop $again
      (br_if $again
        (i64.gt_s (call $spawn (i32.const 16) (i32.const 9) (i32.const 0)) (i64.const 0))))
    (drop (call $receive (i32.const 0) (i32.const 8)))))
