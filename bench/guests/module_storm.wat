;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; module-storm: one page, touched once.
(module
  (memory (export "memory") 1)
  (func (export "run") (i32.store (i32.const 100) (i32.const 1))))
