;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; fairness: never yields, never ends.
(module
  (memory (export "memory") 1)
  (func (export "run") (loop $for_ever (br $for_ever))))
