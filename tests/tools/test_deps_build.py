# SPDX-License-Identifier: MIT
"""deps/build with a cargo that builds at once, waits, or fails, as the test wants."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from loader import ROOT

SCRIPT = ROOT / "deps" / "build"

# The fakes are told by variables: FAKE_VERSION, FAKE_RUSTC (more of the compiler's name), FAKE_FAIL,
# FAKE_GATE (a fifo: the build waits there until it is written to).
CARGO = r"""#!/bin/sh
case $1 in
--version) echo "cargo ${FAKE_VERSION:-1.95.0} (fake)" ;;
metadata) cat "$FAKE_METADATA" ;;
build)
    echo "build in $PWD" >>"$FAKE_LOG"
    mkdir -p "$CARGO_TARGET_DIR/release"
    archive=$CARGO_TARGET_DIR/release/librusm_wasmtime.a
    echo half >"$archive"
    [ -z "$FAKE_GATE" ] || { echo "fake: waits" >&2; read -r _ <"$FAKE_GATE"; }
    [ -z "$FAKE_FAIL" ] || { echo "fake: does not compile" >&2; exit 101; }
    cat src/lib.rs >"$archive"
    printf '{"reason":"compiler-artifact","package_id":"own","target":{"kind":["staticlib"]},'
    printf '"filenames":["%s"]}\n' "$archive"
    ;;
esac
"""
RUSTC = r"""#!/bin/sh
case $1 in
--version) echo "rustc ${FAKE_VERSION:-1.95.0} (fake)" ;;
-vV) printf 'rustc 1.95.0 %s\nhost: x86_64-unknown-linux-gnu\n' "$FAKE_RUSTC" ;;
--print) echo /nonexistent ;;
esac
"""
METADATA = """{
  "packages": [
    {"id": "own", "name": "rusm-wasmtime", "version": "0.1.0", "license": "MIT", "license_file": null,
     "repository": null, "manifest_path": "%(crates)s/own/Cargo.toml"},
    {"id": "a", "name": "with-text", "version": "1.2.3", "license": "MIT", "license_file": null,
     "repository": "https://example.org/a", "manifest_path": "%(crates)s/a/Cargo.toml"},
    {"id": "b", "name": "apache-text", "version": "2.0.0", "license": "Apache-2.0",
     "license_file": null, "repository": null, "manifest_path": "%(crates)s/b/Cargo.toml"},
    {"id": "c", "name": "no-text", "version": "3.0.0", "license": "%(licence)s",
     "license_file": null, "repository": null, "manifest_path": "%(crates)s/c/Cargo.toml"},
    {"id": "d", "name": "for-tests", "version": "4.0.0", "license": "GPL-3.0", "license_file": null,
     "repository": null, "manifest_path": "%(crates)s/d/Cargo.toml"}],
  "resolve": {"root": "own", "nodes": [
    {"id": "own", "deps": [{"pkg": "a", "dep_kinds": [{"kind": null}]},
                           {"pkg": "d", "dep_kinds": [{"kind": "dev"}]}]},
    {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": "build"}, {"kind": "dev"}]}]},
    {"id": "b", "deps": [{"pkg": "c", "dep_kinds": [{"kind": null}]}]},
    {"id": "c", "deps": []}, {"id": "d", "deps": []}]}
}
"""


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.clone = self.make_clone("clone")
        for name, text in (("cargo", CARGO), ("rustc", RUSTC)):
            self.write(f"bin/{name}", text).chmod(0o755)
        self.write("crates/own/Cargo.toml", "")
        self.write("crates/a/LICENSE-MIT", "Copyright A. MIT text.\n")
        self.write("crates/b/license.txt", "Apache text.\n")
        self.write("crates/c/Cargo.toml", "")
        self.write("crates/d/Cargo.toml", "")
        self.tell_metadata("Apache-2.0")
        self.cache = self.top / "cache" / "deps"
        self.log = self.top / "log"
        # Of this machine only what the script and the fakes run by; it may have a Rust of its own.
        self.tools = self.top / "tools"
        self.tools.mkdir()
        for name in ("cat", "env", "mkdir", "sh"):
            (self.tools / name).symlink_to(shutil.which(name))
        (self.tools / "python3").symlink_to(sys.executable)
        self.env = {
            "PATH": f"{self.top}/bin:{self.tools}",
            "HOME": str(self.top / "home"),
            "RUSM_CACHE_DIR": str(self.top / "cache"),
            "FAKE_LOG": str(self.log),
            "FAKE_METADATA": str(self.top / "metadata"),
        }

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def tell_metadata(self, licence):
        self.write("metadata", METADATA % {"crates": self.top / "crates", "licence": licence})

    def make_clone(self, name):
        crate = f"{name}/deps/wasmtime"
        self.write(f"{crate}/Cargo.toml", '[package]\nrust-version = "1.95"\n')
        self.write(f"{crate}/Cargo.lock", "")
        self.write(f"{crate}/src/lib.rs", "one")
        self.write(f"{crate}/include/rusm_wasmtime.h", "header")
        shutil.copy(SCRIPT, self.top / name / "deps" / "build")
        return self.top / name

    def start(self, *words, clone=None, **env):
        process = subprocess.Popen(
            [(clone or self.clone) / "deps" / "build", *words], env={**self.env, **env},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def finish(self, process):
        """The prefix that it names."""
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        return Path(output.splitlines()[-1])

    def build(self, clone=None, **env):
        return self.finish(self.start(clone=clone, **env))

    def refused(self, *words, **env):
        """What it says as it fails."""
        process = self.start(*words, **env)
        output, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, output), (1, ""), errors)
        self.assertNotIn("Traceback", errors)
        return errors

    def gate(self):
        os.mkfifo(self.top / "gate")
        return str(self.top / "gate")

    def wait_for(self, process, text):
        for line in process.stderr:
            if text in line:
                return
        self.fail(f"it ended and did not say {text!r}")

    def builds(self):
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


class Keys(Build):
    def test_a_prefix_is_whole_and_built_once(self):
        prefix = self.build()
        self.assertEqual(prefix.parent, self.cache)
        self.assertEqual((prefix / "lib/librusm_wasmtime.a").read_text(), "one")
        self.assertEqual((prefix / "include/rusm_wasmtime.h").read_text(), "header")
        self.assertEqual(self.build(), prefix)
        self.assertEqual(self.build(clone=self.make_clone("other")), prefix)
        self.assertEqual(self.builds(), 1)

    def test_content_names_compiler_and_flags_decide(self):
        crate = "clone/deps/wasmtime"
        prefixes = [self.build(), self.build(FAKE_RUSTC="1"), self.build(RUSTFLAGS="-O")]
        for name, text in (
            ("src/lib.rs", "two"),
            ("src/more.rs", ""),
            ("include/rusm_wasmtime.h", "header 2"),
            ("Cargo.lock", "x"),
            ("Cargo.toml", 'rust-version = "1.95"\n'),
        ):
            self.write(f"{crate}/{name}", text)
            prefixes.append(self.build())
        (self.top / crate / "src/more.rs").rename(self.top / crate / "src/less.rs")
        prefixes.append(self.build())
        self.assertEqual(len(set(prefixes)), 9)
        self.write(f"{crate}/rustfmt.toml", "x")
        self.write(f"{crate}/target/x", "x")
        self.assertEqual(self.build(), prefixes[-1])

    def test_cargo_never_works_in_the_clone_and_its_files_are_removed(self):
        self.build()
        self.assertEqual(self.log.read_text(), f"build in {self.cache}/source\n")
        self.assertFalse((self.cache / "target").exists())
        self.build(FAKE_RUSTC="1", RUSM_KEEP_TARGET="1")
        self.assertTrue((self.cache / "target").exists())

    def test_sources_are_newer_than_what_was_built_of_other_sources(self):
        self.build(RUSM_KEEP_TARGET="1")
        source = self.write("clone/deps/wasmtime/src/lib.rs", "two")
        os.utime(source, (1, 1))
        self.assertEqual((self.build() / "lib/librusm_wasmtime.a").read_text(), "two")
        built = (self.cache / "source/src/lib.rs").stat().st_mtime
        self.assertGreater(built, 1)

    def test_the_three_used_last_are_kept(self):
        first, second, third = (self.build(FAKE_RUSTC=str(number)) for number in range(3))
        for place, prefix in enumerate((second, third, first)):
            os.utime(prefix, (place + 1, place + 1))
        self.assertEqual(self.build(FAKE_RUSTC="2"), third)
        fourth = self.build(FAKE_RUSTC="3")
        kept = {path for path in self.cache.iterdir() if len(path.name) == 16}
        self.assertEqual(kept, {first, third, fourth})

    def test_without_a_named_cache_it_is_that_of_the_user(self):
        del self.env["RUSM_CACHE_DIR"]
        self.assertEqual(self.build().parent, self.top / "home/.cache/rusm/deps")
        self.assertEqual(
            self.build(XDG_CACHE_HOME=str(self.top / "xdg")).parent, self.top / "xdg/rusm/deps"
        )


class Prefix(Build):
    def given(self, header="header"):
        self.write("given/lib/librusm_wasmtime.a", "")
        self.write("given/include/rusm_wasmtime.h", header)
        return str(self.top / "given")

    def test_a_given_prefix_is_taken_and_needs_no_cargo(self):
        given = self.given()
        (self.top / "bin/cargo").unlink()
        self.assertEqual(self.build(RUSM_WASMTIME_PREFIX=given), Path(given))
        self.assertFalse(self.cache.exists())

    def test_an_empty_one_is_none(self):
        self.assertEqual(self.build(RUSM_WASMTIME_PREFIX="").parent, self.cache)

    def test_a_wrong_one_is_named_with_what_is_missing(self):
        given = self.given()
        for name in ("include/rusm_wasmtime.h", "lib/librusm_wasmtime.a"):
            (Path(given) / name).unlink()
            errors = self.refused(RUSM_WASMTIME_PREFIX=given)
            self.assertIn(f"RUSM_WASMTIME_PREFIX is {given}, where {name} is missing", errors)

    def test_one_of_another_version_is_refused(self):
        errors = self.refused(RUSM_WASMTIME_PREFIX=self.given("another"))
        self.assertIn("built from another version", errors)


class Together(Build):
    def test_builds_at_the_same_time_build_once(self):
        gate = self.gate()
        first = self.start(FAKE_GATE=gate)
        self.wait_for(first, "fake: waits")
        second = self.start(FAKE_GATE=gate)
        self.wait_for(second, "another build is running")
        Path(gate).write_text("go\n")
        self.assertEqual(self.finish(first), self.finish(second))
        self.assertEqual(self.builds(), 1)

    def test_a_kill_in_the_middle_leaves_no_half_prefix(self):
        process = self.start(FAKE_GATE=self.gate())
        self.wait_for(process, "fake: waits")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.assertEqual([path.name for path in self.cache.iterdir() if len(path.name) == 16], [])
        self.assertEqual((self.build() / "lib/librusm_wasmtime.a").read_text(), "one")
        self.assertEqual(self.builds(), 2)

    def test_what_a_kill_left_aside_is_no_part_of_the_next(self):
        self.write("cache/deps/aside/lib/librusm_wasmtime.a", "half")
        self.write("cache/deps/aside/left", "")
        self.write("cache/deps/source/src/left.rs", "")
        prefix = self.build()
        self.assertEqual((prefix / "lib/librusm_wasmtime.a").read_text(), "one")
        self.assertFalse((prefix / "left").exists())
        self.assertFalse((self.cache / "source/src/left.rs").exists())

    def test_a_prefix_that_lost_a_file_is_built_again(self):
        prefix = self.build()
        (prefix / "include/rusm_wasmtime.h").unlink()
        self.assertEqual(self.build(), prefix)
        self.assertEqual((prefix / "include/rusm_wasmtime.h").read_text(), "header")


class Refusals(Build):
    def assert_advice(self, errors):
        self.assertIn("Rust 1.95 or newer", errors)
        self.assertIn("rustup", errors)
        self.assertIn("RUSM_WASM=OFF", errors)

    def test_cargo_or_compiler_missing(self):
        for name in ("rustc", "cargo"):
            (self.top / "bin" / name).unlink()
            for words in ((), ("--check",)):
                errors = self.refused(*words)
                self.assertIn(f"{name} is missing", errors)
                self.assert_advice(errors)

    def test_cargo_too_old(self):
        for version in ("0.66.0", "1.94.1"):
            errors = self.refused("--check", FAKE_VERSION=version)
            self.assertIn(f"{self.top}/bin/cargo is {version}, too old", errors)
            self.assert_advice(errors)
        for version in ("1.95.0-nightly", "1.100.0", "2.0.0"):
            process = self.start("--check", FAKE_VERSION=version)
            self.assertEqual(process.communicate(), ("", ""))
            self.assertEqual(process.returncode, 0)

    def test_a_cargo_that_does_not_run(self):
        self.write("bin/cargo", "#!/bin/sh\necho 'no toolchain is chosen' >&2\nexit 1\n")
        errors = self.refused()
        self.assertIn("does not run: no toolchain is chosen", errors)
        self.assert_advice(errors)

    def test_one_in_the_folder_of_rustup_is_found(self):
        (self.top / "home/.cargo").mkdir(parents=True)
        (self.top / "bin").rename(self.top / "home/.cargo/bin")
        self.assertTrue(self.build(PATH=str(self.tools)).is_dir())

    def test_a_crate_that_does_not_compile(self):
        errors = self.refused(FAKE_FAIL="1")
        self.assertIn("fake: does not compile", errors)
        self.assertIn("cargo build failed (exit code 101)", errors)
        self.assertEqual((self.build() / "lib/librusm_wasmtime.a").read_text(), "one")

    def test_a_cache_that_cannot_be_written(self):
        self.write("cache", "a file")
        self.assertIn("cache", self.refused())


class Notices(Build):
    def notices(self):
        return (self.build() / "share/licenses/rusm-wasmtime/THIRD-PARTY-NOTICES").read_text()

    def test_every_crate_that_is_built_in_is_listed_and_each_text_is_there_once(self):
        text = self.notices()
        for line in ("with-text 1.2.3  MIT  https://example.org/a", "no-text 3.0.0  Apache-2.0"):
            self.assertIn(f"\n{line}\n", text)
        self.assertIn("\nwith-text 1.2.3\n" + "-" * 80 + "\n\nCopyright A. MIT text.\n", text)
        shared = "\napache-text 2.0.0\nno-text 3.0.0\n" + "-" * 80 + "\n\nApache text.\n"
        self.assertIn(shared, text)
        self.assertEqual(text.count("Apache text."), 1)
        for name in ("rusm-wasmtime 0.1.0", "for-tests"):
            self.assertNotIn(name, text)

    def test_a_crate_whose_text_cannot_be_had_is_an_error(self):
        self.tell_metadata("MIT")
        errors = self.refused()
        self.assertIn("no-text 3.0.0 (MIT) comes without a licence text", errors)
        self.assertEqual(self.builds(), 0)


if __name__ == "__main__":
    unittest.main()
