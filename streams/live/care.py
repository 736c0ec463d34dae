"""Warnings from Kafka into the care queues, and what care found back to Kafka.

A group of its own reads the topic of warnings, so the engine does not know whether Redis is there: what cannot be delivered
waits in Kafka. Offsets are committed behind what Redis has; delivering twice does no harm. Outcomes are forwarded by the
worker that reads the first partition; each has an `event_id` that stays, so a double is known as a duplicate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from rules.early_warning import EarlyWarning
from sinks.metrics import Metrics
from sinks.queues.connection import QueuesUnavailableError, connect
from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues
from sinks.queues.outbox import Outbox
from streams.live.settings import LiveSettings
from streams.live.topics import OUTCOMES, WARNINGS

FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 5.0
AT_ONCE: Final = 500
OUTAGE_MS: Final = 7 * 86_400_000
log = structlog.get_logger()


class Named(msgspec.Struct, frozen=True):
    """Whose an outcome is."""

    customer_id: str


class CareQueues:
    """One worker's part in filling the queues. `tiers` are the configuration's, mildest first."""

    def __init__(
        self, settings: LiveSettings, tiers: Sequence[str], producer: AIOKafkaProducer, metrics: Metrics
    ) -> None:
        self.metrics, self.producer = metrics, producer
        client = connect(settings.redis_url.get_secret_value())
        self.delivery, self.outbox, self.looking = Delivery(client, tiers), Outbox(client), Queues(client)
        self.consumer = AIOKafkaConsumer(
            WARNINGS,
            **settings.reader(),
            group_id=f"{settings.kafka_group}-care",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=OUTAGE_MS,  # Redis may be gone for days
        )

    async def run(self) -> None:
        """Deliver until cancelled; raises KafkaError."""
        await self.consumer.start()
        try:
            while True:
                found = await self.consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
                records = [record for some in found.values() for record in some]
                decisions = [msgspec.json.decode(record.value, type=EarlyWarning) for record in records]
                await self._deliver(decisions)
                if records:
                    with suppress(CommitFailedError, IllegalStateError):  # others have them now, and deliver them again
                        await self.consumer.commit()
                await self._forward()
        finally:
            await self.consumer.stop()

    async def _deliver(self, decisions: list[EarlyWarning]) -> None:
        """Until Redis has them; given none it looks whether Redis lost what it had."""
        wait = FIRST_WAIT
        while True:
            try:
                await asyncio.to_thread(self.delivery.deliver, decisions)
                self.metrics.queues(await asyncio.to_thread(self.looking.counts))
            except QueuesUnavailableError as error:
                self.metrics.queues(None)
                log.warning("care queues cannot be reached, warnings wait in Kafka", error=str(error), wait=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return

    async def _forward(self) -> None:
        """What care found, on to Kafka; then Redis may forget it."""
        if TopicPartition(WARNINGS, 0) not in self.consumer.assignment():
            return
        try:
            outcomes = await asyncio.to_thread(self.outbox.read, AT_ONCE)
        except QueuesUnavailableError:
            return  # said when warnings cannot be delivered
        for outcome in outcomes:
            key = msgspec.json.decode(outcome.event, type=Named).customer_id.encode()
            try:
                await self.producer.send_and_wait(OUTCOMES, outcome.event, key=key)
            except KafkaError as error:  # the outbox keeps them
                log.warning("outcomes cannot be forwarded, they wait in Redis", error=repr(error))
                return
        if outcomes:
            try:
                await asyncio.to_thread(self.outbox.done, outcomes)
            except QueuesUnavailableError:
                return  # they go out again, and are known as duplicates
