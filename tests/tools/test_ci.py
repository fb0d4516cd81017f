# SPDX-License-Identifier: MIT
"""How tools/ci counts, and that nothing that failed or did not run counts as passed."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from loader import load

ci = load("ci")
Count = ci.Count

CMOCKA_MIXED = """[==========] Running 4 test(s).
[ RUN      ] ok
[       OK ] ok
[ RUN      ] bad
[  FAILED  ] bad
[ RUN      ] skipped
[  SKIPPED ] skipped
[==========] 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] skipped

 1 SKIPPED TEST(S)
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] bad

 1 FAILED TEST(S)
"""


def junit(*cases):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite>{"".join(cases)}</testsuite>'


def case(status, output="", inside=""):
    return (
        f'<testcase name="t" status="{status}">{inside}<system-out>{output}</system-out></testcase>'
    )


class Counting(unittest.TestCase):
    def test_cmocka(self):
        self.assertEqual(ci.count_cmocka(CMOCKA_MIXED), Count(2, 1, 1))
        two = "[  PASSED  ] 3 test(s).\n[  PASSED  ] 4 test(s).\n"
        self.assertEqual(ci.count_cmocka(two), Count(7))

    def test_unittest(self):
        for text, count in (
            ("Ran 5 tests in 0.1s\n\nOK\n", Count(5)),
            ("Ran 1 test in 0.1s\n\nOK\n", Count(1)),
            ("Ran 5 tests in 0.1s\n\nOK (skipped=2)\n", Count(3, 0, 2)),
            ("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n", Count(1, 3, 1)),
            ("Ran 5 tests in 0.1s\n\nFAILED (errors=1)\n", Count(4, 1)),
            ("Ran 0 tests in 0.0s\n\nOK\n", Count()),
        ):
            self.assertEqual(ci.count_unittest(text), count, text)

    def test_bun(self):
        text = "a.test.ts:\n(pass) x\n\n 12 pass\n 1 skip\n 2 fail\n 30 expect() calls\nRan 14 tests\n"
        self.assertEqual(ci.count_bun(text), Count(12, 2, 1))

    def test_the_last_line_of_its_own_form(self):
        self.assertEqual(ci.count_line("1 passed, 1 failed\nx\n7 passed, 2 failed\n"), Count(7, 2))
        self.assertEqual(ci.count_line("7 passed, 0 failed, 3 skipped\n"), Count(7, 0, 3))
        self.assertEqual(ci.count_line("passed\n"), Count())

    def test_the_sum_in_words(self):
        self.assertEqual(str(Count(3) + Count(1, 2)), "4 passed, 2 failed")
        self.assertEqual(str(Count(3, 0, 1)), "3 passed, 0 failed, 1 skipped")


class Ctest(unittest.TestCase):
    def test_programs_without_cases_count_as_one(self):
        self.assertEqual(ci.count_junit(junit(case("run"), case("fail"))), Count(1, 1))

    def test_programs_with_cases_count_by_case(self):
        self.assertEqual(ci.count_junit(junit(case("fail", CMOCKA_MIXED))), Count(2, 1, 1))

    def test_a_crash_after_passing_cases_is_a_failure(self):
        count = ci.count_junit(junit(case("fail", "[  PASSED  ] 3 test(s).\n")))
        self.assertEqual(count, Count(3, 1))

    def test_a_program_that_could_not_start_is_a_failure(self):
        for message in ("Unable to find executable", "Fixture dependency failed"):
            skipped = f'<skipped message="{message}"/>'
            self.assertEqual(ci.count_junit(junit(case("notrun", inside=skipped))), Count(0, 1))

    def test_a_program_that_skips_itself_or_is_switched_off(self):
        skipped = '<skipped message="SKIP_RETURN_CODE=77"/>'
        count = ci.count_junit(junit(case("notrun", inside=skipped), case("disabled")))
        self.assertEqual(count, Count(0, 0, 2))


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        logs = ci.LOGS
        self.addCleanup(setattr, ci, "LOGS", logs)
        ci.LOGS = Path(folder.name)
        quiet = contextlib.redirect_stdout(io.StringIO())
        self.output = quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        self.stage = ci.Stage("trial")

    def test_a_command_without_cases_counts_only_if_it_fails(self):
        self.assertTrue(self.stage.run("true"))
        self.assertEqual(self.stage.count, Count())
        self.assertFalse(self.stage.run("sh", "-c", "echo reason; exit 3"))
        self.assertEqual(self.stage.count, Count(0, 1))
        self.assertIn("reason", self.output.getvalue())

    def test_the_end_says_once_more_what_failed(self):
        self.stage.run("sh", "-c", "echo a; echo 'x.c:3: ERROR: b'; echo c; exit 1", title="try")
        self.assertEqual(
            self.stage.reminders, ["FAILED: [trial] try (exit code 1)", "    x.c:3: ERROR: b"]
        )
        self.stage.run("sh", "-c", "seq 100; exit 1", title="count")
        self.assertEqual(len(self.stage.reminders), 2 + 1 + ci.REMINDER_LINES)
        self.assertEqual(self.stage.reminders[-1], "    100")

    def test_no_case_run_is_a_failure(self):
        self.assertFalse(self.stage.run("true", counter=ci.count_unittest))
        self.assertEqual(self.stage.count, Count(0, 1))

    def test_failed_cases_fail_whatever_the_exit_code(self):
        self.assertFalse(self.stage.run("echo", "1 passed, 2 failed", counter=ci.count_line))
        self.assertEqual(self.stage.count, Count(1, 2))

    def test_a_bad_exit_code_fails_whatever_was_counted(self):
        command = ("sh", "-c", "echo 4 passed, 0 failed; exit 1")
        self.assertFalse(self.stage.run(*command, counter=ci.count_line))
        self.assertEqual(self.stage.count, Count(4, 1))

    def test_a_command_that_hangs_is_killed_with_its_children(self):
        self.addCleanup(setattr, ci, "COMMAND_SECONDS_MAX", ci.COMMAND_SECONDS_MAX)
        ci.COMMAND_SECONDS_MAX = 0.2
        self.assertFalse(self.stage.run("sh", "-c", "sleep 60 & wait"))
        self.assertEqual(self.stage.count, Count(0, 1))

    def test_what_is_missing_fails_the_stage(self):
        self.addCleanup(ci.STAGES.pop, "trial", None)
        ci.STAGES["trial"] = lambda stage: stage.need("no/such/file")
        stage, _ = ci.run_stage("trial")
        count = stage.count
        self.assertEqual(count, Count(0, 1))
        self.assertIn("no/such/file is missing", self.output.getvalue())
        ci.STAGES["trial"] = lambda stage: stage.run("no-such-program")
        stage, _ = ci.run_stage("trial")
        count = stage.count
        self.assertEqual(count, Count(0, 1))
        self.assertIn("no-such-program is missing", self.output.getvalue())


class Choice(unittest.TestCase):
    def test_all_is_every_stage_but_those_pending(self):
        self.addCleanup(setattr, ci, "PENDING", ci.PENDING)
        ci.PENDING = {}
        self.assertEqual(ci.stages_of(["all"]), list(ci.STAGES))
        ci.PENDING = {"fuzz": "no/such/file"}
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertNotIn("fuzz", ci.stages_of(["all"]))
        ci.PENDING = {"fuzz": "tools/ci"}
        with self.assertRaises(SystemExit):
            ci.stages_of(["all"])


if __name__ == "__main__":
    unittest.main()
