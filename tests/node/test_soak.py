# SPDX-License-Identifier: MIT
"""bench/soak, over the real rusm-bench and over programs that only take memory."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from node_client import HANG_SECONDS, binary

SOAK = pathlib.Path(__file__).parents[2] / "bench" / "soak"

# Runs for as many seconds as it is told and two for the warm-up; `rate` mebibytes more a second.
TAKER = f"""#!{sys.executable}
import sys, threading, time
assert (sys.argv[1], sys.argv[2], sys.argv[4]) == ("run", "spawn-storm", "max"), sys.argv
end = time.monotonic() + float(sys.argv[3]) + 2
taken = [bytearray(b"x" * (32 << 20))]
while time.monotonic() < end:
    threading.Event().wait(0.05)
    taken.append(bytearray(b"x" * int(RATE * 0.05 * (1 << 20))))
sys.exit(CODE)
"""


def soak(*arguments):
    return subprocess.run(
        [sys.executable, "-B", str(SOAK), *arguments],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


class Soak(unittest.TestCase):
    def soak_taker(self, rate, code=0):
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory, "taker")
            program.write_text(TAKER.replace("RATE", str(rate)).replace("CODE", str(code)))
            program.chmod(0o755)
            return soak("1", "--first", "0.6", "--every", "0.2", "--bench", str(program))

    def test_steady_memory_is_fine(self):
        result = self.soak_taker(0)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertRegex(result.stdout, r"resident memory after 1 s: \d+\.\d\d MiB\n")
        self.assertRegex(result.stdout, r"resident memory after 3 s: \d+\.\d\d MiB ")
        self.assertRegex(result.stdout, r"ratio: (0\.99|1\.00)\d, \d+ samples\n")

    def test_growing_memory_is_a_failure(self):
        result = self.soak_taker(20)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stdout, r"ratio: [12]\.\d\d\d, ")
        self.assertIn("grew by more than 5 %", result.stderr)

    def test_a_run_that_fails_is_a_failure(self):
        result = self.soak_taker(0, code=3)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("exit status 3", result.stderr)
        result = soak("--bench", "/absent")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1))

    def test_bad_arguments(self):
        for arguments in [["0"], ["x"], ["5", "--first", "5"], ["--every", "nan"], ["1", "2"]]:
            result = soak(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)

    def test_a_short_run_of_the_real_program(self):
        # Too short to judge a small program's memory by: it may say either, but it has looked.
        result = soak("2", "--first", "1", "--every", "0.5", "--bench", binary())
        self.assertIn(result.returncode, [0, 1], result.stderr)
        self.assertRegex(result.stdout, r"ratio: \d+\.\d\d\d, \d+ samples")


if __name__ == "__main__":
    unittest.main()
