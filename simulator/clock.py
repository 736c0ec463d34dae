"""Time of the run: whole milliseconds since the first local midnight, written with the operator's UTC offset."""

from __future__ import annotations

from datetime import date, datetime, timedelta

HOUR = 3_600_000
DAY = 24 * HOUR
OPENING = 60_000  # the run's first minute holds the introductions and nothing else
NEVER = 1 << 60  # later than any moment of a run

SECONDS = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)]


class Clock:
    """Turns milliseconds of the run into dates and RFC 3339 texts."""

    def __init__(self, start: datetime) -> None:
        """`start` is a local midnight with its offset."""
        self.start = start
        self.offset = start.isoformat()[-6:]
        self._dates: dict[int, str] = {}

    def day(self, day: int) -> date:
        """The calendar date of a day of the run (0 is the first)."""
        return (self.start + timedelta(days=day)).date()

    def date_text(self, day: int) -> str:
        """`YYYY-MM-DD` of a day of the run."""
        text = self._dates.get(day)
        if text is None:
            text = self._dates[day] = self.day(day).isoformat()
        return text

    def stamp(self, ms: int) -> str:
        """RFC 3339 text of a moment, e.g. `2026-01-05T08:12:33.120+08:00`."""
        day, rest = divmod(ms, DAY)
        second, milli = divmod(rest, 1000)
        return f"{self.date_text(day)}T{SECONDS[second]}.{milli:03d}{self.offset}"
