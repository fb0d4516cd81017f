;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; component-storm, dynamic-wasm: module_storm.wat as a component.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "run") (i32.store (i32.const 100) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))
