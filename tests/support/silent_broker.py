"""A broker that is there and never answers: whoever begins with it waits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-c", "from streams.entry import main; main()", "run"]


class SilentBroker:
    """`environment` is a worker's that is to begin with it."""

    def __init__(self, folder: Path) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.workers: list[subprocess.Popen[str]] = []
        host, port = self.server.getsockname()
        self.environment = os.environ | {
            "CHURN_KAFKA_BOOTSTRAP": f"{host}:{port}",
            "CHURN_CHECKPOINTS": str(folder / "checkpoints"),
            "CHURN_HTTP_PORT": "0",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        for process in self.workers:  # those that should have ended have
            process.kill()
            process.wait()

    def worker(self, *arguments: str) -> subprocess.Popen[str]:
        """One that begins."""
        self.server.settimeout(60)
        process = subprocess.Popen(
            [*RUN, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers.append(process)
        return process

    def stopped_while_it_waits(self, number: int = signal.SIGTERM) -> tuple[int, list[str]]:
        """Exit code and log of a worker that gets a signal once it waits for an answer."""
        process = self.worker()
        connection, _ = self.server.accept()
        with connection:
            connection.recv(1)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        return process.returncode, said.splitlines()
