;; SPDX-License-Identifier: MIT
;; Does not validate: run leaves a value.
(module
  (memory (export "memory") 1)
  (func (export "run") (i32.const 1)))
