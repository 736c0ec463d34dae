"""`make bench-latency`: from produce to warning delivered, at a tenth and at half of what the worker can do, checkpoints included.

Customers nobody knew ask for a port-out code, which warns at once, among a load of simulated events dated now
(benchmarks/load.py). A consumer of the warnings measures how long it took; a record produced to another topic at the same
moment, and consumed by the same consumer, says what the broker alone takes. BENCH_CUSTOMERS, BENCH_EVENTS (to find the top
rate, or BENCH_TOP in events/s), BENCH_SECONDS, BENCH_PROBES (a second); KAFKA_BOOTSTRAP as in benchmarks/live.py.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.broker import PARTITIONS, broker
from benchmarks.events import made
from benchmarks.figures import percentile, table
from benchmarks.live import COUNT, CUSTOMERS
from benchmarks.load import at_once, load, now_text
from benchmarks.worker import LiveWorker
from streams.live.placement import partitions_of
from streams.live.topics import COMPLAINTS, HELD_OUT, WARNINGS

ECHO = "churn.bench-echo.v1"
SECONDS = float(os.environ.get("BENCH_SECONDS", "30"))
PROBES = float(os.environ.get("BENCH_PROBES", "100"))
TOP = float(os.environ.get("BENCH_TOP", "0"))
WARM_SECONDS = 5.0
LAST_SECONDS = 5.0
"""Waited for what is on its way at the end."""
EVERY = os.environ.get("BENCH_EVERY", "30")


class Warned(msgspec.Struct):
    """What is needed of a warning."""

    customer_id: str
    revision: int


class Delays(NamedTuple):
    """Seconds, sorted; and how many probes got no answer."""

    warnings: list[float]
    echoes: list[float]
    missing: int


class Probe:
    """Sends probes and notes when their warnings and their echoes come. `name` begins the customers' ids."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: dict[str, float] = {}
        self.warned: dict[str, float] = {}
        self.echoed: dict[str, float] = {}

    async def send(self, producer: AIOKafkaProducer) -> None:
        """For as long as is measured, one probe after another."""
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < SECONDS:
            if len(self.sent) < passed * PROBES:
                await self._one(producer, f"{self.name}-{len(self.sent)}")
            else:
                await asyncio.sleep(0.5 / PROBES)

    async def _one(self, producer: AIOKafkaProducer, customer: str) -> None:
        key = customer.encode()
        value = b'{"type":"porting.requested","event_id":"%b","customer_id":"%b","occurred_at":"%b"}' % (
            key, key, now_text())  # fmt: skip
        lane = int(partitions_of([key], PARTITIONS)[0])
        self.sent[customer] = time.perf_counter()
        await producer.send(COMPLAINTS, value, key=key, partition=lane)
        await producer.send(ECHO, value, key=key, partition=lane % PARTITIONS)

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Until cancelled."""
        while True:
            for place, records in (await consumer.getmany(timeout_ms=1_000)).items():
                came = time.perf_counter()
                seen = self.echoed if place.topic == ECHO else self.warned
                for record in records:
                    customer = record.key.decode()
                    if customer in self.sent:
                        seen.setdefault(customer, came - self.sent[customer])

    async def run(self, servers: str) -> Delays:
        """Measure once."""
        producer = AIOKafkaProducer(bootstrap_servers=servers)
        consumer = AIOKafkaConsumer(WARNINGS, HELD_OUT, ECHO, bootstrap_servers=servers, auto_offset_reset="latest")
        await producer.start()
        await consumer.start()
        await consumer.seek_to_end()
        listening = asyncio.create_task(self.listen(consumer))
        await self.send(producer)
        await asyncio.sleep(LAST_SECONDS)
        listening.cancel()
        await producer.stop()
        await consumer.stop()
        return Delays(sorted(self.warned.values()), sorted(self.echoed.values()), len(self.sent) - len(self.warned))


def under_load(servers: str, file: Path, rate: float, name: str) -> tuple[float, Delays]:
    """The rate (events/s) that the load came to, and the delays meanwhile."""
    with load(servers, file, rate, SECONDS + WARM_SECONDS) as told:
        time.sleep(WARM_SECONDS)
        delays = uvloop.run(Probe(name).run(servers))
        said = told.read()
    return float(said), delays


def row(name: str, delays: list[float]) -> list[str]:
    """Percentiles in ms."""
    return [name, f"{len(delays):,}", *(f"{percentile(delays, share) * 1e3:,.1f}" for share in (0.5, 0.99, 0.999))]


def main() -> None:
    """Fill, find the top rate, measure at a tenth and at half of it, say it."""
    known, file = made(str(CUSTOMERS), CUSTOMERS, int(os.environ.get("BENCH_FILE", str(COUNT))))
    rows = []
    with broker() as servers, tempfile.TemporaryDirectory() as folder:
        events = uvloop.run(at_once(servers, known))
        with LiveWorker(servers, Path(folder)) as worker:
            worker.drain(events)
        events = uvloop.run(at_once(servers, file, COUNT))
        with LiveWorker(servers, Path(folder), CHURN_CHECKPOINT_EVERY=EVERY) as worker:
            top = worker.drain(events).rate
            print(f"{CUSTOMERS:,} customers; top rate {top:,.0f} events/s; load {os.getloadavg()[0]:.1f}")
            for share, part in (("a tenth", 0.1), ("half", 0.5)):
                rate, delays = under_load(servers, file, (TOP or top) * part, f"probe{part}")
                at = f"{share}, {rate:,.0f}/s"
                rows += [row(f"warning at {at}", delays.warnings), row(f"bare round trip at {at}", delays.echoes)]
                print(
                    f"{at}: {delays.missing} without a warning; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
                )
    print(table(["", "events", "p50 ms", "p99 ms", "p99.9 ms"], rows))


if __name__ == "__main__":
    main()
