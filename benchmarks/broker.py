"""The Kafka that is measured against: the one that KAFKA_BOOTSTRAP names, or one of our own as the tests start it; and its topics."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.live.placement import partitions_of
from streams.live.settings import live_settings
from streams.live.topics import BILLING, COMPLAINTS, EVENTS, OUTCOMES, USAGE, ready_topics

PARTITIONS = 4
KEPT_BYTES = 1 << 30
WHERE = [TopicPartition(topic, lane) for topic in EVENTS for lane in range(PARTITIONS)]
BILLED = ("bill", "payment", "balance", "plan", "contract", "line", "device", "customer.profiled")
Offsets = Mapping[TopicPartition, int]


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


@contextmanager
def broker() -> Iterator[str]:
    """The servers of an empty Kafka. Of the one that KAFKA_BOOTSTRAP names, all `churn.*` topics are deleted."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        asyncio.run(emptied(given))
        yield given
        return
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    recipe = importlib.import_module("support.kafka_server")
    with tempfile.TemporaryDirectory() as folder, recipe.KafkaServer(Path(folder)) as server:
        asyncio.run(emptied(server.bootstrap))
        yield server.bootstrap


async def emptied(servers: str) -> None:
    """Our topics, with nothing in them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    while ours := [topic for topic in await admin.list_topics() if topic.startswith("churn.")]:
        await admin.delete_topics(ours)
        await asyncio.sleep(2)  # deletion goes on after the answer
    await admin.close()
    await ready_topics(
        live_settings({}).model_copy(update={"kafka_bootstrap": servers, "kafka_partitions": PARTITIONS})
    )


async def bounded(servers: str) -> None:
    """Have the broker keep no more of each partition's events than a worker reads within minutes: half an hour of them is 30 GB."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    kept = {"retention.bytes": str(KEPT_BYTES), "segment.bytes": str(KEPT_BYTES // 8)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=kept) for topic in EVENTS])
    await admin.close()


async def filled(servers: str, lines: Iterable[bytes]) -> int:
    """Produce events; gives how many."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=20, max_batch_size=1 << 19)
    await producer.start()
    sent, rest = 0, iter(lines)
    while some := list(islice(rest, 10_000)):
        events = [msgspec.json.decode(line, type=Named) for line in some]
        keys = [event.customer_id.encode() for event in events]
        for line, event, key, lane in zip(some, events, keys, partitions_of(keys, PARTITIONS).tolist(), strict=True):
            await producer.send(topic_of(event.type), line.rstrip(), key=key, partition=lane)
        sent += len(some)
    await producer.stop()
    return sent


async def ends(servers: str) -> Offsets:
    """The end offsets of all topics of events."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(WHERE))
    finally:
        await consumer.stop()


async def begin_at(servers: str, group: str, offsets: Offsets) -> None:
    """Have a group's first consumers begin at these offsets."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))
    finally:
        await consumer.stop()
