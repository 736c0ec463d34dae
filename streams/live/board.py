"""The topic of rules, as one process reads it: bundles, and the orders to work by, the same for whoever reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.live.admission import admitted
from streams.live.bundle import Files, Order, UnreadableRecordError, bundle_record, known, order_record
from streams.live.journal import Reload
from streams.live.library import Library, RefusedError
from streams.live.topics import RULES

WHERE = TopicPartition(RULES, 0)
Refused = Callable[[RefusedError, Order | None], None]
log = structlog.get_logger()


class Board:
    """`orders`: what partitions have to do, oldest first. `refused` is told of what is not worked by."""

    def __init__(self, client: dict[str, Any], library: Library, refused: Refused) -> None:
        self.client, self.library, self.refused = client, library, refused
        self.orders: list[Reload] = []
        self.given: list[Order] = []  # as they were given, those that are worked by
        self.offset = 0
        self.lock = asyncio.Lock()
        self.consumer: AIOKafkaConsumer | None = None

    @property
    def current(self) -> str:
        """The bundle in force; "" for none yet."""
        return self.orders[-1].rules if self.orders else ""

    async def catch_up(self) -> None:
        """Read to the end of the topic as it is now. Raises KafkaError."""
        async with self.lock:
            consumer = await self._open()
            end = (await consumer.end_offsets([WHERE]))[WHERE]
            while self.offset < end:
                for record in (await consumer.getmany(WHERE, timeout_ms=200)).get(WHERE, []):
                    await self._take(record.offset, record.key, record.value)
                self.offset = await consumer.position(WHERE)

    async def _open(self) -> AIOKafkaConsumer:
        if self.consumer is None:
            consumer = AIOKafkaConsumer(**self.client, enable_auto_commit=False, auto_offset_reset="earliest")
            await consumer.start()
            consumer.assign([WHERE])
            await consumer.seek_to_beginning(WHERE)
            self.consumer = consumer
        return self.consumer

    async def _take(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        order: Order | None = None
        try:
            found = known(key, value)
            if found.bundle is not None:
                self.library.add(*found.bundle)
            order = found.order
            if order is not None:  # compiling takes seconds: not on the loop
                reload = await asyncio.to_thread(admitted, order, offset, self.current, self.library)
                if reload is not None:
                    self.orders.append(reload)
                    self.given.append(order)
        except UnreadableRecordError as error:
            self.refused(RefusedError("unreadable", f"offset {offset}: {error}"), order)
        except RefusedError as error:
            self.refused(error, order)

    async def give(self, producer: AIOKafkaProducer, files: Files, order: Order) -> None:
        """Make a bundle and an order known to all. Raises RefusedError for one that nobody would work by, KafkaError."""
        await self.catch_up()
        with self.library.offering(files):
            news = await asyncio.to_thread(admitted, order, self.offset, self.current, self.library)
        if news is None:
            return  # somebody was faster
        for key, value in (bundle_record(files), order_record(order)):
            await producer.send_and_wait(RULES, value, key=key, partition=0)
        await self.catch_up()

    async def stop(self) -> None:
        """Read no more."""
        if self.consumer is not None:
            await self.consumer.stop()
