"""What the partitions say to one another, from the one topic that all workers read whole."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.checkpoint import UnreadableError
from streams.live.exchange import Statement
from streams.live.topics import POPULATION

WHERE = TopicPartition(POPULATION, 0)


def statement_of(value: bytes, place: str) -> Statement:
    """A record of the topic. Raises UnreadableError for one of another version."""
    try:
        return msgspec.json.decode(value, type=Statement)
    except msgspec.MsgspecError as error:
        raise UnreadableError(f"{place}: not what this version writes ({error})") from error


class Population:
    """Reads statements and hands them on, in their order. `offset`: behind the last one handed on."""

    def __init__(
        self, client: dict[str, Any], heard: Callable[[Statement, int], None], arrived: Callable[[], None]
    ) -> None:
        self.client, self.heard, self.arrived = client, heard, arrived
        self.offset = 0
        self.reading = asyncio.Lock()  # a read that is on its way would bring, and lose, what was just gone back for
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.consumer: AIOKafkaConsumer | None = None

    async def read_from(self, offset: int) -> None:
        """Go on from an offset, maybe again: who knows a statement already leaves it out. Raises KafkaError."""
        consumer = self.consumer
        if consumer is None:
            consumer = AIOKafkaConsumer(
                **self.client, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50
            )
            await consumer.start()
            consumer.assign([WHERE])
        async with self.reading:
            self.waiting.clear()
            self.offset = offset
            consumer.seek(WHERE, offset)
            self.consumer = consumer

    async def run(self) -> None:
        """Read until cancelled, and tell that something `arrived`; raises KafkaError."""
        while True:
            if self.consumer is None:
                await asyncio.sleep(0.05)
                continue
            async with self.reading:
                records = (await self.consumer.getmany(WHERE, timeout_ms=200)).get(WHERE, [])
                self.waiting.extend((record.offset, record.value or b"") for record in records)
            if records:
                self.arrived()

    def hand_on(self) -> None:
        """Give what has come to who listens; between two steps of the engine. Raises UnreadableError."""
        while self.waiting:
            offset, value = self.waiting.popleft()
            self.heard(statement_of(value, f"{POPULATION}/0/{offset}"), offset)
            self.offset = offset + 1
