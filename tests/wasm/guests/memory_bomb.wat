;; SPDX-License-Identifier: MIT
;; Takes memory page by page and writes to each. A grow past the limit ends it with reason `limit`, so it
;; never gets -1 for an answer; if it did, it would trap.
(module
  (memory (export "memory") 1)
  (func (export "run")
    (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
      (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
      (br $more))))
