"""Which customers an incident of their cell explains, by the home cell in their rows; as of each row's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.fold_usage import HOME_BITS
from events.compiled import compiled
from events.hashing import hash64

Column = npt.NDArray[np.float64]
FAR: Final = np.iinfo(np.int64).max
DAY_US: Final = 86_400_000_000
LEAST_GRACE_US: Final = 2 * DAY_US
MOST_GRACE_US: Final = 8 * DAY_US
LONG_US: Final = 4 * 3_600_000_000
MOST_STARTS: Final = 8
REMEMBERED_US: Final = 90 * DAY_US


_SIEVE: Final = 1 << 16


@compiled
def _passed(sieve: npt.NDArray[np.bool_], homes: Column) -> npt.NDArray[np.int64]:
    found, count = np.empty(len(homes), np.int64), 0
    for i in range(len(homes)):
        if homes[i] >= 0.0 and sieve[np.int64(homes[i]) & (_SIEVE - 1)]:
            found[count], count = i, count + 1
    return found[:count].copy()


def home_of(cell: str) -> int:
    """How a customer's record has the cell."""
    return hash64(cell) & HOME_BITS


def grace(lasted: int, *, felt: bool) -> int:
    """How long windows of use go on to show an incident that lasted so long (µs).

    One of hours that was `felt`, in that the counts of its cell showed it, stays in the windows of 7 days until it leaves
    them; of any other little is left after two days.
    """
    return MOST_GRACE_US if felt and lasted >= LONG_US else LEAST_GRACE_US


class Hold(NamedTuple):
    """The newest incident of a cell: decided on at `begun`, over at `over`; explaining from `since` until `until` (µs).

    `starts`: when it and the ones before it were decided on, the newest MOST_STARTS.
    """

    since: int
    begun: int
    over: int
    until: int
    incident_id: str
    starts: tuple[int, ...] = ()


class Holds:
    """Holds by home cell, and the same as sorted columns."""

    def __init__(self) -> None:
        self.by_home: dict[int, Hold] = {}
        self._index()

    def _index(self) -> None:
        self._homes = np.array(sorted(self.by_home), np.float64)
        held = [self.by_home[int(home)] for home in self._homes]
        self._sieve = np.zeros(_SIEVE, np.bool_)
        self._sieve[self._homes.astype(np.int64) & (_SIEVE - 1)] = True
        self._since = np.array([hold.since for hold in held], np.int64)
        self._begun = np.array([hold.begun for hold in held], np.int64)
        self._over = np.array([hold.over for hold in held], np.int64)
        self._starts = np.full((len(held), MOST_STARTS), -FAR, np.int64)
        for starts, hold in zip(self._starts, held, strict=True):
            starts[: len(hold.starts)] = hold.starts
        self._until = np.array([hold.until for hold in held], np.int64)

    def begin(self, home: int, at: int, incident_id: str, *, again: bool = False) -> None:
        """An incident was decided on; what came before it in the cell, and still explains, goes on without a break.

        `again`: it is the one before, come back, and counts as one.
        """
        old = self.by_home.get(home)
        since = old.since if old is not None and old.until >= at else at
        before = old.starts if old is not None else ()
        starts = before if again and before else (*before, at)[-MOST_STARTS:]
        self.by_home[home] = Hold(since, at, FAR, FAR, incident_id, starts)
        self._index()

    def end(self, home: int, at: int, lasted: int, *, felt: bool) -> None:
        """It is over, after it lasted so long (µs)."""
        self.let_go(home, at, grace(lasted, felt=felt))

    def let_go(self, home: int, at: int, after: int) -> None:
        """It is over, and explains for so long after that (µs)."""
        self.by_home[home] = self.by_home[home]._replace(over=at, until=at + after)
        self._index()

    def forget(self, at: int) -> None:
        """Drop what was over long before."""
        kept = {home: hold for home, hold in self.by_home.items() if hold.over > at - REMEMBERED_US}
        if len(kept) < len(self.by_home):
            self.by_home = kept
            self._index()

    def take(self, saved: Mapping[int, tuple[int, int, int, int, str, list[int]]]) -> None:
        """Take over what a snapshot held."""
        self.by_home = {home: Hold(*hold[:5], tuple(hold[5])) for home, hold in saved.items()}
        self._index()

    def __bool__(self) -> bool:
        return bool(self.by_home)

    def among(self, homes: Column) -> npt.NDArray[np.int64]:
        """The rows (i8[n], ascending) whose home cell may have a hold: all that have one, and a few others."""
        return _passed(self._sieve, homes)

    def _at(self, homes: Column) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """(Whether there is a hold of the home cell, its place)."""
        place = np.minimum(np.searchsorted(self._homes, homes), len(self._homes) - 1)
        return self._homes[place] == homes, place

    def explained(self, homes: Column, now: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """In which rows an incident, open or just over, explains what use and network look like."""
        if not self.by_home:
            return np.zeros(len(homes), np.bool_)
        found, place = self._at(homes)
        return np.asarray(found & (self._since[place] < now) & (now <= self._until[place]))

    def open(self, homes: Column, now: npt.NDArray[np.int64]) -> Column:
        """1 where an incident of the home cell is open, else 0; unknown without a home cell."""
        none = np.where(np.isnan(homes), np.nan, 0.0)
        if not self.by_home:
            return none
        found, place = self._at(homes)
        return np.where(found & (self._begun[place] < now) & (now <= self._over[place]), 1.0, none)

    def days_since(self, homes: Column, now: npt.NDArray[np.int64]) -> Column:
        """Days since the newest incident of the home cell was decided on; unknown where there was none."""
        if not self.by_home:
            return np.full(len(homes), np.nan)
        found, place = self._at(homes)
        known = found & (self._begun[place] < now)
        return np.where(known, (now - self._begun[place]) / DAY_US, np.nan)

    def lately(self, homes: Column, now: npt.NDArray[np.int64]) -> Column:
        """How many were decided on in the 30 days before; unknown without a home cell."""
        none = np.where(np.isnan(homes), np.nan, 0.0)
        if not self.by_home:
            return none
        found, place = self._at(homes)
        starts, until = self._starts[place], now[:, None]
        count = np.count_nonzero((starts < until) & (starts >= until - 30 * DAY_US), axis=1)
        return np.where(found, count.astype(np.float64), none)

    def incident_id(self, home: float, now: int) -> str | None:
        """The open incident that explains a customer at home there; None without one."""
        hold = None if home != home else self.by_home.get(int(home))
        return hold.incident_id if hold is not None and hold.begun < now <= hold.over else None
