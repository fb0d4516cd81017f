;; SPDX-License-Identifier: MIT
;; An endless loop while it is being instantiated.
(module
  (memory (export "memory") 1)
  (func $start (loop $again (br $again)))
  (start $start)
  (func (export "run")))
