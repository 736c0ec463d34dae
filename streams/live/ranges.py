"""What the topics of events hold of a stretch of time, for `churn replay --from-kafka`: one reader for each partition of each.

Merged like files (streams/inputs.py), topics before partitions, they come in the order in which a worker applies them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from events.columns import Batch
from events.deadletters import DeadLetter
from events.packed import Records, joined
from events.records import decode_records
from events.times import rfc3339, time_of
from streams.batches import compacted, part
from streams.inputs import Identity, Position
from streams.live.connecting import connecting
from streams.live.intake import sorted_out
from streams.live.pieces import in_columns
from streams.live.settings import LiveSettings
from streams.live.stamps import believable
from streams.live.topics import EVENTS, partition_counts
from streams.problems import OutsideError, UsageError

WAIT_MS: Final = 1_000
PATIENCE: Final = 30.0
"""Seconds without a record after which the broker is given up."""
Answer = TypeVar("Answer")


class Topics:
    """The broker's records of `EVENTS`, from synchronous code. Every method raises OutsideError."""

    def __init__(self, settings: LiveSettings) -> None:
        self.settings = settings
        self.runner = asyncio.Runner()
        self.consumer = self.run(self._started())

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Let the client work until this is done."""
        with connecting(self.settings.kafka_bootstrap):
            return self.runner.run(work)

    async def _started(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self.settings.reader(), enable_auto_commit=False, max_partition_fetch_bytes=4 << 20, fetch_max_wait_ms=100
        )
        try:
            await consumer.start()
            in_columns(consumer)
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    def partitions(self) -> dict[str, int]:
        """How many partitions each topic has; raises OutsideError when one is missing."""
        counts = self.run(self._counted())
        missing = [topic for topic in EVENTS if topic not in counts]
        if missing:
            raise OutsideError(f"missing on the broker: {', '.join(missing)}")
        return counts

    async def _counted(self) -> dict[str, int]:
        admin = AIOKafkaAdminClient(**self.settings.client(), request_timeout_ms=10_000)
        await admin.start()
        try:
            return await partition_counts(admin)
        finally:
            await admin.close()

    def offsets(self, where: Sequence[TopicPartition], at: int | None, none: str) -> dict[TopicPartition, int]:
        """The first offsets whose records came at a time (µs) or later; where `at` is None the `beginning` or the `end` (`none`)."""
        ends = self.run(self.consumer.end_offsets(list(where)))
        if at is None:
            return ends if none == "end" else self.run(self.consumer.beginning_offsets(list(where)))
        found = self.run(self.consumer.offsets_for_times(dict.fromkeys(where, -(-at // 1_000))))
        return {one: ends[one] if found.get(one) is None else found[one].offset for one in where}

    def start(self, offsets: dict[TopicPartition, int]) -> None:
        """Read these partitions, each from its offset on."""
        self.run(self._sought(offsets))

    async def _sought(self, offsets: dict[TopicPartition, int]) -> None:
        self.consumer.assign(list(offsets))
        for where, offset in offsets.items():
            self.consumer.seek(where, offset)

    def more(self, where: TopicPartition, end: int) -> Records:
        """The next records of a partition, before `end`; none when there are none left."""
        until = time.monotonic() + PATIENCE
        while self.run(self.consumer.position(where)) < end:
            pieces = self.run(self.consumer.getmany(where, timeout_ms=WAIT_MS)).get(where, [])
            records = joined([piece.records for piece in pieces]).before(end)
            if records.count:
                return records
            if time.monotonic() > until:
                raise OutsideError(
                    f"Kafka at {self.settings.kafka_bootstrap}: no answer, {where.topic}/{where.partition} ends at {end}"
                )
        return joined([])

    def close(self) -> None:
        """Leave the broker."""
        self.runner.run(self.consumer.stop())
        self.runner.close()


class RangeReader:
    """One partition of a topic up to `end`; the same to `merged` as a file (streams/inputs.py, Reader)."""

    def __init__(self, topics: Topics, where: TopicPartition, count: int, end: int, received_at: str) -> None:
        self.topics, self.where, self.count, self.end, self.received_at = topics, where, count, end, received_at
        self.identity = Identity(f"{where.topic}/{where.partition}", None, "")
        self.position = Position()
        self.batch: Batch | None = None
        self.dead: list[DeadLetter] = []
        self.lines = 0
        self.stored_bytes = 0  # records: there is nothing better to show the progress by

    def load(self) -> bool:
        """See to it that `batch` has events, if there are more; dead letters gather in `dead`."""
        while self.batch is None:
            records = self.topics.more(self.where, self.end)
            if not records.count:
                return False
            batch = self.decoded(records)
            self.dead += batch.dead
            self.lines += batch.lines
            batch.dead, batch.lines = [], 0
            self.stored_bytes += records.count
            self.batch = batch if len(batch) else None
        return True

    def decoded(self, records: Records) -> Batch:
        place = f"{self.where.topic}/{self.where.partition}"
        records, _ = believable(records, time_of(self.received_at, "received_at"))
        at_home, strays = sorted_out(records, place, self.where.partition, self.count, self.received_at)
        batch = decode_records(at_home, place, received_at=self.received_at)
        batch.dead += strays
        return batch

    def take(self, count: int) -> Batch:
        """The next `count` events of what is loaded; `load` first."""
        batch = self.batch
        if batch is None:
            raise IndexError("no events are loaded")
        self.batch = part(batch, count, len(batch)) if count < len(batch) else None
        return compacted(part(batch, 0, count))


class KafkaRange:
    """The records that came from `since` on and before `until` (µs; None: all there are)."""

    def __init__(self, settings: LiveSettings, since: int | None, until: int | None) -> None:
        self.settings, self.since, self.until = settings, since, until
        self.records = 0  # in all, once it is opened

    @contextmanager
    def opened(self, received_at: str) -> Iterator[list[RangeReader]]:
        """A reader for each partition that has any; raises OutsideError, UsageError when there are none."""
        topics = Topics(self.settings)
        try:
            counts = topics.partitions()
            where = [TopicPartition(topic, one) for topic in EVENTS for one in range(counts[topic])]
            starts = topics.offsets(where, self.since, "beginning")
            ends = topics.offsets(where, self.until, "end")
            wanted = [one for one in where if starts[one] < ends[one]]
            if not wanted:
                raise UsageError(f"no events came {self.said()}")
            self.records = sum(ends[one] - starts[one] for one in wanted)
            topics.start({one: starts[one] for one in wanted})
            yield [RangeReader(topics, one, counts[one.topic], ends[one], received_at) for one in wanted]
        finally:
            topics.close()

    def said(self) -> str:
        """The range in words."""
        since = "" if self.since is None else f"since {rfc3339(self.since)} "
        until = "" if self.until is None else f"until {rfc3339(self.until)} "
        return f"{since}{until}to the topics at {self.settings.kafka_bootstrap}"
