"""What topics hold now, for commands that report on it."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.live.settings import LiveSettings, live_settings
from streams.live.topics import partition_counts
from streams.problems import OutsideError


def values(*topics: str) -> list[bytes]:
    """The values of all records of some topics, each partition in its order. Raises OutsideError, UsageError."""
    try:
        return asyncio.run(_values(live_settings(), topics))
    except (KafkaError, OSError) as error:
        raise OutsideError(f"Kafka: {str(error) or type(error).__name__}") from error


async def _values(settings: LiveSettings, topics: tuple[str, ...]) -> list[bytes]:
    admin = AIOKafkaAdminClient(**settings.client())  # a consumer knows the partitions of its own topics alone
    await admin.start()
    try:
        counts = await partition_counts(admin)
    finally:
        await admin.close()
    where = [TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))]
    if not where:
        return []
    consumer = AIOKafkaConsumer(**settings.reader(), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(where)
        await consumer.seek_to_beginning(*where)
        ends = await consumer.end_offsets(where)
        found: dict[TopicPartition, list[bytes]] = {one: [] for one in where}
        for one in where:
            while await consumer.position(one) < ends[one]:
                for records in (await consumer.getmany(one, timeout_ms=500)).values():
                    found[one] += [record.value for record in records if record.offset < ends[one] and record.value]
        return [value for one in where for value in found[one]]
    finally:
        await consumer.stop()
