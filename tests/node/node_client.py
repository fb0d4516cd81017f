# SPDX-License-Identifier: MIT
"""A small WebSocket client for tests, and the node under test."""

import base64
import json
import os
import signal
import socket
import struct
import subprocess

HANG_SECONDS = 30
"""Only a hang reaches it."""


class Closed(Exception):
    """The other side closed; `code` as it gave it, or None."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """A connection to ws://127.0.0.1:port/ws that speaks JSON."""

    def __init__(self, port, origin=None):
        self.socket = socket.create_connection(("127.0.0.1", port), HANG_SECONDS)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        if origin is not None:
            lines.append(f"Origin: {origin}")
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline() not in (b"\r\n", b""):
            pass

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        if len(payload) < 126:
            header = struct.pack("!BB", 0x81, 0x80 | len(payload))
        else:
            header = struct.pack("!BBH", 0x81, 0x80 | 126, len(payload))
        self.socket.sendall(header + mask + masked)

    def receive(self):
        """The next message."""
        while True:
            first, length = struct.unpack("!BB", self._read(2))
            if length == 126:
                (length,) = struct.unpack("!H", self._read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._read(8))
            payload = self._read(length)
            if first & 0x0F == 8:
                raise Closed(struct.unpack("!H", payload[:2])[0] if payload else None)
            if first & 0x0F == 1:
                return json.loads(payload)

    def receive_until(self, wanted):
        """The first message for which `wanted(message)` is true."""
        while True:
            message = self.receive()
            if wanted(message):
                return message

    def frame_until(self, wanted):
        """The first frame for which `wanted(frame)` is true."""
        return self.receive_until(lambda m: m["type"] == "tick" and wanted(m["frame"]))["frame"]

    def _read(self, length):
        data = self.stream.read(length)
        if len(data) < length:
            raise Closed(None)
        return data


def binary():
    """The rusm-bench to test."""
    return os.environ["RUSM_BENCH"]


def command(*arguments, limit=None):
    """Run rusm-bench to its end, under a limit of prlimit(1): "--nofile=5"."""
    prefix = ["prlimit", limit] if limit else []
    return subprocess.run(
        [*prefix, binary(), *arguments],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


class Node:
    """`rusm-bench start` on a free port, until the end of the with block."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [binary(), "start", "--listen", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def stop(self, number=signal.SIGTERM):
        """Ask it to end; its exit code and what it said on standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=HANG_SECONDS)
        return self.process.returncode, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()
