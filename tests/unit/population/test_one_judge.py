"""What several partitions counted is judged as if one had counted it all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from support.cell_streams import (
    DAY,
    HOUR,
    NAMES,
    OFFSET,
    START,
    Crowd,
    Use,
    batches_of,
    events_of,
    feed,
    ordinary,
    watches,
)  # fmt: skip
from support.engines import copied

from events.times import SLOT_US
from population.findings import Counted, Finding, Word, unpacked
from population.incident import Incident
from population.judge import Judge
from population.slots import WAIT_US

LANES = 4
HOMES = {"A": list(range(300)), "B": list(range(1000, 1200))}
DAYS = 3


def outage(first: int, last: int, cell: str = "A") -> list[Use]:
    """Few attempts, all of which fail."""
    chance = np.random.default_rng(3)
    return [Use(slot, cell, 0, int(chance.poisson(8)), int(chance.integers(0, 300))) for slot in range(first, last)]


def story() -> tuple[list[Use], int]:
    """Ordinary days, cell A fails at 9:00 of the last but one for six hours, ordinary again."""
    began = (DAYS - 1) * DAY
    ended = began + 6 * HOUR
    uses = [
        *ordinary(0, began),
        *ordinary(began, ended, but="A", seed=2),
        *outage(began, ended),
        *ordinary(ended, ended + DAY, seed=4),
    ]
    return uses, began


class Partitions:
    """Watches of some customers each (customer modulo LANES), and the judge of all."""

    def __init__(self) -> None:
        self.crowds = [
            Crowd({cell: [one for one in who if one % LANES == lane] for cell, who in HOMES.items()})
            for lane in range(LANES)
        ]
        self.watches = [watches() for _ in range(LANES)]
        for one in self.watches:
            one.share()
        self.judge = Judge(OFFSET, {"engine": "test"}, LANES)
        self.findings: list[Finding] = []
        self.counted: list[Counted] = []
        self.published: list[Incident] = []
        self.said: list[Word] = []

    def run(self, events: np.ndarray, names: list[str], slots: Iterable[int]) -> None:
        """The events up to the end of each of these slots, after each of which the partitions tell."""
        for slot in slots:
            end = START + slot * SLOT_US + WAIT_US
            part, events = events[events["at"] < end], events[events["at"] >= end]
            for lane, made in enumerate(self.watches):
                mine = part[part["customer"] % LANES == lane]
                for work in batches_of(mine, names, [100]):
                    made.begin(work, 100_000)
                    while (stop := made.scan(work)) is not None:
                        made.act(stop, work, self.crowds[lane])
                while (stop := made.pass_time(end)) is not None:
                    made.act(stop, None, self.crowds[lane])
            self.tell()

    def tell(self) -> None:
        """Each tells what it counted, then, of what was found, whom it concerns, until there is no more to tell."""
        news = True
        while news:
            news = False
            for lane, made in enumerate(self.watches):
                said = made.said(0, self.crowds[lane])
                self.counted += [] if said is None else [unpacked(raw, Counted) for _, raw in said.slots]
                self.said.append(Word(lane=lane, said=said))
                self.judge.hear(self.said[-1])
            for finding in self.judge.take_findings():
                self.findings.append(finding)
                news = True
                for lane, made in enumerate(self.watches):
                    made.obey(finding, self.crowds[lane])
        self.published += self.judge.take()


@pytest.mark.parametrize("every", [1, 7])
def test_the_outage_of_a_cell_of_all_partitions_is_one_incident_with_all_its_customers(every):
    uses, _ = story()
    events = events_of(uses, NAMES)
    alone = feed(watches(), events.copy(), NAMES, [], Crowd(HOMES))
    made = Partitions()
    last = int((events["at"].max() - START) // SLOT_US) + 2
    made.run(events, NAMES, [*range(every, last, every), last])
    assert [(one.status, one.revision) for one in made.published] == [("opened", 1), ("resolved", 2)]
    for ours, one in zip(made.published, alone, strict=True):
        assert (ours.incident_id, ours.scope, ours.started_at) == (one.incident_id, one.scope, one.started_at)
        assert (ours.customers, ours.high_value) == (one.customers, one.high_value) == (300, 30)
        assert {*ours.customer_ids} == {*one.customer_ids}
        assert ours.suggested_notice == one.suggested_notice
    for one in made.watches:
        assert {hold.incident_id for hold in one.network.holds.by_home.values()} == {alone[0].incident_id}


def test_what_partitions_tell_adds_up_to_what_one_counts():
    events = events_of([*ordinary(0, 3 * HOUR), *outage(3 * HOUR, 4 * HOUR)], NAMES)
    made = Partitions()
    made.run(events.copy(), NAMES, range(1, 4 * HOUR + 3))
    found: dict[tuple[int, str], list[int]] = {}
    for one in made.counted:
        tried, used = (np.frombuffer(raw, np.int32) for raw in (one.tried, one.used))
        hits = np.frombuffer(one.hits, np.int32).reshape(-1, 3)
        for index, name in enumerate(one.cells):
            of = found.setdefault((one.slot, name), [0, 0, 0])
            of[0] += int(tried[index])
            of[1] += int(used[index])
            of[2] += int(hits[hits[:, 0] == index, 2].sum())
    slots = events["at"] // SLOT_US
    for (slot, name), (tried, used, hit) in found.items():
        there = events[(slots == slot) & (events["start"] == NAMES.index(name) * 32)]
        assert tried == len(there)
        assert used == int((there["x"][:, 0] > 0).sum())
        assert hit == len({*there["customer"][there["x"][:, 4] > 0].tolist()})
    assert sum(tried for tried, _, _ in found.values()) == len(events)


def test_a_partition_alone_sees_too_little_of_what_all_see_together():
    """A fault that a quarter of the customers would not convince of for a while is found as early as by one that sees all."""
    began = 2 * DAY
    uses = [*ordinary(0, began, mean=8.0), *ordinary(began, began + 8, but="A", mean=8.0), *outage(began, began + 8)]
    events = events_of(uses, NAMES)
    alone = feed(watches(), events.copy(), NAMES, [], Crowd(HOMES))
    made = Partitions()
    made.run(events, NAMES, range(1, began + 11))
    assert [one.started_at for one in made.published] == [one.started_at for one in alone]


def test_a_judge_saved_and_read_back_between_any_two_statements_finds_the_same():
    steady = told()
    said = steady.said
    for cut in range(0, len(said), 200):
        judge = Judge(OFFSET, {"engine": "test"}, LANES)
        for number, one in enumerate(said):
            if number == cut:
                parts = copied(judge.snapshot())
                judge = Judge(OFFSET, {"engine": "test"}, LANES)
                judge.restore(parts)
                judge.lanes = LANES
            judge.hear(one)
        assert judge.take_findings() == steady.findings
        assert judge.take() == steady.published


def told() -> Partitions:
    """A story that was counted and told to its end."""
    uses, began = story()
    events, made = events_of(uses, NAMES), Partitions()
    last = int((events["at"].max() - START) // SLOT_US) + 2
    made.run(events, NAMES, [*range(8, began, 8), *range(began, last)])
    assert len(made.published) == 2
    return made


def test_a_partition_that_says_the_same_again_is_counted_once():
    steady = told()
    said = steady.said
    judge = Judge(OFFSET, {"engine": "test"}, LANES)
    for number, one in enumerate(said):
        judge.hear(one)
        if number % 11 == 0:
            for again in said[max(0, number - 40) : number]:
                judge.hear(again)
    assert judge.take_findings() == steady.findings
    assert judge.take() == steady.published


def test_a_partition_that_nobody_waits_for_does_not_hold_judging_up():
    uses, _ = story()
    events = events_of(uses, NAMES)
    made = Partitions()
    mine = events[events["customer"] % LANES != 3]
    last = int((events["at"].max() - START) // SLOT_US) + 2
    dead = made.watches.pop()
    made.run(mine, NAMES, range(1, last))
    assert made.judge.judged == 0
    made.judge.hear(Word(lane=0, without=[3]))
    made.tell()
    made.tell()
    assert [one.status for one in made.published] == ["opened", "resolved"]
    assert dead.telling is not None
