"""Workers of `churn run` as processes, on topics of their own, and what they said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from streams.live.placement import partitions_of
from streams.live.topics import EVENTS, HELD_OUT, TICKS, WARNINGS
from support.lanes import topic_of

PARTITIONS = 4
ALIGN = 2
"""Seconds: on a busy machine records of one moment come to the broker that far apart."""
ROOT = Path(__file__).parents[2]
CHURN = [sys.executable, "-c", "from streams.commands.root import main; main()"]
SIMULATED_CELL = re.compile(rb'"cell_id":"[^"]*",?')
ADDRESS = re.compile(rb",}")


def without_cells(lines: Iterable[bytes]) -> list[bytes]:
    """Events that no watch over cells has a part in: incidents are the population's, not a partition's."""
    kept = (line for line in lines if b'"network.incident"' not in line and b'"market.noted"' not in line)
    return [ADDRESS.sub(b"}", SIMULATED_CELL.sub(b"", line)) for line in kept]


def simulated(folder: Path, customers: int, days: int, seed: int = 21) -> tuple[list[bytes], Path]:
    """Events without what concerns cells, in the file `events.jsonl` too, and a model that learned from them."""
    events, model = folder / "events.jsonl", folder / "model"
    churn("simulate", "--customers", customers, "--days", days, "--seed", seed, "--out", events)
    lines = without_cells(events.read_bytes().splitlines())
    events.write_bytes(b"\n".join(lines) + b"\n")
    churn("replay", events, "--save-model", model)
    return lines, model


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
            "CHURN_ALIGN": str(ALIGN),
            "CHURN_HTTP_PORT": "0",
            "CHURN_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there: warnings wait in Kafka
            **self.environment,
        }
        path = self.folder / f"worker-{self.started}.log"
        log = path.open("wb")
        command = [*CHURN, "run", "--model", str(self.model)]
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


def page_of(port: int) -> str:
    """A worker's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        return page.read().decode()


def make_topics(bootstrap: str) -> None:
    """The topics of events, which keep records however old."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    kept = {"retention.ms": "-1"}
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=kept) for topic in EVENTS])
    wait_until(lambda: set(EVENTS) <= set(admin.list_topics()))
    admin.close()


@contextmanager
def sender(bootstrap: str, *, dated: bool = False) -> Iterator[Callable[[list[bytes]], None]]:
    """Sends events in their order, each to its topic and partition; all have arrived when it is left.

    `dated`: as if they had come when they happened.
    """
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, batch_size=1 << 19, max_in_flight_requests_per_connection=1
    )

    def send(lines: list[bytes]) -> None:
        events = [msgspec.json.decode(line) for line in lines]
        keys = [event["customer_id"].encode() for event in events]
        for line, event, key, lane in zip(lines, events, keys, partitions_of(keys, PARTITIONS).tolist(), strict=True):
            at = int(datetime.fromisoformat(event["occurred_at"]).timestamp() * 1_000) if dated else None
            producer.send(topic_of(event["type"]), value=line, key=key, partition=lane, timestamp_ms=at)

    try:
        yield send
    finally:
        producer.flush()
        producer.close()


def produce(bootstrap: str, lines: list[bytes], *, dated: bool = False) -> None:
    """Send events in their order."""
    with sender(bootstrap, dated=dated) as send:
        send(lines)


class Expected:
    """A simulated stream, a model that learned from it, and what a replay with that model says."""

    def __init__(self, folder: Path, customers: int, days: int, seed: int) -> None:
        self.lines, self.model = simulated(folder, customers, days, seed)
        said = folder / "warnings.jsonl"
        churn("replay", folder / "events.jsonl", "--model", self.model, "--warnings", said)
        self.decisions, _ = firsts(map(msgspec.json.decode, said.read_bytes().splitlines()))

    def compare(self, said: Iterable[dict[str, Any]]) -> tuple[dict[str, int], int]:
        """How many were missing, extra or different, and how many repeated what had been said."""
        found, again = firsts(said)
        both = found.keys() & self.decisions.keys()
        differ = sum(found[one] != self.decisions[one] for one in both)
        missing, extra = len(self.decisions) - len(both), len(found) - len(both)
        return {"missing": missing, "extra": extra, "different": differ}, again


def churn(*arguments: object) -> None:
    """A command that must succeed."""
    subprocess.run([*CHURN, *map(str, arguments)], check=True, capture_output=True, cwd=ROOT)


def firsts(decisions: Iterable[dict[str, Any]]) -> tuple[dict[tuple[str, int], dict[str, Any]], int]:
    """The first of each (warning_id, revision), the wall clock apart, and how many repeats there were; each is equal to it."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    again = 0
    for decision in decisions:
        del decision["decided_at"]
        first = found.setdefault((decision["warning_id"], decision["revision"]), decision)
        assert first == decision, f"said once as {first} and once as {decision}"
        again += first is not decision
    return found, again


def wait_until(so: Callable[[], bool], seconds: float = 60) -> None:
    """Look until something is so; AssertionError when it takes longer."""
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)  # between two looks


def committed_and_ends(bootstrap: str) -> dict[TopicPartition, tuple[int, int]]:
    """The group's offset and the end of every partition of the topics of events."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id="churn", enable_auto_commit=False)
    ends = consumer.end_offsets([TopicPartition(topic, lane) for topic in EVENTS for lane in range(PARTITIONS)])
    found = {where: (consumer.committed(where) or 0, end) for where, end in ends.items()}
    consumer.close()
    return found


def wait_drained(bootstrap: str, seconds: float) -> dict[TopicPartition, tuple[int, int]]:
    """Wait until everything is committed; gives (committed, end) of what is not."""
    until = time.monotonic() + seconds
    while True:
        offsets = committed_and_ends(bootstrap)
        behind = {where: one for where, one in offsets.items() if one[0] != one[1]}
        if not behind or time.monotonic() > until:
            return behind
        time.sleep(0.3)  # between two looks at the broker


def wait_at_rest(bootstrap: str, still: float = 3 * ALIGN) -> None:
    """Wait until the partitions' clocks go no further: the last ones tick when all is applied and committed."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    where = [TopicPartition(topic, lane) for topic in (TICKS, WARNINGS, HELD_OUT) for lane in range(PARTITIONS)]
    ends, since = None, time.monotonic()
    while time.monotonic() - since < still:
        time.sleep(0.3)  # between two looks at the broker
        now = consumer.end_offsets(where)
        if now != ends:
            ends, since = now, time.monotonic()
    consumer.close()


def disorder(bootstrap: str) -> float:
    """By how long (s) an event came to the broker after a later one of another topic of its partition, at most."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, consumer_timeout_ms=3_000)
    consumer.assign([TopicPartition(topic, lane) for topic in EVENTS for lane in range(PARTITIONS)])
    consumer.seek_to_beginning()
    records = [
        (record.partition, record.timestamp, msgspec.json.decode(record.value)["occurred_at"]) for record in consumer
    ]
    consumer.close()
    worst = 0
    for lane in range(PARTITIONS):
        came = sorted((at, stamp) for partition, stamp, at in records if partition == lane)
        # From the latest on: when the earliest of all that are later came.
        earliest = came[-1][1]
        for _, stamp in reversed(came):
            worst, earliest = max(worst, stamp - earliest), min(earliest, stamp)
    return worst / 1_000


def read_all(bootstrap: str, topics: Iterable[str] = (WARNINGS, HELD_OUT)) -> list[dict[str, Any]]:
    """Everything that was ever said to these topics, each partition in its order."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, consumer_timeout_ms=3_000)
    where = [TopicPartition(topic, lane) for topic in topics for lane in range(PARTITIONS)]
    consumer.assign(where)
    consumer.seek_to_beginning()
    found = [msgspec.json.decode(record.value) for record in consumer]
    consumer.close()
    return found
