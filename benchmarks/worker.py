"""One `churn run` that is measured: its process, what its /metrics says, and the processor time it takes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from benchmarks.broker import PARTITIONS
from benchmarks.events import trained
from benchmarks.figures import Measured

LOOK_SECONDS = 0.1
WRITTEN = "churn_checkpoint_bytes_total"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class LiveWorker:
    """One worker that goes on from the checkpoints in `folder`; `with` starts it, and stops it in order."""

    def __init__(self, servers: str, folder: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.written = 0.0  # bytes of checkpoints per second, of what was measured last
        self.log = folder / "worker.log"
        self.environment = os.environ | {
            "CHURN_KAFKA_BOOTSTRAP": servers,
            "CHURN_KAFKA_PARTITIONS": str(PARTITIONS),
            "CHURN_CHECKPOINTS": str(folder / "checkpoints"),
            "CHURN_HTTP_PORT": str(self.port),
            "CHURN_STOP_WITHIN": "120",
            "CHURN_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there: warnings wait in Kafka
            **environment,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """The process; once more, when it has ended."""
        command = [sys.executable, "-c", "from streams.entry import main; main()", "run", "--model", str(trained())]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(150)

    def metric(self, name: str) -> float:
        """The sum over a metric's labels; 0 while the worker does not answer. Raises RuntimeError when it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text()[-4000:])
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0.0
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((name + "{", name + " ")))

    def cpu(self) -> float:
        """Seconds of processor time so far, with those of checkpoints that are written."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS_PER_SECOND

    def applied(self) -> float:
        """Events applied since it started."""
        return self.metric("churn_events_total")

    def drain(self, events: int) -> Measured:
        """Wait until nearly all of so many events are applied; measured from the first tenth of them on."""
        first: tuple[float, float, float, float] | None = None
        while (done := self.applied()) < events * 0.995:
            if first is None and done >= events / 10:
                first = (done, time.perf_counter(), self.cpu(), self.metric(WRITTEN))
            time.sleep(LOOK_SECONDS)
        before, since, spent, written = first or (0.0, 0.0, 0.0, 0.0)
        took = time.perf_counter() - since
        self.written = (self.metric(WRITTEN) - written) / took
        return Measured(int(done - before), took, self.cpu() - spent)
