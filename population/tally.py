"""What is counted by local day and region for the daily watches: bills and those that shock, leavers, steps to leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ALL: Final = -2
"""The place of the sum over regions; −1 is the region that is not known."""
SERIES: Final = ("bills", "shocks", "left", "signs")
BILLS, SHOCKS, LEFT, SIGNS = range(4)
DAYS_LISTED: Final = 3


class Tally:
    """Counts by (day, region); and who they were, but for bills. A day is a local date, as days since 1970."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], list[int]] = {}
        self._who: dict[tuple[int, int, int], dict[int, None]] = {}

    def add(self, series: int, day: int, region: int, customer: int) -> None:
        """One more, of the region and in all."""
        for place in (region, ALL):
            counts = self._counts.get((day, place))
            if counts is None:
                counts = self._counts[day, place] = [0] * len(SERIES)
            counts[series] += 1
            if series != BILLS:
                self._who.setdefault((day, place, series), {})[customer] = None

    def count(self, series: int, day: int, region: int) -> int:
        """How many."""
        counts = self._counts.get((day, region))
        return 0 if counts is None else counts[series]

    def regions(self, day: int) -> list[int]:
        """Regions that have anything that day, the unknown one apart."""
        return sorted(region for of, region in self._counts if of == day and region >= 0)

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
        self._counts = {(day, region): list(one) for day, region, one in counts}
        self._who = {(day, region, series): dict.fromkeys(one) for day, region, series, one in who}
