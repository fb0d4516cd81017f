;; SPDX-License-Identifier: MIT
;; Its body wants a parameter.
(module
  (memory (export "memory") 1)
  (func (export "run") (param i32)))
