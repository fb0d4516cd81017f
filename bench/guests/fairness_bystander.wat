;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; fairness: a progress mark for each 4096 rounds of work, so that marks measure the processor's time it got and the
;; call that tells of them costs nothing beside the work.
(module
  (import "rusm" "notify" (func $notify))
  (memory (export "memory") 1)
  (func (export "run") (local $left i32)
    (loop $mark
      (local.set $left (i32.const 4096))
      (loop $work
        (br_if $work (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $notify)
      (br $mark))))
