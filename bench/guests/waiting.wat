;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; Waits for ever, with one page of memory touched once: what a waiting guest costs.
(module
  (import "rusm" "receive" (func $receive (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run")
    (i32.store (i32.const 100) (i32.const 1))
    (loop $wait
      (drop (call $receive (i32.const 200) (i32.const 8)))
      (br $wait))))
