# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""Tests of the driver, with small scripts in the place of the programs it measures."""
import argparse
import contextlib
import io
import json
import os
import re
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

PEERS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PEERS))

from driver import cli, program, record, rounds, stats, table  # noqa: E402
from driver.peers import Peer, all_peers  # noqa: E402
from driver.scenarios import SCENARIOS  # noqa: E402


def result_line(scenario="spawn-storm", value=100.0, **changes):
    """What a peer prints."""
    return json.dumps({"schema": 1, "peer": "x", "peer_version": "1.2", "scenario": scenario, "workers": 1,
                       "metrics": [{"name": "ops_per_sec", "unit": "1/s", "value": value}], **changes})


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Scripted(Peer):
    """A peer whose runs are Python programs given as text, one after the other, the last for ever."""

    def __init__(self, name, *bodies):
        self.name, self.bodies = name, list(bodies)

    def missing(self):
        return None

    def command(self, scenario, workers, seconds):
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return [sys.executable, "-c", body]


def prints(line):
    return f"print({line!r})"


class Folder(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))


class StatsTest(unittest.TestCase):
    def test_summary(self):
        summary = stats.summarise([4.0, 1.0, 2.0])
        self.assertEqual((summary.median, summary.min, summary.max), (2.0, 1.0, 4.0))
        self.assertEqual(summary.spread_percent, 150.0)

    def test_spread_of_zeros(self):
        self.assertEqual(stats.summarise([0.0, 0.0]).spread_percent, 0.0)

    def test_ratio_is_taken_in_each_round(self):
        # The machine was twice as slow in the second round: the medians' ratio would hide that both rounds agree.
        ratio = stats.ratios([10.0, 5.0, 30.0], [5.0, 2.5, 10.0])
        self.assertEqual((ratio.median, ratio.min, ratio.max), (2.0, 2.0, 3.0))

    def test_no_ratio_without_both(self):
        self.assertIsNone(stats.ratios([], [1.0]))
        self.assertIsNone(stats.ratios([1.0], [0.0]))


class ParseTest(unittest.TestCase):
    def parse(self, line):
        return program.parse(line, "spawn-storm", "ops_per_sec")

    def test_a_peers_line(self):
        result = self.parse(result_line(value=7))
        self.assertEqual(result, program.Result("1.2", {"ops_per_sec": ("1/s", 7.0)}))

    def test_our_own_line_has_medians(self):
        line = json.dumps({"schema": 1, "commit": "abc", "scenario": "spawn-storm",
                           "metrics": [{"name": "ops_per_sec", "unit": "1/s", "median": 5, "min": 4, "max": 6}]})
        self.assertEqual(self.parse(line), program.Result("abc", {"ops_per_sec": ("1/s", 5.0)}))

    def test_unusable_lines(self):
        metric = {"name": "ops_per_sec", "unit": "1/s"}
        for line, complaint in (
            ("", "not JSON"),
            ("1.5 M/s", "not JSON"),
            ("[1]", "lacks"),
            ("{}", "lacks"),
            (result_line(schema=2), "schema 2"),
            (result_line(scenario="ping-pong"), "scenario ping-pong"),
            (result_line(metrics=None), "lacks"),
            (result_line(metrics=[]), "no ops_per_sec"),
            (result_line(metrics=[metric]), "lacks"),
            (result_line(metrics=[{**metric, "value": "many"}]), "lacks"),
            (result_line(metrics=[{**metric, "value": None}]), "lacks"),
            (result_line(value=float("nan")), "nan"),
            (result_line(value=-1), "-1"),
            (result_line(value=0), "did no work"),
        ):
            with self.subTest(line=line), self.assertRaisesRegex(program.RunError, re.escape(complaint)):
                self.parse(line)


class RunTest(unittest.TestCase):
    def run_body(self, body, timeout=30.0):
        return program.run([sys.executable, "-c", body], "spawn-storm", "ops_per_sec", timeout)

    def test_only_the_last_line_counts(self):
        result = self.run_body(f"print('warming up'); {prints(result_line(value=3))}")
        self.assertEqual(result.metrics["ops_per_sec"], ("1/s", 3.0))

    def test_a_crash_is_told_with_its_last_words(self):
        with self.assertRaisesRegex(program.RunError, "exit status 3: out of luck"):
            self.run_body("import sys; print('out of luck', file=sys.stderr); sys.exit(3)")

    def test_a_signal_is_told(self):
        with self.assertRaisesRegex(program.RunError, "killed by signal 9"):
            self.run_body("import os; os.kill(os.getpid(), 9)")

    def test_a_hang_ends_with_its_children(self):
        # The child holds the pipe's other end: it is gone when reading the pipe comes to its end.
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        os.set_inheritable(write_end, True)
        body = "import os, signal; os.fork(); signal.pause()"
        with mock.patch.object(program.subprocess, "Popen", keeping_open(write_end)):
            with self.assertRaisesRegex(program.RunError, "still running after 0.2 s"):
                self.run_body(body, timeout=0.2)
        os.close(write_end)
        self.assertEqual(os.read(read_end, 1), b"")

    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(program.RunError, "cannot start"):
            program.run(["/nonexistent/peer"], "spawn-storm", "ops_per_sec", 1.0)

    def test_tuning_of_the_environment_does_not_reach_a_peer(self):
        with mock.patch.dict(os.environ, {"RUST_BACKTRACE": "1", "GOGC": "off", "KEPT": "yes"}):
            environment = program.environment()
        self.assertNotIn("RUST_BACKTRACE", environment)
        self.assertNotIn("GOGC", environment)
        self.assertEqual(environment["KEPT"], "yes")


def keeping_open(descriptor):
    popen = program.subprocess.Popen
    return lambda *args, **options: popen(*args, pass_fds=(descriptor,), **options)


class RoundsTest(unittest.TestCase):
    def cells(self, *peers, workers=(1,)):
        return rounds.plan([SCENARIOS["spawn-storm"]], list(workers), list(peers))

    def run_cells(self, cells, repeats, **options):
        said = []
        rounds.run(cells, 1.0, repeats, say=said.append, **options)
        return said

    def test_repeats_are_interleaved(self):
        peers = [Scripted(name, prints(result_line())) for name in ("a", "b")]
        said = self.run_cells(self.cells(*peers), 2)
        self.assertEqual([line.split(":")[0] for line in said],
                         [f"{n}/2 spawn-storm workers=1 {peer}" for n in (1, 2) for peer in "ab"])

    def test_a_failed_cell_keeps_no_numbers_and_is_not_tried_again(self):
        flaky = Scripted("flaky", prints(result_line()), "raise SystemExit(1)", prints(result_line()))
        steady = Scripted("steady", prints(result_line()))
        cells = self.cells(flaky, steady)
        said = self.run_cells(cells, 3)
        self.assertEqual((cells[0].results, cells[0].failure), ([], "exit status 1"))
        self.assertEqual(len(cells[1].results), 3)
        self.assertEqual(sum("flaky" in line for line in said), 2)

    def test_the_time_a_run_may_take(self):
        # Two parts of 2 s warm-up and 1 s each, and what starting takes.
        with mock.patch.object(program, "run", side_effect=program.RunError("still running")) as run:
            self.run_cells(self.cells(Scripted("stuck", "")), 1, grace=30)
        self.assertEqual(run.call_args.args[3], 36)

    def test_plan(self):
        with_idle = rounds.plan([SCENARIOS["ping-pong"], SCENARIOS["idle"]], [3], [Scripted("a", "")])
        self.assertEqual([(c.scenario.name, c.workers) for c in with_idle], [("ping-pong", 3), ("idle", 1_000_000)])
        by_default = rounds.plan([SCENARIOS["ping-pong"]], None, [Scripted("a", "")])
        self.assertEqual([c.workers for c in by_default], [1, 2, 100])

    def test_a_peer_is_not_asked_for_what_it_has_not(self):
        go = next(p for p in all_peers(Path("/"), 2) if p.name == "go")
        self.assertEqual(rounds.plan([SCENARIOS["fault-recovery"]], None, [go]), [])


class TableTest(unittest.TestCase):
    def cell(self, name, *values, workers=1, extra=None, scenario="spawn-storm"):
        cell = rounds.Cell(SCENARIOS[scenario], workers, Scripted(name, ""))
        cell.results = [program.Result("1", {"ops_per_sec": ("1/s", v), **(extra or {})}) for v in values]
        return cell

    def test_columns_and_ratio(self):
        lines = table.rate_table([self.cell("ours", 2000.0, 3000.0), self.cell("beam", 1000.0, 1000.0)]).splitlines()
        self.assertEqual(lines[0].split(), "scenario workers peer metric median min max spread ours/peer (min-max)".split())
        self.assertEqual(lines[1].split(), "spawn-storm 1 ours ops_per_sec 2,500 2,000 3,000 40 %".split())
        self.assertEqual(lines[2].split(), "spawn-storm 1 beam ops_per_sec 1,000 1,000 1,000 0 % 2.50 (2.00-3.00)".split())

    def ratios(self, *cells):
        """What stands in the last column, by peer and metric; "" without a ratio."""
        rows = [re.split(r"  +", line) for line in table.rate_table(list(cells)).splitlines()[1:]]
        return {(row[2], row[3]): row[8] if len(row) > 8 else "" for row in rows}

    def test_a_supervisor_is_compared_with_a_bare_loop_too(self):
        ours = self.cell("ours", 600.0, scenario="fault-recovery", extra={"windowed_ops_per_sec": ("1/s", 500.0)})
        beam = self.cell("beam", 2.0, scenario="fault-recovery", extra={"bare_ops_per_sec": ("1/s", 300.0)})
        self.assertEqual(self.ratios(ours, beam), {
            ("ours", "ops_per_sec"): "", ("ours", "windowed_ops_per_sec"): "",
            ("beam", "ops_per_sec"): "300.00 (300.00-300.00)", ("beam", "bare_ops_per_sec"): "2.00 (2.00-2.00)"})

    def test_both_parts_of_the_fanout_are_compared(self):
        ours = self.cell("ours", 6.0, scenario="pubsub-fanout", extra={"wide_ops_per_sec": ("1/s", 8.0)})
        rusm = self.cell("rusm", 3.0, scenario="pubsub-fanout", extra={"wide_ops_per_sec": ("1/s", 2.0)})
        self.assertEqual(self.ratios(ours, rusm), {
            ("ours", "ops_per_sec"): "", ("ours", "wide_ops_per_sec"): "",
            ("rusm", "ops_per_sec"): "2.00 (2.00-2.00)", ("rusm", "wide_ops_per_sec"): "4.00 (4.00-4.00)"})

    def test_small_numbers_keep_their_digits(self):
        self.assertEqual([table.number(value) for value in (0.0, 0.0031, 2.345, 50.0, 1234.5)],
                         ["0", "0.0031", "2.35", "50", "1,234"])

    def test_memory_is_compared(self):
        idle = [rounds.Cell(SCENARIOS["idle"], 1_000_000, Scripted(name, "")) for name in ("ours", "beam")]
        idle[0].results = [program.Result("1", {"bytes_per_process": ("B", 200.0), "bytes_per_fiber": ("B", 4000.0)})]
        idle[1].results = [program.Result("1", {"bytes_per_process": ("B", 2000.0)})]
        self.assertEqual(self.ratios(*idle)[("beam", "bytes_per_process")], "0.10 (0.10-0.10)")

    def test_ratio_only_with_the_same_workers(self):
        text = table.rate_table([self.cell("ours", 2.0, workers=2), self.cell("beam", 1.0)])
        self.assertNotIn("(2.00", text)

    def test_a_failure_is_in_its_row(self):
        failed = self.cell("rusm")
        failed.failure = "exit status 1: a reason much longer than any of the columns is wide"
        lines = table.rate_table([failed, self.cell("beam", 1.0)]).splitlines()
        self.assertTrue(lines[1].endswith("failed: " + failed.failure))
        self.assertLess(len(lines[2]), 110)

    def test_other_rates_have_rows_and_latencies_a_table(self):
        cell = self.cell("beam", 5.0, extra={"p50_ns": ("ns", 1234.0), "p99_ns": ("ns", 9.0), "wide": ("1/s", 7.0)})
        self.assertEqual([line.split()[3] for line in table.rate_table([cell]).splitlines()[1:]], ["ops_per_sec", "wide"])
        self.assertEqual(table.latency_table([cell]).splitlines()[1].split(), ["spawn-storm", "1", "beam", "1,234", "9"])
        self.assertEqual(table.latency_table([self.cell("beam", 5.0)]), "")


class CliTest(Folder):
    """The whole driver over a made-up source tree."""

    ECHO = ("import json, sys\n"
            "print(json.dumps({'schema': 1, 'scenario': SCENARIO, 'peer_version': '9', 'metrics':"
            " [{'name': 'ops_per_sec', 'unit': '1/s', 'value': 50.0}]}))")

    def setUp(self):
        super().setUp()
        # No tools: what is not in the tree is absent.
        self.enterContext(mock.patch.dict(os.environ, {"PATH": str(self.root / "no-tools")}))

    def main(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(list(arguments), self.root)
        return status, out.getvalue(), err.getvalue()

    def add_peer(self, path, body=ECHO, scenario="sys.argv[1]"):
        return script(self.root / path, body.replace("SCENARIO", scenario))

    def add_ours(self):
        body = self.ECHO.replace("'value'", "'median'")
        return self.add_peer("build/release/bin/rusm-bench", body, "sys.argv[2]")

    def test_nothing_there(self):
        status, out, err = self.main()
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(re.findall("^(.*?): absent: ", err, re.M), ["ours", "rusm", "beam", "go", "tokio"])
        self.assertIn("run make build", err)
        self.assertIn("no cargo", err)

    def test_only_peers_that_have_the_scenario_are_missed(self):
        _, _, err = self.main("--scenario", "module-storm,dynamic-wasm")
        self.assertEqual(re.findall("^(.*?): absent: ", err, re.M), ["ours", "rusm-wasm", "wasmtime"])

    def test_an_absent_peer_is_no_failure(self):
        self.add_ours()
        self.add_peer("build/peers/go/peer-go")
        status, out, err = self.main("--scenario", "spawn-storm", "--workers", "1", "--repeats", "2")
        self.assertEqual(status, 0, err)
        self.assertIn("1.00 (1.00-1.00)", out)
        self.assertNotIn("beam", out)
        self.assertIn("beam: absent: no erl", err)

    def test_a_failed_peer_is_a_failure_but_the_others_are_measured(self):
        self.add_ours()
        self.add_peer("build/peers/go/peer-go", "raise SystemExit(4)")
        status, out, _ = self.main("--scenario", "spawn-storm", "--workers", "1", "--repeats", "1")
        self.assertEqual(status, 1)
        self.assertIn("failed: exit status 4", out)
        self.assertIn("ours  ", out)
        self.assertEqual([r["peer"] for r in self.records()], ["ours"])

    def test_records(self):
        other = self.add_ours().rename(self.root / "other-bench")
        self.main("--scenario", "ping-pong", "--workers", "1,2", "--repeats", "1", "--seconds", "0.5",
                  "--peers", "ours", "--ours", str(other))
        first, second = self.records()
        self.assertEqual((first["workers"], second["workers"]), (1, 2))
        self.assertEqual(first["metrics"], [{"name": "ops_per_sec", "unit": "1/s", "median": 50, "min": 50, "max": 50}])
        self.assertEqual((first["schema"], first["scenario"], first["peer"], first["peer_version"], first["seconds"],
                          first["repeats"]), (1, "ping-pong", "ours", "9", 0.5, 1))
        self.assertEqual(set(first["machine"]), {"cpu", "cores", "memory_bytes", "kernel"})
        self.assertEqual((first["commit"], first["dirty"]), ("unknown", False))

    def records(self):
        text = (self.root / "build/peers/results.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def test_how_ours_is_started(self):
        ours = all_peers(self.root, 2, Path("bench"))[0]
        self.assertEqual(ours.command("ping-pong", 3, 2.0),
                         ["bench", "run", "ping-pong", "2", "max", "--workers", "3", "--json"])
        self.assertEqual(ours.command("idle", 1_000_000, 2.0), ["bench", "idle", "1000000", "--json"])
        self.assertEqual(all_peers(self.root, 2, Path("bin/bench"))[0].command("guest-ping-pong", 3, 2.0),
                         ["bin/wasm_bench", "guest-ping-pong", "2", "--workers", "3", "--json"])
        self.assertEqual(all_peers(self.root, 2, Path("bin/bench"))[0].command("byte-streams", 2, 1.0),
                         ["bin/streams_bench", "byte-streams", "1", "--workers", "2", "--json"])

    def test_what_ours_has_no_program_for_is_left_out_and_told(self):
        ours = self.add_ours()
        self.add_peer("build/peers/wasm/release/peer-rusm-wasm")
        status, out, err = self.main("--scenario", "module-storm,guest-ping-pong", "--workers", "1", "--repeats", "1")
        self.assertEqual(status, 0, err)
        self.assertEqual(re.findall("^ours: absent: (.*?) is not there", err, re.M), [str(ours.with_name("wasm_bench"))])
        self.assertEqual([(r["scenario"], r["peer"]) for r in self.records()],
                         [("module-storm", "ours"), ("module-storm", "rusm-wasm"), ("guest-ping-pong", "rusm-wasm")])

    def test_what_ours_has_a_program_of_its_own_for_is_compared(self):
        self.add_peer("build/release/bin/wasm_bench")
        self.add_peer("build/peers/wasm/release/peer-rusm-wasm")
        status, out, err = self.main("--scenario", "guest-ping-pong", "--workers", "1", "--repeats", "1")
        self.assertEqual((status, err.count("absent")), (0, 0), err)
        self.assertIn("1.00 (1.00-1.00)", out)

    def test_bad_arguments(self):
        for arguments in (["--scenario", "nonsense"], ["--scenario", ""], ["--peers", "java"], ["--workers", "0"],
                          ["--workers", "1,,2"], ["--workers", "x"], ["--seconds", "-1"], ["--seconds", "nan"],
                          ["--seconds", "inf"], ["--repeats", "0"], ["--repeats", "1.5"], ["--unknown"], ["extra"]):
            err = io.StringIO()
            with self.subTest(arguments=arguments), contextlib.redirect_stderr(err):
                with self.assertRaises(SystemExit) as ended:
                    cli.main(arguments, self.root)
                self.assertEqual(ended.exception.code, 2)
                self.assertIn("error:", err.getvalue())

    def test_lists_are_without_repeats(self):
        self.assertEqual(cli.counts("2,1,2"), [2, 1])
        self.assertEqual(cli.some_of("ab")("b,a,b"), ["b", "a"])
        self.assertRaises(argparse.ArgumentTypeError, cli.some_of("ab"), "c")


class SourcesTest(unittest.TestCase):
    """What the Rust peers say and do must be what the driver and the lock files say."""

    PEERS = {"rusm": ("rust/rusm", "rusm-otp"), "tokio": ("rust/tokio", "tokio"),
             "rusm-wasm": ("wasm/rusm-wasm", "rusm-wasm"), "wasmtime": ("wasm/wasmtime", "wasmtime")}

    def main(self, name):
        return (PEERS / self.PEERS[name][0] / "src/main.rs").read_text(encoding="utf-8")

    def test_versions_are_those_of_the_lock_file(self):
        for name, (folder, crate) in self.PEERS.items():
            lock = ((PEERS / folder).parent / "Cargo.lock").read_text(encoding="utf-8")
            stated = re.search(r'const VERSION: &str = "(.*)";', self.main(name))[1]
            self.assertIn(f'name = "{crate}"\nversion = "{stated}"\n', lock)

    def test_workloads_are_those_the_driver_asks_for(self):
        peers = {p.name: p for p in all_peers(Path("/"), 2)}
        for name in self.PEERS:
            workloads = re.findall(r'"([a-z-]+)" => \w+::\w+,', self.main(name))
            self.assertEqual(set(workloads), peers[name].scenarios, name)


class MachineTest(unittest.TestCase):
    def test_it_has_cores_and_memory(self):
        machine = record.machine()
        self.assertGreater(machine["cores"], 0)
        self.assertGreater(machine["memory_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
