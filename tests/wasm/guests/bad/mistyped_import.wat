;; SPDX-License-Identifier: MIT
;; Imports send with a pid of 32 bits.
(module
  (import "rusm" "send" (func (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "run")))
