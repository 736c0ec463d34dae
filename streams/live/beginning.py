"""`churn seed`: the first checkpoint of every partition, from history in files and where in the topics it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

from events.times import rfc3339
from streams import clock
from streams.inputs import Reader
from streams.live.connecting import connecting
from streams.live.journal import Covered
from streams.live.ranges import Topics
from streams.live.seeding import Seeding, Watch
from streams.live.settings import LiveSettings
from streams.live.snapshots import State
from streams.live.store import PartitionStore, write
from streams.live.topics import EVENTS, HELD_OUT, POPULATION, TICKS, WARNINGS, ready_topics
from streams.problems import UsageError

OVERLAP_US: Final = 3_600_000_000
"""How long before the end of history reading begins unless it is said: what both hold is known by its event_id."""
ENDS: Final = ("beginning", "end")


class From(msgspec.Struct, frozen=True):
    """Where the topics are read on: at an `end` of them, from a time on (µs), or from offsets by topic and partition."""

    end: str | None = None
    at: int | None = None
    offsets: dict[str, list[int]] | None = None


def seed(
    files: Sequence[str],
    begin: From,
    settings: LiveSettings,
    build: Callable[[None], Any],
    alarm: Callable[[str], None],
    watch: Watch,
) -> dict[str, Any]:
    """Replay the files for every partition and leave checkpoints; gives what is to be told of it.

    Raises UsageError where there are checkpoints already, OutsideError, OSError, and what `build` and readers raise.
    """
    first = build(None)  # before anything is waited for: what is wrong with a model shows
    count = partitions_there(settings)
    stores = [PartitionStore(settings.checkpoints, lane, 0) for lane in range(count)]
    taken = next((lane for lane, store in enumerate(stores) if not store.empty), None)
    if taken is not None:
        raise UsageError(f"{settings.checkpoints}: partition {taken} has checkpoints; a seed begins with none")
    seeding = Seeding([first, *(build(None) for _ in range(count - 1))])
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(Reader(name, clock.now_text()))) for name in files]
        seeding.read_all(readers, watch)
    if begin == From():
        begin = From(at=seeding.clock - OVERLAP_US)
    topics = Topics(settings)
    try:
        positions = beginnings(topics, begin, count, alarm)
        others = topics.offsets([TopicPartition(name, lane) for name in (WARNINGS, HELD_OUT, TICKS) for lane in range(count)], None, "end")  # fmt: skip
        population = topics.offsets([TopicPartition(POPULATION, 0)], None, "end")[TopicPartition(POPULATION, 0)]
    finally:
        topics.close()
    covered = [
        seeding.covered(
            lane,
            {topic: positions[TopicPartition(topic, lane)] for topic in EVENTS},
            {topic: others[TopicPartition(topic, lane)] for topic in (WARNINGS, HELD_OUT)},
            others[TopicPartition(TICKS, lane)],
            population,
        )
        for lane in range(count)
    ]
    leave(stores, covered, (engine.snapshot() for engine in seeding.engines))
    open_now = sum(sum(engine.open_by_tier().values()) for engine in seeding.engines)
    said = {"partitions": count, "until": rfc3339(seeding.clock), "unsaid": seeding.unsaid, "open": open_now}
    return seeding.counts.report() | said | {"from": from_said(begin)}


def leave(stores: Sequence[PartitionStore], covered: Iterable[Covered], states: Iterable[State]) -> None:
    """Checkpoints of all the partitions, or as good as none: none is published before all are written. Raises OSError."""
    with ExitStack() as stack:
        written = []
        for store, covers, state in zip(stores, covered, states, strict=True):
            written.append(store.writing())
            stack.callback(written[-1].unlink, missing_ok=True)
            write(written[-1], covers, state)
        for store, path in zip(stores, written, strict=True):
            store.publish(path)


def partitions_there(settings: LiveSettings) -> int:
    """The topics' number of partitions, made first where they are missing; raises OutsideError."""
    with connecting(settings.kafka_bootstrap):
        return asyncio.run(asyncio.wait_for(ready_topics(settings), 30))


def beginnings(topics: Topics, begin: From, count: int, alarm: Callable[[str], None]) -> dict[TopicPartition, int]:
    """Where each partition is read on; raises UsageError for an offset that the broker does not have."""
    where = [TopicPartition(topic, lane) for topic in EVENTS for lane in range(count)]
    first, last = topics.offsets(where, None, "beginning"), topics.offsets(where, None, "end")
    if begin.offsets is None:
        found = topics.offsets(where, begin.at, begin.end or "end")
    else:
        found = stated(begin.offsets, count)
    for one in where:
        if not first[one] <= found[one] <= last[one]:
            raise UsageError(f"{one.topic}/{one.partition} has offsets {first[one]} to {last[one]}, not {found[one]}")
        if begin.end is None and found[one] == first[one] > 0:
            alarm(f"{one.topic}/{one.partition} begins at offset {first[one]}: what came before is gone from Kafka")
    return found


def stated(offsets: dict[str, list[int]], count: int) -> dict[TopicPartition, int]:
    """Offsets as they were given; raises UsageError unless there is one for each partition of each topic."""
    for topic in EVENTS:
        if len(offsets.get(topic, ())) != count:
            raise UsageError(
                f"--from: {topic} has {count} partitions, offsets are given for {len(offsets.get(topic, ()))}"
            )
    return {TopicPartition(topic, lane): offsets[topic][lane] for topic in EVENTS for lane in range(count)}


def begin_of(text: str | None, moment: Callable[[str, str], int | None]) -> From:
    """What `--from` says: nothing, `beginning`, `end`, a file of offsets, or a time; raises UsageError."""
    if text is None:
        return From()
    if text in ENDS:
        return From(end=text)
    if text.endswith(".json"):
        try:
            return From(offsets=msgspec.json.decode(Path(text).read_bytes(), type=dict[str, list[int]]))
        except (OSError, msgspec.MsgspecError) as error:
            raise UsageError(f"--from {text}: {error}") from error
    return From(at=moment(text, "--from"))


def from_said(begin: From) -> str:
    """The same in words."""
    if begin.at is not None:
        return rfc3339(begin.at)
    return begin.end or "the offsets given"
