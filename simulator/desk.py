"""The service desk's ordinary day: contacts, small and real complaints of people who stay, surveys, calls to customers.

Also what faults of the network bring in: some of those in the cell call or complain. Contacts are the bulk of this
stream and follow the scenario's usage, so that complaints and contacts together have their share of the events.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Ints, Random, pick
from simulator.catalogue import CAUSES, IOT
from simulator.cells import Fault
from simulator.clock import DAY, HOUR
from simulator.dealings import ask, complain, contact
from simulator.seasons import hour_tables, times_of_day
from simulator.state import Fact, World

DESK_PER_USAGE = 1 / 94
OTHERS_PER_DAY = 0.005  # complaints and surveys, with what follows them
COMPLAINTS_PER_DAY = 0.018 / 30.4
SURVEYS_PER_DAY = 0.04 / 30.4
QUERIES_PER_DAY = 0.0012 / 30.4
COMPLAINT_WEIGHTS = (20.0, 8.0, 8.0, 5.0, 9.0, 9.0, 6.0, 4.0, 3.0, 2.0, 26.0)
PURPOSES = (
    ("usage_enquiry", 30),
    ("bill_enquiry", 18),
    ("top_up", 14),
    ("plan_enquiry", 10),
    ("fault", 7),
    ("password", 6),
    ("invoice", 6),
    ("device", 5),
    ("sim_card", 4),
)
CHANNELS = (("app", 55), ("hotline", 22), ("wechat", 14), ("store", 9))
OUTBOUND = (("service", 40), ("marketing", 60))
COURSES = ("solved", "solved", "solved", "poor", "ignored", "reopened")


class Desk:
    """Rates of the desk for one scenario."""

    def __init__(self, world: World) -> None:
        people = world.people
        rate = max(world.scenario.usage_per_day * DESK_PER_USAGE - OTHERS_PER_DAY, 0.004)
        leaning = np.exp(np.clip(-0.3 * people.mood, -1, 1)) * np.where(people.segment == IOT, 0.05, 1.0)
        self.rate = rate * leaning / leaning.mean()
        self._hours = hour_tables()

    def run(self, world: World, day: int, random: Random) -> None:
        """One day: contacts of all kinds now, complaints and surveys filed for their hour of the next day."""
        self._contacts(world, day, random)
        for who in _some(world, COMPLAINTS_PER_DAY, random).tolist():
            self._complaint(world, who, day + 1, random)
        for who in _some(world, SURVEYS_PER_DAY, random).tolist():
            ask(world, who, (day + 1) * DAY + int(random.uniform(9, 20) * HOUR), "nps", "other")
        for who in _some(world, QUERIES_PER_DAY, random).tolist():
            self._idle_query(world, who, day + 1, random)

    def _contacts(self, world: World, day: int, random: Random) -> None:
        who = np.repeat(np.arange(world.people.count), random.poisson(self.rate))
        ms = day * DAY + times_of_day(self._hours, world.people.segment[who], random)
        inward = random.random(len(who)) < 0.88
        keep = world.present(who, ms) & (inward | world.loyal_care[who])
        who, ms, inward = who[keep], ms[keep], inward[keep]
        size = len(who)
        purpose = np.array([p for p, _ in PURPOSES])[pick(random, [w for _, w in PURPOSES], size)]
        outward = np.array([p for p, _ in OUTBOUND])[pick(random, [w for _, w in OUTBOUND], size)]
        channel = np.array([c for c, _ in CHANNELS])[pick(random, [w for _, w in CHANNELS], size)]
        wait, moved = random.exponential(45, size).astype(np.int64), random.poisson(0.15, size)
        steps, solved = 1 + random.poisson(1.5, size), random.random(size) < 0.91
        for n, (w, at, own) in enumerate(zip(who.tolist(), ms.tolist(), inward.tolist(), strict=True)):
            if own:
                body = (
                    f',"source":"contact_centre","channel":"{channel[n]}","direction":"in","purpose":"{purpose[n]}",'
                    f'"wait_seconds":{wait[n]},"transfers":{moved[n]},"steps":{steps[n]},'
                    f'"resolved":{"true" if solved[n] else "false"}'
                )
            else:
                body = f',"source":"contact_centre","channel":"call","direction":"out","purpose":"{outward[n]}"'
            world.facts.append(Fact(at, "contact.recorded", world.subject[w], body))
            if own and at % 101 < 6:
                ask(world, w, at + DAY, "ces", "good" if solved[n] else "process")

    def _complaint(self, world: World, who: int, day: int, random: Random) -> None:
        kind = int(pick(random, COMPLAINT_WEIGHTS, 1)[0])
        cause = CAUSES[kind] if kind < len(CAUSES) else "other"
        severity = 1 if cause == "other" else 1 + int(pick(random, (40.0, 40.0, 16.0, 4.0), 1)[0])
        course = "solved" if cause == "other" else COURSES[int(random.integers(0, len(COURSES)))]
        ms = day * DAY + int(random.uniform(8, 22) * HOUR)
        world.agenda.at(ms, lambda at: complain(world, who, at, cause, severity, course))

    def _idle_query(self, world: World, who: int, day: int, random: Random) -> None:
        """Somebody asks about porting for no reason that can be seen."""
        ms = day * DAY + int(random.uniform(9, 21) * HOUR)

        def deed(at: int) -> None:
            if world.here(who, at):
                world.tell(at, who, "porting.queried", source="npc", eligible=True)

        world.agenda.at(ms, deed)


def _some(world: World, chance: float, random: Random) -> Ints:
    return np.unique(random.integers(0, world.people.count, random.poisson(world.people.count * chance)))


def answer_fault(world: World, fault: Fault, random: Random) -> None:
    """A fault's announcement, its end, and the calls and complaints it brings in."""
    cell = world.cells.ids[fault.cell]
    if fault.kind is not None:
        found = min(fault.begins + int(random.uniform(0.2, 1.2) * HOUR), fault.ends - 1)
        _announce(world, cell, found, "opened", fault.kind)
        _announce(world, cell, fault.ends, "resolved", fault.kind)
    residents = world.residents(fault.cell)
    for who in residents[random.random(len(residents)) < 0.04 * fault.severity].tolist():
        ms = fault.begins + int(random.uniform(0.3, 1.0) * (fault.ends - fault.begins))
        if random.random() < 0.45:
            world.agenda.at(ms, lambda at, who=who: complain(world, who, at, "network", 2, "solved"))  # type: ignore[misc]
        else:
            world.agenda.at(ms, lambda at, who=who: contact(world, who, at, "fault", True))  # type: ignore[misc]


def _announce(world: World, cell: str, ms: int, status: str, kind: str) -> None:
    def deed(at: int) -> None:
        world.tell_about(at, f"cell:{cell}", "network.incident", source="oss", cell_id=cell, status=status, kind=kind)

    world.agenda.at(ms, deed)
