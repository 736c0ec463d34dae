"""What was noted of the market, and whom it concerns: offers of competitors, regulation, tariff rounds, seasons.

A notice concerns the customers of its region, or all; a tariff round of a plan those who have the plan. It counts from its
begin to its end, and in rows later than the event that told it, so it does not matter how the stream was cut.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from customers.ids import Ids
from customers.measures import MEASURE, Matrix
from events.codes import MARKET_KIND
from events.compiled import compiled
from events.contract import MarketNoted
from events.times import time_of

DAY_US: Final = 86_400_000_000
HOLDS_US: Final = 30 * DAY_US
"""How long a notice without an end counts."""
REMEMBERED_US: Final = 90 * DAY_US
_PREFIX: Final = "market:"
_ALL: Final = "all"
_EVERY, _NONE = -1, -2
FAR: Final = np.iinfo(np.int64).max
_TARIFF: Final = "tariff"
_FIRST, _REGION, _PLAN = MEASURE[f"market_{next(iter(MARKET_KIND))}"], MEASURE["region"], MEASURE["plan"]
_KINDS: Final = len(MARKET_KIND)


def region_of(fact: MarketNoted) -> str | None:
    """The region that a fact of the market is about, None for all; where it does not say, its key does."""
    region = fact.customer_id.removeprefix(_PREFIX) if fact.region is None else fact.region
    return None if region == _ALL else region


class Notice(msgspec.Struct, array_like=True):
    """A notice: it runs from `since` to `until`, as was told at `told` until a newer word came at `untold` (µs); by which event."""

    kind: str
    region: str | None
    plan: str | None
    since: int
    until: int
    told: int
    untold: int
    at: int
    event_id: str

    @property
    def key(self) -> tuple[str, str | None, str | None, int]:
        """What a newer word on the same shares with it."""
        return self.kind, self.region, self.plan, self.since


class Notices(NamedTuple):
    """Notices as columns; region and plan as label numbers, −1 for every, −2 where no customer has it; times in µs."""

    kind: npt.NDArray[np.int64]
    region: npt.NDArray[np.int64]
    plan: npt.NDArray[np.int64]
    since: npt.NDArray[np.int64]
    until: npt.NDArray[np.int64]
    told: npt.NDArray[np.int64]
    untold: npt.NDArray[np.int64]


@compiled
def tell(measures: Matrix, now: npt.NDArray[np.int64], heard: int, n: Notices) -> None:
    """Write for each kind the days since the newest notice began that concerns the row's customer, −1 for none.

    Nothing is known up to `heard` (µs), when the first was told.
    """
    for i in range(len(now)):
        if now[i] <= heard:
            continue
        for k in range(_KINDS):
            measures[i, _FIRST + k] = -1.0
        region, plan = measures[i, _REGION], measures[i, _PLAN]
        for j in range(len(n.kind)):
            if not (n.told[j] < now[i] <= n.untold[j] and n.since[j] <= now[i] < n.until[j]):
                continue
            if (n.region[j] != _EVERY and n.region[j] != region) or (n.plan[j] != _EVERY and n.plan[j] != plan):
                continue
            days, place = (now[i] - n.since[j]) / DAY_US, _FIRST + n.kind[j]
            if measures[i, place] < 0.0 or days < measures[i, place]:
                measures[i, place] = days


class Market:
    """All notices. False while nothing was ever noted: then nothing of it is known."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None, str | None, int], Notice] = {}
        self._replaced: list[Notice] = []
        self._heard: int | None = None
        self._columns: Notices | None = None
        self._labels = (0, 0)  # how many regions and plans the columns know

    def __bool__(self) -> bool:
        return self._heard is not None

    def noted(self, fact: MarketNoted, at: int) -> None:
        """Something was told at `at` (µs); of the same the newest word (occurred_at, event_id) stands."""
        dated = min(time_of(fact.occurred_at, "occurred_at"), at)
        since = dated if fact.starts_at is None else time_of(fact.starts_at, "starts_at")
        until = since + HOLDS_US if fact.ends_at is None else time_of(fact.ends_at, "ends_at")
        one = Notice(fact.kind, region_of(fact), fact.plan, since, until, at, FAR, dated, fact.event_id)
        old = self._known.get(one.key)
        if old is None or (old.at, old.event_id) < (one.at, one.event_id):
            self._known[one.key] = one
            if old is not None:
                old.untold = at
                self._replaced.append(old)
        self._heard = at if self._heard is None else self._heard
        self._columns = None

    def forget(self, at: int) -> None:
        """Drop what was replaced before, and what is over, once an older word on it is no longer to be expected."""
        self._replaced = [one for one in self._replaced if one.untold >= at]
        self._known = {key: one for key, one in self._known.items() if one.until > at or one.at > at - REMEMBERED_US}
        self._columns = None

    def tell(self, measures: Matrix, now: npt.NDArray[np.int64], regions: Ids, plans: Ids) -> None:
        """Write into rows of measures what concerns their customers at `now` (µs)."""
        labels = (regions.count, plans.count)
        if self._columns is None or labels != self._labels:
            self._columns, self._labels = self._as_columns(regions, plans), labels
        tell(measures, now, 0 if self._heard is None else self._heard, self._columns)

    def _as_columns(self, regions: Ids, plans: Ids) -> Notices:
        def label(text: str | None, known: Ids) -> int:
            row = _EVERY if text is None else known.find(text)
            return _NONE if row is None else row

        found = [
            (
                MARKET_KIND[one.kind],
                label(one.region, regions),
                label(one.plan if one.kind == _TARIFF else None, plans),
                one.since,
                one.until,
                one.told,
                one.untold,
            )
            for one in (*self._known.values(), *self._replaced)
        ]
        return Notices(*np.array(found, np.int64).reshape(-1, len(Notices._fields)).T.copy())

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [self._heard, msgspec.to_builtins([*self._known.values()]), msgspec.to_builtins(self._replaced)]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        self._heard, known, replaced = saved
        self._known = {one.key: one for one in msgspec.convert(known, list[Notice])}
        self._replaced = msgspec.convert(replaced, list[Notice])
        self._columns = None
