;; SPDX-License-Identifier: MIT
;; Traps while it is being instantiated.
(module
  (memory (export "memory") 1)
  (func $start unreachable)
  (start $start)
  (func (export "run")))
