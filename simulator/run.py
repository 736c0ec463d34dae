"""The run: one day after another, each in slices, so that memory stays bounded by the busiest day.

Order within a day: moods and seasons, stories that begin, the agenda, the office and the desk, bills and balances, usage.
Events leave in order of `occurred_at`; ties keep facts before usage.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from simulator import office
from simulator.arrays import Ints, Random, Texts, random_for
from simulator.billing import Billing
from simulator.catalogue import CAUSES, REGIONS
from simulator.clock import DAY, OPENING, Clock
from simulator.desk import Desk, answer_fault
from simulator.endings import open_story
from simulator.fates import Fate, draw_fates
from simulator.lines import Lines, prefix_of
from simulator.market import Notice
from simulator.moods import Moods
from simulator.scenario import Scenario, Summary, first_midnight
from simulator.shuffle import Shuffle
from simulator.state import Fact, World
from simulator.usage import Usage, part_of
from simulator.wallet import Wallet

SLICE = 100_000
MOST_CUSTOMERS, MOST_DAYS = 20_000_000, 36_500
STREAMS = {"u": "usage", "b": "billing", "k": "complaints", "o": "outcomes"}


class Operator:
    """A simulated operator, ready to run once. `fates` is the truth; `summary` fills while it runs."""

    def __init__(self, customers: int, days: int, seed: int, scenario: Scenario | None = None) -> None:
        """Raises ValueError when there is nothing to simulate, or too much."""
        if customers < 1 or days < 1 or seed < 0:
            raise ValueError("customers and days must be at least 1, seed at least 0")
        if customers > MOST_CUSTOMERS or days > MOST_DAYS:
            raise ValueError(f"at most {MOST_CUSTOMERS:,} customers and {MOST_DAYS:,} days can be simulated")
        self.scenario = scenario or Scenario()
        start: datetime = first_midnight(self.scenario.start, days)
        self.clock, self.days, self.seed = Clock(start), days, seed
        self.world = World(customers, days, seed, self.scenario, self.clock)
        world = self.world
        self.fates: list[Fate] = draw_fates(
            world.people, world.cells.weakness, world.market, self.clock, days, self.scenario, random_for(seed, 6)
        )
        self.summary = Summary(customers, days, seed, start)
        self._moods = Moods(customers, random_for(seed, 7))
        self._billing = Billing(world, random_for(seed, 8))
        self._wallet, self._desk, self._usage = Wallet(world, random_for(seed, 9)), Desk(world), Usage(world)
        self._lines = Lines(world)
        self._shuffle = Shuffle(self.scenario.late_share, self.scenario.duplicate_share)
        self._plan_ahead()

    def _plan_ahead(self) -> None:
        """Files stories by the day they begin, faults and notices on the agenda."""
        self._stories: dict[int, list[Fate]] = {}
        for fate in self.fates:
            self._stories.setdefault(max(fate.begins, int(self.world.people.born[fate.who]) // DAY, 0), []).append(fate)
        random = random_for(self.seed, 10)
        for fault in self.world.cells.draw_faults(self.days, self.scenario.outage, random):
            answer_fault(self.world, fault, random)
        for notice in self.world.market.notices:
            self.world.agenda.at(notice.begins, lambda ms, notice=notice: self._note(notice, ms))  # type: ignore[misc]

    def _note(self, notice: Notice, ms: int) -> None:
        region = None if notice.region is None else REGIONS[notice.region][0]
        stamp = self.clock.stamp
        self.world.tell_about(
            ms,
            f"market:{region or 'all'}",
            "market.noted",
            source="market",
            kind=notice.kind,
            region=region,
            plan=notice.plan,
            starts_at=stamp(notice.begins),
            ends_at=stamp(notice.ends),
        )

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """The whole run as (day, lines of JSON), several chunks a day, in order of time."""
        for texts in self._open():
            yield 0, "".join(texts.tolist()).encode()
        for day in range(self.days):
            self._prepare(day)
            for texts in self._write(day):
                if len(texts):
                    yield day, "".join(texts.tolist()).encode()
        texts = self._shuffle.rest()
        if len(texts):
            yield self.days - 1, "".join(texts.tolist()).encode()

    def _prepare(self, day: int) -> None:
        """Everything of the day but usage, into `world.facts`."""
        world, seed = self.world, self.seed
        world.day, world.facts = day, []
        for fate in self._stories.pop(day, ()):
            open_story(world, self._moods, fate)
        mood, world.abroad = self._moods.today(day, random_for(seed, 11, day))
        season, world.away = world.seasons.factors(self.clock.day(day))
        world.lively = mood * season
        world.agenda.run(day)
        office.run(world, day, random_for(seed, 12, day))
        self._desk.run(world, day, random_for(seed, 13, day))
        self._billing.run(world, day, random_for(seed, 14, day))
        self._wallet.run(world, self._billing, day, random_for(seed, 15, day))
        self._billing.final_bills(world, world.left, random_for(seed, 16, day))
        for who in world.returned:
            self._moods.forget(who)
        world.returned.clear()
        world.left.clear()
        for fact in world.facts if day == 0 else ():
            fact.ms = max(fact.ms, OPENING)
        world.facts.sort(key=lambda fact: fact.ms)

    def _open(self) -> Iterator[Texts]:
        """The introductions of the first minute."""
        random, size = random_for(self.seed, 19), self.world.people.count
        for first in range(0, size, SLICE):
            facts = office.open_books(self.world, first, min(first + SLICE, size), random)
            lines = np.empty(len(facts), dtype=object)
            lines[:] = self._lines.facts(facts)
            times = np.array([fact.ms for fact in facts], dtype=np.int64)
            self._count(facts, 0)
            yield self._arrive(times, np.zeros(len(facts), dtype=np.int64), lines, int(times.max(initial=0)), random)

    def _arrive(self, times: Ints, usage: Ints, lines: Texts, until: int, random: Random) -> Texts:
        """What the reader gets by `until`."""
        texts, copies = self._shuffle.add(times, usage, lines, until, random)
        self.summary.events += copies
        self.summary.duplicates += copies
        return texts

    def _write(self, day: int) -> Iterator[Texts]:
        """The day's events in order of time, in slices of at most SLICE usage records."""
        records = self._usage.draw(self.world, day, random_for(self.seed, 17, day))
        random, facts, done = random_for(self.seed, 18, day), self.world.facts, 0
        size = len(records.ms)
        for first in range(0, max(size, 1), SLICE):
            last = min(first + SLICE, size)
            until = int(records.ms[last - 1]) if last < size else (day + 1) * DAY - 1
            part = part_of(records, first, last)
            numbers = self._usage.numbers(self.world, self._billing, part, random)
            upto = bisect_right(facts, until, lo=done, key=lambda fact: fact.ms)
            slice_facts, done = facts[done:upto], upto
            lines = np.empty(len(slice_facts) + len(part.ms), dtype=object)
            lines[: len(slice_facts)] = self._lines.facts(slice_facts)
            lines[len(slice_facts) :] = self._lines.usage(part, numbers)
            times = np.concatenate([np.array([fact.ms for fact in slice_facts], dtype=np.int64), part.ms])
            usage = np.arange(len(times)) >= len(slice_facts)
            order = np.argsort(times, kind="stable")
            self._count(slice_facts, len(part.ms))
            yield self._arrive(times[order], usage[order].astype(np.int64), lines[order], until, random)

    def _count(self, facts: list[Fact], usage: int) -> None:
        summary = self.summary
        kinds = Counter(fact.type for fact in facts)
        kinds["usage.recorded"] += usage
        for kind, number in kinds.items():
            stream = STREAMS[prefix_of(kind)]
            summary.by_type[kind] = summary.by_type.get(kind, 0) + number
            summary.by_stream[stream] = summary.by_stream.get(stream, 0) + number
            summary.events += number

    def finish(self) -> Summary:
        """The summary, with the leavers counted."""
        leavers = [fate for fate in self.fates if fate.leaves]
        self.summary.leavers, self.summary.stayers = len(leavers), len(self.fates) - len(leavers)
        causes = Counter(cause_name(fate) for fate in leavers)
        self.summary.by_cause = {cause: causes[cause] for cause in (*CAUSES, "unknown") if causes[cause]}
        return self.summary


def cause_name(fate: Fate) -> str:
    """The cause of a story as the contract writes it; `unknown` for those who only stopped paying."""
    return CAUSES[fate.cause] if fate.cause >= 0 else "unknown"
