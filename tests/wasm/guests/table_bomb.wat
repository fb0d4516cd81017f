;; SPDX-License-Identifier: MIT
;; As memory_bomb, with a table and its elements.
(module
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "run")
    (drop (call $receive (i32.const 0) (i32.const 8)))
    (loop $more
      (br_if $more
        (i32.ne (table.grow $table (ref.null func) (i32.const 256)) (i32.const -1))))
    (i64.store (i32.const 8) (i64.extend_i32_u (table.size $table)))
    (call $send (i64.load (i32.const 0)) (i32.const 8) (i32.const 8))
    (drop (call $receive (i32.const 0) (i32.const 8)))))
