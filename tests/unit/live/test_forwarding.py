"""Outcomes of care on their way from Redis to Kafka."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from sinks.metrics import Metrics
from streams.live.care import CareQueues
from streams.live.settings import live_settings
from streams.live.topics import WARNINGS


def test_outcomes_wait_in_redis_while_kafka_is_away_and_end_no_worker() -> None:
    outcomes = [SimpleNamespace(event=b'{"customer_id":"c1"}'), SimpleNamespace(event=b'{"customer_id":"c2"}')]
    sent, done, down = list[bytes](), list[Any](), list[KafkaError]([KafkaTimeoutError()])

    async def send(_topic: str, event: bytes, key: bytes) -> None:
        if len(sent) == 1 and down:
            raise down.pop()
        sent.append(key)

    async def forwarded() -> None:
        producer: Any = SimpleNamespace(send_and_wait=send)
        care = CareQueues(live_settings({}), ("watch",), producer, Metrics())
        care.consumer.assignment = lambda: {TopicPartition(WARNINGS, 0)}  # type: ignore[method-assign]
        care.outbox = SimpleNamespace(read=lambda _: outcomes, done=done.append)  # type: ignore[assignment]
        await care._forward()
        assert (sent, done) == ([b"c1"], [])
        await care._forward()
        await care.consumer.stop()

    asyncio.run(forwarded())
    assert sent == [b"c1", b"c1", b"c2"]  # a second copy is known as a duplicate
    assert done == [outcomes]
