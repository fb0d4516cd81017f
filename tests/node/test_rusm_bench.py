# SPDX-License-Identifier: MIT
"""The real rusm-bench: its commands, and a node with clients."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from node_client import HANG_SECONDS, Closed, Node, WebSocket, binary, command

FEW_ADDRESSES = f"--as={512 * 1024 * 1024}"
# In the order of the menu; those with guests are not there in a build without WebAssembly.
REAL = [
    *["spawn-storm", "ping-pong", "fault-recovery"],
    *["fairness", "module-storm", "component-storm", "stream-pipe"],
    *["pubsub-fanout", "custom-bridge", "dynamic-wasm"],
]
if os.environ.get("RUSM_WASM") == "OFF":
    REAL = ["spawn-storm", "ping-pong", "fault-recovery", "pubsub-fanout"]


def get(url):
    with urllib.request.urlopen(url, timeout=HANG_SECONDS) as response:
        return response.status, dict(response.headers), response.read().decode()


class Arguments(unittest.TestCase):
    def assert_usage(self, *arguments):
        result = command(*arguments)
        self.assertEqual(result.returncode, 2, arguments)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_what_is_not_understood_is_one_line_and_exit_code_2(self):
        for arguments in [
            [],
            ["fly"],
            ["--bogus"],
            ["list", "x"],
            ["compare", "a"],
            ["run"],
            ["run", "nope"],
            ["run", "ping-pong", "-1"],
            ["run", "ping-pong", "1", "turbo"],
            ["run", "ping-pong", "1", "max", "more"],
            ["run", "ping-pong", "--workers", "0"],
            ["run", "ping-pong", "--repeat", "101"],
            ["run", "ping-pong", "--idle", "-1"],
            ["run", "ping-pong", "--idle", "16000001"],
            ["run", "ping-pong", "--bogus"],
            ["run", "ping-pong", "--schedulers"],
            ["idle", "0"],
            ["idle", "-1"],
            ["idle", "16000001"],
            ["idle", "many"],
            ["idle", "10", "more"],
            ["idle", "--bogus"],
            ["start", "--ticks", "5"],
            ["start", "--ticks", "61"],
            ["start", "--profile", "turbo"],
            ["start", "--listen", "example.org:1"],
            ["start", "--listen", "127.0.0.1:65536"],
            ["start", "--listen", ""],
            ["start", "more"],
        ]:
            self.assert_usage(*arguments)

    def test_help_and_version(self):
        self.assertIn("usage: rusm-bench", command("--help").stdout)
        version = command("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^rusm-bench \d+\.\d+\.\d+ \(\w+(, changed)?\)\n$")

    def test_list_names_every_scenario(self):
        lines = command("list").stdout.splitlines()
        self.assertEqual(len(lines), 21)
        self.assertEqual([line.split()[0] for line in lines if "not yet" not in line], REAL)

    def test_a_scenario_without_engine_fails(self):
        result = command("run", "kv-storm")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_a_taken_port_is_one_line_and_exit_code_1(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = command("start", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn("in use", result.stderr)


class Run(unittest.TestCase):
    def test_each_scenario_prints_one_result_line(self):
        for scenario in REAL:
            result = command("run", scenario, "0.2", "light", "--json", "--workers", "2")
            self.assertEqual(result.returncode, 0, result.stderr)
            line = json.loads(result.stdout)
            self.assertEqual(line["schema"], 1)
            self.assertEqual(line["scenario"], scenario)
            self.assertEqual(line["profile"], "light")
            self.assertEqual(line["workers"], 2)
            self.assertEqual((line["repeats"], line["idle"]), (1, 0))
            self.assertEqual(set(line["machine"]), {"cpu", "cores", "memory_bytes", "kernel"})
            self.assertIsInstance(line["dirty"], bool)
            metrics = {metric["name"]: metric for metric in line["metrics"]}
            self.assertEqual(line["metrics"][0]["name"], "ops_per_sec")
            self.assertGreater(metrics["ops_per_sec"]["median"], 0)
            percentiles = [metrics[f"{p}_ns"]["median"] for p in ["p50", "p95", "p99", "p999"]]
            self.assertEqual(percentiles, sorted(percentiles))
            self.assertGreater(percentiles[0], 0)

    def test_repeats_give_a_spread_and_files_can_be_compared(self):
        result = command("run", "ping-pong", "0.1", "--repeat", "2", "--json")
        line = json.loads(result.stdout)
        self.assertEqual(line["repeats"], 2)
        rate = line["metrics"][0]
        self.assertLessEqual(rate["min"], rate["median"])
        self.assertLessEqual(rate["median"], rate["max"])
        with tempfile.TemporaryDirectory() as directory:
            a = pathlib.Path(directory, "a.json")
            b = pathlib.Path(directory, "b.json")
            a.write_text(result.stdout)
            for metric in line["metrics"]:
                for key in ["median", "min", "max"]:
                    metric[key] *= 2
            b.write_text("no result\n" + json.dumps(line) + "\n")
            compared = command("compare", str(a), str(b))
            self.assertEqual(compared.returncode, 0, compared.stderr)
            rate_line = next(l for l in compared.stdout.splitlines() if "ops_per_sec" in l)
            self.assertIn(" 2.000 ", rate_line)
            self.assertEqual(command("compare", str(a), "/absent").returncode, 1)

    def test_an_interrupt_ends_a_run(self):
        process = subprocess.Popen(
            [binary(), "run", "spawn-storm", "600"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.send_signal(signal.SIGCONT)  # whenever it comes, the signal is blocked and waits
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANG_SECONDS)
        self.assertIn(process.returncode, [130, -signal.SIGTERM])


class Idle(unittest.TestCase):
    COUNT = 20000

    def test_what_an_idle_process_costs_is_one_result_line(self):
        result = command("idle", str(self.COUNT), "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        line = json.loads(result.stdout)
        self.assertEqual(line["schema"], 1)
        self.assertEqual(line["scenario"], "idle")
        self.assertEqual(line["workers"], self.COUNT)
        self.assertEqual((line["idle"], line["repeats"]), (0, 1))
        self.assertEqual(set(line["machine"]), {"cpu", "cores", "memory_bytes", "kernel"})
        metrics = {metric["name"]: metric["median"] for metric in line["metrics"]}
        self.assertEqual(
            list(metrics),
            [
                "bytes_per_process",
                "bytes_per_fiber",
                "page_table_bytes_per_fiber",
                "servers_spawned_per_sec",
                "fibers_spawned_per_sec",
                "idle_cpu_percent",
                "start_ms",
                "runtime_rss_bytes",
            ],
        )
        self.assertGreater(metrics["bytes_per_process"], 100)
        self.assertGreater(metrics["bytes_per_fiber"], 4096)
        for name in ["servers_spawned_per_sec", "fibers_spawned_per_sec", "start_ms"]:
            self.assertGreater(metrics[name], 0)

    def test_without_the_flag_it_is_for_people(self):
        result = command("idle", "1000")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("bytes_per_fiber", result.stdout)

    def assert_fails(self, limit, *arguments):
        result = command(*arguments, limit=limit)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        return result.stderr

    def test_what_cannot_be_measured_is_one_line_and_exit_code_1(self):
        self.assertIn("Too many open files", self.assert_fails("--nofile=4", "idle", "10"))

    def test_too_many_for_the_memory_is_one_line_and_exit_code_1(self):
        if command("--version", limit=FEW_ADDRESSES).returncode != 0:
            self.skipTest("a sanitizer needs more addresses than that")
        self.assertRegex(self.assert_fails(FEW_ADDRESSES, "idle"), "fibers are too many|memory")
        beside = ["run", "ping-pong", "0.1", "--idle", "16000000"]
        self.assertRegex(self.assert_fails(FEW_ADDRESSES, *beside), "servers are too many|memory")

    def test_an_interrupt_ends_it(self):
        process = subprocess.Popen(
            [binary(), "idle", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANG_SECONDS)
        self.assertIn(process.returncode, [130, -signal.SIGTERM])

    def test_a_run_beside_idle_processes(self):
        # More than a scenario itself may hold, so that they are seen not to count against it.
        count = 5000 * len(os.sched_getaffinity(0)) + 5000
        for scenario in REAL:
            result = command("run", scenario, "0.5", "light", "--json", "--idle", str(count))
            self.assertEqual(result.returncode, 0, result.stderr)
            line = json.loads(result.stdout)
            self.assertEqual(line["idle"], count)
            metrics = {metric["name"]: metric["median"] for metric in line["metrics"]}
            self.assertGreater(metrics["ops_per_sec"], 0)
            self.assertGreater(metrics["peak_concurrent"], count)
            self.assertNotIn("stalled", result.stderr)


class Start(unittest.TestCase):
    def test_signals_end_it_cleanly(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            with Node() as node, WebSocket(node.port) as client:
                client.receive()
                self.assertEqual(node.stop(number), (0, ""))
                with self.assertRaises(Closed) as closed:
                    while True:
                        client.receive()
                self.assertEqual(closed.exception.code, 1001)

    def test_the_page_and_health(self):
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "index.html").write_text("the page")
            with Node("--dashboard", directory) as node:
                self.assertEqual(get(node.url)[2], "the page")
                status, headers, body = get(node.url + "health")
                self.assertEqual((status, json.loads(body)["status"]), (200, "ok"))
                self.assertEqual(headers["Content-Type"], "application/json")

    def test_hello_tells_everything(self):
        with tempfile.TemporaryDirectory() as directory:
            peers = pathlib.Path(directory, "results.jsonl")
            metric = {"name": "ops_per_sec", "unit": "1/s", "value": 12.5}
            line = {"scenario": "ping-pong", "peer": "beam", "metrics": [metric]}
            peers.write_text(json.dumps(line) + "\n")
            with Node("--peers", str(peers), "--ticks", "60") as node:
                with WebSocket(node.port) as client:
                    hello = client.receive()
        self.assertEqual(hello["type"], "hello")
        self.assertEqual(len(hello["scenarios"]), 21)
        for scenario in hello["scenarios"]:
            self.assertEqual(scenario["real"], scenario["id"] in REAL)
            if scenario["real"]:
                source = pathlib.Path(__file__).parents[2] / scenario["source_file"]
                self.assertEqual(scenario["source"], source.read_text())
        self.assertEqual([p["id"] for p in hello["profiles"]], ["light", "balanced", "max"])
        self.assertEqual(hello["node"]["ticks_per_second"], 60)
        self.assertGreaterEqual(hello["node"]["schedulers"], 1)
        self.assertEqual([p["ops_per_sec"] for p in hello["peers"]], [12.5])

    def test_scenarios_run_and_stop_and_leave_nothing(self):
        with Node("--ticks", "60") as node, WebSocket(node.port) as client:
            for scenario in REAL:
                client.send({"type": "run", "scenario": scenario})
                frame = client.frame_until(
                    lambda f: f["scenario"] == scenario
                    and f["ops_per_sec"] > 0
                    and f["latency"]["count"] > 0
                )
                self.assertTrue(frame["running"])
                self.assertGreater(frame["latency"]["p50_ns"], 0)
                self.assertGreater(frame["observer"]["process_count"], 0)
                self.assertEqual(get(node.url + "health")[0], 200)
                client.send({"type": "stop"})
                frame = client.frame_until(lambda f: f["observer"]["process_count"] == 0)
                self.assertFalse(frame["running"])
                self.assertEqual(frame["warnings"], [])

    def test_one_run_replaces_another(self):
        with Node("--ticks", "60") as node, WebSocket(node.port) as client:
            client.send({"type": "run", "scenario": "spawn-storm"})
            client.frame_until(lambda f: f["ops_per_sec"] > 0)
            client.send({"type": "run", "scenario": "ping-pong"})
            client.frame_until(lambda f: f["scenario"] == "ping-pong" and f["ops_per_sec"] > 0)

    def test_the_process_table_shows_who_runs(self):
        with Node("--ticks", "60") as node:
            with WebSocket(node.port) as client, WebSocket(node.port) as other:
                client.send({"type": "run", "scenario": "ping-pong"})
                client.send({"type": "set_observer_detail", "enabled": True, "sort": "cpu"})
                frame = client.frame_until(lambda f: len(f["observer"]["processes"]) >= 2)
                labels = {row["label"] for row in frame["observer"]["processes"]}
                self.assertLessEqual({"ping-pong ping", "ping-pong pong"}, labels)
                frame = other.frame_until(lambda f: f["running"])
                self.assertEqual(frame["observer"]["processes"], [])
                client.send({"type": "set_observer_detail", "enabled": False})
                client.frame_until(lambda f: not f["observer"]["detail"])

    def test_profiles_can_be_changed_and_nonsense_is_answered(self):
        with Node("--profile", "light") as node, WebSocket(node.port) as client:
            self.assertEqual(client.frame_until(lambda f: True)["profile"], "light")
            client.send({"type": "set_resource_profile", "profile": "max"})
            client.frame_until(lambda f: f["profile"] == "max")
            for wrong in [{"type": "run", "scenario": "nope"}, {"type": "fly"}, 7]:
                client.send(wrong)
                message = client.receive_until(lambda m: m["type"] == "error")
                self.assertTrue(message["message"])
            client.frame_until(lambda f: True)

    def test_foreign_pages_may_not_connect(self):
        with Node("--origin", "https://pages.example") as node:
            for origin, status in [
                (None, 101),
                (node.url.rstrip("/"), 101),
                ("http://localhost:5173", 101),
                ("https://pages.example", 101),
                ("http://evil.example", 403),
            ]:
                with WebSocket(node.port, origin) as client:
                    self.assertEqual(client.status, status, origin)


if __name__ == "__main__":
    unittest.main()
