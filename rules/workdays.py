"""Deadlines in working time: add hours to a moment, counting only when the care teams work.

A day's hours are those of its weekday, none on a public holiday, and on a make-up day (调休上班) those of the calendar's
`make_up_hours`. Local time is a fixed offset from UTC. There is no clock here: every moment is given, in microseconds UTC.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND
_EPOCH = dt.date(1970, 1, 1).toordinal()
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_PAUSE_DAYS = 60
"""A calendar with a longer stretch without any work is refused: no deadline should fall months later by mistake."""


class OpenHours:
    """A stretch of a working day in microseconds after local midnight, written 09:00-12:00."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    @classmethod
    def parse(cls, text: str) -> OpenHours:
        """Raises ValueError with a message for the author."""
        found = re.fullmatch(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", text.strip(), re.ASCII)
        if found is None:
            raise ValueError(f"`{text}` are no hours: write them like 09:00-12:00")
        start, end = ((int(found[i]) * 60 + int(found[i + 1])) * _MINUTE for i in (1, 3))
        if not start < end <= _DAY or int(found[2]) > 59 or int(found[4]) > 59:
            raise ValueError(f"`{text}` must begin before it ends, within one day")
        return cls(start, end)


Day = tuple[OpenHours, ...]


class Holiday(NamedTuple):
    """A public holiday, both ends included."""

    first: dt.date
    last: dt.date


class WorkCalendar:
    """When the care teams work; `weekly` begins on Monday.

    Raises ValueError for hours that overlap, a week without work or a pause that is too long.
    """

    def __init__(
        self,
        weekly: Sequence[Day],
        holidays: Collection[Holiday],
        make_up_days: Collection[dt.date],
        make_up_hours: Day,
        utc_offset: int,
    ) -> None:
        self._weekly = tuple(_ordered(day, name) for day, name in zip(weekly, _NAMES, strict=True))
        self._make_up_hours = _ordered(make_up_hours, "make-up days")
        self._off = {day for one in holidays for day in range(one.first.toordinal(), one.last.toordinal() + 1)}
        self._make_up = {day.toordinal() for day in make_up_days}
        self._offset = int(utc_offset)
        if not any(self._weekly):
            raise ValueError("a week needs at least one day with working hours")
        self._refuse_long_pauses()

    def hours(self, day: dt.date) -> Day:
        """The working hours of a local date."""
        return self._hours(day.toordinal())

    def add(self, moment: int, working: int) -> int:
        """The earliest moment by which `working` microseconds of work have passed since `moment` (both UTC)."""
        local, left = moment + self._offset, working
        if left <= 0:
            return moment
        day = local // _DAY
        while True:
            for hours in self._hours(day + _EPOCH):
                begins = max(day * _DAY + hours.start, local)
                ends = day * _DAY + hours.end
                if ends - begins >= left:
                    return begins + left - self._offset
                left -= max(ends - begins, 0)
            day += 1

    def between(self, start: int, end: int) -> int:
        """Microseconds of work between two moments, 0 when the end is not after the start."""
        first, last = start + self._offset, end + self._offset
        worked = 0
        for day in range(first // _DAY, last // _DAY + 1):
            for hours in self._hours(day + _EPOCH):
                begins, ends = max(day * _DAY + hours.start, first), min(day * _DAY + hours.end, last)
                worked += max(ends - begins, 0)
        return worked

    def _hours(self, ordinal: int) -> Day:
        if ordinal in self._make_up:
            return self._make_up_hours
        return () if ordinal in self._off else self._weekly[(ordinal + 6) % 7]

    def _refuse_long_pauses(self) -> None:
        pause = 0
        for ordinal in range(min(self._off, default=0), max(self._off, default=-1) + 1):
            pause = 0 if self._hours(ordinal) else pause + 1
            if pause > LONGEST_PAUSE_DAYS:
                when = dt.date.fromordinal(ordinal)
                raise ValueError(f"nobody works for more than {LONGEST_PAUSE_DAYS} days up to {when}")


def _ordered(day: Day, name: str) -> Day:
    found = tuple(sorted(day, key=lambda hours: hours.start))
    for before, after in itertools.pairwise(found):
        if after.start < before.end:
            raise ValueError(f"the working hours of {name} overlap")
    return found
