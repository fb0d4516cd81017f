;; SPDX-License-Identifier: MIT
;; Its first message is a pid. It takes memory page by page and writes to each, until it is refused; then
;; it sends the number of pages (8 bytes, little-endian) to that pid, and waits for ever.
(module
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (memory (export "memory") 1)
  (func (export "run")
    (local $page i32)
    (drop (call $receive (i32.const 0) (i32.const 8)))
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $page) (i32.const -1))
        (then
          (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
          (br $more))))
    (i64.store (i32.const 8) (i64.extend_i32_u (memory.size)))
    (call $send (i64.load (i32.const 0)) (i32.const 8) (i32.const 8))
    (drop (call $receive (i32.const 0) (i32.const 8)))))
