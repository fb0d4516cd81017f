;; SPDX-License-Identifier: MIT
;; Calls itself without end: the stack overflows.
(module
  (memory (export "memory") 1)
  (func $run (export "run")
    (call $run)
    ;; Not a tail call: something is left to do after it.
    (i32.store (i32.const 0) (i32.const 1))))
