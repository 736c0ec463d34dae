"""A partition while this worker has it: its lane, what it has on its way out, and its checkpoints."""

from __future__ import annotations

import asyncio
import time

import msgspec
import structlog

from streams import clock
from streams.live.ahead import bytes_of
from streams.live.delivery import Message, Outbox, messages_of
from streams.live.exchange import Statement
from streams.live.keeping import Kept
from streams.live.lane import Lane
from streams.live.merge import LONG_AGO
from streams.live.output import Output
from streams.live.pieces import Given
from streams.live.snapshots import copied
from streams.live.stamps import believable
from streams.live.topics import EVENTS, POPULATION
from streams.live.transactions import Ends, OpenTransactions

log = structlog.get_logger()


class Tenancy:
    """Everything of one partition; `taking_over.open_tenancies` makes it."""

    def __init__(self, lane: Lane, outbox: Outbox, kept: Kept, said: set[tuple[bool, str, int]]) -> None:
        self.lane, self.outbox, self.kept, self.said = lane, outbox, kept, said
        self.handed = dict.fromkeys(EVENTS, 0)  # the offset before which everything was sent on its way here
        self.on_way = dict.fromkeys(EVENTS, 0)  # bytes sent on their way here
        self.ends = dict.fromkeys(EVENTS, 0)
        self.transactions = OpenTransactions()
        self.ticked_at = 0.0
        self.held: dict[int, int] = {}
        self.held_seconds = 0
        self.unreadable = 0  # checkpoints that were passed over
        self.sender = asyncio.create_task(outbox.run())

    def accept(self, topic: str, piece: Given) -> bool:
        """A piece that came through an agent; False if something before it is missing."""
        self.on_way[topic] = max(0, self.on_way[topic] - bytes_of(piece.records))
        if piece.since > self.lane.received[topic]:
            self.on_way[topic] = 0  # what was lost never comes
            return False
        records, wrong = believable(piece.records, clock.now())
        if wrong:
            log.warning("records are stamped in the future, and taken as of the end of today", topic=topic, records=wrong,
                        partition=self.lane.partition, first=piece.since)  # fmt: skip
        self.lane.accept(topic, records, piece.came)
        self.lane.cover(topic, piece.until)
        return True

    def begins_anew(self, topic: str, position: int | None, ends: Ends) -> bool:
        """Whether a topic, and where it is read, have come to be before what was read of it; it is read from its beginning then."""
        if position is None or ends.last is None or max(position, ends.last) >= self.lane.received[topic]:
            return False
        self.lane.begin_anew(topic)
        self.handed[topic] = position
        return True

    def hand(self, topic: str, piece: Given) -> None:
        """A piece is on its way here."""
        self.handed[topic] = piece.until
        self.on_way[topic] += bytes_of(piece.records)

    def has_room(self, topic: str, share: int) -> bool:
        """Whether more of a topic should be read, of which so many bytes may wait."""
        size = self.on_way[topic] + self.lane.intake.size(topic)
        return self.outbox.has_room and size < share and self.lane.has_room(topic)

    def read_anew(self) -> None:
        """The consumer begins again: nothing is on its way, and the topics may have grown meanwhile."""
        for topic in EVENTS:
            self.handed[topic] = self.on_way[topic] = 0
            self.lane.drained(topic, LONG_AGO)

    def read_up_to(self, topic: str, position: int | None, ends: Ends, at: float) -> None:
        """How far the consumer has read a topic, and how far the topic went at a time (monotonic, s). Its end is where an open
        transaction begins: nobody knows yet whether what is behind that ever was.
        """
        end = ends.stable
        all_read = position is not None and end is not None and position >= end
        self.ends[topic] = end or self.ends[topic]
        if end is not None and ends.last is not None:
            self.transactions.seen(topic, end, ends.last, time.monotonic())
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
        durable = self.kept.durable
        before = {topic: durable.positions.get(topic, 0) for topic in now.positions}
        return (now.positions, now.ticks) != (before, durable.ticks)

    def begin_checkpoint(self, population: int, last: bool = False) -> None:
        """Have the state of now written; call between two steps of the engine, after which there are no more where this is the
        `last`. `population`: offset behind what was heard of others.
        """
        covered, state = self.lane.covered(self.outbox.ends, population), self.lane.engine.snapshot()
        self.kept.begin(covered, self.outbox.given, state if last else copied(state))

    def check(self) -> None:
        """Raises what delivery died of, after which nothing would ever go out."""
        if self.sender.done() and not self.sender.cancelled():
            self.sender.result()

    async def close(self) -> None:
        """Nothing more goes out."""
        self.sender.cancel()
        await asyncio.gather(self.sender, return_exceptions=True)
        await self.kept.close()
