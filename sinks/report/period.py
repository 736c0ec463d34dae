"""Local days and months of a period."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

DAY_US = 86_400_000_000
EPOCH = dt.date(1970, 1, 1)


def day_number(date: dt.date) -> int:
    """Days since 1970."""
    return (date - EPOCH).days


def date_of_day(day: int) -> str:
    """YYYY-MM-DD."""
    return (EPOCH + dt.timedelta(days=day)).isoformat()


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, or the part of it within a period: days `first` to `last`, both included, since 1970."""

    name: str
    first: int
    last: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Period:
    """Local days `first` to `last`, both included, since 1970; `utc_offset` in µs."""

    first: int
    last: int
    utc_offset: int

    @property
    def days(self) -> int:
        """How many."""
        return self.last - self.first + 1

    def day(self, at: int) -> int:
        """The local day of a time (µs UTC)."""
        return (at + self.utc_offset) // DAY_US

    def holds(self, at: int) -> bool:
        """Whether a time (µs UTC) lies within."""
        return self.first <= self.day(at) <= self.last

    def begin_of(self, day: int) -> int:
        """The first µs of a day, UTC."""
        return day * DAY_US - self.utc_offset

    def months(self) -> list[Month]:
        """The months touched, cut to the period."""
        found = []
        day = self.first
        while day <= self.last:
            date = EPOCH + dt.timedelta(days=day)
            begin = date.replace(day=1)
            after = (begin + dt.timedelta(days=32)).replace(day=1)
            last = min(self.last, day_number(after) - 1)
            whole = date == begin and last == day_number(after) - 1
            found.append(Month(f"{date:%Y-%m}", day, last, whole))
            day = last + 1
        return found
