"""What a partition's topics hold from an offset on: ticks to be done again, warnings that were delivered already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.checkpoint import UnreadableError
from streams.live.journal import Covered, Tick
from streams.live.topics import EVENTS, HELD_OUT, SHADOW, TICKS, WARNINGS

DECIDED: Final = (WARNINGS, HELD_OUT, SHADOW)
Found = list[tuple[int, bytes]]
"""(offset, value) of records."""


class Decided(msgspec.Struct, frozen=True):
    """What tells two decisions apart."""

    warning_id: str
    revision: int


class Since(NamedTuple):
    """What happened after a checkpoint: ticks with their offsets, and (shadow, warning_id, revision) of what was delivered,
    which stands and is not said again. `ends` of the topics of events: no earlier worker has applied what is behind.
    """

    ticks: list[tuple[int, Tick]]
    said: set[tuple[bool, str, int]]
    ends: dict[str, int]


class Rereading:
    """One consumer for all that is read again, of one partition after another; as a context. Raises KafkaError."""

    def __init__(self, client: Mapping[str, Any]) -> None:
        self.consumer = AIOKafkaConsumer(
            **client,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=20,  # what one partition waits for holds up the next
        )
        self.free = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self.starting = asyncio.create_task(self.consumer.start())  # while checkpoints are loaded
        return self

    async def __aexit__(self, *_: object) -> None:
        self.starting.cancel()
        await asyncio.gather(self.starting, return_exceptions=True)
        await self.consumer.stop()

    async def after(self, partition: int, covered: Covered) -> Since:
        """What happened to a partition after a checkpoint. Raises UnreadableError."""
        await asyncio.shield(self.starting)
        topics = {TICKS: covered.ticks} | {topic: covered.outputs.get(topic, 0) for topic in DECIDED}
        places = {topic: TopicPartition(topic, partition) for topic in (*topics, *EVENTS)}
        async with self.free:
            # Told of one after the other, the client would wait a tenth of a second for each.
            await self.consumer._client.set_topics([*topics, *EVENTS])  # noqa: SLF001 - it has no other door for it
            ends = {
                where.topic: int(end) for where, end in (await self.consumer.end_offsets([*places.values()])).items()
            }
            more = {places[topic]: first for topic, first in topics.items() if first < ends[topic]}
            found = await self._read(more, ends) if more else {}
        ticks = [(offset, tick_of(value, f"{TICKS}/{partition}/{offset}")) for offset, value in found.get(TICKS, ())]
        said = {
            (topic == SHADOW, one.warning_id, one.revision)
            for topic in DECIDED
            for one in (msgspec.json.decode(value, type=Decided) for _, value in found.get(topic, ()))
        }
        return Since(chain(ticks, covered.ticks), said, {topic: ends[topic] for topic in EVENTS})

    async def _read(self, offsets: dict[TopicPartition, int], ends: Mapping[str, int]) -> dict[str, Found]:
        """What topics hold from offsets on to their ends."""
        beginnings = await self.consumer.beginning_offsets([*offsets])
        self.consumer.assign([*offsets])
        for where, offset in offsets.items():
            self.consumer.seek(where, max(offset, beginnings[where]))
        found: dict[str, Found] = {where.topic: [] for where in offsets}
        while left := [where for where in offsets if await self.consumer.position(where) < ends[where.topic]]:
            for where, records in (await self.consumer.getmany(*left, timeout_ms=1_000)).items():
                end = ends[where.topic]
                found[where.topic] += [
                    (record.offset, record.value or b"") for record in records if record.offset < end
                ]
        self.consumer.unsubscribe()
        return found


def tick_of(value: bytes, place: str) -> Tick:
    """A record of the ticks. Raises UnreadableError for one of another version: what happened then cannot be done again."""
    try:
        return msgspec.json.decode(value, type=Tick)
    except msgspec.MsgspecError as error:
        raise UnreadableError(
            f"{place}: not what this version writes ({error}); start the version that wrote it, end it in order "
            "(SIGTERM), then start this one"
        ) from error


def chain(found: Sequence[tuple[int, Tick]], start: int) -> list[tuple[int, Tick]]:
    """The ticks from an offset on of which each was made by someone who knew the one before.

    Where two go on from the same tick, that of the older epoch is a zombie's, which nobody followed.
    """
    following: dict[int, tuple[int, Tick]] = {}
    for offset, tick in sorted(found, key=lambda one: one[1].epoch):
        following[tick.after] = (offset, tick)
    kept, at = [], start
    while at in following:
        offset, tick = following[at]
        kept.append((offset, tick))
        at = offset + 1
    return kept
