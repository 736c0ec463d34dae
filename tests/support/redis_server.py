"""A real redis-server of the tests' own: on a free loopback port, in a folder of its own, stopped by its process."""

from __future__ import annotations

import random
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from support.programs import needs

_random = random.SystemRandom()  # not the seeded one: two processes of the tests would pick the same
READY = b"Ready to accept connections"


def free_port() -> int:
    """Below those that the system gives to whoever connects: it is still free when the server starts a second time."""
    while True:
        port = _random.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RedisServer:
    """Started by `with`; `kill` is a crash, after which `start` goes on from what is on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options, self.port = folder, options, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        own = () if "--tls-port" in self.options else ("--port", str(self.port))
        self.process = subprocess.Popen(
            ["redis-server", *own, "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder), *self.options],
            stdout=subprocess.PIPE,
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if READY in line:
                return
        raise RuntimeError(f"redis-server did not start: {b''.join(said[-5:]).decode()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def needs_redis() -> None:
    needs("redis-server", "redis-server")
