"""`make bench-kafka`: events a second through one worker on a real Kafka, beside bare consumption and decoding of the same topics.

KAFKA_BOOTSTRAP names a broker whose `churn.*` topics are deleted and filled anew. The worker starts before the last record is
there, takes 4 partitions, default rules, all detectors and a model that scores, and makes checkpoints; its rate is that
between the first and the last tenth of the events, as its own /metrics counts them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.events import made, trained
from events.contract import DECODER
from streams.live.placement import partitions_of
from streams.live.topics import BILLING, COMPLAINTS, EVENTS, OUTCOMES, USAGE

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:9092")
COUNT = int(os.environ.get("BENCH_EVENTS", "1000000"))
PARTITIONS, PORT = 4, 18_099
BILLED = ("bill", "payment", "balance", "plan", "contract", "line", "device", "customer.profiled")


class Named(msgspec.Struct):
    """What is needed to place an event."""

    type: str
    customer_id: str


def topic_of(kind: str) -> str:
    """The topic of an event type (contract, section 1)."""
    if kind.startswith(("usage", "network")):
        return USAGE
    if kind.startswith(BILLED):
        return BILLING
    return OUTCOMES if kind.startswith(("customer.churned", "customer.returned", "care")) else COMPLAINTS


async def emptied() -> None:
    """No topics of ours on the broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    ours = [topic for topic in await admin.list_topics() if topic.startswith("churn.")]
    if ours:
        await admin.delete_topics(ours)
        await asyncio.sleep(2)  # deletion goes on after the answer
    await admin.close()


async def filled(lines: Iterable[bytes]) -> int:
    """Produce the events; gives how many."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, linger_ms=20, max_batch_size=1 << 19)
    await producer.start()
    sent, rest = 0, iter(lines)
    while some := list(islice(rest, 10_000)):
        events = [msgspec.json.decode(line, type=Named) for line in some]
        keys = [event.customer_id.encode() for event in events]
        for line, event, key, lane in zip(some, events, keys, partitions_of(keys, PARTITIONS).tolist(), strict=True):
            await producer.send(topic_of(event.type), line.rstrip(), key=key, partition=lane)
        sent += len(some)
    await producer.flush()
    await producer.stop()
    return sent


async def bare() -> float:
    """Seconds to consume and decode everything with aiokafka and msgspec alone."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=BOOTSTRAP, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20
    )
    await consumer.start()
    where = [TopicPartition(topic, lane) for topic in EVENTS for lane in range(PARTITIONS)]
    consumer.assign(where)
    await consumer.seek_to_beginning(*where)
    left = sum((await consumer.end_offsets(where)).values())
    begun = time.perf_counter()
    while left > 0:
        for records in (await consumer.getmany(timeout_ms=500, max_records=8_192)).values():
            for record in records:
                DECODER.decode(record.value)
            left -= len(records)
    took = time.perf_counter() - begun
    await consumer.stop()
    return took


def applied() -> float:
    """Events that the worker has applied, from its metrics; 0 while it is not there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("churn_events_total"))


def worked(count: int, folder: Path) -> float:
    """Events a second of one worker between a tenth and the last of the events."""
    environment = os.environ | {
        "CHURN_KAFKA_BOOTSTRAP": BOOTSTRAP,
        "CHURN_KAFKA_PARTITIONS": str(PARTITIONS),
        "CHURN_CHECKPOINTS": str(folder / "checkpoints"),
        "CHURN_CHECKPOINT_EVERY": "30",
        "CHURN_HTTP_PORT": str(PORT),
        "CHURN_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-c", "from streams.cli import main; main()", "run", "--model", str(trained())]
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    first: tuple[float, float] | None = None
    try:
        while (done := applied()) < count * 0.995:
            if worker.poll() is not None:
                raise RuntimeError((folder / "worker.log").read_text())
            if first is None and done >= count / 10:
                first = (time.perf_counter(), done)
            time.sleep(0.2)
        now = time.perf_counter()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(90)
    since, before = first or (now, done)
    return (done - before) / max(now - since, 1e-9)


def main() -> None:
    """Fill, measure both, say it."""
    customers = int(os.environ.get("BENCH_CUSTOMERS", "200000"))
    _, file = made(str(customers), customers, int(os.environ.get("BENCH_FILE", str(COUNT))), skewed=False)
    asyncio.run(emptied())
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CHURN_KAFKA_BOOTSTRAP": BOOTSTRAP, "CHURN_KAFKA_PARTITIONS": str(PARTITIONS)}
        from streams.live.settings import live_settings  # noqa: PLC0415 - reads the environment
        from streams.live.topics import ready_topics  # noqa: PLC0415 - the same

        asyncio.run(ready_topics(live_settings()))
        with file.open("rb") as lines:
            count = asyncio.run(filled(islice(lines, COUNT)))
        decode = count / asyncio.run(bare())
        rate = worked(count, Path(folder))
    print(
        f"{count:,} events, {customers:,} customers: worker {rate:,.0f}/s, bare {decode:,.0f}/s, {rate / decode:.2f} x"
    )


if __name__ == "__main__":
    main()
