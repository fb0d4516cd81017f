;; SPDX-License-Identifier: MIT
;; As memory_bomb, with a table and its elements.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "run")
    (loop $more
      (br_if $more
        (i32.ne (table.grow $table (ref.null func) (i32.const 256)) (i32.const -1))))
    unreachable))
