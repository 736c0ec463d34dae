"""Workers of `churn run` as processes, on topics of their own, and what they said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.live.placement import partitions_of
from streams.live.topics import EVENTS, HELD_OUT, WARNINGS
from support.lanes import topic_of

PARTITIONS = 4
ROOT = Path(__file__).parents[2]
SIMULATED_CELL = re.compile(rb'"cell_id":"[^"]*",?')
ADDRESS = re.compile(rb",}")


def without_cells(lines: Iterable[bytes]) -> list[bytes]:
    """Events that no watch over cells has a part in: incidents are the population's, not a partition's."""
    kept = (line for line in lines if b'"network.incident"' not in line and b'"market.noted"' not in line)
    return [ADDRESS.sub(b"}", SIMULATED_CELL.sub(b"", line)) for line in kept]


class Workers:
    """Processes of one group. Each writes its log to the folder."""

    def __init__(self, bootstrap: str, folder: Path, model: Path, **environment: str) -> None:
        self.bootstrap, self.folder, self.model = bootstrap, folder, model
        self.environment = environment
        self.running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def start(self) -> subprocess.Popen[bytes]:
        """One more; back when it has joined the group."""
        self.started += 1
        environment = os.environ | {
            "CHURN_KAFKA_BOOTSTRAP": self.bootstrap,
            "CHURN_CHECKPOINTS": str(self.folder / "checkpoints"),
            "CHURN_KAFKA_PARTITIONS": str(PARTITIONS),
            "CHURN_CHECKPOINT_EVERY": "1",
            "CHURN_KAFKA_SESSION": "6",
            "CHURN_ALIGN": "2",  # a busy machine: records of one moment come to the broker that far apart
            "CHURN_HTTP_PORT": "0",
            "CHURN_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there: warnings wait in Kafka
            **self.environment,
        }
        path = self.folder / f"worker-{self.started}.log"
        log = path.open("wb")
        command = [sys.executable, "-c", "from streams.cli import main; main()", "run", "--model", str(self.model)]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        log.close()
        self.running.append(process)
        wait_until(lambda: process.poll() is not None or b"worker started" in path.read_bytes(), 120)
        assert process.poll() is None, path.read_text()
        return process

    def kill(self, process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> int:
        """End one; gives its exit code."""
        process.send_signal(how)
        if how == signal.SIGSTOP:
            return 0
        self.running.remove(process)
        return process.wait(60)

    def stop_all(self) -> list[int]:
        """End them in order; gives their exit codes."""
        return [self.kill(process, signal.SIGTERM) for process in list(self.running)]

    def logs(self) -> str:
        """All that they wrote."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))


def produce(bootstrap: str, lines: list[bytes]) -> None:
    """Send events in their order, each to its topic and partition."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    events = [msgspec.json.decode(line) for line in lines]
    keys = [event["customer_id"].encode() for event in events]
    for line, event, key, lane in zip(lines, events, keys, partitions_of(keys, PARTITIONS).tolist(), strict=True):
        producer.send(topic_of(event["type"]), value=line, key=key, partition=lane)
    producer.flush()
    producer.close()


def wait_until(so: Callable[[], bool], seconds: float = 60) -> None:
    """Look until something is so; AssertionError when it takes longer."""
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)  # between two looks


def ends(consumer: KafkaConsumer) -> dict[TopicPartition, int]:
    """The end offsets of all topics of events."""
    return consumer.end_offsets([TopicPartition(topic, lane) for topic in EVENTS for lane in range(PARTITIONS)])


def wait_drained(bootstrap: str, seconds: float) -> dict[TopicPartition, tuple[int | None, int]]:
    """Wait until everything is committed; gives (committed, end) of what is not."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id="churn", enable_auto_commit=False)
    until = time.monotonic() + seconds
    while True:
        behind = {
            where: (committed, end)
            for where, end in ends(consumer).items()
            if ((committed := consumer.committed(where)) or 0) != end
        }
        if not behind or time.monotonic() > until:
            consumer.close()
            return behind
        time.sleep(0.3)  # between two looks at the broker


def read_all(bootstrap: str, topics: Iterable[str] = (WARNINGS, HELD_OUT)) -> list[dict[str, object]]:
    """Everything that was ever said to these topics, each partition in its order."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, consumer_timeout_ms=3_000)
    where = [TopicPartition(topic, lane) for topic in topics for lane in range(PARTITIONS)]
    consumer.assign(where)
    consumer.seek_to_beginning()
    found = [msgspec.json.decode(record.value) for record in consumer]
    consumer.close()
    return found
