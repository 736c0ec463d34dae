"""What changes from day to day, and the facts of the day under way.

`World` is what every part of the operator works on: the people, cells and market drawn at the start; each customer's
moments of leaving and of suspension; how lively they are at present; and `facts`, everything but usage of this day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from simulator.agenda import Agenda
from simulator.arrays import Bools, Floats, Ints, random_for
from simulator.cells import Cells
from simulator.clock import DAY, NEVER, Clock
from simulator.market import Market
from simulator.people import People, draw_people
from simulator.scenario import Scenario
from simulator.seasons import Seasons

ACTIVE, ARREARS, REQUEST, FRAUD, LOST = range(5)
STATUS = ("active", "suspended_arrears", "suspended_request", "suspended_fraud", "suspended_lost")


@dataclass(slots=True)
class Fact:
    """One event other than usage: everything but its id. `subject` and `body` are pieces of JSON."""

    ms: int
    type: str
    subject: str
    body: str


_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def members(fields: dict[str, object]) -> str:
    """JSON members, each with a comma before it; None is left out."""
    known = {name: value for name, value in fields.items() if value is not None}
    return "," + _write(known)[1:-1] if known else ""


class World:
    """The operator at a moment of the run. Arrays have one entry per customer.

    `gone` the moment of leaving, `mute` the moment use stops though nobody was told, `held` and `freed` the latest
    suspension, `status` the line's status; `lively` today's factor on usage, `volume` a factor on its size, `pain` added
    chance of failures, `gloom` what a story takes from satisfaction, `loyal_care` whether the operator still calls.
    """

    def __init__(self, customers: int, days: int, seed: int, scenario: Scenario, clock: Clock) -> None:
        self.days, self.seed, self.scenario, self.clock = days, seed, scenario, clock
        self.cells = Cells(customers, random_for(seed, 1))
        self.people: People = draw_people(customers, days, self.cells, scenario, random_for(seed, 2))
        self.seasons = Seasons(self.people, random_for(seed, 3))
        self.market = Market(clock, days, random_for(seed, 4))
        self.agenda = Agenda(DAY)
        self.random = random_for(seed, 5)  # for deeds, which run one after another
        self.facts: list[Fact] = []
        self.day = 0
        never = np.full(customers, NEVER, dtype=np.int64)
        self.gone: Ints = never.copy()
        self.mute: Ints = never.copy()
        self.held: Ints = never.copy()
        self.freed: Ints = never.copy()
        self.status: Ints = np.zeros(customers, dtype=np.int64)
        self.lively: Floats = np.ones(customers)
        self.volume: Floats = np.ones(customers)
        self.pain: Floats = np.zeros(customers)
        self.gloom: Floats = np.zeros(customers)
        self.loyal_care: Bools = np.ones(customers, dtype=np.bool_)
        self.pays: Bools = np.ones(customers, dtype=np.bool_)
        self.away: Bools = np.zeros(customers, dtype=np.bool_)
        self.abroad: Bools = np.zeros(customers, dtype=np.bool_)
        self.subject = [_subject(i, a) for i, a in zip(self.people.ids, self.people.accounts, strict=True)]
        self.usage_subject = [f'"customer_id":"{i}",' for i in self.people.ids]
        self.left: list[int] = []  # left today
        self.returned: list[int] = []  # came back today; their story is over
        self._by_home: Ints = np.argsort(self.people.home, kind="stable")
        self._home_edges: Ints = np.searchsorted(self.people.home[self._by_home], np.arange(len(self.cells.ids) + 1))
        self._numbers: dict[str, int] = {}

    def residents(self, cell: int) -> Ints:
        """Who lived in a cell at the start of the run."""
        return self._by_home[self._home_edges[cell] : self._home_edges[cell + 1]]

    def number(self, kind: str) -> int:
        """The next running number of a kind of document."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def tell(self, ms: int, who: int, kind: str, /, **fields: object) -> None:
        """Notes a fact about a customer; None fields are left out."""
        self.facts.append(Fact(ms, kind, self.subject[who], members(fields)))

    def tell_about(self, ms: int, subject: str, kind: str, /, **fields: object) -> None:
        """Notes a fact about a cell or a market."""
        self.facts.append(Fact(ms, kind, f'"customer_id":"{subject}",', members(fields)))

    def here(self, who: int, ms: int) -> bool:
        """Whether this customer is one of ours at the moment, and knows it."""
        return bool(self.people.born[who] <= ms < self.gone[who] and ms < self.mute[who])

    def present(self, who: Ints, ms: Ints) -> Bools:
        """`here` for many."""
        born, gone, mute = self.people.born[who], self.gone[who], self.mute[who]
        return np.asarray((born <= ms) & (ms < gone) & (ms < mute))

    def served(self, who: Ints, ms: Ints) -> Bools:
        """Whether these customers have a contract with us at the moment, using it or not."""
        return np.asarray((self.people.born[who] <= ms) & (ms < self.gone[who]))

    def usable(self, who: Ints, ms: Ints) -> Bools:
        """`present`, and the line is not suspended."""
        return np.asarray(self.present(who, ms) & ~((self.held[who] <= ms) & (ms < self.freed[who])))

    def suspend(self, who: int, ms: int, status: int) -> bool:
        """Suspends an active line; False when it is not one, or came back only today."""
        if self.status[who] != ACTIVE or not self.here(who, ms) or NEVER > self.freed[who] >= ms // DAY * DAY:
            return False
        self.status[who], self.held[who], self.freed[who] = status, ms, NEVER
        self.tell(ms, who, "line.changed", source="crm", status=STATUS[status], product="mobile")
        return True

    def resume(self, who: int, ms: int, status: int) -> None:
        """Ends a suspension of this status; never before it began, though the books of a day are kept out of order."""
        ms = max(ms, int(self.held[who]) + 300_000) if self.status[who] == status else ms
        if self.status[who] == status and self.here(who, ms):
            self.status[who], self.freed[who] = ACTIVE, ms
            self.tell(ms, who, "line.changed", source="crm", status="active", product="mobile")

    def money(self, amount: float) -> float:
        """An amount rounded to whole cents."""
        return round(float(amount), 2)


def _subject(customer: str, account: str | None) -> str:
    return f'"customer_id":"{customer}",' + (f'"account_id":"{account}",' if account else "")
