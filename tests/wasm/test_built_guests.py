# SPDX-License-Identifier: MIT
"""Builds all guests and looks at each: it validates, imports only what a node has, and exports what a
node wants. And the places that write down the imports of the module `rusm` say the same."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SDK = ROOT / "sdk"
BUILT = ROOT / "build" / "guests"
WAT = Path(__file__).resolve().parent / "guests"

sys.dont_write_bytecode = True

WASI_P1 = "wasi_snapshot_preview1"
RUSM_INTERFACE = re.compile(
    r"rusm:runtime/(?:types|actor|pg|streams|kv|log|serve)@0\.1\.0"
    r"|rusm:runtime/(?:links|mailbox|groups)@0\.2\.0"
    r"|example:greeter/greeter@1\.0\.0"
)
WASI_INTERFACE = re.compile(r"wasi:(?:cli|io|clocks|filesystem|random|sockets)/[a-z-]+@0\.2\.\d+")


def output(*command, **options):
    return subprocess.run(
        [str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, **options
    ).stdout


def header_imports():
    """{name: type} of the list in rusm.h's comment."""
    text = (SDK / "c" / "rusm.h").read_text()
    return dict(re.findall(r"^ \* import (\w+) (\w*:\w?)$", text, re.M))


def table_imports():
    """{name: type} of the tables in sdk/README.md, where a parameter without a type is an i32."""
    letter = {"i32": "i", "i64": "I"}
    found = {}
    text = (SDK / "README.md").read_text()
    for name, parameters, result in re.findall(
        r"^\| `(\w+)` \| `\(([^)]*)\)(?: -> (i32|i64))?` \|", text, re.M
    ):
        words = [word.strip().split() for word in parameters.split(",") if word.strip()]
        types = "".join(letter[word[1] if len(word) > 1 else "i32"] for word in words)
        found[name] = f"{types}:{letter.get(result, '')}"
    return found


def go_imports():
    letter = {"Pid": "I", "int64": "I", "uint64": "I", "string": "ii"}
    found = {}
    text = (SDK / "go" / "imports.go").read_text()
    for name, parameters, result in re.findall(
        r"^//go:wasmimport rusm (\w+)\nfunc \w+\(([^)]*)\) ?(\w*)$", text, re.M
    ):
        types = "".join(
            letter.get(word.split()[1], "i") for word in parameters.split(",") if word.strip()
        )
        found[name] = f"{types}:{letter.get(result, 'i') if result else ''}"
    return found


def rust_imports():
    letter = {"i64": "I", "u64": "I"}
    found = {}
    text = (SDK / "rust" / "src" / "imports.rs").read_text()
    for name, parameters, result in re.findall(
        r"pub fn (\w+)\(([^)]*)\)(?: -> (\w+|!))?;", text
    ):
        words = [word.split(":")[1].strip() for word in parameters.split(",") if word.strip()]
        types = "".join(letter.get(word, "i") for word in words)
        found[name] = f"{types}:{letter.get(result, 'i') if result not in ('', '!') else ''}"
    return found


class Guests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / "tools" / "guests"], check=True)
        cls.tools = Path(output(ROOT / "deps" / "build-guest-tools").strip())
        cls.imports = header_imports()

    def listing(self, path):
        """(kind, imports, exports): the words of each line."""
        lines = [line.split() for line in output(self.tools / "rusm-wasm-list", path).splitlines()]
        return (
            lines[0][0],
            [line[1:] for line in lines if line[0] == "import"],
            [line[1:] for line in lines if line[0] == "export"],
        )

    def check_module(self, path, entries):
        kind, imports, exports = self.listing(path)
        self.assertEqual(kind, "module")
        for module, name, type_ in imports:
            if module != WASI_P1:
                self.assertEqual((module, type_), ("rusm", self.imports.get(name)), name)
        self.assertIn(["memory", "memory"], exports)
        self.assertTrue(any([entry, ":"] in exports for entry in entries), exports)

    def check_component(self, path, wanted_export):
        kind, imports, exports = self.listing(path)
        self.assertEqual(kind, "component")
        for (name,) in imports:
            known = RUSM_INTERFACE.fullmatch(name) or WASI_INTERFACE.fullmatch(name)
            self.assertTrue(known, f"imports {name}")
        self.assertEqual(len(exports), 1, exports)
        self.assertRegex(exports[0][0], wanted_export)

    def test_what_is_built(self):
        names = output(ROOT / "tools" / "guests", "--list").split()
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            path = BUILT / f"{name}.wasm"
            with self.subTest(guest=name):
                if name.startswith("component-"):
                    self.check_component(path, r"^run$")
                elif name.startswith("cli_"):
                    self.check_component(path, r"^wasi:cli/run@0\.2\.\d+$")
                elif name.startswith(("wasi_", "go-")):
                    self.check_module(path, ["_start"])
                else:
                    self.check_module(path, ["run"])

    def test_each_language_has_the_three_examples(self):
        names = set(output(ROOT / "tools" / "guests", "--list").split())
        languages = ["c", "component", "rust"]
        if any(name.startswith("go-") for name in names):
            languages.append("go")  # tools/guests leaves them out, and says so, where Go is missing.
        for language in languages:
            for example in ("echo", "supervisor", "stream"):
                self.assertIn(f"{language}-{example}", names)

    def test_what_is_text(self):
        paths = sorted(WAT.glob("*.wat"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(guest=path.name):
                self.check_module(path, ["run"])

    def test_what_is_bad(self):
        """The guests that a node refuses are bad in what they are meant to be."""
        faults = {}
        for path in sorted((WAT / "bad").glob("*.wat")):
            listed = subprocess.run(
                [self.tools / "rusm-wasm-list", path], capture_output=True, text=True
            )
            if listed.returncode != 0:
                faults[path.stem] = "invalid"
                continue
            try:
                self.check_module(path, ["run"])
            except AssertionError:
                faults[path.stem] = "misfit"
        self.assertEqual(
            faults,
            {
                "invalid": "invalid",
                "mistyped_import": "misfit",
                "no_memory": "misfit",
                "no_run": "misfit",
                "run_with_parameter": "misfit",
                "unknown_import": "misfit",
                "unknown_module": "misfit",
            },
        )

    def test_the_c_header_declares_what_its_list_says(self):
        names = ",\n".join(f"(const void *)rusm_{name}" for name in self.imports)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "all.c")
            source.write_text(f'#include "rusm.h"\nconst void *const all[] = {{{names}}};\n')
            built = Path(folder, "all.wasm")
            output("clang", "--target=wasm32-wasi", "--sysroot=/usr", "-I", SDK / "c",
                   "-nostdlib", "-Wl,--no-entry,--export=all", source, "-o", built)
            _, imports, _ = self.listing(built)
        self.assertEqual({name: type_ for _, name, type_ in imports}, self.imports)

    def test_the_packages_of_interfaces_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            for packages in (["wit/deps/runtime-0.1.0"], ["wit"]):
                words = [word for path in packages for word in ("--wit", SDK / path)]
                output(self.tools / "rusm-wit-c", *words, "--world", "process", "--out", folder)


class Tables(unittest.TestCase):
    """The lists of imports agree."""

    def test_header_and_document(self):
        self.assertGreater(len(header_imports()), 30)
        self.assertEqual(table_imports(), header_imports())

    def test_go(self):
        self.assertEqual(go_imports(), header_imports())

    def test_rust(self):
        self.assertEqual(rust_imports(), header_imports())


if __name__ == "__main__":
    unittest.main()
