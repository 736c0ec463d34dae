"""The year and the day: when whom uses how much.

Weekly and daily rhythm by way of life; Spring Festival (many travel home, firms close, the last evening of the year is
full of messages); term breaks (students gone in January and February and in July and August); summer holidays of
families; National Day week. Besides, anybody may have a quiet spell at any time: illness, a trip, a second telephone.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from simulator.arrays import Bools, Floats, Ints, Random
from simulator.catalogue import BUSINESS, FAMILY, IOT, SENIOR, STUDENT, WORKER, YOUTH
from simulator.people import People

SPRING_FESTIVAL = {
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
}

# Share of a day's use by local hour: commuters, the old, the young, offices, machines.
_HOURS = {
    "commuter": (2, 1, 1, 1, 1, 2, 5, 9, 10, 8, 8, 9, 11, 9, 8, 8, 9, 11, 13, 14, 15, 14, 10, 5),
    "early": (1, 1, 1, 1, 2, 6, 10, 12, 13, 14, 13, 11, 8, 7, 9, 10, 10, 11, 12, 11, 8, 4, 2, 1),
    "late": (7, 5, 3, 2, 1, 1, 2, 4, 6, 7, 8, 9, 12, 11, 9, 9, 9, 10, 12, 14, 16, 18, 17, 13),
    "office": (1, 0.5, 0.5, 0.5, 0.5, 1, 3, 8, 15, 18, 17, 14, 8, 13, 17, 16, 15, 11, 7, 5, 4, 3, 2, 1),
    "machine": (1,) * 24,
}
_RHYTHM = {
    WORKER: "commuter",
    YOUTH: "late",
    STUDENT: "late",
    FAMILY: "commuter",
    SENIOR: "early",
    BUSINESS: "office",
    IOT: "machine",
}
_WEEK = {  # Monday … Sunday
    WORKER: (1.0, 1.0, 1.0, 1.02, 1.08, 1.0, 0.9),
    YOUTH: (0.96, 0.96, 0.97, 1.0, 1.08, 1.1, 1.02),
    STUDENT: (0.95, 0.95, 0.97, 1.0, 1.1, 1.08, 1.0),
    FAMILY: (0.97, 0.97, 0.97, 1.0, 1.05, 1.1, 1.02),
    SENIOR: (1.0,) * 7,
    BUSINESS: (1.25, 1.25, 1.22, 1.2, 1.18, 0.5, 0.35),
    IOT: (1.0,) * 7,
}
_STEPS = 4096


def hour_tables() -> Floats:
    """Segment × 4,096: milliseconds of the day at even steps of the cumulated day, to draw times by."""
    tables = np.empty((len(_RHYTHM), _STEPS + 1))
    for segment, name in _RHYTHM.items():
        edges = np.concatenate([[0.0], np.cumsum(np.array(_HOURS[name], dtype=np.float64))])
        tables[segment] = np.interp(np.linspace(0, 1, _STEPS + 1), edges / edges[-1], np.arange(25) * 3_600_000.0)
    return tables


def times_of_day(tables: Floats, segment: Ints, random: Random) -> Ints:
    """One moment of the day (ms) for each entry of `segment`, after the rhythm of that segment."""
    place = random.random(len(segment)) * _STEPS
    step = place.astype(np.int64)
    low, high = tables[segment, step], tables[segment, step + 1]
    return np.asarray(low + (high - low) * (place - step), dtype=np.int64)


class Seasons:
    """Everybody's habits over the year, drawn once: who travels when, and how much they still use there."""

    def __init__(self, people: People, random: Random) -> None:
        count, segment = people.count, people.segment
        self.segment = segment
        leaves = np.array([0.42, 0.5, 0.85, 0.25, 0.08, 0.1, 0.0])[segment]
        self.goes_home: Bools = random.random(count) < leaves
        self.leaves_before: Ints = random.integers(2, 10, count)
        self.back_after: Ints = random.integers(5, 13, count)
        self.while_away: Floats = np.where(random.random(count) < 0.3, 0.03, random.uniform(0.2, 0.7, count))
        self.term_shift: Ints = random.integers(-5, 9, count)
        self.stays_on_campus: Bools = random.random(count) < 0.2
        self.summer_day: Ints = random.integers(0, 50, count)
        self.summer_length: Ints = np.where(random.random(count) < 0.35, random.integers(5, 15, count), 0)
        self.summer_use: Floats = random.uniform(0.05, 0.6, count)
        self._week = np.array([_WEEK[s] for s in range(len(_WEEK))])

    def factors(self, day: date) -> tuple[Floats, Bools]:
        """Factor on each customer's number of usage records that day, and who is away from their home region."""
        factor = self._week[self.segment, day.weekday()].copy()
        away = np.zeros(len(factor), dtype=np.bool_)
        self._spring(day, factor, away)
        self._summer(day, factor, away)
        if day.month == 10 and day.day <= 7:
            factor[self.segment == BUSINESS] *= 0.35
        factor[self.segment == IOT] = 1.0
        return factor, away

    def _spring(self, day: date, factor: Floats, away: Bools) -> None:
        festival = SPRING_FESTIVAL.get(day.year)
        if festival is None or abs((day - festival).days) > 45:
            return
        distance = (day - festival).days
        gone = self.goes_home & (distance >= -self.leaves_before) & (distance <= self.back_after)
        students = self.segment == STUDENT
        term = (
            students & (distance >= -24 + self.term_shift) & (distance <= 13 + self.term_shift) & ~self.stays_on_campus
        )
        gone |= term
        factor[gone] *= self.while_away[gone]
        away |= gone
        if -1 <= distance <= 6:
            factor[self.segment == BUSINESS] *= 0.15
            factor[~gone & (self.segment != BUSINESS)] *= 0.8
        if distance == -1:
            factor[self.segment != BUSINESS] *= 1.3

    def _summer(self, day: date, factor: Floats, away: Bools) -> None:
        if not 7 <= day.month <= 9:
            return
        since = (day - date(day.year, 7, 1)).days
        students = (self.segment == STUDENT) & ~self.stays_on_campus
        gone = students & (since >= 5 + self.term_shift) & (since < 59 + self.term_shift)
        others = (self.segment != STUDENT) & (since >= self.summer_day) & (since < self.summer_day + self.summer_length)
        factor[gone] *= self.while_away[gone]
        factor[others] *= self.summer_use[others]
        away |= gone | others
