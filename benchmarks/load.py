"""Events at a steady rate, from a process of its own: `SERVERS FILE RATE SECONDS PACE BEFORE`.

The events are those of a simulated file in their order; each gets a new `event_id` and is dated at the moment it is sent; or,
where event time begins BEFORE seconds ago, PACE times as fast from then on.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.broker import PARTITIONS, Named, topic_of
from streams.live.placement import partitions_of

SPLIT = re.compile(rb'^(.*?"event_id":")[^"]*(".*?"occurred_at":")[^"]*(".*)$')
LEFT_OUT = ("network", "market", "customer.churned")
MOST_LINES = 1_000_000
STEP_SECONDS = 0.02


@contextmanager
def load(
    servers: str, file: Path, rate: float, seconds: float = 3600, pace: float = 1.0, before: float = 0.0
) -> Iterator[IO[str]]:
    """Events at a rate, for so long or until it is left, from the moment the first is sent; gives what tells the rate in the end."""
    command = [sys.executable, "-m", "benchmarks.load", servers, str(file), *map(str, (rate, seconds, pace, before))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the load could not be made")
        try:
            yield process.stdout
        finally:
            process.kill()


class Piece(NamedTuple):
    """An event without its id and its time."""

    place: tuple[str, int]
    key: bytes
    parts: tuple[bytes, ...]


def now_text(before: float = 0.0) -> bytes:
    """The time, so many seconds before now, as events have it."""
    return (datetime.now(UTC) - timedelta(seconds=before)).isoformat(timespec="milliseconds").encode()


def pieces(lines: Iterable[bytes]) -> Iterator[Piece]:
    """What is sent of some lines, in their order; without what concerns everybody, and without ends of customers."""
    rest = iter(lines)
    while some := [line.rstrip() for line in islice(rest, 10_000)]:
        events = [msgspec.json.decode(line, type=Named) for line in some]
        keys = [event.customer_id.encode() for event in events]
        for line, event, key, lane in zip(some, events, keys, partitions_of(keys, PARTITIONS).tolist(), strict=True):
            match = SPLIT.match(line)
            if match is not None and not event.type.startswith(LEFT_OUT):
                yield Piece((topic_of(event.type), lane), key, match.groups())


async def send(producer: AIOKafkaProducer, some: Iterator[Piece], numbers: Iterator[int], stamp: bytes) -> None:
    """Produce these events, dated so."""
    batches: dict[tuple[str, int], Any] = {}
    prefix = b"n%d-" % time.time_ns()
    for place, key, (before, between, after) in some:
        batch = batches.get(place)
        value = b"".join((before, prefix, b"%d" % next(numbers), between, stamp, after))
        if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
            if batch is not None:
                await producer.send_batch(batch, place[0], partition=place[1])
            batches[place] = producer.create_batch()
            batches[place].append(key=key, value=value, timestamp=None)
    for (topic, lane), batch in batches.items():
        await producer.send_batch(batch, topic, partition=lane)


async def opened(servers: str) -> AIOKafkaProducer:
    """A producer that has been started."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=1 << 19)
    await producer.start()
    return producer


async def at_once(servers: str, file: Path, most: int | None = None, before: float = 0.0) -> int:
    """Send the first events of a file, all dated so many seconds before now; gives how many."""
    producer, numbers = await opened(servers), count()
    with file.open("rb") as lines:
        source = pieces(islice(lines, most))
        while some := list(islice(source, 10_000)):
            await send(producer, iter(some), numbers, now_text(before))
    await producer.stop()
    return next(numbers)


async def run(servers: str, file: Path, rate: float, seconds: float, pace: float, before: float) -> float:
    """Send at a rate (events/s); gives the rate that it came to."""
    with file.open("rb") as lines:
        source, numbers = cycle(list(pieces(islice(lines, MOST_LINES)))), count()
    producer = await opened(servers)
    print("ready", flush=True)
    begun, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        due = int(passed * rate) - sent
        await send(producer, islice(source, due), numbers, now_text(before - passed * (pace - 1)))
        sent += due
        await asyncio.sleep(STEP_SECONDS)
    await producer.stop()
    return sent / (time.perf_counter() - begun)


if __name__ == "__main__":
    given, where, *numbers = sys.argv[1:]
    print(uvloop.run(run(given, Path(where), *map(float, numbers))))
