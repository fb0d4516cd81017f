# SPDX-License-Identifier: MIT
"""tools/check_deps on small trees, with the layers of this project."""

import unittest

from loader import ROOT, load

check_deps = load("check_deps")

LAYERS = (ROOT / "docs" / "layers.txt").read_text(encoding="utf-8")
TREE = {
    "include/rusm/rusm.h": "",
    "src/base/clock.h": "",
    "src/base/clock_internal.h": "",
    "src/otp/otp.h": "",
    "src/otp/timer_internal.h": "",
    "src/net/net.h": "",
    "src/net/http.h": "",
    "src/node/node.h": "",
    "src/node/snapshot.h": "",
}


class Includes(unittest.TestCase):
    def findings(self, path, text, *others):
        files = {**TREE, path: text, **{other: "" for other in others}}
        return check_deps.Checker(check_deps.Layers(LAYERS), files).run()

    def assert_allowed(self, path, *headers):
        for header in headers:
            self.assertEqual(self.findings(path, f"#include {header}\n"), [], (path, header))

    def assert_refused(self, path, header, words):
        findings = self.findings(path, f"\n#include {header}\n")
        self.assertEqual(len(findings), 1, (path, header, findings))
        self.assertTrue(findings[0].startswith(f"{path}:2: "), findings)
        self.assertIn(words, findings[0])

    def test_arrows_that_point_down(self):
        self.assert_allowed("src/otp/a.c", '"base/clock.h"', "<rusm/rusm.h>", "<stdio.h>")
        self.assert_allowed("src/net/a.c", '"otp/otp.h"', '"base/clock.h"', "<sys/epoll.h>")
        self.assert_allowed("src/node/a.c", '"net/net.h"')

    def test_arrows_that_point_up(self):
        self.assert_refused("src/base/a.c", '"otp/otp.h"', "base must not include otp")
        self.assert_refused("src/otp/a.h", '"net/net.h"', "otp must not include net")
        self.assert_refused("src/net/a.c", '"node/node.h"', "net must not include node")
        self.assert_refused("include/rusm/a.h", '"base/clock.h"', "public must not include base")

    def test_internal_headers(self):
        self.assert_allowed("src/otp/a.c", '"otp/timer_internal.h"')
        self.assert_refused("src/net/a.c", '"otp/timer_internal.h"', "is internal to otp")
        self.assert_refused("src/node/a.c", '"net/http.h"', "is internal to net")
        self.assert_refused("src/otp/a.c", '"base/clock_internal.h"', "is internal to base")
        self.assert_allowed("fuzz/a.c", '"net/http.h"', '"otp/timer_internal.h"')

    def test_bench_uses_public_headers_base_and_the_node(self):
        self.assert_allowed("bench/a.c", '"base/clock.h"', '"node/node.h"', "<rusm/rusm.h>")
        self.assert_refused("bench/a.c", '"node/snapshot.h"', "bench must not include node")
        self.assert_refused("bench/a.c", '"otp/otp.h"', "bench must not include otp")
        self.assert_refused("examples/a.c", '"base/clock.h"', "examples must not include base")

    def test_own_headers_of_folders_outside_src(self):
        for name in ('"engine.h"', '"engines/engine.h"', '"bench/engines/engine.h"'):
            text = f"#include {name}\n"
            self.assertEqual(len(self.findings("bench/engines/a.c", text)), 1)
            found = self.findings("bench/engines/a.c", text, "bench/engines/engine.h")
            self.assertEqual(found, [])

    def test_paths(self):
        self.assert_refused("src/otp/a.c", '"../base/clock.h"', "..")
        self.assert_refused("src/otp/a.c", '"timer_internal.h"', "must start at src/")
        self.assert_refused("src/otp/a.c", '"otp/none.h"', "not a file under src/")
        self.assert_refused("src/otp/a.c", "<rusm/none.h>", "not a file of include/")
        self.assert_refused("src/otp/a.c", '"rusm/rusm.h"', "write <rusm/rusm.h>")

    def test_libraries_have_their_folders(self):
        self.assert_allowed("src/net/a.c", "<openssl/ssl.h>", "<jansson.h>", "<wslay/wslay.h>")
        self.assert_allowed("src/bridge/crypto.c", "<openssl/evp.h>")
        self.assert_allowed("src/bridge/crypto/a.c", "<openssl/evp.h>")
        self.assert_allowed("src/kv/a.c", "<lmdb.h>")
        self.assert_allowed("src/wasm/a.c", "<rusm_wasmtime.h>")
        self.assert_refused("src/bridge/log.c", "<openssl/evp.h>", "belongs to")
        self.assert_refused("src/otp/a.c", "<jansson.h>", "belongs to")
        self.assert_refused("src/node/a.c", "<rusm_wasmtime.h>", "belongs to")
        self.assert_refused("src/otp/a.c", "<curl/curl.h>", "does not list")

    def test_cmocka_is_for_tests(self):
        self.assert_allowed("src/otp/a_test.c", "<cmocka.h>")
        self.assert_allowed("tests/a.c", "<cmocka.h>")
        self.assert_refused("src/otp/a.c", "<cmocka.h>", "belongs to")

    def test_comments_are_not_includes(self):
        text = '/*\n#include "net/net.h"\n*/\n// #include "node/node.h"\n'
        self.assertEqual(self.findings("src/base/a.c", text), [])

    def test_an_unlisted_component(self):
        findings = self.findings("src/extra/a.c", "")
        self.assertIn("does not list the component extra", findings[0])

    def test_peers_are_not_looked_at(self):
        self.assertEqual(self.findings("bench/peers/x/a.c", "#include <beam.h>\n"), [])


class CMake(unittest.TestCase):
    def findings(self, cmake, text='#include "base/clock.h"\n'):
        files = {**TREE, "src/otp/a.c": text, "src/otp/CMakeLists.txt": cmake}
        return check_deps.Checker(check_deps.Layers(LAYERS), files).run()

    def test_uses_must_list_what_is_included(self):
        self.assertEqual(self.findings("rusm_component(otp SOURCES a.c USES base)"), [])
        findings = self.findings("rusm_component(otp SOURCES a.c)")
        self.assertIn("its USES does not list it", findings[0])

    def test_uses_must_be_allowed(self):
        findings = self.findings("\nrusm_component(otp SOURCES a.c\n  USES base net LIBRARIES x)")
        self.assertEqual(findings, ["src/otp/CMakeLists.txt:2: otp must not use net; see docs/layers.txt"])


class LayersFile(unittest.TestCase):
    def test_a_component_may_name_only_those_above_it(self):
        problems = check_deps.Layers("a: b\nb:\n").problems
        self.assertEqual(problems, ["docs/layers.txt:1: a names b, not listed above it"])

    def test_a_line_without_a_colon(self):
        self.assertEqual(len(check_deps.Layers("a b\n").problems), 1)

    def test_the_one_of_this_project_is_sound(self):
        self.assertEqual(check_deps.Layers(LAYERS).problems, [])


if __name__ == "__main__":
    unittest.main()
