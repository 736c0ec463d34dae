"""Partitions of Kafka topics without Kafka: lanes that are handed records and hear one another, in any rhythm."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from events.packed import Record, packed
from streams.live.journal import Covered, Reload, Tick
from streams.live.lane import Lane, LaneSettings
from streams.live.library import Library, due, first_rules
from streams.live.merge import LONG_AGO
from streams.live.placement import partitions_of
from streams.live.rereading import chain
from streams.live.topics import BILLING, COMPLAINTS, EVENTS, OUTCOMES, USAGE
from support.engines import copied
from support.small_streams import lines, random_moments

FOREVER = 10**6
CENTURY_MS = 4_000_000_000_000  # when records come: no event is in the future
WALL = 4_000_000_000_000_000  # far from all events: no clock follows it
TOPICS = {"usage": USAGE, "network": USAGE, "churned": OUTCOMES, "returned": OUTCOMES, "care": OUTCOMES}
BILLED = ("bill", "payment", "balance", "plan", "contract", "line", "device", "customer.profiled")


def topic_of(kind: str) -> str:
    """The topic of an event type (contract, section 1)."""
    if kind.startswith(BILLED):
        return BILLING
    first, _, second = kind.partition(".")
    return TOPICS.get(first, TOPICS.get(second, COMPLAINTS))


def in_order(seed: int, count: int, customers: int) -> list[bytes]:
    """Events in the order of their times, no two at one moment, none of the network or the market."""
    found: dict[str, bytes] = {}
    for line in lines(random_moments(seed, count, customers=customers)):
        event = msgspec.json.decode(line)
        if event["customer_id"].startswith("c") and ":" not in event["customer_id"]:
            found.setdefault(event["occurred_at"], line)
    return [found[at] for at in sorted(found)]


Queues = dict[int, dict[str, list[Record]]]
"""Records by partition and topic."""


def records_of(stream: Iterable[bytes], count: int, came: int = CENTURY_MS) -> Queues:
    """Lines as records of every partition's topics, that `came` at a time (ms)."""
    events = [(line, msgspec.json.decode(line)) for line in stream if line.strip()]
    places = partitions_of([event["customer_id"].encode() for _, event in events], count).tolist()
    made: Queues = {lane: {topic: [] for topic in EVENTS} for lane in range(count)}
    for (line, event), lane in zip(events, places, strict=True):
        topic = topic_of(event["type"])
        queue = made[lane][topic]
        queue.append(Record(line, (), event["customer_id"].encode(), came, len(queue)))
    return made


class Cluster:
    """Lanes over records; `build` makes an engine, from its snapshot if there is one, `recorder` who writes the days of a lane
    down, by its epoch.
    """

    def __init__(
        self,
        records: Queues,
        build: Callable[[dict[str, Any] | None], Any],
        align: float = 0.0,
        library: Library | None = None,
        orders: Sequence[Reload] = (),
        recorder: Callable[[int, int], Any] = lambda _lane, _epoch: None,
    ) -> None:
        self.records, self.build, self.settings = records, build, LaneSettings(align, 8 * 3_600_000_000)
        self.library, self.orders = library, [*orders]
        self.recorder, self.epochs = recorder, Counter[int]()
        self.handed: dict[int, dict[str, int]] = {lane: dict.fromkeys(EVENTS, 0) for lane in records}
        self.alarms: list[Any] = []
        self.shadow: list[Any] = []
        self.ticks: dict[int, list[Tick]] = {lane: [] for lane in records}
        self.statements: list[Any] = []
        self.lanes = {lane: self.open(lane, Covered({}, {}), None) for lane in records}
        self.saved: dict[int, tuple[Covered, Any]] = {lane: (Covered({}, {}), None) for lane in records}
        self.decisions: list[Any] = []
        self.incidents: list[Any] = []
        self.dead: list[Any] = []
        self.applied: Counter[str] = Counter()  # events by topic
        self.now = 1_000.0

    def open(self, lane: int, covered: Covered, saved: dict[str, Any] | None, newest: int | None = None) -> Lane:
        """A lane as a worker opens it; what was said from the `newest`-th statement on comes to it first, too."""
        ticks = chain([*enumerate(self.ticks[lane])][covered.ticks :], covered.ticks)
        saved = None if saved is None else copied(saved)  # as if it was read again
        if self.library is None:
            engine = self.build(saved)
        else:
            engine = self.library.engine(first_rules(covered, ticks) or self.orders[-1].rules, saved)
        again = {**self.handed[lane]} if first_rules(covered, ticks) else {}
        self.epochs[lane] += 1
        recorder = self.recorder(lane, self.epochs[lane])
        opened = Lane(lane, len(self.records), engine, covered, ticks, self.settings, self.library, again, recorder)
        for statement in self.statements[len(self.statements) if newest is None else newest :]:
            opened.hear(statement, 0.0)
        for offset, statement in [*enumerate(self.statements)][covered.population :]:
            opened.hear(statement, 0.0)
            opened.overhear(statement, offset)
        return opened

    def feed(self, lane: int, topic: str, most: int) -> None:
        """Hand on the next records of a topic."""
        opened = self.lanes[lane]
        queue, start = self.records[lane][topic], opened.received[topic]
        opened.accept(topic, packed(queue[start : start + most]), self.now)
        self.handed[lane][topic] = max(self.handed[lane][topic], opened.received[topic])
        opened.drained(topic, self.now if opened.received[topic] == len(queue) else LONG_AGO)

    def move(self, lane: int) -> bool:
        """One turn of the worker's loop; whether anything happened."""
        self.now += 1.0
        opened = self.lanes[lane]
        for reload in due(self.orders, opened.order):
            record = opened.reloading(reload, WALL)
            if record is None:
                break
            self.ticks[lane].append(record)
            self.alarms += opened.apply_tick(len(self.ticks[lane]) - 1, record, WALL).alarms
        output = opened.work(self.now, WALL) if opened.busy() else None
        moved = output is not None
        tick = opened.obeying(self.now, WALL) or opened.tick(self.now, WALL, True)
        if tick is not None:
            self.ticks[lane].append(tick)
            more = opened.apply_tick(len(self.ticks[lane]) - 1, tick, WALL)
            assert more.came is None  # no event came
            self.decisions += more.decisions
            self.incidents += more.incidents
            self.shadow += more.shadow
            moved = True
        if output is not None:
            self.decisions += output.decisions
            self.incidents += output.incidents
            self.dead += output.dead
            self.applied.update(output.by_topic)
            self.shadow += output.shadow
            self.alarms += output.alarms
        statement = opened.say(self.now)
        if statement is not None:
            self.statements.append(statement)
            for listener in self.lanes.values():
                listener.hear(statement, self.now)
                listener.overhear(statement, len(self.statements) - 1)
            moved = True
        return moved

    def nothing_new(self) -> None:
        """The broker says that what was read to its end still is."""
        for lane in self.lanes.values():
            for topic, at in lane.spoken.items():
                lane.drained(topic, self.now + len(self.lanes) if at > LONG_AGO else LONG_AGO)

    def save(self, lane: int) -> None:
        """A checkpoint of now."""
        opened = self.lanes[lane]
        self.saved[lane] = (opened.covered({}, len(self.statements)), copied(opened.engine.snapshot()))

    def take_over(self, lane: int) -> None:
        """Whoever had it is dead; it goes on from where it was saved last."""
        self.lanes[lane] = self.open(lane, *self.saved[lane])

    def with_takeovers(
        self,
        dice: random.Random,
        steps: int,
        most: int,
        every: int,
        kept: float,
        lanes: Sequence[int],
        meanwhile: Callable[[int], None] = lambda _lane: None,
    ) -> None:
        """Hand on `most` records at a time; every so many steps one of `lanes` is saved, in a share `kept` of the cases, or
        taken over. `meanwhile` is what else happens in each step, told who had a turn.
        """
        turns = [(lane, topic) for lane in self.lanes for topic in self.records[lane]]
        for step in range(steps):
            lane, topic = dice.choice(turns)
            self.feed(lane, topic, most)
            self.move(lane)
            meanwhile(lane)
            if step % every == 0:
                lane = dice.choice(lanes)
                if dice.random() < kept:
                    self.save(lane)
                else:
                    self.take_over(lane)

    def settle(self) -> None:
        """Go on until nothing moves any more."""
        moved = True
        while moved:
            self.nothing_new()
            moves = [self.move(lane) for lane in self.lanes]  # every lane has its turn
            moved = any(moves)

    def run(self, chunk: int = FOREVER, seed: int = 0, topics: Sequence[str] = EVENTS) -> None:
        """Hand everything on, `chunk` records at a time in any order of topics and lanes, then settle."""
        dice = random.Random(seed)
        turns = [(lane, topic) for lane in self.lanes for topic in topics]
        while any(self.lanes[lane].received[topic] < len(self.records[lane][topic]) for lane, topic in turns):
            lane, topic = dice.choice(turns)
            self.feed(lane, topic, chunk)
            self.move(lane)
        for lane, topic in turns:
            self.feed(lane, topic, 0)
        self.settle()


def by_rules(stream: Iterable[bytes], count: int, library: Library, digest: str, **more: Any) -> Cluster:
    """Lanes that begin by one rule set of a library; `more` as for Cluster."""
    return Cluster(records_of(stream, count), None, library=library, orders=[Reload(0, digest)], **more)
