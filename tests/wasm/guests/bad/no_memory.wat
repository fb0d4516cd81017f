;; SPDX-License-Identifier: MIT
;; Exports no memory, so that send has nothing to read from: it traps there.
(module
  (import "rusm" "send" (func $send (param i64 i32 i32)))
  (func (export "run") (call $send (i64.const 1) (i32.const 0) (i32.const 8))))
