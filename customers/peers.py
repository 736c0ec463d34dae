"""The normal of peers: how much customers of the same region and segment use this week, against what is normal for them.

A holiday is not a collapse: where everybody uses less, a customer's own normal is asked for less. Uses are counted by group and local day; at
the end of a day each group's week is set against its own slow level (robust as a customer's, `normal.py`). A customer is
compared with region and segment, else with the region, else with all, whichever is known; only a fall of peers counts,
for a rise says nothing about who stays as ever.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.layout import L
from customers.metrics import DAY_US
from events.compiled import compiled
from events.times import SLOT_US

REGIONS: Final = 63  # of their own; customers of later ones are compared with all
SEGMENTS: Final = 15
GROUPS: Final = 1 + REGIONS + REGIONS * SEGMENTS
WEEK: Final = 7
DAYS: Final = 16  # held
LEAST_USES: Final = 2_000.0  # of a group's week, or it tells nothing
LEAST_DAYS: Final = 14  # that a group's level must rest on
SLOWEST: Final = 45
CLIP: Final = 2.0
LEAST_SPREAD: Final = 0.03
ORDINARY: Final = 0.9  # a week from here on is an ordinary one
LOWEST: Final = 0.1
_REGION, _SEGMENT = L["region"], L["segment"]


class Peers(NamedTuple):
    """What compiled code sees. `uses` i8 and `weeks` (against normal) f8[day % DAYS, group]; `newest`: the last day ended; `offset`: local time, µs."""

    uses: npt.NDArray[np.int64]
    weeks: npt.NDArray[np.float64]
    newest: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]


@compiled(borrows=True)
def count_use(r: np.void, p: Peers, at: int, now: int, count: float) -> None:
    """Count a customer's sessions dated `at` (µs), told at `now`, with those of the groups.

    A day is counted until the first slot after it is over, so that all partitions count it to the same moment.
    """
    day = (at + p.offset[0]) // DAY_US
    if now + p.offset[0] >= (day + 1) * DAY_US + SLOT_US:
        return
    uses, n = p.uses[day % DAYS], np.int64(min(count, 1_000.0))
    region, segment = np.int64(r["labels"][_REGION]), np.int64(r["labels"][_SEGMENT])
    uses[0] += n
    if 0 <= region < REGIONS:
        uses[1 + region] += n
        if 0 <= segment < SEGMENTS:
            uses[1 + REGIONS + region * SEGMENTS + segment] += n


@compiled(borrows=True)
def peers_index(r: np.void, p: Peers, day: int) -> float:
    """The week of the customer's peers that ended with `day`, against their normal: 1 as ordinary, less in a fall; NaN unknown."""
    if day > p.newest[0] or day <= p.newest[0] - DAYS:
        return np.nan
    index = p.weeks[day % DAYS]
    found, region, segment = index[0], np.int64(r["labels"][_REGION]), np.int64(r["labels"][_SEGMENT])
    if 0 <= region < REGIONS:
        narrower = index[1 + region]
        found = found if np.isnan(narrower) else narrower
        if 0 <= segment < SEGMENTS:
            narrower = index[1 + REGIONS + region * SEGMENTS + segment]
            found = found if np.isnan(narrower) else narrower
    if np.isnan(found):
        return np.nan
    return 1.0 if found >= ORDINARY else max(found, LOWEST)


@compiled(borrows=True)
def allowance(index: float) -> float:
    """What a fall of the peers' mean lets a single customer fall to: its square.

    In a holiday many stop and many go on as ever, so the mean says too little of what is ordinary for one of them.
    """
    return index * index


def region_group(region: int) -> int | None:
    """The place of a region among the groups."""
    return 1 + region if 0 <= region < REGIONS else None


def segment_group(region: int, segment: int) -> int | None:
    """The place of a region's segment among the groups."""
    known = 0 <= region < REGIONS and 0 <= segment < SEGMENTS
    return 1 + REGIONS + region * SEGMENTS + segment if known else None


class PeerGroups:
    """Owns the counts and levels of all groups of a partition."""

    def __init__(self, utc_offset: int = 0) -> None:
        self.view = Peers(
            np.zeros((DAYS, GROUPS), np.int64),
            np.full((DAYS, GROUPS), np.nan),
            np.zeros(1, np.int64),
            np.array([utc_offset], np.int64),
        )
        self._level, self._spread, self._days = np.full(GROUPS, np.nan), np.zeros(GROUPS), np.zeros(GROUPS)
        self._ended = 0  # whole days in a row
        self._told = 0  # the newest day that was handed out
        self._heard: dict[int, npt.NDArray[np.int64]] = {}
        self._all = np.zeros((DAYS, GROUPS), np.int64)  # uses of the days that ended, those of other partitions too

    @property
    def newest(self) -> int:
        """The newest day that has ended."""
        return int(self.view.newest[0])

    def told(self, before: int) -> list[tuple[int, npt.NDArray[np.int64]]]:
        """(day, uses i8[GROUPS]) of the days that are counted to their end before the slot `before`, and were not handed out.

        Days in which nobody here used anything are left out.
        """
        ended = (before * SLOT_US - SLOT_US + int(self.view.offset[0])) // DAY_US - 1
        first = max(self._told + 1, ended - DAYS + 3)
        self._told = max(self._told, ended)
        rows = [(day, self.view.uses[day % DAYS].copy()) for day in range(first, ended + 1)]
        return [(day, uses) for day, uses in rows if uses.any()]

    def hear(self, day: int, groups: npt.NDArray[np.int64], uses: npt.NDArray[np.int64]) -> None:
        """What another partition counted of a day."""
        np.add.at(self._heard.setdefault(day, np.zeros(GROUPS, np.int64)), groups, uses)

    def end_of_day(self, day: int) -> None:
        """A local day (days since 1970) has ended: set each group's week against its level, and let the level learn."""
        newest = self.view.newest
        if newest[0] == 0 or day - newest[0] >= DAYS - 1:  # the first, or after a long gap: no week is whole
            self.view.uses[np.arange(DAYS) != (day + 1) % DAYS] = 0
            self._ended, newest[0] = 0, day
            self._heard = {later: uses for later, uses in self._heard.items() if later > day}
            return
        for passed in range(int(newest[0]) + 1, day + 1):
            self._end(passed)
        newest[0] = day

    def _end(self, day: int) -> None:
        uses, weeks, _, _ = self.view
        self._all[day % DAYS] = uses[day % DAYS] + self._heard.pop(day, np.int64(0))
        week = self._all[np.arange(day - WEEK + 1, day + 1) % DAYS].sum(axis=0).astype(np.float64)
        uses[(day + 2) % DAYS] = 0  # the day after this one has begun already
        self._ended += 1
        known = (self._ended >= WEEK) & (self._days >= LEAST_DAYS) & (self._level >= LEAST_USES)
        weeks[day % DAYS] = np.where(known, week / np.where(known, self._level, 1.0), np.nan)
        if self._ended >= WEEK:
            self._learn(week)

    def _learn(self, week: npt.NDArray[np.float64]) -> None:
        step = 1.0 / np.minimum(self._days + 1.0, SLOWEST)
        first = np.isnan(self._level)
        level = np.where(first, week, self._level)
        limit = np.where(self._days < LEAST_DAYS, np.inf, CLIP * np.maximum(self._spread, LEAST_SPREAD * level))
        move = np.clip(week - level, -limit, limit)
        seen = first & (week > 0) | ~first
        self._level = np.where(seen, level + step * move, np.nan)
        self._spread = np.where(seen & ~first, self._spread + step * (np.abs(move) - self._spread), self._spread)
        self._days += seen

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Counts, levels and what was found of the last days."""
        uses, weeks, newest, offset = self.view
        levels = np.stack([self._level, self._spread, self._days])
        return {
            "uses": uses,
            "weeks": weeks,
            "newest": np.concatenate([newest, offset, [self._ended, self._told]]),
            "levels": levels,
            "all": self._all,
            "heard_days": np.array(sorted(self._heard), np.int64),
            "heard": np.array([self._heard[day] for day in sorted(self._heard)], np.int64).reshape(-1, GROUPS),
        }

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take over a snapshot. Raises ValueError for one of another size."""
        uses, weeks, newest, offset = self.view
        if arrays["uses"].shape != uses.shape:
            raise ValueError(f"the peers' groups are {arrays['uses'].shape}, this version has {uses.shape}")
        uses[:], weeks[:] = arrays["uses"], arrays["weeks"]
        newest[0], offset[0], ended, told = arrays["newest"]
        self._ended, self._told = int(ended), int(told)
        self._heard = {
            int(day): np.array(heard) for day, heard in zip(arrays["heard_days"], arrays["heard"], strict=True)
        }
        self._all[:] = arrays["all"]
        self._level, self._spread, self._days = np.array(arrays["levels"])
