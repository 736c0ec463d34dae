"""What is counted by local day and place for the daily watches: bills and those that shock, leavers, steps to leave, grievances.

A place is a region, all of them, or a plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ALL: Final = -2
"""The place of the sum over regions; −1 is the region that is not known."""
NOWHERE: Final = -3
SERIES: Final = ("bills", "shocks", "left", "signs", "grievances")
BILLS, SHOCKS, LEFT, SIGNS, GRIEVANCES = range(5)
"""Grievances are complaints about bills."""
_PLANS: Final = -10  # places from here down are plans
DAYS_LISTED: Final = 3


def plan_place(plan: int) -> int:
    """The place of a plan, by its label."""
    return _PLANS - plan


def plan_of(place: int) -> int:
    """The plan of a place."""
    return _PLANS - place


def places_of(region: int, plan: int) -> tuple[int, ...]:
    """Where one of a region, and of a plan where one is given, is counted."""
    return (region, ALL) if plan < 0 else (region, ALL, plan_place(plan))


class Tally:
    """Counts by (day, place); and who they were, but for bills. A day is a local date, as days since 1970."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], list[int]] = {}
        self._who: dict[tuple[int, int, int], dict[int, None]] = {}

    def add(self, series: int, day: int, region: int, customer: int, plan: int = -1) -> None:
        """One more, of the region and in all; and of the plan, where one is given."""
        self.count_in(series, day, region, plan)
        if series != BILLS:
            self.name(series, day, region, customer, plan)

    def count_in(self, series: int, day: int, region: int, plan: int = -1, more: int = 1) -> None:
        """So many more, without saying who."""
        for place in places_of(region, plan):
            counts = self._counts.get((day, place))
            if counts is None:
                counts = self._counts[day, place] = [0] * len(SERIES)
            counts[series] += more

    def name(self, series: int, day: int, region: int, customer: int, plan: int = -1) -> None:
        """Who one of those counted was."""
        for place in places_of(region, plan):
            self._who.setdefault((day, place, series), {})[customer] = None

    def count(self, series: int, day: int, region: int) -> int:
        """How many."""
        counts = self._counts.get((day, region))
        return 0 if counts is None else counts[series]

    def regions(self, day: int) -> list[int]:
        """Regions that have anything that day, the unknown one apart."""
        return sorted(region for of, region in self._counts if of == day and region >= 0)

    def plans(self, days: Iterable[int]) -> list[int]:
        """Places of plans that have anything on those days."""
        wanted = {*days}
        return sorted({place for day, place in self._counts if day in wanted and place <= _PLANS}, reverse=True)

    def who(self, series: Iterable[int], days: Iterable[int], region: int) -> npt.NDArray[np.int64]:
        """The customers counted, each once, in order of their rows."""
        wanted = [*series]
        found = {customer for day in days for one in wanted for customer in self._who.get((day, region, one), ())}
        return np.array(sorted(found), np.int64)

    def forget(self, before: int) -> None:
        """Drop the days before that one."""
        self._counts = {key: counts for key, counts in self._counts.items() if key[0] >= before}
        self._who = {key: who for key, who in self._who.items() if key[0] >= before}

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [
            [[*key, counts] for key, counts in self._counts.items()],
            [[*key, [*who]] for key, who in self._who.items()],
        ]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        counts, who = saved
        self._counts = {(day, region): [*one, *[0] * (len(SERIES) - len(one))] for day, region, one in counts}
        self._who = {(day, region, series): dict.fromkeys(one) for day, region, series, one in who}
