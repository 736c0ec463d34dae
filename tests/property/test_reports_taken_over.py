"""What others are told of the network and the market takes effect in a partition when it is heard, and there again for whoever
takes the partition over.

What a partition said is said again, word by word, by whoever takes it over from an older checkpoint: reports that were heard
late (behind the partition's own clock) have their place in its ticks. Not held here, for nothing writes it down: a report that is
told after the owner died, or in the moment before, and is dated earlier than what it had applied since its checkpoint; and
events of several topics that come later than CHURN_ALIGN allows. So here who dies has done all that it could, and only reports
are late, which are all there is in their partition.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bundles import library_of, quick
from support.engines import said
from support.lanes import Cluster, records_of
from support.profiles import examples
from support.small_streams import TYPES, lines, random_moments

from events.packed import packed
from streams.live.journal import Reload
from streams.live.placement import partitions_of
from streams.live.topics import EVENTS

REPORTED = {"market.noted", "network.incident"}
MARKET = TYPES.index("market.noted")
PARTITIONS = 3


def stream(seed: int, count: int) -> list[bytes]:
    """Events as they come, nothing late but reports, every fourth being one."""
    dice = random.Random(seed)
    found = []
    for moment in random_moments(seed, count, customers=8):
        chosen = moment._replace(type=MARKET) if dice.random() < 1 / 4 else moment
        reported = TYPES[chosen.type] in REPORTED
        found.append(chosen if reported else chosen._replace(delay=0))
    return [line for line in lines(found) if in_place(msgspec.json.decode(line))]


def in_place(event: dict[str, str]) -> bool:
    """Whether it is a report of the partition that has nothing else, or no report and of another."""
    where, reporter = partitions_of([event["customer_id"].encode(), b"market:all"], PARTITIONS).tolist()
    return (event["type"] in REPORTED) == (where == reporter)


class Live(Cluster):
    """Records come one by one; what each lane has said is kept, and what of it whoever took it over says."""

    def __init__(self, whole: Iterable[bytes], seed: int) -> None:
        self.whole, self.dice = [*whole], random.Random(seed)
        library, (rules,) = library_of(quick())
        super().__init__(records_of(self.whole, PARTITIONS), None, library=library, orders=[Reload(0, rules)])
        self.there = {lane: dict.fromkeys(EVENTS, 0) for lane in self.lanes}
        self.ever: list[tuple[int, object]] = []
        self.line: dict[int, list[object]] = {lane: [] for lane in self.lanes}
        self.kept: dict[int, list[object]] = {lane: [] for lane in self.lanes}

    def comes(self, number: int) -> None:
        """The next line of the stream is in its topic."""
        for lane, queues in records_of(self.whole[number : number + 1], PARTITIONS).items():
            for topic, queue in queues.items():
                self.there[lane][topic] += len(queue)

    def turn(self, lane: int) -> bool:
        """A lane reads to the end of its topics and works on it."""
        opened, before = self.lanes[lane], len(self.decisions)
        for topic, end in self.there[lane].items():
            opened.accept(topic, packed(self.records[lane][topic][opened.received[topic] : end]), self.now)
            self.handed[lane][topic] = max(self.handed[lane][topic], end)
            opened.drained(topic, self.now)
        moved = self.move(lane)
        self.ever += [(lane, one) for one in self.decisions[before:]]
        self.line[lane] += self.decisions[before:]
        return moved

    def save(self, lane: int) -> None:
        super().save(lane)
        self.kept[lane] = [*self.line[lane]]

    def dies(self, lane: int) -> None:
        """After it did all that it could."""
        while self.turn(lane):
            pass
        self.line[lane] = [*self.kept[lane]]
        self.take_over(lane)

    def goes_on(self) -> int:
        """To the end of the stream; how often a lane was taken over."""
        died = 0
        for number in range(len(self.whole)):
            self.comes(number)
            for _ in range(self.dice.choice((0, 1, 1, 2, 4))):
                lane = self.dice.randrange(PARTITIONS)
                self.turn(lane)
                fate = self.dice.random()
                if fate < 0.1:
                    self.save(lane)
                elif fate < 0.18:
                    died += 1
                    self.dies(lane)
        self.settled()
        return died

    def settled(self) -> None:
        """All lanes do what they can."""
        while any(self.turn(lane) for lane in self.lanes):
            pass


@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6))
def test_whoever_takes_a_partition_over_says_what_was_said(seed):
    cluster = Live(stream(seed, 150), seed)
    died = cluster.goes_on()
    final = {(lane, one.warning_id, one.revision): said(one) for lane in cluster.lanes for one in cluster.line[lane]}
    for lane, one in cluster.ever:
        assert final.get((lane, one.warning_id, one.revision)) == said(one)
    assert died
    assert not any(lane.exchange.to_apply or lane.exchange.taken for lane in cluster.lanes.values())


def event(what: str, customer: str, minute: int, **more: str) -> bytes:
    """Something at a minute of one noon."""
    at = f"2026-01-01T{12 + minute // 60:02}:{minute % 60:02}:00Z"
    known = {"type": what, "event_id": f"{customer}{minute}", "customer_id": customer, "occurred_at": at}
    return json.dumps(known | more).encode()


def test_a_report_that_was_heard_late_takes_effect_at_the_same_place_again() -> None:
    names = [f"c{number}" for number in range(30)]
    places = partitions_of([name.encode() for name in [*names, "market:all"]], PARTITIONS).tolist()
    reporter, of = places.pop(), dict(zip(places, names, strict=True))
    lane, other = (one for one in of if one != reporter)
    report = event("market.noted", "market:all", 1, kind="competitor_offer", region="all")
    before = [event("usage.recorded", name, minute, service="data") for minute in (0, 5) for name in of.values()]
    # What others have later is heard, and the clock goes on: a tick, before which all the events are done again.
    after = [event("usage.recorded", of[one], minute, service="data") for one, minute in ((lane, 10), (other, 30))]
    cluster = Live([*before, report, *after], 0)
    for number in range(len(of)):
        cluster.comes(number)
    cluster.settled()
    cluster.save(lane)
    for number in range(len(of), len(cluster.whole)):
        cluster.comes(number)
        cluster.settled()
    offered = [one for where, one in cluster.ever if where == lane and one.rules[0].id == "offered"]
    assert [one.raised_at for one in offered] == ["2026-01-01T12:10:00.000000Z"]
    cluster.dies(lane)
    cluster.settled()
    assert [said(one) for one in cluster.line[lane] if one.rules[0].id == "offered"] == [said(offered[0])]
