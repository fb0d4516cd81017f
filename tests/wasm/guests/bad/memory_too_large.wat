;; SPDX-License-Identifier: MIT
;; Its memory begins with 4 GiB, more than any profile allows.
(module
  (memory (export "memory") 65536)
  (func (export "run")))
