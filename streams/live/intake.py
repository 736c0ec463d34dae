"""The way of a partition's records from the broker to where they have their turn: taken in, decoded, queued by topic.

Taken in they are by the loop that reads, decoded by the engine's thread: what both count, each counts for itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from events.columns import Batch, empty_batch
from events.deadletters import DeadLetter, Reason, dead_letter
from events.packed import Record, Records, joined
from events.records import decode_records
from population.reports import NOTHING, Fact, report_of
from streams.admit import arrivals, beyond
from streams.live.ahead import MEGABYTE, bytes_of
from streams.live.merge import LONG_AGO, NEVER, Merger
from streams.live.placement import IN_PLACE, misplaced
from streams.live.topics import EVENTS

MOST_WAITING: Final = 60_000
"""Events of a topic that wait to be applied, beyond which no more are read."""

MOST_TOGETHER: Final = 4 * MEGABYTE
"""Bytes of records that are decoded at once, if they came apart: what is decoded at once goes only when all of it is applied."""

Arrival = tuple[str, Records, float]
"""Records of a topic, and when they came (monotonic, s)."""


class Decoded(NamedTuple):
    """What came of decoding beside events: dead letters, how many records belong elsewhere, and what was reported of the
    network or the market.
    """

    dead: Sequence[DeadLetter]
    misplaced: int
    reports: Sequence[str]


class Intake:
    """One partition's, of `count`; events wait in the queues of `merger`."""

    def __init__(self, partition: int, count: int, merger: Merger) -> None:
        self.partition, self.count, self.merger = partition, count, merger
        self.arrived: deque[Arrival] = deque()
        self.later: dict[str, deque[tuple[Records, float]]] = {topic: deque() for topic in EVENTS}
        self.received = {topic: merger.queues[topic].position for topic in EVENTS}
        self.covered = dict(self.received)  # the offsets before which nothing is still to come
        self.anew: set[str] = set()  # topics that are others than those of the checkpoint and the ticks
        self.spoken = dict.fromkeys(EVENTS, LONG_AGO)
        self._accepted = dict.fromkeys(EVENTS, 0)  # records, by the loop
        self._decoded = dict.fromkeys(EVENTS, 0)  # those of them that have been decoded, by the engine's thread
        self._came = dict.fromkeys(EVENTS, 0)  # bytes, by the loop
        self._taken = dict.fromkeys(EVENTS, 0)  # those of them that did not stay as they came, by the engine's thread
        self._later = dict.fromkeys(EVENTS, 0)  # bytes that wait for `decode_later`
        self._dead: list[DeadLetter] = []
        self._misplaced = 0
        self._reports: list[str] = []

    def accept(self, topic: str, records: Records, came: float) -> None:
        """Records of a topic, in their order, that came at `came` (monotonic, s); what was accepted before is left out."""
        fresh = records.since(self.received[topic])
        if fresh.count:
            self.received[topic] = fresh.last + 1
            self._accepted[topic] += fresh.count
            self._came[topic] += bytes_of(fresh)
            self.arrived.append((topic, fresh, came))

    def settle(self) -> None:
        """Take over what the broker has said of the topics; before what arrived, which is no older."""
        for topic, until in [*self.covered.items()]:
            self.merger.queues[topic].received = max(self.merger.queues[topic].received, until)
        for topic, at in [*self.spoken.items()]:
            self.merger.queues[topic].drained_at = at

    def pending(self, topic: str) -> int:
        """Records that were accepted and not decoded yet."""
        return self._accepted[topic] - self._decoded[topic]

    def has_room(self, topic: str) -> bool:
        """Whether more of the topic should be read."""
        return self.pending(topic) + self.merger.queues[topic].events < MOST_WAITING

    def size(self, topic: str) -> int:
        """Bytes of a topic that were read and not applied."""
        return self._came[topic] - self._taken[topic] + self._later[topic] + self.merger.queues[topic].size

    @property
    def waiting(self) -> int:
        """Records read and not applied."""
        return sum(map(self.pending, EVENTS)) + self.merger.waiting

    @property
    def waits(self) -> bool:
        """Whether there is anything that was read and not applied, events or not."""
        return bool(self.arrived or any(queue.chunks for queue in self.merger.queues.values()))

    def decode(self, settled: float, limits: Mapping[str, int] | None, received_at: str) -> None:
        """Decode what arrived, that before `settled` (monotonic, s) in one piece; from the offsets `limits` on it waits for
        `decode_later` (None: nothing does).
        """
        arrived = [self.arrived.popleft() for _ in range(len(self.arrived))]  # more may come meanwhile
        taken = dict.fromkeys(EVENTS, 0)
        for topic, records, _ in arrived:
            taken[topic] += bytes_of(records)
        for topic, records, came in gathered(arrived, settled):
            self._decode(topic, records, came, limits, received_at)
        for topic, size in taken.items():  # not before: it is there until then
            self._taken[topic] += size

    def decode_later(self, limits: Mapping[str, int] | None, received_at: str) -> None:
        """Decode what had to wait, as far as the next limits let it."""
        for topic, held in self.later.items():
            again, self.later[topic], self._later[topic] = held, deque(), 0
            for records, came in again:
                self._decode(topic, records, came, limits, received_at)

    def _decode(
        self, topic: str, records: Records, came: float, limits: Mapping[str, int] | None, received_at: str
    ) -> None:
        limit = NEVER if limits is None else limits.get(topic, 0)
        if records.last >= limit:
            self.later[topic].append((records.since(limit), came))
            self._later[topic] += bytes_of(self.later[topic][-1][0])
            records = records.before(limit)
            if not records.count:
                return
        self._decoded[topic] += records.count
        place, next_offset = f"{topic}/{self.partition}", records.last + 1
        records = self._at_home(records, place, received_at)
        batch = decode_records(records, place, received_at=received_at) if records.count else empty_batch()
        self._dead.extend(batch.dead)
        batch.dead = []
        self._reports += reports_in(batch)
        self.merger.queues[topic].add(batch, next_offset, came)

    def _at_home(self, records: Records, place: str, received_at: str) -> Records:
        """Those whose key belongs here; the others become dead letters."""
        at_home, strays = sorted_out(records, place, self.partition, self.count, received_at)
        self._misplaced += len(strays)
        self._dead.extend(strays)
        return at_home

    def take(self) -> Decoded:
        """What came of decoding since the last call."""
        found = Decoded(self._dead, self._misplaced, self._reports)
        self._dead, self._misplaced, self._reports = [], 0, []
        return found


def reports_in(batch: Batch) -> list[str]:
    """What is reported of the network and the market. What will be refused for its date takes effect nowhere else either; it
    keeps its number, since who reads it again on another day may find that it can be true.
    """
    refused = beyond(batch, arrivals(batch, NEVER))
    facts = ((index, fact) for index, fact in batch.facts.items() if isinstance(fact, Fact))
    return [NOTHING if refused[index] else report_of(fact) for index, fact in facts]


def gathered(arrived: Iterable[Arrival], settled: float) -> list[Arrival]:
    """What arrived, in as few pieces as may be decoded at once, for each costs half a millisecond, however small.

    What came no later than `settled` (monotonic, s) no longer waits for other topics: of a topic it is one piece, as old as
    its oldest.
    """
    pieces: list[tuple[str, list[Records], float]] = []
    whole: dict[str, list[Records]] = {}
    left: dict[str, int] = {}  # bytes that may still be added to a topic's
    for topic, records, came in arrived:
        if came <= settled and len(records.raw) <= left.get(topic, -1):
            whole[topic].append(records)
            left[topic] -= len(records.raw)
            continue
        pieces.append((topic, [records], came))
        if came <= settled:
            whole[topic], left[topic] = pieces[-1][1], MOST_TOGETHER - len(records.raw)
    return [(topic, joined(records), came) for topic, records, came in pieces]


def sorted_out(
    records: Records, place: str, partition: int, count: int, received_at: str
) -> tuple[Records, list[DeadLetter]]:
    """The records of a partition, of `count`, without those that do not belong there by their key, and the dead letters of these."""
    wanted = misplaced(records, partition, count)
    strays = np.flatnonzero(wanted != IN_PLACE).tolist()
    if not strays:
        return records, []
    letters = [stray_letter(records.at(index), place, int(wanted[index]), count, received_at) for index in strays]
    return records.those(wanted == IN_PLACE), letters


def stray_letter(record: Record, place: str, wanted: int, count: int, received_at: str) -> DeadLetter:
    """The dead letter of a record at a place (`topic/partition`) that its key does not belong in."""
    detail = (
        f"the record key belongs in partition {wanted} of {count} by Kafka's default partitioner: "
        "the producer uses another one (librdkafka: set partitioner=murmur2_random)"
    )
    at = f"{place}/{record.offset}"
    return dead_letter(Reason.OUT_OF_RANGE, detail, at, received_at, record.value or b"")
