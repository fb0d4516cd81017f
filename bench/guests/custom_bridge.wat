;; SPDX-License-Identifier: MIT
;; Copyright (c) 2026 The RUSM in C authors
;; custom-bridge: calls greet("World") for ever. The answer, "Hello, World!", is put at the same place each time.
(component
  (import "bench:bridge/greeter@0.1.0" (instance $greeter
    (export "greet" (func (param "name" string) (result string)))))
  (core module $heap
    (memory (export "memory") 1)
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (if (i32.gt_u (local.get $size) (i32.const 4096)) (then unreachable))
      (i32.const 1024)))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))
  (core func $greet (canon lower (func $greeter "greet") (memory $memory) (realloc $realloc)))
  (core module $caller
    (import "heap" "memory" (memory 1))
    (import "greeter" "greet" (func $greet (param i32 i32 i32)))
    (data (i32.const 16) "World")
    (func (export "run")
      (loop $call
        (call $greet (i32.const 16) (i32.const 5) (i32.const 32))
        (if (i32.ne (i32.load (i32.const 36)) (i32.const 13)) (then unreachable))
        (br $call))))
  (core instance $caller (instantiate $caller
    (with "heap" (instance $heap))
    (with "greeter" (instance (export "greet" (func $greet))))))
  (func (export "run") (canon lift (core func $caller "run"))))
