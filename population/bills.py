"""Billing incidents: an unusual share of the day's bills are shocks against the customers' own normals.

The share is held against the slow normal share by Chernoff's bound of the binomial tail, exp(−n·KL(k/n ‖ p)) (Hoeffding,
Probability inequalities for sums of bounded random variables, JASA 1963), and must be far above it besides: with many bills
everything is significant. A fault of one region is an incident of that region; of several, one of all.
"""

from __future__ import annotations

import math
from typing import Any, Final

from population.crowd import Crowd
from population.desk import IncidentDesk
from population.incident import EVERYWHERE, REGION, IncidentKind
from population.tally import ALL, BILLS, SHOCKS, Tally

LEAST_BILLS: Final = 30
SHOCK: Final = 1.5
"""A bill of at least so many times the own normal is a shock."""
_LEAST_SHARE: Final = 0.2
_TIMES: Final = 3.0
_TAIL: Final = 1e-6
_PRIOR: Final = (2.0, 40.0)  # shocks, bills
_MEMORY: Final = 1.0 - 1.0 / 60.0  # a day's
_QUIET_DAYS: Final = 2
_LISTED_DAYS: Final = 14
_BILLING: Final = IncidentKind.BILLING
DAY_US: Final = 86_400_000_000


def tail_bound(hits: int, count: int, normal: float) -> float:
    """An upper bound of the chance of at least so many hits among `count` where `normal` is their share."""
    share = hits / count
    if share <= normal:
        return 1.0
    beyond = share * math.log(share / normal)
    if share < 1.0:
        beyond += (1.0 - share) * math.log((1.0 - share) / (1.0 - normal))
    return math.exp(-count * beyond)


def shock_share(shocks: float, bills: float) -> float:
    """The normal share of shocks that slow sums tell of."""
    return (shocks + _PRIOR[0]) / (bills + _PRIOR[1])


def unusual_share(shocks: int, bills: int, normal: float) -> bool:
    """Whether so many shocks are far beyond the normal share, and beyond chance."""
    far = shocks >= max(_LEAST_SHARE, min(_TIMES * normal, 0.9)) * bills
    return far and tail_bound(shocks, bills, normal) < _TAIL


class BillWatch:
    """The normal share of shocks by place, and the incident that is open."""

    def __init__(self, desk: IncidentDesk, utc_offset: int) -> None:
        self._desk = desk
        self._offset = utc_offset
        self._normal: dict[int, list[float]] = {}  # shocks, bills: slow sums
        self._open: list[Any] | None = None  # scope, place, day it began, days well again

    def _unusual(self, tally: Tally, day: int, place: int) -> bool:
        bills, shocks = tally.count(BILLS, day, place), tally.count(SHOCKS, day, place)
        if bills < LEAST_BILLS:
            return False
        return unusual_share(shocks, bills, shock_share(*self._normal.get(place, (0.0, 0.0))))

    def struck(self, tally: Tally, day: int) -> bool:
        """Whether bills of a region or of all are unusual, or an incident of them is open."""
        return self._open is not None or any(self._unusual(tally, day, place) for place in (ALL, *tally.regions(day)))

    def look(self, tally: Tally, day: int, at: int, crowd: Crowd, *, explained: bool = False) -> None:
        """Look at a day's bills so far, at `at` (µs); `explained`: incidents of plans say all there is to say."""
        if self._open is None:
            if explained:
                return
            struck = [region for region in tally.regions(day) if self._unusual(tally, day, region)]
            if len(struck) == 1:
                self._begin(REGION + crowd.region(struck[0]), struck[0], tally, day, at, crowd)
            elif struck or self._unusual(tally, day, ALL):
                self._begin(EVERYWHERE, ALL, tally, day, at, crowd)
            return
        scope, place, began, _ = self._open
        affected = tally.who((SHOCKS,), range(began, day + 1), place)
        known = self._desk.known[_BILLING.value, scope]
        if len(affected) >= 2 * known.customers:
            self._desk.update(_BILLING, scope, at, affected, crowd)

    def _begin(self, scope: str, place: int, tally: Tally, day: int, at: int, crowd: Crowd) -> None:
        affected = tally.who((SHOCKS,), (day,), place)
        if self._desk.open(_BILLING, scope, day * DAY_US - self._offset, at, affected, crowd) is not None:
            self._open = [scope, place, day, 0]

    def end_of_day(self, tally: Tally, day: int, at: int, crowd: Crowd, *, explained: bool = False) -> None:
        """A day is over: it is learned from, or tells whether all is well again."""
        self.look(tally, day, at, crowd, explained=explained)
        if self._open is None and explained:
            return
        if self._open is None:
            for place in (ALL, *tally.regions(day)):
                shocks, bills = self._normal.setdefault(place, [0.0, 0.0])
                self._normal[place] = [
                    shocks * _MEMORY + tally.count(SHOCKS, day, place),
                    bills * _MEMORY + tally.count(BILLS, day, place),
                ]
            return
        scope, place, began, well = self._open
        well = 0 if self._unusual(tally, day, place) else well + 1
        self._open[3] = well
        if well >= _QUIET_DAYS:
            self._desk.resolve(_BILLING, scope, at, tally.who((SHOCKS,), range(began, day - well + 1), place), crowd)
            self._open = None

    def keeps(self, day: int) -> int:
        """The oldest day whose counts are still wanted."""
        return day if self._open is None else max(int(self._open[2]), day - _LISTED_DAYS)

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [[*self._normal.items()], self._open]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        normal, self._open = saved
        self._normal = {int(place): list(sums) for place, sums in normal}
