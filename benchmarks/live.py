"""`make bench-kafka`: events a second through one worker on a real Kafka, beside other programs over the same topics.

A simulated operator's customers are made known first, then rounds follow: a slice of events is produced to all four topics,
and everybody works on it, one after another. Our worker does the whole job (default rules, all detectors, a model that
scores, checkpoints), the others the simpler one of benchmarks/peers/job.py; slow ones do the beginning of the slice. Rates
are those between a tenth and the last event, medians over the rounds so far; those by processor time stand beside them, for
other work on the machine falsifies them less. BENCH_CUSTOMERS, BENCH_EVENTS (of a slice), BENCH_ROUNDS; KAFKA_BOOTSTRAP
names a broker whose `churn.*` topics are deleted, without it one is started (Java 17 and Maven).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.broker import Offsets, begin_at, broker, ends, filled
from benchmarks.events import FOLDER, made
from benchmarks.figures import Measured, comparison
from benchmarks.worker import LiveWorker
from streams.live.topics import EVENTS

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "200000"))
COUNT = int(os.environ.get("BENCH_EVENTS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CHECKPOINTS = "30"
OURS = "churn run"
LONGEST = 180
"""Seconds that a peer may take."""
POM = Path(__file__).parent / "kafka_streams" / "pom.xml"
JAVA = FOLDER / "kafka_streams"
"""Where Maven puts classes and libraries (pom.xml)."""

PYTHON = [sys.executable, "-m"]
KAFKA_STREAMS = ["java", "-cp", f"{JAVA}/classes:{JAVA}/libs/*", "churn.Peer"]


class Peer(NamedTuple):
    """Another program: its command, with what follows the arguments of all, the events it works on, and our aim beside it."""

    command: list[str]
    events: int
    aim: float
    more: tuple[str, ...] = ()


PEERS = {
    "bare aiokafka + msgspec": Peer([*PYTHON, "benchmarks.peers.bare"], COUNT, 0.35),
    "Kafka Streams (Java)": Peer(KAFKA_STREAMS, COUNT, 1.0),
    "Kafka Streams, state in memory": Peer(KAFKA_STREAMS, COUNT, 1.0, ("memory",)),
    "Quix Streams + River": Peer([*PYTHON, "benchmarks.peers.quix_program"], COUNT // 5, 5.0),
    "Faust + Table + River": Peer([*PYTHON, "benchmarks.peers.faust_program"], COUNT // 40, 40.0),
}


def build() -> None:
    """The Java peer, from Maven."""
    goals = [
        "compile",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={JAVA.resolve()}/libs",
    ]
    subprocess.run(["mvn", "-q", "-B", "-f", str(POM), *goals], check=True, timeout=600)


def peer(name: str, servers: str, begin: Offsets, number: int) -> Measured | None:
    """What one of the others does from these offsets on; None when it cannot, which is said."""
    command, events, _, more = PEERS[name]
    program = "-".join([command[-1].rpartition(".")[2].lower(), *more])
    group = f"bench-{os.getpid()}-{program}-{number}"
    asyncio.run(begin_at(servers, group, begin))
    with tempfile.TemporaryDirectory() as folder:
        given = [servers, group, folder, str(events), ",".join(EVENTS), *more]
        try:
            done = subprocess.run([*command, *given], capture_output=True, text=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired:
            print(f"{name}: {events:,} events took longer than {LONGEST} s")
            return None
    answer = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not answer:
        print(f"{name}: {done.stderr[-800:].strip()}")
        return None
    return Measured(**json.loads(answer[-1]))


def main() -> None:
    """Fill, measure everybody, say it."""
    known, file = made(str(CUSTOMERS), CUSTOMERS, int(os.environ.get("BENCH_FILE", str(COUNT * ROUNDS))))
    build()
    measured: dict[str, list[Measured | None]] = {name: [] for name in (OURS, *PEERS)}
    with broker() as servers, tempfile.TemporaryDirectory() as folder, file.open("rb") as lines:
        with known.open("rb") as first:
            count = asyncio.run(filled(servers, first))
        with LiveWorker(servers, Path(folder)) as worker:
            worker.drain(count)
        print(f"{CUSTOMERS:,} customers made known by {count:,} events")
        for number in range(ROUNDS):
            begin = asyncio.run(ends(servers))
            count = asyncio.run(filled(servers, islice(lines, COUNT)))
            with LiveWorker(servers, Path(folder), CHURN_CHECKPOINT_EVERY=CHECKPOINTS) as worker:
                measured[OURS].append(worker.drain(count))
            for name in PEERS:
                measured[name].append(peer(name, servers, begin, number))
            print(f"after round {number + 1}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            print(comparison(measured, OURS, {name: one.aim for name, one in PEERS.items()}), flush=True)


if __name__ == "__main__":
    main()
