"""Billing incidents of a plan: within days many of its bills are shocks, or many of its customers complain of their bills.

Shocks are judged by their share of the plan's bills, as in `bills`; complaints by the number of customers against the plan's
slow mean, by Chernoff's bound of the Poisson tail, exp(k − m − k·ln(k/m)). What strikes most plans at once, or one region, is no
fault of a plan and is left to the watch over places.
"""

from __future__ import annotations

import math
from typing import Any, Final

from msgspec import Struct, convert, to_builtins

from population.bills import LEAST_BILLS, shock_share, unusual_share
from population.crowd import Crowd
from population.desk import IncidentDesk
from population.incident import PLAN, IncidentKind
from population.tally import ALL, BILLS, GRIEVANCES, SHOCKS, Tally, plan_of

DAYS: Final = 3
"""What is judged together: bills and complaints of so many days."""
_MOSTLY: Final = 0.7  # of all shocks: then it is this plan's, whatever else looks struck
_LEAST_COMPLAINTS: Final = 10
_TIMES: Final = 4.0
_TAIL: Final = 1e-6
_PRIOR_COMPLAINTS: Final = 0.3  # a day, before anything is known of a plan
_MEMORY: Final = 1.0 - 1.0 / 60.0
_MATURE_DAYS: Final = 14
_LISTED_DAYS: Final = 14
_BILLING: Final = IncidentKind.BILLING
DAY_US: Final = 86_400_000_000


def poisson_bound(count: int, mean: float) -> float:
    """An upper bound of the chance of at least so many where `mean` are usual."""
    return 1.0 if count <= mean else math.exp(count - mean - count * math.log(count / mean))


class Normal(Struct):
    """Slow sums of a plan: shocks and bills; the mean number of customers who complain of bills a day, over `days` known."""

    shocks: float = 0.0
    bills: float = 0.0
    complaints: float = 0.0
    days: int = 0

    def learn(self, shocks: int, bills: int, complaints: int) -> None:
        """An ordinary day."""
        self.shocks, self.bills = self.shocks * _MEMORY + shocks, self.bills * _MEMORY + bills
        self.days += 1
        self.complaints += max(1.0 / self.days, 1.0 - _MEMORY) * (complaints - self.complaints)

    def usual(self) -> float:
        """Complaining customers of a day; while little is known no fewer than a plan may have."""
        return self.complaints if self.days >= _MATURE_DAYS else max(self.complaints, _PRIOR_COMPLAINTS)


class PlanBillWatch:
    """Each plan's normal, and the incidents that are open, by place (tally.plan_place): the day each began."""

    def __init__(self, desk: IncidentDesk, utc_offset: int) -> None:
        self._desk = desk
        self._offset = utc_offset
        self._normal: dict[int, Normal] = {}
        self.open: dict[int, int] = {}

    def _struck(self, tally: Tally, day: int, place: int) -> bool:
        days = range(day - DAYS + 1, day + 1)
        normal = self._normal.get(place, Normal())
        bills = shocks = 0
        for past in reversed(days):  # the day, or as many as it takes to say something
            bills, shocks = bills + tally.count(BILLS, past, place), shocks + tally.count(SHOCKS, past, place)
            if bills >= LEAST_BILLS and unusual_share(shocks, bills, shock_share(normal.shocks, normal.bills)):
                return True
        angry, usual = len(tally.who((GRIEVANCES,), days, place)), max(DAYS * normal.usual(), 0.1)
        return angry >= max(_LEAST_COMPLAINTS, _TIMES * usual) and poisson_bound(angry, usual) < _TAIL

    def look(self, tally: Tally, day: int, at: int, crowd: Crowd, *, general: bool) -> None:
        """Look at the days up to `day`, at `at` (µs); `general`: bills of a region or of all look struck too."""
        days = range(day - DAYS + 1, day + 1)
        plans = tally.plans(days)
        struck = [place for place in plans if place not in self.open and self._struck(tally, day, place)]
        affected_of = {place: tally.who((SHOCKS, GRIEVANCES), days, place) for place in struck}
        mostly = _MOSTLY * len(tally.who((SHOCKS, GRIEVANCES), days, ALL))
        elsewhere = general and sum(map(len, affected_of.values())) < mostly
        for place, affected in affected_of.items():
            if len(affected) < mostly and (elsewhere or 2 * len(struck) > max(len(plans), 2)):
                continue  # many plans alike, or what a region has: that is no fault of one
            scope = PLAN + crowd.plan(plan_of(place))
            started = days[0] * DAY_US - self._offset
            if self._desk.open(_BILLING, scope, started, at, affected, crowd) is not None:
                self.open[place] = day
        for place, began in self.open.items():
            self._grow(tally, range(began - DAYS + 1, day + 1), place, at, crowd)

    def _grow(self, tally: Tally, days: range, place: int, at: int, crowd: Crowd) -> None:
        scope, affected = PLAN + crowd.plan(plan_of(place)), tally.who((SHOCKS, GRIEVANCES), days, place)
        if len(affected) >= 2 * self._desk.known[_BILLING.value, scope].customers:
            self._desk.update(_BILLING, scope, at, affected, crowd)

    def end_of_day(self, tally: Tally, day: int, at: int, crowd: Crowd, *, general: bool) -> None:
        """A day is over: plans that are well are learned from, incidents whose last days were ordinary are over."""
        self.look(tally, day, at, crowd, general=general)
        for place, began in [*self.open.items()]:
            if day > began and not self._struck(tally, day, place):
                affected = tally.who((SHOCKS, GRIEVANCES), range(began - DAYS + 1, day + 1), place)
                self._desk.resolve(_BILLING, PLAN + crowd.plan(plan_of(place)), at, affected, crowd)
                del self.open[place]
        if general:
            return
        for place in sorted({*self._normal, *tally.plans((day,))} - self.open.keys()):
            counts = tally.count(SHOCKS, day, place), tally.count(BILLS, day, place)
            self._normal.setdefault(place, Normal()).learn(*counts, len(tally.who((GRIEVANCES,), (day,), place)))

    def explains(self, tally: Tally, day: int) -> bool:
        """Whether the shocks of a day are mostly those of plans with an open incident."""
        mine = sum(tally.count(SHOCKS, day, place) for place in self.open)
        return bool(self.open) and mine >= _MOSTLY * tally.count(SHOCKS, day, ALL)

    def keeps(self, day: int) -> int:
        """The oldest day whose counts are still wanted."""
        first = min(self.open.values(), default=day)
        return max(min(first, day) - DAYS + 1, day - _LISTED_DAYS)

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [[[place, to_builtins(normal)] for place, normal in self._normal.items()], [*self.open.items()]]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        normal, opened = saved
        self._normal = {int(place): convert(one, Normal) for place, one in normal}
        self.open = {int(place): int(day) for place, day in opened}
