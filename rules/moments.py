"""Days and times from or until which something holds, as authors write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from rules.durations import DAY, SECOND

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


class Moment(str):
    """A date (a whole day, by local time) or a time with its offset."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Raises ValueError with a message for the author."""
        found = cls(text.strip())
        try:
            naive = found._read().tzinfo is None
            found.begins(0)
        except (ValueError, OverflowError):
            found, naive = cls("none"), True
        if naive and not re.fullmatch(r"\d{4}-\d\d-\d\d", found, re.ASCII):
            raise ValueError(f"`{text}` is no date or time: write it like 2026-03-01 or 2026-03-01T08:00:00+08:00")
        return found

    def _read(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self)

    def begins(self, utc_offset: int) -> int:
        """When it is there (µs UTC): a day at its local midnight."""
        at = self._read()
        if at.tzinfo is None:
            return (at.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND - utc_offset
        return (at - _EPOCH) // _MICROSECOND

    def ends(self, utc_offset: int) -> int:
        """When it is over (µs UTC): a day is included whole."""
        return self.begins(utc_offset) + (DAY if self._read().tzinfo is None else 0)


def date_of(at: int) -> str:
    """A time (µs UTC) as people write a day."""
    return f"{dt.datetime.fromtimestamp(at / SECOND, dt.UTC):%Y-%m-%d}"
