;; SPDX-License-Identifier: MIT
;; Imports from a module that there is not.
(module
  (import "env" "abort" (func))
  (memory (export "memory") 1)
  (func (export "run")))
