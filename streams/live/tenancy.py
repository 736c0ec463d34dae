"""A partition while this worker has it: its lane, what it has on its way out, and its checkpoints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaProducer

from streams.live.delivery import Message, Outbox, Parcel, messages_of
from streams.live.exchange import Statement
from streams.live.journal import Covered
from streams.live.lane import Lane, LaneSettings
from streams.live.library import first_rules
from streams.live.merge import LONG_AGO
from streams.live.output import Output
from streams.live.reloading import LiveRules
from streams.live.rereading import delivered_after, ends_of, ticks_after
from streams.live.settings import LiveSettings
from streams.live.snapshots import fork_writer, has_ended
from streams.live.store import PartitionStore
from streams.live.topics import EVENTS, POPULATION

log = structlog.get_logger()


class Writing:
    """A checkpoint that a child process is writing. `parcel`: what has to be delivered before it may count."""

    def __init__(self, pid: int, path: Path, covered: Covered, parcel: int) -> None:
        self.pid, self.path, self.covered, self.parcel = pid, path, covered, parcel
        self.begun = time.monotonic()
        self.written: bool | None = None


class Tenancy:
    """Everything of one partition; `open_tenancy` makes it."""

    def __init__(
        self, lane: Lane, outbox: Outbox, store: PartitionStore, covered: Covered, said: set[tuple[bool, str, int]]
    ) -> None:
        self.lane, self.outbox, self.store, self.durable = lane, outbox, store, covered
        self.said = said
        self.handed = dict.fromkeys(EVENTS, 0)  # the offset before which everything was sent on its way here
        self.ends = dict.fromkeys(EVENTS, 0)
        self.writing: Writing | None = None
        self.saved_at = time.monotonic()
        self.ticked_at = 0.0
        self.held: dict[int, int] = {}
        self.held_seconds = 0
        self.unreadable = 0  # checkpoints that were passed over
        self.sender = asyncio.create_task(outbox.run())

    def accept(self, topic: str, start: int, records: Any, came: float) -> bool:
        """A chunk that came through an agent, read from offset `start` on; False if something before it is missing."""
        if start > self.lane.received[topic]:
            return False
        self.lane.accept(topic, records, came)
        return True

    def read_anew(self) -> None:
        """The consumer begins again: nothing is on its way, and the topics may have grown meanwhile."""
        for topic in EVENTS:
            self.handed[topic] = 0
            self.lane.drained(topic, LONG_AGO)

    def read_up_to(self, topic: str, position: int | None, end: int | None, at: float) -> None:
        """How far the consumer has read a topic, and how far the topic went at a time (monotonic, s)."""
        all_read = position is not None and end is not None and position >= end
        self.ends[topic] = end or self.ends[topic]
        here = self.lane.received[topic] >= self.handed[topic]
        self.lane.drained(topic, at if all_read and here else LONG_AGO)

    def held_longer(self, now: float) -> dict[int, int]:
        """Whom this partition waits for; `held_seconds` counts how often in a row they were found to have said nothing new."""
        held = self.lane.held_by(now)
        self.held_seconds = self.held_seconds + 1 if held and held == self.held else 0
        self.held = held
        return held

    def say(self) -> Statement | None:
        """What the others should know, on its way to them."""
        statement = self.lane.say(time.monotonic())
        if statement is not None:
            self.outbox.add([Message(POPULATION, 0, None, msgspec.json.encode(statement))])
        return statement

    def send(self, output: Output) -> None:
        """What came of some work goes out."""
        messages = messages_of(output, self.lane.partition, self.said)
        if messages:
            self.outbox.add(messages, output.came if output.decisions else None)

    def changed(self) -> bool:
        """Whether anything was applied since the last durable checkpoint."""
        now = self.lane.covered({}, 0)
        before = {topic: self.durable.positions.get(topic, 0) for topic in now.positions}
        return (now.positions, now.ticks) != (before, self.durable.ticks)

    def begin_checkpoint(self, population: int) -> None:
        """Fork a writer; call between two steps of the engine. `population`: offset behind what was heard of others."""
        covered = self.lane.covered(self.outbox.ends, population)
        path = self.store.writing()
        pid = fork_writer(path, covered, self.lane.engine.snapshot)
        self.writing = Writing(pid, path, covered, self.outbox.given)

    def look_at_checkpoint(self) -> tuple[float, int] | None:
        """Publish what was written, once all that it covers is delivered: (seconds, bytes). Raises OSError."""
        writing = self.writing
        if writing is None:
            return None
        if writing.written is None:
            writing.written = has_ended(writing.pid)
        if writing.written is None or (writing.written and self.outbox.sent < writing.parcel):
            return None
        self.writing, self.saved_at = None, time.monotonic()
        if not writing.written:
            raise OSError(f"{writing.path.name} could not be written")
        size = self.store.publish(writing.path)
        self.durable = writing.covered
        return time.monotonic() - writing.begun, size

    async def close(self) -> None:
        """Nothing more goes out."""
        self.sender.cancel()
        await asyncio.gather(self.sender, return_exceptions=True)


async def open_tenancy(
    partition: int,
    count: int,
    generation: int,
    settings: LiveSettings,
    rules: LiveRules,
    producer: AIOKafkaProducer,
    delivered: Callable[[Parcel], None],
    utc_offset: int,
) -> Tenancy:
    """Load the newest checkpoint of a partition and what happened after it.

    Raises UnreadableError, TooNewError, UsageError (a state that cannot be carried over), OSError, KafkaError.
    """
    loop = asyncio.get_running_loop()
    store = await loop.run_in_executor(None, PartitionStore, settings.checkpoints, partition, generation)
    loaded = await loop.run_in_executor(None, store.load)
    for trouble in loaded.troubles:
        log.error("checkpoint unreadable, going on from the one before", partition=partition, trouble=trouble)
    client, covered = settings.client(), loaded.covered
    ticks, said, ends = await asyncio.gather(
        ticks_after(client, partition, covered), delivered_after(client, partition, covered), ends_of(client, partition)
    )
    engine = await rules.engine(covered, ticks, loaded.engine)
    own = LaneSettings(settings.align, utc_offset, store.epoch)
    lane = Lane(
        partition, count, engine, covered, ticks, own, rules.library, ends if first_rules(covered, ticks) else {}
    )
    outbox = Outbox(producer, loaded.covered.outputs, delivered)
    log.info("partition taken over", partition=partition, events=loaded.covered.events, epoch=store.epoch)
    tenancy = Tenancy(lane, outbox, store, loaded.covered, said)
    tenancy.unreadable = len(loaded.troubles)
    return tenancy
