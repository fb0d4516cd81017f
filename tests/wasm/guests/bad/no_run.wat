;; SPDX-License-Identifier: MIT
;; Has no body to run.
(module
  (memory (export "memory") 1)
  (func (export "walk")))
