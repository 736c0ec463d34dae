"""What a partition's topics hold from an offset on: ticks to be done again, warnings that were delivered already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.checkpoint import UnreadableError
from streams.live.lane import Covered, Tick
from streams.live.topics import EVENTS, HELD_OUT, SHADOW, TICKS, WARNINGS


class Said(msgspec.Struct, frozen=True):
    """What tells two decisions apart."""

    warning_id: str
    revision: int


async def read_from(client: dict[str, Any], topic: str, partition: int, offset: int) -> list[tuple[int, bytes]]:
    """(offset, value) of every record from an offset to the end as it is now; raises KafkaError."""
    consumer = AIOKafkaConsumer(**client, enable_auto_commit=False)
    await consumer.start()
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        first = max(offset, (await consumer.beginning_offsets([where]))[where])
        found: list[tuple[int, bytes]] = []
        if first < end:
            consumer.seek(where, first)
        while first < end and await consumer.position(where) < end:
            for records in (await consumer.getmany(where, timeout_ms=1_000)).values():
                found += [(record.offset, record.value or b"") for record in records if record.offset < end]
        return found
    finally:
        await consumer.stop()


async def ticks_after(client: dict[str, Any], partition: int, covered: Covered) -> list[tuple[int, Tick]]:
    """The ticks that a checkpoint does not cover, with their offsets. Raises UnreadableError, KafkaError."""
    found = await read_from(client, TICKS, partition, covered.ticks)
    return chain([(offset, tick_of(value, f"{TICKS}/{partition}/{offset}")) for offset, value in found], covered.ticks)


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


async def ends_of(client: dict[str, Any], partition: int) -> dict[str, int]:
    """Where the topics of events end now: no earlier worker has applied what is behind. Raises KafkaError."""
    consumer = AIOKafkaConsumer(**client, enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, partition) for topic in EVENTS])
        return {where.topic: int(end) for where, end in ends.items()}
    finally:
        await consumer.stop()


async def delivered_after(client: dict[str, Any], partition: int, covered: Covered) -> set[tuple[bool, str, int]]:
    """(shadow, warning_id, revision) of what was delivered after a checkpoint was made: it stands, and is not said again."""
    said = set()
    for topic in (WARNINGS, HELD_OUT, SHADOW):
        for _, value in await read_from(client, topic, partition, covered.outputs.get(topic, 0)):
            one = msgspec.json.decode(value, type=Said)
            said.add((topic == SHADOW, one.warning_id, one.revision))
    return said
