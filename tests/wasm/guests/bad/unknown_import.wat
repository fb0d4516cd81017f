;; SPDX-License-Identifier: MIT
;; Imports what there is not.
(module
  (import "rusm" "no_such_function" (func))
  (memory (export "memory") 1)
  (func (export "run")))
